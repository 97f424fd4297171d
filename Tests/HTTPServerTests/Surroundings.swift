// Directories, files and programs for tests.

import Foundation
import HTTP
import HTTPServer
import Synchronization

/// A directory of its own, removed afterwards.
func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let directory = "/tmp/http-server-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try await body(directory)
}

/// A file whose bytes tell their places.
struct TestFile: Sendable {
    let path: String
    let bytes: [UInt8]
    let file: OpenFile

    init(_ path: String, length: Int) throws {
        self.path = path
        let pattern = (0..<65537).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }
        var bytes: [UInt8] = []
        while bytes.count < length { bytes += pattern }
        self.bytes = Array(bytes.prefix(length))
        try Data(self.bytes).write(to: URL(filePath: path))
        self.file = unsafe OpenFile(descriptor: open(path, O_RDONLY | O_CLOEXEC))
    }

    /// Whether these are the file's bytes from `start` on. (Comparing arrays is slow in a debug build.)
    func holds(_ part: [UInt8], at start: Int) -> Bool {
        guard start + part.count <= self.bytes.count else { return false }
        return unsafe self.bytes.withUnsafeBytes { unsafe memcmp($0.baseAddress! + start, part, part.count) == 0 }
    }

    func region(_ range: Range<Int>) -> FileRegion {
        FileRegion(self.file, offset: range.lowerBound, length: range.count)
    }
}

enum Program {
    static func exists(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// Runs it to its end; blocks.
    static func run(_ words: [String]) -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch { return (-1, "\(error)") }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}

/// How something asynchronous ends, for a thread that waits for it.
final class Outcome: Sendable {
    private let result = Mutex<Result<Void, any Error>?>(nil)
    private let task: Mutex<Task<Void, Never>?> = Mutex(nil)

    init(_ body: @escaping @Sendable () async throws -> Void) {
        let task = Task {
            do {
                try await body()
                self.result.withLock { $0 = .success(()) }
            } catch {
                self.result.withLock { $0 = .failure(error) }
            }
        }
        self.task.withLock { $0 = task }
    }

    var hasEnded: Bool { self.result.withLock { $0 != nil } }

    /// Waits for the end.
    var fault: HTTPFault? {
        guard eventually({ self.hasEnded }), case .failure(let error) = self.result.withLock({ $0 }) else { return nil }
        return error as? HTTPFault
    }

    func cancel() { self.task.withLock { $0?.cancel() } }
}
