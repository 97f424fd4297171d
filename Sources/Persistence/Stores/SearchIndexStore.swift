// Documents and the index of their words: PostgreSQL's text search, or SQLite's FTS5. Both get the same words, made by
// ``SearchWords``. Rules: HTTP contract, 4.4 (search document).

package import Domain

/// What a published version is found by.
package struct SearchDocument: Hashable, Sendable {
    package let version: PackageVersion
    /// The manifest's text.
    package let manifest: String?

    package init(version: PackageVersion, manifest: String?) { (self.version, self.manifest) = (version, manifest) }

    /// Repository, type, namespace, name, version and manifest, joined by blanks.
    var text: String {
        let package = self.version.coordinate.package
        let texts: [String?] = [
            self.version.repository.key.text, package.type, package.namespace, package.name,
            self.version.coordinate.version, self.manifest,
        ]
        return texts.compactMap { $0 }.joined(separator: " ").filter { $0 != "\0" }.cut(toBytes: SearchWords.textLimit)
    }
}

package enum SearchIndexStore {
    /// What a document is made of, for a version that is published; nil for any other.
    package static func source(
        _ id: VersionID, of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> SearchDocument? {
        try transaction.first(
            """
            SELECT \(VersionStore.columns), CAST(m.manifest AS text)
            FROM \(VersionStore.source) LEFT JOIN manifests m ON m.version_id = v.version_id
            WHERE v.version_id = \(id) AND v.tenant_id = \(tenant) AND v.state = 'published'
            """
        ) { row in
            SearchDocument(version: try VersionStore.version(row: row), manifest: try row[23])
        }
    }

    /// Writes a document and its words. What hasn't changed isn't written again, but for words that are missing.
    package static func put(
        _ document: SearchDocument, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        let (version, text) = (document.version, document.text)
        let package = version.coordinate.package
        let known = try transaction.first(
            """
            SELECT document_id FROM search_documents
            WHERE tenant_id = \(version.repository.tenant) AND version_id = \(version.id) AND search_text = \(text)
                AND repo_key = \(version.repository.key) AND indexed_at >= published_at
            """, as: { try $0[0] as Int64 })
        if let known, try self.hasWords(known, transaction) { return }
        let id = try transaction.first(
            """
            INSERT INTO search_documents (tenant_id, repo_id, version_id, repo_key, package_type, package_namespace,
                package_name, version, published_at, search_text, indexed_at)
            VALUES (\(version.repository.tenant), \(version.repository.id), \(version.id), \(version.repository.key),
                \(package.type), \(package.namespace), \(package.name), \(version.coordinate.version),
                \(version.publishedAt), \(text), \(now))
            ON CONFLICT (tenant_id, version_id) DO UPDATE SET repo_id = excluded.repo_id, repo_key = excluded.repo_key,
                package_type = excluded.package_type, package_namespace = excluded.package_namespace,
                package_name = excluded.package_name, version = excluded.version,
                published_at = excluded.published_at, search_text = excluded.search_text,
                indexed_at = excluded.indexed_at
            RETURNING document_id
            """, as: { try $0[0] as Int64 })
        guard let id else { throw DatabaseFault.unreadable("no search document") }
        let words = SearchWords.all(in: text)
        switch transaction.dialect {
        case .postgreSQL:
            try transaction.execute(
                """
                INSERT INTO search_index (document_id, words)
                VALUES (\(id), CAST(\(Self.vector(words, of: version.repository.id)) AS tsvector))
                ON CONFLICT (document_id) DO UPDATE SET words = excluded.words
                """)
        case .sqlite:
            try transaction.execute(
                "INSERT OR REPLACE INTO search_index (rowid, words) VALUES (\(id), \(words.joined(separator: " ")))")
            try transaction.execute(
                "INSERT OR REPLACE INTO search_names (rowid, name) VALUES (\(id), \(package.name))")
        }
    }

    private static func hasWords(_ document: Int64, _ transaction: borrowing Transaction) throws -> Bool {
        try transaction.first(
            """
            SELECT 1 FROM search_index
            WHERE \(.either(postgreSQL: "document_id", sqlite: "rowid")) = \(document)
            """, as: { _ in true }) ?? false
    }

    /// The words with their places, as PostgreSQL reads them (its manual, 8.11.1): at most 256 places a word, up to
    /// 16383.
    private static func vector(_ words: [String], of repository: RepoID) -> String {
        var places: [String: [Int]] = [:]
        for (index, word) in words.enumerated() {
            if places[word, default: []].count < 255 { places[word, default: []].append(min(index + 1, 16383)) }
        }
        let lexemes = places.map { word, places in
            "'\(word)':\(places.map(String.init).joined(separator: ","))"
        }
        return (lexemes + [self.lexeme(of: repository)]).joined(separator: " ")
    }

    /// What every document of a repository has, and no text.
    static func lexeme(of repository: RepoID) -> String { "'=\(repository.value.hex)'" }

    /// Takes the words of documents that are gone out of the index.
    ///
    /// - Returns: how many there were.
    package static func forget(limit: Int, _ transaction: borrowing Transaction) throws -> Int {
        let gone = try transaction.all(
            "SELECT document_id FROM search_forgotten ORDER BY document_id LIMIT \(limit) \(.forUpdateSkipLocked)",
            as: { try $0[0] as Int64 })
        // A number that is in use again has words of its own.
        try transaction.execute(each: gone) { id in
            """
            DELETE FROM search_index WHERE \(.either(postgreSQL: "document_id", sqlite: "rowid")) = \(id)
                AND NOT EXISTS (SELECT 1 FROM search_documents WHERE document_id = \(id))
            """
        }
        if transaction.dialect == .sqlite {
            try transaction.execute(each: gone) { id in
                """
                DELETE FROM search_names WHERE rowid = \(id)
                    AND NOT EXISTS (SELECT 1 FROM search_documents WHERE document_id = \(id))
                """
            }
        }
        try transaction.execute(each: gone) { "DELETE FROM search_forgotten WHERE document_id = \($0)" }
        return gone.count
    }
}

// MARK: - Damage

extension SearchIndexStore {
    /// Looks whether the index can be read at all. (In a transaction of its own: a fault ends it.)
    package static func check(_ transaction: borrowing Transaction) throws {
        switch transaction.dialect {
        case .postgreSQL:
            _ = try transaction.first(
                """
                SELECT (SELECT COUNT(*) FROM search_index WHERE words @@ CAST('''a''' AS tsquery)),
                    (SELECT COUNT(*) FROM (SELECT document_id FROM search_index LIMIT 1) i)
                """, as: { _ in true })
        case .sqlite:
            try transaction.execute("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
            try transaction.execute("INSERT INTO search_names (search_names) VALUES ('integrity-check')")
        }
    }

    /// Makes the index anew, empty.
    package static func recreate(_ transaction: borrowing Transaction) throws {
        switch transaction.dialect {
        case .postgreSQL:
            try transaction.run(
                script: """
                    DROP TABLE IF EXISTS search_index;
                    CREATE TABLE search_index (document_id bigint PRIMARY KEY, words tsvector NOT NULL);
                    CREATE INDEX search_index_words ON search_index USING gin (words) WITH (fastupdate = off);
                    """)
        case .sqlite:
            try transaction.run(
                script: """
                    DROP TABLE IF EXISTS search_index;
                    DROP TABLE IF EXISTS search_names;
                    CREATE VIRTUAL TABLE search_index
                        USING fts5 (words, tokenize = "unicode61 remove_diacritics 0 tokenchars '-.'");
                    CREATE VIRTUAL TABLE search_names USING fts5 (name, tokenize = 'trigram');
                    """)
        }
        try transaction.execute("DELETE FROM search_forgotten")
    }

    /// Tenants that have documents to be indexed again.
    package static func tenants(_ transaction: borrowing Transaction) throws -> [TenantID] {
        try transaction.all("SELECT tenant_id FROM tenants", as: { try $0[0] as TenantID })
    }
}
