// Whose directory this is: two installations that share one would delete each other's objects.

import Domain
import Glibc
import Storage

/// The marker file. It holds the installation's id and is written once.
struct Installation: Sendable {
    private let id: UniqueID
    private let layout: Layout

    init(id: UniqueID, _ layout: Layout) { (self.id, self.layout) = (id, layout) }

    /// Marks an empty directory as ours.
    ///
    /// - Throws: `other` where it is another's, or has objects and no marker.
    func claim() throws(StorageFault) {
        if try SystemCall.status(of: self.layout.marker) != nil { return try self.verify() }
        var isEmpty = true
        try SystemCall.forEachName(in: self.layout.objects) { _ in isEmpty = false }
        guard isEmpty else {
            throw .other(
                "\(self.layout.objects) holds objects, but \(self.layout.marker) is missing: restore it (one line, "
                    + "\(self.id)), or name an empty directory")
        }
        let temporary = "\(self.layout.marker).\(UniqueID.random().hex)"
        let file = try SystemCall.open(temporary, O_WRONLY | O_CREAT | O_EXCL)
        defer {
            close(file)
            _ = unsafe unlink(temporary)
        }
        try SystemCall.write(Array("\(self.id)\n".utf8), to: file, temporary)
        try SystemCall.synchronize(file, temporary)
        if unsafe link(temporary, self.layout.marker) != 0 {
            guard errno == EEXIST else { throw SystemCall.fault("link", self.layout.marker) }
            try self.verify()  // another process was first
        }
        try SystemCall.synchronize(directory: self.layout.root)
    }

    /// - Throws: `missing` without a marker; `other` where it is another's.
    func verify() throws(StorageFault) {
        let file = try SystemCall.open(self.layout.marker, O_RDONLY)
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw SystemCall.fault("read", self.layout.marker) }
        let text = String(decoding: buffer.prefix(count), as: UTF8.self).trimmed
        guard UniqueID(text) == self.id else {
            throw .other(
                "\(self.layout.root) belongs to installation \(text), not to \(self.id): name another directory")
        }
    }
}
