// Every setting, in the order in which it is decided, listed and documented. One that is not in this list does not exist.

package enum Catalogue {
    package struct Section: Sendable {
        package let title: String
        package let settings: [any AnySetting]
    }

    package static let sections: [Section] = [
        Section(title: "Service", settings: service),
        Section(title: "HTTP", settings: http),
        Section(title: "Database", settings: database),
        Section(title: "Storage", settings: storage),
        Section(title: "Identity", settings: identity),
        Section(title: "OpenID Connect", settings: oidc),
        Section(title: "SAML", settings: saml),
        Section(title: "Policy", settings: policy),
        Section(title: "Retention", settings: lifecycle),
        Section(title: "Limits of a tenant", settings: tenantAdmission),
        Section(title: "Background work", settings: worker),
        Section(title: "Webhooks", settings: webhooks),
        Section(title: "Logs, metrics and traces", settings: telemetry),
    ]

    package static let all: [any AnySetting] = sections.flatMap(\.settings)
}
