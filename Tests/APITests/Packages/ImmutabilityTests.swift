// A published version never changes: by the type, by the use case, by the database. Invariant I2. (Every guard of the
// database by itself: GuardTests.)

import Domain
import HTTP
import Persistence
import Registry
import TestSupport
import Testing

@testable import artifortress

@Suite struct ImmutabilityTests {
    @Test(arguments: VersionState.allCases)
    func `by type, only a draft can be written to`(state: VersionState) throws {
        let now = Timestamp(microseconds: 0)
        let repository = Repository(
            id: RepoID(.random()), tenant: TenantID(.random()), key: try RepoKey(parsing: "r"), kind: .local,
            format: nil, settings: RepositorySettings(), revision: 1, createdAt: now, updatedAt: now)
        let version = PackageVersion(
            id: VersionID(.random()), repository: repository, package: nil,
            coordinate: Coordinate(PackageName(type: "t", name: "n"), version: "1", sortKey: []), state: state,
            sealing: .sealed, contentRevision: 0, createdAt: now, publishedAt: state == .draft ? nil : now)
        // Whatever writes content takes a Draft, and this is the one way to have one.
        if state == .draft {
            #expect(try version.draft().published(at: now).state == .published)
        } else {
            let refusal = try #require(throws: Refusal.self) { _ = try version.draft() }
            #expect(refusal.reason == .conflict && refusal.message.contains("cannot be modified"))
        }
    }

    @Test(arguments: Engine.direct, ["published", "tombstoned"])
    func `by use case, each write is refused with the same answer each time`(
        engine: Engine, state: String
    ) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            let digest = try await server.commit(Array("content".utf8), in: "pkgs")
            let one = "/v1/repos/pkgs/packages/versions/\(id)"
            if state == "tombstoned" {
                _ = try await server.send("POST", "\(one)/tombstone", token: token, ["reason": "r"])
            }
            let before = try await server.send("GET", one, token: token)
            for _ in 0..<2 {
                let entry = try await server.putEntry("file.bin", digest, length: 7, of: id, token: token)
                let manifest = try await server.putManifest(["name": "q", "version": "2"], of: id, token: token)
                for answer in [entry, manifest] {
                    #expect(answer.status == 409 && answer.error == "conflict", "\(answer.text)")
                    #expect(answer.text.contains("The version is \(state): it cannot be modified."))
                }
            }
            #expect(try await server.send("GET", one, token: token).json == before.json)
        }
    }

    /// Somebody publishes the version by hand, amid a request: after its first entry was written.
    private static func meddle(_ server: Installation) async throws {
        let script =
            switch server.database.dialect {
            case .sqlite:
                """
                CREATE TRIGGER meddle AFTER INSERT ON artifact_entries FOR EACH ROW WHEN NEW.relative_path = 'first'
                BEGIN
                    UPDATE package_versions SET state = 'published', published_at = 1
                    WHERE version_id = NEW.version_id;
                END;
                """
            case .postgreSQL:
                """
                CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    UPDATE package_versions SET state = 'published', published_at = now()
                    WHERE version_id = NEW.version_id;
                    RETURN NULL;
                END $$;
                CREATE TRIGGER meddle AFTER INSERT ON artifact_entries
                    FOR EACH ROW WHEN (NEW.relative_path = 'first') EXECUTE FUNCTION meddle();
                """
            }
        try await server.database.transaction { try $0.run(script: script) }
    }

    @Test(arguments: Engine.direct)
    func `by the database, what the use case could not see is refused as a conflict`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let digest = try await server.commit([1], in: "pkgs")
            let id = try await server.draft("p", token: token)
            try await Self.meddle(server)
            let entries: [JSON] = ["first", "second"].map { path in
                ["relativePath": .string(path), "blobDigest": .string(digest.hex), "sizeBytes": 1]
            }
            for _ in 0..<2 {
                let answer = try await server.send(
                    "POST", "/v1/repos/pkgs/packages/versions/\(id)/entries", token: token,
                    ["entries": .array(entries)])
                #expect(answer.status == 409 && answer.error == "conflict", "\(answer.text)")
                #expect(answer.text.contains("cannot be modified"))
            }
            let view = try await server.send("GET", "/v1/repos/pkgs/packages/versions/\(id)", token: token)
            #expect(view.json["state"] == "draft" && view.json["entries"] == [], "none of it was kept")
        }
    }
}
