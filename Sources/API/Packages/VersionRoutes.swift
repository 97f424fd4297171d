// Package versions from draft to tombstone. Shapes: HTTP contract, 3.5; section 9, rows 5, 13, 14, 20, 25 to 27.

package import Domain
import HTTP
package import Registry

package struct VersionRoutes: Sendable {
    private let formats: PackageFormats
    private let drafts: Drafts
    private let contents: DraftContents
    private let publishing: Publishing
    private let tombstoning: Tombstoning

    package init(
        formats: PackageFormats, drafts: Drafts, contents: DraftContents, publishing: Publishing,
        tombstoning: Tombstoning
    ) {
        self.formats = formats
        self.drafts = drafts
        self.contents = contents
        self.publishing = publishing
        self.tombstoning = tombstoning
    }

    package var routes: [Route] {
        let versions = "/v1/repos/{repoKey}/packages/versions"
        let one = "\(versions)/{versionId}"
        return [
            .content("POST", "\(versions)/drafts", .write) { call, grant in try await self.open(call, grant) },
            .content("POST", "\(one)/entries", .write) { call, grant in try await self.putEntries(call, grant) },
            .content("PUT", "\(one)/manifest", .write) { call, grant in try await self.putManifest(call, grant) },
            .repository("GET", "\(one)/manifest", .read) { call, grant in
                .json(200, try await self.contents.manifest(of: call.versionID, under: grant).json)
            },
            .content("POST", "\(one)/publish", .promote) { call, grant in try await self.publish(call, grant) },
            .content("POST", "\(one)/tombstone", .promote) { call, grant in
                try await self.tombstone(call, grant)
            },
        ]
    }

    // MARK: - Drafts

    private func open(_ call: Call, _ grant: Grant) async throws -> Response {
        let fields = try await call.fields()
        let coordinate = try self.formats.coordinate(
            type: fields.requiredText("packageType"), namespace: fields.trimmedText("packageNamespace"),
            name: fields.requiredText("packageName"), version: fields.requiredText("version"))
        return try await call.commit { commit in
            try await self.drafts.open(coordinate, under: grant, commit: commit)
        } answer: { opened in
            if opened.isReused { return .json(200, opened.json) }
            let version = Target.encode(segment: opened.draft.version.coordinate.version)
            return call.created(at: "/v1/repos/\(grant.repo)/packages/versions/\(version)", opened.json)
        }
    }

    private func putEntries(_ call: Call, _ grant: Grant) async throws -> Response {
        let id = try call.versionID
        guard let objects = try await call.fields().objects("entries"), !objects.isEmpty else {
            throw Refusal.badRequest("entries must have at least one entry.")
        }
        var entries: [AnnouncedEntry] = []
        for object in objects { entries.append(try AnnouncedEntry(object)) }
        return try await call.commit { [entries] commit in
            try await self.contents.put(entries, of: id, under: grant, commit: commit)
        } answer: { [count = entries.count] version in
            .json(
                200,
                [
                    "versionId": JSON(version.id), "repoKey": .string(grant.repo.text),
                    "state": .string(version.state.rawValue), "entryCount": JSON(count),
                ])
        }
    }

    private func putManifest(_ call: Call, _ grant: Grant) async throws -> Response {
        let id = try call.versionID
        try await self.contents.require(id, under: grant)  // its 404 comes before the body's 400
        let fields = try await call.fields()
        guard let manifest = fields.value("manifest"), manifest.members != nil else {
            throw Refusal.badRequest("manifest must be an object.")
        }
        let blob = try fields.trimmedText("manifestBlobDigest").map { text in try BlobDigest(parsing: text) }
        return try await call.commit { commit in
            try await self.contents.put(manifest, blob: blob, of: id, under: grant, commit: commit)
        } answer: { version in
            .json(
                200,
                [
                    "versionId": JSON(version.id), "repoKey": .string(grant.repo.text),
                    "packageType": .string(version.coordinate.package.type),
                    "state": .string(version.state.rawValue), "manifestBlobDigest": JSON(blob?.hex),
                ])
        }
    }

    // MARK: - Publish and tombstone

    private func publish(_ call: Call, _ grant: Grant) async throws -> Response {
        let id = try call.versionID
        return try await call.commit { commit in
            try await self.publishing.publish(id, under: grant, commit: commit)
        } answer: { publication in
            .json(200, publication.json)
        }
    }

    private func tombstone(_ call: Call, _ grant: Grant) async throws -> Response {
        let id = try call.versionID
        let fields = try await call.fields()
        let reason = try fields.requiredText("reason")
        let days = try fields.integer("retentionDays")
        guard days <= 3650 else { throw Refusal.badRequest("retentionDays must be 1 to 3650.") }
        return try await call.commit { commit in
            try await self.tombstoning.tombstone(
                id, reason: reason, days: days > 0 ? Int(days) : nil, under: grant, commit: commit)
        } answer: { tombstoned in
            .json(200, tombstoned.json)
        }
    }
}

extension Call {
    /// - Throws: `bad_request`.
    var versionID: VersionID {
        get throws(Refusal) { try self.id("versionId", of: PackageVersion.self) }
    }
}

extension AnnouncedEntry {
    /// - Throws: `bad_request`.
    init(_ fields: Fields) throws(Refusal) {
        let path = try RelativePath(parsing: fields.requiredText("relativePath"))
        let size = try fields.integer("sizeBytes")
        guard size > 0 else { throw .badRequest("sizeBytes of '\(path)' must be greater than 0.") }
        let sha1 = try fields.trimmedText("checksumSha1")?.lowercased()
        if let sha1, sha1.utf8.count != 40 || Hexadecimal.bytes(of: sha1) == nil {
            throw .badRequest("checksumSha1 of '\(path)' must be the 40 hexadecimal digits of a SHA-1.")
        }
        let sha256: BlobDigest?
        if let text = try fields.trimmedText("checksumSha256") {
            sha256 = try BlobDigest(parsing: text)
        } else {
            sha256 = nil
        }
        self.init(
            path: path, digest: try BlobDigest(parsing: fields.requiredText("blobDigest")), size: Int(size),
            sha256: sha256, sha1: sha1)
    }
}
