// How a route makes its mutation durable, and answers it.

package import Domain
package import HTTP
import Persistence
package import Registry

/// What is remembered of an answer under the request's idempotency key.
package enum Kept<Value: Sendable>: Sendable {
    case answer
    /// The answer holds a secret: only these members may be told again.
    case only(@Sendable (Value) -> [JSON.Member])
}

extension Call {
    /// Runs `mutate` and answers. Under an `Idempotency-Key` its transaction takes the key first and keeps the answer
    /// last; a rival with the same key waits for it, and then is answered the same.
    ///
    /// - Parameter answer: must depend on nothing but the value: it is called in the transaction and after it.
    package func commit<Value: Sendable>(
        keeping kept: Kept<Value> = .answer, _ mutate: (Commit<Value>) async throws -> Value,
        answer: @escaping @Sendable (Value) -> Response
    ) async throws -> Response {
        guard let claim = self.claim else { return answer(try await mutate(Commit(self.idempotency.database))) }
        let commit = Commit<Value>(
            self.idempotency.database, before: { try claim.take($0) },
            after: { value, transaction in
                let remembered =
                    switch kept {
                    case .answer: KeptAnswer(answer(value), below: self.origin.prefix)
                    case .only(let members):
                        KeptAnswer(
                            status: nil, body: JSON.object(members(value)).description, contentType: nil, location: nil)
                    }
                guard let remembered else { throw DatabaseFault.unreadable("an answer that is no text can't be kept") }
                try IdempotencyStore.keep(remembered, for: claim.key, transaction)
            })
        let value = try await mutate(commit)
        claim.settle()
        return answer(value)
    }
}
