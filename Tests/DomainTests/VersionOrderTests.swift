// Sort keys: the order of their bytes is the order of versions that each format's own rules give.

import Domain
import Testing

/// Numbers from a seed.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var word = self.state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(self.next() % UInt64(elements.count))]
    }
}

@Suite struct VersionOrderTests {
    // MARK: - What the formats' documents say

    /// In rising order; those in one list are equal.
    private static let semantic: [[String]] = [
        ["0.0.0-0"], ["0.0.0-alpha"], ["0.0.0"], ["0.0.9"], ["0.0.10"], ["0.1.0"], ["1.0.0-0.3.7"], ["1.0.0-1"],
        ["1.0.0-2"], ["1.0.0-11"], ["1.0.0--"], ["1.0.0-A"], ["1.0.0-alpha", "1.0.0-alpha+build"], ["1.0.0-alpha.1"],
        ["1.0.0-alpha.1.0"], ["1.0.0-alpha.beta"], ["1.0.0-beta"], ["1.0.0-beta.2"], ["1.0.0-beta.11"],
        ["1.0.0-rc.1"], ["1.0.0", "1.0.0+1", "v1.0.0"], ["1.0.1"], ["1.10.0"], ["2.0.0"], ["10.0.0"],
        ["99999999999999999999999.0.0"], ["100000000000000000000000.0.0"],
    ]

    private static let nuget: [[String]] = [
        ["1.0-a"], ["1.0.0-alpha", "1.0-ALPHA", "1.0.0.0-Alpha+x"], ["1.0.0-alpha.2"], ["1.0.0-alpha.10"],
        ["1.0.0-beta"], ["1", "1.0", "1.0.0", "1.0.0.0", "01.00"], ["1.0.0.1"], ["1.0.1"], ["1.1"],
    ]

    private static let python: [[String]] = [
        ["1.0.dev0", "1.0-dev", "1.DEV"], ["1.0.dev456"], ["1.0a1.dev1"],
        ["1.0a1", "1.0alpha1", "1.0-ALPHA.1", "1.0.a.1"],
        ["1.0a2.dev456"], ["1.0a12.dev456"], ["1.0a12"], ["1.0b1.dev456"], ["1.0b2"], ["1.0b2.post345.dev456"],
        ["1.0b2.post345", "1.0b2-345"], ["1.0rc1.dev456"], ["1.0rc1", "1.0c1", "1.0pre1", "1.0-preview_1"],
        ["1.0", "1", "1.0.0", "v1.0", "0!1"], ["1.0+abc.5"], ["1.0+abc.7", "1.0+ABC-7"], ["1.0+5"], ["1.0+5.1"],
        ["1.0.post456.dev34"], ["1.0.post456", "1.0-456", "1.0.rev456", "1.0r456"], ["1.0.15"], ["1.1.dev1"], ["1.1"],
        ["2012.10"], ["1!0.1"],
    ]

    private static let maven: [[String]] = [
        ["1-alpha", "1.0-alpha", "1.alpha"], ["1-alpha1", "1-a1", "1.0.0-alpha-1"], ["1-alpha2"], ["1-alpha10"],
        ["1-beta", "1.0.BETA"], ["1-beta-1", "1-b1"], ["1-milestone1", "1-m1"], ["1-rc1", "1-cr1", "1.0-RC-1"],
        ["1-SNAPSHOT"], ["1", "1.0", "1.0.0", "1-ga", "1.Final", "1-release", "1.0-0"], ["1-sp"], ["1-abc"], ["1-b"],
        ["1-foo", "1.foo"], ["1-foo-1"], ["1-foo.1"], ["1-m"], ["1-1"], ["1-2"], ["1.0.1"], ["1.1-SNAPSHOT"], ["1.1"],
        ["1.2"], ["1.10"], ["2-alpha"], ["2"],
    ]

    @Test(arguments: [
        ("npm", Self.semantic), ("cargo", semantic), ("swift", semantic), ("nuget", nuget),
        ("pypi", python), ("maven", maven),
    ])
    func `each format's documented order is the order of the keys`(type: String, versions: [[String]]) {
        let format = PackageFormats.standard[type]
        for (index, equals) in versions.enumerated() {
            let keys = equals.map(format.sortKey)
            for (version, key) in zip(equals, keys) {
                #expect(key == keys[0], "\(version) is \(equals[0])")
                #expect(key.first == 1, "\(version) is read")
            }
            guard index > 0, let below = versions[index - 1].first else { continue }
            #expect(format.sortKey(of: below).lexicographicallyPrecedes(keys[0]), "\(below) < \(equals[0])")
        }
    }

    @Test(arguments: ["npm", "cargo", "swift", "nuget", "pypi", "maven", "generic"])
    func `what is no version comes first, as text`(type: String) {
        let format = PackageFormats.standard[type]
        let (odd, odder) = (format.sortKey(of: "ä"), format.sortKey(of: "äb"))
        #expect(odd.lexicographicallyPrecedes(odder))
        #expect(odder.lexicographicallyPrecedes(format.sortKey(of: "0.0.0")) || type == "generic")
        #expect(odder.lexicographicallyPrecedes(format.sortKey(of: "1")) || ["npm", "cargo", "swift"].contains(type))
    }

    @Test func `revisions of files are in the order of their numbers`() {
        let keys = [1, 2, 9, 10, 99, 100, 1_000_000, Int.max].map(GenericFormat.sortKey(revision:))
        for (below, above) in zip(keys, keys.dropFirst()) { #expect(below.lexicographicallyPrecedes(above)) }
        #expect(GenericFormat().sortKey(of: "10") == GenericFormat.sortKey(revision: 10))
    }

    // MARK: - Keys beside comparators

    @Test(arguments: 0..<40)
    func `semantic versions compare as their keys do`(seed: UInt64) throws {
        var random = SplitMix64(seed)
        func version() -> String {
            let numbers = (0..<3).map { _ in random.pick(["0", "1", "2", "9", "10", "99999999999999999999"]) }
            let labels = ["", "-0", "-1", "-10", "-a", "-A", "-a.1", "-a.b", "-a.b.c", "-1.a", "--", "-a-b", "-0a"]
            return numbers.joined(separator: ".") + random.pick(labels) + random.pick(["", "+x"])
        }
        try Self.compare((0..<60).map { _ in version() }, SemanticVersion.init(_:), \.sortKey)
    }

    @Test(arguments: 0..<40)
    func `NuGet's versions compare as their keys do`(seed: UInt64) throws {
        var random = SplitMix64(seed)
        func version() -> String {
            let numbers = (0...(random.next() % 4)).map { _ in random.pick(["0", "1", "02", "10"]) }
            return numbers.joined(separator: ".")
                + random.pick(["", "-a", "-B", "-b", "-A.1", "-a.01", "-1", "-Beta.2"])
        }
        try Self.compare((0..<60).map { _ in version() }, SemanticVersion.init(nuget:), \.sortKey)
    }

    @Test(arguments: 0..<40)
    func `Python's versions compare as their keys do`(seed: UInt64) throws {
        var random = SplitMix64(seed)
        func version() -> String {
            random.pick(["", "", "1!", "0!"])
                + (0...(random.next() % 3)).map { _ in random.pick(["0", "1", "2", "10"]) }.joined(separator: ".")
                + random.pick(["", "", "a", "a1", "b2", "rc", "rc10", "c1", ".alpha3"])
                + random.pick(["", "", ".post", ".post1", "-2", ".rev10"])
                + random.pick(["", "", ".dev", ".dev2", "dev10"])
                + random.pick(["", "", "+1", "+a", "+a.1", "+1.a", "+a1", "+10"])
        }
        try Self.compare((0..<60).map { _ in version() }, PythonVersion.init(_:), \.sortKey)
    }

    @Test(arguments: 0..<40)
    func `Maven's versions compare as their keys do`(seed: UInt64) throws {
        var random = SplitMix64(seed)
        let words = [
            "alpha", "a", "b", "beta", "m", "milestone", "rc", "cr", "snapshot", "ga", "final", "sp", "foo", "x",
        ]
        func version() -> String {
            var text = random.pick(["0", "1", "2", "10"])
            for _ in 0..<(random.next() % 5) {
                text += random.pick([".", "-", "", "_"])
                text += random.next() % 3 == 0 ? random.pick(words) : random.pick(["0", "1", "2", "10", "00"])
            }
            return text
        }
        try Self.compare((0..<60).map { _ in version() }, MavenVersion.init(_:), \.sortKey)
    }

    private static func compare<Version: Comparable>(
        _ texts: [String], _ read: (String) -> Version?, _ key: (Version) -> [UInt8]
    ) throws {
        for one in texts {
            for other in texts {
                let (left, right) = (try #require(read(one), "\(one)"), try #require(read(other), "\(other)"))
                let (isBelow, isAbove) = (left < right, right < left)
                let (low, high) = (key(left), key(right))
                #expect(low.lexicographicallyPrecedes(high) == isBelow, "\(one) < \(other)")
                #expect((low == high) == (!isBelow && !isAbove), "\(one) = \(other)")
            }
        }
    }
}
