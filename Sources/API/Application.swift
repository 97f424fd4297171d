// From a request to its answer: correlation, route, checks in the contract's order, error map. Rules: HTTP contract,
// 1.1, 1.6 and 1.8; section 9, rows 21, 32 and 40.

package import Domain
package import HTTP
package import Identity
package import Persistence
package import Threads

/// What is told of each request that was answered, to logs and metrics.
package struct Outcome: Sendable {
    package let request: Request
    /// The route's pattern; nil where none was found.
    package let route: String?
    package let status: Int
    package let correlation: UniqueID
    /// What went wrong here, where something did: for the log only.
    package let fault: (any Error)?
}

package struct Application: Sendable {
    package let router: Router<Endpoint>
    private let authenticator: Authenticator
    private let idempotency: Idempotency
    private let denials: DenialLog
    private let baseURL: @Sendable (Request) -> String
    private let observe: @Sendable (Outcome) -> Void

    /// - Parameter defaultTenant: whose audit log has the refusals of nobody in particular.
    package init(
        routes: [Route], authenticator: Authenticator, database: any Database, clock: WallClock,
        defaultTenant: TenantID, baseURL: @escaping @Sendable (Request) -> String,
        observe: @escaping @Sendable (Outcome) -> Void
    ) {
        self.router = Router(routes)
        (self.authenticator, self.baseURL, self.observe) = (authenticator, baseURL, observe)
        self.idempotency = Idempotency(database: database, clock: clock)
        self.denials = DenialLog(database: database, clock: clock, defaultTenant: defaultTenant)
    }

    /// Never throws: whatever happens becomes an answer.
    package func respond(to request: Request) async -> Response {
        let correlation = request.headers["x-correlation-id"].flatMap { UniqueID($0.trimmed) } ?? UniqueID.random()
        var (response, route, fault) = await self.answer(request, correlation)
        response.headers.set("X-Correlation-Id", correlation.description)
        self.observe(
            Outcome(
                request: request, route: route, status: response.status, correlation: correlation, fault: fault))
        return response
    }

    private func answer(
        _ request: Request, _ correlation: UniqueID
    ) async -> (Response, route: String?, fault: (any Error)?) {
        guard let path = request.target.segments else {
            let problem = Problem(400, Reason.badRequest.rawValue, "The path has a malformed escape.")
            return (problem.response, nil, nil)
        }
        switch self.router.match(request.method, path) {
        case .notFound: return (Response(404), nil, nil)
        case .methodNotAllowed(let allowed):
            return (Response(405, headers: ["Allow": allowed.joined(separator: ", ")]), nil, nil)
        case .found(let route, let values):
            let call = Call(
                request: request, values: values, correlation: correlation, baseURL: self.baseURL(request),
                idempotency: self.idempotency)
            let (response, fault) = await self.answer(call, by: route)
            return (response, route.pattern.description, fault)
        }
    }

    private func answer(_ call: Call, by route: Route) async -> (Response, fault: (any Error)?) {
        let identification = Identification()
        do {
            do {
                try call.checkValues()
                try route.handler.check(call)
                try BrowserSafety.check(call.request)
                let response = try await route.handler.handle(call, self.authenticator.noting(in: identification))
                return (response, nil)
            } catch let refusal as Refusal where refusal.reason == .forbidden && call.request.isMutation {
                try await self.denials.record(refusal, to: call, on: route.pattern, by: identification.caller)
                throw refusal
            }
        } catch {
            let problem = Problem(describing: error)
            return (route.handler.problem(problem, call), problem.isFault ? error : nil)
        }
    }
}

/// Keeps pages of other origins from using a person's stored password. Source: HTTP contract, section 9, row 32.
enum BrowserSafety {
    /// - Throws: `forbidden` for an unsafe method with Basic or cookie credentials from a foreign origin.
    static func check(_ request: Request) throws(Refusal) {
        guard request.isMutation else { return }
        let isAmbient =
            request.headers["cookie"] != nil
            || request.headers["authorization"]?.trimmed.lowercased().hasPrefix("basic ") == true
        guard isAmbient else { return }
        let origin = request.headers["origin"]
        let isForeign = origin.map { $0 != "null" && Self.host(of: $0) != request.headers["host"] } ?? false
        guard !isForeign, origin != "null", request.headers["sec-fetch-site"]?.lowercased() != "cross-site" else {
            throw Refusal(.forbidden, "A page of another origin may not do this with a stored password or cookie.")
        }
    }

    private static func host(of origin: String) -> String? {
        origin.firstRange(of: "://").map { String(origin[$0.upperBound...]) }
    }
}

extension Request {
    /// Whether it asks for more than to be told something.
    var isMutation: Bool { !["GET", "HEAD", "OPTIONS"].contains(self.method) }
}
