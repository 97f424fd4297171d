// From what a request presents to who makes it. Rules: HTTP contract, 2.3 and section 9, row 18.

package import Domain
package import Persistence
package import Registry
package import Threads

package struct Authenticator: Sendable {
    private let database: any Database
    private let clock: WallClock

    private let uses: TokenUses?
    private var identification: Identification?

    package init(database: any Database, clock: WallClock, uses: TokenUses? = nil) {
        (self.database, self.clock, self.uses) = (database, clock, uses)
    }

    /// The same, for one request: what comes out is also noted in `identification`.
    package func noting(in identification: Identification) -> Authenticator {
        var copy = self
        copy.identification = identification
        return copy
    }

    /// Compares a secret other than a token, which could be guessed.
    ///
    /// - Parameter compare: throws `forbidden` or `unauthorized` if the guess is wrong.
    /// - Throws: `Throttle.Excess` if the client's address has guessed too often; what `compare` throws.
    package func examine<Value>(_ guess: Credential, _ compare: () async throws -> Value) async throws -> Value {
        guard let identification else { return try await compare() }
        return try await identification.examine(guess, compare)
    }

    /// Who presents the credential: one indexed read.
    ///
    /// - Throws: `unauthorized`, without the reason.
    package func caller(for credential: Credential, correlation: UniqueID) async throws -> Caller {
        guard case .token(let hash) = credential else { throw Refusal.unauthenticated }
        let now = self.clock.now()
        guard let owner = try await self.database.lookup({ try TokenStore.owner(of: hash, at: now, $0) }) else {
            self.identification?.failed(credential)
            throw Refusal.unauthenticated
        }
        let caller = Caller(
            tenant: owner.tenant, subject: owner.subject, scopes: owner.scopes, tenantRoles: owner.tenantRoles,
            source: .pat, token: owner.id, correlation: correlation)
        self.identification?.found(caller)
        self.uses?.note(owner.id)
        return caller
    }
}
