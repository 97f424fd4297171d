// Webhooks of a repository, and those of the tenant as a whole: the same routes twice. Shapes: docs/webhooks.md.

import Domain
import HTTP
import Persistence
package import Registry

package struct WebhookRoutes: Sendable {
    private let webhooks: Webhooks

    package init(webhooks: Webhooks) { self.webhooks = webhooks }

    private typealias Handler = @Sendable (Call, WebhookOwner) async throws -> Response

    package var routes: [Route] {
        let one = "/{webhookId}"
        let handlers: [(String, String, Handler)] = [
            ("POST", "", self.create), ("GET", "", self.list), ("GET", one, self.show), ("DELETE", one, self.delete),
            ("POST", "\(one)/enable", self.enable), ("POST", "\(one)/test", self.test),
            ("GET", "\(one)/deliveries", self.deliveries),
            ("POST", "\(one)/deliveries/{deliveryId}/redeliver", self.redeliver),
        ]
        return handlers.flatMap { method, path, handle in
            [
                .repository(method, "/v1/repos/{repoKey}/webhooks\(path)", .admin) { call, grant in
                    try await handle(call, .repository(grant))
                },
                .tenant(method, "/v1/admin/webhooks\(path)", .admin) { call, grant in
                    try await handle(call, .tenant(grant))
                },
            ] as [Route]
        }
    }

    private func create(_ call: Call, _ owner: WebhookOwner) async throws -> Response {
        let fields = try await call.fields()
        let (url, types) = (try fields.requiredText("url"), try fields.texts("events") ?? [])
        let secret = try fields.trimmedText("secret")
        return try await call.commit(keeping: .only { [JSON.Member("webhookId", JSON($0.webhook.id))] }) { commit in
            try await self.webhooks.create(url, types: types, secret: secret, for: owner, commit: commit)
        } answer: { created in
            call.created(
                at: "\(owner.path)/\(created.webhook.id)",
                .object(created.webhook.members(of: owner) + [.init("secret", .string(created.secret))]))
        }
    }

    private func list(_ call: Call, _ owner: WebhookOwner) async throws -> Response {
        .json(200, .array(try await self.webhooks.list(of: owner).map { $0.json(of: owner) }))
    }

    private func show(_ call: Call, _ owner: WebhookOwner) async throws -> Response {
        .json(200, try await self.webhooks.show(call.id("webhookId"), of: owner).json(of: owner))
    }

    private func delete(_ call: Call, _ owner: WebhookOwner) async throws -> Response {
        let id: WebhookID = try call.id("webhookId")
        return try await call.commit {
            try await self.webhooks.delete(id, of: owner, commit: $0)
        } answer: { id in
            .json(200, ["webhookId": JSON(id), "deleted": true])
        }
    }

    private func enable(_ call: Call, _ owner: WebhookOwner) async throws -> Response {
        let id: WebhookID = try call.id("webhookId")
        return try await call.commit {
            try await self.webhooks.enable(id, of: owner, commit: $0)
        } answer: { webhook in
            .json(200, .object(webhook.members(of: owner)))
        }
    }

    private func test(_ call: Call, _ owner: WebhookOwner) async throws -> Response {
        let id: WebhookID = try call.id("webhookId")
        return try await call.commit {
            try await self.webhooks.test(id, of: owner, commit: $0)
        } answer: { delivery in
            .json(202, ["webhookId": JSON(id), "deliveryId": JSON(delivery), "status": "pending"])
        }
    }

    private func redeliver(_ call: Call, _ owner: WebhookOwner) async throws -> Response {
        let (id, delivery): (WebhookID, WebhookDeliveryID) = (try call.id("webhookId"), try call.id("deliveryId"))
        return try await call.commit {
            try await self.webhooks.redeliver(delivery, of: id, of: owner, commit: $0)
        } answer: { delivery in
            .json(202, ["webhookId": JSON(id), "deliveryId": JSON(delivery), "status": "pending"])
        }
    }

    private func deliveries(_ call: Call, _ owner: WebhookOwner) async throws -> Response {
        let target = call.request.target
        let limit = target.count("limit", default: 100, atMost: 500)
        var status: WebhookDeliveryStatus?
        if let text = target.parameter("status")?.trimmedOrNil?.lowercased() {
            status = WebhookDeliveryStatus(rawValue: text)
            guard status != nil else {
                throw Refusal.badRequest("status must be pending, delivered or withheld.")
            }
        }
        let before = target.parameter("before").flatMap { Int64($0.trimmed) }
        let deliveries = try await self.webhooks.deliveries(
            of: call.id("webhookId"), of: owner, status: status, before: before, limit: limit)
        return .json(
            200,
            [
                "items": .array(deliveries.map(\.json)),
                "next": JSON(deliveries.count == limit ? deliveries.last?.ordinal : nil),
            ])
    }
}

extension WebhookOwner {
    fileprivate var path: URLPath {
        if let key = self.repoKey { "/v1/repos/\(key)/webhooks" } else { "/v1/admin/webhooks" }
    }
}

extension Webhook {
    fileprivate func members(of owner: WebhookOwner) -> [JSON.Member] {
        [
            .init("webhookId", JSON(self.id)), .init("repoKey", JSON(owner.repoKey?.text)),
            .init("url", .string(self.url)), .init("events", JSON(self.eventTypes)),
            .init("enabled", .bool(self.disabledAt == nil)), .init("disabledAtUtc", JSON(self.disabledAt)),
            .init("disabledReason", JSON(self.disabledReason)), .init("consecutiveFailures", JSON(self.failures)),
            .init("createdBySubject", .string(self.createdBy)), .init("createdAtUtc", JSON(self.createdAt)),
        ]
    }
}

extension WebhookView {
    fileprivate func json(of owner: WebhookOwner) -> JSON {
        .object(
            self.webhook.members(of: owner) + [
                .init("pendingDeliveries", JSON(self.pending)),
                .init(
                    "nextAttemptAtUtc",
                    JSON(self.webhook.disabledAt == nil && self.pending > 0 ? self.webhook.nextAttemptAt : nil)),
            ])
    }
}

extension StoredDelivery {
    fileprivate var json: JSON {
        [
            "deliveryId": JSON(self.id), "eventId": .string(self.event.description),
            "type": .string(self.eventType), "seq": JSON(self.seq), "occurredAtUtc": JSON(self.occurredAt),
            "status": .string(self.status.rawValue), "attempts": JSON(self.attempts),
            "lastStatus": JSON(self.lastStatus), "lastError": JSON(self.lastError),
            "attemptedAtUtc": JSON(self.attemptedAt), "settledAtUtc": JSON(self.settledAt), "data": self.payload,
        ]
    }
}
