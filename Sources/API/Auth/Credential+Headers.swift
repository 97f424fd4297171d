// What a request presents in its headers. Rules: HTTP contract, 2.3, 2.5 and section 9, row 18.

import Cryptography
import Domain
package import HTTP
package import Registry

extension Credential {
    /// `Bearer TOKEN`, or `Basic` with any user name and a token as password; the scheme in any case.
    package init(of headers: Headers) {
        guard let header = headers["authorization"]?.trimmedOrNil else {
            self = .none
            return
        }
        guard let blank = header.utf8.firstIndex(of: UInt8(ascii: " ")) else {
            self.init(token: header)
            return
        }
        let value = header[blank...].trimmed
        self.init(token: String(header[..<blank]).equalsIgnoringCase("basic") ? BasicPair(value).password : value)
    }
}

extension Headers {
    /// What is sent with HTTP Basic, still encoded; nil where it is another scheme or nothing.
    var basicCredentials: String? {
        guard let header = self["authorization"]?.trimmed,
            String(header.utf8.prefix(6))?.equalsIgnoringCase("basic ") == true
        else { return nil }
        return Substring(header.utf8.dropFirst(6)).trimmed
    }
}

/// User name and password of HTTP Basic (RFC 7617, 2).
struct BasicPair {
    let user: String
    let password: String

    init(_ text: String) {
        let pair = Base64.decode(text).flatMap { String(validating: $0, as: UTF8.self) } ?? ""
        let parts = pair.parts(at: ":", most: 1)
        self.user = parts.count == 2 ? String(parts[0]) : ""
        self.password = String(parts.last ?? "")
    }
}

extension Headers {
    /// - Throws: `bad_request` if a credential comes twice: proxies and servers would disagree about which one counts.
    func checkCredentials() throws(Refusal) {
        for name in ["Authorization", "X-Bootstrap-Token"] {
            guard self.fields.count(where: { $0.name.equalsIgnoringCase(name) }) < 2 else {
                throw .badRequest("The header \(name) must be sent once.")
            }
        }
    }
}
