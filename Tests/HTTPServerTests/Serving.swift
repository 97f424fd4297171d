// What every suite of the server stands on: a server around a test, and waiting for what a test expects.

import Glibc
import HTTP
import HTTPServer
import Synchronization
import Threads

typealias Handler = @Sendable (Request) async throws -> Response

/// Runs a server around `body`, which blocks: on a thread of its own.
func serving(
    _ configuration: Server.Configuration = .quick,
    statistics: Server.Statistics = Server.Statistics(), with handler: @escaping Handler,
    _ body: @escaping @Sendable (Server.Address) -> Void
) async throws {
    try await serving(Server(configuration, statistics: statistics), with: handler, body)
}

func serving(
    _ server: Server, with handler: @escaping Handler, _ body: @escaping @Sendable (Server.Address) -> Void
) async throws {
    try await withThrowingTaskGroup { group in
        let (addresses, ready) = AsyncStream.makeStream(of: Server.Address.self)
        group.addTask {
            defer { ready.finish() }
            try await server.run(ready: { ready.yield($0) }, handler: handler)
        }
        for await address in addresses {
            await blocking { body(address) }
            break
        }
        group.cancelAll()
        try await group.waitForAll()
    }
}

/// Runs `body`, which blocks, on a thread of its own.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { done in
        Thread.start { done.resume(returning: body()) }
    }
}

/// Looks at `condition` again and again until it holds.
///
/// - Returns: false where it didn't within two minutes.
func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(120)
    while !condition() {
        guard .now < deadline else { return false }
        usleep(1000)
    }
    return true
}

/// Runs the calling task elsewhere for a moment: an answer after it is never given on the loop's own thread.
func reallyWait() async { await Task.detached {}.value }

extension Server.Configuration {
    static var quick: Self {
        var configuration = Self()
        configuration.endedTimeout = .seconds(2)
        configuration.drainTimeout = .milliseconds(500)
        configuration.bodyLimit = 8 << 20
        return configuration
    }
}

/// A door: who comes waits until it is opened, or until his task is cancelled.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [Int: CheckedContinuation<Void, any Error>] = [:]
        var arrivals = 0
    }

    private let state = Mutex(State())

    /// How many have come.
    var arrivals: Int { self.state.withLock(\.arrivals) }

    /// Counts an arrival that doesn't wait.
    func note() { self.state.withLock { $0.arrivals += 1 } }

    func open() {
        let waiting = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return state.waiting.values.map { $0 }
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async throws {
        let number = self.state.withLock { state in
            state.arrivals += 1
            return state.arrivals
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                self.state.withLock { state in
                    if Task.isCancelled {
                        continuation.resume(throwing: CancellationError())
                    } else if state.isOpen {
                        continuation.resume()
                    } else {
                        state.waiting[number] = continuation
                    }
                }
            }
        } onCancel: {
            self.state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(throwing: CancellationError())
        }
    }
}
