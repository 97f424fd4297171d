// Whose objects they are: two installations that share a place would delete each other's.

import Domain
import Storage
import Synchronization

/// The marker object. It holds the installation's id and is written once.
final class Installation: Sendable {
    static let name = "installation"

    private let id: UniqueID
    private let prefix: String
    private let client: S3Client
    private let isVerified = Atomic(false)

    init(id: UniqueID, prefix: String, _ client: S3Client) {
        (self.id, self.prefix, self.client) = (id, prefix, client)
    }

    private var object: String { self.prefix + Self.name }

    /// Marks an empty place as ours; asks nothing once it is known to be.
    ///
    /// - Throws: `StorageFault.other` where it is another's, or has objects and no marker; `S3Failure`.
    func claim(patience: S3Request.Patience = .usual) async throws {
        if self.isVerified.load(ordering: .acquiring) { return }
        if try await !self.verify(patience) {
            let listing = try await self.client.send(
                S3Request(
                    method: "GET", name: "", query: [("list-type", "2"), ("max-keys", "2"), ("prefix", self.prefix)],
                    patience: patience))
            let objects = XMLElement(parsing: listing.body)?.all("Contents").map { $0["Key"]?.text }
            let isEmpty = objects?.allSatisfy { $0 == self.object } ?? false
            if !isEmpty, try await !self.verify(patience) {  // asked again: another process may have been first
                throw StorageFault.other(
                    "there are objects under \"\(self.prefix)\", but no \(self.object): restore it (one line, "
                        + "\(self.id)), or name an empty prefix")
            }
            do {
                _ = try await self.client.send(
                    S3Request(
                        method: "PUT", name: self.object, headers: [("if-none-match", "*")],
                        payload: .bytes(Array("\(self.id)\n".utf8)), patience: patience))
            } catch let failure as S3Failure where failure.status == 412 {}  // another process was first
            guard try await self.verify(patience) else { throw StorageFault.missing("\(self.object) has vanished") }
        }
        self.isVerified.store(true, ordering: .releasing)
    }

    /// - Returns: false where there is no marker.
    /// - Throws: `StorageFault.other` where it is another's.
    private func verify(_ patience: S3Request.Patience) async throws -> Bool {
        let answer: S3Answer
        do {
            answer = try await self.client.send(S3Request(method: "GET", name: self.object, patience: patience))
        } catch let failure as S3Failure where failure.code == "NoSuchKey" {
            return false
        }
        let text = String(decoding: answer.body.prefix(64), as: UTF8.self).trimmed
        guard UniqueID(text) == self.id else {
            throw StorageFault.other(
                "\(self.object) says that the place belongs to installation \(text), not to \(self.id): "
                    + "name another prefix")
        }
        return true
    }
}
