// Roles on the tenant. Shapes: HTTP contract, 7.3.

import Domain
import HTTP
package import Registry

package struct TenantBindingRoutes: Sendable {
    private let bindings: TenantBindings

    package init(bindings: TenantBindings) { self.bindings = bindings }

    package var routes: [Route] {
        let one = "/v1/admin/tenant-role-bindings/{subject}"
        return [
            .tenant("GET", "/v1/admin/tenant-role-bindings", .admin) { _, grant in
                .json(200, .array(try await self.bindings.list(under: grant).map { $0.json() }))
            },
            .tenant("PUT", one, .admin) { call, grant in try await self.bind(call, grant) },
            .tenant("DELETE", one, .admin) { call, grant in try await self.unbind(call, grant) },
        ]
    }

    private func bind(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let subject = try call.subject
        let roles = try TenantRole.list(parsing: try await call.fields().texts("roles") ?? [])
        return try await call.commit { commit in
            try await self.bindings.bind(subject, to: roles, under: grant, commit: commit)
        } answer: { binding in
            .json(200, binding.json())
        }
    }

    private func unbind(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let subject = try call.subject
        return try await call.commit { commit in
            try await self.bindings.unbind(subject, under: grant, commit: commit)
        } answer: { isDeleted in
            .json(200, ["subject": .string(subject.text), "deleted": .bool(isDeleted)])
        }
    }
}
