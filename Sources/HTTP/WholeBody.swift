import Synchronization

/// A body that is all there, given out once.
final class WholeBody: BodySource {
    private let bytes: Mutex<[UInt8]?>

    init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes.isEmpty ? nil : bytes) }

    func nextChunk() async throws -> [UInt8]? {
        self.bytes.withLock { bytes in
            defer { bytes = nil }
            return bytes
        }
    }
}
