// The blob port: what the registry sees of a store for bytes. Rules: architecture, I1, I6, I7 and section 6.

package import Domain
package import HTTP

/// A store for bytes, by key. A key names one generation of an object: it is written once and never again.
///
/// Every method throws `StorageFault`, and what a body's sequence throws.
package protocol BlobStorage: Sendable {
    /// Begins an object. Nothing can be read under `key` before `finish`.
    ///
    /// - Parameters:
    ///   - key: recorded by the caller as staged, before this call.
    ///   - length: in bytes, where it is known: a store may then choose a cheaper way.
    func begin(_ key: StorageKey, length: Int?) async throws -> any ObjectWriter

    /// Opens a part of an object to be sent.
    ///
    /// - Parameters:
    ///   - range: in bytes; not empty.
    ///   - length: the whole object's, as its blob row has it. An object of another length is never sent:
    ///     `StorageFault.damaged`.
    func open(_ key: StorageKey, _ range: Range<Int>, of length: Int) async throws -> StoredBytes

    /// Closes what is kept open of an object, so that the next ``open(_:_:of:)`` reads what is stored by then.
    func forget(_ key: StorageKey)

    /// Whether an object is read about as fast as a local file, so that every check can read it.
    var isReadingCheap: Bool { get }

    /// - Returns: the object's length in bytes; nil where there is none.
    func length(of key: StorageKey) async throws -> Int?

    /// Deletes an object. One that is not there counts as deleted.
    func delete(_ key: StorageKey) async throws

    /// Objects (finished or not) under our prefix, in the order of their keys.
    ///
    /// - Parameter after: the last key of the page before.
    func list(after: StorageKey?, limit: Int) async throws -> [StoredObject]

    /// Begins an object that comes in parts, which clients put by themselves with presigned URLs.
    func beginMultipart(_ key: StorageKey) async throws -> MultipartUpload

    /// Where a client puts a part. Nil where the store does not serve clients itself: then the server signs and serves.
    ///
    /// - Parameter seconds: how long the URL holds.
    func presignedPart(
        _ number: Int, of upload: MultipartUpload, validFor seconds: Int, at time: Timestamp
    ) throws -> String?

    /// Takes a part in, for stores whose parts the server serves. A part of the same number is replaced.
    func putPart(
        _ number: Int, of upload: MultipartUpload, _ body: RequestBody, limit: Int
    ) async throws -> StoredPart

    /// The parts that have arrived, in the order of their numbers.
    func parts(of upload: MultipartUpload) async throws -> [StoredPart]

    /// Makes the object out of its parts, in the order given. May be called again: an object that is there stays.
    ///
    /// - Returns: whether the object is known to be of these parts. Where it is not, another call may have made it, of
    ///   other ones.
    /// - Throws: `StorageFault.invalidPart` where one is not there or has another entity tag.
    @discardableResult
    func complete(_ upload: MultipartUpload, _ parts: [StoredPart]) async throws -> Bool

    /// Forgets an upload's parts. One that is not there counts as aborted.
    func abort(_ upload: MultipartUpload) async throws

    /// A URL from which a client can fetch the whole object; nil where the store does not serve clients itself.
    func presignedDownload(_ key: StorageKey, validFor seconds: Int, at time: Timestamp) throws -> String?

    /// Whether the store answers and is ours: for readiness. Takes at most about three seconds.
    func check() async throws
}

/// An object being written. Either `finish` or `discard` ends it.
package protocol ObjectWriter: AnyObject, Sendable {
    /// Takes the next bytes. Returns when the store can take more: a slow store slows the sender.
    func write(_ bytes: [UInt8]) async throws

    /// Makes the object durable and readable: when this returns, it survives a loss of power.
    func finish() async throws

    /// Forgets what was written.
    func discard() async
}

/// An object's bytes, opened.
package enum StoredBytes: Sendable {
    case file(FileRegion)
    /// Chunks, which come as fast as they are asked for. A stream that ends early throws `StorageFault.damaged`.
    case stream(ObjectStream)
}

/// Chunks of an object. It can be read once.
package struct ObjectStream: AsyncSequence, Sendable {
    private let source: any BodySource

    package init(_ source: any BodySource) { self.source = source }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let source: any BodySource
        package func next() async throws -> [UInt8]? { try await self.source.nextChunk() }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self.source) }
}

/// What a store holds under a key: an object, uploads in parts that have not ended, or both.
package struct StoredObject: Hashable, Sendable {
    package let key: StorageKey
    /// In bytes; zero where there is no object yet.
    package let length: Int
    /// Of the latest of them.
    package let modifiedAt: Timestamp
    package let uploads: [MultipartUpload]

    package init(key: StorageKey, length: Int, modifiedAt: Timestamp, uploads: [MultipartUpload] = []) {
        self.key = key
        self.length = length
        self.modifiedAt = modifiedAt
        self.uploads = uploads
    }

    /// Both of the same key.
    package func joined(with other: StoredObject) -> StoredObject {
        StoredObject(
            key: self.key, length: max(self.length, other.length), modifiedAt: max(self.modifiedAt, other.modifiedAt),
            uploads: self.uploads + other.uploads)
    }
}

/// An upload in parts: the object's key, and the store's own name for the upload.
package struct MultipartUpload: Hashable, Sendable {
    package let key: StorageKey
    package let id: String

    package init(key: StorageKey, id: String) {
        self.key = key
        self.id = id
    }
}

package struct StoredPart: Hashable, Sendable {
    /// From 1.
    package let number: Int
    /// Without quotes.
    package let entityTag: String
    /// In bytes; nil where only the store knows.
    package let length: Int?
    /// The SHA-256 that this server computed while the part came through it; nil where it went by it.
    package let digest: BlobDigest?

    package init(number: Int, entityTag: String, length: Int? = nil, digest: BlobDigest? = nil) {
        self.number = number
        self.entityTag = entityTag
        self.length = length
        self.digest = digest
    }
}
