// What metrics show of a pool of connections.

package struct PoolStatistics: Hashable, Sendable {
    /// `connections`; SQLite has `writer` and `readers`.
    package let pool: String
    package let size: Int
    /// How many connections are in use.
    package let busy: Int
    /// How many callers wait for one.
    package let waiting: Int

    package init(pool: String, size: Int, busy: Int, waiting: Int) {
        self.pool = pool
        self.size = size
        self.busy = busy
        self.waiting = waiting
    }
}
