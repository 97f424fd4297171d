// `FILE.sha256`, `.sha512`, `.sha1` and `.md5`: derived from FILE, unless a real file has that path.

import API
import Cryptography
import Domain
import HTTP
import Registry

struct ChecksumSiblings: Sendable {
    let resolving: Resolving
    let checksums: BlobChecksums

    /// - Returns: nil where the path has no such ending.
    /// - Throws: `not_found` and the like for the file that it is derived from.
    func text(of path: RelativePath, in key: RepoKey, _ call: Call) async throws -> Response? {
        guard let dot = path.text.last("."),
            let function = Hash.Function(rawValue: String(path.text[path.text.utf8.index(after: dot)...])),
            let base = try? RelativePath(lookingUp: String(path.text[..<dot]))
        else { return nil }
        let file = try await self.resolving.file(
            FileRequest(generic: base), in: key, for: call.credential, correlation: call.correlation)
        let digest = try await self.checksums.value(function, of: file)
        return .text(200, digest)
    }
}
