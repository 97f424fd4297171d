// What a caller may do with a repository, and with a tenant. Rules: HTTP contract, 2.1 and 7.1.

/// A role on a repository.
package enum Role: String, CaseIterable, Sendable {
    case read, write, admin, promote

    /// Whether holding this role is enough where `needed` is asked for.
    package func satisfies(_ needed: Role) -> Bool {
        switch (self, needed) {
        case (.admin, _), (.write, .write), (.write, .read), (.read, .read), (.promote, .promote): true
        case (.write, .admin), (.write, .promote), (.read, .write), (.read, .admin), (.read, .promote),
            (.promote, .read), (.promote, .write), (.promote, .admin):
            false
        }
    }

    /// Reads a role, in any case, with blanks around it.
    package init(parsing text: String) throws(Refusal) {
        guard let role = Role(rawValue: text.trimmed.asciiLowercased) else {
            throw .badRequest("'\(text.trimmed)' is not a role. Allowed: read, write, promote, admin.")
        }
        self = role
    }
}

/// A role on a tenant, beside the roles on its repositories: it gives none of those.
package enum TenantRole: String, CaseIterable, Sendable {
    case admin, auditor, `operator`

    package func satisfies(_ needed: TenantRole) -> Bool { self == .admin || self == needed }

    /// Reads a role, in any case, also with the prefix `tenant_`.
    package init(parsing text: String) throws(Refusal) {
        let word = text.trimmed.asciiLowercased
        let name = word.startsWithBytes(of: "tenant_") ? String(word.dropFirst(7)) : word
        guard let role = TenantRole(rawValue: name) else {
            throw .badRequest("'\(text.trimmed)' is not a tenant role. Allowed: admin, auditor, operator.")
        }
        self = role
    }
}
