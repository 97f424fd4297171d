// Bearer tokens of an OpenID provider (HTTP contract, 2.6).

extension Catalogue {
    static let oidc: [any AnySetting] = [
        Setting.oidcEnabled, Setting.oidcIssuer, Setting.oidcAudience, Setting.oidcSharedSecret, Setting.oidcJWKS,
        Setting.oidcJWKSURL, Setting.oidcRefreshIntervalSeconds, Setting.oidcRefreshTimeoutSeconds,
        Setting.oidcMaxStalenessSeconds, Setting.oidcRoleMappings,
    ]
}

extension Setting where Value == Bool {
    package static var oidcEnabled: Self {
        Self(
            "auth.oidc.enabled", .boolean, default: false, "Accept tokens of an OpenID provider."
        ).pending("OpenID Connect", rejecting: { $0 })
    }
}

extension Setting where Value == String? {
    package static var oidcIssuer: Self {
        Self("auth.oidc.issuer", Kind<String>.text().orNone, default: nil, "Claim `iss`, exactly; required when on.")
            .pending("OpenID Connect")
    }

    package static var oidcAudience: Self {
        Self("auth.oidc.audience", Kind<String>.text().orNone, default: nil, "Claim `aud`, exactly; required when on.")
            .pending("OpenID Connect")
    }

    package static var oidcJWKS: Self {
        Self(
            "auth.oidc.jwksJson", Kind<String>.document("a JSON Web Key Set").orNone, default: nil,
            "Signing keys. One of this, `jwksUrl` and `hs256SharedSecret` is required when on."
        )
        .pending("OpenID Connect")
    }
}

extension Setting where Value == Secret? {
    package static var oidcSharedSecret: Self {
        Self(
            "auth.oidc.hs256SharedSecret", Kind<Secret>.secret.orNone, default: nil,
            "Accept HS256 signatures with this secret."
        )
        .pending("OpenID Connect")
    }
}

extension Setting where Value == RemoteURL? {
    package static var oidcJWKSURL: Self {
        Self(
            "auth.oidc.jwksUrl",
            Kind<RemoteURL>.remoteURL.orNone,
            default: nil, "Where signing keys are fetched."
        )
        .pending("OpenID Connect")
    }
}

extension Setting where Value == Int {
    package static var oidcRefreshIntervalSeconds: Self {
        Self("auth.oidc.jwksRefreshIntervalSeconds", .integer(30...86400), default: 300, "Time from fetch to fetch.")
            .pending("OpenID Connect")
    }

    package static var oidcRefreshTimeoutSeconds: Self {
        Self("auth.oidc.jwksRefreshTimeoutSeconds", .integer(1...120), default: 10, "Time that a fetch may take.")
            .pending("OpenID Connect")
    }

    package static var oidcMaxStalenessSeconds: Self {
        Self(
            "auth.oidc.jwksMaxStalenessSeconds", .integer(30...604_800),
            default: .derived("max(3 × interval, 900)") { max(3 * $0[.oidcRefreshIntervalSeconds], 900) },
            "Age at which fetched keys are no longer used; not below the interval."
        )
        .pending("OpenID Connect")
    }
}

extension Setting where Value == RoleMappings? {
    package static var oidcRoleMappings: Self {
        Self(
            "auth.oidc.roleMappings", Kind<RoleMappings>.roleMappings.orNone, default: nil,
            "Roles for holders of a claim; `*` as value or repository means any."
        )
        .pending("OpenID Connect")
    }
}

extension Kind where Value == RoleMappings {
    static var roleMappings: Self {
        .parsed("claimName|claimValue|repoKey|role, several separated by ;") { RoleMappings($0) }
    }
}
