// Ends waits on a server when the database is closed: a stop does not wait for a server that does not answer.

import CPostgreSQL
import Glibc

/// Once `end` has been called, every wait returns at once.
final class Interruption: Sendable {
    /// Readable from `end` on.
    private let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))

    deinit { close(self.descriptor) }

    func end() { eventfd_write(self.descriptor, 1) }

    enum Wake {
        case ready, timedOut, interrupted
    }

    /// Waits until a connection's socket is ready for `events` (as of poll).
    func wait(for events: Int32, on handle: OpaquePointer, until deadline: ContinuousClock.Instant) -> Wake {
        while true {
            var polled = [
                pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: unsafe PQsocket(handle), events: Int16(events), revents: 0),
            ]
            let left = max(0, (deadline - .now) / .milliseconds(1))
            let count = unsafe poll(&polled, 2, Int32(clamping: Int(left.rounded(.up))))
            if polled[0].revents != 0 { return .interrupted }
            if count > 0 { return .ready }
            if count == 0 { return .timedOut }
            guard errno == EINTR else { return .ready }  // libpq reports what is wrong with the socket
        }
    }
}
