// Where the bytes are: `file:PATH` or `s3://BUCKET/PREFIX?endpoint=…&region=…&pathStyle=…`.

import Domain

package enum StorageURL: Hashable, Sendable, CustomStringConvertible {
    package struct Bucket: Hashable, Sendable {
        package let name: String
        /// The prefix of every key: empty, or ending with `/`.
        package let prefix: String
        /// Nil for Amazon's own, by region.
        package let endpoint: BaseURL?
        package let region: String
        /// `http://host/bucket/key` instead of `http://bucket.host/key`.
        package let usesPathStyle: Bool
    }

    case file(path: String)
    case s3(Bucket)

    package init?(_ text: String) {
        guard !text.hasControlCharacter else { return nil }
        if let path = text.dropping(prefix: "file:") {
            // `file:///srv/blobs` is the same path as `file:/srv/blobs` (RFC 8089); another host's files are not ours.
            let local = path.startsWithBytes(of: "///") ? Substring(path.utf8.dropFirst(2)) : path
            guard !local.isEmpty, !local.startsWithBytes(of: "//") else { return nil }
            self = .file(path: String(local))
        } else if let rest = text.dropping(prefix: "s3://"), let bucket = Bucket(String(rest)) {
            self = .s3(bucket)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .file(let path): "file:\(path)"
        case .s3(let bucket): bucket.description
        }
    }
}

extension StorageURL.Bucket: CustomStringConvertible {
    /// Reads what follows `s3://`.
    fileprivate init?(_ text: String) {
        let (place, query) = text.split(at: "?")
        let (name, path) = place.split(at: "/")
        guard (3...63).contains(name.utf8.count), name.utf8.allSatisfy(Self.isNameByte), name.first != "-",
            name.first != "."
        else { return nil }
        let segments = (path ?? "").parts(at: "/")
        let kept = segments.last?.isEmpty == true ? segments.dropLast() : segments
        guard kept.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.allSatisfy(Self.isPrefixByte) })
        else { return nil }

        var endpoint: BaseURL?
        var region = "us-east-1"
        var usesPathStyle: Bool?
        var seen: Set<Name> = []
        for part in (query ?? "").parts(at: "&", keepsEmpty: false) {
            let (key, written) = String(part).split(at: "=")
            guard seen.insert(Name(key)).inserted, let written, let value = written.percentDecoded, !value.isEmpty
            else {
                return nil
            }
            switch key {
            case "endpoint":
                guard let url = BaseURL(value), url.path.isEmpty else { return nil }
                endpoint = url
            case "region":
                guard value.utf8.allSatisfy(Self.isNameByte) else { return nil }
                region = value
            case "pathStyle":
                guard ["true", "false"].contains(value) else { return nil }
                usesPathStyle = value == "true"
            default: return nil
            }
        }
        self.init(
            name: name, prefix: kept.map { "\($0)/" }.joined(), endpoint: endpoint, region: region,
            usesPathStyle: usesPathStyle ?? (endpoint != nil))
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private static func isPrefixByte(_ byte: UInt8) -> Bool {
        Self.isNameByte(byte) || (0x41...0x5A).contains(byte) || byte == UInt8(ascii: "_")
    }

    package var description: String {
        let endpoint = self.endpoint.map { "endpoint=\($0)&" } ?? ""
        return "s3://\(self.name)/\(self.prefix)?\(endpoint)region=\(self.region)&pathStyle=\(self.usesPathStyle)"
    }
}

extension String {
    /// With `%XX` replaced; nil where that is malformed or no UTF-8.
    var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = self.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), digits.count == 2, let value = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
