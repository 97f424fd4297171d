// From a request to its answer: correlation, route, checks in the contract's order, error map. Rules: HTTP contract,
// 1.1, 1.6 and 1.8; section 9, rows 21, 32 and 40.

package import Domain
package import HTTP
package import Identity
package import Persistence
package import Threads

/// What logs and metrics get of each answered request.
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
    private let largeBodies = LargeBodies()
    private let observe: @Sendable (Outcome) -> Void

    /// - Parameter defaultTenant: the tenant whose audit log records rejections of unauthenticated requests.
    package init(
        routes: [Route], authenticator: Authenticator, database: any Database, clock: WallClock,
        defaultTenant: TenantID, throttle: Throttle, forwarding: Forwarding,
        observe: @escaping @Sendable (Outcome) -> Void
    ) {
        self.router = Router(routes)
        self.authenticator = authenticator
        self.throttle = throttle
        self.forwarding = forwarding
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
            let refusal = Refusal.badRequest("The path is malformed: it must be percent-encoded UTF-8 without NUL.")
            return (self.refuse(refusal, request, correlation, origin), nil, nil)
        }
        switch self.router.match(request.method, path) {
        case .notFound:
            let refusal = Refusal(.notFound, "No route has this path. GET /openapi.json describes all routes.")
            return (self.refuse(refusal, request, correlation, origin), nil, nil)
        case .methodNotAllowed(let allowed):
            let methods = allowed.joined(separator: ", ")
            let refusal = Refusal(
                .methodNotAllowed, "The method \(request.method) is not allowed here. Allowed: \(methods).")
            var response = self.refuse(refusal, request, correlation, origin)
            response.headers.set("Allow", methods)
            return (response, nil, nil)
        case .found(let route, let values):
            let admission = BodyAdmission(self.largeBodies)
            defer { admission.end() }
            let call = Call(
                request: request, values: values, correlation: correlation, origin: origin,
                idempotency: self.idempotency, admission: admission)
            let (response, fault) = await self.answer(call, by: route)
            return (response, route.pattern.description, fault)
        }
    }

    /// Answers a request that no route takes, in the form of the routes beside it: a format's client reads its own form.
    private func refuse(
        _ refusal: Refusal, _ request: Request, _ correlation: UniqueID, _ origin: Origin
    ) -> Response {
        let call = Call(
            request: request, values: PathValues(), correlation: correlation, origin: origin,
            idempotency: self.idempotency,
            admission: BodyAdmission(self.largeBodies))
        let problem = Problem(describing: refusal)
        let first = request.target.path.utf8.dropFirst().prefix { $0 != UInt8(ascii: "/") }
        return self.router.routes(beginningWith: String(Substring(first))).first?.handler.problem(problem, call)
            ?? problem.response
    }

    private func answer(_ call: Call, by route: Route) async -> (Response, fault: (any Error)?) {
        do {
            try call.checkValues()
            try call.request.target.checkQuery()
            try call.request.headers.checkCredentials()
            try route.handler.check(call)
            try BrowserSafety.check(call.request)
            try call.request.checkLength()
            return (try await self.authenticated(call, by: route), nil)
        } catch {
            let problem = Problem(describing: error)
            var response = route.handler.problem(problem, call)
            if let seconds = problem.retryAfter { response.headers.set("Retry-After", String(seconds)) }
            return (response, problem.isFault ? error : nil)
        }
    }

    /// Answers, and counts the credentials that turn out to be invalid.
    private func authenticated(_ call: Call, by route: Route) async throws -> Response {
        let isLocal = call.request.remoteAddress == "local"
        let identification = Identification(
            throttle: isLocal ? nil : self.throttle, address: call.request.remoteAddress)
        let result: Result<Response, any Error>
        do {
            result = .success(
                try await route.handler.handle(call, self.authenticator.noting(in: identification)))
        } catch {
            result = .failure(error)
        }
        let (status, refusal, thrown) = Self.outcome(of: result)
        if status == 401, identification.caller == nil { identification.failed(call.credential) }
        let counted = identification.countFailure()
        if let excess = thrown ?? counted {
            if excess.isFirst { try await self.denials.throttled(excess.name, call) }
            if thrown != nil || status == 401 || status == 403 {
                throw Refusal(
                    .tooManyRequests, "Too many credentials have failed. Try again later.",
                    ["retryAfterSeconds": JSON(excess.retryAfter)])
            }
        }
        if let refusal, refusal.reason == .forbidden, call.request.isMutation {
            try await self.denials.denied(refusal, to: call, on: route.pattern, by: identification.caller)
        }
        return try result.get()
    }

    private static func outcome(
        of result: Result<Response, any Error>
    ) -> (status: Int, refusal: Refusal?, excess: Throttle.Excess?) {
        switch result {
        case .success(let response): (response.status, nil, nil)
        case .failure(let excess as Throttle.Excess): (429, nil, excess)
        case .failure(let error): (Problem(describing: error).status, error as? Refusal, nil)
        }
    }
}

extension Request {
    /// An absent length is not a length of zero: a client that means to send a file would store an empty one.
    ///
    /// - Throws: `length_required` for a PUT with neither `Content-Length` nor chunks.
    fileprivate func checkLength() throws(Refusal) {
        guard self.method == "PUT", self.body.length == 0, self.headers["content-length"] == nil,
            self.headers["transfer-encoding"] == nil
        else { return }
        throw Refusal(
            .lengthRequired,
            "PUT needs Content-Length or Transfer-Encoding: chunked. Send Content-Length: 0 for an empty body.")
    }
}

/// Keeps pages of other origins from using a person's stored password. Source: HTTP contract, section 9, row 32.
enum BrowserSafety {
    /// - Throws: `forbidden` for an unsafe method with Basic or cookie credentials from a foreign origin.
    static func check(_ request: Request) throws(Refusal) {
        guard request.isMutation else { return }
        guard request.headers["cookie"] != nil || request.headers.basicCredentials != nil else { return }
        let origin = request.headers["origin"]
        let isForeign =
            origin.map {
                $0 != "null" && Self.host(of: $0).map { Name($0) } != request.headers["host"].map { Name($0) }
            } ?? false
        guard !isForeign, origin != "null", request.headers["sec-fetch-site"]?.lowercased() != "cross-site" else {
            throw Refusal(.forbidden, "A page of another origin may not do this with a stored password or cookie.")
        }
    }

    private static func host(of origin: String) -> String? {
        guard let slash = origin.first("/"), origin[..<slash].endsWithBytes(of: ":") else { return nil }
        let rest = origin[slash...]
        return rest.startsWithBytes(of: "//") ? String(Substring(rest.utf8.dropFirst(2))) : nil
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
