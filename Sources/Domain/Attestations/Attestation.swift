// A statement about a version's bytes, as it was sent: in a signed envelope, unsigned, or as a signature alone.

package enum AttestationKind: String, CaseIterable, Sendable {
    /// A DSSE envelope with an in-toto statement, also within a Sigstore bundle.
    case dsse
    /// An unsigned in-toto statement.
    case statement = "in_toto"
    /// A signature over a file's bytes.
    case signature
}

package enum TrustedKey {}
package typealias TrustedKeyID = Identifier<TrustedKey>
package typealias AttestationID = Identifier<AttestationDocument>

package struct AttestationDocument: Hashable, Sendable {
    /// In bytes.
    package static let sizeLimit = 4 << 20
    /// In bytes: no signature of an algorithm that is taken is longer.
    private static let signatureLimit = 4096

    package let kind: AttestationKind
    package let bytes: [UInt8]
    package let predicateType: String?
    /// What it is about.
    package let subjects: [BlobDigest]
    /// What is signed where the document has it; nil for a signature alone, and where nothing is signed.
    package let signedBytes: [UInt8]?
    package let signatures: [DSSEEnvelope.Signature]

    /// An envelope or a statement, which is told by its members.
    ///
    /// - Throws: `bad_request`.
    package init(_ bytes: [UInt8]) throws(Refusal) {
        let document: JSON
        do {
            document = try JSON(parsing: bytes, valueLimit: JSON.valueLimit)
        } catch {
            throw .badRequest("The attestation is not JSON: \(error). (A signature alone needs the parameter subject.)")
        }
        self.bytes = bytes
        if InTotoStatement.isOne(document) {
            let statement = try InTotoStatement(document)
            self.kind = .statement
            self.signedBytes = nil
            self.signatures = []
            self.predicateType = statement.predicateType
            self.subjects = statement.subjects
            return
        }
        let envelope = try DSSEEnvelope(document["dsseEnvelope"] ?? document)
        guard envelope.payloadType == InTotoStatement.payloadType else {
            throw .badRequest(
                "payloadType must be '\(InTotoStatement.payloadType)': what another payload is about can't be told.")
        }
        let payload: JSON
        do {
            payload = try JSON(parsing: envelope.payload, valueLimit: JSON.valueLimit)
        } catch {
            throw .badRequest("The payload of the DSSE envelope is not JSON: \(error).")
        }
        let statement = try InTotoStatement(payload)
        self.kind = .dsse
        self.signedBytes = envelope.signedBytes
        self.signatures = envelope.signatures
        self.predicateType = statement.predicateType
        self.subjects = statement.subjects
    }

    /// A signature over the bytes with that digest: as bytes, or in Base64 as some tools write it.
    ///
    /// - Throws: `bad_request`.
    package init(signature bytes: [UInt8], of subject: BlobDigest) throws(Refusal) {
        guard (1...Self.signatureLimit).contains(bytes.count) else {
            throw .badRequest("A signature must have 1 to \(Self.signatureLimit) bytes.")
        }
        var spellings = [DSSEEnvelope.Signature(keyID: nil, bytes: bytes)]
        if let text = String(validating: bytes, as: UTF8.self), let decoded = Base64.decode(text.trimmed),
            !decoded.isEmpty
        {
            spellings.append(DSSEEnvelope.Signature(keyID: nil, bytes: decoded))
        }
        self.kind = .signature
        self.bytes = bytes
        self.predicateType = nil
        self.subjects = [subject]
        self.signedBytes = nil
        self.signatures = spellings
    }

    /// Which bytes a signature alone signs.
    package var signedDigest: BlobDigest? { self.kind == .signature ? self.subjects.first : nil }
}
