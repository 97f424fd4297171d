// The sweep the other way round: what the store holds and no row knows. Such objects come from writes that a store
// carried out after it had been given up on, and from a database that was set back. Rules: architecture, section 6
// (Delete): every object's key is recorded before its first byte, so a key without a row belongs to no object.

package import Domain
package import Persistence
package import Storage
package import Threads

package struct StorageSweep: Sendable {
    /// What a round did.
    package struct Report: Hashable, Sendable {
        package var looked = 0
        package var unknown: [StorageKey] = []
        /// Whether the unknown ones were left alone, instead of being handed over to be deleted.
        package var isHeld = false
        /// Uploads in parts beside a finished object, which were forgotten.
        package var forgotten = 0
        /// Whether the end of the listing was reached.
        package var isComplete = false
    }

    /// Where the next round goes on; it is the installation's, so that several workers share one way.
    private static let cursorName = "storage-sweep-cursor"
    /// The prefix of all keys of this installation (`StorageKey.fresh`): what else lies in a shared bucket is others'.
    private static let beginnings = ["staging/", "objects/"]
    /// If it has a value, nothing is deleted: a restore sets it before the server starts, and
    /// takes it away when what is unknown may go (architecture, section 6).
    package static let holdName = "storage-sweep-hold"
    private static let reason = "unknown"

    private let database: any Database
    private let storage: any BlobStorage
    private let clock: WallClock
    /// In seconds: what is younger is not looked at.
    private let age: Int64
    private let pageLength: Int
    private let pages: Int

    /// A day, or twice a session's life if that is longer: after that no writer can still be at work.
    ///
    /// - Parameter sessionLifetime: in seconds.
    package static func safeAge(sessionLifetime: Int) -> Int64 { Int64(max(86_400, 2 * sessionLifetime)) }

    /// - Parameters:
    ///   - age: in seconds; see ``safeAge(sessionLifetime:)``.
    ///   - pages: of `pageLength` keys, which a round looks at at most.
    package init(
        database: any Database, storage: any BlobStorage, clock: WallClock, age: Int64, pageLength: Int = 1000,
        pages: Int = 10
    ) {
        self.database = database
        self.storage = storage
        self.clock = clock
        self.age = age
        self.pageLength = pageLength
        self.pages = pages
    }

    /// One round.
    ///
    /// - Throws: also `StorageFault.other` for a store that is not ours.
    package func run() async throws -> Report {
        try await self.storage.check()
        var report = Report()
        let kept = try await self.database.lookup { try InstallationStore.value(Self.cursorName, $0) }
        report.isHeld = try await self.database.lookup { try InstallationStore.value(Self.holdName, $0) } != nil
        var cursor = kept.flatMap { StorageKey($0) }
        for _ in 0..<self.pages where !report.isComplete {
            let page = try await self.storage.list(after: cursor, limit: self.pageLength)
            try await self.look(at: page, &report)
            report.isComplete = page.count < self.pageLength
            cursor = report.isComplete ? nil : page.last?.key
            try await self.database.transaction { [cursor] transaction in
                if let cursor {
                    try InstallationStore.set(Self.cursorName, cursor.text, transaction)
                } else {
                    try InstallationStore.remove(Self.cursorName, transaction)
                }
            }
        }
        return report
    }

    private func look(at page: [StoredObject], _ report: inout Report) async throws {
        let now = self.clock.now()
        let old = page.filter { object in
            object.modifiedAt < now + -self.age && Self.beginnings.contains { object.key.text.startsWithBytes(of: $0) }
        }
        report.looked += page.count
        guard !old.isEmpty else { return }
        let roles = try await self.database.lookup { try StoredKeyStore.roles(of: old.map(\.key), $0) }
        let unknown = old.map(\.key).filter { roles[$0] == nil }
        report.unknown += unknown
        guard !report.isHeld else { return }
        try await self.database.transaction { transaction in
            transaction.allowReserve()
            for key in unknown { try DeadObjectStore.add(key, reason: Self.reason, at: now, transaction) }
        }
        for object in old where roles[object.key] == .blob {
            for upload in object.uploads {
                try await self.storage.abort(upload)
                report.forgotten += 1
            }
        }
    }
}
