// Where things lie in the storage directory:
//
//     installation                                    whose directory this is
//     objects/staging/{tenant}/{repo}/+3f/3fa0…       an object: key `staging/{tenant}/{repo}/3fa0…`
//     objects/staging/{tenant}/{repo}/+3f/3fa0…~      the same, while it is being written
//     objects/staging/{tenant}/{repo}/+3f/3fa0…~parts while it comes in parts (PartDirectory)
//
// A key's directories are directories; its last segment, which is random, is fanned out by its first two characters.
// Both keep the order of keys, so that listing needs no index and little memory; the first part of a key is a fan-out
// too. `+` and `~` stand in no key.

import Domain
import Storage

struct Layout: Sendable {
    let root: String

    init(root: String) {
        var root = root
        while root.utf8.count > 1, root.endsWithBytes(of: "/") { root.unicodeScalars.removeLast() }
        self.root = root
    }

    var marker: String { self.root + "/installation" }
    var objects: String { self.root + "/objects" }

    static let fanPrefix: Character = "+"
    static let stagedSuffix = "~"
    static let partsSuffix = "~parts"

    /// Where one key's files lie.
    struct Place: Sendable {
        let key: StorageKey
        let directory: String
        let object: String

        var staged: String { self.object + Layout.stagedSuffix }
        var parts: String { self.object + Layout.partsSuffix }
    }

    /// - Throws: `other` for a key that no file can be named for: a segment may have 240 bytes.
    func place(of key: StorageKey) throws(StorageFault) -> Place {
        let bytes = key.text.utf8
        let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { bytes.index(after: $0) } ?? bytes.startIndex
        let name = key.text[start...]
        guard key.text.utf8.split(separator: UInt8(ascii: "/")).allSatisfy({ $0.count <= 240 }) else {
            throw .other("the key has a segment of more than 240 bytes: \(key)")
        }
        let directory = "\(self.objects)/\(key.text[..<start])\(Self.fanPrefix)\(name.prefix(2))"
        return Place(key: key, directory: directory, object: "\(directory)/\(name)")
    }
}
