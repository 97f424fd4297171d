// Reads a byte sequence as a server would: head, body, head, body.

import HTTPServer

/// What a byte sequence means.
struct Transcript: Equatable, CustomStringConvertible {
    struct Message: Equatable { var method: String, path: String, body: String }

    enum End: Equatable {
        /// Everything was read and nothing is left.
        case complete
        /// A message is not whole.
        case partial
        case rejected(Int)
    }

    var messages: [Message] = []
    var end = End.complete
    var rejection: Rejection?

    var description: String {
        let parts =
            self.messages.map { "\($0.method) \($0.path) '\($0.body)'" } + ["\(self.end) \(self.rejection as Any)"]
        return parts.joined(separator: ", ")
    }

    /// - Parameter step: how many more bytes the parser sees at a time.
    init(_ bytes: [UInt8], step: Int = .max, limits: HeadParser.Limits = HeadParser.Limits()) {
        var parser = HeadParser(limits: limits)
        var start = 0
        var shown = 0
        while true {
            shown = step > bytes.count - shown ? bytes.count : shown + step
            let isAll = shown == bytes.count
            switch parser.advance(bytes[start..<shown].span) {
            case .needsMore:
                if isAll {
                    self.end = start == bytes.count ? .complete : .partial
                    return
                }
                continue
            case .rejected(let rejection):
                self.end = .rejected(rejection.status)
                self.rejection = rejection
                return
            case .complete: break
            }
            let path = String(decoding: bytes[start..<shown][parser.head.path.range.shifted(start)], as: UTF8.self)
            var message = Message(method: parser.head.method.rawValue, path: path, body: "")
            start += parser.head.length
            switch parser.head.framing {
            case .none: break
            case .length(let count):
                guard start + count <= bytes.count else {
                    self.end = .partial
                    return
                }
                message.body = String(decoding: bytes[start..<start + count], as: UTF8.self)
                start += count
            case .chunked:
                var decoder = ChunkedDecoder()
                decoding: while true {
                    let end = max(start, shown)
                    var at = 0
                    while true {
                        let stop: Bool
                        switch decoder.next(bytes[start..<end].span, at: &at) {
                        case .data(let range):
                            message.body += String(decoding: bytes[range.shifted(start)], as: UTF8.self)
                            stop = false
                        case .needsMore: stop = true
                        case .complete:
                            start += at
                            break decoding
                        case .rejected(let rejection):
                            self.end = .rejected(rejection.status)
                            self.rejection = rejection
                            return
                        }
                        if stop { break }
                    }
                    start += at
                    guard shown < bytes.count else {
                        self.end = .partial
                        return
                    }
                    shown = step > bytes.count - shown ? bytes.count : shown + step
                }
            }
            self.messages.append(message)
            shown = max(shown, start)
            if step != .max { shown = start }
            parser.reset()
        }
    }

    init(_ text: String, step: Int = .max) { self.init(Array(text.utf8), step: step) }
}

extension Range<Int> {
    func shifted(_ offset: Int) -> Range<Int> { (self.lowerBound + offset)..<(self.upperBound + offset) }
}
