// The parts of an upload, as files. They survive the end of the process and come in any order, several at a time:
//
//     …~parts/data.{random}      a part's bytes, synced
//     …~parts/00007 -> …         part 7: a symbolic link whose text is `data.{random}/{SHA-256 of the part}`
//     …~parts/whole.{random}     the object while it is put together
//
// The link is replaced by one rename, so that bytes and entity tag change together.

import Cryptography
import Domain
import Glibc
import Storage

struct PartDirectory: Sendable {
    let place: Layout.Place
    private var path: String { self.place.parts }

    /// How many parts an upload may have; S3 has ten thousand.
    static let partLimit = 99_999

    struct Entry {
        let data: String
        let entityTag: String
    }

    /// The upload's name: one key is uploaded once, so it follows from the key.
    static func id(of key: StorageKey) -> String { String(SHA256.digest(of: "parts of \(key)").hex.prefix(32)) }

    /// - Throws: `missing` if the upload is not this storage's.
    init(_ upload: MultipartUpload, _ layout: Layout) throws(StorageFault) {
        guard upload.id == Self.id(of: upload.key) else { throw .missing("no upload \(upload.id) of \(upload.key)") }
        self.place = try layout.place(of: upload.key)
    }

    func make(in directories: Directories) throws(StorageFault) {
        let isNew: Bool
        do {
            isNew = try SystemCall.makeDirectory(self.path)
        } catch .missing {
            try directories.make(parentOf: self.path)
            isNew = try SystemCall.makeDirectory(self.path)
        }
        guard isNew else { throw .other("\(self.place.key) is being uploaded already") }
    }

    var exists: Bool {
        get throws(StorageFault) { try SystemCall.status(of: self.path) != nil }
    }

    func freshData() -> String { "data.\(UniqueID.random().hex)" }

    func path(_ name: String) -> String { "\(self.path)/\(name)" }

    private static func name(of number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 5 - digits.count) + digits
    }

    /// Makes synced bytes the part of that number, in the place of those before. A loss of power may take the link with
    /// it (the part has to be sent again then): nothing has been promised before the object has its name.
    func link(_ number: Int, _ entry: Entry) throws(StorageFault) {
        let before = try self.entry(number)
        let (link, temporary) = (self.path(Self.name(of: number)), self.path("link.\(UniqueID.random().hex)"))
        guard unsafe symlink("\(entry.data)/\(entry.entityTag)", temporary) == 0 else {
            throw SystemCall.fault("symlink", temporary)
        }
        try SystemCall.rename(temporary, link)
        if let before { try SystemCall.remove(self.path(before.data)) }
    }

    /// Nil where there is no such part.
    func entry(_ number: Int) throws(StorageFault) -> Entry? {
        guard (1...Self.partLimit).contains(number) else { return nil }
        let link = self.path(Self.name(of: number))
        var failure: StorageFault?
        let text = unsafe String(unsafeUninitializedCapacity: 255) { buffer in
            let count = unsafe buffer.withMemoryRebound(to: CChar.self) {
                unsafe readlink(link, $0.baseAddress!, $0.count)
            }
            if count < 0, errno != ENOENT { failure = SystemCall.fault("readlink", link) }
            return max(0, count)
        }
        if let failure { throw failure }
        let words = text.parts(at: "/", keepsEmpty: false)
        return words.count == 2 ? Entry(data: String(words[0]), entityTag: String(words[1])) : nil
    }

    /// In the order of their numbers.
    ///
    /// - Throws: `missing` where the upload is not there.
    func parts() throws(StorageFault) -> [StoredPart] {
        guard try self.exists else { throw .missing("no upload of \(self.place.key)") }
        var numbers: [Int] = []
        try SystemCall.forEachName(in: self.path) { name in if let number = Int(name) { numbers.append(number) } }
        var parts: [StoredPart] = []
        for number in numbers.sorted() {
            guard let entry = try self.entry(number), let status = try SystemCall.status(of: self.path(entry.data))
            else { continue }  // replaced or removed in between
            parts.append(
                StoredPart(
                    number: number, entityTag: entry.entityTag, length: Int(status.st_size),
                    digest: try? BlobDigest(parsing: entry.entityTag)))
        }
        return parts
    }

    /// Removes an upload and what it left, if it is there. A request that still writes a part finds it gone.
    static func remove(_ place: Layout.Place) throws(StorageFault) {
        let gone = "\(place.object)~gone"
        for _ in 0..<2 {  // again where an earlier removal was cut off
            if unsafe Glibc.rename(place.parts, gone) != 0 {
                guard [ENOENT, ENOTDIR, ENOTEMPTY, EEXIST].contains(errno) else {
                    throw SystemCall.fault("rename", place.parts)
                }
            }
            var names: [String] = []
            try SystemCall.forEachName(in: gone) { names.append($0) }
            for name in names { try SystemCall.remove("\(gone)/\(name)") }
            if unsafe rmdir(gone) != 0, errno != ENOENT, errno != ENOTDIR { throw SystemCall.fault("rmdir", gone) }
            guard try SystemCall.status(of: place.parts) != nil else { return }
        }
    }
}
