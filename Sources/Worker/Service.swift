// What runs beside the requests, for as long as the process does.

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

/// A piece of work that is done again and again. A round that fails is reported, and the next one tries again.
package struct Periodic: Service {
    private let name: String
    private let interval: Duration
    private let work: @Sendable () async throws -> Void
    private let report: @Sendable (String, any Error) -> Void

    package init(
        _ name: String, every interval: Duration, report: @escaping @Sendable (String, any Error) -> Void,
        work: @escaping @Sendable () async throws -> Void
    ) {
        (self.name, self.interval, self.report, self.work) = (name, interval, report, work)
    }

    package func run() async throws {
        while !Task.isCancelled {
            do {
                try await self.work()
            } catch is CancellationError {
                return
            } catch {
                self.report(self.name, error)
            }
            try? await Task.sleep(for: self.interval)  // a cancelled sleep ends the loop above
        }
    }
}
