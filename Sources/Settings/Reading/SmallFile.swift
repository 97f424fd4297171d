// Settings files and secrets in files: small, text, read whole.

import Glibc

enum SmallFile {
    /// In bytes.
    static let limit = 1024 * 1024

    /// - Parameter subject: what the file is read for, at the head of a complaint.
    static func text(of path: String, for subject: String) throws(SettingsFault) -> String {
        guard let file = unsafe fopen(path, "re") else {
            throw SettingsFault("\(subject): \(path) can't be read: \(Self.reason(errno))")
        }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count <= Self.limit {
            let count = unsafe fread(&block, 1, block.count, file)
            if count == 0 { break }
            bytes += block[..<count]
        }
        guard unsafe ferror(file) == 0 else {
            throw SettingsFault("\(subject): \(path) can't be read: \(Self.reason(errno))")
        }
        guard bytes.count <= Self.limit else {
            throw SettingsFault("\(subject): \(path) is too long; allowed: \(Self.limit) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SettingsFault("\(subject): \(path) is not text in UTF-8")
        }
        return text
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
