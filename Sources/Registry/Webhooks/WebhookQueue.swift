// What a subscription is to be told, one event after another: the next only when the one before was accepted, so that the
// order is kept; and by one worker at a time, whose lease every step checks.

import Cryptography
package import Domain
import HTTP
package import Persistence
package import Threads

/// A request that is to be sent now.
package struct WebhookMessage: Sendable {
    package let delivery: StoredDelivery
    package let url: String
    package let body: [UInt8]
    package let headers: [(name: String, value: String)]
}

package struct WebhookQueue: Sendable {
    /// In seconds: how long a subscription is skipped after a delivery failed because of a server error.
    private static let postponement: Int64 = 60

    private let database: any Database
    private let sealer: SecretSealer
    private let clock: WallClock
    /// In seconds: longer than a request may take.
    private let leaseSeconds: Int64
    private let maxAttempts: Int
    private let backOff: BackOff
    private let baseURL: String

    /// - Parameter baseURL: of the server as receivers reach it, without a `/` at its end.
    package init(
        database: any Database, sealer: SecretSealer, clock: WallClock, leaseSeconds: Int, maxAttempts: Int,
        backOff: BackOff, baseURL: String
    ) {
        self.database = database
        self.sealer = sealer
        self.clock = clock
        self.leaseSeconds = Int64(leaseSeconds)
        self.maxAttempts = maxAttempts
        self.backOff = backOff
        self.baseURL = baseURL
    }

    /// Subscriptions that have something to be told now: the caller's until the lease ends.
    package func claim(limit: Int) async throws -> (ids: [WebhookID], lease: Lease) {
        let now = self.clock.now()
        let lease = Lease(from: now, seconds: self.leaseSeconds)
        let ids = try await self.database.transaction { try WebhookStore.claim(lease, at: now, limit: limit, $0) }
        return (ids, lease)
    }

    /// Records what became of a delivery, if there was one, and gives the next; all in one transaction.
    ///
    /// - Returns: nil where there is nothing more to do for the caller: nothing waits, the receiver is to be left alone
    ///   for a while, or the lease has been lost.
    package func advance(
        _ id: WebhookID, under lease: Lease, settling settled: (delivery: StoredDelivery, outcome: WebhookOutcome)?
    ) async throws -> WebhookMessage? {
        let next = try await self.database.transaction {
            [now = self.clock.now(), backOff, maxAttempts, leaseSeconds] transaction -> Next? in
            guard let (webhook, secret) = try WebhookStore.held(id, under: lease.token, transaction) else { return nil }
            if let (delivery, outcome) = settled {
                try WebhookDeliveryStore.settle(delivery, outcome, at: now, transaction)
                guard case .accepted = outcome else {
                    let failures = webhook.failures + 1
                    if failures < maxAttempts {
                        let time = backOff.next(after: failures, at: now)
                        try WebhookStore.retry(id, failures: failures, at: time, transaction)
                    } else {
                        try Self.disable(webhook, failures, outcome, at: now, transaction)
                    }
                    return nil
                }
                if webhook.failures > 0 { try WebhookStore.succeed(id, transaction) }
            }
            guard let delivery = try Self.head(of: id, at: now, transaction) else {
                try WebhookStore.release(id, under: lease.token, at: now, transaction)
                return nil
            }
            try WebhookStore.renew(id, until: now + leaseSeconds, transaction)
            return Next(
                webhook: webhook, sealedSecret: secret, delivery: delivery,
                file: try WebhookDeliveryStore.file(of: delivery, transaction), time: now)
        }
        guard let next else { return nil }
        do {
            return try self.message(next)
        } catch {
            // Our own failure, as where the secret was sealed under another key: no failure of the receiver's.
            try await self.database.transaction { [now = self.clock.now()] transaction in
                guard try WebhookStore.held(id, under: lease.token, transaction) != nil else { return }
                try WebhookStore.retry(
                    id, failures: next.webhook.failures, at: now + Self.postponement, transaction)
            }
            throw error
        }
    }

    private struct Next {
        let webhook: Webhook
        let sealedSecret: [UInt8]
        let delivery: StoredDelivery
        /// Nil if the event is not about a file by path.
        let file: DeliveredFile?
        let time: Timestamp
    }

    /// Lets go of a subscription, whatever becomes of the caller's task.
    package func release(_ id: WebhookID, under lease: Lease) async {
        await shielded {
            // If this fails, the lease expires.
            try? await self.database.transaction { [now = self.clock.now()] in
                try WebhookStore.release(id, under: lease.token, at: now, $0)
            }
        }
    }

    /// The first that may be sent. What is in quarantine is not sent: its release is an event of its own.
    private static func head(
        of id: WebhookID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> StoredDelivery? {
        while let delivery = try WebhookDeliveryStore.head(of: id, transaction) {
            if EventKind(rawValue: delivery.eventType)?.isShown(delivery.quarantine) ?? true { return delivery }
            try WebhookDeliveryStore.withhold(delivery, at: now, transaction)
        }
        return nil
    }

    private static func disable(
        _ webhook: Webhook, _ failures: Int, _ outcome: WebhookOutcome, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        let reason = "\(failures) failures in a row; the last: \(outcome.error ?? "none")"
        try WebhookStore.disable(webhook.id, failures: failures, because: reason, at: now, transaction)
        try AuditLog.append(
            AuditEntry("webhook.disabled", on: "webhook", webhook.id, ["url": webhook.url, "reason": reason]),
            by: .background(in: webhook.tenant), at: now, transaction)
    }

    private func message(_ next: Next) throws -> WebhookMessage {
        let delivery = next.delivery
        let body = JSON.object([
            .init("eventId", .string(delivery.event.description)), .init("type", .string(delivery.eventType)),
            .init("occurredAtUtc", JSON(delivery.occurredAt)), .init("seq", JSON(delivery.seq)),
            .init("data", self.data(next)),
        ]).bytes
        let secret = try self.sealer.open(next.sealedSecret)
        return WebhookMessage(
            delivery: delivery, url: next.webhook.url, body: body,
            headers: [
                ("Content-Type", "application/json"),
                ("X-Artifortress-Event", delivery.eventType),
                ("X-Artifortress-Event-Id", delivery.event.description),
                ("X-Artifortress-Delivery-Id", delivery.id.description),
                ("X-Artifortress-Webhook-Id", next.webhook.id.description),
            ] + MessageSignature.headers(of: body, at: next.time, key: secret))
    }

    /// The event's own data; for a file by path also what a receiver needs to fetch it.
    private func data(_ next: Next) -> JSON {
        guard let file = next.file, let members = next.delivery.payload.members else { return next.delivery.payload }
        let path: URLPath = "/generic/\(file.repo)/\(path: file.path.text)"
        return .object(
            members + [
                .init("digest", .string(file.digest.hex)), .init("sizeBytes", JSON(file.length)),
                .init("url", .string(self.baseURL + path.text)),
            ])
    }

    /// Deletes what is older than events are kept.
    package func prune(olderThanDays days: Int) async throws {
        let cutoff = self.clock.now() + -Int64(days) * 86400
        while try await self.database.transaction({
            try WebhookDeliveryStore.prune(before: cutoff, limit: 1000, $0)
        }) == 1000 {}
    }
}
