// Which targets a server takes. Rules: RFC 9112, 3.2.1 and 3.2.2; RFC 3986, 5.2.4 and 6.2.2.3 (dot segments, which a
// client removes before it sends).

extension Target {
    /// Reads a target as it was received, in origin form or absolute form (of which the path and the query count).
    ///
    /// - Returns: nil where its path does not begin with `/`, or has a segment that is `.` or `..`, however encoded.
    package init?(received text: String) {
        var target = Target(text)
        if target.path.utf8.first != UInt8(ascii: "/") {
            guard let rest = Self.withoutAuthority(text) else { return nil }
            target = Target(rest)
        }
        guard target.path.utf8.first == UInt8(ascii: "/"), !target.hasDotSegment else { return nil }
        self = target
    }

    /// `/path?query` of `http://authority/path?query`.
    private static func withoutAuthority(_ text: String) -> String? {
        for scheme in ["http://", "https://"] where String(text.prefix(scheme.count)).equalsIgnoringCase(scheme) {
            let rest = text.dropFirst(scheme.count)
            guard let end = rest.utf8.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) else {
                return rest.isEmpty ? nil : "/"
            }
            guard end > rest.startIndex else { return nil }
            return rest.utf8[end] == UInt8(ascii: "/") ? String(rest[end...]) : "/" + rest[end...]
        }
        return nil
    }

    private var hasDotSegment: Bool {
        guard self.path.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "%") }) else {
            return false
        }
        var dots = 0
        var others = 0
        var rest = self.path.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "/"):
                if others == 0, dots == 1 || dots == 2 { return true }
                (dots, others) = (0, 0)
            case UInt8(ascii: "."): dots += 1
            case UInt8(ascii: "%") where rest.starts(with: "2E".utf8) || rest.starts(with: "2e".utf8):
                dots += 1
                rest = rest.dropFirst(2)
            default: others += 1
            }
        }
        return others == 0 && (dots == 1 || dots == 2)
    }
}

extension Target {
    /// A target whose form has been checked and that has no `?`.
    package init(withoutQuery text: String) {
        self.description = text
        self.path = text
        self.query = nil
    }
}
