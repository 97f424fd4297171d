// Background work that failed for good. Rules: HTTP contract, section 9, row 8.

import Domain
import HTTP
import Persistence
package import Registry

package struct DeadLetterRoutes: Sendable {
    private let letters: DeadLetters

    package init(letters: DeadLetters) { self.letters = letters }

    package var routes: [Route] {
        [
            .tenant("GET", "/v1/admin/dead-letters", .auditor) { call, grant in
                let limit = call.request.target.count("limit", default: 100, atMost: 500)
                return .json(200, .array(try await self.letters.list(limit: limit, under: grant).map(\.json)))
            },
            .tenant("POST", "/v1/admin/dead-letters/{deadLetterId}/retry", .operator) { call, grant in
                let id = try call.id("deadLetterId", of: Call.self).value
                return try await call.commit {
                    try await self.letters.retry(id, under: grant, commit: $0)
                } answer: { kind in
                    .json(
                        200,
                        [
                            "deadLetterId": .string(id.description), "kind": .string(kind.rawValue),
                            "status": "pending",
                        ])
                }
            },
        ]
    }
}

extension DeadLetter {
    fileprivate var json: JSON {
        [
            "deadLetterId": .string(self.id.description), "kind": .string(self.kind.rawValue),
            "type": .string(self.type), "resourceId": .string(self.resource), "attempts": JSON(self.attempts),
            "lastError": JSON(self.error), "createdAtUtc": JSON(self.createdAt), "givenUpAtUtc": JSON(self.givenUpAt),
        ]
    }
}
