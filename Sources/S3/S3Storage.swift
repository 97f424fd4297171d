// The blob storage in a bucket. A key's object is named `{prefix}{key}`; `{prefix}installation` says whose they are.
// Rules: Amazon S3's API reference; architecture, I1, I6, I8.

package import Domain
import HTTP
package import HTTPClient
package import Storage
package import Threads

/// Objects of an S3-compatible store.
package final class S3Storage: BlobStorage {
    let client: S3Client
    let prefix: String
    private let installation: Installation
    private let spoolDirectory: String
    private let pool: BlockingPool
    /// Of uploads whose length is not known; the least that S3 takes is 5 MiB.
    static let partSize = 8 << 20

    /// Asks nothing yet.
    ///
    /// - Parameters:
    ///   - installation: whose objects they are: written into an empty place before the first object, looked for before
    ///     every object and by `check`.
    ///   - mayClaim: whether a place without a marker may be taken for a new one.
    ///   - spoolDirectory: where parts of uploads wait, in files without names.
    /// - Throws: `other` for an endpoint that is none.
    package init(
        _ location: S3Location, installation: UniqueID, mayClaim: Bool = true, spoolDirectory: String,
        client: HTTPClient, clock: WallClock = .system
    ) throws(StorageFault) {
        self.client = try S3Client(location, client, clock)
        self.prefix = location.prefix
        self.installation = Installation(id: installation, mayMark: mayClaim, S3Marker(location, self.client))
        self.spoolDirectory = spoolDirectory
        self.pool = BlockingPool(threads: 8)
    }

    func name(of key: StorageKey) -> String { self.prefix + key.text }

    func makeSpool() -> Spool { Spool(self.spoolDirectory, self.pool) }

    /// Verifies that the bucket's place is this installation's; an empty one becomes so.
    package func claim() async throws { try await faulting { try await self.installation.claim() } }

    package func begin(_ key: StorageKey, length: Int?) async throws -> any ObjectWriter {
        guard key.text != Installation.name else { throw StorageFault.other("\(key) is the marker's name") }
        try await self.claim()
        return S3Writer(self, key, length: length)
    }

    package func open(_ key: StorageKey, _ range: Range<Int>, of length: Int) async throws -> StoredBytes {
        try await faulting {
            do {
                let object = try await S3Object.open(self.client, self.name(of: key), range, of: length)
                return .stream(ObjectStream(object))
            } catch let failure as S3Failure where failure.code == "NoSuchKey" {
                try await self.claim()  // without its storage, an installation knows nothing of an object
                throw failure
            }
        }
    }

    package func forget(_ key: StorageKey) {}

    package var isReadingCheap: Bool { false }

    package func length(of key: StorageKey) async throws -> Int? {
        try await faulting {
            do {
                let answer = try await self.client.send(S3Request(method: "HEAD", name: self.name(of: key)))
                guard let length = answer.headers["Content-Length"].flatMap({ Int($0) }) else {
                    throw StorageFault.other("HEAD \(self.name(of: key)): no length")
                }
                return length
            } catch let failure as S3Failure where failure.status == 404 {
                try await self.requireBucket()  // the answer to a HEAD does not say what is missing
                return nil
            }
        }
    }

    /// - Throws: the failure that says so if the bucket does not exist.
    private func requireBucket() async throws {
        _ = try await self.client.send(
            S3Request(method: "GET", name: "", query: [("list-type", "2"), ("max-keys", "1"), ("prefix", self.prefix)]))
    }

    /// Also forgets uploads of that key that were never completed.
    package func delete(_ key: StorageKey) async throws {
        try await faulting {
            for upload in try await self.uploads(of: key) { try await self.abort(upload) }
            do {
                _ = try await self.client.send(S3Request(method: "DELETE", name: self.name(of: key)))
            } catch let failure as S3Failure where failure.status == 404 && failure.code != "NoSuchBucket" {}
        }
    }

    package func presignedDownload(_ key: StorageKey, validFor seconds: Int, at time: Timestamp) throws -> String? {
        self.client.presigned(S3Request(method: "GET", name: self.name(of: key)), validFor: seconds, at: time)
    }

    package func check() async throws {
        try await faulting {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await self.installation.verify(retryLimit: .none)
                    _ = try await self.client.send(
                        S3Request(
                            method: "GET", name: "",
                            query: [("list-type", "2"), ("max-keys", "1"), ("prefix", self.prefix)],
                            timeout: .seconds(3), retryLimit: .none))
                }
                group.addTask {
                    try await Task.sleep(for: .seconds(3))
                    throw StorageFault.unavailable("no answer within three seconds", cause: .timedOut)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }
}

/// Runs `body`, whose S3 failures become faults.
func faulting<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let failure as S3Failure {
        throw failure.fault
    } catch let fault as HTTPClientFault {
        throw fault.storageFault
    }
}
