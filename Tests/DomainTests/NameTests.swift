// Names are their bytes: not characters, and not what Unicode calls canonically equivalent.

import Domain
import Testing

/// A small generator whose numbers follow from its seed (SplitMix64).
private struct Numbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var word = self.state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// Text of scalars that normalization, grapheme breaking or case mapping treats specially.
    mutating func text() -> String {
        let scalars: [Unicode.Scalar] = [
            "a", "K", "\u{212A}", ";", "\u{37E}", "/", "\u{301}", "\u{323}", "\u{E9}", "e", "\u{600}", "\u{200D}",
            "\u{1100}", "\u{1161}", "\u{AC00}", "\u{1F600}", "\u{FFFD}", "z", ".",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...12, using: &self) { text.append(scalars.randomElement(using: &self) ?? "a") }
        return String(text)
    }
}

@Suite struct NameTests {
    /// Pairs that Swift's `String` takes for the same text.
    static let lookalikes = [
        ("Kit.tgz", "\u{212A}it.tgz"), ("\u{E9}", "e\u{301}"), ("a;b", "a\u{37E}b"), ("`", "\u{1FEF}"),
        ("\u{C5}", "\u{212B}"), ("a\u{323}\u{301}", "a\u{301}\u{323}"), ("\u{AC00}", "\u{1100}\u{1161}"),
    ]

    @Test(arguments: lookalikes)
    func `texts that are equal in Swift are different names`(one: String, other: String) throws {
        #expect(one == other, "the premise")
        #expect(Name(one) != Name(other))
        #expect(Set([Name(one), Name(other)]).count == 2)
        #expect([Name(one): 1, Name(other): 2][Name(one)] == 1)
        #expect((Name(one) < Name(other)) != (Name(other) < Name(one)))
    }

    @Test(arguments: lookalikes)
    func `every type that names something keeps them apart`(one: String, other: String) throws {
        #expect(PackageName(type: "npm", name: one) != PackageName(type: "npm", name: other))
        #expect(PackageName(type: one, name: "n") != PackageName(type: other, name: "n"))
        #expect(
            PackageName(type: "npm", namespace: one, name: "n") != PackageName(type: "npm", namespace: other, name: "n")
        )
        let package = PackageName(type: "npm", name: "n")
        #expect(Coordinate(package, version: one, sortKey: []) != Coordinate(package, version: other, sortKey: []))
        #expect(try RelativePath(parsing: one) != RelativePath(parsing: other))
        #expect(try TagName(parsing: one) != TagName(parsing: other))
        #expect(JSON.string(one) != JSON.string(other))
        #expect(JSON.Member(one, 1) != JSON.Member(other, 1))
        #expect(try Set([RelativePath(parsing: one), RelativePath(parsing: other)]).count == 2)
    }

    @Test func `a subject is not folded into another one`() throws {
        #expect(try Subject(parsing: "bac\u{212A}up") != Subject(parsing: "backup"))
        #expect(try Subject(parsing: "Ren\u{C9}") == Subject(parsing: "ren\u{E9}"))
        #expect(throws: Refusal.self) { try RepoKey(parsing: "\u{212A}it") }
        #expect(throws: Refusal.self) { try Scope(parsing: "repo:to\u{212A}en:read") }
    }

    @Test(arguments: UInt64(1)...500)
    func `names are ordered, and equal, as their bytes are`(seed: UInt64) {
        var numbers = Numbers(seed: seed)
        let (one, other) = (numbers.text(), numbers.text())
        let (left, right) = (Array(one.utf8), Array(other.utf8))
        #expect((Name(one) < Name(other)) == left.lexicographicallyPrecedes(right))
        #expect((Name(one) == Name(other)) == (left == right))
        #expect(Name(one).starts(with: other) == left.starts(with: right))
        #expect(Name(one).ends(with: other) == left.reversed().starts(with: right.reversed()))
        let parts = left.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        #expect(Name(one).split(at: "/").map { Array($0.text.utf8) } == parts.map(Array.init))
        if left == right { #expect(Name(one).hashValue == Name(other).hashValue) }
    }

    @Test(arguments: [
        ("d/\u{301}b.txt", ["d", "\u{301}b.txt"]), ("\u{600}/x", ["\u{600}", "x"]),
        ("a/\u{200D}/b", ["a", "\u{200D}", "b"]),
        ("/", ["", ""]),
    ])
    func `a separator separates whatever stands beside it`(text: String, parts: [String]) {
        #expect(Name(text).split(at: "/") == parts.map { Name($0) })
    }

    @Test func `the last segment of a path may begin with a combining mark`() throws {
        #expect(Name(try RelativePath(parsing: "d/\u{301}b.txt").name) == "\u{301}b.txt")
    }

    static let controls: [Unicode.Scalar] = [
        "\u{1}", "\n", "\u{1F}", "\u{7F}", "\u{80}", "\u{85}", "\u{9F}", "\u{202A}", "\u{202E}", "\u{2066}", "\u{2069}",
    ]

    @Test(arguments: controls)
    func `control characters stand in no new name`(control: Unicode.Scalar) {
        let text = "a\(control)b"
        #expect(throws: Refusal.self) { try RelativePath(parsing: text) }
        #expect(throws: Refusal.self) { try TagName(parsing: text) }
        #expect(throws: Refusal.self) { try Subject(parsing: text) }
        #expect(throws: Refusal.self) { try RepoKey(parsing: text) }
        let formats = PackageFormats.standard
        #expect(throws: Refusal.self) { try formats.package(type: "npm", namespace: nil, name: text) }
        #expect(throws: Refusal.self) { try formats.package(type: "npm", namespace: text, name: "n") }
        #expect(throws: Refusal.self) { try formats.package(type: text, namespace: nil, name: "n") }
        #expect(throws: Refusal.self) { try formats.coordinate(type: "npm", namespace: nil, name: "n", version: text) }
    }

    @Test func `neighbors of the control characters are allowed`() throws {
        for scalar: Unicode.Scalar in ["\u{A0}", "\u{2029}", "\u{202F}", "\u{2065}", "\u{206A}"] {
            #expect(try RelativePath(parsing: "a\(scalar)b").text.unicodeScalars.count == 3)
        }
    }

    @Test func `a document keeps members that look alike`() throws {
        let document = try JSON(parsing: #"{"é": 1, "e\u0301": 2, "K": 3, "\u212a": 4}"#)
        #expect(document.canonical.members?.count == 4)
        #expect(document["\u{E9}"] == 1 && document["e\u{301}"] == 2 && document["K"] == 3 && document["\u{212A}"] == 4)
        #expect(document.canonical.members?.map(\.value) == [3, 2, 1, 4], "in the order of their names' bytes")
    }
}
