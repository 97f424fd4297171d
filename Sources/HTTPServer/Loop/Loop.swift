// One thread: its sockets, its clock and its connections. Everything runs on that thread only, so nothing is locked.
// Sockets are watched edge-triggered, once for their whole life: no call is needed to pause or resume one.

import CLinux
import Glibc
import HTTP
import Synchronization

struct Loop: ~Copyable {
    enum Step {
        case again
        case wait
        /// The connection is closed; its slot is free.
        case gone
    }

    private static let mailboxTag = UInt64.max
    static let listenerTag = UInt64.max - 1
    /// Connections beyond the limit that a loop has room for. (Which loop a client is dealt to is decided by another one,
    /// from what it last knew.)
    private static let spare = 64

    let core: ServerCore
    let configuration: Server.Configuration
    let statistics: Server.Statistics
    let mailbox: Mailbox
    let poll: Epoll
    let timeouts: Timeouts
    let headLimits: HeadParser.Limits

    var connections: Slab<Connection>
    var intakes: Slab<Intake>
    var output = OutputBuffer()
    var date = DateField()
    /// In milliseconds.
    var now = Loop.milliseconds()
    var isDraining = false
    var wheel = TimerWheel(now: Loop.milliseconds())
    var expired: [Int] = []
    var idleOldest: Int32 = -1
    var idleNewest: Int32 = -1
    /// Connections.
    var count = 0
    var isListening = false
    /// No client is accepted before: no descriptor was left.
    var listensAfter: UInt64 = 0
    private var queue: [Int32] = []
    private var messages: [Mailbox.Message] = []
    private var drainDeadline = UInt64.max

    init(_ core: ServerCore, _ index: Int, _ poll: Epoll) {
        self.core = core
        self.configuration = core.configuration
        self.statistics = core.statistics
        self.mailbox = core.mailboxes[index]
        self.poll = poll
        self.timeouts = Timeouts(core.configuration)
        var limits = HeadParser.Limits()
        limits.head = core.configuration.headLimit
        limits.target = core.configuration.targetLimit
        self.headLimits = limits
        self.connections = Slab(capacity: core.mailboxes[index].limit + Self.spare)
        self.intakes = Slab(capacity: core.mailboxes[index].limit + Self.spare)
    }

    // MARK: Turns

    /// Returns when the server has been drained.
    mutating func run() {
        Self.blockPipeSignal()
        self.poll.watch(self.mailbox.descriptor, EPOLLIN.rawValue, tag: Self.mailboxTag)
        self.listen()
        let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)
        defer { unsafe events.deallocate() }
        while !(self.isDraining && (self.count == 0 || self.now >= self.drainDeadline)) {
            let ready = unsafe self.poll.wait(events, timeout: self.wait())
            self.now = Self.milliseconds()
            self.date.update(self.now)
            for index in 0..<ready {
                let (flags, tag) = unsafe (events[index].events, events[index].data.u64)
                switch tag {
                case Self.mailboxTag: self.readMail()
                case Self.listenerTag: self.accept()
                default: self.handle(flags, tag)
                }
            }
            self.continueQueued()
            self.fireTimers()
            self.updateListening()
        }
        for slot in self.connections.indices where self.connections[slot].phase != .free { self.destroy(slot) }
        self.mailbox.close()
        // Handlers have been told that their clients have gone.
        while self.core.tasks.load(ordering: .acquiring) > 0 { usleep(2_000) }
    }

    /// How long to wait for events, in milliseconds; -1 for as long as there are none.
    private func wait() -> Int32 {
        if !self.queue.isEmpty { return 0 }
        var wait = self.wheel.wait(from: self.now)
        if self.listensAfter > self.now { wait = min(wait ?? .max, self.listensAfter &- self.now) }
        if self.isDraining { wait = min(wait ?? .max, 50) }
        return wait.map { Int32(clamping: $0) } ?? -1
    }

    @inline(__always)
    private mutating func handle(_ flags: UInt32, _ tag: UInt64) {
        let slot = Int(tag & 0xFFFF_FFFF)
        guard self.connections[slot].generation == UInt32(tag >> 32) else { return }
        if flags & EPOLLIN.rawValue != 0 { self.connections[slot].isReadable = true }
        if flags & EPOLLOUT.rawValue != 0 { self.connections[slot].isWritable = true }
        if flags & EPOLLRDHUP.rawValue != 0 {
            self.connections[slot].hasEnded = true
            self.connections[slot].isReadable = true
        }
        if flags & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { self.connections[slot].isBroken = true }
        self.pump(slot)
    }

    private mutating func readMail() {
        var batch: [Mailbox.Message] = []
        swap(&batch, &self.messages)
        self.mailbox.take(&batch)
        for message in batch {
            switch message {
            case .client(let socket, let remote): self.add(socket, remote)
            case .attention(let key):
                let slot = Int(key.slot)
                if self.connections[slot].generation == key.generation { self.pump(slot) }
            case .fileIsReady(let key):
                let slot = Int(key.slot)
                guard self.connections[slot].generation == key.generation else { break }
                self.connections[slot].outgoing.awaitsFile = false
                self.pump(slot)
            case .drain: self.drain()
            }
        }
        batch.removeAll(keepingCapacity: true)
        self.messages = batch
    }

    private mutating func continueQueued() {
        guard !self.queue.isEmpty else { return }
        let slots = self.queue
        self.queue = []
        for slot in slots {
            self.connections[Int(slot)].isQueued = false
            if self.connections[Int(slot)].phase != .free { self.pump(Int(slot)) }
        }
    }

    /// Does what can be done for a connection, and then lets others have their turn.
    mutating func pump(_ slot: Int) {
        if self.connections[slot].isBroken, self.connections[slot].phase != .free {
            self.destroy(slot)
            return
        }
        var steps = 0
        loop: while true {
            switch self.step(slot) {
            case .gone: return
            case .wait: break loop
            case .again:
                steps += 1
                guard steps >= 64 else { continue }
                self.enqueue(slot)
                break loop
            }
        }
        if self.output.count > 0, self.push(slot) == .failed {
            self.destroy(slot)
            return
        }
        self.settle(slot)
    }

    /// Makes a connection's next turn come without an event.
    mutating func enqueue(_ slot: Int) {
        guard !self.connections[slot].isQueued else { return }
        self.connections[slot].isQueued = true
        self.queue.append(Int32(slot))
    }

    @inline(__always)
    private mutating func step(_ slot: Int) -> Step {
        switch self.connections[slot].phase {
        case .reading: self.read(slot)
        case .handling: self.handling(slot)
        case .answering: self.answering(slot)
        case .discarding: self.discard(slot)
        case .lingering: self.linger(slot)
        case .handshake: self.handshake(slot)
        case .free: .gone
        }
    }

    // MARK: The end

    private mutating func drain() {
        guard !self.isDraining else { return }
        self.isDraining = true
        self.drainDeadline = self.now &+ Timeouts.milliseconds(self.configuration.drainTimeout)
        self.stopListening()
        self.core.listener.stop()
        for slot in self.connections.indices {
            // A request that is not whole is not waited for.
            switch self.connections[slot].phase {
            case .handshake, .reading: self.destroy(slot)
            case .free, .handling, .answering, .discarding, .lingering: break
            }
        }
    }

    private static func blockPipeSignal() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
