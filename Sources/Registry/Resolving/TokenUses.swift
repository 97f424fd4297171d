// When tokens were last used: noted in memory when a token is recognized, and written beside the requests, at most once a
// minute for each token. Rules: HTTP contract, 2.3.

package import Domain
package import Persistence
import Synchronization
package import Threads

package final class TokenUses: Sendable {
    /// In seconds.
    private static let interval: Int64 = 60
    /// Beyond this many tokens in a minute some are written more often than needed.
    private static let memory = 50_000

    private struct State {
        /// Until when a token's use need not be noted again.
        var quiet: [TokenID: Timestamp] = [:]
        var unwritten: [TokenID: Timestamp] = [:]
    }

    private let database: any Database
    private let clock: WallClock
    private let state = Mutex(State())

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    package func note(_ token: TokenID) {
        let now = self.clock.now()
        self.state.withLock { state in
            if let end = state.quiet[token], now < end { return }
            if state.quiet.count >= Self.memory { state.quiet = [:] }
            state.quiet[token] = now + Self.interval
            state.unwritten[token] = now
        }
    }

    /// Writes what was noted. What cannot be written is kept for the next time.
    package func flush() async throws {
        let uses = self.state.withLock { state in
            defer { state.unwritten = [:] }
            return state.unwritten
        }
        guard !uses.isEmpty else { return }
        do {
            try await self.database.transaction { transaction in
                for (token, time) in uses.sorted(by: { $0.key < $1.key }) {
                    try TokenStore.noteUse(of: token, at: time, unlessSince: time + -Self.interval, transaction)
                }
            }
        } catch {
            self.state.withLock { $0.unwritten.merge(uses) { newer, _ in newer } }
            throw error
        }
    }
}
