// The thread that writes a log, and the bounded buffer in front of it.

import Glibc
import Synchronization
import Threads

final class LogWriter: Sendable {
    private struct State {
        var pending: [UInt8] = []
        /// Since the last notice of it.
        var dropped = 0
        var droppedEver = 0
        /// Who waits for the writing of what is pending.
        var waiting: [Threads.Semaphore] = []
        var isEnding = false
    }

    private let state = Mutex(State())
    private let work = Threads.Semaphore()
    private let capacity: Int

    /// - Parameter notice: the line that says how many were dropped.
    init(descriptor: Int32, capacity: Int, notice: @escaping @Sendable (Int) -> [UInt8]) {
        self.capacity = capacity
        let interrupt: @Sendable () -> Void = { [weak self] in self?.end() }
        Thread.start(interrupt: interrupt) { [self] in
            // Writing to a pipe without a reader is an error here and does not end the process.
            var broken = sigset_t()
            unsafe sigemptyset(&broken)
            unsafe sigaddset(&broken, SIGPIPE)
            unsafe pthread_sigmask(SIG_BLOCK, &broken, nil)
            while self.writeOnce(to: descriptor, notice) {}
        }
    }

    var dropped: Int { self.state.withLock(\.droppedEver) }

    /// Takes a line, or drops it where there is no room. Does not wait.
    func append(_ line: [UInt8]) {
        let wakes = self.state.withLock { state in
            guard state.pending.count + line.count <= self.capacity else {
                state.dropped += 1
                state.droppedEver += 1
                return false
            }
            state.pending += line
            return state.pending.count == line.count
        }
        if wakes { self.work.post() }
    }

    /// - Returns: whether everything taken so far was written in time.
    func flush(atMost time: Duration) -> Bool {
        let written = Threads.Semaphore()
        self.state.withLock { $0.waiting.append(written) }
        self.work.post()
        return written.wait(atMost: time)
    }

    /// Writes what is left, then ends the thread. Does not wait for it.
    func end() {
        self.state.withLock { $0.isEnding = true }
        self.work.post()
    }

    /// - Returns: false at the end.
    private func writeOnce(to descriptor: Int32, _ notice: (Int) -> [UInt8]) -> Bool {
        self.work.wait()
        let (taken, dropped, waiting, isEnding) = self.state.withLock { state in
            var taken: [UInt8] = []
            swap(&taken, &state.pending)
            defer { (state.dropped, state.waiting) = (0, []) }
            return (taken, state.dropped, state.waiting, state.isEnding)
        }
        Self.write(taken, to: descriptor)
        if dropped > 0 { Self.write(notice(dropped), to: descriptor) }
        for waiter in waiting { waiter.post() }
        return !isEnding
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                unsafe poll(&polled, 1, -1)
            } else if errno != EINTR {
                return  // there is no place left to report it
            }
        }
    }
}
