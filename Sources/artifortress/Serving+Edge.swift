// What the settings say of the way to the server: proxies, its own name, and how often one may guess.

import API
import Identity
import Settings
import Threads

extension Forwarding {
    init(_ configuration: Configuration) {
        let proxies = configuration[.trustedProxies]
        let isTrusted: @Sendable (String) -> Bool = { text in
            guard let address = NetworkAddress(text) else { return false }
            return proxies.contains { $0.contains(address) }
        }
        self.init(
            publicURL: configuration[.publicURL]?.description, isTrusted: proxies.isEmpty ? nil : isTrusted,
            fallback: configuration[.listen].description)
    }
}

extension Throttle {
    convenience init(_ configuration: Configuration, clock: WallClock) {
        self.init(
            addressLimit: configuration[.throttleAddressAttempts],
            credentialLimit: configuration[.throttleSubjectAttempts],
            windowSeconds: configuration[.throttleWindowSeconds], clock: clock,
            network: { NetworkAddress($0)?.subscriber ?? $0 })
    }
}
