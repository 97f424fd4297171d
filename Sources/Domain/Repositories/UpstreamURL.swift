// Where a remote repository fetches from. Rules: HTTP contract, 3.3; RFC 3986, 3.

package enum UpstreamURL {
    /// Reads an absolute http or https URL without credentials; scheme and host in lower case, an empty path as `/`.
    ///
    /// - Throws: `bad_request`.
    package static func parse(_ text: String) throws(Refusal) -> String {
        let malformed = Refusal.badRequest(
            "upstreamUrl must be an absolute http or https URL without user name, password or fragment.")
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let separator = text.firstRange(of: "://")
        else { throw malformed }
        let scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end].lowercased()
        guard scheme == "http" || scheme == "https", !authority.isEmpty, !authority.contains("@"),
            !text.contains("#"), !text.contains("\\"), self.isHostAndPort(authority)
        else { throw malformed }
        let path = rest[end...]
        return "\(scheme)://\(authority)\(path.hasPrefix("/") ? "" : "/")\(path)"
    }

    private static func isHostAndPort(_ text: String) -> Bool {
        let host: Substring
        let port: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            host = text[text.index(after: text.startIndex)..<end]
            port = text[text.index(after: end)...]
            guard !host.isEmpty, host.utf8.allSatisfy({ $0.hexDigitValue != nil || $0 == 0x3A || $0 == 0x2E }) else {
                return false
            }
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            (host, port) = (text[..<colon], text[colon...])
            let isAllowed = host.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
            guard isAllowed, !host.isEmpty, !host.hasPrefix("."), !host.hasPrefix("-") else { return false }
        }
        guard !port.isEmpty else { return true }
        guard port.hasPrefix(":"), let number = UInt16(port.dropFirst()), number > 0 else { return false }
        return true
    }
}
