// Paths of this server in answers, with every value percent-encoded. Rules: RFC 3986, 3.3 and 3.4.

import Domain

/// A path below the server's root, perhaps with a query: `"/v1/repos/\(key)/uploads/\(id)"`. Literal text stands as it is;
/// a value is encoded as one segment.
package struct URLPath: Hashable, Sendable, ExpressibleByStringInterpolation {
    package let text: String

    package init(stringLiteral text: String) { self.text = text }

    package init(stringInterpolation built: StringInterpolation) { self.text = built.text }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { self.text.reserveCapacity(literalCapacity + 64) }

        package mutating func appendLiteral(_ literal: String) { self.text += literal }

        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            self.text += Target.encode(segment: value.description)
        }

        /// Several segments: the value's `/` stay.
        package mutating func appendInterpolation(path value: String) {
            self.text += value.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
                .map { Target.encode(segment: Substring($0)) }.joined(separator: "/")
        }

        /// `?name=value&…`; nothing if there is no parameter.
        package mutating func appendInterpolation(query parameters: [(name: String, value: String)]) {
            guard !parameters.isEmpty else { return }
            let pairs = parameters.map { "\($0.name)=\(Target.encode(component: $0.value))" }
            self.text += "?" + pairs.joined(separator: "&")
        }

        /// A query as it was received, or changed without decoding it.
        package mutating func appendInterpolation(encodedQuery query: String) { self.text += "?" + query }

        /// What another path says.
        package mutating func appendInterpolation(_ path: URLPath) { self.text += path.text }
    }
}
