// A tenant's quotas. Shapes: HTTP contract, 7.5.

import Domain
import HTTP
package import Registry

package struct AdmissionRoutes: Sendable {
    private let admission: Admission

    package init(admission: Admission) { self.admission = admission }

    package var routes: [Route] {
        let path = "/v1/admin/tenant-admission-policy"
        return [
            .tenant("GET", path, .admin) { _, grant in
                let (policy, usage) = try await self.admission.show(under: grant)
                return .json(200, .object(policy.members + [JSON.Member("usage", usage.json)]))
            },
            .tenant("PUT", path, .admin) { call, grant in try await self.set(call, grant) },
        ]
    }

    private func set(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let fields = try await call.fields()
        let (bytes, sessions, jobs) = (
            try fields.integer("maxLogicalStorageBytes"), try fields.integer("maxConcurrentUploadSessions"),
            try fields.integer("maxPendingSearchJobs")
        )
        return try await call.commit { commit in
            try await self.admission.set(bytes: bytes, sessions: sessions, jobs: jobs, under: grant, commit: commit)
        } answer: { policy in
            .json(200, .object(policy.members))
        }
    }
}

extension AdmissionPolicy {
    fileprivate var members: [JSON.Member] {
        [
            JSON.Member("maxLogicalStorageBytes", .integer(self.maxLogicalStorageBytes)),
            JSON.Member("maxConcurrentUploadSessions", .integer(self.maxConcurrentUploadSessions)),
            JSON.Member("maxPendingSearchJobs", .integer(self.maxPendingSearchJobs)),
            JSON.Member("updatedBySubject", .string(self.updatedBy)),
            JSON.Member("updatedAtUtc", JSON(self.updatedAt)),
        ]
    }
}

extension AdmissionUsage {
    fileprivate var json: JSON {
        [
            "logicalStorageBytes": .integer(self.logicalStorageBytes),
            "activeUploadSessions": .integer(self.activeUploadSessions),
            "pendingSearchJobs": .integer(self.pendingSearchJobs),
        ]
    }
}
