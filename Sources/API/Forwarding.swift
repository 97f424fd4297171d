// Where a request comes from and what we are called by its client, seen through the proxies that are trusted to say so.
// Rules: HTTP contract, section 5 (`publicUrl`, `trustedProxies`).

package import Domain
package import HTTP

package struct Forwarding: Sendable {
    private let publicURL: String?
    private let isTrusted: (@Sendable (String) -> Bool)?
    /// What we are called where a client does not say.
    private let fallback: String

    /// - Parameters:
    ///   - publicURL: stands before all that a request says; without a `/` at its end.
    ///   - isTrusted: whether a numeric address is a trusted proxy's; nil where there is none.
    ///   - fallback: host and port.
    package init(publicURL: String?, isTrusted: (@Sendable (String) -> Bool)?, fallback: String) {
        self.publicURL = publicURL
        self.isTrusted = isTrusted
        self.fallback = fallback
    }

    /// The request as it was before its proxies: address, scheme and host.
    func original(_ request: Request) -> Request {
        guard let isTrusted, isTrusted(request.remoteAddress) else { return request }
        var headers = request.headers
        if let host = Self.last("x-forwarded-host", request.headers), Self.isHost(host) { headers.set("Host", host) }
        let scheme = Self.last("x-forwarded-proto", request.headers)?.lowercased()
        return Request(
            method: request.method, target: request.target, headers: headers,
            remoteAddress: Self.client(of: request, isTrusted),
            isSecure: scheme.map { $0 == "https" } ?? request.isSecure, body: request.body)
    }

    /// What we are called by the client of a request, as it came.
    func origin(of received: Request) -> Origin {
        var prefix = ""
        if let isTrusted, isTrusted(received.remoteAddress),
            let given = Self.last("x-forwarded-prefix", received.headers), Self.isPrefix(given)
        {
            prefix = given.endsWithBytes(of: "/") ? String(Substring(given.utf8.dropLast())) : given
        }
        return Origin(publicURL: self.publicURL, fallback: self.fallback, forwardedPrefix: prefix)
    }

    /// The nearest address that is no trusted proxy's: what stands before it anybody may have written.
    private static func client(of request: Request, _ isTrusted: (String) -> Bool) -> String {
        var client = request.remoteAddress
        let listed = request.headers.all("x-forwarded-for").flatMap { $0.parts(at: ",", keepsEmpty: false) }
        for entry in listed.reversed() {
            guard let address = self.address(entry.trimmed) else { break }
            client = address
            if !isTrusted(address) { break }
        }
        return client
    }

    /// Without port and brackets; nil for what is no numeric address.
    private static func address(_ entry: String) -> String? {
        var text = entry[...]
        if text.startsWithBytes(of: "["), let end = text.first("]") {
            text = text[text.utf8.index(after: text.startIndex)..<end]
        } else if let colon = text.first(":"), colon == text.last(":") {
            text = text[..<colon]
        }
        let isAllowed = text.utf8.allSatisfy { $0.hexDigitValue != nil || $0 == 0x2E || $0 == 0x3A }
        return isAllowed && (2...45).contains(text.utf8.count) ? String(text) : nil
    }

    /// The last value of a list: the nearest proxy's.
    private static func last(_ name: String, _ headers: Headers) -> String? {
        headers.all(name).last?.parts(at: ",", keepsEmpty: false).last?.trimmedOrNil
    }

    /// Host and perhaps port: nothing that could become another part of a URL.
    fileprivate static func isHost(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F: true
                default: false
                }
            }
    }

    private static func isPrefix(_ text: String) -> Bool {
        text.startsWithBytes(of: "/") && !text.contains("//") && text.utf8.count <= 255
            && !text.parts(at: "/").contains { $0 == "." || $0 == ".." }
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x2D...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A, 0x7E: true
                default: false
                }
            }
    }
}

/// What URLs of this server begin with, as one client reaches it. Few answers need it, so it is put together when it is
/// asked for.
struct Origin: Sendable {
    let publicURL: String?
    let fallback: String
    /// The part of the path that the proxies removed.
    let forwardedPrefix: String

    /// The path of the root, without a `/` at its end: empty unless the server is published below a path.
    var prefix: String {
        guard let publicURL else { return self.forwardedPrefix }
        guard let authority = publicURL.utf8.firstRange(of: "://".utf8)?.upperBound,
            let path = publicURL.utf8[authority...].firstIndex(of: UInt8(ascii: "/"))
        else { return "" }
        return Self.withoutSlash(String(publicURL[path...]))
    }

    /// The absolute URL of the root, without a `/` at its end.
    ///
    /// - Parameter request: as ``Forwarding/original(_:)`` gives it.
    func url(for request: Request) -> String {
        if let publicURL { return Self.withoutSlash(publicURL) }
        let host = request.headers["host"]?.trimmed ?? ""
        let name = Forwarding.isHost(host) ? host : self.fallback
        return "\(request.isSecure ? "https" : "http")://\(name)\(self.forwardedPrefix)"
    }

    private static func withoutSlash(_ text: String) -> String {
        text.utf8.last == UInt8(ascii: "/") ? String(text.dropLast()) : text
    }
}

extension Call {
    /// The absolute URL of the root, without a `/` at its end, as this client reaches it.
    package var baseURL: String { self.origin.url(for: self.request) }

    /// Where something is, as a path that this client can use: with the prefix that the server is published below. Every
    /// `Location` and `Link` is made of this.
    package func path(to place: URLPath) -> String { self.origin.prefix + place.text }

    /// 201, and where the new thing is.
    package func created(at place: URLPath, _ document: JSON) -> Response {
        var response = Response.json(201, document)
        response.headers.set("Location", self.path(to: place))
        return response
    }

    /// A redirect to another path of this server.
    package func redirect(_ status: Int, to place: URLPath) -> Response {
        Response(status, headers: ["Location": self.path(to: place), "Cache-Control": "no-cache"])
    }

    /// `Link` to the next page.
    package func setNext(_ place: URLPath, of response: inout Response) {
        response.headers.set("Link", "<\(self.path(to: place))>; rel=\"next\"")
    }
}
