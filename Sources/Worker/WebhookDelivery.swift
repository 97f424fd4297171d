// Telling subscriptions of events. Each has its own task, so that one that hangs holds up no other; within one the order is
// kept. Rules: docs/webhooks.md.

import Domain
import HTTP
package import HTTPClient
package import Persistence
package import Registry
import Synchronization

package struct WebhookDelivery: Service {
    private static let freed = Channel("webhook_freed")
    /// How many requests a subscription has in one go, before others have their turn.
    private static let turn = 100

    private let queue: WebhookQueue
    private let client: HTTPClient
    private let timeout: Duration
    private let limit: Int
    private let interval: Duration
    private let wakeUps: WakeUps
    private let switchboard = Switchboard()
    private let report: @Sendable (String, any Error) -> Void

    /// - Parameters:
    ///   - client: must refuse addresses that users may not reach.
    ///   - limit: subscriptions that are told at a time.
    ///   - interval: how often to look without a wake-up.
    package init(
        queue: WebhookQueue, client: HTTPClient, timeout: Duration, limit: Int, interval: Duration, wakeUps: WakeUps,
        report: @escaping @Sendable (String, any Error) -> Void
    ) {
        self.queue = queue
        self.client = client
        self.timeout = timeout
        self.limit = limit
        self.interval = interval
        self.wakeUps = wakeUps
        self.report = report
    }

    package func run() async throws {
        let wakeUps = [self.wakeUps, self.switchboard.listen(Self.freed)]
        let slots = Slots(self.limit)
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    while case let free = slots.free, free > 0 {
                        let (ids, lease) = try await self.queue.claim(limit: free)
                        for id in ids {
                            slots.take()
                            group.addTask {
                                await self.tell(id, under: lease)
                                slots.give()
                                self.switchboard.wake([Self.freed])
                            }
                        }
                        if ids.count < free { break }
                    }
                } catch is CancellationError {
                    return
                } catch {
                    self.report("webhooks", error)
                }
                await wakeUps.firstWake(within: self.interval)
            }
        }
    }

    /// Sends every delivery that is due now, once.
    package func once() async throws {
        while true {
            let (ids, lease) = try await self.queue.claim(limit: self.limit)
            if ids.isEmpty { return }
            await withDiscardingTaskGroup { group in
                for id in ids { group.addTask { await self.tell(id, under: lease) } }
            }
        }
    }

    private func tell(_ id: WebhookID, under lease: Lease) async {
        do {
            var settled: (StoredDelivery, WebhookOutcome)?
            for _ in 0..<Self.turn {
                guard let message = try await self.advance(id, under: lease, settling: settled) else { return }
                settled = (message.delivery, try await self.send(message))
            }
            if try await self.advance(id, under: lease, settling: settled) == nil { return }
        } catch is CancellationError {
        } catch {
            self.report("webhook \(id)", error)
        }
        await self.queue.release(id, under: lease)
    }

    /// What was accepted is recorded, also when the process is about to end.
    private func advance(
        _ id: WebhookID, under lease: Lease, settling settled: (StoredDelivery, WebhookOutcome)?
    ) async throws -> WebhookMessage? {
        try await Task { try await self.queue.advance(id, under: lease, settling: settled) }.value
    }

    /// - Throws: `CancellationError`.
    private func send(_ message: WebhookMessage) async throws -> WebhookOutcome {
        var headers = Headers()
        for (name, value) in message.headers { headers.append(name, value) }
        var request = ClientRequest("POST", message.url, headers: headers, body: .bytes(message.body))
        request.timeout = self.timeout
        do {
            return WebhookOutcome(status: try await self.client.send(request).status)
        } catch let fault as HTTPClientFault {
            return .unreachable(fault.brief)
        }
    }
}

/// How many more may be told at the same time.
private final class Slots: Sendable {
    private let left: Mutex<Int>

    init(_ count: Int) { self.left = Mutex(count) }

    var free: Int { self.left.withLock { $0 } }
    func take() { self.left.withLock { $0 -= 1 } }
    func give() { self.left.withLock { $0 += 1 } }
}

extension HTTPClientFault {
    /// The text for the owner of the subscription, without internals.
    fileprivate var brief: String {
        switch self {
        case .invalidRequest: "the URL can't be used"
        case .unknownHost: "the host is unknown"
        case .addressRefused: "the address may not be reached"
        case .cannotConnect: "no connection"
        case .insecure: "no secure connection"
        case .timedOut: "no answer in time"
        case .connectionLost: "the connection was lost"
        case .malformedAnswer, .bodyTooLarge: "the answer is not HTTP"
        case .stopped, .other: "the request failed"
        }
    }
}
