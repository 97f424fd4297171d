// The audit log: a page of it as JSON, or many rows as lines. Shapes: HTTP contract, 3.9 and 7.12.

package import Domain
package import HTTP
package import Persistence
package import Registry

package struct AuditRoutes: Sendable {
    private let audit: AuditReading

    package init(audit: AuditReading) { self.audit = audit }

    package var routes: [Route] {
        [
            .tenant("GET", "/v1/audit", .auditor) { call, grant in try await self.list(call, grant) },
            .tenant("GET", "/v1/audit/export", .auditor) { call, grant in
                let limit = call.request.target.count("limit", default: 1000, atMost: 5000)
                let export = try await AuditExport(
                    of: self.audit, filter: AuditFilter(call.request.target), limit: limit, under: grant)
                return export.response
            },
        ]
    }

    /// A `Link` leads to the next page.
    private func list(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let limit = call.request.target.count("limit", default: 100, atMost: 500)
        let filter = try AuditFilter(call.request.target)
        let records = try await self.audit.page(filter, limit: limit, under: grant)
        var response = Response.json(200, .array(records.map(\.json)))
        if records.count == limit, let last = records.last {
            let kept = (call.request.target.query ?? "").parts(at: "&", keepsEmpty: false)
                .filter { !$0.startsWithBytes(of: "before=") }
            let query = (kept.map(String.init) + ["before=\(last.id)"]).joined(separator: "&")
            call.setNext("/v1/audit\(encodedQuery: query)", of: &response)
        }
        return response
    }
}

extension AuditFilter {
    /// Reads `actor`, `action`, `resourceType`, `resourceId`, `since`, `until` and `before`.
    ///
    /// - Throws: `bad_request` for a time that is none.
    init(_ target: Target) throws(Refusal) {
        self.init()
        self.actor = target.parameter("actor")?.trimmedOrNil?.lowercasedName
        self.action = target.parameter("action")?.trimmedOrNil
        self.resourceType = target.parameter("resourceType")?.trimmedOrNil
        self.resourceID = target.parameter("resourceId")?.trimmedOrNil
        self.since = try Self.time("since", target)
        self.until = try Self.time("until", target)
        self.before = target.parameter("before").flatMap { Int64($0.trimmed) }.flatMap { $0 > 0 ? $0 : nil }
    }

    private static func time(_ name: String, _ target: Target) throws(Refusal) -> Timestamp? {
        guard let text = target.parameter(name)?.trimmedOrNil else { return nil }
        guard let time = Timestamp(rfc3339: text.uppercased()) else {
            throw .badRequest("\(name) must be a time as of RFC 3339, e.g. 2026-02-11T10:00:00Z.")
        }
        return time
    }
}

extension Target {
    /// A count in the query: bad or not positive gives the default, too large the maximum (HTTP contract, 1.4).
    package func count(_ name: String, default standard: Int, atMost maximum: Int) -> Int {
        guard let value = self.parameter(name).flatMap({ Int($0.trimmed) }), value > 0 else { return standard }
        return min(value, maximum)
    }
}

extension AuditRecord {
    package var json: JSON {
        [
            "auditId": .integer(self.id), "correlationId": JSON(self.correlation?.description),
            "tenantId": JSON(self.tenant), "actor": .string(self.actor), "action": .string(self.action),
            "resourceType": .string(self.resourceType), "resourceId": .string(self.resourceID),
            "occurredAtUtc": JSON(self.occurredAt), "details": self.details,
        ]
    }
}
