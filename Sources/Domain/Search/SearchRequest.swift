// What is searched for. Rules: HTTP contract, 3.7.

/// How a document must fit the words of the query.
package enum SearchMatch: String, CaseIterable, Sendable {
    /// Every word occurs in it.
    case words
    /// Of every word, what begins with it occurs.
    case prefix
    /// Its package's name is like the query: for whoever mistypes it.
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

    /// Trimmed; empty for everything.
    package let text: String
    package let match: SearchMatch
    package var type: String?
    package var namespace: String?
    package var publishedSince: Timestamp?

    /// - Throws: `bad_request` for a query of more than 1024 bytes.
    package init(_ text: String, match: SearchMatch = .words) throws(Refusal) {
        let text = text.trimmed
        guard text.utf8.count <= Self.longestQuery else {
            throw .badRequest("q must have at most \(Self.longestQuery) bytes.")
        }
        (self.text, self.match) = (text, match)
    }

    package var words: [String] { SearchWords.asked(in: self.text) }
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
        (self.version, self.repo, self.type, self.namespace, self.name) = (version, repo, type, namespace, name)
        (self.versionText, self.publishedAt, self.indexedAt) = (versionText, publishedAt, indexedAt)
    }
}
