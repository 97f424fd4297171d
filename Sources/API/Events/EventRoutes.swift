// The feed of a repository's events. Rules: HTTP contract, section 9, row 37.

import Domain
import HTTP
import Persistence
package import Registry

package struct EventRoutes: Sendable {
    /// In seconds, where the caller says nothing.
    private static let waitSeconds = 20
    private static let longestWait = 50

    private let feed: EventFeed

    package init(feed: EventFeed) { self.feed = feed }

    package var routes: [Route] {
        [
            .own("GET", "/v1/repos/{repoKey}/events", "read, or a repository that everyone may read") { call, _ in
                try await self.page(call)
            }
        ]
    }

    private func page(_ call: Call) async throws -> Response {
        let target = call.request.target
        let after = try Self.number("after", of: target)
        let wait = try Self.number("wait", of: target).map { min(Int($0), Self.longestWait) } ?? Self.waitSeconds
        let page = try await self.feed.page(
            in: call.place, after: after, limit: target.count("limit", default: 100, atMost: 1000),
            waiting: .seconds(wait))
        return .json(
            200,
            [
                "repoKey": .string(try call.repoKey.text), "events": .array(page.events.map(\.json)),
                "next": JSON(page.next), "latestSeq": JSON(page.latest),
            ])
    }

    /// Nil where it is absent.
    ///
    /// - Throws: `bad_request`.
    private static func number(_ name: String, of target: Target) throws(Refusal) -> Int64? {
        guard let text = target.parameter(name)?.trimmedOrNil else { return nil }
        guard let number = Int64(text), (0...Int64.max - 1).contains(number) else {
            throw .badRequest("\(name) must be a number from 0.")
        }
        return number
    }
}

extension StoredEvent {
    fileprivate var json: JSON {
        [
            "seq": JSON(self.seq), "eventId": .string(self.id.description), "type": .string(self.kind.rawValue),
            "occurredAtUtc": JSON(self.occurredAt), "versionId": JSON(self.version), "data": self.payload,
        ]
    }
}
