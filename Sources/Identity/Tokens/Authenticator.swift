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
        self.database = database
        self.clock = clock
        self.uses = uses
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

    /// The caller that presents the credential: one indexed read.
    ///
    /// - Throws: `unauthorized`, without the reason.
    package func caller(for credential: Credential, correlation: UniqueID) async throws -> Caller {
        guard case .token(let hash) = credential else { throw Refusal.unauthenticated }
        let now = self.clock.now()
        let token = try await self.database.lookup { try AccessStore.token(hash: hash, at: now, $0) }
        return try self.caller(token, credential, correlation)
    }

    /// Authorization to change what a repository holds, for the caller that presents the credential: one read. The one
    /// place where a write through a virtual repository goes to its `deployTo`: the grant is then on that member, so the
    /// caller needs the role there.
    ///
    /// - Throws: `unauthorized`; `forbidden`; `conflict` if a virtual repository has no `deployTo`, or it is no longer a
    ///   member.
    package func contentGrant(
        _ role: Role, on key: RepoKey, for credential: Credential, correlation: UniqueID
    ) async throws -> Grant {
        guard case .token(let hash) = credential else { throw Refusal.unauthenticated }
        let now = self.clock.now()
        let (access, members) = try await self.database.lookup {
            // The tenant is the token's: without a valid one, nothing that is found counts.
            try AccessStore.find(hash, key, TenantID(.zero), at: now, $0)
        }
        let caller = try self.caller(access.token, credential, correlation)
        guard case .virtual? = access.repository?.kind else { return try caller.grant(role, on: key) }
        guard let target = access.repository?.settings.deployTo else {
            _ = try caller.grant(role, on: key)
            throw Refusal.conflict(
                "Repository '\(key)' is virtual and has no setting deployTo: nothing can be published through it.")
        }
        // The target's name is for callers that may see where they publish.
        guard caller.holds(role, on: target) || caller.holds(.read, on: key) else {
            throw Refusal(
                .forbidden, "The role '\(role.rawValue)' on the repository that '\(key)' publishes to is needed.")
        }
        let grant = try caller.grant(role, on: target)
        guard members.contains(where: { $0.key == target }) else {
            throw Refusal.conflict(
                "Repository '\(key)' publishes to '\(target)' (its setting deployTo), which is no longer a member of it."
            )
        }
        return grant
    }

    /// - Throws: `unauthorized` without a token.
    private func caller(
        _ token: PresentedToken?, _ credential: Credential, _ correlation: UniqueID
    ) throws(Refusal) -> Caller {
        guard let token else {
            self.identification?.failed(credential)
            throw .unauthenticated
        }
        let caller = token.caller(correlation: correlation)
        self.identification?.found(caller)
        self.uses?.note(token.id)
        return caller
    }
}
