// Reading one answer, and no byte of the next: for connections that are kept.

struct Answer: Equatable {
    var status: Int
    var head: String
    var body: [UInt8]

    var text: String { String(decoding: self.body, as: UTF8.self) }

    /// The first header of that name, in lower case.
    func header(_ name: String) -> String? {
        for line in self.head.split(separator: "\r\n").dropFirst() where line.lowercased().hasPrefix("\(name):") {
            return line.dropFirst(name.utf8.count + 1).drop { $0 == " " }.description
        }
        return nil
    }
}

extension Client {
    /// Sends a request and reads its answer.
    func ask(_ request: String, hasBody: Bool = true) -> Answer? {
        self.send(request)
        return self.answer(hasBody: hasBody)
    }

    /// The next answer that isn't `100 Continue`; nil where the server closes before it is whole.
    func answer(hasBody: Bool = true) -> Answer? {
        guard let head = self.readExactly(until: "\r\n\r\n"), head.hasPrefix("HTTP/1.1 "),
            let status = Int(head.dropFirst(9).prefix(3))
        else { return nil }
        if status == 100 { return self.answer(hasBody: hasBody) }
        var answer = Answer(status: status, head: head, body: [])
        guard hasBody, status != 204, status != 304 else { return answer }
        if let text = answer.header("content-length") {
            guard let length = Int(text), let body = self.readExactly(length) else { return nil }
            answer.body = body
        } else if answer.header("transfer-encoding") == "chunked" {
            while true {
                guard let line = self.readExactly(until: "\r\n"),
                    let size = Int(line.dropLast(), radix: 16),  // CR LF is one character
                    let chunk = self.readExactly(size), self.readExactly(2) != nil
                else { return nil }
                if size == 0 { break }
                answer.body += chunk
            }
        } else {
            answer.body = Array(self.read().utf8)
        }
        return answer
    }

    private func readExactly(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let part = self.readSome(min(count - bytes.count, 1 << 20))
            guard !part.isEmpty else { return nil }
            bytes += part
        }
        return bytes
    }

    private func readExactly(until end: String) -> String? {
        var bytes: [UInt8] = []
        while !bytes.suffix(end.utf8.count).elementsEqual(end.utf8) {
            let part = self.readSome(1)
            guard !part.isEmpty else { return nil }
            bytes += part
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
