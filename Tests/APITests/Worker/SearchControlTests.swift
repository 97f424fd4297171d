// Rebuilding, pausing, resuming, canceling and watching the index. Rules: HTTP contract, 3.7, 4.4 and 7.10.

import Domain
import Persistence
import TestSupport
import Testing
import Worker

@testable import artifortress

@Suite struct SearchControlTests {
    private static let admin = "/v1/admin/search"

    @Test(arguments: Engine.direct)
    func `a rebuild requests the newest versions anew, within the quota`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for number in 1...5 { try await server.published("p\(number)", token: token) }
            try await server.index()
            try await server.execute("DELETE FROM search_documents")
            #expect(try await server.found("", token: token) == [])
            let part = try await server.send(
                "POST", "\(Self.admin)/rebuild", token: token, ["repoKey": "PKGS", "batchSize": 2])
            #expect(part.status == 200, "\(part.text)")
            #expect(part.json["repoKey"] == "pkgs" && part.json["requestedBatchSize"] == 2)
            #expect(part.json["effectiveBatchSize"] == 2 && part.json["enqueuedCount"] == 2)
            #expect(part.json["pendingJobsAfterEnqueue"] == 2)
            try await server.index()
            #expect(try await server.found("", token: token) == ["p5@1.0.0", "p4@1.0.0"])
            let all = try await server.send("POST", "\(Self.admin)/rebuild", token: token)
            #expect(all.json["repoKey"] == .null && all.json["requestedBatchSize"] == 500)
            #expect(all.json["enqueuedCount"] == 5 && all.json["pendingJobsAfterEnqueue"] == 500)
            try await server.index()
            #expect(try await server.found("", token: token).count == 5)
            for (body, status) in [
                (["repoKey": "none"], 404), (["batchSize": 5001], 400), (["batchSize": 5000], 200),
            ] as [(JSON, Int)] {
                #expect(try await server.send("POST", "\(Self.admin)/rebuild", token: token, body).status == status)
            }
            let audit = try await server.audit(token).filter { $0["action"] == "search.rebuild.requested" }
            #expect(audit.count == 3 && audit.last?["resourceId"] == "pkgs")
            #expect(audit.last?["details"]?["effectiveBatchSize"] == "2")
            let quota = try await server.send(
                "PUT", "/v1/admin/tenant-admission-policy", token: token,
                ["maxLogicalStorageBytes": 10_485_760, "maxConcurrentUploadSessions": 9, "maxPendingSearchJobs": 3])
            try #require(quota.status == 200)
            #expect(try await server.send("POST", "\(Self.admin)/rebuild", token: token).status == 429)
            try await server.index()
            let cut = try await server.send("POST", "\(Self.admin)/rebuild", token: token)
            #expect(cut.json["effectiveBatchSize"] == 3 && cut.json["enqueuedCount"] == 3)
            let reader = try await server.token(["repo:pkgs:admin"], subject: "reader")
            #expect(try await server.send("POST", "\(Self.admin)/rebuild", token: reader).status == 403)
            #expect(try await server.send("GET", "\(Self.admin)/status", token: reader).status == 403)
        }
    }

    @Test(arguments: Engine.direct)
    func `a rebuild of everything goes on batch by batch, also in another process`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for number in 1...7 { try await server.published("p\(number)", token: token) }
            try await server.index()
            try await server.execute("DELETE FROM search_documents")
            let started = try await server.send(
                "POST", "\(Self.admin)/rebuild", token: token, ["all": true, "batchSize": 2])
            #expect(started.json["enqueuedCount"] == 2)
            // Whoever sweeps goes on: nothing of it is in a process.
            let other = Serving(server.deployment, Observation(server.deployment.configuration))
            try await other.searchWork.once()
            let paused = try await server.send("POST", "\(Self.admin)/pause", token: token, ["reason": "nightly"])
            #expect(paused.status == 200)
            let before = try await server.found("", token: token).count
            try await server.index()
            #expect(try await server.found("", token: token).count == before && before < 7)
            #expect(try await server.send("POST", "\(Self.admin)/resume", token: token).json["paused"] == false)
            try await server.index()
            #expect(try await server.found("", token: token).count == 7)
            let status = try await server.send("GET", "\(Self.admin)/status", token: token)
            #expect(status.json["rebuild"] == ["status": "completed", "enqueuedCount": 7])
            #expect(status.json["staleDocuments"] == 0 && status.json["staleDocumentsIsExact"] == true)
        }
    }

    @Test(arguments: Engine.direct)
    func `while indexing is paused nothing is indexed, and all else goes on`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let unset = try await server.send("GET", "\(Self.admin)/status", token: token)
            #expect(unset.json["paused"] == false && unset.json["controlUpdatedBySubject"] == "system")
            #expect(try await server.send("POST", "\(Self.admin)/pause", token: token, [:]).status == 400)
            for _ in 1...2 {
                let paused = try await server.send("POST", "\(Self.admin)/pause", token: token, ["reason": "load"])
                #expect(paused.status == 200 && paused.json["paused"] == true && paused.json["pauseReason"] == "load")
            }
            try await server.published("p", token: token)
            try await server.index()
            #expect(try await server.found("q=p", token: token) == [])
            #expect(try await server.texts("SELECT status FROM search_index_jobs") == [])
            #expect(try await server.send("POST", "\(Self.admin)/rebuild", token: token).status == 409)
            let status = try await server.send("GET", "\(Self.admin)/status?repoKey=pkgs", token: token)
            #expect(status.json["paused"] == true && status.json["staleDocuments"] == 1)
            #expect(try #require(status.json["worstCaseFreshnessLagSeconds"]?.integer) >= 0)
            #expect(status.json["repoKey"] == "pkgs" && status.json["newestIndexedAtUtc"] == .null)
            #expect(try await server.send("GET", "\(Self.admin)/status?repoKey=none", token: token).status == 404)
            #expect(try await server.send("POST", "\(Self.admin)/resume", token: token).status == 200)
            try await server.index()
            #expect(try await server.found("q=p", token: token) == ["p@1.0.0"])
            let done = try await server.send("GET", "\(Self.admin)/status", token: token)
            #expect(done.json["completedJobs"] == 1 && done.json["staleDocuments"] == 0)
            #expect(done.json["worstCaseFreshnessLagSeconds"] == 0 && done.json["newestIndexedAtUtc"]?.text != nil)
            let actions = try await server.audit(token).compactMap { $0["action"]?.text }
                .filter { $0.hasPrefix("search.control") }
            #expect(actions == ["search.control.resumed", "search.control.paused", "search.control.paused"])
        }
    }

    @Test(arguments: Engine.direct)
    func `canceling takes what waits and what has failed`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.createRepository("others", token: token)
            try await server.published("a", token: token)
            try await server.published("b", in: "others", token: token)
            _ = try await server.send("POST", "\(Self.admin)/rebuild", token: token, ["all": true, "batchSize": 1])
            let part = try await server.send(
                "POST", "\(Self.admin)/cancel", token: token, ["repoKey": "others", "reason": "wrong"])
            #expect(part.json["cancelledCount"] == 1 && part.json["reason"] == "wrong", "\(part.text)")
            let all = try await server.send("POST", "\(Self.admin)/cancel", token: token)
            #expect(all.json["reason"] == "operator_cancelled" && all.json["repoKey"] == .null)
            #expect(all.json["remainingPendingJobs"] == 0 && all.json["processingJobsUnaffected"] == 0)
            let errors = try await server.texts("SELECT last_error FROM search_index_jobs ORDER BY last_error")
            #expect(errors == ["cancelled:wrong"])
            let status = try await server.send("GET", "\(Self.admin)/status", token: token)
            #expect(status.json["cancelledJobs"] == 1 && status.json["rebuild"]?["status"] == "cancelled")
            let body: JSON = ["repoKey": "none"]
            #expect(try await server.send("POST", "\(Self.admin)/cancel", token: token, body).status == 404)
            // The event comes later and requests the job anew.
            try await server.index()
            #expect(try await server.found("q=b", in: "others", token: token) == ["b@1.0.0"])
        }
    }
}
