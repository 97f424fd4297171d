// Whether the key is the one with which this installation's secrets were encrypted.

import Cryptography
import Domain
import Glibc
import Persistence
import Settings

extension SecretsKey {
    /// A value that every key encrypts when it is first used, to be recognized by.
    private static let checkName = "secrets-key-check"
    /// The key of URLs of parts: installations that are older than the value above have it.
    private static let partKeyName = "part-url-key"

    /// What is known of the key.
    enum State: Sendable {
        case right
        /// Nothing was encrypted yet.
        case unused
        /// Its file does not exist.
        case missing(path: String)
        case wrong
    }

    /// Looks at the key, and changes nothing.
    ///
    /// - Throws: `Deployment.Failure` for a file that holds no key or cannot be read; database faults.
    static func state(_ configuration: Configuration, in database: any Database) async throws -> State {
        let sealed = try await self.sealed(in: database)
        guard let key = try self.known(configuration) else {
            return sealed == nil ? .unused : .missing(path: self.path(configuration))
        }
        guard let sealed else { return .unused }
        return (try? SealedBox.open(sealed, key: key)) == nil ? .wrong : .right
    }

    /// The key; the first start makes it.
    ///
    /// - Throws: `Deployment.Failure` if the installation's secrets were encrypted with another key, or its file is missing.
    static func settle(_ configuration: Configuration, in database: any Database) async throws -> [UInt8] {
        switch try await self.state(configuration, in: database) {
        case .right: return try self.load(configuration)
        case .missing(let path): throw Deployment.Failure(description: self.missing(path))
        case .wrong: throw Deployment.Failure(description: self.wrong)
        case .unused: break
        }
        let key = try self.load(configuration)
        let check = Hexadecimal.text(of: SealedBox.seal(SecureRandom.bytes(16), key: key))
        // Read-only databases and full disks start too; the next start writes it.
        _ = try? await database.transaction { try InstallationStore.settle(self.checkName, check, $0) }
        return key
    }

    static let wrong =
        "the database's secrets were encrypted under another secrets.key: every process on one database needs the same"

    static func missing(_ path: String) -> String {
        "\(path) is missing, but the database has secrets that were encrypted with it: restore the file from a backup, or set "
            + "secrets.key to its 64 hexadecimal digits"
    }

    /// Something that the installation's key encrypted; nil if there is nothing.
    private static func sealed(in database: any Database) async throws -> [UInt8]? {
        try await database.read { transaction in
            for name in [self.checkName, self.partKeyName] {
                if let text = try InstallationStore.value(name, transaction) {
                    return Hexadecimal.bytes(of: text) ?? []
                }
            }
            return nil
        }
    }
}
