// The path of a file within a version, or of a file in a generic repository. Rules: HTTP contract, section 9, row 13.

/// Segments separated by `/`: none empty, `.` or `..`; no leading `/`, backslash or control character; at most 1024
/// bytes of UTF-8, 255 a segment. Case is kept.
package struct RelativePath: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let path: Name

    package var text: String { self.path.text }

    package init(parsing text: String) throws(Refusal) {
        guard !text.hasControlCharacter else {
            throw .badRequest("A relative path must not contain a control character.")
        }
        try self.init(lookingUp: text)
    }

    /// A path as it was stored. Earlier versions allowed characters that a new path may not have.
    package init(stored text: String) { self.path = Name(text) }

    /// A path to look up: as ``init(parsing:)``, but with the characters that earlier versions allowed.
    package init(lookingUp text: String) throws(Refusal) {
        guard !text.isEmpty else { throw .badRequest("A relative path is required.") }
        guard text.utf8.count <= 1024 else { throw .badRequest("A relative path must have at most 1024 bytes.") }
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") }) else {
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
        self.path = Name(text)
    }

    /// The last segment.
    package var name: String { String(self.text.parts(at: "/").last ?? "") }

    package static func < (left: Self, right: Self) -> Bool { left.path < right.path }

    package var description: String { self.text }
}
