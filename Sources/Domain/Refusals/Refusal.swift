// What the domain and the use cases throw for a client error. (A server error is a fault.)

/// A request that is refused, and why.
package struct Refusal: Fault, Hashable {
    package let reason: Reason
    /// For people: what was wrong, and what is allowed.
    package let message: String
    /// Further keys of the error body.
    package let details: [JSON.Member]

    package init(_ reason: Reason, _ message: String, _ details: KeyValuePairs<String, JSON> = [:]) {
        self.reason = reason
        self.message = message
        self.details = details.map { JSON.Member($0.key, $0.value) }
    }

    package init(_ reason: Reason, _ message: String, _ details: [JSON.Member]) {
        self.reason = reason
        self.message = message
        self.details = details
    }

    package var description: String { "\(self.message) (\(self.reason.rawValue))" }

    package static func badRequest(_ message: String) -> Refusal { Refusal(.badRequest, message) }

    /// - Parameter what: `Repository`, `Version`, …
    package static func notFound(_ what: String) -> Refusal { Refusal(.notFound, "\(what) was not found.") }

    package static func conflict(_ message: String) -> Refusal { Refusal(.conflict, message) }
}
