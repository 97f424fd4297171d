// Where a program's words go.

import Glibc

/// Standard output and standard error, or what stands for them.
package struct Console: Sendable {
    /// Results. Whole lines.
    package let print: @Sendable (String) -> Void
    /// Complaints and progress. Whole lines.
    package let complain: @Sendable (String) -> Void

    package init(print: @escaping @Sendable (String) -> Void, complain: @escaping @Sendable (String) -> Void) {
        self.print = print
        self.complain = complain
    }

    package static let standard = Console(
        print: { Self.write($0, to: STDOUT_FILENO) }, complain: { Self.write($0, to: STDERR_FILENO) })

    /// All of it, unless the reader is gone.
    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array((text.last?.isNewline == true ? text : text + "\n").utf8)
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
            written += count
        }
    }
}
