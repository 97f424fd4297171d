// Where the metadata is.

import Domain

package enum DatabaseURL: Hashable, Sendable, CustomStringConvertible {
    case sqlite(path: String)
    /// A connection URI for libpq (PostgreSQL manual, 34.1.1.2), as it was written, with its password.
    case postgreSQL(uri: Secret, shown: String)

    package init?(_ text: String) {
        guard !text.utf8.contains(where: { $0 < 0x21 || $0 == 0x7F }) || text.startsWithBytes(of: "sqlite:"),
            !text.hasControlCharacter
        else { return nil }
        if let path = text.dropping(prefix: "sqlite:") {
            guard !path.isEmpty, !path.startsWithBytes(of: "//") else { return nil }
            self = .sqlite(path: String(path))
        } else if let rest = text.dropping(prefix: "postgres://") ?? text.dropping(prefix: "postgresql://") {
            guard !rest.isEmpty else { return nil }
            self = .postgreSQL(uri: Secret(text), shown: Self.hidingPassword(in: text))
        } else {
            return nil
        }
    }

    /// Without what follows `user:`, and without the value of `password=` and `sslpassword=`.
    private static func hidingPassword(in uri: String) -> String {
        let (head, query) = uri.split(at: "?")
        var shown = head
        if let at = head.last("@"), let scheme = head.first(":"),
            let colon = head[head.utf8.index(after: scheme)..<at].first(":")
        {
            shown = "\(head[...colon])***\(head[at...])"
        }
        guard let query else { return shown }
        let parts = query.parts(at: "&").map { part in
            let (name, value) = String(part).split(at: "=")
            return value != nil && name.asciiLowercased.endsWithBytes(of: "password") ? "\(name)=***" : String(part)
        }
        return "\(shown)?\(parts.joined(separator: "&"))"
    }

    package var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgreSQL(_, let shown): shown
        }
    }
}

extension String {
    func dropping(prefix: String) -> Substring? {
        self.startsWithBytes(of: prefix) ? Substring(self.utf8.dropFirst(prefix.utf8.count)) : nil
    }

    /// What stands before the first `mark`, and behind it.
    func split(at mark: Unicode.Scalar) -> (String, String?) {
        guard let index = self.first(mark) else { return (self, nil) }
        return (String(self[..<index]), String(self[self.utf8.index(after: index)...]))
    }
}
