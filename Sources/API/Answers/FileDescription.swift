// What a stored file's answers say of it: the same each time, so it is put together once. Rules: HTTP contract, 3.4 and
// section 9, rows 17 and 32; RFC 9110, 8.

package import Domain
import HTTP
package import Registry

/// What is to be sent, and how it is described.
package final class FileDescription: Sendable {
    package let digest: BlobDigest
    /// In bytes.
    package let length: Int
    package let storageKey: StorageKey
    /// Nil where the format knows none.
    package let modifiedAt: Timestamp?
    package let download: RepositorySettings.Download
    let tag: EntityTag
    /// Of every answer: those of a 304.
    let headers: Headers
    /// Of an answer with content.
    let headersOfContent: Headers

    /// - Parameter headers: further ones of a 200, 206 or 304.
    package convenience init(_ file: ResolvedFile, headers: [(name: String, value: String)] = []) {
        self.init(
            file.digest, file.length, file.storageKey, type: file.contentType, modifiedAt: file.publishedAt,
            file.settings.download, name: file.path.name, headers)
    }

    /// A blob by its digest: bytes of no known type.
    package convenience init(_ blob: ResolvedBlob) {
        self.init(
            blob.digest, blob.length, blob.storageKey, type: nil, modifiedAt: blob.since, blob.settings.download,
            name: blob.digest.hex, [])
    }

    /// Bytes that belong to a version beside its files: always sent by us.
    package convenience init(
        digest: BlobDigest, length: Int, storageKey: StorageKey, contentType: String, modifiedAt: Timestamp,
        fileName: String
    ) {
        self.init(
            digest, length, storageKey, type: contentType, modifiedAt: modifiedAt, .stream, name: fileName, [])
    }

    private init(
        _ digest: BlobDigest, _ length: Int, _ key: StorageKey, type: String?, modifiedAt: Timestamp?,
        _ download: RepositorySettings.Download, name: String, _ further: [(name: String, value: String)]
    ) {
        self.digest = digest
        self.length = length
        self.storageKey = key
        self.modifiedAt = modifiedAt
        self.download = download
        self.tag = EntityTag(digest.hex)
        var headers: Headers = ["Accept-Ranges": "bytes", "ETag": self.tag.description]
        if let time = modifiedAt { headers.append("Last-Modified", time.httpDate) }
        for header in further { headers.append(header.name, header.value) }
        headers.append("X-Content-Type-Options", "nosniff")
        headers.append("Content-Security-Policy", "sandbox")
        self.headers = headers
        let media = type.flatMap(MediaType.init(parsing:))
        // Clients read a malformed type each in their own way, so it is not repeated.
        headers.append("Content-Type", media == nil ? Self.unknownType : type ?? Self.unknownType)
        if type != nil, media.map({ Self.inertTypes.contains(Name($0.essence)) }) != true {
            headers.append("Content-Disposition", "attachment; filename*=UTF-8''\(Target.encode(component: name))")
        }
        self.headersOfContent = headers
    }

    private static let unknownType = "application/octet-stream"

    /// What a browser may show where it is: types that it saves anyway or that cannot run code. Everything else, known or
    /// not, is an attachment.
    private static let inertTypes: Set<Name> = [
        Name(FileDescription.unknownType), "text/plain", "text/csv", "text/markdown", "application/json",
        "application/x-ndjson", "application/yaml", "application/toml", "image/png", "image/jpeg", "image/gif",
        "image/webp", "image/avif", "audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "video/mp4", "video/webm",
        "video/ogg", "application/gzip", "application/zip", "application/zstd", "application/x-tar", "application/x-xz",
        "application/x-bzip2", "application/x-7z-compressed", "application/java-archive",
    ]
}
