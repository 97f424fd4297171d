// Documents and the index of their words: PostgreSQL's text search, or SQLite's FTS5. Both get the same words, made by
// ``SearchWords``.

package import Domain

/// What a published version is found by.
package struct SearchDocument: Hashable, Sendable {
    package let version: PackageVersion
    /// The manifest's text.
    package let manifest: String?

    package init(version: PackageVersion, manifest: String?) {
        self.version = version
        self.manifest = manifest
    }

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

    /// Writes a document and its words. A document that has not changed is not written again, unless its words are
    /// missing or were made by older rules.
    package static func put(
        _ document: SearchDocument, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        let (version, text) = (document.version, document.text)
        let package = version.coordinate.package
        let known = try transaction.first(
            """
            SELECT document_id, word_rules FROM search_documents
            WHERE tenant_id = \(version.repository.tenant) AND version_id = \(version.id) AND search_text = \(text)
                AND repo_key = \(version.repository.key) AND indexed_at >= published_at
            """, as: { (id: try $0[0] as Int64, rules: try $0[1] as Int) })
        if let known, known.rules == SearchWords.rules, try self.hasWords(known.id, transaction) { return }
        let id = try transaction.first(
            """
            INSERT INTO search_documents (tenant_id, repo_id, version_id, repo_key, package_type, package_namespace,
                package_name, version, published_at, search_text, word_rules, indexed_at)
            VALUES (\(version.repository.tenant), \(version.repository.id), \(version.id), \(version.repository.key),
                \(package.type), \(package.namespace), \(package.name), \(version.coordinate.version),
                \(version.publishedAt), \(text), \(SearchWords.rules), \(now))
            ON CONFLICT (tenant_id, version_id) DO UPDATE SET repo_id = excluded.repo_id, repo_key = excluded.repo_key,
                package_type = excluded.package_type, package_namespace = excluded.package_namespace,
                package_name = excluded.package_name, version = excluded.version,
                published_at = excluded.published_at, search_text = excluded.search_text,
                word_rules = excluded.word_rules, indexed_at = excluded.indexed_at
            RETURNING document_id
            """, as: { try $0[0] as Int64 })
        guard let id else { throw DatabaseFault.unreadable("no search document") }
        try self.index(id, in: version.repository.id, name: package.name, text: text, transaction)
    }

    /// Replaces the words of a document.
    private static func index(
        _ id: Int64, in repository: RepoID, name: String, text: String, _ transaction: borrowing Transaction
    ) throws {
        let words = SearchWords.all(in: text)
        switch transaction.dialect {
        case .postgreSQL:
            try transaction.execute(
                """
                INSERT INTO search_index (document_id, words)
                VALUES (\(id), CAST(\(Self.vector(words, of: repository)) AS tsvector))
                ON CONFLICT (document_id) DO UPDATE SET words = excluded.words
                """)
        case .sqlite:
            let text = words.map { Self.token($0.text) }.joined(separator: " ")
            try transaction.execute("INSERT OR REPLACE INTO search_index (rowid, words) VALUES (\(id), \(text))")
            try transaction.execute("INSERT OR REPLACE INTO search_names (rowid, name) VALUES (\(id), \(name))")
        }
    }

    /// Gives documents whose words were made by older rules new words, unless their tenant's indexing is paused. Until
    /// then they are found by their old words.
    ///
    /// - Returns: how many.
    package static func renew(limit: Int, _ transaction: borrowing Transaction) throws -> Int {
        // The condition is written out: it is the one of a partial index.
        let outdated = try transaction.all(
            """
            SELECT d.document_id, d.repo_id, d.package_name, d.search_text FROM search_documents d
            WHERE d.word_rules < 2 AND \(SearchControlStore.isRunning(for: "d.tenant_id"))
            ORDER BY d.document_id LIMIT \(limit)
            \(.either(postgreSQL: "FOR UPDATE OF d SKIP LOCKED", sqlite: ""))
            """
        ) { row in
            (
                id: try row[0] as Int64, repository: try row[1] as RepoID, name: try row[2] as String? ?? "",
                text: try row[3] as String
            )
        }
        for document in outdated {
            try self.index(
                document.id, in: document.repository, name: document.name, text: document.text, transaction)
        }
        try transaction.execute(each: outdated.map(\.id)) { id in
            "UPDATE search_documents SET word_rules = \(SearchWords.rules) WHERE document_id = \(id)"
        }
        return outdated.count
    }

    private static func hasWords(_ document: Int64, _ transaction: borrowing Transaction) throws -> Bool {
        try transaction.first(
            """
            SELECT 1 FROM search_index
            WHERE \(.either(postgreSQL: "document_id", sqlite: "rowid")) = \(document)
            """, as: { _ in true }) ?? false
    }

    /// The words with their places, in PostgreSQL's text form of a `tsvector`: at most 256 places a word, up to 16383.
    private static func vector(_ words: [SearchWord], of repository: RepoID) -> String {
        var places: [[UInt8]: [Int]] = [:]
        for word in words {
            let bytes = Array(word.text.utf8)
            if places[bytes, default: []].count < 255 { places[bytes, default: []].append(min(word.place + 1, 16383)) }
        }
        let lexemes = places.map { word, places in
            "'\(String(decoding: word, as: UTF8.self))':\(places.map(String.init).joined(separator: ","))"
        }
        return (lexemes + [self.lexeme(of: repository)]).joined(separator: " ")
    }

    /// A word as FTS5 stores it. FTS5 would fold and split text by its own tables of Unicode, which are old; it leaves
    /// ASCII letters, digits, hyphens and dots as they are. So each other character becomes `..hex-`, which no word has.
    private static func token(_ word: String) -> String {
        guard word.utf8.contains(where: { $0 >= 0x80 }) else { return word }
        return word.unicodeScalars.map { scalar in
            scalar.isASCII ? String(scalar) : "..\(String(scalar.value, radix: 16))-"
        }.joined()
    }

    /// The terms of a request in the query language of PostgreSQL's text search or of FTS5. Words contain no quotes.
    ///
    /// A term also matches as a whole: this finds documents that still have the words of the first version of the rules.
    static func query(_ request: SearchRequest, _ dialect: Dialect) -> String {
        let isPrefix = request.match == .prefix
        func quoted(_ word: String, isPrefix: Bool) -> String {
            switch dialect {
            case .postgreSQL: isPrefix ? "'\(word)':*" : "'\(word)'"
            case .sqlite: isPrefix ? "\"\(word)\" *" : "\"\(word)\""
            }
        }
        let (and, or) = dialect == .postgreSQL ? ("&", "|") : ("AND", "OR")
        let terms = request.terms.map { term in
            let words = term.words.map { dialect == .sqlite ? Self.token($0) : $0 }
            let all = words.enumerated().map { index, word in
                quoted(word, isPrefix: isPrefix && index == words.count - 1)
            }.joined(separator: " \(and) ")
            if words.count == 1, words[0].utf8.elementsEqual(term.run.utf8) { return all }
            return "((\(all)) \(or) \(quoted(term.run, isPrefix: isPrefix)))"
        }
        return terms.joined(separator: " \(and) ")
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
