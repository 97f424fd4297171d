// The head of an answer. `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` are the server's: a handler's
// own are left out, and so is a field that would break the head.

import HTTP

enum ResponseHead {
    /// How the body of an answer is delimited.
    enum Delimiter {
        case length(Int)
        case chunked
        /// There is no body, or it ends with the connection.
        case none
    }

    static func isServers(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: name.equalsIgnoringCase("Date")
        case 10: name.equalsIgnoringCase("Connection") || name.equalsIgnoringCase("Keep-Alive")
        case 14: name.equalsIgnoringCase("Content-Length")
        case 17: name.equalsIgnoringCase("Transfer-Encoding")
        default: false
        }
    }

    static func canSend(_ name: String, _ value: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy(\.isTokenByte) && value.utf8.allSatisfy(\.isValueByte)
            && !self.isServers(name)
    }

    /// How an answer's body is delimited. The length of what GET would have is told for HEAD and 304 as well; an empty
    /// body of a 304 says nothing about it.
    static func delimiter(_ response: Response, _ method: Method, isHTTP11: Bool) -> Delimiter {
        guard response.status != 204 else { return .none }
        guard let length = response.bodyLength else { return isHTTP11 && response.status != 304 ? .chunked : .none }
        return response.status == 304 && length == 0 ? .none : .length(length)
    }
}

extension Response {
    /// In bytes; nil if it is not known.
    var bodyLength: Int? {
        switch self.body {
        case .bytes(let bytes): bytes.count
        case .file(let region): region.length
        case .stream(let length, _): length
        }
    }
}

extension OutputBuffer {
    /// Appends a head up to the fields that depend on the connection.
    mutating func append(_ response: Response, _ delimiter: ResponseHead.Delimiter) {
        self.append(Status.line(response.status))
        for field in response.headers.fields { self.append(field.name, field.value) }
        switch delimiter {
        case .length(let length):
            self.append("Content-Length: ")
            self.append(decimal: length)
            self.append("\r\n")
        case .chunked: self.append("Transfer-Encoding: chunked\r\n")
        case .none: break
        }
    }

    /// Appends a field, unless it is the server's, cannot be sent, or leaves no room.
    private mutating func append(_ name: String, _ value: String) {
        guard !ResponseHead.isServers(name), self.room > name.utf8.count + value.utf8.count + 512 else { return }
        let mark = self.count
        let isName = !name.isEmpty && self.append(token: name)
        self.append(": ")
        if isName, self.append(checking: value) {
            self.append("\r\n")
        } else {
            self.truncate(to: mark)
        }
    }

    /// Appends what depends on the connection, and the empty line.
    @inline(__always)
    mutating func endHead(_ date: [UInt8], closes: Bool, isHTTP11: Bool) {
        self.append(date)
        if closes {
            self.append("Connection: close\r\n\r\n")
        } else if isHTTP11 {
            self.append("\r\n")
        } else {
            self.append("Connection: keep-alive\r\n\r\n")
        }
    }
}
