// Where a request's body begins and ends, read as strictly as the daemon does loosely: a request that two parties could
// read differently is refused. Rules: RFC 9112, 6.1 to 6.3, 11.2; RFC 9110, 5.1, 5.5.

import HTTP

/// How a request's body is delimited.
enum DaemonFraming: Equatable {
    case none
    case length(Int)
    case chunked

    /// Nil for a request to refuse.
    init?(method: String, version: String, headers: Headers) {
        guard !method.isEmpty, method.utf8.allSatisfy(\.isTokenCharacter) else { return nil }
        for field in headers.fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(\.isTokenCharacter),
                field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
            else { return nil }
        }
        guard headers.all("host").count <= 1 else { return nil }
        let encodings = headers.all("transfer-encoding")
        let lengths = headers.all("content-length")
        switch (encodings.count, lengths.count) {
        case (0, 0):
            self = .none
        case (0, 1):
            guard lengths[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(lengths[0]) else {
                return nil
            }
            self = length == 0 ? .none : .length(length)
        case (1, 0):
            guard version == "HTTP/1.1", encodings[0].equalsIgnoringCase("chunked") else { return nil }
            self = .chunked
        default:
            return nil
        }
    }
}
