// From a claim to a role on a repository. Rules: HTTP contract, 2.6.

package import Domain

package struct RoleMapping: Hashable, Sendable, CustomStringConvertible {
    /// Lower-cased.
    package let claim: String
    /// `*` for "there, and not empty".
    package let value: String
    /// `*` for every repository.
    package let repo: String
    package let role: Role

    /// Reads `claimName|claimValue|repoKey|role`.
    package init?(_ text: String) {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmed }
        guard parts.count == 4, parts.allSatisfy({ !$0.isEmpty }), let role = try? Role(parsing: parts[3]) else {
            return nil
        }
        self.claim = parts[0].lowercased()
        self.value = parts[1]
        self.repo = parts[2]
        self.role = role
    }

    package var description: String { "\(self.claim)|\(self.value)|\(self.repo)|\(self.role.rawValue)" }
}

/// Mappings separated by `;`.
package struct RoleMappings: Hashable, Sendable, CustomStringConvertible {
    package let mappings: [RoleMapping]

    package init?(_ text: String) {
        let parts = text.split(separator: ";").compactMap { $0.trimmedOrNil }
        self.mappings = parts.compactMap { RoleMapping($0) }
        guard !parts.isEmpty, self.mappings.count == parts.count else { return nil }
    }

    package var description: String { self.mappings.map(\.description).joined(separator: ";") }
}
