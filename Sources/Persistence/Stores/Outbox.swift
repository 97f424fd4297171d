// What follows from a change: the outbox for our own worker, and the log of events that subscribers read.
// Rules: HTTP contract, 4.1 and section 9, rows 8 and 37.

package import Domain

package enum Outbox {
    /// - Returns: the statement that appends an event.
    package static func append(
        _ kind: EventKind, id: UniqueID, of version: VersionID, tenant: TenantID, payload: JSON, at now: Timestamp
    ) -> SQL {
        """
        INSERT INTO outbox_events (event_id, tenant_id, aggregate_type, aggregate_id, event_type, payload,
            available_at, occurred_at)
        VALUES (\(id), \(tenant), 'package_version', \(version.description), \(kind), \(payload), \(now), \(now))
        """
    }

    /// - Returns: the statement that appends an event about which the worker has nothing to do: settled at once, so that
    ///   the retention removes it.
    package static func record(
        _ kind: EventKind, id: UniqueID, of release: ReleaseID, tenant: TenantID, payload: JSON, at now: Timestamp
    ) -> SQL {
        """
        INSERT INTO outbox_events (event_id, tenant_id, aggregate_type, aggregate_id, event_type, payload,
            available_at, occurred_at, delivered_at)
        VALUES (\(id), \(tenant), 'release', \(release.description), \(kind), \(payload), \(now), \(now), \(now))
        """
    }
}

package enum EventLog {
    /// Who follows a repository's events listens here.
    package static let channel = Channel("repository_events")

    /// The statements that append an event with the repository's next number. To be run last in a transaction: until
    /// it ends, others who append to the same repository wait.
    package static func append(
        _ kind: EventKind, id: UniqueID, in repository: Repository, version: VersionID?, package: PackageID?,
        payload: JSON, at now: Timestamp
    ) -> [SQL] {
        [
            """
            INSERT INTO event_counters (repo_id, last_seq) VALUES (\(repository.id), 1)
            ON CONFLICT (repo_id) DO UPDATE SET last_seq = event_counters.last_seq + 1
            """,
            """
            INSERT INTO events
                (repo_id, seq, event_id, tenant_id, event_type, version_id, package_id, payload, occurred_at)
            SELECT repo_id, last_seq, \(id), \(repository.tenant), \(kind), \(version), \(package), \(payload), \(now)
            FROM event_counters WHERE repo_id = \(repository.id)
            """,
            WebhookDeliveryStore.fanOut(kind, id: id, in: repository, version: version, payload: payload, at: now),
        ]
    }
}
