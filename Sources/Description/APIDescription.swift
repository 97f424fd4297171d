// The description of the HTTP API (OpenAPI 3.1), joined of one fragment an area (Fragments/): `GET /openapi.json` and
// docs/openapi.yaml are both made of it. A test fails for a route that is not described, and for what is not a route.
//
// To describe a route: a few lines in its area's fragment (their form: Operation.swift and SchemaNotation.swift), then
// `make docs`. A new area: a file of its own, and its name in the list below.

package import Domain

package struct APIDescription: Sendable {
    private static let fragments: [(name: String, bytes: [UInt8])] = [
        ("service", PackageResources.service_yaml), ("identity", PackageResources.identity_yaml),
        ("tenants", PackageResources.tenants_yaml), ("audit", PackageResources.audit_yaml),
        ("repositories", PackageResources.repositories_yaml), ("uploads", PackageResources.uploads_yaml),
        ("versions", PackageResources.versions_yaml), ("packages", PackageResources.packages_yaml),
        ("attestations", PackageResources.attestations_yaml), ("releases", PackageResources.releases_yaml),
        ("policy", PackageResources.policy_yaml),
        ("events", PackageResources.events_yaml), ("generic", PackageResources.generic_yaml),
        ("search", PackageResources.search_yaml), ("webhooks", PackageResources.webhooks_yaml),
    ]

    private static let shared = Result { try APIDescription() }

    /// Made once.
    ///
    /// - Throws: where a fragment is malformed: a test keeps that from happening.
    package static func current() throws -> APIDescription { try self.shared.get() }

    package let operations: [Operation]
    /// The whole document.
    package let document: JSON

    private init() throws {
        var operations: [Operation] = []
        var schemas = Self.commonSchemas
        var tags: [JSON] = []
        for (name, bytes) in Self.fragments {
            let fragment = try Fragment(name, bytes)
            operations += fragment.operations
            schemas += fragment.schemas
            tags.append(["name": .string(fragment.title), "description": .string(fragment.about)])
        }
        self.operations = operations
        let components: JSON = .object([
            .init("securitySchemes", Self.securitySchemes), .init("headers", Self.headers),
            .init("parameters", .object(Self.parameters)), .init("responses", .object(ErrorAnswer.components)),
            .init("schemas", .object(schemas)),
        ])
        self.document = .object([
            .init("openapi", "3.1.0"), .init("info", Self.info), .init("servers", [["url": "/"]]),
            .init("tags", .array(tags)), .init("paths", Self.paths(of: operations)), .init("components", components),
        ])
    }

    /// The document as docs/openapi.yaml has it.
    package var yaml: String {
        "# Made by `make docs` of Sources/Description/Fragments. The server has it too: GET /openapi.json\n"
            + YAMLText.of(self.document)
    }

    private static func paths(of operations: [Operation]) -> JSON {
        var items: [(path: String, members: [JSON.Member])] = []
        for operation in operations {
            let member = JSON.Member(operation.method.lowercased(), operation.document)
            if let index = items.firstIndex(where: { $0.path == operation.path }) {
                items[index].members.append(member)
            } else {
                items.append((operation.path, [member]))
            }
        }
        return .object(items.map { JSON.Member($0.path, .object($0.members)) })
    }
}
