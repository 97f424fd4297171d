// Absolute http and https URLs (RFC 3986) as settings have them: an origin, perhaps with a path.

package struct BaseURL: Hashable, Sendable, CustomStringConvertible {
    /// `http` or `https`.
    package let scheme: String
    /// Host, and port where one is written.
    package let authority: String
    /// Empty, or with a leading `/` and no trailing one.
    package let path: String

    /// Reads an absolute URL without user, query and fragment; nil for anything else.
    package init?(_ text: String) {
        guard let mark = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<mark.lowerBound].lowercased()
        guard ["http", "https"].contains(scheme) else { return nil }
        let rest = text[mark.upperBound...]
        guard rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !rest.contains(where: { "?#@\\\"<>".contains($0) })
        else { return nil }
        let authority = rest.prefix { $0 != "/" }
        var path = rest[authority.endIndex...]
        while path.last == "/" { path = path.dropLast() }
        let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
        let host: Substring
        if let colon = authority[bracket...].firstIndex(of: ":") {
            host = authority[..<colon]
            guard let port = UInt16(authority[authority.index(after: colon)...]), port > 0 else { return nil }
        } else {
            host = authority
        }
        guard !host.isEmpty, !path.contains("//"), !path.split(separator: "/").contains("..") else { return nil }
        self.scheme = scheme
        self.authority = authority.lowercased()
        self.path = String(path)
    }

    package var description: String { "\(self.scheme)://\(self.authority)\(self.path)" }
}

/// An absolute http or https URL of something to fetch: it may have a query, and stays as it is written.
package struct RemoteURL: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init?(_ text: String) {
        let (place, query) = text.split(at: "?")
        guard BaseURL(place) != nil, (query ?? "").utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x23 }) else {
            return nil
        }
        self.description = text
    }
}
