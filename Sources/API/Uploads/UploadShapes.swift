// Upload sessions on the wire. Shapes: HTTP contract, 3.4.

import Domain
import HTTP
import Registry
import Storage

extension UploadSession {
    func head(in repo: RepoKey) -> [JSON.Member] {
        [
            .init("uploadId", JSON(self.id)), .init("repoKey", .string(repo.text)),
            .init("state", .string(self.state.rawValue)),
        ]
    }

    /// All of it. A deduplicated session has nothing in the store, and no keys for it.
    func members(in repo: RepoKey) -> [JSON.Member] {
        var members =
            self.head(in: repo) + [
                .init("expectedDigest", .string(self.expectedDigest.hex)),
                .init("expectedLength", JSON(self.expectedLength)), .init("deduped", .bool(self.deduped)),
                .init("expiresAtUtc", JSON(self.expiresAt)),
            ]
        if !self.deduped {
            members.append(.init("objectStagingKey", JSON(self.stagingKey?.text)))
            members.append(.init("storageUploadId", JSON(self.storageUploadID)))
        }
        return members
    }
}

extension UploadDraft {
    /// - Throws: `bad_request`.
    init(_ fields: Fields) throws(Refusal) {
        let digest = try BlobDigest(parsing: fields.requiredText("expectedDigest"))
        try self.init(expectedDigest: digest, expectedLength: Int(try fields.integer("expectedLength")))
    }
}

extension StoredPart {
    /// The parts that a client names: each number once.
    ///
    /// - Throws: `bad_request`.
    static func list(_ fields: Fields) throws(Refusal) -> [StoredPart] {
        guard let objects = try fields.objects("parts"), !objects.isEmpty else {
            throw .badRequest("parts must have at least one part.")
        }
        var numbers: Set<Int64> = []
        var parts: [StoredPart] = []
        for object in objects {
            let number = try object.integer("partNumber")
            guard (1...Int64(UploadSession.partLimit)).contains(number) else {
                throw .badRequest("partNumber must be 1 to \(UploadSession.partLimit).")
            }
            guard numbers.insert(number).inserted else {
                throw .badRequest("partNumber \(number) is there more than once.")
            }
            guard let tag = Self.unquoted(try object.requiredText("eTag")).trimmedOrNil else {
                throw .badRequest("eTag is required.")
            }
            parts.append(StoredPart(number: Int(number), entityTag: tag))
        }
        return parts
    }

    private static func unquoted(_ text: String) -> String {
        guard text.utf8.count >= 2, text.startsWithBytes(of: "\""), text.endsWithBytes(of: "\"") else { return text }
        return String(Substring(text.utf8.dropFirst().dropLast()))
    }
}

extension PartTicket {
    /// What a URL says; whether it is ours is another question.
    ///
    /// - Throws: `bad_request`.
    init(_ call: Call) throws(Refusal) {
        guard let number = Int(call.values["partNumber"] ?? ""), (1...UploadSession.partLimit).contains(number) else {
            throw .badRequest("partNumber must be 1 to \(UploadSession.partLimit).")
        }
        let target = call.request.target
        guard let limit = target.parameter("limit").flatMap({ Int($0) }),
            let expires = target.parameter("expires").flatMap({ Int64($0) }), (0..<1 << 40).contains(expires)
        else { throw .badRequest("The URL lacks what it was signed with: use it as it was given.") }
        self.init(
            repo: try call.repoKey, upload: try call.id("uploadId"), number: number, limit: limit,
            expiresAt: Timestamp(microseconds: expires * 1_000_000))
    }
}

extension Refusal {
    init(_ mismatch: UploadMismatch) {
        self.init(
            .uploadVerificationFailed, "The bytes that arrived are not those that were announced.",
            [
                "expectedDigest": .string(mismatch.expectedDigest.hex),
                "actualDigest": .string(mismatch.actualDigest.hex),
                "expectedLength": JSON(mismatch.expectedLength), "actualLength": JSON(mismatch.actualLength),
            ])
    }
}
