// Finding packages: match, order, filters, visibility; and what happens when the index is damaged. Rules: HTTP contract, 3.7
// and section 9, row 42.

import Domain
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct SearchRouteTests {
    private static let path = "/v1/repos/pkgs/search/packages"

    @Test(arguments: Engine.direct)
    func `every word must occur, and names come first`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for (name, namespace) in [
                ("left-pad", nil), ("left-pad-extra", nil), ("right-pad", "left-pad"), ("pad", nil), ("other", nil),
            ] as [(String, String?)] {
                try await server.published(name, namespace: namespace, token: token)
            }
            try await server.published("left-pad", "2.0.0", token: token)
            #expect(try await server.found("q=left-pad", token: token) == [])  // nothing is indexed yet
            try await server.index()
            // The name, then the namespace, then names that begin with it.
            #expect(
                try await server.found("q=LEFT-pad", token: token)
                    == ["left-pad@2.0.0", "left-pad@1.0.0", "right-pad@1.0.0", "left-pad-extra@1.0.0"])
            // A name that is the word before all others.
            #expect(try await server.found("q=pad", token: token).first == "pad@1.0.0")
            #expect(try await server.found("q=pad", token: token).count == 5)
            // A name that begins with it before a namespace that does.
            let left = try await server.found("q=left", token: token)
            #expect(Set(left.prefix(3)) == ["left-pad@2.0.0", "left-pad-extra@1.0.0", "left-pad@1.0.0"])
            #expect(left.last == "right-pad@1.0.0" && left.count == 4)
            #expect(try await server.found("q=left%20extra", token: token) == ["left-pad-extra@1.0.0"])
            #expect(try await server.found("q=left%20nothing", token: token) == [])
            #expect(try await server.found("q=%27%20OR%201%3D1%20--", token: token) == [])
            #expect(try await server.found("q=2.0.0", token: token) == ["left-pad@2.0.0"])
            // All, the newest first.
            #expect(try await server.found("", token: token).count == 6)
            #expect(try await server.found("", token: token).first == "left-pad@2.0.0")
            #expect(try await server.found("q=pad&limit=1&offset=1", token: token).count == 1)
            #expect(try await server.found("q=lef", token: token) == [])
            #expect(try await server.found("q=lef&match=prefix", token: token).count == 4)
            #expect(try await server.found("q=left-p&match=prefix", token: token).count == 4)
            #expect(try await server.found("q=letf-pad&match=similar", token: token).contains("left-pad@2.0.0"))
            #expect(try await server.found("q=othre&match=similar", token: token) == ["other@1.0.0"])
        }
    }

    @Test(arguments: Engine.direct)
    func `the answer has the contract's keys, filters and counts by type`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("tool", type: "npm", namespace: "acme", token: token)
            try await server.published("tool", type: "cargo", token: token)
            try await server.published("thing", type: "cargo", token: token)
            try await server.index()
            let answer = try await server.send("GET", "\(Self.path)?q=%20tool%20&type=NPM&facets=type", token: token)
            #expect(answer.json["repoKey"] == "pkgs" && answer.json["query"] == "tool")
            #expect(answer.json["limit"] == 25 && answer.json["offset"] == 0 && answer.json["totalCount"] == 1)
            #expect(answer.json["totalCountIsExact"] == true)
            #expect(answer.json["facets"] == ["type": ["cargo": 1, "npm": 1]])
            let item = try #require(answer.json["items"]?.elements?.first)
            #expect(
                Set(item.members?.map(\.name) ?? []) == [
                    "versionId", "repoKey", "packageType", "packageNamespace", "packageName", "version",
                    "publishedAtUtc", "indexedAtUtc",
                ])
            #expect(item["versionId"] == .string(id) && item["packageNamespace"] == "acme")
            #expect(try await server.found("namespace=acme", token: token) == ["tool@1.0.0"])
            let published = try #require(item["publishedAtUtc"]?.text)
            #expect(try await server.found("q=tool&publishedSince=\(published)", token: token).count == 2)
            #expect(try await server.found("publishedSince=2999-01-01T00:00:00Z", token: token) == [])
            let plain = try await server.send("GET", "\(Self.path)?limit=999&offset=-1", token: token)
            #expect(plain.json["limit"] == 200 && plain.json["offset"] == 0 && plain.json["facets"] == nil)
            for bad in [
                "match=x", "publishedSince=x", "q=%3F%21", "q=---&match=prefix", "q=.&match=similar",
                "q=\(String(repeating: "a", count: 1025))",
            ] {
                #expect(try await server.send("GET", "\(Self.path)?\(bad)", token: token).status == 400)
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `only readers search, and only what can be seen is found`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.createRepository("others", token: token)
            try await server.createRepository("open", settings: ["anonymousRead": true], token: token)
            let id = try await server.published("secret", token: token)
            try await server.published("secret", in: "others", token: token)
            try await server.published("secret", in: "open", token: token)
            try await server.index()
            #expect(try await server.found("q=secret", token: token) == ["secret@1.0.0"])
            #expect(try await server.send("GET", "\(Self.path)?q=secret", token: nil).status == 401)
            let stranger = try await server.token(["repo:others:read"], subject: "stranger")
            #expect(try await server.send("GET", "\(Self.path)?q=secret", token: stranger).status == 403)
            #expect(try await server.found("q=secret", in: "others", token: stranger).count == 1)
            #expect(
                try await server.send("GET", "/v1/repos/open/search/packages", token: nil).json["totalCount"] == 1)
            #expect(try await server.send("GET", "/v1/repos/none/search/packages", token: token).status == 404)
            for status in QuarantineStatus.allCases {
                try await server.quarantine(id, as: status)
                for match in ["words", "prefix", "similar"] {
                    let found = try await server.found("q=secret&match=\(match)", token: token)
                    #expect(found.isEmpty == status.hides)
                }
                #expect(try await server.found("", token: token).isEmpty == status.hides)
            }
            let tombstone = try await server.send(
                "POST", "/v1/repos/pkgs/packages/versions/\(id)/tombstone", token: token, ["reason": "gone"])
            try #require(tombstone.status == 200, "\(tombstone.text)")
            for match in ["words", "prefix", "similar"] {
                #expect(try await server.found("q=secret&match=\(match)", token: token) == [])
            }
            #expect(try await server.found("", token: token) == [])
        }
    }

    /// What breaks an index, in each database's words.
    private static let damages: [(String, Engine, SQL)] = [
        ("its words dropped", .sqlite, "DROP TABLE search_index"),
        ("its names dropped", .sqlite, "DROP TABLE search_names"),
        ("its words overwritten", .sqlite, "UPDATE search_index_data SET block = zeroblob(20)"),
        ("its names overwritten", .sqlite, "UPDATE search_names_data SET block = zeroblob(20)"),
        ("its words emptied", .sqlite, "DELETE FROM search_index_data"),
        ("its words dropped", .postgreSQL, "DROP TABLE search_index"),
        ("its words emptied", .postgreSQL, "TRUNCATE search_index"),
        ("its column dropped", .postgreSQL, "ALTER TABLE search_index DROP COLUMN words"),
    ]

    @Test(arguments: Self.damages.filter { Engine.direct.contains($0.1) })
    func `a damaged index touches nothing else, and a rebuild restores it`(
        name: String, engine: Engine, damage: SQL
    ) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.published("first", token: token)
            try await server.index()
            try await server.execute(damage)
            // Publish, resolve and download go on; indexing fails by itself.
            let id = try await server.published("second", token: token)
            #expect(try await server.publish(id, token: token).status == 200)
            let view = try await server.send("GET", "/v1/repos/pkgs/packages/versions/\(id)", token: token)
            #expect(view.status == 200)
            let digest = try await server.commit(Array("content".utf8), in: "pkgs")
            #expect(try await server.send("GET", "/v1/repos/pkgs/blobs/\(digest.hex)", token: token).status == 200)
            try await server.index()
            for query in ["q=first", "q=firts&match=similar"] {
                let search = try await server.send("GET", "\(Self.path)?\(query)", token: token)
                #expect(search.status == 503 || search.status == 200, "\(search.status) \(search.text)")
            }
            let rebuild = try await server.send(
                "POST", "/v1/admin/search/rebuild", token: token, ["all": true, "recreate": true])
            #expect(rebuild.status == 200, "\(name): \(rebuild.text)")
            try await server.index()
            #expect(try await server.found("q=first", token: token) == ["first@1.0.0"])
            #expect(try await server.found("q=second", token: token) == ["second@1.0.0"])
            #expect(try await server.found("q=secnd&match=similar", token: token) == ["second@1.0.0"])
        }
    }

    @Test(arguments: Engine.direct)
    func `an index that can't be read is made anew by a rebuild of everything`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.published("first", token: token)
            try await server.index()
            try await server.execute("DROP TABLE search_index")
            #expect(try await server.send("GET", "\(Self.path)?q=first", token: token).status == 503)
            let rebuild = try await server.send("POST", "/v1/admin/search/rebuild", token: token, ["all": true])
            #expect(rebuild.status == 200 && rebuild.json["enqueuedCount"] == 1, "\(rebuild.text)")
            try await server.index()
            #expect(try await server.found("q=first", token: token) == ["first@1.0.0"])
        }
    }

    @Test(arguments: Engine.direct)
    func `no search reads a whole table`(engine: Engine) async throws {
        try await engine.withSeededDatabase { database in
            // What few documents have, and what all have.
            let requests = try ["p4711", "p4711-a-b-c 日本", "p"].flatMap { text in
                try SearchMatch.allCases.map { try SearchRequest(text, match: $0) }
            }
            let repository = RepoID(Seeded.id(.repo, 1))
            for request in requests {
                _ = try await database.read { transaction in
                    try SearchStore.page(
                        request, in: SearchPlace([repository]), limit: 25, offset: 0, countsTypes: true, transaction)
                }
                let plans = database.takePlans()
                // What was counted or chosen is no table; and where all documents fit, those that come first are enough.
                let parts = ["c", "newest", "named", "chosen"] + (request.text == "p" ? ["search_index"] : [])
                #expect(plans.flatMap(\.fullScans).filter { !parts.contains($0) } == [], "\(request): \(plans)")
            }
        }
    }

    private struct Undo: Error {}

    @Test(arguments: Engine.direct)
    func `of too many hits the names come first that are the query, then the newest`(engine: Engine) async throws {
        try await engine.withSeededCopy { database in
            let (tenant, repository) = (TenantID(Seeded.tenant(of: 1)), RepoID(Seeded.id(.repo, 1)))
            let (package, version) = (UniqueID.random(), UniqueID.random())
            let request = try SearchRequest("P", match: .words)
            // Nothing of it stays.
            await #expect(throws: Undo.self) {
                try await database.transaction { transaction in
                    try transaction.execute(
                        """
                        INSERT INTO packages (package_id, tenant_id, repo_id, package_type, name)
                        VALUES (\(package), \(tenant), \(repository), 'generic', 'p')
                        """)
                    try transaction.execute(
                        """
                        INSERT INTO package_versions (version_id, tenant_id, repo_id, package_id, version, state,
                            created_by_subject, published_at)
                        VALUES (\(version), \(tenant), \(repository), \(package), '1', 'published', 's',
                            \(Seeded.start + -1))
                        """)
                    let document = try #require(
                        try SearchIndexStore.source(VersionID(version), of: tenant, transaction))
                    try SearchIndexStore.put(document, at: Seeded.now, transaction)
                    let names = try [0, 3].flatMap { offset in
                        let page = try SearchStore.page(
                            request, in: SearchPlace([repository]), limit: 3, offset: offset, countsTypes: false,
                            transaction)
                        #expect(page.total == SearchStore.exactLimit && !page.isTotalExact)
                        return page.hits.map(\.name)
                    }
                    #expect(names == ["p", "p99998", "p99996", "p99994", "p99992", "p99990"])
                    throw Undo()
                }
            }
        }
    }
}
