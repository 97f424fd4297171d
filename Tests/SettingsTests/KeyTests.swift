// Every key: its default, what it takes and refuses, in each of the three spellings.

import Domain
import Settings
import Testing

@Suite struct KeyTests {
    @Test func `the catalogue has the keys of the table, and no others`() {
        #expect(Catalogue.all.map(\.name).sorted() == KeyCase.all.map(\.key).sorted())
    }

    @Test(arguments: KeyCase.all) func `a default holds where nothing is given`(key: KeyCase) throws {
        let row = try #require(try read().json.elements?.first { $0["key"] == .string(key.key) })
        #expect(row["source"] == "default")
        #expect(Self.shown(row["value"]) == key.defaultText)
    }

    @Test(arguments: KeyCase.all) func `a good value is taken from each source`(key: KeyCase) throws {
        for value in key.good {
            #expect(refusal(environment: [key.variable: value]) == nil)
            #expect(refusal(nil, [key.flag, value]) == nil)
            #expect(refusal(nil, ["\(key.flag)=\(value)"]) == nil)
            #expect(refusal("\(key.key): \(Self.yaml(value))") == nil)
            #expect(refusal(Self.nested(key.key, Self.yaml(value))) == nil)
            try withFile(value + "\n", named: "value") { path in
                #expect(refusal(environment: ["\(key.variable)_FILE": path]) == nil)
            }
        }
    }

    @Test(arguments: KeyCase.all) func `a bad value names key, source and what is allowed`(key: KeyCase) throws {
        let allowed = try #require(Catalogue.all.first { $0.name == key.key }).allowed
        for value in key.bad {
            let line = try #require(refusal(environment: [key.variable: value]), "'\(value)' was taken")
            #expect(line.hasPrefix("\(key.key) (\(key.variable)): "))
            let flagLine = try #require(refusal(nil, ["\(key.flag)=\(value)"]))
            #expect(flagLine.hasPrefix("\(key.key) (\(key.flag)): "))
            let fileLine = try #require(refusal("\n\(key.key): \(Self.yaml(value))"))
            #expect(fileLine.hasPrefix("\(key.key) (settings.yaml:2): "))
            for line in [line, flagLine, fileLine] where key.key.hasSuffix("StalenessSeconds") == false {
                #expect(line.hasSuffix("; allowed: \(allowed)"))
                #expect(!line.contains("\n"))
            }
        }
    }

    @Test(arguments: KeyCase.all) func `a list or a mapping is no value`(key: KeyCase) throws {
        let line = try #require(refusal("\(key.key): {x: 1}"))
        #expect(line.hasPrefix("\(key.key) (settings.yaml:1): has keys below it; allowed: "))
        if !["trustedProxies", "roles", "policy.rules"].contains(key.key) {
            #expect(refusal("\(key.key): [a]")?.hasPrefix("\(key.key) (settings.yaml:1): is a list; allowed: ") == true)
        }
        #expect(refusal("\(key.key):")?.hasPrefix("\(key.key) (settings.yaml:1): has no value; allowed: ") == true)
    }

    private static func shown(_ value: JSON?) -> String {
        switch value {
        case .string(let text): text
        case .array(let elements): elements.isEmpty ? "none" : elements.compactMap(\.text).joined(separator: ",")
        case .null, nil: "none"
        case let other?: other.description
        }
    }

    /// A value as YAML: what could be read otherwise in double quotes, numbers and booleans plain.
    private static func yaml(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
        guard !isPlain, Double(value) == nil else { return value }
        return JSON.string(value).description
    }

    private static func nested(_ key: String, _ value: String) -> String {
        let parts = key.split(separator: ".")
        let lines = parts.enumerated().map { String(repeating: "  ", count: $0.offset) + $0.element + ":" }
        return lines.joined(separator: "\n") + " " + value
    }
}
