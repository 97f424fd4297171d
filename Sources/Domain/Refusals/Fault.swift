// How errors are written in logs and on the command line: in words, one line, without secrets.

/// An error of the server, with a description for the people who run it. Every error type of this program either is a
/// `Fault` or has a description of its own: Swift's default form of an error is never shown.
package protocol Fault: Error, CustomStringConvertible {
    /// What is wrong, in words, on one line, without a secret. The first letter is lower-case.
    var description: String { get }
}

package enum FaultText {
    /// Any error as one line for the log or the command line.
    package static func of(_ error: any Error) -> String {
        switch error {
        case is CancellationError: "the work was cancelled"
        case let error as any CustomStringConvertible: Redaction.text(self.line(error.description))
        default: "an unexpected error (\(type(of: error)))"
        }
    }

    /// One line: each run of white space is a space.
    package static func line(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
