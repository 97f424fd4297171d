// The blob storage in a directory. Layout: Layout.swift. Rules: architecture, I1, I6, I7.

package import Domain
import Glibc
import HTTP
package import Storage
import Threads

/// Objects as files. What is written is durable before it is readable; what is read is sent from an open descriptor.
package final class FilesystemStorage: BlobStorage {
    let layout: Layout
    let directories: Directories
    /// For what may wait long on the disk.
    let writers: BlockingPool
    /// For what is quick, so that it does not wait behind syncs.
    let readers: BlockingPool
    private let descriptors: DescriptorCache
    let installation: Installation

    /// Opens the directory, and makes it if it is missing. Blocks.
    ///
    /// - Parameters:
    ///   - root: a path; its parent exists.
    ///   - installation: whose directory it is: written into a new one, looked for in an old one.
    ///   - mayClaim: whether a directory without a marker may be taken for a new one. If not, it is left as it is.
    ///   - threads: that write; files that can be synced at a time.
    ///   - openFiles: descriptors that are kept open for reading.
    /// - Throws: `accessDenied`; `foreign` for a directory that is not the installation's.
    package init(
        root: String, installation: UniqueID, mayClaim: Bool = true, threads: Int = 16, openFiles: Int = 512
    ) throws(StorageFault) {
        self.layout = Layout(root: root)
        self.directories = Directories(root: self.layout.root)
        self.installation = Installation(id: installation, self.layout)
        if mayClaim, try SystemCall.makeDirectory(self.layout.root) {
            try SystemCall.synchronize(directory: Directories.parent(of: self.layout.root + "/.."))
        }
        try self.installation.claim(mayMark: mayClaim)
        _ = try SystemCall.makeDirectory(self.layout.objects)
        try SystemCall.synchronize(directory: self.layout.root)
        self.descriptors = DescriptorCache(capacity: openFiles)
        self.writers = BlockingPool(threads: threads)
        self.readers = BlockingPool(threads: 4)
    }

    package func begin(_ key: StorageKey, length: Int?) async throws -> any ObjectWriter {
        FileWriter(
            try self.layout.place(of: key), length: length, self.directories, self.installation, self.writers)
    }

    /// An object that was read lately is opened without a turn of another thread.
    package func open(_ key: StorageKey, _ range: Range<Int>, of length: Int) async throws -> StoredBytes {
        if let file = self.descriptors.file(key) {
            let status = try SystemCall.status(of: file.descriptor, key.text)
            if status.st_nlink > 0 { return try Self.region(of: file, status, key, range, length) }
            self.descriptors.remove(key)  // another process deleted it
        }
        let place = try self.layout.place(of: key)
        return try await self.readers.run {
            let file: OpenFile
            do {
                file = try self.openFile(place.object)
            } catch StorageFault.missing(let text) {
                try self.installation.verify()  // without its storage, an installation knows nothing of an object
                throw StorageFault.missing(text)
            }
            let status = try SystemCall.status(of: file.descriptor, place.object)
            let bytes = try Self.region(of: file, status, key, range, length)
            self.descriptors.insert(key, file)
            return bytes
        }
    }

    private func openFile(_ path: String) throws(StorageFault) -> OpenFile {
        do {
            return OpenFile(descriptor: try SystemCall.open(path, O_RDONLY))
        } catch .unavailable {  // perhaps there are too many open files
            self.descriptors.removeAll { _ in true }
            return OpenFile(descriptor: try SystemCall.open(path, O_RDONLY))
        }
    }

    private static func region(
        of file: OpenFile, _ status: stat, _ key: StorageKey, _ range: Range<Int>, _ length: Int
    ) throws(StorageFault) -> StoredBytes {
        guard Int(status.st_size) == length else {
            throw .damaged("\(key) has \(status.st_size) bytes, its row says \(length)")
        }
        guard range.lowerBound >= 0, range.upperBound <= length else {
            throw .other("\(key): no bytes \(range) of \(length)")
        }
        return .file(FileRegion(file, offset: range.lowerBound, length: range.count))
    }

    package func forget(_ key: StorageKey) { self.descriptors.remove(key) }

    package var isReadingCheap: Bool { true }

    package func length(of key: StorageKey) async throws -> Int? {
        let place = try self.layout.place(of: key)
        return try await self.readers.run { try SystemCall.status(of: place.object).map { Int($0.st_size) } }
    }

    package func delete(_ key: StorageKey) async throws {
        let place = try self.layout.place(of: key)
        try await self.writers.run {
            // What an object could still be made of goes first: what was made until then goes after it.
            try PartDirectory.remove(place)
            try SystemCall.remove(place.staged)
            try SystemCall.remove(place.object)
        }
        self.descriptors.remove(key)
    }

    package func presignedDownload(_ key: StorageKey, validFor seconds: Int, at time: Timestamp) throws -> String? {
        nil
    }

    /// Below so many free bytes hardly an object fits.
    private static let leastRoom = 256 << 10

    /// Also closes files that another process has deleted, so that their room is free.
    package func check() async throws {
        let (layout, installation, descriptors) = (self.layout, self.installation, self.descriptors)
        try await self.readers.run(within: .seconds(3)) {
            try installation.verify()
            guard unsafe access(layout.objects, R_OK | W_OK | X_OK) == 0 else {
                throw SystemCall.fault("access", layout.objects)
            }
            descriptors.removeAll { file in
                (try? SystemCall.status(of: file.descriptor, layout.objects)).map { $0.st_nlink == 0 } ?? true
            }
            if let room = SystemCall.room(at: layout.objects), room < Self.leastRoom {
                throw StorageFault.full("\(room) bytes are free on the disk of \(layout.objects)")
            }
        }
    }
}
