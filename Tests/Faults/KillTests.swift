// Invariants I1, I3 and I7 under kill -9: what was acknowledged is there and right, what is there is whole.

import Cryptography
import Domain
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct KillTests {
    @Test(arguments: Shape.available)
    func `a kill amid two hundred uploads loses nothing that was acknowledged`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            let acknowledged = Tally()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let answer = try? await server.put(
                            "/generic/files/f\(number)", Self.body(number), token: token)
                        if answer?.status == 201 { acknowledged.add(number) }
                    }
                }
                group.addTask {
                    _ = await eventually { acknowledged.all.count >= 40 }
                    server.kill()
                }
            }
            try await server.start()
            let kept = acknowledged.all
            #expect(!kept.isEmpty)
            var visible = 0
            for number in 0..<200 {
                let answer = try await server.get("/generic/files/f\(number)", token: token)
                if kept.contains(number) { #expect(answer.status == 200, "f\(number) is lost") }
                guard answer.status == 200 else { continue }
                visible += 1
                #expect(answer.isComplete && answer.body == Self.body(number), "f\(number) is wrong")
            }
            guard shape == .embedded else { return }
            // Every object that no row needs is swept: one stays for each file.
            let isSwept = await eventually { Self.objects(of: server) == visible }
            #expect(isSwept, "\(Self.objects(of: server)) objects for \(visible) files")
        }
    }

    /// 1 to 200 KiB, different for each number.
    private static func body(_ number: Int) -> [UInt8] {
        let seed = SHA256.digest(of: "\(number)").hex.utf8
        return Array(String(decoding: seed, as: UTF8.self).utf8.prefix(64))
            + [UInt8](repeating: UInt8(number), count: (number + 1) * 1000)
    }

    private static func objects(of server: ServerProcess) -> Int {
        let root = "\(server.directory)/data/blobs"
        guard let paths = FileManager.default.enumerator(atPath: root) else { return -1 }
        return paths.reduce(into: 0) { count, path in
            var isDirectory: ObjCBool = false
            let path = "\(root)/\(path)"
            guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
                !isDirectory.boolValue,
                !path.hasSuffix("/installation")
            else { return }
            count += 1
        }
    }
}

/// Numbers that several tasks collect.
private final class Tally: Sendable {
    private let numbers = Mutex<Set<Int>>([])

    var all: Set<Int> { self.numbers.withLock { $0 } }

    func add(_ number: Int) { self.numbers.withLock { _ = $0.insert(number) } }
}
