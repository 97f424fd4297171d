// Burned coordinates. Rules: HTTP contract, section 9, row 27.

package import Domain
import HTTP
import Persistence
package import Registry

package struct RetiredCoordinateRoutes: Sendable {
    private let formats: PackageFormats
    private let retired: RetiredCoordinates

    package init(formats: PackageFormats, retired: RetiredCoordinates) {
        self.formats = formats
        self.retired = retired
    }

    package var routes: [Route] {
        let all = "/v1/repos/{repoKey}/retired-coordinates"
        return [
            .repository("GET", all, .admin) { call, grant in try await self.list(call, grant) },
            .tenant("DELETE", "\(all)/{type}/{name}/{version}", .admin) { call, grant in
                try await self.lift(call, grant)
            },
        ]
    }

    private func list(_ call: Call, _ grant: Grant) async throws -> Response {
        var position: Coordinate?
        if let cursor = try call.cursor {
            guard cursor.count == 4 else { throw Refusal.badRequest("after must be the 'next' of a page.") }
            let package = PackageName(type: cursor[0], namespace: cursor[1], name: cursor[2])
            position = Coordinate(package, version: cursor[3], sortKey: [])
        }
        let limit = call.request.target.count("limit", default: 100, atMost: 500)
        let page = try await self.retired.list(after: position, limit: limit, under: grant)
        let next = page.next.map {
            Cursor.text(of: [$0.package.type, $0.package.namespace ?? "", $0.package.name, $0.version])
        }
        return .json(
            200,
            [
                "repoKey": .string(grant.repo.text), "items": .array(page.items.map(\.json)), "next": JSON(next),
            ])
    }

    private func lift(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let (repo, names) = (try call.repoKey, try call.names(of: call.package(self.formats)))
        let coordinate = try self.formats.coordinate(
            of: call.package(self.formats), version: call.values["version"] ?? "")
        return try await call.commit { commit in
            try await self.retired.lift(coordinate, in: repo, under: grant, commit: commit)
        } answer: { coordinate in
            .json(
                200,
                .object(names + [.init("version", .string(coordinate.version)), .init("status", "lifted")]))
        }
    }
}

extension RetiredCoordinate {
    fileprivate var json: JSON {
        let package = self.coordinate.package
        return [
            "packageType": .string(package.type), "packageNamespace": JSON(package.namespace),
            "packageName": .string(package.name), "version": .string(self.coordinate.version),
            "retiredAtUtc": JSON(self.retiredAt), "retiredBySubject": JSON(self.retiredBy),
        ]
    }
}
