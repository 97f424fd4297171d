// Requests that are done once, however often they are sent. Rules: HTTP contract, section 9, row 20: authorized before
// replay, the key's row and the answer that is kept for it in the mutation's own transaction.

import Cryptography
import Domain
import HTTP
package import Persistence
import Registry
package import Threads

/// Remembers answers by key.
package struct Idempotency: Sendable {
    /// In bytes.
    private static let keyLimit = 255
    /// In bytes: a longer path is known by its hash.
    private static let pathLimit = 512

    package let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Answers a request whose caller is authorized: from memory where it was answered before under its key, else by
    /// `handle`, whose answer is remembered.
    func respond(
        to call: Call, of caller: Caller, _ handle: (Call) async throws -> Response
    ) async throws -> Response {
        guard let header = call.request.headers["idempotency-key"], Self.isConcerned(call.request) else {
            return try await handle(call)
        }
        let text = header.trimmed
        guard (1...Self.keyLimit).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Refusal.badRequest("Idempotency-Key must have 1 to \(Self.keyLimit) printable ASCII characters.")
        }
        let body = try await call.request.body.collect(upTo: Fields.bodyLimit)
        let path = call.request.target.path
        let key = IdempotencyKey(
            tenant: caller.tenant, subject: caller.subject, method: call.request.method,
            path: path.utf8.count > Self.pathLimit ? SHA256.digest(of: path).hex : path, text: text)
        let claim = IdempotencyClaim(key, bodyHash: SHA256.digest(of: body).hex, clock: self.clock)
        if let kept = try await self.kept(for: claim, call) { return kept }
        do {
            let response = try await handle(call.holding(claim, body: body))
            return claim.isSettled ? response : try await self.keep(response, for: claim, call)
        } catch is IdempotencyClaim.Taken {
            guard let kept = try await self.kept(for: claim, call) else {
                throw DatabaseFault.contention("an idempotency key was taken and let go")
            }
            return kept
        } catch let refusal as Refusal where Self.isKept(refusal.reason.status) {
            return try await self.keep(Problem(describing: refusal).response, for: claim, call)
        }
    }

    private static func isConcerned(_ request: Request) -> Bool {
        request.method == "POST" && request.target.path.asciiLowercased.startsWithBytes(of: "/v1/")
    }

    /// What may be different the next time, through nothing that the request says, is not kept.
    private static func isKept(_ status: Int) -> Bool { ![401, 403, 429].contains(status) && status < 500 }

    /// - Throws: `idempotency_key_reused`, `idempotency_replayed`.
    private func kept(for claim: IdempotencyClaim, _ call: Call) async throws -> Response? {
        let found = try await self.database.lookup {
            try IdempotencyStore.find(claim.key, expiredBefore: claim.cutoff, $0)
        }
        guard let (bodyHash, answer) = found else { return nil }
        guard bodyHash == claim.bodyHash else {
            throw Refusal(.idempotencyKeyReused, "The Idempotency-Key was used for another body.")
        }
        return try Response(kept: answer, below: call.origin.prefix)
    }

    /// For what no mutation has kept: in a transaction of its own. If another request was quicker, its answer counts.
    private func keep(
        _ response: Response, for claim: IdempotencyClaim, _ call: Call
    ) async throws -> Response {
        guard Self.isKept(response.status), let answer = KeptAnswer(response, below: call.origin.prefix) else {
            return response
        }
        do {
            try await self.database.transaction { transaction in
                try claim.take(transaction)
                try IdempotencyStore.keep(answer, for: claim.key, transaction)
            }
            return response
        } catch is IdempotencyClaim.Taken {
            return try await self.kept(for: claim, call) ?? response
        }
    }
}

extension KeptAnswer {
    /// Nil for a body that is not text at hand.
    ///
    /// - Parameter prefix: of the paths of this server, as the caller reaches it. It is not kept: the answer may be repeated
    ///   to a client that reaches the server in another way.
    init?(_ response: Response, below prefix: String) {
        guard case .bytes(let bytes) = response.body, let text = String(validating: bytes, as: UTF8.self) else {
            return nil
        }
        self.init(
            status: response.status, body: text, contentType: response.headers["content-type"],
            location: response.headers["location"].map { location in
                location.startsWithBytes(of: prefix + "/")
                    ? String(Substring(location.utf8.dropFirst(prefix.utf8.count))) : location
            })
    }
}

extension Response {
    /// - Throws: `idempotency_replayed` for an answer that may not be repeated.
    fileprivate init(kept answer: KeptAnswer, below prefix: String) throws {
        guard let status = answer.status else {
            let members = (try? JSON(parsing: answer.body))?.members ?? []
            throw Refusal(
                .idempotencyReplayed,
                "The request was done before under this Idempotency-Key; its answer holds a secret and isn't kept.",
                members)
        }
        self.init(status, body: .bytes(Array(answer.body.utf8)))
        if let type = answer.contentType { self.headers.set("Content-Type", type) }
        if let location = answer.location { self.headers.set("Location", prefix + location) }
        self.headers.set("Idempotent-Replayed", "true")
    }
}
