// Rebuilding the search index, and stopping and watching who does it. Shapes: HTTP contract, 3.7 (rebuild) and 7.10.
// Beside the contract: `all` and `recreate` of a rebuild, `rebuild` and `staleDocumentsIsExact` of the status.

import Domain
import HTTP
import Persistence
package import Registry

package struct SearchAdministrationRoutes: Sendable {
    private let rebuilding: SearchRebuilding
    private let controls: SearchControls

    package init(rebuilding: SearchRebuilding, controls: SearchControls) {
        self.rebuilding = rebuilding
        self.controls = controls
    }

    package var routes: [Route] {
        [
            .tenant("POST", "/v1/admin/search/rebuild", .operator) { call, grant in
                try await self.rebuild(call, grant)
            },
            .tenant("POST", "/v1/admin/search/pause", .operator) { call, grant in try await self.pause(call, grant) },
            .tenant("POST", "/v1/admin/search/resume", .operator) { call, grant in
                try await call.commit {
                    try await self.controls.resume(under: grant, commit: $0)
                } answer: { control in
                    .json(200, control.json)
                }
            },
            .tenant("POST", "/v1/admin/search/cancel", .operator) { call, grant in try await self.cancel(call, grant) },
            .tenant("GET", "/v1/admin/search/status", .auditor) { call, grant in
                let repo = try Self.repository(call.request.target.parameter("repoKey"))
                return .json(200, try await self.controls.status(of: repo, under: grant).json)
            },
        ]
    }

    private func rebuild(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let fields = try await call.optionalFields()
        let order = try RebuildOrder(
            repo: Self.repository(fields?.trimmedText("repoKey")), batchSize: fields?.integer("batchSize") ?? 0,
            isComplete: fields?.bool("all") ?? false, recreates: fields?.bool("recreate") ?? false)
        return try await call.commit { commit in
            try await self.rebuilding.start(order, under: grant, commit: commit)
        } answer: { answer in
            .json(
                200,
                [
                    "repoKey": JSON(answer.repo?.text), "requestedBatchSize": JSON(answer.requestedBatch),
                    "effectiveBatchSize": JSON(answer.effectiveBatch), "batchSize": JSON(answer.effectiveBatch),
                    "enqueuedCount": JSON(answer.enqueued), "pendingJobsAfterEnqueue": JSON(answer.pendingAfter),
                ])
        }
    }

    private func pause(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let reason = try await call.fields().requiredText("reason")
        return try await call.commit { commit in
            try await self.controls.pause(because: reason, under: grant, commit: commit)
        } answer: { control in
            .json(200, control.json)
        }
    }

    private func cancel(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let fields = try await call.optionalFields()
        let repo = try Self.repository(fields?.trimmedText("repoKey"))
        let reason = try fields?.trimmedText("reason") ?? "operator_cancelled"
        return try await call.commit { commit in
            try await self.controls.cancel(in: repo, because: reason, under: grant, commit: commit)
        } answer: { answer in
            .json(
                200,
                [
                    "repoKey": JSON(answer.repo?.text), "reason": .string(answer.reason),
                    "cancelledCount": JSON(answer.cancelled), "processingJobsUnaffected": JSON(answer.processing),
                    "remainingPendingJobs": JSON(answer.remainingPending),
                    "remainingFailedJobs": JSON(answer.remainingFailed),
                ])
        }
    }

    private static func repository(_ text: String?) throws(Refusal) -> RepoKey? {
        guard let text = text?.trimmedOrNil else { return nil }
        return try RepoKey(parsing: text)
    }
}

extension SearchControl {
    fileprivate var json: JSON {
        [
            "paused": .bool(self.isPaused), "pauseReason": JSON(self.reason),
            "updatedBySubject": .string(self.updatedBy), "updatedAtUtc": JSON(self.updatedAt),
        ]
    }
}

extension SearchStatus {
    fileprivate var json: JSON {
        let rebuild: JSON =
            if let rebuild = self.rebuild {
                ["status": .string(rebuild.status), "enqueuedCount": JSON(rebuild.enqueued)]
            } else {
                .null
            }
        let lag = self.freshness.oldestStale.map { max(0, Timestamp.seconds(from: $0, to: self.checkedAt)) } ?? 0
        return [
            "repoKey": JSON(self.repo?.text), "paused": .bool(self.control.isPaused),
            "pauseReason": JSON(self.control.reason), "controlUpdatedBySubject": .string(self.control.updatedBy),
            "controlUpdatedAtUtc": JSON(self.control.updatedAt), "checkedAtUtc": JSON(self.checkedAt),
            "pendingJobs": JSON(self.jobs["pending"] ?? 0), "processingJobs": JSON(self.jobs["processing"] ?? 0),
            "failedJobs": JSON(self.jobs["failed"] ?? 0), "completedJobs": JSON(self.jobs["completed"] ?? 0),
            "cancelledJobs": JSON(self.jobs["cancelled"] ?? 0),
            "oldestReadyJobAgeSeconds": JSON(self.oldestReadyAge),
            "oldestProcessingAgeSeconds": JSON(self.oldestProcessingAge),
            "staleProcessingJobs": JSON(self.staleProcessing), "staleDocuments": JSON(self.freshness.staleDocuments),
            "staleDocumentsIsExact": .bool(self.freshness.isExact),
            "newestIndexedAtUtc": JSON(self.freshness.newestIndexedAt), "worstCaseFreshnessLagSeconds": JSON(lag),
            "rebuild": rebuild,
        ]
    }
}
