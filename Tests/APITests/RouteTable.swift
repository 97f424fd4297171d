// Every route: who is let in, and what is answered to whoever is. The one table; a route that isn't here fails the test
// beside this (RouteTests), and so does a row without a route.
//
// To add a route: one line, `"METHOD PATTERN": (rule, status)`. The request that is made has `{}` as its body, and asks
// for a repository that is there but nothing else that is; `status` is what somebody is answered who is let in. Then,
// where it differs: `far`, for another tenant's administrator, in whose tenant the repository isn't (404 where the path
// has a repository), and `query`. Source: HTTP contract, 3.0 and 7.1 (callers), 1.8 (order of checks).

enum RouteTable {
    /// Whom a rule lets in: a word for each caller, in the order of `Caller.all`. `in` is the row's status, `far` its status
    /// for another tenant's caller; a number stands for itself.
    enum Rule: String, CaseIterable {
        //              none open junk late gone dead far | read writ prom admi all | tadm taud tope
        case anyone = " in   in   in   in   in   in   in    in   in   in   in   in    in   in   in "
        case token = "  401  401  401  401  401  401  far   in   in   in   in   in    in   in   in "
        case read = "   401  401  401  401  401  401  far   in   in   403  in   in    403  403  403"
        case reading = "401  in   401  401  401  401  far   in   in   403  in   in    403  403  403"
        case write = "  401  401  401  401  401  401  far   403  in   403  in   in    403  403  403"
        case promote = "401  401  401  401  401  401  far   403  403  in   in   in    403  403  403"
        case admin = "  401  401  401  401  401  401  far   403  403  403  in   in    403  403  403"
        case every = "  401  401  401  401  401  401  far   403  403  403  403  in    403  403  403"
        case tenantAd = "401 401  401  401  401  401  far   403  403  403  403  in    in   403  403"
        case auditor = "401  401  401  401  401  401  far   403  403  403  403  in    in   in   403"
        case operators = "401 401  401  401  401  401  far   403  403  403  403  in    in   403  in "
        /// What one presents that is no good counts as absent.
        case issuing = "403  403  403  403  403  403  far   403  403  403  403  in    in   403  403"
    }

    typealias Row = (rule: Rule, status: Int, far: Int?, query: String)

    private static func row(_ rule: Rule, _ status: Int, far: Int? = nil, query: String = "") -> Row {
        (rule, status, far, query)
    }

    static let rows: [String: Row] = [
        // Service
        "GET /": row(.anyone, 200),
        "GET /health/live": row(.anyone, 200),
        "GET /health/ready": row(.anyone, 200),
        "GET /openapi.json": row(.anyone, 200),
        "GET /metrics": row(.anyone, 401),  // has a token of its own
        // Tokens
        "GET /v1/auth/whoami": row(.token, 200),
        "POST /v1/auth/pats": row(.issuing, 400),
        "POST /v1/auth/pats/revoke": row(.tenantAd, 404),
        "GET /v1/admin/auth/pats": row(.tenantAd, 200),
        "POST /v1/admin/auth/pats/revoke-subject": row(.tenantAd, 400),
        "POST /v1/admin/auth/pats/revoke-all": row(.tenantAd, 200),
        "GET /v1/admin/auth/pat-policy": row(.tenantAd, 200),
        "PUT /v1/admin/auth/pat-policy": row(.tenantAd, 400),
        // Tenants
        "GET /v1/admin/tenant-role-bindings": row(.tenantAd, 200),
        "PUT /v1/admin/tenant-role-bindings/{subject}": row(.tenantAd, 400),
        "DELETE /v1/admin/tenant-role-bindings/{subject}": row(.tenantAd, 200),
        "GET /v1/admin/tenant-admission-policy": row(.tenantAd, 200),
        "PUT /v1/admin/tenant-admission-policy": row(.tenantAd, 400),
        // Audit
        "GET /v1/audit": row(.auditor, 200),
        "GET /v1/audit/export": row(.auditor, 200),
        // Repositories
        "GET /v1/repos": row(.token, 200),
        "POST /v1/repos": row(.every, 400),
        "GET /v1/repos/{repoKey}": row(.read, 200),
        "PUT /v1/repos/{repoKey}": row(.admin, 200),
        "DELETE /v1/repos/{repoKey}": row(.admin, 409),
        "GET /v1/repos/{repoKey}/bindings": row(.admin, 200),
        "PUT /v1/repos/{repoKey}/bindings/{subject}": row(.admin, 400),
        "DELETE /v1/repos/{repoKey}/bindings/{subject}": row(.admin, 200),
        // Uploads and blobs
        "POST /v1/repos/{repoKey}/uploads": row(.write, 400),
        "GET /v1/repos/{repoKey}/uploads/{uploadId}": row(.write, 404),
        "POST /v1/repos/{repoKey}/uploads/{uploadId}/parts": row(.write, 400, far: 400),
        "POST /v1/repos/{repoKey}/uploads/{uploadId}/complete": row(.write, 400, far: 400),
        "POST /v1/repos/{repoKey}/uploads/{uploadId}/commit": row(.write, 404),
        "POST /v1/repos/{repoKey}/uploads/{uploadId}/abort": row(.write, 404),
        "PUT /v1/repos/{repoKey}/uploads/{uploadId}/parts/{partNumber}":
            row(.anyone, 403, query: "expires=9999999999&limit=10&signature=00"),
        "GET /v1/repos/{repoKey}/blobs/{digest}": row(.reading, 404),
        // Versions
        "POST /v1/repos/{repoKey}/packages/versions/drafts": row(.write, 400, far: 400),
        "POST /v1/repos/{repoKey}/packages/versions/{versionId}/entries": row(.write, 400, far: 400),
        "GET /v1/repos/{repoKey}/packages/versions/{versionId}/manifest": row(.read, 404),
        "PUT /v1/repos/{repoKey}/packages/versions/{versionId}/manifest": row(.write, 404),
        "POST /v1/repos/{repoKey}/packages/versions/{versionId}/publish": row(.promote, 404),
        "POST /v1/repos/{repoKey}/packages/versions/{versionId}/tombstone": row(.promote, 400, far: 400),
        // Packages
        "GET /v1/repos/{repoKey}/packages": row(.reading, 200),
        "GET /v1/repos/{repoKey}/packages/versions/{versionId}": row(.reading, 404),
        "GET /v1/repos/{repoKey}/packages/versions/{versionId}/entries": row(.reading, 404),
        "GET /v1/repos/{repoKey}/packages/{type}/{name}/versions": row(.reading, 404),
        "GET /v1/repos/{repoKey}/packages/{type}/{name}/versions/{version}": row(.reading, 404),
        "GET /v1/repos/{repoKey}/packages/{type}/{name}/versions/{version}/files/{path...}": row(.reading, 404),
        "GET /v1/repos/{repoKey}/packages/{type}/{name}/tags": row(.reading, 404),
        "GET /v1/repos/{repoKey}/packages/{type}/{name}/tags/{tag}": row(.reading, 404),
        "GET /v1/repos/{repoKey}/packages/{type}/{name}/tags/{tag}/history": row(.reading, 404),
        "PUT /v1/repos/{repoKey}/packages/{type}/{name}/tags/{tag}": row(.promote, 400, far: 400),
        "DELETE /v1/repos/{repoKey}/packages/{type}/{name}/tags/{tag}": row(.promote, 404),
        "GET /v1/repos/{repoKey}/packages/{type}/{name}/tags/{tag}/files/{path...}": row(.reading, 404),
        "GET /v1/repos/{repoKey}/retired-coordinates": row(.admin, 200),
        "DELETE /v1/repos/{repoKey}/retired-coordinates/{type}/{name}/{version}": row(.tenantAd, 404),
        // Attestations and releases
        "PUT /v1/repos/{repoKey}/packages/versions/{versionId}/attestations": row(.write, 400, far: 400),
        "GET /v1/repos/{repoKey}/packages/versions/{versionId}/attestations": row(.reading, 404),
        "GET /v1/repos/{repoKey}/packages/versions/{versionId}/attestations/{attestationId}": row(.reading, 404),
        "GET /v1/repos/{repoKey}/packages/versions/{versionId}/attestations/{attestationId}/document":
            row(.reading, 404),
        "GET /v1/repos/{repoKey}/trusted-keys": row(.admin, 200),
        "POST /v1/repos/{repoKey}/trusted-keys": row(.admin, 400, far: 400),
        "DELETE /v1/repos/{repoKey}/trusted-keys/{keyId}": row(.admin, 404),
        "POST /v1/releases": row(.promote, 400, far: 400),
        "GET /v1/releases": row(.token, 200),
        "GET /v1/releases/{releaseId}": row(.token, 404),
        // Policy, quarantine and promotion
        "GET /v1/repos/{repoKey}/policy": row(.read, 200),
        "PUT /v1/repos/{repoKey}/policy": row(.admin, 400, far: 400),
        "POST /v1/repos/{repoKey}/policy/evaluations": row(.promote, 400, far: 400),
        "GET /v1/repos/{repoKey}/policy/evaluations": row(.read, 200),
        "GET /v1/repos/{repoKey}/policy/evaluations/{evaluationNumber}": row(.read, 404),
        "DELETE /v1/repos/{repoKey}/policy/evaluations/{evaluationNumber}": row(.admin, 404),
        "GET /v1/repos/{repoKey}/quarantine": row(.promote, 200),
        "GET /v1/repos/{repoKey}/quarantine/{quarantineId}": row(.promote, 404),
        "POST /v1/repos/{repoKey}/quarantine/{quarantineId}/release": row(.promote, 404),
        "POST /v1/repos/{repoKey}/quarantine/{quarantineId}/reject": row(.promote, 404),
        "POST /v1/repos/{repoKey}/packages/versions/{versionId}/promote": row(.admin, 400, far: 400),
        // Events
        "GET /v1/repos/{repoKey}/events": row(.reading, 200, query: "wait=0"),
        // Search and background work
        "GET /v1/repos/{repoKey}/search/packages": row(.reading, 200),
        "POST /v1/admin/search/rebuild": row(.operators, 200),
        "POST /v1/admin/search/pause": row(.operators, 400),
        "POST /v1/admin/search/resume": row(.operators, 200),
        "POST /v1/admin/search/cancel": row(.operators, 200),
        "GET /v1/admin/search/status": row(.auditor, 200),
        "GET /v1/admin/dead-letters": row(.auditor, 200),
        "POST /v1/admin/dead-letters/{deadLetterId}/retry": row(.operators, 404),
        // Webhooks
        "POST /v1/repos/{repoKey}/webhooks": row(.admin, 400, far: 400),
        "POST /v1/admin/webhooks": row(.tenantAd, 400),
        "GET /v1/repos/{repoKey}/webhooks": row(.admin, 200),
        "GET /v1/admin/webhooks": row(.tenantAd, 200),
        "GET /v1/repos/{repoKey}/webhooks/{webhookId}": row(.admin, 404),
        "GET /v1/admin/webhooks/{webhookId}": row(.tenantAd, 404),
        "DELETE /v1/repos/{repoKey}/webhooks/{webhookId}": row(.admin, 404),
        "DELETE /v1/admin/webhooks/{webhookId}": row(.tenantAd, 404),
        "POST /v1/repos/{repoKey}/webhooks/{webhookId}/enable": row(.admin, 404),
        "POST /v1/admin/webhooks/{webhookId}/enable": row(.tenantAd, 404),
        "POST /v1/repos/{repoKey}/webhooks/{webhookId}/test": row(.admin, 404),
        "POST /v1/admin/webhooks/{webhookId}/test": row(.tenantAd, 404),
        "GET /v1/repos/{repoKey}/webhooks/{webhookId}/deliveries": row(.admin, 404),
        "GET /v1/admin/webhooks/{webhookId}/deliveries": row(.tenantAd, 404),
        "POST /v1/repos/{repoKey}/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver": row(.admin, 404),
        "POST /v1/admin/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver": row(.tenantAd, 404),
        // Generic files
        "GET /generic/{repoKey}": row(.anyone, 301),
        "GET /generic/{repoKey}/{path...}": row(.reading, 404),
        "PUT /generic/{repoKey}/{path...}": row(.write, 201),
        "DELETE /generic/{repoKey}/{path...}": row(.write, 404),
    ]
}

extension RouteTable.Rule {
    /// A word for each caller.
    var words: [Substring] { self.rawValue.split(separator: " ") }
}
