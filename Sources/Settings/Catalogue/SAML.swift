// Sign-on through a SAML identity provider (HTTP contract, 2.7).

extension Catalogue {
    static let saml: [any AnySetting] = [
        Setting.samlEnabled, Setting.samlMetadataURL, Setting.samlMetadataXML, Setting.samlExpectedIssuer,
        Setting.samlServiceProviderEntityID, Setting.samlRoleMappings, Setting.samlIssuedPATTTLMinutes,
        Setting.samlFetchTimeoutSeconds, Setting.samlRefreshIntervalSeconds, Setting.samlMaxStalenessSeconds,
    ]
}

extension Setting where Value == Bool {
    package static var samlEnabled: Self {
        Self(
            "auth.saml.enabled", .boolean, default: false, "Accept assertions of a SAML identity provider."
        ).pending("SAML", rejecting: { $0 })
    }
}

extension Setting where Value == RemoteURL? {
    package static var samlMetadataURL: Self {
        Self(
            "auth.saml.idpMetadataUrl",
            Kind<RemoteURL>.remoteURL.orNone, default: nil,
            "Where the provider's metadata is fetched. This or `idpMetadataXml` is required when on."
        )
        .pending("SAML")
    }
}

extension Setting where Value == String? {
    package static var samlMetadataXML: Self {
        Self(
            "auth.saml.idpMetadataXml", Kind<String>.document("a SAML metadata document").orNone, default: nil,
            "The provider's metadata."
        )
        .pending("SAML")
    }

    package static var samlExpectedIssuer: Self {
        Self(
            "auth.saml.expectedIssuer", Kind<String>.text().orNone, default: nil,
            "The provider's entity id; required when on."
        )
        .pending("SAML")
    }

    package static var samlServiceProviderEntityID: Self {
        Self(
            "auth.saml.serviceProviderEntityId", Kind<String>.text().orNone, default: nil,
            "Our entity id; required when on."
        )
        .pending("SAML")
    }
}

extension Setting where Value == RoleMappings? {
    package static var samlRoleMappings: Self {
        Self(
            "auth.saml.roleMappings", Kind<RoleMappings>.roleMappings.orNone, default: nil,
            "Roles for holders of an attribute; `*` as value or repository means any."
        )
        .pending("SAML")
    }
}

extension Setting where Value == Int {
    package static var samlIssuedPATTTLMinutes: Self {
        Self(
            "auth.saml.issuedPatTtlMinutes", .integer(5...1440), default: 60,
            "Life of the access token that a sign-on gives."
        )
        .pending("SAML")
    }

    package static var samlFetchTimeoutSeconds: Self {
        Self("auth.saml.metadataFetchTimeoutSeconds", .integer(1...120), default: 10, "Time that a fetch may take.")
            .pending("SAML")
    }

    package static var samlRefreshIntervalSeconds: Self {
        Self(
            "auth.saml.metadataRefreshIntervalSeconds", .integer(30...86400), default: 300, "Time from fetch to fetch."
        )
        .pending("SAML")
    }

    package static var samlMaxStalenessSeconds: Self {
        Self(
            "auth.saml.metadataMaxStalenessSeconds", .integer(30...604_800),
            default: .derived("max(3 × interval, 900)") { max(3 * $0[.samlRefreshIntervalSeconds], 900) },
            "Age at which fetched metadata is no longer used; not below the interval."
        )
        .pending("SAML")
    }
}
