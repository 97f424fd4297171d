// Audit rows as lines of JSON, with the hash of all of them in a header before the first is sent. Shape: HTTP contract,
// 7.12. The rows are read twice, a page at a time: once for hash and length, once to be sent; so memory does not grow
// with their number. Rows never change; those that come in between the two are left out by their ids.

import Cryptography
import Domain
import HTTP
import Persistence
import Registry

struct AuditExport: Sendable {
    private static let page = 200

    private let audit: AuditReading
    private let filter: AuditFilter
    private let grant: TenantGrant
    private let ids: Set<Int64>
    private let hash: String
    /// In bytes.
    private let length: Int

    init(of audit: AuditReading, filter: AuditFilter, limit: Int, under grant: TenantGrant) async throws {
        self.audit = audit
        self.filter = filter
        self.grant = grant
        var ids: Set<Int64> = []
        var length = 0
        var hash = SHA256()
        var page = filter
        while ids.count < limit {
            let records = try await audit.page(page, limit: min(Self.page, limit - ids.count), under: grant)
            for record in records {
                let line = Self.line(record, isFirst: ids.isEmpty)
                ids.insert(record.id)
                length += line.count
                hash.update(line.span)
                page.before = record.id
            }
            if records.count < Self.page { break }
        }
        self.ids = ids
        self.length = length
        self.hash = hash.finish().hex
    }

    var response: Response {
        let headers: Headers = [
            "Content-Type": "application/x-ndjson", "X-Artifortress-Export-SHA256": self.hash,
            "Content-Disposition": "attachment; filename=audit-export.ndjson",
        ]
        return Response(200, headers: headers, body: .stream(length: self.length) { try await self.write(to: $0) })
    }

    private func write(to writer: BodyWriter) async throws {
        var page = self.filter
        var written = 0
        while written < self.ids.count {
            let records = try await self.audit.page(page, limit: Self.page, under: self.grant)
            guard let last = records.last else { return }  // the length tells the client that something is missing
            var chunk: [UInt8] = []
            for record in records where self.ids.contains(record.id) {
                chunk += Self.line(record, isFirst: written == 0)
                written += 1
            }
            if !chunk.isEmpty { try await writer.write(chunk) }
            page.before = last.id
        }
    }

    /// Lines are joined by, and do not end with, a line feed.
    private static func line(_ record: AuditRecord, isFirst: Bool) -> [UInt8] {
        (isFirst ? [] : [UInt8(ascii: "\n")]) + record.json.bytes
    }
}
