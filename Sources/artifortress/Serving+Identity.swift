// Tokens.

import API
import Identity
import Settings

extension Serving {
    var identityRoutes: [Route] { TokenRoutes(tokens: self.tokens).routes }

    private var tokens: Tokens {
        Tokens(
            database: self.database, clock: self.clock,
            bootstrap: BootstrapToken(configured: self.configuration[.bootstrapToken]?.value),
            maxTTLMinutes: self.configuration[.patMaxTTLMinutes], defaultTenant: self.deployment.defaultTenant)
    }
}
