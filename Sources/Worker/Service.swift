// What runs beside the requests, for as long as the process does.

package import Persistence

/// Something that runs until its task is cancelled, then ends what it has begun and returns.
package protocol Service: Sendable {
    func run() async throws
}

/// Runs every service until one of them ends, or the task is cancelled; then cancels the others and waits for them.
///
/// - Throws: what the first to end has thrown.
package func runTogether(_ services: [any Service]) async throws {
    try await withThrowingTaskGroup { group in
        for service in services { group.addTask { try await service.run() } }
        defer { group.cancelAll() }
        try await group.next()
    }
}

/// A piece of work that is done again and again, at intervals and when there is news. A round that fails is reported, and
/// the next one, an interval later, tries again.
package struct Periodic: Service {
    private let name: String
    private let interval: Duration
    private let wakeUps: [WakeUps]
    private let work: @Sendable () async throws -> Void
    private let report: @Sendable (String, any Error) -> Void

    package init(
        _ name: String, every interval: Duration, wokenBy wakeUps: [WakeUps] = [],
        report: @escaping @Sendable (String, any Error) -> Void, work: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.interval = interval
        self.wakeUps = wakeUps
        self.report = report
        self.work = work
    }

    package func run() async throws {
        while !Task.isCancelled {
            var hasFailed = false
            do {
                try await self.work()
            } catch is CancellationError {
                return
            } catch {
                self.report(self.name, error)
                hasFailed = true
            }
            if hasFailed || self.wakeUps.isEmpty {
                try? await Task.sleep(for: self.interval)  // a cancelled sleep ends the loop above
            } else {
                await self.wakeUps.firstWake(within: self.interval)
            }
        }
    }
}

extension [WakeUps] {
    /// Returns when any of them wakes, when `limit` is over, or when the task is cancelled.
    func firstWake(within limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            for wakeUps in self { group.addTask { await wakeUps.wait(upTo: limit) } }
            await group.next()
            group.cancelAll()
        }
    }
}
