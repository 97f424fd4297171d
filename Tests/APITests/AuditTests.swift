// What was done can be read, page by page and as a whole; secrets are not in it. Rules: HTTP contract, 1.6, 1.7, 3.9 and
// 7.12; section 9, row 21.

import Cryptography
import Domain
import HTTP
import Persistence
import Registry
import TestSupport
import Testing
import Threads

@testable import artifortress

@Suite struct AuditTests {
    @Test(arguments: Engine.direct)
    func `rows have the shape of the contract and the request's correlation`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            let correlation = "0F8FAD5B-D9CB-469F-A165-70867728950E"
            let created = try await server.send(
                "POST", "/v1/repos", token: token, ["repoKey": "alpha", "repoType": "local"],
                headers: [("X-Correlation-Id", correlation)])
            #expect(created.headers["x-correlation-id"] == correlation.lowercased())
            let row = try #require(try await server.audit(token, "action=repo.created").first)
            let tenant = server.deployment.defaultTenant.description
            #expect(
                row.members?.map(\.name) == [
                    "auditId", "correlationId", "tenantId", "actor", "action", "resourceType", "resourceId",
                    "occurredAtUtc", "details",
                ])
            #expect(row["correlationId"]?.text == correlation.lowercased() && row["tenantId"]?.text == tenant)
            #expect(row["actor"] == "tester" && row["resourceType"] == "repo" && row["resourceId"] == "alpha")
            #expect(row["details"] == ["repoType": "local"])
        }
    }

    @Test(arguments: Engine.direct)
    func `pages follow each other without gap or repetition`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            for number in 0..<23 {
                _ = try await server.send(
                    "PUT", "/v1/admin/tenant-role-bindings/s\(number % 5)", token: token, ["roles": ["auditor"]])
            }
            let all = try await server.audit(token)
            #expect(all.count == 24)
            var next: String? = "/v1/audit?limit=5"
            var paged: [JSON] = []
            while let path = next {
                let answer = try await server.send("GET", path, token: token)
                paged += answer.json.elements ?? []
                next = answer.headers["link"].map { String($0.dropFirst().prefix { $0 != ">" }) }
                #expect(paged.count <= 24)
            }
            #expect(paged == all)
            let ids = all.compactMap { $0["auditId"]?.integer }
            #expect(ids == ids.sorted(by: >))
        }
    }

    @Test(arguments: Engine.direct)
    func `filters narrow the list, and each other`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            let other = try await server.token(subject: "other")
            for (key, caller) in [("alpha", token), ("beta", other), ("gamma", token)] {
                _ = try await server.send(
                    "POST", "/v1/repos", token: caller, ["repoKey": .string(key), "repoType": "local"])
            }
            func keys(_ query: String) async throws -> [String] {
                try await server.audit(token, query).compactMap { $0["resourceId"]?.text }
            }
            #expect(try await keys("action=repo.created") == ["gamma", "beta", "alpha"])
            #expect(try await keys("action=repo.created&actor=TESTER") == ["gamma", "alpha"])
            #expect(try await keys("resourceType=repo&resourceId=beta") == ["beta"])
            #expect(try await keys("action=repo.deleted").isEmpty)
            #expect(try await keys("action=repo.created&since=2000-01-01T00:00:00Z&until=2001-01-01T00:00:00Z").isEmpty)
            let rows = try await server.audit(token, "action=repo.created")
            let middle = try #require(rows[1]["occurredAtUtc"]?.text)
            #expect(try await keys("action=repo.created&until=\(middle)") == ["alpha"])
            #expect(try await keys("action=repo.created&since=\(middle)") == ["gamma", "beta"])
            #expect(try await keys("action=repo.created&limit=-3&before=x").count == 3)
            let bad = try await server.send("GET", "/v1/audit?since=yesterday", token: token)
            #expect(bad.status == 400 && bad.error == "bad_request")
        }
    }

    @Test(arguments: Engine.direct)
    func `an export is the list as lines, with its hash before it`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            let caller = Caller(
                tenant: server.deployment.defaultTenant, subject: .system, scopes: [], source: .local,
                correlation: .random())
            try await server.database.transaction { [now = server.deployment.clock.now()] transaction in
                for number in 0..<1234 {
                    try AuditLog.append(
                        AuditEntry("test.row", on: "row", number), by: caller, at: now, transaction)
                }
            }
            for (query, count) in [("", 1000), ("?limit=5000", 1235), ("?limit=450", 450), ("?action=none", 0)] {
                let export = try await server.send("GET", "/v1/audit/export\(query)", token: token)
                #expect(export.status == 200 && export.headers["content-type"] == "application/x-ndjson")
                #expect(
                    export.headers["content-disposition"] == "attachment; filename=audit-export.ndjson")
                #expect(
                    export.headers["x-artifortress-export-sha256"] == SHA256.digest(of: export.body).hex)
                let lines = export.text.split(separator: "\n", omittingEmptySubsequences: false)
                #expect(count == 0 ? export.body.isEmpty : lines.count == count)
                let list = try await server.audit(token)
                for (line, row) in zip(lines, list) where count > 0 { #expect(String(line) == row.description) }
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `denied changes are in the log, denied reads are not`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let (admin, reader) = (
                try await server.token(), try await server.token(["repo:alpha:read"], subject: "reader")
            )
            let denied = try await server.send(
                "POST", "/v1/repos", token: reader, ["repoKey": "beta", "repoType": "local"])
            #expect(denied.status == 403)
            #expect(try await server.send("GET", "/v1/audit", token: reader).status == 403)
            #expect(try await server.send("PUT", "/generic/alpha/x", token: reader).status == 403)
            let anonymous = try await server.send("POST", "/v1/auth/pats", token: nil, ["subject": "x"])
            #expect(anonymous.status == 403)
            let rows = try await server.audit(admin, "action=access.denied")
            #expect(
                rows.map { $0["resourceId"]?.text } == [
                    "POST /v1/auth/pats", "PUT /generic/{repoKey}/{path...}", "POST /v1/repos",
                ])
            #expect(rows.map { $0["actor"]?.text } == ["anonymous", "reader", "reader"])
        }
    }

    @Test func `secrets that stand in details are not kept`() async throws {
        try await Installation.with(.sqlite) { server in
            let token = try await server.token()
            _ = try await server.send(
                "POST", "/v1/repos", token: token,
                ["repoKey": "r", "repoType": "remote", "upstreamUrl": "https://up.example/?token=s3cr3t"])
            let update = try await server.send(
                "PUT", "/v1/repos/r", token: token, ["upstreamUrl": "https://up.example/?token=s3cr3t"])
            #expect(update.status == 200)
            let export = try await server.send("GET", "/v1/audit/export", token: token)
            #expect(export.text.contains("repo.updated") && !export.text.contains("s3cr3t"))
        }
    }
}
