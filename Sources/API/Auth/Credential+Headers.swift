// What a request presents in its headers. Rules: HTTP contract, 2.3, 2.5 and section 9, row 18.

import Cryptography
import Domain
package import HTTP
import Identity
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
        return header.dropFirst(6).trimmed
    }
}

/// User name and password of HTTP Basic (RFC 7617, 2).
struct BasicPair {
    let user: String
    let password: String

    init(_ text: String) {
        let pair = Base64.decode(text).flatMap { String(validating: $0, as: UTF8.self) } ?? ""
        let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        self.user = parts.count == 2 ? String(parts[0]) : ""
        self.password = String(parts.last ?? "")
    }
}

extension Throttle.Attempt {
    /// What a call presents; nil where that is nothing, or where it comes over the socket of the machine itself.
    init?(_ call: Call, _ throttle: Throttle) {
        let request = call.request
        guard request.remoteAddress != "local" else { return nil }
        var fingerprint = call.credential.fingerprint
        let bootstrap = request.headers["x-bootstrap-token"]?.trimmedOrNil
        if let bootstrap {
            fingerprint = (fingerprint ?? 0) ^ (Credential(token: "bootstrap " + bootstrap).fingerprint ?? 0)
        }
        guard let fingerprint else { return nil }
        self.init(
            names: Self.names(in: request, namesBootstrap: bootstrap != nil, throttle), credential: fingerprint)
    }

    private static func names(in request: Request, namesBootstrap: Bool, _ throttle: Throttle) -> [Throttle.Name] {
        var names = [throttle.name(ofAddress: request.remoteAddress)]
        if let pair = request.headers.basicCredentials {
            let user = BasicPair(pair).user.trimmed.lowercased()
            if !user.isEmpty { names.append(.subject(String(user.prefix(256)))) }
        }
        if namesBootstrap { names.append(.subject(Subject.bootstrap.text)) }
        return names
    }
}
