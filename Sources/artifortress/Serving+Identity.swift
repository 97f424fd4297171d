// Tokens, tenant roles, quotas, and the audit log.

import API
import Domain
import Identity
import Registry
import Settings
import Worker

extension Serving {
    var identityRoutes: [Route] {
        let policies = TokenPolicies(
            database: self.database, clock: self.clock, maxTTLMinutes: self.configuration[.patMaxTTLMinutes])
        return [
            TokenRoutes(tokens: self.tokens).routes,
            TokenAdministrationRoutes(tokens: self.tokens, policies: policies).routes,
            TenantBindingRoutes(bindings: TenantBindings(database: self.database, clock: self.clock)).routes,
            AdmissionRoutes(admission: self.admission).routes,
            AuditRoutes(audit: AuditReading(database: self.database)).routes,
        ].flatMap(\.self)
    }

    /// Writes what requests have noted of tokens' use.
    var notingUses: any Service {
        let (uses, report) = (self.tokenUses, self.report)
        return Periodic(
            "token uses", every: .seconds(5), report: report, work: { try await uses.flush() })
    }

    /// Tenants' quotas, for whatever must keep to them.
    var admission: Admission {
        Admission(
            database: self.database, clock: self.clock,
            standard: AdmissionPolicy(
                maxLogicalStorageBytes: Int64(self.configuration[.tenantMaxLogicalStorageBytes]),
                maxConcurrentUploadSessions: Int64(self.configuration[.tenantMaxConcurrentUploadSessions]),
                maxPendingSearchJobs: Int64(self.configuration[.tenantMaxPendingSearchJobs])))
    }

    /// What the machine's administrator may do.
    var localRoutes: [Route] {
        LocalRoutes(
            tenants: Tenants(database: self.database, clock: self.clock, tokens: self.tokens), tokens: self.tokens,
            bootstrap: BootstrapTokens(
                token: self.bootstrapToken, clock: self.clock, defaultTenant: self.deployment.defaultTenant),
            standardTTL: self.configuration[.patMaxTTLMinutes]
        ).routes
    }

    private var bootstrapToken: BootstrapToken {
        BootstrapToken(configured: self.configuration[.bootstrapToken]?.value)
    }

    private var tokens: Tokens {
        Tokens(
            database: self.database, clock: self.clock, bootstrap: self.bootstrapToken,
            maxTTLMinutes: self.configuration[.patMaxTTLMinutes], defaultTenant: self.deployment.defaultTenant)
    }
}
