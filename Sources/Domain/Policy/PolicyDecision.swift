// What a policy may say, and of what. Rules: HTTP contract, 3.6 and section 9, row 5.

/// A verdict, the mildest first.
package enum PolicyDecision: String, CaseIterable, Comparable, Sendable {
    case allow
    /// Published, and hidden until it is released.
    case quarantine
    case deny

    private var strictness: Int {
        switch self {
        case .allow: 0
        case .quarantine: 1
        case .deny: 2
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.strictness < right.strictness }
}

package enum PolicyAction: String, CaseIterable, Sendable {
    case publish, promote
}
