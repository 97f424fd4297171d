// A loop's connections: accepted, dealt to the loops, evicted when there is no room, closed.

import CLinux
import Glibc
import HTTP
import Synchronization

extension Loop {
    mutating func listen() {
        guard !self.isListening, !self.isDraining else { return }
        self.isListening = self.poll.watch(
            self.core.listener.socket, EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue, tag: Self.listenerTag)
        if !self.isListening { self.listensAfter = self.now &+ 100 }
    }

    mutating func stopListening() {
        guard self.isListening else { return }
        self.isListening = false
        self.poll.unwatch(self.core.listener.socket)
    }

    /// Tells the other loops which connection could be closed, and accepts again if there is room again.
    @inline(__always)
    mutating func updateListening() {
        let oldest = self.idleOldest >= 0 ? self.connections[Int(self.idleOldest)].lastActivity : .max
        if self.mailbox.oldestIdle.load(ordering: .relaxed) != oldest {
            self.mailbox.oldestIdle.store(oldest, ordering: .relaxed)
        }
        if !self.isListening, self.now >= self.listensAfter, self.idleOldest >= 0 || self.count < self.mailbox.limit {
            self.listen()
        }
    }

    mutating func accept() {
        for _ in 0..<64 {
            guard let place = self.place() else {
                // Every connection is busy: clients wait in the kernel's queue until one is idle.
                self.stopListening()
                return
            }
            switch self.core.listener.accept() {
            case .noClient: return
            case .exhausted:
                if !self.evictIdle() {
                    // The listening socket stays ready; it is not watched for a while.
                    self.stopListening()
                    self.listensAfter = self.now &+ 100
                }
                return
            case .client(let socket, let remote):
                guard self.admit(remote) else {
                    close(socket)
                    continue
                }
                place.load.add(1, ordering: .relaxed)
                if place === self.mailbox {
                    self.add(socket, remote)
                } else {
                    place.post(.client(socket: socket, remote))
                }
            }
        }
    }

    /// The loop that takes the next client: the one with the fewest; if all are full, the one that has the connection
    /// that has been idle longest. Nil if none is idle.
    private func place() -> Mailbox? {
        var best: Mailbox?
        var fewest = Int.max
        for mailbox in self.core.mailboxes {
            let load = mailbox.load.load(ordering: .relaxed)
            if load < mailbox.limit, load < fewest {
                best = mailbox
                fewest = load
            }
        }
        if let best { return best }
        var oldest = UInt64.max
        for mailbox in self.core.mailboxes {
            let idle =
                mailbox === self.mailbox && self.idleOldest >= 0
                ? self.connections[Int(self.idleOldest)].lastActivity : mailbox.oldestIdle.load(ordering: .relaxed)
            if idle < oldest {
                best = mailbox
                oldest = idle
            }
        }
        return best
    }

    /// Whether a client's address may have another connection, which then is counted.
    private func admit(_ remote: RemoteAddress) -> Bool {
        guard let network = remote.network else { return true }
        let count = self.core.addresses.enter(network)
        guard count > self.configuration.addressLimit, !self.configuration.isExempt(remote.text) else { return true }
        self.core.addresses.leave(network)
        self.statistics.turnAway()
        self.configuration.observe(.turnedAway(remoteAddress: remote.text, connections: count - 1))
        return false
    }

    mutating func add(_ socket: Int32, _ remote: RemoteAddress) {
        if self.count >= self.mailbox.limit { _ = self.evictIdle() }
        guard !self.isDraining, let slot = self.connections.take({ Connection() }) else {
            close(socket)
            self.leave(remote)
            return
        }
        self.count += 1
        self.statistics.connect()
        self.connections[slot].socket = socket
        self.connections[slot].remote = remote
        self.connections[slot].phase = .reading
        self.connections[slot].lastActivity = self.now
        if let tls = self.core.tls {
            self.connections[slot].isSecure = true
            self.connections[slot].phase = .handshake
            self.connections[slot].tls = tls.session(on: socket)
            guard self.connections[slot].tls != nil else { return self.destroy(slot) }
        }
        // What has already arrived is reported as an event.
        let flags = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        let tag = UInt64(self.connections[slot].generation) << 32 | UInt64(slot)
        guard self.poll.watch(socket, flags, tag: tag) else { return self.destroy(slot) }
        self.settle(slot)
    }

    func key(_ slot: Int) -> ConnectionKey {
        ConnectionKey(slot: Int32(slot), generation: self.connections[slot].generation)
    }

    /// Closes a connection and frees its slot.
    mutating func destroy(_ slot: Int) {
        guard self.connections[slot].phase != .free else { return }
        self.connections[slot].exchange?.fail(.disconnected)
        self.endRequest(slot)
        self.setEvictable(slot, false)
        self.wheel.unlink(slot, &self.connections)
        self.releaseIntake(slot)
        close(self.connections[slot].socket)
        self.leave(self.connections[slot].remote)
        let generation = self.connections[slot].generation
        let isQueued = self.connections[slot].isQueued
        self.connections[slot] = Connection()
        self.connections[slot].generation = generation &+ 1
        self.connections[slot].isQueued = isQueued
        self.connections.release(slot)
        self.output.clear()
        self.count -= 1
        self.statistics.disconnect()
    }

    private func leave(_ remote: RemoteAddress) {
        self.mailbox.load.subtract(1, ordering: .relaxed)
        if let network = remote.network { self.core.addresses.leave(network) }
    }

    /// The answer of a connection's request has been sent, or never will be.
    @inline(__always)
    mutating func endRequest(_ slot: Int) {
        guard self.connections[slot].isInFlight else { return }
        self.connections[slot].isInFlight = false
        self.statistics.end()
    }

    // MARK: Eviction

    /// Closes the connection that has been idle longest.
    ///
    /// - Returns: false if none is idle.
    private mutating func evictIdle() -> Bool {
        guard self.idleOldest >= 0 else { return false }
        self.destroy(Int(self.idleOldest))
        self.statistics.evict()
        return true
    }

    /// Keeps the list of connections that may be closed to make room, the one that has been idle longest first.
    mutating func setEvictable(_ slot: Int, _ isEvictable: Bool) {
        if self.connections[slot].isEvictable {
            if isEvictable, self.idleNewest == Int32(slot) { return }
            let next = self.connections[slot].idleNext
            let previous = self.connections[slot].idlePrevious
            if previous >= 0 { self.connections[Int(previous)].idleNext = next } else { self.idleOldest = next }
            if next >= 0 { self.connections[Int(next)].idlePrevious = previous } else { self.idleNewest = previous }
        }
        self.connections[slot].isEvictable = isEvictable
        guard isEvictable else { return }
        self.connections[slot].idleNext = -1
        self.connections[slot].idlePrevious = self.idleNewest
        if self.idleNewest >= 0 {
            self.connections[Int(self.idleNewest)].idleNext = Int32(slot)
        } else {
            self.idleOldest = Int32(slot)
        }
        self.idleNewest = Int32(slot)
    }
}
