// A path is a file or a folder, never both, as on a disk: `a` and `a/b` cannot both be current files of a repository.
//
// Two writers of `a` and of `a/b` change different rows, so neither sees the other's uncommitted file. Each takes locks
// on names first: shared on every folder that its path needs, exclusive on the path itself, which may be no other's
// folder. Writers of one folder share it and do not wait for each other. Only a path that becomes current needs this:
// an overwrite keeps what is there. (Pairs that were published before this rule stay as they are.)

import Domain
import Persistence

enum FilePaths {
    /// Locks are taken on at most this many folders: files deeper than that lock the folder at this depth, exclusively. So
    /// the number of locks a server needs does not depend on what clients send.
    private static let depth = 16
    /// The space of the locks' keys: PostgreSQL keeps pairs of 32-bit keys apart from 64-bit ones.
    private static let lockSpace: Int32 = 0x7061_7468

    /// Makes a path the caller's until the transaction ends: no other writer makes it a folder, or one of its folders a
    /// file. To be called with the package's row locked, before the path's `head` is set, if it has none.
    ///
    /// - Throws: `conflict` if one of its folders is a file, or the path is a folder.
    static func claim(_ path: RelativePath, in repository: RepoID, _ transaction: borrowing Transaction) throws {
        try transaction.execute(self.lock(path, in: repository))
        try self.check(path, in: repository, transaction)
    }

    /// The same check without locks: its result may be outdated at once.
    ///
    /// - Throws: `conflict`.
    static func check(_ path: RelativePath, in repository: RepoID, _ transaction: borrowing Transaction) throws {
        let start = path.text + "/"
        func current(_ condition: SQL) -> SQL {
            """
            SELECT p.name FROM packages p
            JOIN package_tags g ON g.package_id = p.package_id AND g.tag = \(FilePublishing.headTag)
            WHERE p.repo_id = \(repository) AND p.package_type = \(FilePublishing.packageType) AND p.namespace = ''
                AND \(condition)
            """
        }
        let folders = self.folders(of: path)
        if !folders.isEmpty {
            let file = try transaction.first(
                "\(current("p.name \(.isOneOf(folders))")) ORDER BY p.name LIMIT 1", as: { try $0[0] as String })
            if let file {
                throw Refusal(
                    .conflict, "'\(path)' cannot be published: '\(file)' is a file, so it cannot be a folder too.",
                    ["path": .string(file)])
            }
        }
        let inside = try transaction.first(
            "\(current("p.name > \(start) AND p.name < \(path.text + "0")")) ORDER BY p.name LIMIT 1",
            as: { try $0[0] as String })
        if let inside {
            throw Refusal(
                .conflict,
                "'\(path)' cannot be published: it is a folder that contains '\(inside)', so it cannot be a file too.",
                ["path": .string(inside)])
        }
    }

    /// Whether there are current files below the path.
    static func isFolder(_ path: String, in repository: RepoID, _ transaction: borrowing Transaction) throws -> Bool {
        try transaction.first(
            """
            SELECT p.name FROM packages p
            JOIN package_tags g ON g.package_id = p.package_id AND g.tag = \(FilePublishing.headTag)
            LEFT JOIN quarantine_items q ON q.version_id = g.version_id
            WHERE p.repo_id = \(repository) AND p.package_type = \(FilePublishing.packageType) AND p.namespace = ''
                AND p.name > \(path + "/") AND p.name < \(path + "0") AND (q.status IS NULL OR q.status = 'released')
            ORDER BY p.name LIMIT 1
            """, as: { try $0[0] as String }) != nil
    }

    /// The folders of a path, from the outermost.
    private static func folders(of path: RelativePath) -> [String] {
        let bytes = path.text.utf8
        return bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") }.map { String(path.text[..<$0]) }
    }

    /// From the outermost name to the innermost, so that writers cannot deadlock. SQLite has one
    /// writer at a time.
    private static func lock(_ path: RelativePath, in repository: RepoID) -> SQL {
        let names = (self.folders(of: path) + [path.text]).prefix(self.depth)
        let space = Int(self.lockSpace)
        func key(_ name: String) -> SQL {
            "CAST(\(space) AS integer), CAST(\(Int(self.key(name, repository))) AS integer)"
        }
        var columns: SQL = ""
        for name in names.dropLast() { columns = "\(columns)pg_advisory_xact_lock_shared(\(key(name))), " }
        columns = "\(columns)pg_advisory_xact_lock(\(key(names.last ?? path.text)))"
        return "\(.either(postgreSQL: "SELECT \(columns)", sqlite: "SELECT 1"))"
    }

    /// FNV-1a, the same in every process. Two names with the same key only wait for each other.
    private static func key(_ name: String, _ repository: RepoID) -> Int32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in repository.description.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int32(truncatingIfNeeded: hash ^ hash >> 32)
    }
}
