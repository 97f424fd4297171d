// Where an installation's objects are, and what can happen to them there.

import Cryptography
import Domain
import Foundation
import HTTP
import HTTPClient
import Persistence
import Settings
import Storage
import TestSupport
import Testing

@testable import artifortress

/// A database and a storage for a whole server.
struct Stores: Sendable, CustomStringConvertible {
    let engine: Engine
    let isS3: Bool

    static let all = Engine.direct.flatMap { engine in
        [false, true].filter { !$0 || S3Surroundings.current != nil }.map { Stores(engine: engine, isS3: $0) }
    }

    var description: String { "\(self.engine), \(self.isS3 ? "S3" : "files")" }

    func with(_ body: @Sendable (Installation) async throws -> Void) async throws {
        guard self.isS3, let s3 = S3Surroundings.current else {
            return try await Installation.with(self.engine, [:], body)
        }
        let settings = [
            "storage.url": s3.storageURL(prefix: "test-\(UniqueID.random().hex)"), "storage.s3.accessKey": s3.accessKey,
            "storage.s3.secretKey": s3.secretKey,
        ]
        try await Installation.with(self.engine, settings) { server in
            try await body(server)
            for key in try await server.deployment.storage.keys() { try await server.deployment.storage.delete(key) }
        }
    }
}

/// What can happen to a stored object behind the server's back.
enum Harm: String, CaseIterable, Sendable {
    case delete, truncate, flip

    var damage: String {
        switch self {
        case .delete: "missing"
        case .truncate: "wrong_length"
        case .flip: "wrong_bytes"
        }
    }
}

extension Installation {
    /// The object of a blob.
    func object(of digest: BlobDigest) async throws -> StorageKey {
        let key = try await self.database.lookup { transaction in
            try transaction.first(
                "SELECT storage_key FROM blobs WHERE digest = \(digest)", as: { try $0[0] as StorageKey })
        }
        return try #require(key)
    }

    /// Harms the object of a blob: a file in its place, so that whoever has it open sees it too.
    func harm(_ digest: BlobDigest, _ harm: Harm, bytes: [UInt8]) async throws {
        let (key, storage) = (try await self.object(of: digest), self.deployment.storage)
        guard case .file(let root) = self.deployment.configuration[.storageURL] else {
            try await storage.delete(key)
            switch harm {
            case .delete: return
            case .truncate: return try await storage.put(Array(bytes.dropLast()), key)
            case .flip: return try await storage.put(Self.flipped(bytes), key)
            }
        }
        let name = key.text.split(separator: "/").last.map(String.init) ?? ""
        let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        let path = try root + "/" + #require(files.first { $0.hasSuffix("/\(name)") })
        switch harm {
        case .delete: try FileManager.default.removeItem(atPath: path)
        case .truncate, .flip:
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            if harm == .truncate {
                try file.truncate(atOffset: UInt64(bytes.count - 1))
            } else {
                try file.write(contentsOf: Data(Self.flipped(bytes)))
            }
            try file.close()
        }
    }

    private static func flipped(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes[bytes.count - 1] ^= 1
        return bytes
    }

    func put(_ path: String, _ bytes: [UInt8], token: String) async throws -> Answer {
        try await self.send("PUT", path, headers: [("Authorization", "Bearer \(token)")], body: bytes)
    }

    func open(_ bytes: [UInt8], in repo: String, token: String) async throws -> Answer {
        try await self.send(
            "POST", "/v1/repos/\(repo)/uploads", token: token,
            ["expectedDigest": .string(SHA256.digest(of: bytes).hex), "expectedLength": JSON(bytes.count)])
    }

    /// Sends the bytes of a session that asks for them, and commits it.
    func finish(_ opened: Answer, _ bytes: [UInt8], in repo: String, token: String) async throws -> Answer {
        let id = try #require(opened.json["uploadId"]?.text, "\(opened.text)")
        let session = "/v1/repos/\(repo)/uploads/\(id)"
        let part = try await self.send("POST", "\(session)/parts", token: token, ["partNumber": 1])
        let url = try #require(part.json["uploadUrl"]?.text, "\(part.text)")
        let tag: String?
        if let path = url.firstRange(of: "/v1/repos/").map({ String(url[$0.lowerBound...]) }) {
            tag = try await self.send("PUT", path, body: bytes).headers["etag"]
        } else {
            tag = try await S3Fixture.client.send(ClientRequest("PUT", url, body: .bytes(bytes))).headers["ETag"]
        }
        let completed = try await self.send(
            "POST", "\(session)/complete", token: token,
            ["parts": [["partNumber": 1, "eTag": .string(try #require(tag))]]])
        try #require(completed.status == 200, "\(completed.text)")
        return try await self.send("POST", "\(session)/commit", token: token)
    }
}
