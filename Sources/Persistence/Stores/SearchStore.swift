// Finding documents. Rules: HTTP contract, 3.7 and section 9, row 42; who sees what: architecture, section 5.

package import Domain

/// A page of what was found.
package struct SearchPage: Sendable {
    package let hits: [SearchHit]
    /// At most ``SearchStore/exactLimit``.
    package let total: Int
    package let isTotalExact: Bool
    /// How many documents of each type fit, whatever type is asked for; nil where it was not asked.
    package let types: [(type: String, count: Int)]?

    package init(hits: [SearchHit], total: Int, isTotalExact: Bool, types: [(type: String, count: Int)]?) {
        self.hits = hits
        self.total = total
        self.isTotalExact = isTotalExact
        self.types = types
    }
}

/// The repositories that are searched as one, in order: of equal versions of a package, the first one's counts.
package struct SearchPlace: Hashable, Sendable {
    package let repositories: [RepoID]

    package init(_ repositories: [RepoID]) { self.repositories = repositories }

    /// That the column, of documents, is of one of them.
    fileprivate func contains(_ column: SQL) -> SQL {
        self.repositories.count == 1
            ? "\(column) = \(self.repositories[0])" : "\(column) \(.isOneOf(self.repositories))"
    }

    /// That no earlier repository has the version of document `d`, in a state in which it decides what is seen of it.
    fileprivate var isNotShadowed: SQL {
        guard self.repositories.count > 1 else { return "" }
        func rank(_ column: SQL) -> SQL {
            var cases: SQL = "CASE \(column)"
            for (index, id) in self.repositories.enumerated() { cases = "\(cases) WHEN \(id) THEN \(index)" }
            return "\(cases) END"
        }
        return """
            AND NOT EXISTS (SELECT 1 FROM package_versions w JOIN packages p ON p.package_id = w.package_id
                JOIN packages o ON o.repo_id \(.isOneOf(self.repositories)) AND o.package_type = p.package_type
                    AND o.namespace = p.namespace AND o.name = p.name
                JOIN package_versions f ON f.package_id = o.package_id AND f.version = w.version
                    AND f.state = 'published'
                WHERE w.version_id = d.version_id AND \(rank("o.repo_id")) < \(rank("d.repo_id"))
                LIMIT 1 OFFSET 0)
            """
    }

    /// What one of their documents has in PostgreSQL's index of words.
    fileprivate var lexemes: String {
        let lexemes = self.repositories.map { SearchIndexStore.lexeme(of: $0) }
        return lexemes.count == 1 ? lexemes[0] : "(\(lexemes.joined(separator: " | ")))"
    }
}

package enum SearchStore {
    /// Further matches are not counted.
    package static let exactLimit = 10_000
    /// Names that are looked at for their likeness.
    private static let similarLimit = 500
    /// Names that come before all others among too many hits.
    private static let namedLimit = 1000

    package static func page(
        _ request: SearchRequest, in place: SearchPlace, limit: Int, offset: Int, countsTypes: Bool,
        _ transaction: borrowing Transaction
    ) throws -> SearchPage {
        guard !place.repositories.isEmpty else {
            return SearchPage(hits: [], total: 0, isTotalExact: true, types: countsTypes ? [] : nil)
        }
        if request.match == .similar, !request.terms.isEmpty {
            return try self.similar(
                request, in: place, limit: limit, offset: offset, countsTypes: countsTypes, transaction)
        }
        let source = self.source(request, in: place, transaction.dialect)
        let all: SQL = "\(source) \(self.filters(request))"
        let counted = try transaction.first(
            "SELECT COUNT(*) FROM (SELECT 1 \(all) LIMIT \(self.exactLimit + 1)) c", as: { try $0[0] as Int })
        let total = counted ?? 0
        let chosen: SQL =
            if total > self.exactLimit, !request.terms.isEmpty {
                self.chosenOfMany(request, in: place, limit: limit, offset: offset, transaction.dialect)
            } else {
                """
                SELECT \(self.columns) \(all) ORDER BY \(self.score(request, transaction.dialect)) \(self.order)
                LIMIT \(limit) OFFSET \(offset)
                """
            }
        let hits = total > offset ? try transaction.all(chosen, as: self.hit(row:)) : []
        var types: [(String, Int)]?
        if countsTypes {
            var everyType = request
            everyType.type = nil
            types = try transaction.all(
                """
                SELECT c.package_type, COUNT(*) FROM (SELECT d.package_type \(source) \(self.filters(everyType))
                    LIMIT \(self.exactLimit)) c
                GROUP BY c.package_type ORDER BY COUNT(*) DESC, c.package_type
                """, as: { (try $0[0] as String? ?? "", try $0[1] as Int) })
        }
        return SearchPage(
            hits: hits, total: min(total, self.exactLimit), isTotalExact: total <= self.exactLimit, types: types)
    }

    // MARK: - Statements

    private static let columns: SQL = """
        d.version_id, d.repo_key, d.package_type, d.package_namespace, d.package_name, d.version, d.published_at,
        d.indexed_at
        """

    private static let order: SQL =
        "COALESCE(published_at, indexed_at) DESC, package_name, version DESC, version_id"

    /// Documents that fit the words and that can be seen.
    ///
    /// - Parameter isInOrderOfDate: the newest of very many are wanted, so that the database may begin with the documents.
    private static func source(
        _ request: SearchRequest, in place: SearchPlace, inOrderOfDate isInOrderOfDate: Bool = false, _ dialect: Dialect
    ) -> SQL {
        let visible = self.visible(in: place)
        if request.terms.isEmpty { return "FROM search_documents d \(visible)" }
        let query = SearchIndexStore.query(request, dialect)
        switch dialect {
        case .postgreSQL:
            let query = "\(query) & \(place.lexemes)"
            let documents: SQL =
                if isInOrderOfDate {
                    "JOIN search_documents d ON d.document_id = i.document_id \(visible) AND"
                } else {
                    // Looked up one by one, for there are few, or few are wanted.
                    """
                    JOIN LATERAL (SELECT * FROM search_documents d \(visible) AND d.document_id = i.document_id
                        OFFSET 0) d ON true WHERE
                    """
                }
            return "FROM search_index i \(documents) i.words @@ CAST(\(query) AS tsquery)"
        case .sqlite:
            return """
                FROM search_index i CROSS JOIN search_documents d ON d.document_id = i.rowid
                \(visible) AND i.words MATCH \(query)
                """
        }
    }

    /// What to show where more documents fit than are counted: names that are the query (or begin with it, where words that
    /// begin so are wanted), which fit whatever else there is; then the newest. Nothing is gained by ranking what nearly
    /// every text has, and to rank it all would take too long.
    private static func chosenOfMany(
        _ request: SearchRequest, in place: SearchPlace, limit: Int, offset: Int, _ dialect: Dialect
    ) -> SQL {
        let text = request.text.lowercased()
        let isNamed: SQL =
            if request.match == .prefix {
                "lower(package_name) >= \(text) AND lower(package_name) < \(text + "\u{10FFFF}")"
            } else {
                "lower(package_name) = \(text)"
            }
        let filters = self.filters(request)
        let byName: SQL = "\(.either(postgreSQL: "", sqlite: "INDEXED BY search_documents_name"))"
        return """
            SELECT * FROM (
                SELECT * FROM (SELECT \(self.columns)
                    \(self.source(request, in: place, inOrderOfDate: true, dialect)) \(filters)
                    ORDER BY \(self.order) LIMIT \(offset + limit)) newest
                UNION SELECT * FROM (SELECT \(self.columns)
                    FROM search_documents d \(byName) \(self.visible(in: place)) AND \(isNamed) \(filters)
                    ORDER BY lower(package_name) LIMIT \(self.namedLimit)) named) chosen
            ORDER BY CASE WHEN lower(package_name) = \(text) THEN 2 WHEN \(isNamed) THEN 1 ELSE 0 END DESC,
                \(self.order)
            LIMIT \(limit) OFFSET \(offset)
            """
    }

    /// Each document's version is looked up alone: what PostgreSQL would make of a join here, it makes by guessing how
    /// many versions are hidden, and reads them all. (`OFFSET` keeps it from making one.)
    private static func visible(in place: SearchPlace) -> SQL {
        """
        WHERE \(place.contains("d.repo_id")) AND EXISTS (SELECT 1 FROM \(VisibleVersions.source)
            WHERE v.version_id = d.version_id AND \(VisibleVersions.condition) LIMIT 1 OFFSET 0) \(place.isNotShadowed)
        """
    }

    private static func filters(_ request: SearchRequest) -> SQL {
        var filters: SQL = ""
        if let type = request.type { filters = "\(filters) AND d.package_type = \(type)" }
        if let namespace = request.namespace { filters = "\(filters) AND d.package_namespace = \(namespace)" }
        if let time = request.publishedSince { filters = "\(filters) AND d.published_at >= \(time)" }
        return filters
    }

    /// The contract's score, and a comma; nothing for the empty query.
    private static func score(_ request: SearchRequest, _ dialect: Dialect) -> SQL {
        guard !request.terms.isEmpty else { return "" }
        let text = request.text.lowercased()
        // `bm25` is the better the smaller, without limits; the text rank only decides between equals.
        let rank: SQL =
            switch dialect {
            case .postgreSQL: "ts_rank_cd(i.words, CAST(\(SearchIndexStore.query(request, dialect)) AS tsquery))"
            case .sqlite: "(-bm25(search_index) / (1.0 - bm25(search_index)))"
            }
        return """
            (CASE WHEN lower(d.package_name) = \(text) THEN 300.0
                WHEN lower(d.package_namespace) = \(text) THEN 220.0
                WHEN substr(lower(d.package_name), 1, CAST(\(text.unicodeScalars.count) AS integer)) = \(text) THEN 180.0
                WHEN substr(lower(d.package_namespace), 1, CAST(\(text.unicodeScalars.count) AS integer)) = \(text)
                    THEN 140.0
                ELSE 0.0 END + \(rank)) DESC,
            """
    }

    private static func hit(row: borrowing Row) throws -> SearchHit {
        SearchHit(
            version: try row[0], repo: try row[1] ?? "", type: try row[2] ?? "", namespace: try row[3],
            name: try row[4] ?? "", versionText: try row[5] ?? "", publishedAt: try row[6], indexedAt: try row[7])
    }

    // MARK: - Likeness

    /// Names that are similar to the query, the most similar first. If the database has no trigrams, or the query is
    /// shorter than one, words that begin with it.
    private static func similar(
        _ request: SearchRequest, in place: SearchPlace, limit: Int, offset: Int, countsTypes: Bool,
        _ transaction: borrowing Transaction
    ) throws -> SearchPage {
        let text = request.text.lowercased()
        let visible: SQL = "\(self.visible(in: place)) \(self.filters(request))"
        let scalars = Array(text.unicodeScalars)
        guard scalars.count >= 3, try self.hasTrigrams(transaction) else {
            return try self.page(
                SearchRequest(request, match: .prefix), in: place, limit: limit, offset: offset,
                countsTypes: countsTypes, transaction)
        }
        let candidates: SQL
        switch transaction.dialect {
        case .postgreSQL:
            candidates = """
                SELECT \(self.columns) FROM search_documents d \(visible) AND d.package_name % \(text)
                ORDER BY \(self.order) LIMIT \(self.similarLimit)
                """
        case .sqlite:
            let trigrams = (0...(scalars.count - 3)).map { start in
                let trigram = String(String.UnicodeScalarView(scalars[start..<start + 3]))
                return "\"\(trigram.replacing("\"", with: "\"\""))\""
            }
            candidates = """
                SELECT \(self.columns) FROM search_names n CROSS JOIN search_documents d ON d.document_id = n.rowid
                \(visible) AND n.name MATCH \(trigrams.joined(separator: " OR "))
                ORDER BY bm25(search_names) LIMIT \(self.similarLimit)
                """
        }
        let alike = try transaction.all(candidates, as: self.hit(row:))
            .map { (hit: $0, likeness: Similarity.of($0.name, text)) }
            .filter { $0.likeness >= Similarity.threshold }
            .sorted { left, right in
                if left.likeness != right.likeness { return left.likeness > right.likeness }
                let times = (left.hit.publishedAt ?? left.hit.indexedAt, right.hit.publishedAt ?? right.hit.indexedAt)
                if times.0 != times.1 { return times.0 > times.1 }
                return (left.hit.name, right.hit.versionText, left.hit.version)
                    < (right.hit.name, left.hit.versionText, right.hit.version)
            }
            .map(\.hit)
        var types: [(String, Int)]?
        if countsTypes {
            types = Dictionary(grouping: alike, by: \.type).map { ($0, $1.count) }.sorted {
                ($1.1, $0.0) < ($0.1, $1.0)
            }
        }
        return SearchPage(
            hits: Array(alike.dropFirst(offset).prefix(limit)), total: alike.count,
            isTotalExact: alike.count < self.similarLimit, types: types)
    }

    /// On PostgreSQL they come with an extension.
    private static func hasTrigrams(_ transaction: borrowing Transaction) throws -> Bool {
        guard transaction.dialect == .postgreSQL else { return true }
        return try transaction.first(
            "SELECT to_regclass('search_documents_names') IS NOT NULL", as: { try $0[0] as Bool }) == true
    }
}

extension SearchRequest {
    fileprivate init(_ request: SearchRequest, match: SearchMatch) throws(Refusal) {
        try self.init(request.text, match: match)
        self.type = request.type
        self.namespace = request.namespace
        self.publishedSince = request.publishedSince
    }
}

// MARK: - How far the index is behind

extension SearchStore {
    package struct Freshness: Hashable, Sendable {
        /// Further ones are not counted.
        package static let exactLimit = 10_000

        /// Published versions without a document, or with one older than their publication: at most ``exactLimit``.
        package let staleDocuments: Int
        package let isExact: Bool
        package let oldestStale: Timestamp?
        package let newestIndexedAt: Timestamp?
    }

    /// What is stale is in a table of its own, which the database keeps (`search_backlog`).
    package static func freshness(
        of tenant: TenantID, in repository: RepoID?, _ transaction: borrowing Transaction
    ) throws -> Freshness {
        let place: SQL = if let repository { "repo_id = \(repository)" } else { "tenant_id = \(tenant)" }
        // Of each repository alone: its newest is at the end of an index.
        let newest: SQL = """
            SELECT MAX((SELECT MAX(d.indexed_at) FROM search_documents d WHERE d.repo_id = r.repo_id))
            FROM repos r WHERE \(place)
            """
        let found = try transaction.first(
            """
            SELECT s.stale, s.oldest, (\(newest))
            FROM (SELECT COUNT(*) AS stale, MIN(b.published_at) AS oldest FROM (SELECT published_at FROM search_backlog
                WHERE \(place) ORDER BY published_at LIMIT \(Freshness.exactLimit + 1)) b) s
            """
        ) { row in
            let stale: Int = try row[0]
            return Freshness(
                staleDocuments: min(stale, Freshness.exactLimit), isExact: stale <= Freshness.exactLimit,
                oldestStale: try row[1], newestIndexedAt: try row[2])
        }
        guard let found else { throw DatabaseFault.unreadable("a count gave no row") }
        return found
    }
}
