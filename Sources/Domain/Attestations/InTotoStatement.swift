// What an attestation says, and about which bytes. Source: in-toto Attestation Framework, spec/v1/statement.md and the
// resource descriptor; v0.1 is read too.

package struct InTotoStatement: Hashable, Sendable {
    package static let payloadType = "application/vnd.in-toto+json"
    private static let types = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"]
    private static let subjectLimit = 1000
    /// In bytes of UTF-8.
    private static let predicateTypeLimit = 512

    package let predicateType: String
    /// The SHA-256 of each subject that has one, each once.
    package let subjects: [BlobDigest]

    package static func isOne(_ document: JSON) -> Bool { document["_type"] != nil }

    /// - Throws: `bad_request`.
    package init(_ document: JSON) throws(Refusal) {
        guard let type = document["_type"]?.text, Self.types.contains(type) else {
            throw .badRequest("An in-toto statement must have the _type '\(Self.types[0])'.")
        }
        guard let predicateType = document["predicateType"]?.text?.trimmedOrNil,
            predicateType.utf8.count <= Self.predicateTypeLimit,
            !predicateType.hasControlCharacter
        else { throw .badRequest("An in-toto statement must have a predicateType.") }
        guard let elements = document["subject"]?.elements, (1...Self.subjectLimit).contains(elements.count) else {
            throw .badRequest("An in-toto statement must have 1 to \(Self.subjectLimit) subjects.")
        }
        var subjects: Set<BlobDigest> = []
        for element in elements {
            guard let digest = element["digest"], digest.members != nil else {
                throw .badRequest("Each subject of an in-toto statement must have a digest.")
            }
            guard let text = digest["sha256"]?.text else { continue }
            subjects.insert(try BlobDigest(parsing: text))
        }
        guard !subjects.isEmpty else {
            throw .badRequest("At least one subject of an in-toto statement must have the digest 'sha256'.")
        }
        self.predicateType = predicateType
        self.subjects = subjects.sorted()
    }
}
