// A search: its query, how documents must match it, and filters.

/// How a document must match the terms of the query.
package enum SearchMatch: String, CaseIterable, Sendable {
    /// It has every term.
    case words
    /// It has every term, or a word that begins with the term.
    case prefix
    /// The name of its package is similar to the query: finds names that are mistyped.
    case similar

    /// - Throws: `bad_request`.
    package init(parsing text: String) throws(Refusal) {
        guard let match = SearchMatch(rawValue: text.trimmed.lowercased()) else {
            throw .badRequest("match must be words, prefix or similar.")
        }
        self = match
    }
}

package struct SearchRequest: Hashable, Sendable {
    package static let longestQuery = 1024

    /// Trimmed; empty to find everything.
    package let text: String
    /// Empty to find everything.
    package let terms: [SearchTerm]
    package let match: SearchMatch
    package var type: String?
    package var namespace: String?
    package var publishedSince: Timestamp?

    /// - Throws: `bad_request` for a query of more than 1024 bytes, or one that has text but no letter and no digit.
    package init(_ text: String, match: SearchMatch = .words) throws(Refusal) {
        let text = text.trimmed
        guard text.utf8.count <= Self.longestQuery else {
            throw .badRequest("q must have at most \(Self.longestQuery) bytes.")
        }
        self.text = text
        self.terms = SearchWords.terms(in: text)
        self.match = match
        guard text.isEmpty || !self.terms.isEmpty else {
            throw .badRequest("q has no letter and no digit to search for. Leave q out to list everything.")
        }
    }
}

/// A version that was found.
package struct SearchHit: Hashable, Sendable {
    package let version: VersionID
    package let repo: String
    package let type: String
    /// Nil for none.
    package let namespace: String?
    package let name: String
    package let versionText: String
    package let publishedAt: Timestamp?
    package let indexedAt: Timestamp

    package init(
        version: VersionID, repo: String, type: String, namespace: String?, name: String, versionText: String,
        publishedAt: Timestamp?, indexedAt: Timestamp
    ) {
        self.version = version
        self.repo = repo
        self.type = type
        self.namespace = namespace
        self.name = name
        self.versionText = versionText
        self.publishedAt = publishedAt
        self.indexedAt = indexedAt
    }
}
