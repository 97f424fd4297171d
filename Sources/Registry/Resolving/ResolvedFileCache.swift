// Files that were resolved and that nothing can have changed since: the database's generation is the same. Only where
// every commit is this process's (SQLite): there the answer is exact, and a hot download asks no other thread.
// Source: architecture, I9: no staleness at all.

import Domain
import Synchronization

final class ResolvedFileCache: Sendable {
    struct Key: Hashable, Sendable {
        let request: FileRequest
        let repo: RepoKey
        let credential: Credential
    }

    struct Entry {
        let file: ResolvedFile
        /// By which it was read.
        let token: TokenID?
        let expiresAt: Timestamp?
    }

    private struct State {
        var generation: UInt64 = 0
        var entries: [Key: Entry] = [:]
    }

    private static let capacity = 4096

    private let state = Mutex(State())

    func entry(_ key: Key, at generation: UInt64, now: Timestamp) -> Entry? {
        self.state.withLock { state in
            guard state.generation == generation, let entry = state.entries[key] else { return nil }
            if let end = entry.expiresAt, end <= now { return nil }
            return entry
        }
    }

    /// - Parameter generation: as it was before the file was read.
    func keep(_ entry: Entry, for key: Key, at generation: UInt64) {
        self.state.withLock { state in
            if state.generation != generation {
                guard state.generation < generation else { return }  // a later read has been kept
                state.generation = generation
                state.entries.removeAll(keepingCapacity: true)
            }
            if state.entries.count >= Self.capacity { state.entries.removeAll(keepingCapacity: true) }
            state.entries[key] = entry
        }
    }
}
