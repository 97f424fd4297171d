// Pages of keys, in their order, straight from the tree: no index is kept that could be wrong.

package import Domain
import Glibc
package import Storage
import Threads

extension FilesystemStorage {
    package func list(after: StorageKey?, limit: Int) async throws -> [StoredObject] {
        let layout = self.layout
        return try await self.readers.run {
            var walk = TreeWalk(layout, after: after?.text ?? "", limit: limit)
            try walk.visit(layout.objects, prefix: "")
            return walk.found
        }
    }
}

/// One page's walk. In memory are the names of one key directory's directories, and of a page's objects.
private struct TreeWalk {
    private(set) var found: [StoredObject] = []
    private let after: String
    private let limit: Int

    /// What a directory holds, by the text that its keys go on with.
    private struct Group {
        var fan: String?
        var directories: [String] = []
    }

    /// An object's name, and the file that stands for it.
    private struct Entry: Comparable {
        let name: Name
        let file: Name

        static func < (left: Self, right: Self) -> Bool { (left.name, left.file) < (right.name, right.file) }
    }

    init(_ layout: Layout, after: String, limit: Int) {
        self.after = after
        self.limit = limit
    }

    /// Whether no key that begins so comes after the last page's end.
    private func isPast(_ prefix: String) -> Bool {
        !self.after.startsWithBytes(of: prefix) && Name(prefix) < Name(self.after)
    }

    mutating func visit(_ path: String, prefix: String) throws {
        var groups: [Name: Group] = [:]
        try SystemCall.forEachName(in: path) { name in
            if name.first == Layout.fanPrefix {
                groups[Name(name.dropFirst()), default: Group()].fan = name
            } else {
                groups[Name("\(name)/".prefix(2)), default: Group()].directories.append(name)
            }
        }
        for (start, group) in groups.sorted(by: { $0.key < $1.key }) where !self.isPast(prefix + start.text) {
            try self.visit(group, in: path, prefix: prefix)
            if self.found.count >= self.limit { return }
        }
    }

    private mutating func visit(_ group: Group, in path: String, prefix: String) throws {
        var files = try group.fan.map { try self.entries(of: "\(path)/\($0)", prefix: prefix) }?[...] ?? []
        for name in group.directories.map({ Name("\($0)/") }).sorted() where !self.isPast(prefix + name.text) {
            let directory = name.text
            while let entry = files.first, entry.name < name {
                try self.add(files.removeFirst(), in: "\(path)/\(group.fan ?? "")", prefix: prefix)
            }
            if self.found.count >= self.limit { return }
            try self.visit("\(path)/\(directory.dropLast())", prefix: prefix + directory)
        }
        for entry in files { try self.add(entry, in: "\(path)/\(group.fan ?? "")", prefix: prefix) }
    }

    /// The next objects of a fan-out directory, as many as a page can take.
    private func entries(of path: String, prefix: String) throws -> [Entry] {
        let most = 3 * self.limit  // one key has at most three names
        var entries: [Entry] = []
        try SystemCall.forEachName(in: path) { file in
            let name = String(file.prefix { $0 != "~" })
            guard Name(prefix + name) > Name(self.after) else { return }
            entries.append(Entry(name: Name(name), file: Name(file)))
            guard entries.count >= 2 * most else { return }
            entries.sort()
            entries.removeSubrange(most...)
        }
        return entries.sorted()
    }

    private mutating func add(_ entry: Entry, in path: String, prefix: String) throws {
        guard let key = StorageKey(prefix + entry.name.text) else { return }
        let isKnown = key == self.found.last?.key
        guard isKnown || self.found.count < self.limit,
            let status = try SystemCall.status(of: "\(path)/\(entry.file)")  // otherwise it was removed in between
        else { return }
        let isFile = status.st_mode & S_IFMT == S_IFREG
        let modifiedAt = Timestamp(
            microseconds: Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1000)
        let object = StoredObject(
            key: key, length: isFile ? Int(status.st_size) : 0, modifiedAt: modifiedAt,
            uploads: isFile ? [] : [MultipartUpload(key: key, id: PartDirectory.id(of: key))])
        self.found.append(isKnown ? self.found.removeLast().joined(with: object) : object)
    }
}
