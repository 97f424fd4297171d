// Finds the route of a request. Rules: HTTP contract, 1.1 and section 9, rows 40: under `/v1` and `/health` literal
// segments match in any letter case and one trailing `/` is tolerated; elsewhere neither.

import Domain

/// A path with places for values: `/v1/repos/{repoKey}`; `{path...}` as the last segment takes the rest.
package struct PathPattern: Hashable, Sendable, CustomStringConvertible {
    package enum Segment: Hashable, Sendable {
        case literal(String)
        case value(String)
        case rest(String)
    }

    package let description: String
    package let segments: [Segment]
    /// Case-free literals and a trailing `/`.
    let isLenient: Bool

    package init(_ text: String) {
        self.description = text
        self.segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(String(part)) }
            let name = part.dropFirst().dropLast()
            return name.hasSuffix("...") ? .rest(String(name.dropLast(3))) : .value(String(name))
        }
        self.isLenient = text.hasPrefix("/v1/") || text.hasPrefix("/health/")
    }

    /// The values in their places, decoded; nil where the path is another one.
    func match(_ path: [String]) -> PathValues? {
        var count = path.count
        if self.isLenient, count > 1, path[count - 1] == "" { count -= 1 }
        var values = PathValues()
        for index in self.segments.indices {
            guard index < count else { return nil }
            let part = path[index]
            switch self.segments[index] {
            case .rest(let name):
                values.append(name, index == count - 1 ? part : path[index..<count].joined(separator: "/"))
                return values
            case .value(let name):
                guard !part.isEmpty else { return nil }
                values.append(name, part)
            case .literal(let literal):
                guard part.hasSameBytes(as: literal) || self.isLenient && part.equalsIgnoringCase(literal) else {
                    return nil
                }
            }
        }
        return count == self.segments.count ? values : nil
    }
}

/// What stands in the places of a pattern, decoded: a few, so that looking through them beats hashing.
package struct PathValues: Sendable {
    private var values: [(name: String, value: String)] = []

    package init() {}

    package func visit<Failure>(
        _ body: (_ name: String, _ value: String) throws(Failure) -> Void
    ) throws(Failure) {
        for (name, value) in self.values { try body(name, value) }
    }

    package subscript(name: String) -> String? { self.values.first { $0.name == name }?.value }

    mutating func append(_ name: String, _ value: String) {
        if self.values.isEmpty { self.values.reserveCapacity(4) }
        self.values.append((name, value))
    }
}

/// Routes by method and pattern. The first that fits wins, so literal ones stand before values.
package struct Router<Handler: Sendable>: Sendable {
    package struct Route: Sendable {
        package let method: String
        package let pattern: PathPattern
        package let handler: Handler

        package init(_ method: String, _ pattern: String, _ handler: Handler) {
            self.method = method
            self.pattern = PathPattern(pattern)
            self.handler = handler
        }
    }

    package enum Match: Sendable {
        case found(Route, values: PathValues)
        case methodNotAllowed(allowed: [String])
        case notFound
    }

    package let routes: [Route]
    /// By the first literal segment, lower-cased, each with `others` behind it: most requests look at few routes.
    private let byFirst: [Name: [Route]]
    private let others: [Route]

    package init(_ routes: [Route]) {
        self.routes = routes
        var byFirst: [Name: [Route]] = [:]
        var others: [Route] = []
        for route in routes {
            if case .literal(let first)? = route.pattern.segments.first {
                byFirst[Name(first.asciiLowercased), default: []].append(route)
            } else {
                others.append(route)
            }
        }
        self.byFirst = byFirst.mapValues { $0 + others }
        self.others = others
    }

    /// The routes whose first segment is this literal, in any letter case.
    package func routes(beginningWith first: String) -> [Route] {
        self.byFirst[Name(first)] ?? self.byFirst[Name(first.asciiLowercased)] ?? []
    }

    /// - Parameter path: decoded segments. HEAD is answered wherever GET is.
    package func match(_ method: String, _ path: [String]) -> Match {
        let wanted = method == "HEAD" ? "GET" : method
        var allowed: [String] = []
        let first = path.first ?? ""
        for route in self.byFirst[Name(first)] ?? self.byFirst[Name(first.asciiLowercased)] ?? self.others {
            guard let values = route.pattern.match(path) else { continue }
            if route.method == wanted || route.method == method { return .found(route, values: values) }
            if !allowed.contains(route.method) { allowed.append(route.method) }
        }
        if allowed.contains("GET") { allowed.append("HEAD") }
        return allowed.isEmpty ? .notFound : .methodNotAllowed(allowed: allowed.sorted())
    }
}
