// The end of the process. Rule: no thread is inside a C library while `exit` runs the libraries' own handlers.

import Glibc

package enum ProcessEnd {
    /// How long threads have to end. One that takes longer waits for a disk or for a name server.
    private static let limit = Duration.seconds(3)

    /// Joins every thread, then ends the process. If a thread does not end in time, the process ends without the handlers
    /// that C libraries have registered for its end, since they would free what that thread uses.
    package static func exit(_ code: Int32) -> Never {
        guard Thread.endAll(within: self.limit) == 0 else { _exit(code) }
        Glibc.exit(code)
    }
}
