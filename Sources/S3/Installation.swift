// Whose objects they are: two installations that share a place would delete each other's.

package import Domain
package import HTTPClient
package import Storage
import Synchronization
package import Threads

/// The marker object. It holds the installation's id and is written once.
final class Installation: Sendable {
    static let name = "installation"
    /// How long a marker that was seen counts for writes. A write that begins or ends later looks again.
    private static let lifetime = Duration.seconds(1)

    private struct State {
        /// A missing marker may be written as long as this process has not seen it.
        var mayMark: Bool
        var verifiedAt: ContinuousClock.Instant?
    }

    private let id: UniqueID
    private let marker: S3Marker
    private let state: Mutex<State>

    /// - Parameter mayMark: whether a missing marker is written; not once the database has blobs.
    init(id: UniqueID, mayMark: Bool, _ marker: S3Marker) {
        self.id = id
        self.marker = marker
        self.state = Mutex(State(mayMark: mayMark))
    }

    /// Makes an empty place this installation's, or verifies that it is. Asks nothing for a moment once it is known to be.
    ///
    /// - Throws: `StorageFault.foreign` if it is another's, has objects and no marker, or lost its marker; `S3Failure`.
    func claim() async throws {
        let verifiedAt = self.state.withLock { $0.verifiedAt }
        if let verifiedAt, ContinuousClock.now - verifiedAt < Self.lifetime { return }
        try await self.verify(retryLimit: .usual)
    }

    /// The same, asking in any case.
    func verify(retryLimit: S3Request.RetryLimit) async throws {
        let start = ContinuousClock.now
        // Read before the look: another caller may write the marker in between.
        let mayMark = self.state.withLock { $0.mayMark }
        do {
            var owner = try await self.marker.owner(retryLimit)
            if owner == .unmarked, mayMark {
                owner = try await self.mark(retryLimit)
            }
            if let fault = StorageFault.foreignStorage(self.marker.place, owner, expected: self.id) { throw fault }
        } catch {
            self.state.withLock { $0.verifiedAt = nil }
            throw error
        }
        self.state.withLock { state in
            state.mayMark = false
            state.verifiedAt = start
        }
    }

    /// Marks an empty place.
    ///
    /// - Returns: whose it is then: another process may have been first.
    private func mark(_ retryLimit: S3Request.RetryLimit) async throws -> StorageOwner {
        if try await !self.marker.isAlone(retryLimit) {
            let owner = try await self.marker.owner(retryLimit)
            guard owner == .unmarked else { return owner }
            throw StorageFault.foreign(
                "there are objects beside \(self.marker.place), which is missing: name an empty prefix, or run "
                    + "'artifortress storage adopt' if the objects are those of installation \(self.id)")
        }
        try await self.marker.write(self.id, replacing: false, retryLimit)
        return try await self.marker.owner(retryLimit)
    }
}

/// The marker of a place in a bucket.
package struct S3Marker: StorageMarker {
    private let client: S3Client
    private let prefix: String
    private let bucket: String

    /// - Throws: `other` for an endpoint that is none.
    package init(_ location: S3Location, client: HTTPClient, clock: WallClock = .system) throws(StorageFault) {
        self.init(location, try S3Client(location, client, clock))
    }

    init(_ location: S3Location, _ client: S3Client) {
        self.client = client
        self.prefix = location.prefix
        self.bucket = location.bucket
    }

    private var object: String { self.prefix + Installation.name }

    package var place: String { "s3://\(self.bucket)/\(self.object)" }

    package func owner() async throws -> StorageOwner { try await faulting { try await self.owner(.usual) } }

    package func write(_ installation: UniqueID) async throws {
        try await faulting { try await self.write(installation, replacing: true, .usual) }
    }

    func owner(_ retryLimit: S3Request.RetryLimit) async throws -> StorageOwner {
        do {
            let answer = try await self.client.send(S3Request(method: "GET", name: self.object, retryLimit: retryLimit))
            return StorageOwner(marker: String(decoding: answer.body.prefix(64), as: UTF8.self))
        } catch let failure as S3Failure where failure.code == "NoSuchKey" {
            return .unmarked
        }
    }

    /// Whether nothing but the marker is under the prefix.
    func isAlone(_ retryLimit: S3Request.RetryLimit) async throws -> Bool {
        let listing = try await self.client.send(
            S3Request(
                method: "GET", name: "", query: [("list-type", "2"), ("max-keys", "2"), ("prefix", self.prefix)],
                retryLimit: retryLimit))
        let objects = XMLElement(parsing: listing.body)?.all("Contents").map { $0["Key"]?.text }
        return objects?.allSatisfy { $0 == self.object } ?? false
    }

    /// - Parameter replacing: whether one that is there is replaced; else it stays.
    func write(_ installation: UniqueID, replacing: Bool, _ retryLimit: S3Request.RetryLimit) async throws {
        do {
            _ = try await self.client.send(
                S3Request(
                    method: "PUT", name: self.object, headers: replacing ? [] : [("if-none-match", "*")],
                    payload: .bytes(Array("\(installation)\n".utf8)), retryLimit: retryLimit))
        } catch let failure as S3Failure where failure.status == 412 {}  // another process was first
    }
}
