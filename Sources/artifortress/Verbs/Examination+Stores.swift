// What the doctor says of the storage's owner and of the key that encrypts secrets. Nothing is changed.

import Domain
import Persistence
import Storage

extension Examination {
    /// - Throws: as ``StorageOwnership/isSettled(_:of:_:)``.
    func unsettledStorage(of installation: UniqueID, _ database: any Database) async throws -> Finding? {
        do {
            if try await StorageOwnership.isSettled(self.configuration, of: installation, database) { return nil }
            return Finding("storage", .doubtful, "not used yet", remedy: "the first start marks it as its own")
        } catch StorageFault.foreign(let text) {
            return Finding("storage", .wrong, text)
        }
    }

    func secretsKey(_ database: any Database) async throws -> Finding {
        let subject = "secrets.key"
        do {
            return switch try await SecretsKey.state(self.configuration, in: database) {
            case .right: Finding(subject, .well, "encrypts this installation's secrets")
            case .unused: Finding(subject, .well, "not used yet")
            case .missing(let path): Finding(subject, .wrong, SecretsKey.missing(path))
            case .wrong:
                Finding(subject, .wrong, SecretsKey.wrong, remedy: "restore the key with which they were encrypted")
            }
        } catch let failure as Deployment.Failure {
            return Finding(subject, .wrong, failure.description)
        }
    }
}
