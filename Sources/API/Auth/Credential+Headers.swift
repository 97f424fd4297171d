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
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else {
            self.init(token: header)
            return
        }
        let value = parts[1].trimmed
        self.init(token: parts[0].lowercased() == "basic" ? BasicPair(value).password : value)
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
        var names = [throttle.name(ofAddress: request.remoteAddress)]
        var fingerprint = call.credential.fingerprint
        if let header = request.headers["authorization"]?.trimmed, header.lowercased().hasPrefix("basic ") {
            let user = BasicPair(header.dropFirst(6).trimmed).user.trimmed.lowercased()
            if !user.isEmpty { names.append(.subject(String(user.prefix(256)))) }
        }
        if let bootstrap = request.headers["x-bootstrap-token"]?.trimmedOrNil {
            names.append(.subject(Subject.bootstrap.text))
            fingerprint = (fingerprint ?? 0) ^ (Credential(token: "bootstrap " + bootstrap).fingerprint ?? 0)
        }
        guard let fingerprint else { return nil }
        self.init(names: names, credential: fingerprint)
    }
}
