// Bindings, tenant roles, token policy and inventory, quotas, repository settings: called as the contract writes them.
// Rules: HTTP contract, 3.2, 3.3, 7.1 to 7.5; section 9, rows 4, 28 and 29.

import Domain
import HTTP
import Persistence
import Registry
import TestSupport
import Testing

@testable import artifortress

@Suite struct ControlTests {
    @Test(arguments: Engine.direct)
    func `bindings are replaced, listed and removed, and tokens derive their scopes of them`(
        engine: Engine
    ) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            _ = try await server.send("POST", "/v1/repos", token: token, ["repoKey": "alpha", "repoType": "local"])
            let path = "/v1/repos/alpha/bindings"
            let bound = try await server.send(
                "PUT", "\(path)/Carl%2FX", token: token, ["roles": ["promote", "READ", " admin", "read"]])
            #expect(bound.status == 200)
            #expect(bound.json["subject"] == "carl/x" && bound.json["roles"] == ["read", "admin", "promote"])
            _ = try await server.send("PUT", "\(path)/ann", token: token, ["roles": ["write", "promote"]])
            let list = try await server.send("GET", path, token: token)
            #expect(list.json.elements?.map { $0["subject"]?.text } == ["ann", "carl/x"])
            #expect(list.json.elements?.last?.members == bound.json.members)

            let issued = try await server.send(
                "POST", "/v1/auth/pats", token: token, ["subject": "ANN", "ttlMinutes": 5])
            #expect(issued.json["scopes"] == ["repo:alpha:write", "repo:alpha:promote"])
            let none = try await server.send(
                "POST", "/v1/auth/pats", token: token, ["subject": "bob", "ttlMinutes": 5])
            #expect(none.status == 400)

            let removed = try await server.send("DELETE", "\(path)/ann", token: token)
            #expect(removed.json == ["repoKey": "alpha", "subject": "ann", "deleted": true])
            let again = try await server.send("DELETE", "\(path)/ann", token: token)
            #expect(again.status == 200 && again.json["deleted"] == false)
            #expect(try await server.audit(token, "action=repo.binding.deleted").count == 2)
            let audited = try await server.audit(token, "action=repo.binding.upserted&resourceId=alpha:carl/x")
            #expect(audited.first?["details"] == ["roles": "read,admin,promote"])

            #expect(try await server.send("PUT", "\(path)/x", token: token, ["roles": []]).status == 400)
            #expect(try await server.send("PUT", "\(path)/x", token: token, ["roles": ["owner"]]).status == 400)
            let missing = "/v1/repos/nothing/bindings"
            #expect(try await server.send("PUT", "\(missing)/x", token: token, ["roles": []]).status == 404)
            #expect(try await server.send("GET", missing, token: token).status == 404)
            #expect(try await server.send("DELETE", "\(missing)/x", token: token).status == 404)
        }
    }

    @Test(arguments: Engine.direct)
    func `tenant roles act at once on tokens that exist`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            let token = try await server.token(["repo:x:read"], subject: "eve")
            let path = "/v1/admin/tenant-role-bindings"
            #expect(try await server.send("GET", "/v1/audit", token: token).status == 403)
            let bound = try await server.send("PUT", "\(path)/Eve", token: admin, ["roles": ["tenant_auditor"]])
            #expect(bound.status == 200 && bound.json["roles"] == ["auditor"])
            #expect(try await server.send("GET", "/v1/audit", token: token).status == 200)
            #expect(try await server.send("GET", path, token: token).status == 403)
            _ = try await server.send("PUT", "\(path)/eve", token: admin, ["roles": ["operator", "admin"]])
            let list = try await server.send("GET", path, token: token)
            #expect(list.json.elements?.map { $0["roles"] } == [["admin", "operator"]])
            // They give no repository role, and don't make repositories.
            #expect(try await server.send("GET", "/v1/repos", token: token).json == [])
            let made = try await server.send("POST", "/v1/repos", token: token, ["repoKey": "y", "repoType": "local"])
            #expect(made.status == 403)
            let bare = try await server.send(
                "POST", "/v1/auth/pats", token: admin, ["subject": "eve", "ttlMinutes": 5])
            #expect(bare.status == 200 && bare.json["scopes"] == [])
            let removed = try await server.send("DELETE", "\(path)/eve", token: admin)
            #expect(removed.json == ["subject": "eve", "deleted": true])
            #expect(try await server.send("GET", path, token: token).status == 403)
        }
    }

    @Test(arguments: Engine.direct)
    func `the token policy caps lifetimes and can shut the bootstrap token out`(engine: Engine) async throws {
        try await Installation.with(engine, ["auth.pat.maxTtlMinutes": "2000"]) { server in
            let admin = try await server.token()
            let path = "/v1/admin/auth/pat-policy"
            let standard = try await server.send("GET", path, token: admin)
            #expect(standard.json["maxTtlMinutes"] == 2000 && standard.json["allowBootstrapIssuance"] == true)
            #expect(standard.json["updatedBySubject"] == "system-default")
            #expect(standard.json["updatedAtUtc"] == "0001-01-01T00:00:00.000000Z")
            func ttl(_ minutes: Int64) async throws -> Int {
                try await server.send(
                    "POST", "/v1/auth/pats", token: admin,
                    ["subject": "x", "ttlMinutes": .integer(minutes), "scopes": ["repo:*:read"]]
                ).status
            }
            #expect(try await ttl(2000) == 200)
            #expect(try await ttl(2001) == 400)
            #expect(try await ttl(4) == 400)
            let set = try await server.send(
                "PUT", path, token: admin, ["maxTtlMinutes": "100", "allowBootstrapIssuance": false])
            #expect(set.status == 200 && set.json["maxTtlMinutes"] == 100)
            #expect(try await ttl(100) == 200)
            #expect(try await ttl(101) == 400)
            #expect(try await server.send("PUT", path, token: admin, ["maxTtlMinutes": 4]).status == 400)
            #expect(try await server.send("PUT", path, token: admin, ["maxTtlMinutes": 525_601]).status == 400)
            let high = try await server.send("PUT", path, token: admin, ["maxTtlMinutes": 525_600])
            #expect(high.json["maxTtlMinutes"] == 2000 && high.json["allowBootstrapIssuance"] == false)
            let bootstrap = try await server.send(
                "POST", "/v1/auth/pats", token: nil, ["subject": "x", "ttlMinutes": 5, "scopes": ["repo:*:read"]],
                headers: [("X-Bootstrap-Token", Installation.bootstrap)])
            #expect(bootstrap.status == 403)
            #expect(try await server.audit(admin, "action=auth.pat.policy.updated").count == 2)
        }
    }

    @Test(arguments: Engine.direct)
    func `tokens are listed and revoked one by one, by subject, and all`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token(subject: "admin")
            let tokens = [
                try await server.token(subject: "bob"), try await server.token(subject: "bob"),
                try await server.token(subject: "eve"),
            ]
            let path = "/v1/admin/auth/pats"
            let list = try await server.send("GET", path, token: admin)
            #expect(list.json.elements?.count == 4 && !tokens.contains { list.text.contains($0) })
            #expect(list.json.elements?.allSatisfy { $0["createdBySubject"] == "bootstrap" } == true)
            let bob = try await server.send("POST", "\(path)/revoke-subject", token: admin, ["subject": " BOB"])
            #expect(bob.json["subject"] == "bob" && bob.json["revokedCount"] == 2)
            #expect(bob.json["tokenIds"]?.elements?.count == 2)
            for (token, status) in zip(tokens, [401, 401, 200]) {
                #expect(try await server.send("GET", "/v1/auth/whoami", token: token).status == status)
            }
            let nobody = try await server.send("POST", "\(path)/revoke-subject", token: admin, ["subject": "bob"])
            #expect(nobody.status == 200 && nobody.json["revokedCount"] == 0)
            let eve = try #require(
                list.json.elements?.first { $0["subject"] == "eve" }?["tokenId"])
            let one = try await server.send("POST", "/v1/auth/pats/revoke", token: admin, ["tokenId": eve])
            #expect(one.json == ["tokenId": eve, "status": "revoked"])
            #expect(try await server.send("POST", "/v1/auth/pats/revoke", token: admin, ["tokenId": eve]).status == 404)
            let after = try await server.send("GET", path, token: admin)
            #expect(after.json.elements?.first?["subject"] == "admin")
            #expect(after.json.elements?.last?["subject"] == "eve")
            let all = try await server.send("POST", "\(path)/revoke-all", token: admin)
            #expect(all.json["revokedCount"] == 1)
            #expect(try await server.send("GET", "/v1/auth/whoami", token: admin).status == 401)
            let again = try await server.token(subject: "admin")
            #expect(try await server.audit(again, "action=auth.pat.revoked_all").count == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `a token's last use is noted, at most once a minute`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            let used = try await server.token(["repo:files:read"], subject: "used")
            func lastUse() async throws -> JSON? {
                try await server.serving.tokenUses.flush()
                let list = try await server.send("GET", "/v1/admin/auth/pats", token: admin)
                let row = list.json.elements?.first { $0["subject"] == "used" }
                #expect(row?["lastUsedAtUtc"] == .null || row?["lastUsedAuthSource"] == "pat")
                return row?["lastUsedAtUtc"]
            }
            #expect(try await lastUse() == .null)
            _ = try await server.send("GET", "/generic/files/x", token: used)  // not there, but it was used
            let first = try await lastUse()
            #expect(first != .null)
            _ = try await server.send("GET", "/v1/auth/whoami", token: used)
            #expect(try await lastUse() == first)
        }
    }

    @Test(arguments: Engine.direct)
    func `a token for a repository that does not exist is issued with a warning`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.withPackages()
            let issued = try await server.send(
                "POST", "/v1/auth/pats", token: admin,
                [
                    "subject": "ann", "ttlMinutes": 5,
                    "scopes": ["repo:pkgs:read", "repo:missing:write", "repo:missing:read", "repo:*:read"],
                ])
            #expect(issued.status == 200)
            #expect(
                issued.json["warnings"] == [
                    "Repository 'missing' does not exist: the scope 'repo:missing:write' has no effect until it is created.",
                    "Repository 'missing' does not exist: the scope 'repo:missing:read' has no effect until it is created.",
                ])
            let fine = try await server.send(
                "POST", "/v1/auth/pats", token: admin,
                ["subject": "ann", "ttlMinutes": 5, "scopes": ["repo:pkgs:read", "repo:*:read"]])
            #expect(fine.json["warnings"] == [])
        }
    }

    @Test(arguments: Engine.direct)
    func `quotas show what is used, and can be set`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            let path = "/v1/admin/tenant-admission-policy"
            let standard = try await server.send("GET", path, token: admin)
            #expect(standard.json["maxLogicalStorageBytes"] == 10_995_116_277_760)
            #expect(
                standard.json["usage"]
                    == ["logicalStorageBytes": 0, "activeUploadSessions": 0, "pendingSearchJobs": 0])
            let set = try await server.send(
                "PUT", path, token: admin,
                [
                    "MaxLogicalStorageBytes": 10_485_760, "maxConcurrentUploadSessions": "2",
                    "maxPendingSearchJobs": 50_000,
                ])
            #expect(set.status == 200 && set.json["usage"] == nil && set.json["maxConcurrentUploadSessions"] == 2)
            let shown = try await server.send("GET", path, token: admin)
            #expect(shown.json["updatedBySubject"] == "tester")
            for body in [
                ["maxLogicalStorageBytes": 10_485_759, "maxConcurrentUploadSessions": 1, "maxPendingSearchJobs": 1],
                ["maxLogicalStorageBytes": 10_485_760, "maxConcurrentUploadSessions": 1001, "maxPendingSearchJobs": 1],
                ["maxLogicalStorageBytes": 10_485_760, "maxConcurrentUploadSessions": 1],
            ] as [JSON] {
                #expect(try await server.send("PUT", path, token: admin, body).status == 400)
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `settings are replaced by whoever has seen the present ones`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            _ = try await server.send("POST", "/v1/repos", token: admin, ["repoKey": "alpha", "repoType": "local"])
            let shown = try await server.send("GET", "/v1/repos/alpha", token: admin)
            let tag = try #require(shown.headers["etag"])
            let update = try await server.send(
                "PUT", "/v1/repos/alpha", token: admin, ["settings": ["overwrite": true, "publishRole": "promote"]],
                headers: [("If-Match", tag)])
            #expect(update.status == 200 && update.json["settings"]?["overwrite"] == true)
            #expect(update.headers["etag"] != tag)
            let stale = try await server.send(
                "PUT", "/v1/repos/alpha", token: admin, ["settings": [:]], headers: [("If-Match", tag)])
            #expect(stale.status == 412 && stale.error == "precondition_failed")
            let unknown = try await server.send(
                "PUT", "/v1/repos/alpha", token: admin, ["settings": ["owerwrite": true]])
            #expect(unknown.status == 400)
            let other = try await server.send("PUT", "/v1/repos/alpha", token: admin, ["repoType": "virtual"])
            #expect(other.status == 400)
            #expect(try await server.send("PUT", "/v1/repos/none", token: admin, ["settings": [:]]).status == 404)
            let reset = try await server.send("PUT", "/v1/repos/alpha", token: admin, [:])
            #expect(reset.json["settings"]?["overwrite"] == false)
            #expect(try await server.audit(admin, "action=repo.updated").count == 2)
        }
    }

    @Test(arguments: Engine.direct)
    func `virtual repositories are made of others that exist, in no circle`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            func make(_ key: String, _ members: [String]?) async throws -> Answer {
                try await server.send(
                    "POST", "/v1/repos", token: admin,
                    [
                        "repoKey": .string(key), "repoType": members == nil ? "local" : "virtual",
                        "memberRepos": JSON(members ?? []),
                    ])
            }
            #expect(try await make("plain", nil).status == 201)
            #expect(try await make("v1", ["missing"]).status == 400)
            #expect(try await make("v1", ["v1"]).status == 400)
            #expect(try await make("v1", []).status == 400)
            let made = try await make("v1", ["PLAIN", " plain "])
            #expect(made.status == 201 && made.json["memberRepos"] == ["plain"])
            for (index, key) in ["v2", "v3", "v4", "v5"].enumerated() {
                #expect(try await make(key, ["v\(index + 1)"]).status == 201)
            }
            let deep = try await make("v6", ["v5"])
            #expect(deep.status == 409 && deep.error == "conflict")
            let circle = try await server.send("PUT", "/v1/repos/v1", token: admin, ["memberRepos": ["plain", "v5"]])
            #expect(circle.status == 409 && circle.json["message"]?.text?.contains("circle") == true)
            let fine = try await server.send("PUT", "/v1/repos/v5", token: admin, ["memberRepos": ["plain", "v1"]])
            #expect(fine.status == 200)
            for body in [["memberRepos": []], [:], ["memberRepos": ["nope"]]] as [JSON] {
                #expect(try await server.send("PUT", "/v1/repos/v5", token: admin, body).status == 400)
            }
        }
    }

    @Test(
        arguments: [
            ("", 400), ("ftp://x", 400), ("https://user:pw@x/", 400), ("/relative", 400), ("http://", 400),
            ("https://x/#f", 400), ("HTTPS://Up.Example/a?b=c", 201),
        ])
    func `a remote repository has an absolute upstream without credentials`(url: String, status: Int) async throws {
        try await Installation.with(.sqlite) { server in
            let answer = try await server.send(
                "POST", "/v1/repos", token: try await server.token(),
                ["repoKey": "r", "repoType": " Remote", "upstreamUrl": .string(url)])
            #expect(answer.status == status)
            if status == 201 { #expect(answer.json["upstreamUrl"] == "https://up.example/a?b=c") }
        }
    }

    @Test(arguments: Engine.direct)
    func `everyone reads where the repository lets everyone in, and nobody else`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            for key in ["open", "shut"] {
                _ = try await server.send(
                    "POST", "/v1/repos", token: admin,
                    [
                        "repoKey": .string(key), "repoType": "local",
                        "settings": ["anonymousRead": .bool(key == "open")],
                    ])
                let put = try await server.send(
                    "PUT", "/generic/\(key)/f", headers: [("Authorization", "Bearer \(admin)")], body: Array("x".utf8))
                #expect(put.status == 201)
            }
            let stranger = try await server.token(["repo:other:read"], subject: "stranger")
            for (token, key, status) in [
                (nil, "open", 200), (nil, "shut", 401), (nil, "none", 401), ("af_garbage", "open", 401),
                (stranger, "open", 200), (stranger, "shut", 403), (admin, "shut", 200),
            ] as [(String?, String, Int)] {
                for path in ["/generic/\(key)/f", "/generic/\(key)/"] {
                    let answer = try await server.send("GET", path, token: token)
                    #expect(answer.status == status, "\(token ?? "nobody") \(path)")
                }
            }
            #expect(try await server.send("PUT", "/generic/open/g", token: nil).status == 401)
            _ = try await server.send("PUT", "/v1/repos/open", token: admin, ["settings": [:]])
            #expect(try await server.send("GET", "/generic/open/f", token: nil).status == 401)
        }
    }
}
