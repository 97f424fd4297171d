// Webhooks, and other URLs that users give us (docs/webhooks.md).

extension Catalogue {
    static let webhooks: [any AnySetting] = [
        Setting.webhooksAllowPrivateAddresses, Setting.webhooksTimeoutSeconds, Setting.webhooksMaxAttempts,
        Setting.webhooksRetrySeconds, Setting.webhooksConcurrency,
    ]
}

extension Setting where Value == Bool {
    package static var webhooksAllowPrivateAddresses: Self {
        Self(
            "webhooks.allowPrivateAddresses", .boolean, default: false,
            "Let webhooks and other URLs that users give us reach loopback, link-local and private addresses.")
    }
}

extension Setting where Value == Int {
    package static var webhooksTimeoutSeconds: Self {
        Self("webhooks.timeoutSeconds", .integer(1...60), default: 10, "How long a receiver may take to answer.")
    }

    package static var webhooksMaxAttempts: Self {
        Self(
            "webhooks.maxAttempts", .integer(1...100), default: 10,
            "Failures in a row after which a webhook is disabled, and an audit entry written.")
    }

    package static var webhooksRetrySeconds: Self {
        Self(
            "webhooks.retrySeconds", .integer(1...3600), default: 30,
            "Time to the second try; it doubles with each further failure, up to 32 times as long.")
    }

    package static var webhooksConcurrency: Self {
        Self("webhooks.concurrency", .integer(1...256), default: 32, "Webhooks that a worker serves at a time.")
    }
}
