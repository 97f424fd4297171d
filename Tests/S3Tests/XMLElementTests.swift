import Testing

@testable import S3

@Suite struct XMLElementTests {
    private func parse(_ text: String) -> XMLElement? { XMLElement(parsing: Array(text.utf8)) }

    @Test func `a listing is read`() throws {
        let page = try #require(
            self.parse(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <!-- a comment with <tags> -->
                <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
                  <IsTruncated>false</IsTruncated><Prefix/>
                  <Contents><Key>a&amp;b&lt;&gt;&quot;&apos;&#65;&#x42;<![CDATA[<c>&]]></Key><Size>5</Size></Contents>
                  <Contents><Key>d</Key></Contents>
                </ListBucketResult>

                """))
        #expect(page.name == "ListBucketResult")
        #expect(page["IsTruncated"]?.text == "false")
        #expect(page["Prefix"]?.text == "")
        #expect(page.all("Contents").map { $0["Key"]?.text } == ["a&b<>\"'AB<c>&", "d"])
        #expect(page["Nothing"] == nil)
    }

    @Test func `a namespace's prefix isn't part of a name`() {
        #expect(self.parse("<s:a xmlns:s='x'><s:b c=\"d\">e</s:b></s:a>")?["b"]?.text == "e")
    }

    @Test(arguments: [
        "", "text", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a/>x", "x<a/>", "<a>&unknown;</a>", "<a>&#xD800;</a>",
        "<a>&amp</a>", "<a><b></a></b>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a", "<>x</>", "<a><!-- </a>",
        String(repeating: "<a>", count: 1000) + String(repeating: "</a>", count: 1000),
    ])
    func `what is no document is refused`(text: String) { #expect(self.parse(text) == nil) }

    @Test func `bytes that are no UTF-8 are refused`() {
        #expect(XMLElement(parsing: Array("<a>".utf8) + [0xFF] + Array("</a>".utf8)) == nil)
    }

    @Test func `what was encoded is read back`() {
        let text = "<a & \"b\"> 'c'"
        #expect(self.parse("<x>\(XMLElement.encode(text))</x>")?.text == text)
    }

    @Test(arguments: 0..<200)
    func `no damaged document crashes the reader`(seed: Int) {
        var random = Xorshift(seed)
        var bytes = Array(
            "<?xml version=\"1.0\"?><E xmlns=\"u\"><C>A&amp;b</C><M><![CDATA[x]]></M><!--y--><R/></E>".utf8)
        for _ in 0...random.next(8) {
            let index = random.next(bytes.count)
            switch random.next(3) {
            case 0: bytes[index] = UInt8(random.next(256))
            case 1: bytes.remove(at: index)
            default: bytes.insert(contentsOf: bytes[index...].prefix(random.next(9)), at: index)
            }
            _ = XMLElement(parsing: bytes)
        }
    }
}

private struct Xorshift {
    private var state: UInt64

    init(_ seed: Int) { self.state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next(_ limit: Int) -> Int {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return Int(self.state % UInt64(limit))
    }
}
