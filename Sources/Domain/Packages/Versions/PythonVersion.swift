// Python's versions. Rules: packaging.python.org, "Version specifiers" (PEP 440), "Summary of permitted suffixes and
// relative ordering"; the spellings that it normalizes are read too.

package struct PythonVersion: Hashable, Comparable, Sendable {
    package enum Phase: Hashable, Comparable, Sendable { case alpha, beta, candidate }

    package struct Prerelease: Hashable, Sendable {
        package let phase: Phase
        package let number: Decimal
    }

    package enum LocalSegment: Hashable, Comparable, Sendable {
        // In this order: words come before numbers.
        case word(String)
        case number(Decimal)
    }

    package let epoch: Decimal
    /// Without zeros at its end.
    package let release: [Decimal]
    package let prerelease: Prerelease?
    package let post: Decimal?
    package let development: Decimal?
    package let local: [LocalSegment]

    package init?(_ text: String) {
        guard text.utf8.count <= 255, text.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) else { return nil }
        var reader = PythonVersionReader(text: Array(text.lowercased().utf8))
        guard let version = reader.version() else { return nil }
        self = version
    }

    init(
        epoch: Decimal, release: [Decimal], prerelease: Prerelease?, post: Decimal?, development: Decimal?,
        local: [LocalSegment]
    ) {
        self.epoch = epoch
        self.prerelease = prerelease
        self.post = post
        self.development = development
        self.local = local
        self.release = Array(release.reversed().drop { $0.isZero }.reversed())
    }

    /// Where the version stands by its pre-release part: a bare development release comes before every pre-release, and
    /// what has none comes after them.
    private var stage: (Int, Decimal) {
        guard let prerelease = self.prerelease else {
            return (self.post == nil && self.development != nil ? 0 : 4, .zero)
        }
        switch prerelease.phase {
        case .alpha: return (1, prerelease.number)
        case .beta: return (2, prerelease.number)
        case .candidate: return (3, prerelease.number)
        }
    }

    package static func < (left: Self, right: Self) -> Bool {
        if left.epoch != right.epoch { return left.epoch < right.epoch }
        if left.release != right.release { return left.release.lexicographicallyPrecedes(right.release) }
        if left.stage != right.stage { return left.stage < right.stage }
        if left.post != right.post {
            guard let post = left.post, let other = right.post else { return left.post == nil }
            return post < other
        }
        if left.development != right.development {
            guard let number = left.development, let other = right.development else { return left.development != nil }
            return number < other
        }
        return left.local.lexicographicallyPrecedes(right.local)
    }

    package var sortKey: [UInt8] {
        var key = SortKey.readable
        key.append(self.epoch)
        for number in self.release {
            key.append(mark: 1)
            key.append(number)
        }
        key.append(mark: 0)
        key.append(mark: UInt8(self.stage.0))
        key.append(self.stage.1)
        key.append(mark: self.post == nil ? 0 : 1)
        key.append(self.post ?? .zero)
        key.append(mark: self.development == nil ? 1 : 0)
        key.append(self.development ?? .zero)
        for segment in self.local {
            switch segment {
            case .word(let word):
                key.append(mark: 1)
                key.append(word)
            case .number(let number):
                key.append(mark: 2)
                key.append(number)
            }
        }
        key.append(mark: 0)
        return key.bytes
    }
}

/// Reads `[v][N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]`, lower-cased.
private struct PythonVersionReader {
    let text: [UInt8]
    private var index = 0

    init(text: [UInt8]) { self.text = text }

    mutating func version() -> PythonVersion? {
        _ = self.take("v")
        guard var first = self.number() else { return nil }
        var epoch = Decimal.zero
        if self.take("!") {
            epoch = first
            guard let number = self.number() else { return nil }
            first = number
        }
        var release = [first]
        while let number = self.after(["."], { $0.number() }) { release.append(number) }
        let prerelease = self.prerelease()
        let post = self.post()
        let development = self.suffix(["dev"])
        guard let local = self.local(), self.index == self.text.count else { return nil }
        return PythonVersion(
            epoch: epoch, release: release, prerelease: prerelease, post: post, development: development, local: local)
    }

    private mutating func prerelease() -> PythonVersion.Prerelease? {
        let phases: [(PythonVersion.Phase, [String])] = [
            (.alpha, ["alpha", "a"]), (.beta, ["beta", "b"]), (.candidate, ["rc", "c", "preview", "pre"]),
        ]
        for (phase, words) in phases {
            if let number = self.suffix(words) { return .init(phase: phase, number: number) }
        }
        return nil
    }

    private mutating func post() -> Decimal? {
        if let number = self.suffix(["post", "rev", "r"]) { return number }
        return self.after(["-"]) { $0.number() }
    }

    /// `[.-_]?WORD[.-_]?N?`; no number means 0.
    private mutating func suffix(_ words: [String]) -> Decimal? {
        let start = self.index
        _ = self.separator()
        for word in words where self.take(word) {
            let afterWord = self.index
            _ = self.separator()
            if let number = self.number() { return number }
            self.index = afterWord
            return .zero
        }
        self.index = start
        return nil
    }

    /// Empty where there is none; nil where it is malformed.
    private mutating func local() -> [PythonVersion.LocalSegment]? {
        guard self.take("+") else { return [] }
        var segments: [PythonVersion.LocalSegment] = []
        repeat {
            let start = self.index
            while self.index < self.text.count, Self.isAlphanumeric(self.text[self.index]) { self.index += 1 }
            guard self.index > start else { return nil }
            let text = String(decoding: self.text[start..<self.index], as: UTF8.self)
            segments.append(Decimal(text).map(PythonVersion.LocalSegment.number) ?? .word(text))
        } while self.separator()
        return segments
    }

    private mutating func separator() -> Bool { self.take(".") || self.take("-") || self.take("_") }

    private mutating func after<Value>(_ marks: [String], _ read: (inout Self) -> Value?) -> Value? {
        let start = self.index
        for mark in marks where self.take(mark) {
            if let value = read(&self) { return value }
            self.index = start
        }
        return nil
    }

    private mutating func take(_ word: String) -> Bool {
        guard self.text[self.index...].starts(with: word.utf8) else { return false }
        self.index += word.utf8.count
        return true
    }

    private mutating func number() -> Decimal? {
        let start = self.index
        while self.index < self.text.count, (0x30...0x39).contains(self.text[self.index]) { self.index += 1 }
        return Decimal(String(decoding: self.text[start..<self.index], as: UTF8.self))
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
