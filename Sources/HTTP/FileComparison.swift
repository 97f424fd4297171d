// Compares the bytes of two file regions, a piece at a time.

import Glibc

/// Blocks: for threads that may.
package final class FileComparison: Sendable {
    package enum Step: Sendable {
        /// The pieces are equal, and there may be more.
        case equal
        case different
        /// Both regions ended without a difference.
        case end
    }

    /// In bytes: two of them are in memory.
    private static let piece = 256 << 10

    private let stored: FileReader
    private let fresh: FileReader

    /// - Parameters:
    ///   - stored: may turn out to be shorter than the region says, or unreadable: it then counts as different.
    ///   - fresh: of the same length.
    package init(_ stored: FileRegion, _ fresh: FileRegion) {
        self.stored = FileReader(stored, chunk: Self.piece)
        self.fresh = FileReader(fresh, chunk: Self.piece)
    }

    /// Compares the next piece.
    ///
    /// - Throws: if `fresh` cannot be read.
    package func next() throws(FileReader.Failure) -> Step {
        let expected = try self.fresh.next()
        let found: [UInt8]?
        do {
            found = try self.stored.next()
        } catch {
            return .different
        }
        guard let expected, let found else { return expected == nil && found == nil ? .end : .different }
        guard expected.count == found.count else { return .different }
        let isEqual = unsafe expected.withUnsafeBytes { expected in
            unsafe found.withUnsafeBytes { found in
                guard let one = expected.baseAddress, let other = found.baseAddress else { return true }
                return unsafe memcmp(one, other, expected.count) == 0
            }
        }
        return isEqual ? .equal : .different
    }
}
