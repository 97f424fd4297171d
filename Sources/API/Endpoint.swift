// A route's handler, with what it asks of its caller written beside it: the table of routes by caller is made of this.

package import Domain
package import HTTP
package import Identity

/// Whom a route lets in. Source: the caller column of HTTP contract, 3.0.
package enum Access: Hashable, Sendable {
    case anyone
    case anyToken
    case repository(Role)
    /// A scope for literally every repository.
    case everyRepository(Role)
    case tenant(TenantRole)
    /// The route decides by rules of its own, which this says.
    case own(String)
}

extension Access: CustomStringConvertible {
    /// In the words of the API's description.
    package var description: String {
        switch self {
        case .anyone: "anyone"
        case .anyToken: "token"
        case .repository(let role): role.rawValue
        case .everyRepository(let role): "the scope repo:*:\(role.rawValue)"
        case .tenant(.admin): "a tenant administrator"
        case .tenant(.auditor): "a tenant auditor"
        case .tenant(.operator): "a tenant operator"
        case .own(let rule): rule
        }
    }
}

/// What answers a request that has found its route.
package struct Endpoint: Sendable {
    package let access: Access
    /// Checks that come before the caller is looked at, beside those of the path.
    let check: @Sendable (Call) throws -> Void
    let handle: @Sendable (Call, Authenticator) async throws -> Response
    /// The form of an error answer for this route's clients.
    let problem: @Sendable (Problem, Call) -> Response

    init(
        _ access: Access, check: @escaping @Sendable (Call) throws -> Void = { _ in },
        problem: @escaping @Sendable (Problem, Call) -> Response = { problem, _ in problem.response },
        handle: @escaping @Sendable (Call, Authenticator) async throws -> Response
    ) {
        self.access = access
        self.check = check
        self.problem = problem
        self.handle = handle
    }
}

package typealias Route = Router<Endpoint>.Route

extension Router<Endpoint>.Route {
    /// For anyone.
    package static func open(
        _ method: String, _ pattern: String, _ handle: @escaping @Sendable (Call) async throws -> Response
    ) -> Route {
        Route(method, pattern, Endpoint(.anyone) { call, _ in try await handle(call) })
    }

    /// For any caller with a valid token.
    package static func caller(
        _ method: String, _ pattern: String, _ handle: @escaping @Sendable (Call, Caller) async throws -> Response
    ) -> Route {
        .authorized(method, pattern, .anyToken, { caller, _ in caller }, handle)
    }

    /// For callers with `role` on the repository in the path.
    package static func repository(
        _ method: String, _ pattern: String, _ role: Role, check: @escaping @Sendable (Call) throws -> Void = { _ in },
        _ handle: @escaping @Sendable (Call, Grant) async throws -> Response
    ) -> Route {
        .authorized(
            method, pattern, .repository(role), check: check,
            { caller, call in try caller.grant(role, on: call.repoKey) },
            handle)
    }

    /// For a caller with `role` on the repository in the path, to change what it holds. Through a virtual repository that
    /// is its `deployTo`, and the grant is on that.
    package static func content(
        _ method: String, _ pattern: String, _ role: Role,
        _ handle: @escaping @Sendable (Call, Grant) async throws -> Response
    ) -> Route {
        Route(
            method, pattern,
            Endpoint(.repository(role)) { call, authenticator in
                let grant = try await authenticator.contentGrant(
                    role, on: call.repoKey, for: call.credential, correlation: call.correlation)
                return try await call.once(for: grant.caller) { try await handle($0, grant) }
            })
    }

    /// For callers with a scope `repo:*:ROLE`.
    package static func everyRepository(
        _ method: String, _ pattern: String, _ role: Role,
        _ handle: @escaping @Sendable (Call, TenantGrant) async throws -> Response
    ) -> Route {
        .authorized(method, pattern, .everyRepository(role), { caller, _ in try caller.tenantGrant(role) }, handle)
    }

    /// For callers with the tenant role.
    package static func tenant(
        _ method: String, _ pattern: String, _ role: TenantRole,
        _ handle: @escaping @Sendable (Call, TenantGrant) async throws -> Response
    ) -> Route {
        .authorized(method, pattern, .tenant(role), { caller, _ in try caller.tenantGrant(role) }, handle)
    }

    /// Authenticates, authorizes, and then answers, once if the caller asks for that.
    private static func authorized<Leave: Sendable>(
        _ method: String, _ pattern: String, _ access: Access,
        check: @escaping @Sendable (Call) throws -> Void = { _ in },
        _ leave: @escaping @Sendable (Caller, Call) throws -> Leave,
        _ handle: @escaping @Sendable (Call, Leave) async throws -> Response
    ) -> Route {
        Route(
            method, pattern,
            Endpoint(access, check: check) { call, authenticator in
                let caller = try await authenticator.caller(for: call.credential, correlation: call.correlation)
                let leave = try leave(caller, call)
                return try await call.once(for: caller) { try await handle($0, leave) }
            })
    }

    /// By rules of its own. One of `/v1` that takes POST calls ``Call/once(for:_:)`` when its caller is authorized.
    package static func own(
        _ method: String, _ pattern: String, _ rule: String,
        check: @escaping @Sendable (Call) throws -> Void = { _ in },
        problem: @escaping @Sendable (Problem, Call) -> Response = { problem, _ in problem.response },
        _ handle: @escaping @Sendable (Call, Authenticator) async throws -> Response
    ) -> Route {
        Route(method, pattern, Endpoint(.own(rule), check: check, problem: problem, handle: handle))
    }
}
