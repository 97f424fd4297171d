// Reading packages: lists, versions, files. Beyond the contract's routes; who sees what: architecture, section 5.

package import Domain
import HTTP
import Persistence
package import Registry

package struct PackageRoutes: Sendable {
    private let formats: PackageFormats
    private let reading: PackageReading
    private let resolving: Resolving
    private let files: FileAnswer

    package init(formats: PackageFormats, reading: PackageReading, resolving: Resolving, files: FileAnswer) {
        self.formats = formats
        self.reading = reading
        self.resolving = resolving
        self.files = files
    }

    package var routes: [Route] {
        let packages = "/v1/repos/{repoKey}/packages"
        let one = "\(packages)/{type}/{name}"
        let rule = "read, or a repository that everyone may read"
        return [
            .own("GET", packages, rule) { call, _ in try await self.list(call) },
            .own("GET", "\(packages)/versions/{versionId}", rule) { call, _ in
                .json(200, try await self.reading.version(call.versionID, in: call.place).json)
            },
            .own("GET", "\(packages)/versions/{versionId}/entries", rule) { call, _ in try await self.entries(call) },
            .own("GET", "\(one)/versions", rule) { call, _ in try await self.versions(call) },
            .own("GET", "\(one)/versions/{version}", rule) { call, _ in
                let package = try call.package(self.formats)
                return .json(
                    200, try await self.reading.version(call.versionText, of: package, in: call.place).json)
            },
            .own("GET", "\(one)/versions/{version}/files/{path...}", rule) { call, _ in
                try await self.file(call, .version(Name(call.versionText)))
            },
            .own("GET", "\(one)/tags/{tag}/files/{path...}", rule) { call, _ in
                try await self.file(call, .tag(Name(call.tagName.text)))
            },
        ]
    }

    private func list(_ call: Call) async throws -> Response {
        let target = call.request.target
        var filter = PackageStore.Filter()
        filter.type = target.parameter("type")?.trimmedOrNil?.lowercased()
        if let namespace = target.parameter("namespace")?.trimmed {
            // Its case is the format's matter.
            filter.namespace =
                try filter.type.map { type throws(Refusal) in
                    try self.formats[type].name(namespace: namespace, "x").namespace ?? ""
                } ?? namespace
        }
        var position: PackageName?
        if let cursor = try call.cursor {
            guard cursor.count == 3 else { throw Refusal.badRequest("after must be the 'next' of a page.") }
            position = PackageName(type: cursor[0], namespace: cursor[1], name: cursor[2])
        }
        let page = try await self.reading.packages(
            filter, in: call.place, after: position, limit: target.count("limit", default: 100, atMost: 500))
        let next = page.next.map { Cursor.text(of: [$0.type, $0.namespace ?? "", $0.name]) }
        return .json(
            200,
            [
                "repoKey": .string(try call.repoKey.text), "items": .array(page.items.map(\.json)), "next": JSON(next),
            ])
    }

    private func versions(_ call: Call) async throws -> Response {
        let target = call.request.target
        let package = try call.package(self.formats)
        let order = target.parameter("order")?.trimmedOrNil?.lowercased() ?? "desc"
        guard ["asc", "desc"].contains(order) else { throw Refusal.badRequest("order must be 'asc' or 'desc'.") }
        var position: (sortKey: [UInt8], id: VersionID)?
        if let cursor = try call.cursor {
            guard cursor.count == 2, let key = Hexadecimal.bytes(of: cursor[0]), let id = UniqueID(cursor[1]) else {
                throw Refusal.badRequest("after must be the 'next' of a page.")
            }
            position = (key, VersionID(id))
        }
        let limit = target.count("limit", default: 100, atMost: 500)
        let page = try await self.reading.versions(
            of: package, in: call.place, after: position, descending: order == "desc", limit: limit)
        let next =
            page.count == limit
            ? page.last.map { Cursor.text(of: [Hexadecimal.text(of: $0.sortKey), $0.id.description]) } : nil
        return .json(
            200,
            .object(
                try call.names(of: package) + [
                    .init("items", .array(page.map(\.json))), .init("next", JSON(next)),
                ]))
    }

    private func entries(_ call: Call) async throws -> Response {
        let (version, page) = try await self.reading.entries(
            of: call.versionID, in: call.place, after: try call.cursor?.first,
            limit: call.request.target.count("limit", default: 100, atMost: 1000))
        return .json(
            200,
            [
                "versionId": JSON(version.id), "repoKey": .string(version.repository.key.text),
                "state": .string(version.state.rawValue), "items": .array(page.items.map(\.json)),
                "next": JSON(page.next.map { Cursor.text(of: [$0]) }),
            ])
    }

    private func file(_ call: Call, _ selector: FileRequest.Selector) async throws -> Response {
        let path = try RelativePath(lookingUp: call.values["path"] ?? "")
        let file = try await self.resolving.file(
            FileRequest(call.package(self.formats), selector, path: path), in: call.repoKey, for: call.credential,
            correlation: call.correlation)
        return try await self.files.respond(FileDescription(file), to: call.request)
    }
}

extension Call {
    fileprivate var versionText: String { (self.values["version"] ?? "").trimmed }
}

extension ListedPackage {
    fileprivate var json: JSON {
        [
            "packageType": .string(self.name.type), "packageNamespace": JSON(self.name.namespace),
            "packageName": .string(self.name.name), "displayName": .string(self.name.displayName),
            "latestVersion": .string(self.highestVersion),
        ]
    }
}

extension ListedVersion {
    fileprivate var json: JSON {
        [
            "versionId": JSON(self.id), "version": .string(self.version), "publishedAtUtc": JSON(self.publishedAt),
            "publishedBySubject": JSON(self.publishedBy),
        ]
    }
}

extension ArtifactEntry {
    fileprivate var json: JSON {
        [
            "relativePath": .string(self.path.text), "sizeBytes": JSON(self.length),
            "blobDigest": .string(self.digest.hex),
            "checksumSha256": .string(self.digest.hex), "checksumSha1": JSON(self.sha1),
            "contentType": JSON(self.contentType),
        ]
    }
}

extension VersionView {
    fileprivate var json: JSON {
        let (version, more) = (self.version, self.circumstances)
        let members: [JSON.Member] = [
            .init("displayName", .string(version.coordinate.package.displayName)),
            .init("createdAtUtc", JSON(version.createdAt)), .init("createdBySubject", .string(more.createdBy)),
            .init("publishedAtUtc", JSON(version.publishedAt)), .init("publishedBySubject", JSON(more.publishedBy)),
            .init("tombstonedAtUtc", JSON(more.tombstonedAt)), .init("tombstoneReason", JSON(more.tombstoneReason)),
            .init("retentionUntilUtc", JSON(more.retentionUntil)),
            .init("quarantineStatus", JSON(more.quarantine?.rawValue)), .init("tags", JSON(more.tags)),
            .init("entries", .array(self.entries.items.map(\.json))),
            .init("entriesNext", JSON(self.entries.next.map { Cursor.text(of: [$0]) })),
            .init("manifest", self.manifest?.document ?? .null),
            .init("manifestBlobDigest", JSON(self.manifest?.blob?.hex)),
            .init("attestations", .array(self.attestations.map(\.json))),
        ]
        return .object(version.names + members)
    }
}
