// Finding packages. Shapes: HTTP contract, 3.7 and section 9, row 42. Beside the contract: `match`, `type`, `namespace`,
// `publishedSince`, and `facets=type`.

import Domain
import HTTP
import Persistence
package import Registry

package struct SearchRoutes: Sendable {
    private static let standardLimit = 25
    private static let largestLimit = 200
    private static let largestOffset = 10_000

    private let searching: Searching

    package init(searching: Searching) { self.searching = searching }

    package var routes: [Route] {
        [
            .own(
                "GET", "/v1/repos/{repoKey}/search/packages", "read, or a repository that everyone may read",
                check: { _ = try $0.searchRequest }, { call, _ in try await self.page(call) })
        ]
    }

    private func page(_ call: Call) async throws -> Response {
        let target = call.request.target
        let request = try call.searchRequest
        let limit = target.count("limit", default: Self.standardLimit, atMost: Self.largestLimit)
        let offset = target.count("offset", default: 0, atMost: Self.largestOffset)
        let facets = target.parameter("facets")?.trimmed.lowercased() == "type"
        let page = try await self.searching.page(
            request, in: call.place, limit: limit, offset: offset, countsTypes: facets)
        var members: [JSON.Member] = [
            .init("repoKey", .string(try call.repoKey.text)), .init("query", .string(request.text)),
            .init("limit", JSON(limit)), .init("offset", JSON(offset)), .init("totalCount", JSON(page.total)),
            .init("totalCountIsExact", .bool(page.isTotalExact)), .init("items", .array(page.hits.map(\.json))),
        ]
        if let types = page.types {
            let counts = types.map { JSON.Member($0.type, JSON($0.count)) }
            members.append(.init("facets", ["type": .object(counts)]))
        }
        return .json(200, .object(members))
    }
}

extension Call {
    /// - Throws: `bad_request`.
    fileprivate var searchRequest: SearchRequest {
        get throws(Refusal) {
            let target = self.request.target
            let match = try SearchMatch(parsing: target.parameter("match")?.trimmedOrNil ?? SearchMatch.words.rawValue)
            var request = try SearchRequest(target.parameter("q") ?? "", match: match)
            request.type = target.parameter("type")?.trimmedOrNil?.lowercased()
            request.namespace = target.parameter("namespace")?.trimmedOrNil
            if let text = target.parameter("publishedSince")?.trimmedOrNil {
                guard let time = Timestamp(rfc3339: text.uppercased()) else {
                    throw .badRequest("publishedSince must be a time as of RFC 3339, e.g. 2026-02-11T10:00:00Z.")
                }
                request.publishedSince = time
            }
            return request
        }
    }
}

extension SearchHit {
    fileprivate var json: JSON {
        [
            "versionId": JSON(self.version), "repoKey": .string(self.repo), "packageType": .string(self.type),
            "packageNamespace": JSON(self.namespace), "packageName": .string(self.name),
            "version": .string(self.versionText), "publishedAtUtc": JSON(self.publishedAt),
            "indexedAtUtc": JSON(self.indexedAt),
        ]
    }
}
