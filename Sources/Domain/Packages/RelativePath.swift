// The path of a file within a version, or of a file in a generic repository. Rules: HTTP contract, section 9, row 13.

/// Segments separated by `/`: none empty, `.` or `..`; no leading `/`, backslash or control character; at most 1024
/// bytes of UTF-8, 255 a segment. Case is kept.
package struct RelativePath: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    package init(parsing text: String) throws(Refusal) {
        guard !text.isEmpty else { throw .badRequest("A relative path is required.") }
        guard text.utf8.count <= 1024 else { throw .badRequest("A relative path must have at most 1024 bytes.") }
        guard !text.hasControlCharacter, !text.utf8.contains(UInt8(ascii: "\\")) else {
            throw .badRequest("A relative path must not contain a backslash or a control character.")
        }
        for segment in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard !segment.isEmpty, !segment.elementsEqual(".".utf8), !segment.elementsEqual("..".utf8) else {
                throw .badRequest("A relative path must not have an empty segment, '.' or '..'.")
            }
            guard segment.count <= 255 else {
                throw .badRequest("A segment of a relative path must have at most 255 bytes.")
            }
        }
        self.text = text
    }

    /// The last segment.
    package var name: String { String(self.text.split(separator: "/").last ?? "") }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    package var description: String { self.text }
}
