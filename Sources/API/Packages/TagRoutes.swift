// Tags and channels of a package. The namespace, where a package has one, is the parameter `namespace`. Rules:
// architecture, section 5; HTTP contract, section 9, rows 25 and 37.

package import Domain
import HTTP
import Persistence
package import Registry

package struct TagRoutes: Sendable {
    private let formats: PackageFormats
    private let tagging: Tagging
    private let reading: PackageReading

    package init(formats: PackageFormats, tagging: Tagging, reading: PackageReading) {
        self.formats = formats
        self.tagging = tagging
        self.reading = reading
    }

    package var routes: [Route] {
        let tags = "/v1/repos/{repoKey}/packages/{type}/{name}/tags"
        let rule = "read, or a repository that everyone may read"
        return [
            .own("GET", tags, rule) { call, _ in try await self.list(call) },
            .own("GET", "\(tags)/{tag}", rule) { call, _ in try await self.show(call) },
            .own("GET", "\(tags)/{tag}/history", rule) { call, _ in try await self.history(call) },
            .content("PUT", "\(tags)/{tag}", .promote) { call, grant in try await self.move(call, grant) },
            .content("DELETE", "\(tags)/{tag}", .promote) { call, grant in try await self.remove(call, grant) },
        ]
    }

    private func list(_ call: Call) async throws -> Response {
        let package = try call.package(self.formats)
        let page = try await self.reading.tags(
            of: package, in: call.place, after: call.cursor?.first,
            limit: call.request.target.count("limit", default: 100, atMost: 500))
        return .json(
            200,
            .object(
                try call.names(of: package) + [
                    .init("items", .array(page.items.map { .object($0.members) })),
                    .init("next", JSON(page.next.map { Cursor.text(of: [$0]) })),
                ]))
    }

    private func show(_ call: Call) async throws -> Response {
        let package = try call.package(self.formats)
        let tag = try await self.reading.tag(call.tagName, of: package, in: call.place)
        return try Self.answer(200, tag, call.names(of: package))
    }

    private func history(_ call: Call) async throws -> Response {
        let package = try call.package(self.formats)
        let page = try await self.reading.history(
            of: call.tagName, of: package, in: call.place, before: try call.cursor?.first.flatMap { Int64($0) },
            limit: call.request.target.count("limit", default: 100, atMost: 500))
        return .json(
            200,
            .object(
                try call.names(of: package) + [
                    .init("tag", .string(try call.tagName.text)), .init("items", .array(page.items.map(\.json))),
                    .init("next", JSON(page.next.map { Cursor.text(of: [String($0)]) })),
                ]))
    }

    private func move(_ call: Call, _ grant: Grant) async throws -> Response {
        let (package, tag, names) = (
            try call.package(self.formats), try call.tagName, try call.names(of: call.package(self.formats))
        )
        let version = try await call.fields().requiredText("version")
        let condition = TagCondition(call.request.headers)
        return try await call.commit { commit in
            try await self.tagging.move(
                tag, of: package, to: version, if: { condition.holds(for: $0) }, under: grant, commit: commit)
        } answer: { moved in
            Self.answer(moved.isNew ? 201 : 200, moved.tag, names)
        }
    }

    private func remove(_ call: Call, _ grant: Grant) async throws -> Response {
        let (package, name, names) = (
            try call.package(self.formats), try call.tagName, try call.names(of: call.package(self.formats))
        )
        let condition = TagCondition(call.request.headers)
        return try await call.commit { commit in
            try await self.tagging.remove(
                name, of: package, if: { condition.holds(for: $0) }, under: grant, commit: commit)
        } answer: { tag in
            .json(200, .object(names + [.init("tag", .string(tag.name)), .init("deleted", true)]))
        }
    }

    private static func answer(_ status: Int, _ tag: StoredTag, _ names: [JSON.Member]) -> Response {
        var response = Response.json(status, .object(names + tag.members))
        response.headers.set("ETag", EntityTag(String(tag.revision)).description)
        return response
    }
}

/// What a caller asks of the tag as it is: compare and set.
private struct TagCondition: Sendable {
    private let wanted: String?
    private let unwanted: String?

    init(_ headers: Headers) {
        self.wanted = headers["if-match"]
        self.unwanted = headers["if-none-match"]
    }

    func holds(for tag: StoredTag?) -> Bool {
        let present = tag.map { EntityTag(String($0.revision)) }
        if let wanted = self.wanted, present.map({ !$0.isNamed(byIfMatch: wanted) }) ?? true { return false }
        if let unwanted = self.unwanted, let present, present.isNamed(byIfNoneMatch: unwanted) { return false }
        return true
    }
}

extension StoredTag {
    fileprivate var members: [JSON.Member] {
        [
            .init("tag", .string(self.name)), .init("versionId", JSON(self.version)),
            .init("version", .string(self.versionText)), .init("revision", JSON(self.revision)),
            .init("updatedAtUtc", JSON(self.updatedAt)), .init("updatedBySubject", JSON(self.updatedBy)),
        ]
    }
}

extension TagChange {
    fileprivate var json: JSON {
        [
            "changeId": JSON(self.id), "fromVersionId": JSON(self.from), "fromVersion": JSON(self.fromText),
            "toVersionId": JSON(self.to), "toVersion": JSON(self.toText), "actor": .string(self.actor),
            "occurredAtUtc": JSON(self.occurredAt),
        ]
    }
}
