// Access tokens, and what protects them.

extension Catalogue {
    static let identity: [any AnySetting] = [
        Setting.bootstrapToken, Setting.patMaxTTLMinutes, Setting.throttleAddressAttempts,
        Setting.throttleSubjectAttempts, Setting.throttleWindowSeconds,
    ]
}

extension Setting where Value == Secret? {
    package static var bootstrapToken: Self {
        Self(
            "auth.bootstrapToken",
            Kind<Secret>.secret.orNone,
            default: .derived("the first start makes one and writes it to `bootstrap-token` in `data`") { _ in nil },
            "Issues the first access token (`X-Bootstrap-Token`).")
    }
}

extension Setting where Value == Int {
    package static var patMaxTTLMinutes: Self {
        Self(
            "auth.pat.maxTtlMinutes", .integer(5...525_600), default: 43200,
            "Longest life of a personal access token (30 days).")
    }

    package static var throttleAddressAttempts: Self {
        Self(
            "auth.throttle.addressAttempts", .integer(1...10000), default: 20,
            "Distinct credentials from one address that may fail in a window; the next that fails is answered 429.")
    }

    package static var throttleSubjectAttempts: Self {
        Self(
            "auth.throttle.subjectAttempts", .integer(1...10000), default: 20,
            "Addresses from which one credential may fail in a window; beyond them its failures are answered 429.")
    }

    package static var throttleWindowSeconds: Self {
        Self("auth.throttle.windowSeconds", .integer(1...86400), default: 60, "The window.")
    }
}
