// The S3 store of the environment: `ARTIFORTRESS_TEST_S3_ENDPOINT`, `_BUCKET`, `_REGION`, `_ACCESS_KEY`, `_SECRET_KEY`.

package import Domain
import Foundation
package import HTTPClient
package import S3
import Storage

package enum S3Fixture {
    /// Nil where the environment names no store.
    package static let location: S3Location? = {
        let environment = ProcessInfo.processInfo.environment
        func value(_ name: String) -> String? { environment["ARTIFORTRESS_TEST_S3_\(name)"] }
        guard let endpoint = value("ENDPOINT"), let bucket = value("BUCKET"), let access = value("ACCESS_KEY"),
            let secret = value("SECRET_KEY")
        else { return nil }
        var location = S3Location(
            bucket: bucket, credentials: S3Credentials(accessKey: access, secretKey: secret))
        (location.endpoint, location.region) = (endpoint, value("REGION") ?? "us-east-1")
        return location
    }()

    package static let client = HTTPClient()

    /// The store under a prefix of its own, or that of `location`.
    package static func storage(
        _ location: S3Location, installation: UniqueID = .random(), client: HTTPClient = client
    ) throws -> S3Storage {
        try S3Storage(
            location, installation: installation, spoolDirectory: NSTemporaryDirectory(), client: client)
    }

    /// Calls `body` with an empty storage, and deletes what is left.
    package static func with(
        _ location: S3Location, _ body: @Sendable (S3Storage, S3Location) async throws -> Void
    ) async throws {
        var location = location
        location.prefix = "test-\(UniqueID.random().hex)/"
        let storage = try self.storage(location)
        do {
            try await body(storage, location)
        } catch {
            try? await self.empty(location)
            throw error
        }
        try await self.empty(location)
    }

    private static func empty(_ location: S3Location) async throws {
        guard var direct = self.location else { return }
        direct.prefix = location.prefix
        let storage = try self.storage(direct)
        for key in try await storage.keys() { try await storage.delete(key) }
        var parent = direct
        parent.prefix = ""
        let outer = try self.storage(parent)
        for key in [StorageKey(location.prefix + "installation")] { if let key { try await outer.delete(key) } }
    }
}
