// The files and folders of a generic repository, a level at a time. Folders are not stored: they are what paths have in
// common, found by skipping from one to the next in the index of names, so that a folder of a million files costs one
// step.

package import Domain
package import Persistence

package struct DirectoryEntry: Hashable, Sendable {
    /// Without the folder's own path; a folder's ends with `/`.
    package let name: String
    /// The rest is nil for a folder.
    package let length: Int?
    package let digest: BlobDigest?
    package let publishedAt: Timestamp?

    package var isFolder: Bool { self.digest == nil }
}

package struct DirectoryPage: Hashable, Sendable {
    package let entries: [DirectoryEntry]
    /// Where the next page begins; nil at the end.
    package let next: String?
}

package struct DirectoryListing: Sendable {
    package static let limit = 1000

    private let database: any Database

    package init(database: any Database) { self.database = database }

    /// - Parameters:
    ///   - folder: empty for the root, else with a `/` at its end.
    ///   - after: the last name of the page before.
    package func page(
        of folder: String, after: String?, in scope: ReadableScope
    ) async throws -> DirectoryPage {
        try await self.database.read { transaction in
            var members: [Name: Int] = [:]
            for (index, member) in scope.members.enumerated() {
                let place = Place(member: member.id, earlier: scope.members(before: index))
                let names = try transaction.all(
                    Self.names(of: folder, after: after, in: place), as: { try $0[0] as Name })
                for name in names where members[name] == nil { members[name] = index }
            }
            // Each member gave one name more than a page, if it has that many.
            let names = members.keys.sorted()
            let page = names.prefix(Self.limit)
            var files: [Name: DirectoryEntry] = [:]
            let byMember = Dictionary(grouping: page.filter { !$0.ends(with: "/") }) { members[$0] ?? 0 }
            for (index, names) in byMember {
                let found = try Self.files(
                    names.map { folder + $0.text }, in: scope.members[index].id, transaction)
                files.merge(found) { first, _ in first }
            }
            let entries = page.compactMap { name in
                name.ends(with: "/")
                    ? DirectoryEntry(name: name.text, length: nil, digest: nil, publishedAt: nil)
                    : files[Name(folder + name.text)]
            }
            return DirectoryPage(entries: entries, next: names.count > Self.limit ? page.last?.text : nil)
        }
    }

    /// One of the repositories that are listed as one, and those before it, whose files hide its files.
    private struct Place {
        let member: RepoID
        let earlier: [RepoID]
    }

    /// Whether a path without a `/` at its end is a folder with files that can be read.
    package func isFolder(_ path: String, in scope: ReadableScope) async throws -> Bool {
        try await self.database.read { transaction in
            try scope.members.indices.contains { index in
                let place = Place(member: scope.members[index].id, earlier: scope.members(before: index))
                let first = Self.names(of: path + "/", after: nil, in: place, limit: 0)
                return try transaction.first(first, as: { _ in true }) ?? false
            }
        }
    }

    /// One name more than `limit`. Each step seeks the first visible path behind the last name: behind a file its own
    /// path, behind a folder whatever begins with it (`0` is the character after `/`).
    private static func names(of folder: String, after: String?, in place: Place, limit: Int = Self.limit) -> SQL {
        let start = after.map { folder + ($0.endsWithBytes(of: "/") ? Self.end(of: $0) : $0) } ?? folder
        let end = folder.isEmpty ? "\u{10FFFF}" : Self.end(of: folder)
        let isNotShadowed: SQL =
            place.earlier.isEmpty
            ? ""
            : """
            AND NOT EXISTS (SELECT 1 FROM packages o
                JOIN package_tags h ON h.package_id = o.package_id AND h.tag = \(FilePublishing.headTag)
                JOIN package_versions w ON w.version_id = h.version_id AND w.state = 'published'
                WHERE o.repo_id \(.isOneOf(place.earlier)) AND o.package_type = \(FilePublishing.packageType)
                    AND o.namespace = '' AND o.name = p.name)
            """
        func first(_ position: SQL) -> SQL {
            """
            SELECT p.name FROM packages p
            JOIN package_tags g ON g.package_id = p.package_id AND g.tag = \(FilePublishing.headTag)
            LEFT JOIN quarantine_items q ON q.version_id = g.version_id
            WHERE p.repo_id = \(place.member) AND p.package_type = \(FilePublishing.packageType) AND p.namespace = ''
                AND p.name > \(position) AND p.name < \(end) AND (q.status IS NULL OR q.status = 'released')
                \(isNotShadowed)
            ORDER BY p.name LIMIT 1
            """
        }
        let slash: SQL = "\(.either(postgreSQL: "strpos", sqlite: "instr"))"
        // PostgreSQL counts characters in `integer`, and a bound number is a `bigint`.
        let length: SQL = "CAST(\(folder.unicodeScalars.count) AS integer)"
        func child(_ name: SQL) -> SQL {
            """
            CASE WHEN \(slash)(substr(\(name), \(length) + 1), '/') = 0 THEN substr(\(name), \(length) + 1)
            ELSE substr(substr(\(name), \(length) + 1), 1, \(slash)(substr(\(name), \(length) + 1), '/')) END
            """
        }
        return """
            WITH RECURSIVE found (name, step) AS (
                SELECT (\(first("\(start)"))), 1
                UNION ALL
                SELECT (\(first(
                    """
                    (CASE WHEN \(slash)(substr(f.name, \(length) + 1), '/') = 0 THEN f.name
                    ELSE substr(f.name, 1, \(length) + \(slash)(substr(f.name, \(length) + 1), '/') - 1) || '0' END)
                    """))), f.step + 1
                FROM found f WHERE f.name IS NOT NULL AND f.step <= \(limit)
            )
            SELECT \(child("name")) FROM found WHERE name IS NOT NULL ORDER BY step
            """
    }

    /// What comes after all that begins with a folder's path: `0` is the character after `/`.
    private static func end(of folder: String) -> String { String(Substring(folder.utf8.dropLast())) + "0" }

    private static func files(
        _ paths: [String], in repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> [Name: DirectoryEntry] {
        let rows = try transaction.all(
            """
            SELECT p.name, e.size_bytes, e.blob_digest, v.published_at FROM packages p
            JOIN package_tags g ON g.package_id = p.package_id AND g.tag = \(FilePublishing.headTag)
            JOIN package_versions v ON v.version_id = g.version_id AND v.state = 'published'
            JOIN artifact_entries e ON e.version_id = v.version_id
            WHERE p.repo_id = \(repository) AND p.package_type = \(FilePublishing.packageType) AND p.namespace = ''
                AND p.name \(.isOneOf(paths))
            """
        ) { row in
            (
                try row[0] as String, try row[1] as Int, try row[2] as BlobDigest, try row[3] as Timestamp
            )
        }
        var files: [Name: DirectoryEntry] = [:]
        for (path, length, digest, time) in rows {
            let name = path.parts(at: "/").last.map { String($0) } ?? path
            files[Name(path)] = DirectoryEntry(name: name, length: length, digest: digest, publishedAt: time)
        }
        return files
    }
}
