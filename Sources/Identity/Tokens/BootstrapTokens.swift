// Replacing the bootstrap token, and switching it off. Rules: HTTP contract, section 9, row 34.

package import Domain
import Persistence
package import Registry
package import Threads

package struct BootstrapTokens: Sendable {
    private let token: BootstrapToken
    private let clock: WallClock
    private let defaultTenant: TenantID

    package init(token: BootstrapToken, clock: WallClock, defaultTenant: TenantID) {
        self.token = token
        self.clock = clock
        self.defaultTenant = defaultTenant
    }

    /// - Returns: the new one, shown once.
    /// - Throws: `conflict` where the settings have it.
    package func rotate(correlation: UniqueID, commit: Commit<String>) async throws -> String {
        try self.check()
        return try await commit { [self, now = self.clock.now()] transaction in
            let text = try self.token.rotate(transaction)
            try self.audit("auth.bootstrap.rotated", correlation, at: now, transaction)
            return text
        }
    }

    /// - Throws: `conflict` where the settings have it.
    package func disable(correlation: UniqueID, commit: Commit<Void>) async throws {
        try self.check()
        try await commit { [self, now = self.clock.now()] transaction in
            transaction.allowReserve()
            try self.token.disable(transaction)
            try self.audit("auth.bootstrap.disabled", correlation, at: now, transaction)
        }
    }

    private func check() throws(Refusal) {
        guard !self.token.isConfigured else {
            throw .conflict("The setting auth.bootstrapToken holds the bootstrap token: change it there.")
        }
    }

    private func audit(
        _ action: String, _ correlation: UniqueID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try AuditLog.append(
            AuditEntry(action, on: "bootstrap", "bootstrap"),
            by: .local(in: self.defaultTenant, correlation: correlation), at: now, transaction)
    }
}
