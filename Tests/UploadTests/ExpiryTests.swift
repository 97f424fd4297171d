// The end of sessions by time. Rules: HTTP contract, 3.4, 6.2 and section 9, rows 11 and 38.

import Cryptography
import Domain
import Persistence
import Registry
import TestSupport
import Testing
import Threads

@Suite struct ExpiryTests {
    private static let bytes = Array("expiring".utf8)

    @Test(arguments: Ground.all)
    func `a session whose time is over takes nothing, and the worker frees it`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let opened = try await scene.session(Self.bytes)
            let uploading = try await scene.session(Self.bytes + [1])
            let tag = try await scene.put(Self.bytes + [1], to: uploading)
            let pending = try await scene.session(Self.bytes + [2])
            let other = try await scene.put(Self.bytes + [2], to: pending)
            #expect(await scene.complete(pending, [other]).status == 200)
            let committed = try await scene.upload(Self.bytes + [3])

            scene.pass(seconds: Int64(UploadScene.sessionLifetime) - 1800)
            try await scene.sweep()
            #expect(try await scene.state(of: opened) == .initiated)
            scene.pass(seconds: 1801)
            #expect(await scene.post("\(opened)/parts", ["partNumber": 1]).status == 409)
            #expect(await scene.complete(uploading, [tag]).status == 409)
            #expect(await scene.post("\(pending)/commit").status == 409)
            #expect(await scene.post("\(committed)/commit").status == 409)  // looked at before the state
            #expect(try await scene.count("SELECT open_sessions FROM tenant_usage") == 3)

            try await scene.sweep()
            for session in [opened, uploading, pending] {
                #expect(try await scene.state(of: session) == .aborted)
                let row = try #require(try await scene.audit(of: session).last)
                #expect(row.action == "upload.aborted" && row.details["reason"] == "expired")
            }
            #expect(try await scene.state(of: committed) == .committed)
            #expect(try await scene.orphans() == [])
            #expect(try await scene.storage.keys().count == 1)
            #expect(try await scene.count("SELECT count(*) FROM staged_objects") == 0)
            #expect(try await scene.count("SELECT open_sessions FROM tenant_usage") == 0)
            #expect(try await scene.count("SELECT logical_bytes FROM tenant_usage") == Self.bytes.count + 1)
            let again = await scene.post("\(opened)/abort", ["reason": "late"])
            #expect(again.status == 200 && again["reason"] == "late")
        }
    }

    @Test(arguments: Ground.all)
    func `a commit that runs isn't hit`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let session = try await scene.session(Self.bytes)
            let tag = try await scene.put(Self.bytes, to: session)
            #expect(await scene.complete(session, [tag]).status == 200)
            scene.pass(seconds: Int64(UploadScene.sessionLifetime) + 1)
            let (token, until) = (UniqueID.random(), scene.clock.now() + 60)
            try await scene.database.transaction { transaction in
                _ = try transaction.execute(
                    "UPDATE upload_sessions SET lease_token = \(token), lease_until = \(until)")
            }
            try await scene.sweep()
            #expect(try await scene.state(of: session) == .pendingCommit)
            // Who runs it is thought dead when the lease isn't renewed.
            scene.pass(seconds: 1801)
            try await scene.sweep()
            #expect(try await scene.state(of: session) == .aborted)
            #expect(try await scene.storage.keys() == [])
        }
    }

    @Test(arguments: Ground.all)
    func `what somebody works on isn't taken from him, and is freed after him`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let session = try await scene.session(Self.bytes)
            let tag = try await scene.put(Self.bytes, to: session)
            let (token, until) = (UniqueID.random(), scene.clock.now() + 60)
            try await scene.database.transaction { transaction in
                _ = try transaction.execute(
                    "UPDATE upload_sessions SET lease_token = \(token), lease_until = \(until)")
            }
            #expect(await scene.complete(session, [tag]).status == 409)
            #expect(await scene.post("\(session)/parts", ["partNumber": 1]).status == 409)
            #expect(await scene.post("\(session)/abort").status == 200)
            try await scene.sweep()
            #expect(try await scene.storage.keys().count == 1)
            scene.pass(seconds: 1801)
            try await scene.sweep()
            #expect(try await scene.storage.keys() == [])
            #expect(try await scene.count("SELECT count(*) FROM staged_objects") == 0)
        }
    }

    @Test(arguments: Ground.all)
    func `a repository that is deleted takes its sessions and their bytes with it`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let session = try await scene.session(Self.bytes)
            _ = try await scene.put(Self.bytes, to: session)
            #expect(await scene.send("DELETE", "/v1/repos/files").status == 200)
            #expect(await scene.send("GET", session).status == 404)
            #expect(try await scene.count("SELECT open_sessions FROM tenant_usage") == 0)
            try await scene.sweep()
            #expect(try await scene.storage.keys() == [])
            #expect(try await scene.count("SELECT count(*) FROM staged_objects") == 0)
        }
    }
}
