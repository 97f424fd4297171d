// Fuzzes HeadParser: the outcome does not depend on how the bytes arrive, and every accepted head is one that the
// grammar of RFC 9112 allows, checked line by line in the simplest way.

func check(_ input: [UInt8]) {
    let whole = outcome(of: input, pieces: input.count)
    for pieces in [1, 2, 3, 7, 64] {
        let other = outcome(of: input, pieces: pieces)
        expect(other == whole, "\(whole) at once, \(other) in pieces of \(pieces)")
    }
    guard case .complete(let head) = whole else { return }
    checkGrammar(Array(input[..<head.length]), head)
    // What follows a head does not change it.
    expect(
        outcome(of: Array(input[..<head.length]), pieces: head.length) == whole, "the outcome depends on what follows")
}

/// A parsed head as values.
struct HeadCopy: Equatable {
    var method: Method
    var isHTTP11: Bool
    var target: [UInt8]
    var path: [UInt8]
    var framing: Framing
    var keepsAlive: Bool
    var expectsContinue: Bool
    var length: Int
    var fields: [FieldCopy]
}

struct FieldCopy: Equatable {
    var name: [UInt8]
    var value: [UInt8]
    var known: FieldName
}

enum Outcome: Equatable {
    case needsMore
    case complete(HeadCopy)
    case rejected(Rejection)
}

/// - Parameter pieces: how many more bytes the parser is shown each time.
func outcome(of input: [UInt8], pieces: Int) -> Outcome {
    var parser = HeadParser()
    var shown = 0
    while shown < input.count {
        shown = min(input.count, shown + pieces)
        // A copy without what follows, so that the sanitizer sees a read of it.
        let bytes = Array(input[..<shown])
        switch parser.advance(bytes.span) {
        case .needsMore: continue
        case .rejected(let rejection): return .rejected(rejection)
        case .complete: return .complete(copy(parser.head, bytes))
        }
    }
    return .needsMore
}

func copy(_ head: borrowing Head, _ bytes: [UInt8]) -> HeadCopy {
    let fields = (0..<head.fieldCount).map { index in
        let field = head.field(at: index)
        return FieldCopy(
            name: Array(bytes[field.name.range]), value: Array(bytes[field.value.range]), known: field.known)
    }
    return HeadCopy(
        method: head.method, isHTTP11: head.isHTTP11, target: Array(bytes[head.target.range]),
        path: Array(bytes[head.path.range]), framing: head.framing, keepsAlive: head.keepsAlive,
        expectsContinue: head.expectsContinue, length: head.length, fields: fields)
}

// MARK: - The grammar

let tokenBytes = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

func checkGrammar(_ bytes: [UInt8], _ head: HeadCopy) {
    var lines = splitLines(bytes)
    if lines.first == [] { lines.removeFirst() }
    expect(lines.count >= 3 && lines.suffix(2) == [[], []], "the head does not end with one empty line")
    lines.removeLast(2)
    let request = lines.removeFirst().split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
    expect(
        request == [
            Array(head.method.rawValue.utf8), head.target, Array((head.isHTTP11 ? "HTTP/1.1" : "HTTP/1.0").utf8),
        ], "request line")
    expect(!head.target.isEmpty && head.target.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x23 }, "target")
    expect(head.path.first == 0x2F || head.path == [0x2A] && head.method == .options, "path")
    var fields: [(name: String, value: [UInt8])] = []
    for line in lines {
        guard let colon = line.firstIndex(of: 0x3A) else {
            expect(false, "a field without a colon")
            return
        }
        expect(colon > 0 && line[..<colon].allSatisfy(tokenBytes.contains), "field name")
        expect(line[colon...].allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }, "field value")
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let value = line[(colon + 1)...].drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        let name = String(decoding: line[..<colon], as: UTF8.self)
        fields.append((name: name.lowercased(), value: Array(value)))
    }
    expect(fields.count == head.fields.count, "number of fields")
    for (mine, field) in zip(fields, head.fields) {
        expect(mine.name == String(decoding: field.name, as: UTF8.self).lowercased(), "name of a field")
        expect(mine.value == field.value, "value of a field")
        expect(field.known == (FieldName.allCases.first { $0.spelling == mine.name } ?? .other), "known name")
    }
    checkFraming(fields, head)
}

/// Lines without their ends. A CR or LF on its own is an error.
func splitLines(_ bytes: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = [[]]
    var index = 0
    while index < bytes.count {
        if bytes[index] == 0x0D {
            expect(index + 1 < bytes.count && bytes[index + 1] == 0x0A, "a bare CR")
            lines.append([])
            index += 2
        } else {
            expect(bytes[index] != 0x0A, "a bare LF")
            lines[lines.count - 1].append(bytes[index])
            index += 1
        }
    }
    return lines
}

func checkFraming(_ fields: [(name: String, value: [UInt8])], _ head: HeadCopy) {
    func values(_ name: String) -> [String] {
        fields.filter { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }
    let hosts = values("host")
    let lengths = values("content-length")
    let codings = values("transfer-encoding")
    expect(hosts.count == 1 || hosts.isEmpty && !head.isHTTP11, "number of Host fields")
    expect(hosts.allSatisfy { !$0.isEmpty }, "an empty Host")
    expect(lengths.count <= 1 && codings.count <= 1 && lengths.count + codings.count <= 1, "framing fields")
    switch head.framing {
    case .none: expect(codings.isEmpty && lengths.allSatisfy { Int($0) == 0 }, "a body was not seen")
    case .length(let count): expect(lengths.first.flatMap { Int($0) } == count && count > 0, "length")
    case .chunked: expect(codings.first?.lowercased() == "chunked" && head.isHTTP11, "coding")
    }
    expect(lengths.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }, "a length that is not digits only")
    let options = values("connection").flatMap { $0.lowercased().split(separator: ",") }
        .map { $0.trimmingBlanks }
    let keepsAlive = options.contains("close") ? false : head.isHTTP11 || options.contains("keep-alive")
    expect(head.keepsAlive == keepsAlive, "keep-alive")
}

extension Substring {
    var trimmingBlanks: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(String(self.drop(while: isBlank).reversed().drop(while: isBlank).reversed()))
    }
}
