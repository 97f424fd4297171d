// Answers that are made once and sent many times, without a handler.

package import HTTP

/// An answer that many requests share. The loop adds `Date` and, if need be, `Connection`.
package final class PreparedAnswer: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        case file(FileRegion)

        var length: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .file(let region): region.length
            }
        }
    }

    /// The status line and all fields but `Date` and `Connection`, without the empty line.
    let head: [UInt8]
    let body: Body

    /// - Parameter headers: fields that are the server's, and fields that cannot be sent, are left out.
    package init(_ status: Int, headers: Headers, body: Body) {
        let hasBody = status != 204 && status != 304
        var text = String(decoding: Status.line(status), as: UTF8.self)
        for field in headers.fields where ResponseHead.canSend(field.name, field.value) {
            text += "\(field.name): \(field.value)\r\n"
        }
        if hasBody || status == 304 && body.length > 0 { text += "Content-Length: \(body.length)\r\n" }
        self.head = Array(text.utf8)
        self.body = hasBody ? body : .bytes([])
    }

    /// The answer to `OPTIONS *`.
    static let methods = PreparedAnswer(
        204, headers: ["Allow": Method.allCases.map(\.rawValue).joined(separator: ", ")], body: .bytes([]))
}

/// What the hook for prepared answers decides.
package enum FastAnswer: Sendable {
    /// The handler answers.
    case none
    case prepared(PreparedAnswer)
}
