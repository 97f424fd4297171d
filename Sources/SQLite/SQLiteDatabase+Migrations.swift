// The schema's steps in SQLite's words, embedded from Migrations/. The other driver has the same numbers.

package import Persistence

extension SQLiteDatabase {
    package static let migrations = [
        Migration("V0001_core", oldestLevel: 1, script: PackageResources.V0001_core_sql),
        Migration("V0002_uploads", oldestLevel: 1, script: PackageResources.V0002_uploads_sql),
        Migration("V0003_releases", oldestLevel: 1, script: PackageResources.V0003_releases_sql),
        Migration("V0004_worker", oldestLevel: 1, script: PackageResources.V0004_worker_sql),
        Migration("V0005_checksums", oldestLevel: 1, script: PackageResources.V0005_checksums_sql),
        Migration("V0008_attestations", oldestLevel: 1, script: PackageResources.V0008_attestations_sql),
        Migration("V0010_policy", oldestLevel: 1, script: PackageResources.V0010_policy_sql),
        Migration("V0012_search_backlog", oldestLevel: 1, script: PackageResources.V0012_search_backlog_sql),
        Migration("V0013_webhook_queue", oldestLevel: 1, script: PackageResources.V0013_webhook_queue_sql),
        Migration("V0014_names", oldestLevel: 1, script: PackageResources.V0014_names_sql),
        Migration("V0016_blob_checks", oldestLevel: 1, script: PackageResources.V0016_blob_checks_sql),
        Migration("V0017_repository_blobs", oldestLevel: 1, script: PackageResources.V0017_repository_blobs_sql),
        Migration("V0018_quotas", oldestLevel: 1, script: PackageResources.V0018_quotas_sql),
        Migration("V0020_search_words", oldestLevel: 1, script: PackageResources.V0020_search_words_sql),
        Migration("V0022_repository_members", oldestLevel: 1, script: PackageResources.V0022_repository_members_sql),
    ]
}
