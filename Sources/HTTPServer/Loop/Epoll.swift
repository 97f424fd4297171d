// An epoll instance.

import CLinux
import Glibc
import HTTP

@safe final class Epoll: Sendable {
    private let descriptor: Int32

    /// - Throws: `HTTPFault.cannotStart` if no descriptor is left.
    init() throws(HTTPFault) {
        self.descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard self.descriptor >= 0 else {
            throw .cannotStart(reason: "cannot create an epoll instance: \(unsafe String(cString: strerror(errno)))")
        }
    }

    deinit { close(self.descriptor) }

    /// - Returns: false if the kernel has no room for another.
    @discardableResult
    func watch(_ descriptor: Int32, _ flags: UInt32, tag: UInt64) -> Bool {
        var event = unsafe epoll_event(events: flags, data: epoll_data_t(u64: tag))
        return unsafe epoll_ctl(self.descriptor, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    func unwatch(_ descriptor: Int32) { _ = epoll_ctl(self.descriptor, EPOLL_CTL_DEL, descriptor, nil) }

    /// - Parameter timeout: in milliseconds; -1 for as long as nothing happens.
    /// - Returns: how many events there are.
    @inline(__always)
    func wait(_ events: UnsafeMutableBufferPointer<epoll_event>, timeout: Int32) -> Int {
        max(0, Int(unsafe epoll_wait(self.descriptor, events.baseAddress, Int32(events.count), timeout)))
    }
}
