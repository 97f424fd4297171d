// Signed envelopes. Source: DSSE v1.0.2 (secure-systems-lab/dsse), protocol.md and envelope.md.

/// A payload with signatures over it.
package struct DSSEEnvelope: Hashable, Sendable {
    package static let signatureLimit = 8

    package struct Signature: Hashable, Sendable {
        /// A hint, which nothing vouches for.
        package let keyID: String?
        package let bytes: [UInt8]
    }

    package let payloadType: String
    package let payload: [UInt8]
    package let signatures: [Signature]

    /// - Throws: `bad_request`.
    package init(_ document: JSON) throws(Refusal) {
        guard let payloadType = document["payloadType"]?.text,
            let payload = document["payload"]?.text.flatMap({ Base64.decode($0) }),
            let elements = document["signatures"]?.elements
        else { throw .badRequest("A DSSE envelope has payloadType, payload in Base64, and signatures.") }
        guard (1...Self.signatureLimit).contains(elements.count) else {
            throw .badRequest("A DSSE envelope must have 1 to \(Self.signatureLimit) signatures.")
        }
        var signatures: [Signature] = []
        for element in elements {
            guard let bytes = element["sig"]?.text.flatMap({ Base64.decode($0) }), !bytes.isEmpty else {
                throw .badRequest("Each signature of a DSSE envelope must have sig in Base64.")
            }
            signatures.append(Signature(keyID: element["keyid"]?.text?.trimmedOrNil, bytes: bytes))
        }
        self.payloadType = payloadType
        self.payload = payload
        self.signatures = signatures
    }

    /// What is signed: type and payload with their lengths (PAE), so that neither can pass for the other.
    package var signedBytes: [UInt8] {
        let type = Array(self.payloadType.utf8)
        return Array("DSSEv1 \(type.count) ".utf8) + type + Array(" \(self.payload.count) ".utf8) + self.payload
    }
}
