// What a sender says of the bytes it sends, to be compared with what arrived. Headers: `X-Checksum-*`; `Content-MD5`
// (RFC 1864); `Digest` (RFC 3230); `Repr-Digest` and `Content-Digest` (RFC 9530).

import Cryptography
import Domain
import HTTP
import Registry

/// Digests by function, in lower-case hexadecimal digits.
struct AnnouncedChecksums {
    private let values: [Hash.Function: Set<Name>]

    var functions: Set<Hash.Function> { Set(self.values.keys) }

    /// - Throws: `bad_request` for a digest that is none.
    init(_ headers: Headers) throws(Refusal) {
        var values: [Hash.Function: Set<Name>] = [:]
        for function in Hash.Function.allCases {
            let name = "x-checksum-\(function.rawValue)"
            guard let text = headers[name]?.trimmedOrNil else { continue }
            values[function, default: []].insert(try Self.checked(Hexadecimal.bytes(of: text), function, name))
        }
        if let text = headers["content-md5"]?.trimmedOrNil {
            values[.md5, default: []].insert(try Self.checked(Base64.decode(text), .md5, "Content-MD5"))
        }
        for name in ["Digest", "Repr-Digest", "Content-Digest"] {
            for field in headers.all(name) {
                for member in field.parts(at: ",", keepsEmpty: false) {
                    let parts = member.parts(at: "=", most: 1)
                    guard parts.count == 2 else { throw .badRequest("\(name) must be ALGORITHM=VALUE.") }
                    guard let function = Self.function(parts[0].trimmed) else { continue }
                    let value = parts[1].trimmed
                    let isQuoted = value.startsWithBytes(of: ":") && value.endsWithBytes(of: ":")
                    let text = isQuoted ? String(Substring(value.utf8.dropFirst().dropLast())) : value
                    values[function, default: []].insert(try Self.checked(Base64.decode(text), function, name))
                }
            }
        }
        self.values = values
    }

    private static func function(_ name: String) -> Hash.Function? {
        switch name.lowercased() {
        case "md5": .md5
        case "sha", "sha-1": .sha1
        case "sha-256": .sha256
        case "sha-512": .sha512
        default: nil
        }
    }

    private static func checked(
        _ bytes: [UInt8]?, _ function: Hash.Function, _ header: String
    ) throws(Refusal) -> Name {
        let count =
            switch function {
            case .md5: 16
            case .sha1: 20
            case .sha256: 32
            case .sha512: 64
            }
        guard let bytes, bytes.count == count else {
            throw .badRequest("\(header) is no \(function.rawValue) digest.")
        }
        return Name(Hexadecimal.text(of: bytes))
    }

    /// - Throws: `checksum_mismatch`, with both values.
    func verify(_ received: Received) throws(Refusal) {
        for (function, announced) in self.values {
            let actual =
                switch function {
                case .md5: received.checksums.md5
                case .sha1: received.checksums.sha1
                case .sha256: received.digest.hex
                case .sha512: received.checksums.sha512
                }
            guard let other = announced.first(where: { $0 != actual.map { Name($0) } }) else { continue }
            throw Refusal(
                .checksumMismatch, "The bytes that arrived have another \(function.rawValue) than was announced.",
                [
                    "algorithm": .string(function.rawValue), "expected": .string(other.text), "actual": JSON(actual),
                    "length": JSON(received.length),
                ])
        }
    }
}

/// What we say of the bytes we send.
enum ChecksumHeaders {
    static func of(_ digest: BlobDigest, _ checksums: Checksums) -> [(name: String, value: String)] {
        var headers = [(name: "X-Checksum-Sha256", value: digest.hex)]
        if let sha1 = checksums.sha1 { headers.append(("X-Checksum-Sha1", sha1)) }
        if let md5 = checksums.md5 { headers.append(("X-Checksum-Md5", md5)) }
        if let bytes = Hexadecimal.bytes(of: digest.hex) {
            headers.append(("Repr-Digest", "sha-256=:\(Base64.encode(bytes)):"))
            headers.append(("Digest", "SHA-256=\(Base64.encode(bytes))"))
        }
        return headers
    }
}
