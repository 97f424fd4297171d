// A storage with something between it and its user.

package import Domain
package import HTTP
package import Storage

/// Does what the storage below it does, but for what a test puts in its way.
package final class HookedStorage: BlobStorage {
    package typealias Opening = @Sendable (StoredBytes) async throws -> StoredBytes
    package typealias Completing =
        @Sendable (_ parts: [StoredPart], _ below: @Sendable () async throws -> Bool) async throws -> Bool

    private let below: any BlobStorage
    private let measuring: @Sendable () async -> Void
    private let opening: Opening
    private let completing: Completing

    /// - Parameter measuring: called before an object's length is asked for.
    package init(
        _ below: any BlobStorage, measuring: @escaping @Sendable () async -> Void = {},
        opening: @escaping Opening = { $0 },
        completing: @escaping Completing = { _, below in try await below() }
    ) {
        self.below = below
        self.measuring = measuring
        self.opening = opening
        self.completing = completing
    }

    package func open(_ key: StorageKey, _ range: Range<Int>, of length: Int) async throws -> StoredBytes {
        try await self.opening(try await self.below.open(key, range, of: length))
    }

    package func complete(_ upload: MultipartUpload, _ parts: [StoredPart]) async throws -> Bool {
        try await self.completing(parts) { [below] in try await below.complete(upload, parts) }
    }

    package func begin(_ key: StorageKey, length: Int?) async throws -> any ObjectWriter {
        try await self.below.begin(key, length: length)
    }

    package func forget(_ key: StorageKey) { self.below.forget(key) }

    package var isReadingCheap: Bool { self.below.isReadingCheap }

    package func length(of key: StorageKey) async throws -> Int? {
        await self.measuring()
        return try await self.below.length(of: key)
    }

    package func delete(_ key: StorageKey) async throws { try await self.below.delete(key) }

    package func list(after: StorageKey?, limit: Int) async throws -> [StoredObject] {
        try await self.below.list(after: after, limit: limit)
    }

    package func beginMultipart(_ key: StorageKey) async throws -> MultipartUpload {
        try await self.below.beginMultipart(key)
    }

    package func presignedPart(
        _ number: Int, of upload: MultipartUpload, validFor seconds: Int, at time: Timestamp
    ) throws -> String? {
        try self.below.presignedPart(number, of: upload, validFor: seconds, at: time)
    }

    package func putPart(
        _ number: Int, of upload: MultipartUpload, _ body: RequestBody, limit: Int
    ) async throws -> StoredPart {
        try await self.below.putPart(number, of: upload, body, limit: limit)
    }

    package func parts(of upload: MultipartUpload) async throws -> [StoredPart] {
        try await self.below.parts(of: upload)
    }

    package func abort(_ upload: MultipartUpload) async throws { try await self.below.abort(upload) }

    package func presignedDownload(_ key: StorageKey, validFor seconds: Int, at time: Timestamp) throws -> String? {
        try self.below.presignedDownload(key, validFor: seconds, at: time)
    }

    package func check() async throws { try await self.below.check() }
}
