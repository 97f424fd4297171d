// Lists of what is allowed and what is not: the form that most checks of a policy have.

package struct Allowance: Hashable, Sendable {
    /// Nothing in it: whatever is not denied is allowed.
    package let allow: [Glob]
    package let deny: [Glob]

    package init(allow: [Glob], deny: [Glob]) {
        self.allow = allow
        self.deny = deny
    }

    package func denies(_ text: String) -> Bool { self.deny.contains { $0.matches(text) } }

    /// Why a text is not allowed, after its name; nil where it is.
    package func objection(to text: String) -> String? {
        if let pattern = self.deny.first(where: { $0.matches(text) }) { return "is denied by '\(pattern)'" }
        if self.allow.isEmpty || self.allow.contains(where: { $0.matches(text) }) { return nil }
        return "is not among those that are allowed"
    }
}
