// Directories below the storage directory, and which of them are known to survive a loss of power.

import Domain
import Glibc
import Storage
import Synchronization

/// A name in a directory is durable when that directory and all above it, up to the root, have been synced since they
/// were made. Which ones have is remembered, so that a write into a known directory syncs that one only.
final class Directories: Sendable {
    private let root: String
    /// Directories whose own name is durable. What is forgotten is synced again.
    private let known = Mutex(Set<Name>())
    private static let limit = 65_536

    /// - Parameter root: exists, and is durable.
    init(root: String) { self.root = root }

    /// Makes the directory of `path` and those above it.
    func make(parentOf path: String) throws(StorageFault) {
        let directory = Self.parent(of: path)
        do {
            guard try SystemCall.makeDirectory(directory) else { return }
        } catch .missing where directory.utf8.count > self.root.utf8.count {
            try self.make(parentOf: directory)
            guard try SystemCall.makeDirectory(directory) else { return }
        }
        self.known.withLock { _ = $0.remove(Name(directory)) }
    }

    /// Makes the name `path` durable.
    func synchronize(parentOf path: String) throws(StorageFault) {
        var directory = Self.parent(of: path)
        var synced: [String] = []
        try SystemCall.synchronize(directory: directory)
        while directory.utf8.count > self.root.utf8.count {
            let name = directory
            if self.known.withLock({ $0.contains(Name(name)) }) { break }
            synced.append(name)
            directory = Self.parent(of: name)
            try SystemCall.synchronize(directory: directory)
        }
        guard !synced.isEmpty else { return }
        self.known.withLock { known in  // all at once: a known one's ancestors are durable too
            if known.count >= Self.limit { known.removeAll() }
            known.formUnion(synced.map { Name($0) })
        }
    }

    static func parent(of path: String) -> String {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        return String(path[..<slash])
    }
}
