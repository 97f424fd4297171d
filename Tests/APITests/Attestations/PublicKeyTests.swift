// Signatures of OpenSSL's own command line are verified; changed ones, and keys of other kinds, are not.

import Cryptography
import Domain
import TestSupport
import Testing

@Suite struct PublicKeyTests {
    private static func key(_ name: String) throws -> PublicKey {
        try PublicKey(pem: #require(SigningSamples.keys[name]))
    }

    @Test func `every scheme that is taken is verified, and nothing that was changed is`() throws {
        for (scheme, name, text) in SigningSamples.ofContent {
            let (key, signature) = (try Self.key(name), try #require(Base64.decode(text)))
            #expect(key.verifies(signature, of: SigningSamples.content), "\(scheme)")
            #expect(!key.verifies(signature, of: SigningSamples.content + [0]), "\(scheme)")
            #expect(!key.verifies([], of: SigningSamples.content), "\(scheme)")
            #expect(
                !key.verifies(signature.dropLast() + [signature.last! ^ 1], of: SigningSamples.content), "\(scheme)")
            for other in SigningSamples.keys.keys where !["rsa1024", "k1", "x", name].contains(other) {
                #expect(try !Self.key(other).verifies(signature, of: SigningSamples.content), "\(scheme) by \(other)")
            }
        }
    }

    @Test func `of bytes whose SHA-256 alone is known, what signs that is verified`() throws {
        let digest = Hash.digest(.sha256, of: SigningSamples.content)
        for (scheme, name, text) in SigningSamples.ofContent {
            let signature = try #require(Base64.decode(text))
            let isExpected = ["p256", "p256row", "p384-256", "rsa", "pss"].contains(scheme)
            #expect(try Self.key(name).verifies(signature, ofSHA256: digest) == isExpected, "\(scheme)")
        }
    }

    @Test func `a key is read in its one written form, and weak or strange ones are refused`() throws {
        let algorithms = ["ed": "ed25519", "p256": "ecdsa-p256", "p384": "ecdsa-p384", "rsa": "rsa"]
        for (name, algorithm) in algorithms {
            let key = try Self.key(name)
            #expect(key.algorithm.rawValue == algorithm && key.fingerprint.count == 64)
            #expect(try PublicKey(der: key.der).fingerprint == key.fingerprint)
            #expect(throws: PublicKey.Failure.unreadable) { try PublicKey(der: key.der + [0]) }
            #expect(throws: PublicKey.Failure.unreadable) { try PublicKey(der: Array(key.der.dropLast())) }
        }
        #expect(throws: PublicKey.Failure.unsupported("RSA of 1024 bits")) { try Self.key("rsa1024") }
        #expect(throws: PublicKey.Failure.unsupported("the curve secp256k1")) { try Self.key("k1") }
        #expect(throws: PublicKey.Failure.unsupported("its algorithm")) { try Self.key("x") }
        for text in ["", "x", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"] {
            #expect(throws: PublicKey.Failure.notPEM) { try PublicKey(pem: text) }
        }
    }

    @Test(arguments: UInt64(0)..<100)
    func `random bytes are no key and no signature`(seed: UInt64) throws {
        var random = SplitMix64(seed)
        let bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(throws: PublicKey.Failure.self) { try PublicKey(der: bytes) }
        for name in ["ed", "p256", "p384", "rsa"] {
            #expect(try !Self.key(name).verifies(bytes, of: SigningSamples.content))
        }
    }
}
