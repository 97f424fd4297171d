// Names, coordinates and tags as callers write them. Rules: HTTP contract, 1.4, 3.5; section 9, row 26.

import Domain
import Testing

@Suite struct PackageFormatTests {
    private static let names: [(type: String, namespace: String?, name: String, expected: [String?])] = [
        ("NPM", "@Acme", "Left-Pad", ["npm", "@acme", "left-pad"]),
        ("nuget", nil, "Acme.Web", ["nuget", nil, "acme.web"]),
        ("maven", "org.Acme", "Web", ["maven", "org.Acme", "Web"]),
        ("pypi", nil, "Acme__Web.-x", ["pypi", nil, "acme-web-x"]),
        ("generic", nil, "a/B.txt", ["generic", nil, "a/B.txt"]), ("RAW", " ", "X", ["raw", nil, "x"]),
    ]

    @Test(arguments: Self.names)
    func `a format normalizes names and keeps the publisher's spelling`(
        test: (type: String, namespace: String?, name: String, expected: [String?])
    ) throws {
        let package = try PackageFormats.standard.package(
            type: " \(test.type) ", namespace: test.namespace, name: "\t\(test.name) ")
        #expect([package.type, package.namespace, package.name] == test.expected)
        #expect(package.displayName == test.name)
    }

    @Test func `blank, overlong and unprintable names are refused`() {
        let formats = PackageFormats.standard
        let long = String(repeating: "x", count: 256)
        let bad = [
            (" ", "n", "1"), ("t", " ", "1"), ("t", "n", ""), ("t", "n\u{0}", "1"), ("t", "n", "1\n2"),
            ("t", "n", long),
            (String(repeating: "t", count: 65), "n", "1"),
        ]
        for (type, name, version) in bad {
            #expect(throws: Refusal.self) {
                try formats.coordinate(type: type, namespace: nil, name: name, version: version)
            }
        }
    }

    @Test func `files may be added to what is published only where the format says so`() {
        let additive = ["nuget", "npm", "maven", "pypi", "oci", "cargo", "swift", "generic", "other"].filter {
            PackageFormats.standard[$0].sealing == .additive
        }
        #expect(additive == ["maven", "pypi"])
    }

    @Test func `a tag has no blanks, slashes and control characters`() throws {
        #expect(try TagName(parsing: " v1.2_RC-3 ").text == "v1.2_RC-3")
        for bad in ["", " ", "a b", "a/b", "a\u{7F}", String(repeating: "x", count: 129)] {
            #expect(throws: Refusal.self) { try TagName(parsing: bad) }
        }
    }
}

@Suite struct StorableDocumentTests {
    @Test func `what a database can't keep is found, however deep`() throws {
        let bad = [#"{"a":["\u0000"]}"#, #"{"a\u0000":1}"#, #"[1e400000]"#, "[1e-400000]", "1e99999999999999999999"]
        for text in bad { #expect(try JSON(parsing: text).storageProblem != nil, "\(text)") }
        let long = "[\(String(repeating: "9", count: 1001))]"
        #expect(try JSON(parsing: long).storageProblem != nil)
        let good = [#"{"a":["\u0001",1e300,-1.5E+10,1E-5]}"#, "null"]
        for text in good { #expect(try JSON(parsing: text).storageProblem == nil, "\(text)") }
    }
}
