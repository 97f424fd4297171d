// The query of a target: `name=value` pairs, percent-decoded, `+` read as a blank (as HTML forms write it).

package import Domain

extension Target {
    /// Checks that every name and value of the query can be decoded. A parameter that is dropped because it is malformed
    /// would widen what is asked for, so a request with one is rejected before any route reads it.
    ///
    /// - Throws: `bad_request`, naming the parameter.
    package func checkQuery() throws(Refusal) {
        guard let query = self.query, query.utf8.contains(UInt8(ascii: "%")) else { return }
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Target.decode(parts[0]) else {
                throw .badRequest("The name of a query parameter is malformed: \(Self.rule)")
            }
            if parts.count == 2, Target.decode(parts[1]) == nil {
                throw .badRequest("The value of the query parameter '\(name)' is malformed: \(Self.rule)")
            }
        }
    }

    private static let rule = "it must be percent-encoded UTF-8 without NUL."

    /// The first value of a parameter; nil if it is absent. ``checkQuery()`` has rejected what cannot be decoded.
    package func parameter(_ name: String) -> String? {
        guard let query = self.query else { return nil }
        for pair in query.parts(at: "&", keepsEmpty: false) {
            let parts = pair.parts(at: "=", most: 1)
            guard let key = Target.decodeForm(parts[0]), key.hasSameBytes(as: name) else { continue }
            return parts.count == 2 ? Target.decodeForm(parts[1]) : ""
        }
        return nil
    }

    private static func decodeForm(_ text: Substring) -> String? {
        Target.decode(text.utf8.contains(UInt8(ascii: "+")) ? Self.blanks(text).utf8 : text.utf8)
    }

    private static func blanks(_ text: Substring) -> Substring {
        Substring(String(decoding: text.utf8.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }, as: UTF8.self))
    }

    /// Percent-encodes what may not stand in a path segment (RFC 3986, 3.3).
    package static func encode(segment: some StringProtocol) -> String {
        self.encode(segment, keeping: "-._~!$&'()*+,;=:@")
    }

    /// Percent-encodes every byte but the unreserved ones (RFC 3986, 2.3).
    package static func encode(component: some StringProtocol) -> String { self.encode(component, keeping: "-._~") }

    private static func encode(_ text: some StringProtocol, keeping kept: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: encoded.append(byte)
            case _ where kept.utf8.contains(byte): encoded.append(byte)
            default: encoded += "%\(Hexadecimal.text(of: [byte]).uppercased())".utf8
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
