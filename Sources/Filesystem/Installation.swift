// Whose directory this is: two installations that share one would delete each other's objects.

package import Domain
import Glibc
package import Storage

/// The marker file. It holds the installation's id and is written once.
struct Installation: Sendable {
    private let id: UniqueID
    private let layout: Layout

    init(id: UniqueID, _ layout: Layout) {
        self.id = id
        self.layout = layout
    }

    /// Makes the directory this installation's if it is new and empty.
    ///
    /// - Parameter mayMark: whether a missing marker is written; not once the database has blobs.
    /// - Throws: `foreign` if it is another's, if it has objects and no marker, or if the marker is missing and may not be
    ///   written: nothing is changed then.
    func claim(mayMark: Bool) throws(StorageFault) {
        if try self.owner() != .unmarked || !mayMark { return try self.verify() }
        var isEmpty = true
        try SystemCall.forEachName(in: self.layout.objects) { _ in isEmpty = false }
        guard isEmpty else {
            throw .foreign(
                "\(self.layout.objects) holds objects, but \(self.layout.marker) is missing: name an empty directory, or "
                    + "run 'artifortress storage adopt' if the objects are those of installation \(self.id)")
        }
        try Self.write(self.id, self.layout, replacing: false)
        try self.verify()  // another process may have been first
    }

    /// - Throws: `foreign` if the marker is missing or names another installation.
    func verify() throws(StorageFault) {
        let owner = try self.owner()
        if let fault = StorageFault.foreignStorage(self.layout.marker, owner, expected: self.id) { throw fault }
    }

    private func owner() throws(StorageFault) -> StorageOwner { try Self.owner(self.layout) }

    fileprivate static func owner(_ layout: Layout) throws(StorageFault) -> StorageOwner {
        let file: Int32
        do {
            file = try SystemCall.open(layout.marker, O_RDONLY)
        } catch .missing {
            return .unmarked
        }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw SystemCall.fault("read", layout.marker) }
        return StorageOwner(marker: String(decoding: buffer.prefix(count), as: UTF8.self))
    }

    /// Writes the marker, durably.
    ///
    /// - Parameter replacing: whether one that is there is replaced; else it stays.
    fileprivate static func write(_ id: UniqueID, _ layout: Layout, replacing: Bool) throws(StorageFault) {
        let temporary = "\(layout.marker).\(UniqueID.random().hex)"
        let file = try SystemCall.open(temporary, O_WRONLY | O_CREAT | O_EXCL)
        defer {
            close(file)
            _ = unsafe unlink(temporary)
        }
        try SystemCall.write(Array("\(id)\n".utf8), to: file, temporary)
        try SystemCall.synchronize(file, temporary)
        if replacing {
            try SystemCall.rename(temporary, layout.marker)
        } else if unsafe link(temporary, layout.marker) != 0, errno != EEXIST {
            throw SystemCall.fault("link", layout.marker)
        }
        try SystemCall.synchronize(directory: layout.root)
    }
}

/// A storage directory's marker.
package struct FilesystemMarker: StorageMarker {
    private let layout: Layout

    /// - Parameter root: the storage directory.
    package init(root: String) { self.layout = Layout(root: root) }

    package var place: String { self.layout.marker }

    package func owner() async throws -> StorageOwner { try Installation.owner(self.layout) }

    /// - Throws: also `missing` if there is no such directory: it may be a volume that is not mounted.
    package func write(_ installation: UniqueID) async throws {
        try Installation.write(installation, self.layout, replacing: true)
    }
}
