// How many tests may use a real server at a time: they are many, its connections are few, and the machine is small.

/// Lets a limited number in at once; the others wait their turn, first come, first served.
actor Gate {
    /// Tests with a PostgreSQL database of their own.
    static let postgreSQL = Gate(6)
    /// Tests behind pgbouncer, which knows one database.
    static let bouncer = Gate(1)
    /// Tests with a server process of their own.
    static let servers = Gate(4)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ limit: Int) { self.free = limit }

    /// Calls `body` when it is its turn.
    nonisolated func pass(_ body: () async throws -> Void) async throws {
        await self.enter()
        do {
            try await body()
        } catch {
            await self.leave()
            throw error
        }
        await self.leave()
    }

    private func enter() async {
        if self.free > 0 {
            self.free -= 1
            return
        }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    private func leave() {
        if self.waiting.isEmpty {
            self.free += 1
        } else {
            self.waiting.removeFirst().resume()
        }
    }
}
