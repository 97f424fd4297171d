// Hot queries use an index on 100,000 rows, on both databases. A statement of a store belongs to its use case's tests,
// which run it on `withSeededDatabase`; here is what the schema must give.

import Domain
import Persistence
import TestSupport
import Testing

@Suite struct QueryPlanTests {
    private static let number = 4711

    private static var hotQueries: [(name: String, query: SQL)] {
        let (now, number) = (Seeded.now, Self.number)
        let tenant = Seeded.tenant(of: number)
        let open: SQL = "state IN ('initiated', 'parts_uploading', 'pending_commit')"
        return [
            (
                "token by hash",
                """
                SELECT token_id FROM personal_access_tokens
                WHERE token_hash = \(Seeded.digest(number)) AND revoked_at IS NULL AND expires_at > \(now)
                """
            ),
            (
                "repository by key",
                "SELECT repo_id FROM repos WHERE tenant_id = \(tenant) AND repo_key = \(Seeded.repoKey(number))"
            ),
            ("blob by digest", "SELECT storage_key FROM blobs WHERE digest = \(Seeded.digest(number))"),
            ("blob by storage key", "SELECT digest FROM blobs WHERE storage_key = 'k4711'"),
            (
                "leaving blobs",
                """
                SELECT digest FROM blobs WHERE state <> 'live' AND state = 'condemned' AND state_changed_at < \(now)
                ORDER BY state_changed_at LIMIT 10
                """
            ),
            (
                "references to a blob",
                """
                SELECT EXISTS (SELECT 1 FROM artifact_entries WHERE blob_digest = \(Seeded.digest(number))),
                    EXISTS (SELECT 1 FROM manifests WHERE blob_digest = \(Seeded.digest(number)))
                """
            ),
            (
                "digest committed in a repository",
                """
                SELECT 1 FROM upload_sessions WHERE repo_id = \(Seeded.repo(of: number))
                    AND committed_blob_digest = \(Seeded.digest(number)) AND state = 'committed' LIMIT 1
                """
            ),
            (
                "expired sessions",
                """
                SELECT upload_id FROM upload_sessions WHERE \(open) AND expires_at < \(now)
                ORDER BY expires_at, upload_id LIMIT 10
                """
            ),
            (
                "package by name",
                """
                SELECT package_id FROM packages WHERE repo_id = \(Seeded.repo(of: number))
                    AND package_type = 'generic' AND namespace = '' AND name = \(Seeded.packageName(number))
                """
            ),
            (
                "page of packages",
                """
                SELECT name FROM packages WHERE repo_id = \(Seeded.id(.repo, 1)) AND package_type = 'generic'
                    AND namespace = '' AND name > 'p5' ORDER BY name LIMIT 50
                """
            ),
            (
                "versions in order",
                """
                SELECT version FROM package_versions WHERE package_id = \(Seeded.id(.package, number))
                ORDER BY sort_key DESC, version_id DESC LIMIT 20
                """
            ),
            (
                "newest published of a repository",
                """
                SELECT version_id FROM package_versions WHERE repo_id = \(Seeded.id(.repo, 1)) AND state = 'published'
                ORDER BY published_at DESC, version_id DESC LIMIT 20
                """
            ),
            (
                "file by tag",
                """
                SELECT b.storage_key FROM packages p
                JOIN package_tags t ON t.package_id = p.package_id AND t.tag = 'head'
                JOIN package_versions v ON v.version_id = t.version_id
                LEFT JOIN quarantine_items q ON q.version_id = v.version_id
                JOIN artifact_entries e ON e.version_id = v.version_id
                JOIN blobs b ON b.digest = e.blob_digest
                WHERE p.repo_id = \(Seeded.repo(of: number)) AND p.package_type = 'generic' AND p.namespace = ''
                    AND p.name = \(Seeded.packageName(number))
                """
            ),
            (
                "digest blocked by quarantine",
                """
                SELECT 1 FROM artifact_entries e JOIN quarantine_items q ON q.version_id = e.version_id
                JOIN package_versions v ON v.version_id = e.version_id
                WHERE e.blob_digest = \(Seeded.digest(number)) AND v.repo_id = \(Seeded.repo(of: number))
                    AND q.status <> 'released' LIMIT 1
                """
            ),
            (
                "due outbox events",
                """
                SELECT event_id FROM outbox_events WHERE event_type = 'version.published' AND delivered_at IS NULL
                    AND dead_lettered_at IS NULL AND available_at <= \(now)
                ORDER BY occurred_at, event_id LIMIT 100 \(.forUpdateSkipLocked)
                """
            ),
            (
                "undelivered events of a tenant",
                "SELECT count(*) FROM outbox_events WHERE tenant_id = \(tenant) AND delivered_at IS NULL"
            ),
            (
                "due search jobs",
                """
                SELECT job_id FROM search_index_jobs WHERE status IN ('pending', 'failed') AND available_at <= \(now)
                    AND attempts < \(5)
                ORDER BY available_at, created_at, job_id LIMIT 100 \(.forUpdateSkipLocked)
                """
            ),
            (
                "search jobs that hang",
                "SELECT job_id FROM search_index_jobs WHERE status = 'processing' AND updated_at < \(now) LIMIT 10"
            ),
            (
                "page of a repository's events",
                "SELECT payload FROM events WHERE repo_id = \(Seeded.id(.repo, 1)) AND seq > 500 ORDER BY seq LIMIT 50"
            ),
            (
                "expired tombstones",
                "SELECT version_id FROM tombstones WHERE retention_until < \(now) ORDER BY retention_until LIMIT 10"
            ),
            (
                "old staged objects",
                """
                SELECT storage_key FROM staged_objects WHERE created_at < \(now)
                ORDER BY created_at, storage_key LIMIT 10
                """
            ),
            (
                "dead objects",
                """
                SELECT storage_key FROM dead_objects WHERE next_attempt_at < \(now)
                ORDER BY next_attempt_at, storage_key LIMIT 10
                """
            ),
        ]
            + self.auditPages
    }

    /// Newest first, whatever is asked for.
    private static var auditPages: [(name: String, query: SQL)] {
        let filters: [(name: String, condition: SQL)] = [
            ("of all", ""), ("of an actor", "AND actor = 's7'"), ("of an action", "AND action = 'a7'"),
            ("of a resource", "AND resource_type = 'repo' AND resource_id = 'r4711'"),
            ("of a time", "AND occurred_at > \(Seeded.start + 99_990)"),
        ]
        return filters.map { name, condition in
            (
                "audit page \(name)",
                """
                SELECT details FROM audit_log WHERE tenant_id = \(Seeded.tenant(of: 7)) AND audit_id < 90000 \(condition)
                ORDER BY audit_id DESC LIMIT 100
                """
            )
        }
    }

    @Test(arguments: Engine.direct)
    func `hot queries read no whole table`(engine: Engine) async throws {
        try await engine.withSeededDatabase { database in
            for (name, query) in Self.hotQueries {
                let plan = try await database.read { try $0.explain(query) }
                #expect(plan.fullScans == [], "\(name): \(plan)")
            }
        }
    }

    /// Few subscriptions with many deliveries, most of them told: there PostgreSQL would rather walk through all of them in
    /// their order.
    @Test(arguments: Engine.direct)
    func `what a subscription is to be told next is found without what was told before`(engine: Engine) async throws {
        try await engine.withDatabase { plain in
            let (tenant, webhooks) = (TenantID(.random()), (0..<2).map { _ in WebhookID(.random()) })
            try await plain.transaction { transaction in
                try transaction.execute("INSERT INTO tenants (tenant_id, slug, name) VALUES (\(tenant), 't', 'T')")
                try transaction.execute(each: Array(0..<4000)) { number in
                    """
                    INSERT INTO webhook_deliveries (webhook_id, event_id, event_type, payload, occurred_at, status)
                    VALUES (\(webhooks[number % 2]), \(UniqueID.random()), 'version.published', '{}', \(Seeded.now),
                        \(number < 1000 ? "delivered" : "pending"))
                    """
                }
                try transaction.run(script: "ANALYZE")
            }
            let database = ExplainingDatabase(plain)
            let head = try await database.read { try WebhookDeliveryStore.head(of: webhooks[1], $0) }
            #expect(head?.ordinal == 1002)
            let plans = database.takePlans()
            #expect(plans.contains { "\($0)".contains("webhook_deliveries_queue") }, "\(plans)")
        }
    }

    @Test(arguments: Engine.direct)
    func `a whole table that is read is noticed, in a use case too`(engine: Engine) async throws {
        try await engine.withSeededDatabase { database in
            _ = try await database.lookup { transaction in
                try transaction.all("SELECT digest FROM blobs b WHERE b.md5 = \("x")", as: { _ in true })
            }
            let plans = database.takePlans()
            #expect(plans.flatMap(\.fullScans) == [engine == .sqlite ? "b" : "blobs"])
        }
    }

    @Test(arguments: Engine.direct)
    func `only a copy of the seeded database can be written`(engine: Engine) async throws {
        let insert: SQL = "INSERT INTO tenants (tenant_id, slug, name) VALUES (\(UniqueID.random()), \("copy"), 'T')"
        try await engine.withSeededDatabase { database in
            await #expect(throws: SharedDatabaseIsReadOnly.self) {
                try await database.transaction { _ = try $0.execute(insert) }
            }
        }
        guard engine == .sqlite else { return }  // PostgreSQL's writers do not wait for each other
        try await engine.withSeededCopy { first in
            try await engine.withSeededCopy { second in
                // In one file the second would break a unique index.
                for database in [first, second] { try await database.transaction { _ = try $0.execute(insert) } }
            }
        }
    }
}
