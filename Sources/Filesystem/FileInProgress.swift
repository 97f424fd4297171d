// A staged file between the calls that write it. Rules: architecture, I1, I7.

import Storage
import Synchronization

/// A staged file that is made with its first bytes. One thread at a time uses it. The storage's marker is looked at before the
/// first byte and before the file gets its name: what is acknowledged is in this installation's storage, not in the empty
/// directory of a volume that is not mounted.
final class FileInProgress: Sendable {
    private let path: String
    /// In bytes; zero where it is not known.
    private let expected: Int
    private let directories: Directories?
    private let installation: Installation
    private let file = Mutex<StagedFile?>(nil)

    /// - Parameter directories: makes those that are missing; nil where they must be there.
    init(path: String, expected: Int, _ directories: Directories?, _ installation: Installation) {
        self.path = path
        self.expected = expected
        self.directories = directories
        self.installation = installation
    }

    /// - Throws: `full` at once if the announced length does not fit; `foreign`.
    private func make() throws(StorageFault) -> StagedFile {
        try self.installation.verify()
        let file = try StagedFile(creating: self.path, in: self.directories)
        if self.expected > 1 << 20, let room = SystemCall.room(at: self.path), room < self.expected {
            try SystemCall.remove(self.path)
            throw .full("\(self.path): \(self.expected) bytes were announced, there is room for \(room)")
        }
        return file
    }

    func append(_ chunks: [[UInt8]]) throws(StorageFault) {
        try self.file.withLock { (file) throws(StorageFault) in
            if file == nil { file = try self.make() }
            try file?.append(chunks)
        }
    }

    /// Makes the bytes durable; the file stays open.
    func synchronize() throws(StorageFault) {
        try self.file.withLock { (file) throws(StorageFault) in
            if file == nil { file = try self.make() }
            try file?.synchronize()
        }
    }

    /// Makes the bytes durable under another name. What fails leaves nothing.
    ///
    /// - Throws: also `other` if the name is taken.
    func publish(as path: String, in directories: Directories) throws(StorageFault) {
        do {
            try self.file.withLock { (file) throws(StorageFault) in
                if file == nil { file = try self.make() } else { try self.installation.verify() }
                guard try file?.publish(as: path, in: directories) ?? true else {
                    throw .other("\(path) is there already")
                }
                file = nil
            }
        } catch {
            self.remove()
            throw error
        }
    }

    /// Forgets the file; what cannot be removed stays for the sweep.
    func remove() {
        self.file.withLock { file in
            guard file.take() != nil else { return }
            _ = try? SystemCall.remove(self.path)
        }
    }
}
