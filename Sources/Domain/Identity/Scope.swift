// What a token allows. Written form: HTTP contract, 2.1.

/// A role on one repository, or on every one of the tenant: `repo:KEY:ROLE`, `repo:*:ROLE`.
package struct Scope: Hashable, Sendable, CustomStringConvertible {
    /// Nil for `*`.
    package let repo: RepoKey?
    package let role: Role

    package init(_ role: Role, on repo: RepoKey?) {
        self.repo = repo
        self.role = role
    }

    /// Reads the written form; every part is trimmed and lower-cased.
    package init(parsing text: String) throws(Refusal) {
        let parts = text.parts(at: ":").map { $0.trimmed.asciiLowercased }
        guard parts.count == 3, parts[0] == "repo", let role = Role(rawValue: parts[2]) else { throw .invalid(text) }
        if parts[1] == "*" {
            self.repo = nil
        } else {
            guard let repo = try? RepoKey(parsing: parts[1]) else { throw .invalid(text) }
            self.repo = repo
        }
        self.role = role
    }

    package var description: String { "repo:\(self.repo?.text ?? "*"):\(self.role.rawValue)" }
}

extension Refusal {
    fileprivate static func invalid(_ scope: String) -> Refusal {
        .badRequest(
            "'\(scope.trimmed)' is not a scope. Allowed: repo:KEY:ROLE, with a repository key or * and the role read, "
                + "write, promote or admin.")
    }
}
