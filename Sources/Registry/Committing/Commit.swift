// How one mutation becomes durable: its transaction, and what the edge adds to it.

package import Persistence

/// Runs a use case's transaction. The edge may put something before and after its body, in the same transaction: that
/// is how an idempotency key and the answer that is kept for it stand or fall with the mutation (HTTP contract,
/// section 9, row 20).
package struct Commit<Value: Sendable>: Sendable {
    private let database: any Database
    private let before: @Sendable (borrowing Transaction) throws -> Void
    private let after: @Sendable (Value, borrowing Transaction) throws -> Void

    package init(
        _ database: any Database, before: @escaping @Sendable (borrowing Transaction) throws -> Void = { _ in },
        after: @escaping @Sendable (Value, borrowing Transaction) throws -> Void = { _, _ in }
    ) {
        self.database = database
        self.before = before
        self.after = after
    }

    /// `body` may be run again after a transient fault, so it must do nothing but talk to the transaction.
    package func callAsFunction(
        _ body: @escaping @Sendable (borrowing Transaction) throws -> Value
    ) async throws -> Value {
        try await self.database.transaction { [before, after] transaction in
            try before(transaction)
            let value = try body(transaction)
            try after(value, transaction)
            return value
        }
    }
}
