// The head of an answer, line by line, as libcurl gives it: also those of interim answers and redirections.

import HTTP

struct HeadReader {
    /// In bytes, of all lines.
    private static let limit = 256 * 1024

    private var status = 0
    private var headers = Headers()
    private var length = 0
    private(set) var isOver = false

    enum Line {
        case more
        case head(Transfer.Head)
        case tooLarge
    }

    /// - Parameter followsRedirections: whether a redirection's head is not the answer's.
    mutating func take(_ line: UnsafeBufferPointer<UInt8>, followsRedirections: Bool) -> Line {
        guard !self.isOver else { return .more }  // trailers
        self.length += line.count
        guard self.length <= Self.limit else { return .tooLarge }
        var text = Substring(unsafe String(decoding: line, as: UTF8.self))
        while let last = text.unicodeScalars.last, last == "\n" || last == "\r" { text.unicodeScalars.removeLast() }
        if text.hasPrefix("HTTP/") {
            self.status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            self.headers = Headers()
        } else if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let value = text[text.utf8.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            self.headers.append(String(text[..<colon]), String(value))
        } else if text.isEmpty {
            let isRedirection =
                followsRedirections && (300..<400).contains(self.status) && self.headers["Location"] != nil
            if self.status >= 200, !isRedirection {
                self.isOver = true
                return .head(Transfer.Head(status: self.status, headers: self.headers))
            }
        }
        return .more
    }
}
