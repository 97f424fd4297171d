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
    /// From the request's head to the answer's.
    package let duration: Duration
    /// What went wrong here, where something did: for the log only.
    package let fault: (any Error)?
}

package struct Application: Sendable {
    package let router: Router<Endpoint>
    private let authenticator: Authenticator
    private let idempotency: Idempotency
    private let denials: DenialLog
    private let throttle: Throttle
    private let forwarding: Forwarding
    private let correlations = CorrelationIDs()
    private let observe: @Sendable (Outcome) -> Void

    /// - Parameter defaultTenant: whose audit log has the refusals of nobody in particular.
    package init(
        routes: [Route], authenticator: Authenticator, database: any Database, clock: WallClock,
        defaultTenant: TenantID, throttle: Throttle, forwarding: Forwarding,
        observe: @escaping @Sendable (Outcome) -> Void
    ) {
        self.router = Router(routes)
        (self.authenticator, self.throttle, self.forwarding) = (authenticator, throttle, forwarding)
        self.observe = observe
        self.idempotency = Idempotency(database: database, clock: clock)
        self.denials = DenialLog(database: database, clock: clock, defaultTenant: defaultTenant)
    }

    /// Never throws: whatever happens becomes an answer.
    package func respond(to received: Request) async -> Response {
        let start = ContinuousClock.now
        var request = self.forwarding.original(received)
        let correlation =
            request.headers["x-correlation-id"].flatMap { UniqueID($0.trimmed) } ?? self.correlations.next()
        request.correlation = correlation
        var (response, route, fault) = await self.answer(request, correlation, self.forwarding.origin(of: received))
        response.headers.set("X-Correlation-Id", correlation.description)
        self.observe(
            Outcome(
                request: request, route: route, status: response.status, correlation: correlation,
                duration: .now - start, fault: fault))
        return response
    }

    private func answer(
        _ request: Request, _ correlation: UniqueID, _ origin: Origin
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
                request: request, values: values, correlation: correlation, origin: origin,
                idempotency: self.idempotency)
            let (response, fault) = await self.answer(call, by: route)
            return (response, route.pattern.description, fault)
        }
    }

    private func answer(_ call: Call, by route: Route) async -> (Response, fault: (any Error)?) {
        do {
            try call.checkValues()
            try route.handler.check(call)
            try BrowserSafety.check(call.request)
            guard let attempt = Throttle.Attempt(call, self.throttle) else {
                return (try await self.handle(call, by: route, Identification()), nil)
            }
            if case .refused(let name, let seconds, let isFirst) = self.throttle.admit(attempt) {
                if isFirst { try await self.denials.throttled(name, call) }
                throw Refusal(
                    .tooManyRequests, "Too many credentials have failed. Try again later.",
                    ["retryAfterSeconds": JSON(seconds)])
            }
            let identification = Identification()
            do {
                let response = try await self.handle(call, by: route, identification)
                self.throttle.end(
                    attempt, isFailure: Self.isFailure(response.status, call, by: route, identification))
                return (response, nil)
            } catch {
                let status = Problem(describing: error).status
                self.throttle.end(attempt, isFailure: Self.isFailure(status, call, by: route, identification))
                throw error
            }
        } catch {
            let problem = Problem(describing: error)
            var response = route.handler.problem(problem, call)
            if let seconds = problem.retryAfter { response.headers.set("Retry-After", String(seconds)) }
            return (response, problem.isFault ? error : nil)
        }
    }

    private func handle(
        _ call: Call, by route: Route, _ identification: Identification
    ) async throws -> Response {
        do {
            return try await route.handler.handle(call, self.authenticator.noting(in: identification))
        } catch let refusal as Refusal where refusal.reason == .forbidden && call.request.isMutation {
            try await self.denials.denied(refusal, to: call, on: route.pattern, by: identification.caller)
            throw refusal
        }
    }

    /// Whether an answer says that what was presented is no good; nil where it doesn't say.
    private static func isFailure(
        _ status: Int, _ call: Call, by route: Route, _ identification: Identification
    ) -> Bool? {
        if identification.caller != nil { return false }
        if status == 401 || status == 403 && call.request.isMutation { return true }
        if case .own = route.handler.access, status < 400 { return false }
        return nil
    }
}

/// Keeps pages of other origins from using a person's stored password. Source: HTTP contract, section 9, row 32.
enum BrowserSafety {
    /// - Throws: `forbidden` for an unsafe method with Basic or cookie credentials from a foreign origin.
    static func check(_ request: Request) throws(Refusal) {
        guard request.isMutation else { return }
        guard request.headers["cookie"] != nil || request.headers.basicCredentials != nil else { return }
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
    var isMutation: Bool {
        switch self.method {
        case "GET", "HEAD", "OPTIONS": false
        default: true
        }
    }
}
