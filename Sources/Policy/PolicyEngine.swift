// Who is asked whether something may be published or promoted. Rules: HTTP contract, section 9, row 5.

package import Domain

package protocol PolicyEngine: Sendable {
    /// What each of the engine's rules says of a candidate, in an order that is always the same.
    ///
    /// - Throws: `PolicyFault` where there is no answer that can be relied on.
    func findings(on candidate: PolicyCandidate) async throws -> [PolicyFinding]
}

/// Why there is no verdict. Nothing is published then. The texts are for the log.
package enum PolicyFault: Fault, Hashable {
    case timedOut
    /// A policy server gave no answer, or one that cannot be relied on.
    case unreliable(String)

    package var description: String {
        switch self {
        case .timedOut: "the policy gave no verdict in time"
        case .unreliable(let text): "the policy server gave no verdict that can be relied on: \(FaultText.line(text))"
        }
    }
}
