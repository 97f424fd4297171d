// Which documents a query finds: one table of cases for both databases. And the renewal of documents that were indexed by
// older rules.

import Domain
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct SearchWordRuleTests {
    private struct Document {
        let name: String
        let version: String
        let description: String

        init(_ name: String, _ version: String = "1.0.0", _ description: String = "") {
            self.name = name
            self.version = version
            self.description = description
        }
    }

    private static let documents = [
        Document("node-sass-glob-importer"), Document("node-sass", "4.14.1"), Document("sass"),
        Document("prerelease", "1.2.3-rc.1"), Document("archive", "1.0.0", "unpacks Source-1.2.tar.gz files"),
        Document("image", "1.0.0", "高速な画像処理ライブラリです。Version2対応"),
        Document("korean", "1.0.0", "이미지라이브러리입니다"), Document("thai", "1.0.0", "ภาษาไทย"),
        Document("greek", "1.0.0", "ΣΟΦΟΣ"), Document("german", "1.0.0", "Straße Ünïcode"),
        Document("hindi", "1.0.0", "हिन्दी भाषा"), Document("circled", "1.0.0", "Ⓐ 𠀋 ½"),
        Document("under_score", "2.0.0", "build+build.5"),
    ]

    /// Query, match, and the names that are found.
    private static let cases: [(query: String, match: SearchMatch, names: Set<String>)] = [
        ("node-sass", .words, ["node-sass", "node-sass-glob-importer"]),
        ("NODE-Sass-Glob", .words, ["node-sass-glob-importer"]),
        ("node-sass-glob-importer", .words, ["node-sass-glob-importer"]),
        ("sass-glob", .words, ["node-sass-glob-importer"]), ("glob-importer", .words, ["node-sass-glob-importer"]),
        ("sass-importer", .words, []), ("node-glob", .words, []), ("node.sass", .words, []),
        ("node sass glob", .words, ["node-sass-glob-importer"]),
        ("sass", .words, ["sass", "node-sass", "node-sass-glob-importer"]),
        ("-node-sass-", .words, ["node-sass", "node-sass-glob-importer"]), ("node-sas", .words, []),
        ("node-sas", .prefix, ["node-sass", "node-sass-glob-importer"]),
        ("sass-glo", .prefix, ["node-sass-glob-importer"]), ("nod-sass", .prefix, []),
        ("node-sass-glob-imp", .prefix, ["node-sass-glob-importer"]),
        ("rc.1", .words, ["prerelease"]), ("1.2.3", .words, ["prerelease"]), ("1.2.3-rc", .words, ["prerelease"]),
        ("2.3-rc.1", .words, ["prerelease"]), ("1.2.3-rc.1", .words, ["prerelease"]), ("1.2.3-rc.2", .words, []),
        ("1.2", .words, ["prerelease", "archive"]), ("rc", .words, ["prerelease"]), ("tar.gz", .words, ["archive"]),
        ("2.tar.gz", .words, ["archive"]), ("source-1.2.tar.gz", .words, ["archive"]),
        ("source-1.2", .words, ["archive"]), ("gz.tar", .words, []), ("build.5", .words, ["under_score"]),
        ("build+build.5", .words, ["under_score"]), ("under_score", .words, ["under_score"]),
        ("画像", .words, ["image"]), ("画像処理", .words, ["image"]), ("処", .words, ["image"]),
        ("す", .words, ["image"]), ("ライブラリ", .words, ["image"]), ("画処", .words, []),
        ("画像 ライブラリ", .words, ["image"]), ("version2", .words, ["image"]), ("対応", .words, ["image"]),
        ("画像", .prefix, ["image"]), ("라이브러리", .words, ["korean"]), ("리라", .words, []),
        ("ไทย", .words, ["thai"]), ("σοφος", .words, ["greek"]), ("σοφοσ", .words, ["greek"]),
        ("STRASSE", .words, ["german"]), ("straße", .words, ["german"]), ("ünïcode", .words, ["german"]),
        ("ünï", .prefix, ["german"]), ("unicode", .words, []), ("हिन्दी", .words, ["hindi"]), ("हि", .words, []),
        ("हि", .prefix, ["hindi"]), ("ⓐ", .words, ["circled"]), ("𠀋", .words, ["circled"]), ("½", .words, ["circled"]),
        ("no", .similar, ["node-sass", "node-sass-glob-importer"]), ("prerelaese", .similar, ["prerelease"]),
    ]

    private static func encoded(_ text: String) -> String {
        text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func publish(_ document: Document, _ server: Installation, _ token: String) async throws {
        let bytes = Array("content".utf8)
        let digest = try await server.commit(bytes, in: "pkgs")
        let id = try await server.draft(document.name, document.version, type: "raw", token: token)
        let entry = try await server.putEntry("file.bin", digest, length: bytes.count, of: id, token: token)
        try #require(entry.status == 200, "\(entry.text)")
        let manifest = try await server.putManifest(
            ["description": .string(document.description)], of: id, token: token)
        try #require(manifest.status == 200, "\(manifest.text)")
        let answer = try await server.publish(id, token: token)
        try #require(answer.status == 200, "\(answer.text)")
    }

    private static func names(
        _ query: String, _ server: Installation, _ token: String, _ match: SearchMatch = .words
    ) async throws -> Set<String> {
        let found = try await server.found("q=\(self.encoded(query))&match=\(match)&limit=200", token: token)
        return Set(found.map { String($0.prefix { $0 != "@" }) })
    }

    @Test(arguments: Engine.direct)
    func `both databases find the same documents`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for document in Self.documents { try await Self.publish(document, server, token) }
            try await server.index()
            for (query, match, names) in Self.cases {
                let found = try await Self.names(query, server, token, match)
                #expect(found == names, "\(query), \(match)")
            }
            for query in ["---", "?", "🎉", "\"\"", "'", "*", "(", "_", "\u{A0}-"] {
                for match in SearchMatch.allCases {
                    let answer = try await server.send(
                        "GET", "/v1/repos/pkgs/search/packages?q=\(Self.encoded(query))&match=\(match)", token: token)
                    #expect(answer.status == 400 && answer.text.contains("no letter"), "\(query): \(answer.text)")
                }
            }
            // Without a query, or with a blank one, everything is listed.
            for query in ["", "q=", "q=%20%09", "q=%E3%80%80"] {
                #expect(try await server.found(query, token: token).count == Self.documents.count)
            }
        }
    }

    /// Gives a document the words that the first version of the rules made of it.
    private static func makeOld(_ name: String, words: [String], _ server: Installation) async throws {
        try await server.execute("UPDATE search_documents SET word_rules = 1 WHERE package_name = \(name)")
        let document: SQL = "(SELECT document_id FROM search_documents WHERE package_name = \(name))"
        if server.database.dialect == .sqlite {
            let text = words.joined(separator: " ")
            try await server.execute("UPDATE search_index SET words = \(text) WHERE rowid = \(document)")
        } else {
            let lexemes = words.map { "'\($0)':1" }.joined(separator: " ")
            try await server.execute(
                """
                UPDATE search_index SET words = CAST(\(lexemes) || ' ''=' || replace(CAST((SELECT repo_id
                    FROM search_documents WHERE package_name = \(name)) AS text), '-', '') || '''' AS tsvector)
                WHERE document_id = \(document)
                """)
        }
    }

    @Test(arguments: Engine.direct)
    func `documents of older rules stay findable until the worker renews them`(engine: Engine) async throws {
        try await Installation.with(engine, ["worker.batchSize": "2"]) { server in
            let token = try await server.withPackages()
            let name = "node-sass-glob-importer"
            let old = [
                (name, [name, "node", "sass", "glob", "importer"]), ("image", ["image", "画像処理"]), ("a", ["a"]),
                ("b", ["b"]), ("c", ["c"]),
            ]
            for (name, words) in old {
                try await Self.publish(Document(name, "1.0.0", words.last ?? ""), server, token)
            }
            try await server.index()
            for (name, words) in old { try await Self.makeOld(name, words: words, server) }
            #expect(try await Self.names(name, server, token) == [name])
            #expect(try await Self.names("画像処理", server, token) == ["image"])
            #expect(try await Self.names("画像", server, token, .prefix) == ["image"])
            #expect(try await Self.names("sass-glob", server, token) == [])
            #expect(try await Self.names("像処", server, token) == [])
            // Documents of a tenant whose indexing is paused stay as they are.
            for (action, outdated) in [("pause", 5), ("resume", 0)] {
                let answer = try await server.send(
                    "POST", "/v1/admin/search/\(action)", token: token, ["reason": "test"])
                try #require(answer.status == 200, "\(answer.text)")
                try await server.index()
                #expect(try await server.count("search_documents WHERE word_rules < 2") == outdated)
            }
            #expect(try await Self.names(name, server, token) == [name])
            #expect(try await Self.names("sass-glob", server, token) == [name])
            #expect(try await Self.names("像処", server, token) == ["image"])
        }
    }
}
