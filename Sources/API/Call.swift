// One request on its way through the API: what was read of it, and the answer's ingredients.

package import Domain
package import HTTP
package import Registry

/// A request that has found its route.
package struct Call: Sendable {
    package let request: Request
    /// The values of the route's places, decoded.
    package let values: PathValues
    /// The caller's `X-Correlation-Id` where it is a UUID, else a fresh one.
    package let correlation: UniqueID
    package let credential: Credential
    let idempotency: Idempotency
    /// Set where the caller is authorized and wants the request to be done once.
    let claim: IdempotencyClaim?

    let origin: Origin
    private let admission: BodyAdmission

    init(
        request: Request, values: PathValues, correlation: UniqueID, origin: Origin, idempotency: Idempotency,
        admission: BodyAdmission
    ) {
        self.admission = admission
        self.request = request
        self.values = values
        self.correlation = correlation
        self.origin = origin
        self.idempotency = idempotency
        self.claim = nil
        self.credential = Credential(of: request.headers)
    }

    private init(_ call: Call, _ claim: IdempotencyClaim?, body: [UInt8]) {
        var request = Request(
            method: call.request.method, target: call.request.target, headers: call.request.headers,
            remoteAddress: call.request.remoteAddress, isSecure: call.request.isSecure, body: RequestBody(body))
        request.clientSubject = call.request.clientSubject
        request.correlation = call.request.correlation
        self.request = request
        self.values = call.values
        self.correlation = call.correlation
        self.origin = call.origin
        self.admission = call.admission
        self.idempotency = call.idempotency
        self.claim = claim
        self.credential = call.credential
    }

    /// The same call with a key to be taken by its mutation, and its body, which was read for the key.
    func holding(_ claim: IdempotencyClaim, body: [UInt8]) -> Call { Call(self, claim, body: body) }

    /// The same call with its body in memory, for a route whose caller is authorized by what the body says.
    ///
    /// - Throws: `payload_too_large` over ``Fields/bodyLimit``.
    func buffered() async throws -> (first: Call, again: Call) {
        let body = try await self.request.body.collect(upTo: Fields.bodyLimit)
        return (Call(self, self.claim, body: body), Call(self, self.claim, body: body))
    }

    /// The whole body, to be read as JSON. A large one has to wait for its turn.
    ///
    /// - Throws: `payload_too_large` over `limit` bytes; `service_unavailable`.
    func document(upTo limit: Int) async throws -> [UInt8] {
        let bytes = try await self.request.body.collect(upTo: limit)
        try await self.admission.admit(bytes)
        return bytes
    }

    /// Answers it, once where the caller asks for that. Every route of `/v1` that takes POST comes through here when its
    /// caller is authorized.
    package func once(
        for caller: Caller, _ handle: (Call) async throws -> Response
    ) async throws -> Response {
        try await self.idempotency.respond(to: self, of: caller, handle)
    }

    /// - Throws: `bad_request`.
    package var repoKey: RepoKey {
        get throws(Refusal) { try RepoKey(parsing: self.values["repoKey"] ?? "") }
    }

    /// - Throws: `bad_request`.
    package var subject: Subject {
        get throws(Refusal) { try Subject(parsing: self.values["subject"] ?? "") }
    }

    /// A UUID in the path, with or without hyphens, in any case.
    ///
    /// - Throws: `bad_request`.
    package func id<Thing>(_ name: String, of thing: Thing.Type = Thing.self) throws(Refusal) -> Identifier<Thing> {
        guard let id = UniqueID(self.values[name] ?? "", lenient: true) else {
            throw .badRequest("\(name) must be a UUID.")
        }
        return Identifier(id)
    }

    /// The places whose names say what may stand there are checked before anything else (HTTP contract, 1.8).
    func checkValues() throws(Refusal) {
        try self.values.visit { (name, value) throws(Refusal) in
            switch name {
            case "repoKey": _ = try RepoKey(parsing: value)
            case "subject": _ = try Subject(parsing: value)
            case "digest": _ = try BlobDigest(parsing: value)
            case _ where name.endsWithBytes(of: "Id"): _ = try self.id(name, of: Call.self)
            default: break
            }
        }
    }
}
