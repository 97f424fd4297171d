// Every key, as the contract (section 5; 9, rows 34 to 43) has it: written down a second time, independently of the
// catalogue, so that neither can change alone.

import Testing

/// One key: its default as it is shown, values that are taken and values that are refused.
struct KeyCase: Sendable, CustomTestStringConvertible {
    let key: String
    let variable: String
    let flag: String
    let defaultText: String
    let good: [String]
    let bad: [String]
    var testDescription: String { self.key }

    init(_ key: String, _ variable: String, _ flag: String, _ defaultText: String, good: [String], bad: [String]) {
        self.key = key
        self.variable = "ARTIFORTRESS_\(variable)"
        self.flag = "--\(flag)"
        self.defaultText = defaultText
        self.good = good
        self.bad = bad
    }

    /// A whole number: both bounds are taken, their neighbors are not.
    init(_ key: String, _ variable: String, _ flag: String, _ value: Int, _ range: ClosedRange<Int>) {
        self.init(
            key, variable, flag, "\(value)", good: ["\(range.lowerBound)", "\(range.upperBound)"],
            bad: [
                "\(range.lowerBound - 1)", "\(range.upperBound + 1)", "many", "1.5", "+60", "0x40", "",
                "99999999999999999999", " 60",
            ])
    }

    /// - Parameter good: `true` may be what this build refuses.
    init(
        _ key: String, _ variable: String, _ flag: String, _ value: String, boolean good: [String] = ["true", "false"]
    ) {
        self.init(key, variable, flag, value, good: good, bad: ["yes", "True", "1", "", "on"])
    }
}

extension KeyCase {
    static let text = ["some text"]
    static let badText = ["", " ", "two\nlines"]
    static let url = ["https://id.example/x", "http://127.0.0.1:9/x"]
    static let badURL = [
        "", "id.example", "ftp://id.example", "https://", "https://a b", "https://u:p@h", "https://h#f",
    ]
    static let mappings = ["groups|dev|libs|write", "a|*|*|read; b|c|d|PROMOTE"]
    static let badMappings = ["", "a|b|c", "a|b|c|owner", "a||c|read", "a|b|c|read|x", ";"]

    static let all: [KeyCase] = [
        KeyCase(
            "listen", "LISTEN", "listen", "127.0.0.1:8080", good: ["127.0.0.1:0", "[::1]:65535", "localhost:80"],
            bad: ["", "8080", ":8080", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:x", "::1:80", "[::1", "a b:80"]),
        KeyCase(
            "publicUrl", "PUBLIC_URL", "public-url", "none", good: ["https://af.example", "http://h:8080/base"],
            bad: Self.badURL + ["https://h/?q", "https://h:0", "https://h:99999", "https://h/a/../b"]),
        KeyCase(
            "trustedProxies", "TRUSTED_PROXIES", "trusted-proxies", "none",
            good: ["10.0.0.0/8", "10.0.0.1,fd00::/8, ::1", "0.0.0.0/0"],
            bad: ["", "10.0.0.0/33", "10.0.0", "proxy.example", "::1/129", "10.0.0.1,", "10.0.0.0/8/8", "1.2.3.4/+8"]),
        KeyCase("allowInsecureHttp", "ALLOW_INSECURE_HTTP", "allow-insecure-http", "false"),
        KeyCase("environment", "ENVIRONMENT", "environment", "production", good: ["staging"], bad: Self.badText),
        KeyCase("data", "DATA", "data", "./artifortress-data", good: ["/srv/af", "a b"], bad: Self.badText),
        KeyCase(
            "roles", "ROLES", "roles", "api,worker", good: ["api", "worker", "api,worker"],
            bad: ["", "web", "api,web", "API"]),
        KeyCase(
            "tls.certificateFile", "TLS_CERTIFICATE_FILE", "tls.certificate-file", "none", good: [], bad: Self.badText),
        KeyCase("tls.keyFile", "TLS_KEY_FILE", "tls.key-file", "none", good: [], bad: Self.badText),
        KeyCase(
            "tls.minVersion", "TLS_MIN_VERSION", "tls.min-version", "TLSv1.2", good: ["TLSv1.2", "TLSv1.3"],
            bad: ["", "1.2", "TLSv1.1", "tlsv1.3", "SSLv3"]),
        KeyCase("tls.clientCaFile", "TLS_CLIENT_CA_FILE", "tls.client-ca-file", "none", good: [], bad: Self.badText),
        KeyCase(
            "tls.clientCertificates", "TLS_CLIENT_CERTIFICATES", "tls.client-certificates", "required",
            good: ["required", "optional"], bad: ["", "none", "Required", "true"]),
        KeyCase(
            "secrets.key", "SECRETS_KEY", "secrets.key", "none", good: [String(repeating: "a7", count: 32)],
            bad: ["", "a7", String(repeating: "a7", count: 33), String(repeating: "g7", count: 32)]),

        KeyCase(
            "http.maxBodyBytes", "HTTP_MAX_BODY_BYTES", "http.max-body-bytes", 5_368_709_120,
            1_048_576...5_497_558_138_880),
        KeyCase("http.maxConnections", "HTTP_MAX_CONNECTIONS", "http.max-connections", 4096, 1...100_000),
        KeyCase(
            "http.maxConnectionsPerAddress", "HTTP_MAX_CONNECTIONS_PER_ADDRESS", "http.max-connections-per-address",
            2048,
            1...100_000),
        KeyCase("http.idleSeconds", "HTTP_IDLE_SECONDS", "http.idle-seconds", 60, 1...3600),
        KeyCase("http.drainSeconds", "HTTP_DRAIN_SECONDS", "http.drain-seconds", 30, 0...3600),
        KeyCase("http.threads", "HTTP_THREADS", "http.threads", 2, 1...64),

        KeyCase(
            "database.url", "DATABASE_URL", "database.url", "sqlite:./artifortress-data/artifortress.db",
            good: ["postgres://u:p@h:5432/n?sslmode=require", "postgresql:///n?host=/run/pg", "sqlite:/srv/a b.db"],
            bad: ["", "mysql://h/n", "sqlite:", "sqlite://x", "postgres://", "postgres://h/a b", "/srv/a.db"]),
        KeyCase("database.poolSize", "DATABASE_POOL_SIZE", "database.pool-size", 16, 1...200),
        KeyCase(
            "database.pooling", "DATABASE_POOLING", "database.pooling", "direct", good: ["direct", "bouncer"],
            bad: ["", "session"]),
        KeyCase("migrate.atStart", "MIGRATE_AT_START", "migrate.at-start", "true"),

        KeyCase(
            "storage.url", "STORAGE_URL", "storage.url", "file:./artifortress-data/blobs",
            good: ["file:/srv/blobs", "file:///srv/blobs", "file:blobs"],
            bad: [
                "", "file:", "file://host/x", "/srv", "s3://", "s3://ab", "s3://Bucket", "s3://bucket?color=red",
                "s3://bucket?pathStyle=1", "s3://bucket?endpoint=host:9", "s3://bucket?endpoint=http://h/x",
                "s3://bucket/../x", "s3://bucket//x", "s3://bucket?region=a&region=b", "s3://bucket?region=%zz",
            ]),
        KeyCase(
            "storage.s3.accessKey", "STORAGE_S3_ACCESS_KEY", "storage.s3.access-key", "none", good: ["AKIA1"],
            bad: Self.badText + [" x"]),
        KeyCase(
            "storage.s3.secretKey", "STORAGE_S3_SECRET_KEY", "storage.s3.secret-key", "none", good: ["a/b+c="],
            bad: Self.badText + ["x "]),
        KeyCase(
            "storage.s3.caFile", "STORAGE_S3_CA_FILE", "storage.s3.ca-file", "none", good: ["/etc/ca.pem"],
            bad: Self.badText),
        KeyCase(
            "storage.presignPartTtlSeconds", "STORAGE_PRESIGN_PART_TTL_SECONDS", "storage.presign-part-ttl-seconds",
            900,
            60...3600),
        KeyCase("storage.verifyOnRead", "STORAGE_VERIFY_ON_READ", "storage.verify-on-read", "false"),
        KeyCase(
            "uploads.sessionTtlMinutes", "UPLOADS_SESSION_TTL_MINUTES", "uploads.session-ttl-minutes", 60, 5...10080),

        KeyCase(
            "auth.bootstrapToken", "AUTH_BOOTSTRAP_TOKEN", "auth.bootstrap-token", "none", good: ["let-me-in"],
            bad: Self.badText + [" x"]),
        KeyCase("auth.pat.maxTtlMinutes", "AUTH_PAT_MAX_TTL_MINUTES", "auth.pat.max-ttl-minutes", 43200, 5...525_600),
        KeyCase(
            "auth.throttle.addressAttempts", "AUTH_THROTTLE_ADDRESS_ATTEMPTS", "auth.throttle.address-attempts", 20,
            1...10000),
        KeyCase(
            "auth.throttle.subjectAttempts", "AUTH_THROTTLE_SUBJECT_ATTEMPTS", "auth.throttle.subject-attempts", 20,
            1...10000),
        KeyCase(
            "auth.throttle.windowSeconds", "AUTH_THROTTLE_WINDOW_SECONDS", "auth.throttle.window-seconds", 60, 1...86400
        ),

        KeyCase("auth.oidc.enabled", "AUTH_OIDC_ENABLED", "auth.oidc.enabled", "false", boolean: ["false"]),
        KeyCase("auth.oidc.issuer", "AUTH_OIDC_ISSUER", "auth.oidc.issuer", "none", good: Self.text, bad: Self.badText),
        KeyCase(
            "auth.oidc.audience", "AUTH_OIDC_AUDIENCE", "auth.oidc.audience", "none", good: Self.text, bad: Self.badText
        ),
        KeyCase(
            "auth.oidc.hs256SharedSecret", "AUTH_OIDC_HS256_SHARED_SECRET", "auth.oidc.hs256-shared-secret", "none",
            good: ["s3cret"], bad: Self.badText),
        KeyCase(
            "auth.oidc.jwksJson", "AUTH_OIDC_JWKS_JSON", "auth.oidc.jwks-json", "none", good: ["{\"keys\":[]}"],
            bad: ["", " "]),
        KeyCase(
            "auth.oidc.jwksUrl", "AUTH_OIDC_JWKS_URL", "auth.oidc.jwks-url", "none",
            good: Self.url + ["https://h/k?p=1"],
            bad: Self.badURL),
        KeyCase(
            "auth.oidc.jwksRefreshIntervalSeconds", "AUTH_OIDC_JWKS_REFRESH_INTERVAL_SECONDS",
            "auth.oidc.jwks-refresh-interval-seconds", 300, 30...86400),
        KeyCase(
            "auth.oidc.jwksRefreshTimeoutSeconds", "AUTH_OIDC_JWKS_REFRESH_TIMEOUT_SECONDS",
            "auth.oidc.jwks-refresh-timeout-seconds", 10, 1...120),
        KeyCase(
            "auth.oidc.jwksMaxStalenessSeconds", "AUTH_OIDC_JWKS_MAX_STALENESS_SECONDS",
            "auth.oidc.jwks-max-staleness-seconds", 900, 300...604_800),
        KeyCase(
            "auth.oidc.roleMappings", "AUTH_OIDC_ROLE_MAPPINGS", "auth.oidc.role-mappings", "none", good: Self.mappings,
            bad: Self.badMappings),

        KeyCase("auth.saml.enabled", "AUTH_SAML_ENABLED", "auth.saml.enabled", "false", boolean: ["false"]),
        KeyCase(
            "auth.saml.idpMetadataUrl", "AUTH_SAML_IDP_METADATA_URL", "auth.saml.idp-metadata-url", "none",
            good: Self.url + ["https://h/m?appid=1"], bad: Self.badURL),
        KeyCase(
            "auth.saml.idpMetadataXml", "AUTH_SAML_IDP_METADATA_XML", "auth.saml.idp-metadata-xml", "none",
            good: ["<a>\n</a>"], bad: ["", " "]),
        KeyCase(
            "auth.saml.expectedIssuer", "AUTH_SAML_EXPECTED_ISSUER", "auth.saml.expected-issuer", "none",
            good: Self.text, bad: Self.badText),
        KeyCase(
            "auth.saml.serviceProviderEntityId", "AUTH_SAML_SERVICE_PROVIDER_ENTITY_ID",
            "auth.saml.service-provider-entity-id", "none", good: Self.text, bad: Self.badText),
        KeyCase(
            "auth.saml.roleMappings", "AUTH_SAML_ROLE_MAPPINGS", "auth.saml.role-mappings", "none", good: Self.mappings,
            bad: Self.badMappings),
        KeyCase(
            "auth.saml.issuedPatTtlMinutes", "AUTH_SAML_ISSUED_PAT_TTL_MINUTES", "auth.saml.issued-pat-ttl-minutes", 60,
            5...1440),
        KeyCase(
            "auth.saml.metadataFetchTimeoutSeconds", "AUTH_SAML_METADATA_FETCH_TIMEOUT_SECONDS",
            "auth.saml.metadata-fetch-timeout-seconds", 10, 1...120),
        KeyCase(
            "auth.saml.metadataRefreshIntervalSeconds", "AUTH_SAML_METADATA_REFRESH_INTERVAL_SECONDS",
            "auth.saml.metadata-refresh-interval-seconds", 300, 30...86400),
        KeyCase(
            "auth.saml.metadataMaxStalenessSeconds", "AUTH_SAML_METADATA_MAX_STALENESS_SECONDS",
            "auth.saml.metadata-max-staleness-seconds", 900, 300...604_800),

        KeyCase(
            "policy.evaluationTimeoutMs", "POLICY_EVALUATION_TIMEOUT_MS", "policy.evaluation-timeout-ms", 250, 1...60000
        ),
        KeyCase(
            "policy.allowSimulatedTimeout", "POLICY_ALLOW_SIMULATED_TIMEOUT", "policy.allow-simulated-timeout", "false"),
        KeyCase(
            "policy.rules", "POLICY_RULES", "policy.rules", "none",
            good: [
                "[]", #"[{"name": "a", "check": "size", "maxFileBytes": 1}]"#,
                #"[{"name": "a-1", "check": "license", "deny": ["AGPL-*"], "effect": "quarantine"}]"#,
            ],
            bad: [
                "", "{}", "rules", "[1]", "[{}]", #"[{"name": "a"}]"#, #"[{"name": "a", "check": "size"}]"#,
                #"[{"name": "A", "check": "size", "maxFileBytes": 1}]"#,
                #"[{"name": "a", "check": "size", "maxFileBytes": 1, "effects": "deny"}]"#,
                #"[{"name": "a", "check": "name", "deny": ["x"], "effect": "allow"}]"#,
            ]),
        KeyCase("policy.http.url", "POLICY_HTTP_URL", "policy.http.url", "none", good: [], bad: Self.badURL),
        KeyCase(
            "policy.http.secret", "POLICY_HTTP_SECRET", "policy.http.secret", "none", good: ["a secret"],
            bad: ["", " x", "two\nlines"]),
        KeyCase(
            "policy.http.caFile", "POLICY_HTTP_CA_FILE", "policy.http.ca-file", "none", good: ["/etc/ca.pem"],
            bad: Self.badText),
        KeyCase(
            "lifecycle.defaultTombstoneRetentionDays", "LIFECYCLE_DEFAULT_TOMBSTONE_RETENTION_DAYS",
            "lifecycle.default-tombstone-retention-days", 30, 1...3650),
        KeyCase(
            "lifecycle.defaultGcRetentionGraceHours", "LIFECYCLE_DEFAULT_GC_RETENTION_GRACE_HOURS",
            "lifecycle.default-gc-retention-grace-hours", 24, 0...8760),
        KeyCase(
            "lifecycle.defaultGcBatchSize", "LIFECYCLE_DEFAULT_GC_BATCH_SIZE", "lifecycle.default-gc-batch-size", 200,
            1...5000),
        KeyCase("events.retentionDays", "EVENTS_RETENTION_DAYS", "events.retention-days", 30, 1...3650),

        KeyCase(
            "tenantAdmission.defaultMaxLogicalStorageBytes", "TENANT_ADMISSION_DEFAULT_MAX_LOGICAL_STORAGE_BYTES",
            "tenant-admission.default-max-logical-storage-bytes", 10_995_116_277_760, 10_485_760...10_995_116_277_760),
        KeyCase(
            "tenantAdmission.defaultMaxConcurrentUploadSessions",
            "TENANT_ADMISSION_DEFAULT_MAX_CONCURRENT_UPLOAD_SESSIONS",
            "tenant-admission.default-max-concurrent-upload-sessions", 1000, 1...1000),
        KeyCase(
            "tenantAdmission.defaultMaxPendingSearchJobs", "TENANT_ADMISSION_DEFAULT_MAX_PENDING_SEARCH_JOBS",
            "tenant-admission.default-max-pending-search-jobs", 5000, 1...50000),

        KeyCase(
            "worker.searchJobLeaseSeconds", "WORKER_SEARCH_JOB_LEASE_SECONDS", "worker.search-job-lease-seconds", 300,
            30...86400),
        KeyCase("worker.pollSeconds", "WORKER_POLL_SECONDS", "worker.poll-seconds", 5, 1...3600),
        KeyCase("worker.batchSize", "WORKER_BATCH_SIZE", "worker.batch-size", 100, 1...5000),
        KeyCase(
            "worker.searchJobMaxAttempts", "WORKER_SEARCH_JOB_MAX_ATTEMPTS", "worker.search-job-max-attempts", 5,
            1...100),
        KeyCase(
            "webhooks.allowPrivateAddresses", "WEBHOOKS_ALLOW_PRIVATE_ADDRESSES", "webhooks.allow-private-addresses",
            "false"),
        KeyCase("webhooks.timeoutSeconds", "WEBHOOKS_TIMEOUT_SECONDS", "webhooks.timeout-seconds", 10, 1...60),
        KeyCase("webhooks.maxAttempts", "WEBHOOKS_MAX_ATTEMPTS", "webhooks.max-attempts", 10, 1...100),
        KeyCase("webhooks.retrySeconds", "WEBHOOKS_RETRY_SECONDS", "webhooks.retry-seconds", 30, 1...3600),
        KeyCase("webhooks.concurrency", "WEBHOOKS_CONCURRENCY", "webhooks.concurrency", 32, 1...256),

        KeyCase(
            "log.level", "LOG_LEVEL", "log.level", "info", good: ["debug", "info", "warning", "error"],
            bad: ["", "loud", "INFO"]),
        KeyCase("log.format", "LOG_FORMAT", "log.format", "json", good: ["text", "json"], bad: ["", "xml"]),
        KeyCase(
            "metrics.listen", "METRICS_LISTEN", "metrics.listen", "none", good: ["127.0.0.1:0", "[::]:9090"],
            bad: ["", "9090", ":9090"]),
        KeyCase("metrics.token", "METRICS_TOKEN", "metrics.token", "none", good: ["m3trics"], bad: Self.badText),
        KeyCase(
            "telemetry.otlpEndpoint", "TELEMETRY_OTLP_ENDPOINT", "telemetry.otlp-endpoint", "none", good: [],
            bad: Self.badURL),
    ]
}
