// An object on its way into a file. Rules: architecture, I1, I6, I7.

import Storage
import Threads

/// Nothing is touched on the disk before the first batch is full or `finish` is called, so that a small object takes one
/// turn of a thread: open, write, fsync, rename, fsync of the directory.
final class FileWriter: ObjectWriter {
    private let place: Layout.Place
    private let directories: Directories
    private let pool: BlockingPool
    private let file: FileInProgress
    private let behind: WriteBehind

    init(
        _ place: Layout.Place, length: Int?, _ directories: Directories, _ installation: Installation,
        _ pool: BlockingPool
    ) {
        let file = FileInProgress(path: place.staged, expected: length ?? 0, directories, installation)
        self.place = place
        self.directories = directories
        self.pool = pool
        self.file = file
        self.behind = WriteBehind(pool) { try file.append($0) }
    }

    func write(_ bytes: [UInt8]) async throws { try await self.behind.write(bytes) }

    func finish() async throws {
        try await self.behind.finish { [place, directories, file] in
            try file.publish(as: place.object, in: directories)
        }
    }

    func discard() async {
        try? await self.behind.idle()  // why it failed was thrown where it was
        await withCheckedContinuation { continuation in
            self.pool.start { [file] in
                file.remove()
                continuation.resume()
            }
        }
    }
}
