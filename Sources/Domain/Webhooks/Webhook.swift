// Subscriptions that receive events over HTTP. Wire form: docs/webhooks.md.

package typealias WebhookID = Identifier<Webhook>
package enum QueuedDelivery {}
package typealias WebhookDeliveryID = Identifier<QueuedDelivery>

/// A subscription: a URL that receives a repository's events, or all of a tenant's.
package struct Webhook: Hashable, Sendable {
    /// What stands for every type, also later ones.
    package static let everyType = "*"
    /// Sent on request, to try the receiver.
    package static let testType = "webhook.test"

    package let id: WebhookID
    package let tenant: TenantID
    /// Nil for every repository of the tenant.
    package let repo: RepoID?
    package let url: String
    package let eventTypes: [String]
    package let createdBy: String
    package let createdAt: Timestamp
    package let disabledAt: Timestamp?
    package let disabledReason: String?
    /// In a row, of the delivery that is due.
    package let failures: Int
    package let nextAttemptAt: Timestamp

    package init(
        id: WebhookID, tenant: TenantID, repo: RepoID?, url: String, eventTypes: [String], createdBy: String,
        createdAt: Timestamp, disabledAt: Timestamp? = nil, disabledReason: String? = nil, failures: Int = 0,
        nextAttemptAt: Timestamp
    ) {
        self.id = id
        self.tenant = tenant
        self.repo = repo
        self.url = url
        self.eventTypes = eventTypes
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.disabledAt = disabledAt
        self.disabledReason = disabledReason
        self.failures = failures
        self.nextAttemptAt = nextAttemptAt
    }

    /// - Throws: `bad_request` for a type that does not exist.
    package static func eventTypes(parsing texts: [String]) throws(Refusal) -> [String] {
        var types: [String] = []
        for text in texts.map({ $0.trimmed.lowercased() }) {
            guard text == self.everyType || EventKind(rawValue: text) != nil else {
                let known = EventKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("'\(text)' is no event type. Allowed: *, \(known).")
            }
            if !types.contains(text) { types.append(text) }
        }
        return types.isEmpty || types.contains(self.everyType) ? [self.everyType] : types
    }
}

/// How a delivery stands.
package enum WebhookDeliveryStatus: String, CaseIterable, Sendable {
    /// Not yet accepted by the receiver.
    case pending
    case delivered
    /// Its version was in quarantine when its turn came. (Its release is an event of its own.)
    case withheld
}

/// What a receiver's answer, or the lack of one, means for a delivery.
package enum WebhookOutcome: Hashable, Sendable {
    case accepted(status: Int)
    case refused(status: Int)
    /// No answer; why, for the log of deliveries.
    case unreachable(String)

    /// Any 2xx is an acceptance; a redirection is not followed and is none.
    package init(status: Int) {
        self = (200..<300).contains(status) ? .accepted(status: status) : .refused(status: status)
    }

    package var status: Int? {
        switch self {
        case .accepted(let status), .refused(let status): status
        case .unreachable: nil
        }
    }

    package var error: String? {
        switch self {
        case .accepted: nil
        case .refused(let status): "the receiver answered \(status)"
        case .unreachable(let reason): reason
        }
    }
}
