// Every blob storage that a test can run on: a directory always, S3 where its address is in the environment.

package import Domain
import Filesystem
import Foundation
import HTTP
import HTTPClient
import S3
package import Storage
import Threads

/// A kind of storage; each test opens one of its own, and nothing of it is left.
package struct StorageFixture: Sendable, CustomStringConvertible {
    package let description: String
    private let run: @Sendable (_ body: @Sendable (any BlobStorage) async throws -> Void) async throws -> Void

    package static let all: [StorageFixture] = [.file] + (S3Fixture.location.map { [.s3($0)] } ?? [])

    package static let file = StorageFixture(description: "file") { body in
        try await TemporaryDirectory.with { path in
            try await body(try FilesystemStorage(root: path + "/storage", installation: .random()))
        }
    }

    static func s3(_ location: S3Location) -> StorageFixture {
        StorageFixture(description: "s3") { body in
            try await S3Fixture.with(location) { storage, _ in try await body(storage) }
        }
    }

    package func with(_ body: @Sendable (any BlobStorage) async throws -> Void) async throws {
        try await self.run(body)
    }

    /// Puts a part as a client does: to the storage where that serves clients itself, else through the server.
    package func send(
        _ bytes: [UInt8], _ number: Int, of upload: MultipartUpload, to storage: any BlobStorage
    ) async throws -> StoredPart {
        guard let url = try storage.presignedPart(number, of: upload, validFor: 60, at: WallClock.system.now()) else {
            return try await storage.putPart(number, of: upload, RequestBody(bytes), limit: bytes.count)
        }
        let answer = try await S3Fixture.client.send(ClientRequest("PUT", url, body: .bytes(bytes)))
        guard answer.status == 200, let tag = answer.headers["ETag"] else {
            throw StorageFault.other("\(answer.status) \(try await answer.body.collect(upTo: 10_000))")
        }
        return StoredPart(number: number, entityTag: tag.filter { $0 != "\"" }, length: bytes.count)
    }
}

package enum TemporaryDirectory {
    /// Calls `body` with the path of a new directory, and removes it.
    package static func with<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let path = "\(base)/artifortress-test.\(UniqueID.random().hex)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        do {
            let value = try await body(path)
            try FileManager.default.removeItem(atPath: path)
            return value
        } catch {
            try? FileManager.default.removeItem(atPath: path)
            throw error
        }
    }
}

extension StorageKey {
    /// A fresh key of a test's own.
    package static func test(_ name: String = UniqueID.random().hex) -> StorageKey {
        StorageKey("staging/test/\(name)")!
    }
}

extension BlobStorage {
    /// Stores bytes under a key.
    package func put(_ bytes: [UInt8], _ key: StorageKey, chunk: Int = 64 * 1024) async throws {
        let writer = try await self.begin(key, length: bytes.count)
        do {
            for start in stride(from: 0, to: bytes.count, by: chunk) {
                try await writer.write(Array(bytes[start..<min(start + chunk, bytes.count)]))
            }
        } catch {
            await writer.discard()
            throw error
        }
        try await writer.finish()
    }

    /// Bytes of an object, whichever way the storage gives them.
    package func get(_ key: StorageKey, _ range: Range<Int>, of length: Int) async throws -> [UInt8] {
        switch try await self.open(key, range, of: length) {
        case .file(let region):
            let file = FileHandle(fileDescriptor: region.descriptor, closeOnDealloc: false)
            var bytes = [UInt8](repeating: 0, count: region.length)
            var filled = 0
            while filled < bytes.count {
                let count = unsafe bytes.withUnsafeMutableBytes {
                    unsafe pread(
                        file.fileDescriptor, $0.baseAddress! + filled, $0.count - filled, off_t(region.offset + filled))
                }
                guard count > 0 else { throw StorageFault.damaged("a short read") }
                filled += count
            }
            return bytes
        case .stream(let stream):
            var bytes: [UInt8] = []
            for try await chunk in stream { bytes += chunk }
            return bytes
        }
    }

    /// Every key, by pages.
    package func keys(page: Int = 1000) async throws -> [StorageKey] {
        var keys: [StorageKey] = []
        while true {
            let objects = try await self.list(after: keys.last, limit: page)
            keys += objects.map(\.key)
            if objects.count < page { return keys }
        }
    }
}

/// The name of the fault's case that `body` throws; nil where it throws none.
package func faultKind(_ body: () async throws -> some Any) async -> String? {
    do {
        _ = try await body()
        return nil
    } catch StorageFault.tooLarge {
        return "tooLarge"
    } catch let fault as StorageFault {
        return Mirror(reflecting: fault).children.first?.label
    } catch HTTPFault.disconnected {
        return "disconnected"
    } catch {
        return "\(error)"
    }
}
