// Several clients at one session: whatever they do in whatever order, the session stays within its machine, a committed
// one has its blob, and nothing is left over. Rules: HTTP contract, 6.2; architecture, I1 and I5.

import Cryptography
import Domain
import Persistence
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct RivalTests {
    private static let bytes = Array("what was announced".utf8)
    private static let digest = SHA256.digest(of: bytes).hex

    @Test(arguments: Ground.all)
    func `of many commits one commits, and all tell the same`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let session = try await scene.session(Self.bytes)
            let tag = try await scene.put(Self.bytes, to: session)
            #expect(await scene.complete(session, [tag]).status == 200)
            let answers = await withTaskGroup(of: Answer.self) { group in
                for _ in 0..<8 { group.addTask { await scene.post("\(session)/commit") } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for answer in answers where answer.status != 200 {
                #expect(answer.status == 409 && answer["error"] == "conflict", "\(answer)")
            }
            #expect(answers.contains { $0.status == 200 })
            #expect(await scene.post("\(session)/commit").status == 200)
            #expect(try await scene.audit(of: session).filter { $0.action == "upload.committed" }.count == 1)
        }
    }

    @Test(arguments: Ground.all)
    func `of a commit and an abort one wins, and the loser is told`(ground: Ground) async throws {
        for _ in 0..<4 {
            try await ground.withScene { scene in
                let session = try await scene.session(Self.bytes)
                let tag = try await scene.put(Self.bytes, to: session)
                #expect(await scene.complete(session, [tag]).status == 200)
                async let committed = scene.post("\(session)/commit")
                async let aborted = scene.post("\(session)/abort")
                let (commit, abort) = await (committed, aborted)
                let state = try await scene.state(of: session)
                switch state {
                case .committed: #expect(commit.status == 200 && abort.status == 409)
                case .aborted: #expect(commit.status == 409 && abort.status == 200, "\(commit)")
                default: Issue.record("\(state)")
                }
                try await scene.sweep()
                #expect(try await scene.orphans() == [])
                #expect(try await scene.storage.keys().count == (state == .committed ? 1 : 0))
            }
        }
    }

    @Test(arguments: Ground.all, Seeds.batch(of: 6))
    func `no walk of several clients leaves the machine`(ground: Ground, seed: UInt64) async throws {
        try await ground.withScene { scene in
            try await scene.watchStates()
            let session = try await scene.session(Self.bytes)
            let tags = KnownTags()
            await withTaskGroup(of: Void.self) { group in
                for client in 0..<4 {
                    group.addTask {
                        var random = SplitMix64(seed &* 31 &+ UInt64(client))
                        for _ in 0..<12 { await Self.step(scene, session, tags, &random) }
                    }
                }
            }
            for (from, to) in try await scene.watchedStates() {
                let isLegal = UploadState.Event.allCases.contains { (try? from.after($0)) == to }
                #expect(from == to || isLegal, "\(from) became \(to)")
            }
            let state = try await scene.state(of: session)
            if state == .committed {
                let got = await scene.send("GET", "/v1/repos/files/blobs/\(Self.digest)")
                #expect(got.status == 200 && got.body == Self.bytes)
            }
            let committed = try await scene.count("SELECT count(*) FROM blobs")
            #expect(committed == (state == .committed ? 1 : 0))
            scene.pass(seconds: Int64(UploadScene.sessionLifetime) + 100)
            try await scene.sweep()
            #expect(try await scene.state(of: session).isTerminal)
            #expect(try await scene.orphans() == [])
            #expect(try await scene.storage.keys().count == committed)
            #expect(try await scene.count("SELECT count(*) FROM staged_objects") == 0)
            #expect(try await scene.count("SELECT open_sessions FROM tenant_usage") == 0)
        }
    }

    /// One random call.
    private static func step(
        _ scene: UploadScene, _ session: String, _ tags: KnownTags, _ random: inout SplitMix64
    ) async {
        let wrong = Array("what was not meant".utf8)
        let answer: Answer?
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<3: answer = await scene.post("\(session)/parts", ["partNumber": 1])
        case 3..<10:
            let bytes = Bool.random(using: &random) ? Self.bytes : wrong
            let number = Int.random(in: 1...2, using: &random)
            answer = nil
            if let tag = try? await scene.put(bytes, number, to: session), number == 1 {
                tags.add(tag)
            }
        case 10..<13:
            answer = await scene.complete(session, [tags.all.randomElement(using: &random) ?? "none"])
        case 13..<17: answer = await scene.post("\(session)/commit")
        case 17: answer = await scene.send("GET", session)
        case 18:
            answer = nil
            try? await scene.sweep()
        default:
            answer = Int.random(in: 0..<4, using: &random) == 0 ? await scene.post("\(session)/abort") : nil
        }
        if let answer { #expect([200, 404, 409, 503].contains(answer.status), "\(answer)") }
    }
}

/// Entity tags that any of the clients has seen.
private final class KnownTags: Sendable {
    private let tags = Mutex<[String]>([])

    var all: [String] { self.tags.withLock { $0 } }
    func add(_ tag: String) { self.tags.withLock { $0.append(tag) } }
}

extension UploadScene {
    /// Keeps every change of a session's state, also those that no answer shows.
    func watchStates() async throws {
        let isSQLite = self.database.dialect == .sqlite
        try await self.database.transaction { transaction in
            try transaction.run(script: "CREATE TABLE watched (before_state text, after_state text)")
            try transaction.run(
                script: isSQLite
                    ? """
                    CREATE TRIGGER watch AFTER UPDATE ON upload_sessions FOR EACH ROW
                    BEGIN INSERT INTO watched VALUES (OLD.state, NEW.state); END
                    """
                    : """
                    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN INSERT INTO watched VALUES (OLD.state, NEW.state); RETURN NULL; END $$;
                    CREATE TRIGGER watch AFTER UPDATE ON upload_sessions FOR EACH ROW EXECUTE FUNCTION watch()
                    """)
        }
    }

    func watchedStates() async throws -> [(UploadState, UploadState)] {
        try await self.database.lookup { transaction in
            try transaction.all(
                "SELECT before_state, after_state FROM watched",
                as: { (try $0[0] as UploadState, try $0[1] as UploadState) })
        }
    }
}
