// A YAML document as a tree, as far as we need it: no anchors, aliases or tags, so nothing in it can grow; keys are
// scalars and stand once; depth and size are bounded.

import Domain

/// What is wrong with a text: `PATH:LINE: …`.
package struct YAMLFault: Error, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

package enum YAMLDocument {
    package indirect enum Content {
        /// `isPlain`: without quotes, and no block.
        case scalar(String, isPlain: Bool)
        case sequence([Node])
        case mapping([Member])
    }

    package struct Node {
        package let content: Content
        /// From 1.
        package let line: Int

        /// Whether it is YAML's null (YAML 1.2, 10.3.2).
        package var isNull: Bool {
            guard case .scalar(let text, isPlain: true) = self.content else { return false }
            return ["", "~", "null", "Null", "NULL"].contains(text)
        }
    }

    package struct Member {
        package let key: String
        package let value: Node
        package let line: Int
    }

    static let depthLimit = 16
    static let nodeLimit = 10000

    /// The document's root; nil where there is none.
    ///
    package static func parse(_ text: String, path: String) throws(YAMLFault) -> Node? {
        var reader = YAMLReader(text, path: path)
        return try reader.document()
    }
}

/// Builds the tree from the parser's events.
private struct YAMLReader: ~Copyable {
    var events: YAMLEvents
    let path: String
    var nodes = 0

    init(_ text: String, path: String) {
        self.events = YAMLEvents(text, path: path)
        self.path = path
    }

    mutating func document() throws(YAMLFault) -> YAMLDocument.Node? {
        var root: YAMLDocument.Node?
        while true {
            let event = try self.events.next()
            switch event.kind {
            case .streamStart, .documentStart, .documentEnd: continue
            case .streamEnd: return root
            case .scalar, .sequenceStart, .mappingStart, .alias, .end:
                guard root == nil else { throw self.refuse(event, "a second document") }
                root = try self.node(event, depth: 1)
            }
        }
    }

    private mutating func node(_ event: YAMLEvents.Event, depth: Int) throws(YAMLFault) -> YAMLDocument.Node {
        self.nodes += 1
        guard depth <= YAMLDocument.depthLimit else { throw self.refuse(event, "nested too deeply") }
        guard self.nodes <= YAMLDocument.nodeLimit else { throw self.refuse(event, "too many values") }
        guard !event.isDecorated else { throw self.refuse(event, "anchors and tags are not allowed") }
        switch event.kind {
        case .scalar(let text, let isPlain):
            return YAMLDocument.Node(content: .scalar(text, isPlain: isPlain), line: event.line)
        case .sequenceStart:
            var elements: [YAMLDocument.Node] = []
            while true {
                let next = try self.events.next()
                if case .end = next.kind { break }
                elements.append(try self.node(next, depth: depth + 1))
            }
            return YAMLDocument.Node(content: .sequence(elements), line: event.line)
        case .mappingStart:
            return YAMLDocument.Node(content: .mapping(try self.members(depth: depth)), line: event.line)
        case .alias: throw self.refuse(event, "aliases are not allowed")
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .end:
            throw self.refuse(event, "ends too soon")
        }
    }

    private mutating func members(depth: Int) throws(YAMLFault) -> [YAMLDocument.Member] {
        var members: [YAMLDocument.Member] = []
        while true {
            let event = try self.events.next()
            if case .end = event.kind { return members }
            guard case .scalar(let key, _) = event.kind, !event.isDecorated else {
                throw self.refuse(event, "a key must be a word")
            }
            guard !members.contains(where: { $0.key.hasSameBytes(as: key) }) else {
                throw self.refuse(event, "'\(key)' stands twice")
            }
            let value = try self.node(try self.events.next(), depth: depth + 1)
            members.append(YAMLDocument.Member(key: key, value: value, line: event.line))
        }
    }

    private func refuse(_ event: YAMLEvents.Event, _ problem: String) -> YAMLFault {
        YAMLFault("\(self.path):\(event.line): \(problem)")
    }
}
