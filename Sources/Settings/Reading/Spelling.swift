// A setting's three spellings: `auth.oidc.jwksUrl`, `ARTIFORTRESS_AUTH_OIDC_JWKS_URL`, `--auth.oidc.jwks-url`.

import Domain

enum Spelling {
    static let prefix = "ARTIFORTRESS_"

    /// The environment variable of a key.
    static func variable(_ key: String) -> String {
        Self.prefix + Self.words(key, joinedBy: "_", parts: "_").uppercased()
    }

    /// The flag of a key, without its dashes.
    static func flag(_ key: String) -> String { Self.words(key, joinedBy: "-", parts: ".") }

    private static func words(_ key: String, joinedBy mark: Character, parts: Character) -> String {
        var text = ""
        for character in key {
            if character == "." {
                text.append(parts)
            } else {
                if character.isUppercase { text.append(mark) }
                text += character.lowercased()
            }
        }
        return text
    }

    /// ` (did you mean …?)`, or nothing where no name is near.
    static func suggestion(for text: String, among names: [String]) -> String {
        names.nearest(to: text).map { " (did you mean \($0)?)" } ?? ""
    }
}
