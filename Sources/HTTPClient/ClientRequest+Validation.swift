// What may be sent. Rules: RFC 9110, 5.5, 5.6.2 and 9.1; RFC 3986.

import Domain
import HTTP

extension ClientRequest {
    /// In bytes; nil where it is not known.
    var bodyLength: Int? {
        switch self.body {
        case .none: 0
        case .bytes(let bytes): bytes.count
        case .stream(let body): body.length
        }
    }

    /// Whether the request has a body, if only an empty one.
    var sendsBody: Bool {
        switch self.body {
        case .none: ["POST", "PUT", "PATCH"].contains(self.method)
        case .bytes, .stream: true
        }
    }

    var isReplayable: Bool { if case .stream = self.body { false } else { true } }

    /// - Throws: `invalidRequest`.
    func validate() throws(HTTPClientFault) {
        guard !self.method.isEmpty, self.method.utf8.allSatisfy(\.isTokenCharacter) else {
            throw .invalidRequest("no method: \(self.method)")
        }
        guard self.url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalidRequest("a URL is made of visible ASCII characters")
        }
        guard ["http", "https"].contains(self.url.prefix { $0 != ":" }.lowercased()) else {
            throw .invalidRequest("a URL begins with http: or https:")
        }
        guard self.redirectLimit == 0 || self.method == "GET" || self.method == "HEAD" else {
            throw .invalidRequest("a \(self.method) follows no redirection")
        }
        for (name, value) in self.headers.fields {
            let isSound = value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
            guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenCharacter), isSound else {
                throw .invalidRequest("no header: \(name)")
            }
        }
    }
}
