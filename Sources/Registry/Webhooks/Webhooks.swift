// Subscriptions to events over HTTP, by the administrators of a repository or of the tenant. Rules: docs/webhooks.md.

import Cryptography
package import Domain
package import Persistence
package import Threads

/// Whose subscriptions are meant, with leave to manage them.
package enum WebhookOwner: Sendable {
    /// Those of one repository: its administrators.
    case repository(Grant)
    /// Those of the tenant as a whole: its administrators.
    case tenant(TenantGrant)

    package var caller: Caller {
        switch self {
        case .repository(let grant): grant.caller
        case .tenant(let grant): grant.caller
        }
    }

    package var repoKey: RepoKey? { if case .repository(let grant) = self { grant.repo } else { nil } }

    /// - Throws: `not_found` for the repository.
    fileprivate func repository(_ transaction: borrowing Transaction) throws -> RepoID? {
        guard case .repository(let grant) = self else { return nil }
        return try RepositoryStore.require(grant.repo, of: grant.tenant, transaction).id
    }
}

package struct CreatedWebhook: Sendable {
    package let webhook: Webhook
    /// Shown now and never again.
    package let secret: String
}

package struct WebhookView: Sendable {
    package let webhook: Webhook
    package let pending: Int
}

package struct Webhooks: Sendable {
    /// Of one repository, or of the tenant as a whole.
    package static let limit = 100

    private let database: any Database
    private let sealer: SecretSealer
    private let clock: WallClock
    private let guardsAddresses: @Sendable (_ host: String) -> Bool

    /// - Parameter allowsHost: whether a URL may name that host; an address is looked at again when it is connected to.
    package init(
        database: any Database, sealer: SecretSealer, clock: WallClock,
        allowsHost: @escaping @Sendable (_ host: String) -> Bool
    ) {
        self.database = database
        self.sealer = sealer
        self.clock = clock
        self.guardsAddresses = allowsHost
    }

    // MARK: - Reading

    /// - Throws: `not_found` for the repository or the webhook, here and below.
    package func list(of owner: WebhookOwner) async throws -> [WebhookView] {
        try await self.database.read { transaction in
            let webhooks = try WebhookStore.list(
                of: owner.caller.tenant, in: owner.repository(transaction), transaction)
            var views: [WebhookView] = []
            for webhook in webhooks {
                views.append(
                    WebhookView(
                        webhook: webhook, pending: try WebhookDeliveryStore.pending(of: webhook.id, transaction)))
            }
            return views
        }
    }

    package func show(_ id: WebhookID, of owner: WebhookOwner) async throws -> WebhookView {
        try await self.database.read { transaction in
            let webhook = try WebhookStore.require(
                id, of: owner.caller.tenant, in: owner.repository(transaction), transaction)
            return WebhookView(
                webhook: webhook, pending: try WebhookDeliveryStore.pending(of: id, transaction))
        }
    }

    /// The newest first.
    package func deliveries(
        of id: WebhookID, of owner: WebhookOwner, status: WebhookDeliveryStatus?, before ordinal: Int64?, limit: Int
    ) async throws -> [StoredDelivery] {
        try await self.database.read { transaction in
            _ = try WebhookStore.require(
                id, of: owner.caller.tenant, in: owner.repository(transaction), transaction)
            return try WebhookDeliveryStore.page(
                of: id, status: status, before: ordinal, limit: limit, transaction)
        }
    }

    // MARK: - Changing

    /// - Parameters:
    ///   - types: of events; empty for all.
    ///   - secret: nil for one that is made here.
    /// - Throws: `bad_request` for a URL that may not be reached, an unknown type, or a secret of less than 16 bytes;
    ///   `conflict` where there are as many as may be.
    package func create(
        _ url: String, types: [String], secret: String?, for owner: WebhookOwner, commit: Commit<CreatedWebhook>
    ) async throws -> CreatedWebhook {
        let url = try WebhookURL.parse(url)
        guard self.guardsAddresses(WebhookURL.host(of: url)) else {
            throw Refusal.badRequest(
                "url names a loopback, link-local or private address, which webhooks may not reach here.")
        }
        let types = try Webhook.eventTypes(parsing: types)
        if let secret, !(16...256).contains(secret.utf8.count) {
            throw Refusal.badRequest("secret must have 16 to 256 bytes.")
        }
        let secret = secret ?? "whsec_" + Hexadecimal.text(of: SecureRandom.bytes(32))
        let sealed = self.sealer.seal(Array(secret.utf8))
        return try await commit { [now = self.clock.now()] transaction in
            let (tenant, repository) = (owner.caller.tenant, try owner.repository(transaction))
            guard try WebhookStore.list(of: tenant, in: repository, transaction).count < Self.limit else {
                throw Refusal.conflict("There are \(Self.limit) webhooks already: no more may be added.")
            }
            let webhook = Webhook(
                id: WebhookID(at: now), tenant: tenant, repo: repository, url: url, eventTypes: types,
                createdBy: owner.caller.subject.text, createdAt: now, nextAttemptAt: now)
            try WebhookStore.insert(webhook, sealedSecret: sealed, transaction)
            try AuditLog.append(
                owner.audit("webhook.created", webhook.id, [.init("url", .string(url))]), by: owner.caller, at: now,
                transaction)
            return CreatedWebhook(webhook: webhook, secret: secret)
        }
    }

    /// Takes what it was still to be told along.
    package func delete(_ id: WebhookID, of owner: WebhookOwner, commit: Commit<WebhookID>) async throws -> WebhookID {
        try await commit { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            let webhook = try WebhookStore.require(
                id, of: owner.caller.tenant, in: owner.repository(transaction), locked: true, transaction)
            try WebhookStore.delete(id, transaction)
            try AuditLog.append(
                owner.audit("webhook.deleted", id, [.init("url", .string(webhook.url))]), by: owner.caller, at: now,
                transaction)
            return id
        }
    }

    /// Lets one that was disabled go on where it stopped, at once. (One that waits for its next try goes on at once too.)
    package func enable(_ id: WebhookID, of owner: WebhookOwner, commit: Commit<Webhook>) async throws -> Webhook {
        try await commit { [now = self.clock.now()] transaction in
            let (tenant, repository) = (owner.caller.tenant, try owner.repository(transaction))
            _ = try WebhookStore.require(id, of: tenant, in: repository, locked: true, transaction)
            try WebhookStore.enable(id, at: now, transaction)
            try AuditLog.append(owner.audit("webhook.enabled", id), by: owner.caller, at: now, transaction)
            transaction.notify(EventLog.channel)
            return try WebhookStore.require(id, of: tenant, in: repository, transaction)
        }
    }

    /// Queues something to be told, to see whether it arrives.
    ///
    /// - Throws: `conflict` where it is disabled, here and below.
    package func test(
        _ id: WebhookID, of owner: WebhookOwner, commit: Commit<WebhookDeliveryID>
    ) async throws -> WebhookDeliveryID {
        try await commit { [now = self.clock.now()] transaction in
            try Self.requireEnabled(id, of: owner, transaction)
            let delivery = WebhookDeliveryID(at: now)
            try WebhookDeliveryStore.append(
                delivery, to: id, event: UniqueID(at: now), type: Webhook.testType,
                payload: ["webhookId": JSON(id), "requestedBySubject": .string(owner.caller.subject.text)], at: now,
                transaction)
            try AuditLog.append(owner.audit("webhook.tested", id), by: owner.caller, at: now, transaction)
            return delivery
        }
    }

    /// Queues once more what was told before; under the same event id.
    ///
    /// - Throws: `conflict` also where it was not told yet.
    package func redeliver(
        _ delivery: WebhookDeliveryID, of id: WebhookID, of owner: WebhookOwner, commit: Commit<WebhookDeliveryID>
    ) async throws -> WebhookDeliveryID {
        try await commit { [now = self.clock.now()] transaction in
            try Self.requireEnabled(id, of: owner, transaction)
            guard let stored = try WebhookDeliveryStore.find(delivery, of: id, transaction) else {
                throw Refusal.notFound("The delivery")
            }
            guard stored.status != .pending else {
                throw Refusal.conflict("The delivery waits for its turn, or for its next try.")
            }
            let again = WebhookDeliveryID(at: now)
            try WebhookDeliveryStore.repeatDelivery(stored, as: again, to: id, transaction)
            try AuditLog.append(
                owner.audit("webhook.redelivered", id, [.init("deliveryId", .string(delivery.description))]),
                by: owner.caller, at: now, transaction)
            return again
        }
    }

    private static func requireEnabled(
        _ id: WebhookID, of owner: WebhookOwner, _ transaction: borrowing Transaction
    ) throws {
        let webhook = try WebhookStore.require(
            id, of: owner.caller.tenant, in: owner.repository(transaction), locked: true, transaction)
        guard webhook.disabledAt == nil else { throw Refusal.conflict("The webhook is disabled: enable it first.") }
    }
}

extension WebhookOwner {
    fileprivate func audit(_ action: String, _ id: WebhookID, _ details: [JSON.Member] = []) -> AuditEntry {
        AuditEntry(action, on: "webhook", id, [.init("repoKey", .string(self.repoKey?.text ?? "*"))] + details)
    }
}
