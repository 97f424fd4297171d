// How much a document from outside may have, and that reading is exact.

import Domain
import Testing

@Suite struct JSONLimitTests {
    @Test func `a document has at most so many values, at every depth`() throws {
        let rows = Array(repeating: "{\"a\":[1]}", count: 10).joined(separator: ",")
        let text = Array("[\(rows)]".utf8)  // 1 + 10 × 3 values
        #expect(try JSON(parsing: text, valueLimit: 31).elements?.count == 10)
        let error = #expect(throws: JSON.SyntaxError.self) { try JSON(parsing: text, valueLimit: 30) }
        #expect(error?.problem == "more than 30 values")
    }

    @Test func `the limit ends the reading, not the document's length`() {
        let text = [UInt8(ascii: "[")] + [UInt8](repeating: UInt8(ascii: "["), count: 10)
        let numbers = Array(("[" + String(repeating: "1,", count: 2_000_000)).utf8)  // never closed
        let error = #expect(throws: JSON.SyntaxError.self) { try JSON(parsing: numbers, valueLimit: JSON.valueLimit) }
        #expect(error?.problem == "more than 100000 values")
        #expect(throws: JSON.SyntaxError.self) { try JSON(parsing: text, depthLimit: 8) }
    }

    @Test(arguments: [
        ("9223372036854775807", JSON.integer(.max)), ("-9223372036854775808", .integer(.min)), ("0", 0), ("-0", 0),
        ("9223372036854775808", .number("9223372036854775808")),
        ("-9223372036854775809", .number("-9223372036854775809")),
        ("1e3", .number("1e3")), ("12.50", .number("12.50")),
        ("99999999999999999999999", .number("99999999999999999999999")),
    ])
    func `numbers are exact`(text: String, value: JSON) throws { #expect(try JSON(parsing: text) == value) }

    @Test(arguments: [
        (#""""#, ""), (#""plain""#, "plain"), (#""a\nb""#, "a\nb"), (#""\u00e9\ud83d\ude00é""#, "é😀é"),
        (#""\\\"\/""#, "\\\"/"),
    ])
    func `texts are exact`(text: String, value: String) throws {
        #expect(try JSON(parsing: text).text.map { Name($0) } == Name(value))
    }

    @Test(arguments: [[UInt8]]([[0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]]))
    func `bytes that are not UTF-8 are rejected where they stand`(bytes: [UInt8]) {
        let error = #expect(throws: JSON.SyntaxError.self) { try JSON(parsing: bytes) }
        #expect(error?.problem == "the text is not UTF-8" && error?.offset == 1)
    }

    @Test func `a value takes 24 bytes and a member 40`() {
        #expect(MemoryLayout<JSON>.stride == 24)
        #expect(MemoryLayout<JSON.Member>.stride == 40)
    }
}
