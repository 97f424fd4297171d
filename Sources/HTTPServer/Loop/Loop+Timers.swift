// What a loop does about clients that send or take too little, or nothing.

import CLinux
import Glibc
import HTTP

/// The limits of a configuration, in milliseconds. (Taking a `Duration` apart costs 250 instructions.)
struct Timeouts {
    let head: UInt64
    let idle: UInt64
    let window: UInt64
    let ended: UInt64
    let linger: UInt64
    /// In bytes a second.
    let pace: Int

    init(_ configuration: Server.Configuration) {
        self.head = Self.milliseconds(configuration.headTimeout)
        self.idle = Self.milliseconds(configuration.idleTimeout)
        self.window = max(1, Self.milliseconds(configuration.paceWindow))
        self.ended = Self.milliseconds(configuration.endedTimeout)
        self.linger = Self.milliseconds(configuration.lingerTimeout)
        self.pace = configuration.minimumBodyPace
    }

    static func milliseconds(_ duration: Duration) -> UInt64 {
        let parts = duration.components
        return UInt64(max(0, parts.seconds)) &* 1000 &+ UInt64(max(0, parts.attoseconds)) / 1_000_000_000_000_000
    }

    /// Whether `bytes` in `time` milliseconds are fewer than a client must move.
    func isTooSlow(_ bytes: Int, in time: UInt64) -> Bool {
        self.pace > 0 && Double(bytes) * 1000 < Double(self.pace) * Double(time)
    }
}

extension Loop {
    static func milliseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1000 &+ UInt64(time.tv_nsec) / 1_000_000
    }

    /// Sets the connection's timer, and its place among those that may be closed, from what it waits for.
    @inline(__always)
    mutating func settle(_ slot: Int) {
        let phase = self.connections[slot].phase
        guard phase != .free else { return }
        let kind: Connection.TimerKind
        let timeout: UInt64
        var isEvictable = false
        switch phase {
        case .handshake:
            isEvictable = true
            kind = .head
            timeout = self.timeouts.head
        case .reading where self.unread(slot) == 0:
            self.releaseIntake(slot)
            isEvictable = true
            kind = self.connections[slot].hasHadRequest ? .idle : .head
            timeout = kind == .head ? self.timeouts.head : self.timeouts.idle
        case .reading:
            isEvictable = true
            kind = .head
            timeout = self.timeouts.head
        case .discarding:
            isEvictable = true
            kind = .body
            timeout = min(self.timeouts.window, self.timeouts.idle)
        case .lingering:
            isEvictable = true
            kind = .linger
            timeout = self.timeouts.linger
        case .handling where self.connections[slot].hasEnded:
            kind = .ended
            timeout = self.timeouts.ended
        case .handling where self.connections[slot].body != .none && !self.connections[slot].hasFailedBody:
            // What counts is only how long the handler waits for the body.
            kind = .body
            timeout = min(self.timeouts.window, self.timeouts.idle)
        case .answering where !self.connections[slot].isWritable:
            kind = .output
            timeout = min(self.timeouts.window, self.timeouts.idle)
        case .handling, .answering, .free:
            kind = .none
            timeout = 0
        }
        if isEvictable {
            if !self.connections[slot].isEvictable { self.connections[slot].lastActivity = self.now }
            if self.connections[slot].lastActivity == self.now { self.setEvictable(slot, true) }
        } else if self.connections[slot].isEvictable {
            self.setEvictable(slot, false)
        }
        guard kind != self.connections[slot].timerKind || kind == .idle else { return }
        self.connections[slot].timerKind = kind
        switch kind {
        case .none:
            self.connections[slot].timer.deadline = .max
            return
        case .body: self.beginBodyWindow(slot)
        case .output: self.beginOutputWindow(slot)
        case .idle, .head, .ended, .linger: break
        }
        self.wheel.set(slot, self.now &+ timeout, &self.connections)
    }

    mutating func fireTimers() {
        self.wheel.advance(to: self.now, &self.connections, &self.expired)
        guard !self.expired.isEmpty else { return }
        let slots = self.expired
        self.expired.removeAll(keepingCapacity: true)
        for slot in slots where self.connections[slot].phase != .free { self.fire(slot) }
    }

    private mutating func fire(_ slot: Int) {
        let kind = self.connections[slot].timerKind
        switch kind {
        case .none: return
        case .idle, .linger, .ended: self.destroy(slot)
        case .head:
            guard self.connections[slot].phase == .reading, self.unread(slot) > 0 else { return self.destroy(slot) }
            self.connections[slot].timerKind = .none
            _ = self.reject(slot, .headTimeout)
            self.pump(slot)
        case .body: self.checkBody(slot)
        case .output: self.checkOutput(slot)
        }
    }

    // MARK: Bodies

    private mutating func beginBodyWindow(_ slot: Int) {
        self.connections[slot].window.bytes = self.connections[slot].received + self.connections[slot].discarded
        self.connections[slot].window.start = self.waited(slot).total
    }

    /// How long the client has been waited for. The rest of a discarded body is waited for all the time.
    private func waited(_ slot: Int) -> Exchange.Waiting {
        guard self.connections[slot].phase == .handling, let exchange = self.connections[slot].exchange else {
            return Exchange.Waiting(total: self.now, since: self.connections[slot].lastActivity)
        }
        return exchange.waiting(at: self.now)
    }

    private mutating func checkBody(_ slot: Int) {
        let waited = self.waited(slot)
        if let since = waited.since, self.now >= since &+ self.timeouts.idle { return self.destroy(slot) }
        let time = waited.total &- self.connections[slot].window.start
        if time >= self.timeouts.window {
            let received = self.connections[slot].received + self.connections[slot].discarded
            if self.timeouts.isTooSlow(received - self.connections[slot].window.bytes, in: time) {
                guard self.connections[slot].phase == .handling else { return self.destroy(slot) }
                self.connections[slot].timerKind = .none
                _ = self.rejectBody(slot, .bodyTimeout)
                self.pump(slot)
                return
            }
            self.beginBodyWindow(slot)
        }
        let left = time >= self.timeouts.window ? self.timeouts.window : self.timeouts.window &- time
        var deadline = self.now &+ left
        if let since = waited.since {
            deadline = min(deadline, since &+ self.timeouts.idle)
        } else {
            deadline = min(deadline, self.now &+ self.timeouts.idle)
        }
        self.wheel.set(slot, deadline, &self.connections)
    }

    // MARK: Answers

    private mutating func beginOutputWindow(_ slot: Int) {
        self.connections[slot].sentInWindow = 0
        self.connections[slot].window.start = self.now
        self.connections[slot].window.bytes = self.unacknowledged(slot)
    }

    /// In bytes: what the kernel has taken and the client has not acknowledged. A client can take much of that before the
    /// kernel takes more.
    private func unacknowledged(_ slot: Int) -> Int {
        var count: Int32 = 0
        let result = unsafe ioctl(self.connections[slot].socket, UInt(TIOCOUTQ), &count)
        return result == 0 ? Int(count) : 0
    }

    private mutating func checkOutput(_ slot: Int) {
        let time = self.now &- self.connections[slot].window.start
        let taken =
            self.connections[slot].sentInWindow + self.connections[slot].window.bytes - self.unacknowledged(slot)
        let isSilent = taken <= 0 && time >= self.timeouts.idle
        let length = min(self.timeouts.window, self.timeouts.idle)
        if isSilent || time >= length && self.timeouts.isTooSlow(taken, in: time) { return self.destroy(slot) }
        if time >= length { self.beginOutputWindow(slot) }
        let deadline = self.connections[slot].window.start &+ length
        self.wheel.set(slot, max(self.now &+ 1, deadline), &self.connections)
    }
}
