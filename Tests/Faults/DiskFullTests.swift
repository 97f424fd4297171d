// A disk that fills up: a clear answer, nothing half there, and recovery without a restart. On a small file system of
// the test's own, which only root can mount.

import Cryptography
import Domain
import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct DiskFullTests {
    @Test(.enabled(if: geteuid() == 0, "mounting a file system needs root"), arguments: ["blobs", "everything"])
    func `a full disk refuses uploads, keeps what is there, and recovers`(full: String) async throws {
        let directory = NSTemporaryDirectory() + "artifortress-full-\(UniqueID.random().hex)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        guard unsafe mount("tmpfs", directory, "tmpfs", 0, "size=24m") == 0 else {
            return print("skipped: no file system can be mounted here")
        }
        defer { unsafe umount2(directory, 2) }  // MNT_DETACH
        var settings: [String: String] = [:]
        if full == "blobs" {
            settings["storage.url"] = "file:\(directory)/blobs"
        } else {
            settings["data"] = "\(directory)/data"
        }
        try await Shape.embedded.withServer(settings) { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            let small = [UInt8](repeating: 1, count: 100_000)
            #expect(try await server.put("/generic/files/before", small, token: token).status == 201)

            // Larger than what is left, so that it fails in its middle.
            let large = [UInt8](repeating: 2, count: 30 << 20)
            let refused = try await server.put("/generic/files/large", large, token: token)
            #expect([503, 507].contains(refused.status), "\(refused.status) \(refused.text)")
            #expect(refused.text.contains("\"error\""))
            #expect(try await server.get("/generic/files/large", token: token).status == 404)
            #expect(try await server.get("/generic/files/before", token: token).body == small)

            // Filled to the last block from outside, also small ones have no room.
            let filler = "\(directory)/filler"
            Self.fill(filler)
            let none = try await server.put("/generic/files/none", small, token: token)
            #expect([503, 507].contains(none.status), "\(none.status) \(none.text)")
            #expect(try await server.get("/generic/files/before", token: token).body == small)
            unsafe unlink(filler)

            let recovered = await eventually {
                (try? await server.put("/generic/files/after", small, token: token).status) == 201
            }
            #expect(recovered, "\(server.log)")
            #expect(try await server.get("/generic/files/after", token: token).body == small)
            #expect(try await server.get("/generic/files/none", token: token).status == 404)
        }
    }

    /// Writes zeros until nothing more goes in.
    private static func fill(_ path: String) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        for size in [65536, 4096, 512, 1] {
            let zeros = [UInt8](repeating: 0, count: size)
            while unsafe zeros.withUnsafeBytes({ unsafe write(descriptor, $0.baseAddress, size) }) == size {}
        }
    }
}
