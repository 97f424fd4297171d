// Sessions whose time is over are aborted, and what aborted ones left in the store is freed. Rules: HTTP contract,
// section 9, rows 11 and 38.

import Domain
package import Persistence
package import Storage
package import Threads

package struct UploadExpiry: Sendable {
    package static let reason = "expired"
    private static let batch = 100

    private let database: any Database
    private let storage: any BlobStorage
    private let clock: WallClock

    package init(database: any Database, storage: any BlobStorage, clock: WallClock) {
        (self.database, self.storage, self.clock) = (database, storage, clock)
    }

    /// - Returns: how many sessions were aborted, and how many staged objects freed.
    @discardableResult
    package func run() async throws -> (aborted: Int, freed: Int) {
        var aborted = 0
        while true {
            let count = try await self.abortBatch()
            aborted += count
            if count < Self.batch { break }
        }
        return (aborted, try await self.freeLeftovers())
    }

    private func abortBatch() async throws -> Int {
        try await self.database.transaction { [now = self.clock.now()] transaction in
            let expired = try UploadSessionStore.expired(at: now, limit: Self.batch, transaction)
            for (session, repo) in expired {
                var session = session
                session.state = try session.state.after(.expire)
                session.abortReason = Self.reason
                session.lease = nil
                try UploadSessionStore.update(session, at: now, transaction)
                try AuditLog.append(
                    .upload(
                        "upload.aborted", session.id,
                        ["repoKey": repo.text, "reason": Self.reason, "state": session.state.rawValue]),
                    by: .background(in: session.tenant), at: now, transaction)
            }
            return expired.count
        }
    }

    /// One that can't be freed now doesn't hold back the others.
    private func freeLeftovers() async throws -> Int {
        var (last, freed): (StorageKey?, Int) = (nil, 0)
        while true {
            let leftovers = try await self.database.lookup { [last, now = self.clock.now()] transaction in
                try StagedObjectStore.leftovers(after: last, at: now, limit: Self.batch, transaction)
            }
            for (key, upload) in leftovers {
                do {
                    if let upload { try await self.storage.abort(MultipartUpload(key: key, id: upload)) }
                    try await self.storage.delete(key)
                } catch is StorageFault {
                    continue
                }
                try await self.database.transaction { try StagedObjectStore.remove(key, $0) }
                freed += 1
            }
            guard leftovers.count == Self.batch else { return freed }
            last = leftovers.last?.key
        }
    }
}

extension Caller {
    /// The server's own background work, on a tenant's rows.
    static func background(in tenant: TenantID) -> Caller {
        Caller(tenant: tenant, subject: .system, scopes: [], source: .local, correlation: .random())
    }
}
