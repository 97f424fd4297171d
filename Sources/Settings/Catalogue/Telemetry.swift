// What the process tells about itself.

extension Catalogue {
    static let telemetry: [any AnySetting] = [
        Setting.logLevel, Setting.logFormat, Setting.metricsListen, Setting.metricsToken, Setting.otlpEndpoint,
    ]
}

extension Setting where Value == LogLevel {
    package static var logLevel: Self { Self("log.level", .word, default: .info, "The least level that is logged.") }
}

extension Setting where Value == LogFormat {
    package static var logFormat: Self {
        Self(
            "log.format", .word,
            default: .derived("`text` on a terminal, `json` otherwise") {
                $0.surroundings.isTerminal ? .text : .json
            }, "One line an event: for people, or JSON.")
    }
}

extension Setting where Value == ListenAddress? {
    package static var metricsListen: Self {
        Self(
            "metrics.listen", Kind<ListenAddress>.parsed("ADDRESS:PORT; port 0..65535") { ListenAddress($0) }.orNone,
            default: nil, "A listener of its own for `GET /metrics` (Prometheus).")
    }
}

extension Setting where Value == Secret? {
    package static var metricsToken: Self {
        Self(
            "metrics.token", Kind<Secret>.secret.orNone, default: nil,
            "Bearer token that opens `GET /metrics`; without `metrics.listen` on the server's own address.")
    }
}

extension Setting where Value == BaseURL? {
    package static var otlpEndpoint: Self {
        Self(
            "telemetry.otlpEndpoint",
            Kind<BaseURL>.baseURL.orNone,
            default: nil, "OTLP/HTTP base URL for traces."
        ).pending("OTLP export", rejecting: { $0 != nil })
    }
}
