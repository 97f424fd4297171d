// Which of a repository's trusted keys have signed a document.

import Cryptography
import Domain
import HTTP
import Persistence
import Storage

struct SignatureVerification {
    /// In bytes: signed bytes are held in memory up to here. Beyond it only what signs their SHA-256 can be verified.
    static let memoryLimit = 1 << 20

    private let keys: [(stored: StoredKey, key: PublicKey)]

    /// - Throws: a fault for a stored key that cannot be read.
    init(_ keys: [StoredKey]) throws {
        self.keys = try keys.map { stored in
            do {
                return (stored, try PublicKey(pem: stored.pem))
            } catch {
                throw DatabaseFault.unreadable("trusted key \(stored.id): \(error)")
            }
        }
    }

    /// The keys that verify a signature of `document`.
    ///
    /// - Parameter signed: the bytes that a signature alone signs; nil where they are not at hand.
    /// - Throws: `signature_invalid` where a signature names a trusted key, by its id or its fingerprint, that has not
    ///   made it.
    func signers(of document: AttestationDocument, _ signed: [UInt8]?) throws(Refusal) -> [TrustedKeyID] {
        var signers: [TrustedKeyID] = []
        for (stored, key) in self.keys {
            for signature in document.signatures {
                let isVerified = self.verifies(signature.bytes, by: key, document, signed)
                if isVerified, !signers.contains(stored.id) { signers.append(stored.id) }
                guard !isVerified, let name = signature.keyID?.lowercased(),
                    name.hasSameBytes(as: stored.id.description) || name.hasSameBytes(as: stored.fingerprint)
                else { continue }
                throw Refusal(
                    .signatureInvalid,
                    "A signature says that it is by the trusted key '\(stored.name)', and that key has not made it.",
                    ["keyId": JSON(stored.id)])
            }
        }
        return signers
    }

    private func verifies(
        _ signature: [UInt8], by key: PublicKey, _ document: AttestationDocument, _ signed: [UInt8]?
    ) -> Bool {
        if let message = document.signedBytes ?? signed { return key.verifies(signature, of: message) }
        guard let digest = document.signedDigest.flatMap({ Hexadecimal.bytes(of: $0.hex) }) else { return false }
        return key.verifies(signature, ofSHA256: digest)
    }

    /// The bytes that a signature alone signs, where they are few.
    static func bytes(of key: StorageKey, length: Int, in storage: any BlobStorage) async throws -> [UInt8]? {
        guard length <= Self.memoryLimit else { return nil }
        guard length > 0 else { return [] }
        switch try await storage.open(key, 0..<length, of: length) {
        case .file(let region):
            let reader = FileReader(region)
            var bytes: [UInt8] = []
            while let chunk = try reader.next() { bytes += chunk }
            return bytes
        case .stream(let stream):
            var bytes: [UInt8] = []
            for try await chunk in stream { bytes += chunk }
            return bytes
        }
    }
}
