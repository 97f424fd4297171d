// A verdict comes in time or not at all. Rules: HTTP contract, section 9, row 5.

import Policy
import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct BudgetTests {
    private static let limit: Duration = .milliseconds(250)

    @Test func `what is done in time is given`() async throws {
        let clock = ManualClock()
        #expect(try await PolicyBudget(Self.limit, clock: clock.steady).run { 42 } == 42)
    }

    @Test func `who hangs is left when the time is over, not before, and is cancelled`() async throws {
        let clock = ManualClock()
        let wasCancelled = Mutex(false)
        let verdict = Task {
            try await PolicyBudget(Self.limit, clock: clock.steady).run {
                // Deaf: goes on although nobody waits any more.
                while !Task.isCancelled { await Task.yield() }
                wasCancelled.withLock { $0 = true }
            }
        }
        #expect(await eventually { clock.sleepers == 1 })
        clock.advance(by: .milliseconds(249))
        #expect(clock.sleepers == 1)
        clock.advance(by: .milliseconds(1))
        await #expect(throws: PolicyFault.timedOut) { try await verdict.value }
        #expect(await eventually { wasCancelled.withLock { $0 } })
    }

    @Test func `a failure is given as it is`() async throws {
        let clock = ManualClock()
        await #expect(throws: PolicyFault.unreliable("x")) {
            try await PolicyBudget(Self.limit, clock: clock.steady).run { throw PolicyFault.unreliable("x") }
        }
        #expect(await eventually { clock.sleepers == 0 }, "the timer is let go")
    }

    @Test func `whoever gives up waiting is let go`() async throws {
        let clock = ManualClock()
        let verdict = Task {
            try await PolicyBudget(Self.limit, clock: clock.steady).run {
                while true { try await clock.steady.sleep(for: .seconds(1000)) }
            }
        }
        #expect(await eventually { clock.sleepers == 2 })
        verdict.cancel()
        await #expect(throws: CancellationError.self) { try await verdict.value }
    }
}
