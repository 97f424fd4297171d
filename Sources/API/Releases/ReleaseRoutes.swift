// Release sets: several versions published in one transaction, or none. Beyond the contract's routes; who may:
// section 9, row 25.

import Domain
import HTTP
import Identity
import Persistence
package import Registry

package struct ReleaseRoutes: Sendable {
    private let releasing: Releasing
    private let reading: ReleaseReading

    package init(releasing: Releasing, reading: ReleaseReading) {
        self.releasing = releasing
        self.reading = reading
    }

    package var routes: [Route] {
        let releases = "/v1/releases"
        let readers = "read or promote on every repository of the release"
        return [
            .own("POST", releases, "promote on every repository named") { call, identity in
                try await self.release(call, identity)
            },
            .own("GET", releases, readers) { call, identity in try await self.list(call, identity) },
            .own("GET", "\(releases)/{releaseId}", readers) { call, identity in
                let caller = try await identity.caller(for: call.credential, correlation: call.correlation)
                return .json(200, try await self.reading.release(call.releaseID, for: caller).json)
            },
        ]
    }

    private func release(_ call: Call, _ identity: Authenticator) async throws -> Response {
        let caller = try await identity.caller(for: call.credential, correlation: call.correlation)
        guard caller.scopes.contains(where: { $0.role.satisfies(.promote) }) else {
            throw Refusal(.forbidden, "The role 'promote' is needed on each repository of the versions named.")
        }
        // Authorized by what the body names, and that before any replay: so the body is read first.
        let (first, again) = try await call.buffered()
        let plan = try await self.releasing.plan(ReleaseSet(first.fields()), for: caller)
        return try await again.once(for: caller) { call in
            try await call.commit { commit in
                try await self.releasing.release(plan, commit: commit)
            } answer: { published in
                if published.isRepeated { return .json(200, published.answer) }
                return call.created(at: "/v1/releases/\(published.release.id)", published.answer)
            }
        }
    }

    private func list(_ call: Call, _ identity: Authenticator) async throws -> Response {
        let caller = try await identity.caller(for: call.credential, correlation: call.correlation)
        var position: ReleaseID?
        if let cursor = try call.cursor {
            guard cursor.count == 1, let id = UniqueID(cursor[0]) else {
                throw Refusal.badRequest("after must be the 'next' of a page.")
            }
            position = ReleaseID(id)
        }
        let page = try await self.reading.releases(
            before: position, limit: call.request.target.count("limit", default: 100, atMost: 500), for: caller)
        return .json(
            200,
            [
                "items": .array(page.items.map { .object($0.members) }),
                "next": JSON(page.next.map { Cursor.text(of: [$0.description]) }),
            ])
    }
}

extension Call {
    /// - Throws: `bad_request`.
    fileprivate var releaseID: ReleaseID {
        get throws(Refusal) { try self.id("releaseId", of: Release.self) }
    }
}

extension ReleaseSet {
    /// - Throws: `bad_request`.
    fileprivate init(_ fields: Fields) throws(Refusal) {
        var versions: [VersionID] = []
        for text in try fields.texts("versionIds") ?? [] {
            guard let id = UniqueID(text.trimmed) else { throw .badRequest("versionIds must be a list of UUIDs.") }
            versions.append(VersionID(id))
        }
        try self.init(name: fields.trimmedLine("name"), versions: versions)
    }
}

extension StoredRelease {
    fileprivate var members: [JSON.Member] {
        [
            .init("releaseId", JSON(self.id)), .init("name", JSON(self.name)),
            .init("publishedAtUtc", JSON(self.publishedAt)), .init("publishedBySubject", .string(self.publishedBy)),
            .init("versionCount", JSON(self.versionCount)),
        ]
    }
}

extension PublishedRelease {
    fileprivate var json: JSON { .object(self.release.members + [self.list]) }

    fileprivate var answer: JSON {
        .object(self.release.members + [.init("idempotent", .bool(self.isRepeated)), self.list])
    }

    private var list: JSON.Member { .init("versions", .array(self.versions.map(\.json))) }
}

extension ReleasedVersion {
    fileprivate var json: JSON {
        [
            "versionId": JSON(self.id), "repoKey": .string(self.repo.text), "packageType": .string(self.package.type),
            "packageNamespace": JSON(self.package.namespace), "packageName": .string(self.package.name),
            "version": .string(self.version), "state": .string(self.state?.rawValue ?? "deleted"),
            "outboxEventId": JSON(self.event?.description), "quarantineId": JSON(self.quarantine),
            "quarantineStatus": JSON(self.quarantineStatus?.rawValue),
        ]
    }
}
