// Limits of the HTTP server.

extension Catalogue {
    static let http: [any AnySetting] = [
        Setting.httpMaxBodyBytes, Setting.httpMaxConnections, Setting.httpMaxConnectionsPerAddress,
        Setting.httpIdleSeconds, Setting.httpDrainSeconds, Setting.httpThreads,
    ]
}

extension Setting where Value == Int {
    package static var httpMaxBodyBytes: Self {
        Self(
            "http.maxBodyBytes", .integer(1_048_576...5_497_558_138_880), default: 5_368_709_120,
            "Longest request body, in bytes (5 GiB; at most S3's longest object, 5 TiB). A longer one is answered 413.")
    }

    package static var httpMaxConnections: Self {
        Self(
            "http.maxConnections", .integer(1...100_000), default: 4096,
            "Connections at a time. Beyond it the connection that has been idle longest is closed; if none is idle, "
                + "further clients wait to be accepted.")
    }

    package static var httpMaxConnectionsPerAddress: Self {
        Self(
            "http.maxConnectionsPerAddress", .integer(1...100_000),
            default: .derived("half of `http.maxConnections`") { max($0[.httpMaxConnections] / 2, 1) },
            "Connections of one IPv4 address or one IPv6 /64 network at a time; a further one is closed at once. "
                + "`trustedProxies` and the Unix socket have no such limit.")
    }

    package static var httpIdleSeconds: Self {
        Self(
            "http.idleSeconds", .integer(1...3600), default: 60,
            "How long a connection may be silent, and how long a TLS handshake or a request's head may take.")
    }

    package static var httpDrainSeconds: Self {
        Self(
            "http.drainSeconds", .integer(0...3600), default: 30,
            "How long requests may go on after SIGTERM before they are cut off.")
    }

    package static var httpThreads: Self {
        Self(
            "http.threads", .integer(1...64),
            default: .derived("one a processor, at most 16") { min(max($0.surroundings.processors, 1), 16) },
            "Event loops of the server.")
    }
}
