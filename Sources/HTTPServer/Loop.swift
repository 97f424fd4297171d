// One thread: a daemon's events, the connections it has, and their end.

import CMicroHTTPD
import Glibc
import HTTP
import Synchronization
import Threads

/// Its variables are for its own thread.
final class Loop: @unchecked Sendable {
    /// A socket whose answer has been sent, and until when the rest of its request is read.
    struct Lingering {
        let socket: Int32
        let deadline: ContinuousClock.Instant
    }

    let server: ServerCore
    private let signal = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    /// Accepted by the loop that listens, for this one; nil once this one has ended.
    private let accepted = Mutex<[Int32]?>([])
    private let resumed = Mutex<[Exchange]>([])
    private var listening: (listener: Listener, loops: [Loop])?
    /// Until then nobody is accepted: no descriptor was left.
    private var listensAfter = ContinuousClock.now
    private var turn = 0
    var connections: [ObjectIdentifier: Connection] = [:]
    var lingering: [Lingering] = []
    private let count = Atomic(0)

    init(_ server: ServerCore) { self.server = server }

    deinit { close(self.signal) }

    /// Makes the loop look around.
    func wake() { eventfd_write(self.signal, 1) }

    /// Lets a suspended exchange go on, in the loop's next turn. For any thread, unlike the daemon's own resuming: that
    /// doesn't wake a loop that isn't the daemon's.
    func resume(_ exchange: Exchange) {
        let isFirst = self.resumed.withLock { resumed in
            resumed.append(exchange)
            return resumed.count == 1
        }
        if isFirst { self.wake() }
    }

    /// Runs on a thread of its own until the server has drained or its time for that is up.
    ///
    /// - Parameter listening: for the loop that listens: where, and whom its clients are dealt to.
    /// - Throws: `HTTPFault.cannotStart`.
    func run(_ listening: (listener: Listener, loops: [Loop])?, whenStarted: @escaping @Sendable () -> Void)
        async throws
    {
        self.listening = listening
        try await withCheckedThrowingContinuation { done in
            Thread.start { done.resume(with: Result { try self.serve(whenStarted) }) }
        }
    }

    private func serve(_ whenStarted: () -> Void) throws(HTTPFault) {
        defer { self.listening = nil }  // whose loops point back
        var broken = sigset_t()
        unsafe sigemptyset(&broken)
        unsafe sigaddset(&broken, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &broken, nil)

        let configuration = self.server.configuration
        let daemon = try Daemon(for: self, configuration)
        whenStarted()
        var nextLook = ContinuousClock.now + configuration.watchInterval
        var deadline: ContinuousClock.Instant?
        while true {
            if deadline == nil, self.server.isDraining.load(ordering: .sequentiallyConsistent) {
                self.listening?.listener.stop()
                self.listening = nil
                deadline = .now + configuration.drainTimeout
            }
            if let deadline {
                let isDone = self.server.closeIfIdle() && self.lingering.isEmpty
                if isDone || .now >= deadline { break }
            }
            self.turn(daemon, atMost: deadline == nil ? configuration.watchInterval : .milliseconds(20))
            if .now >= nextLook {
                self.look()
                nextLook = .now + configuration.watchInterval
            }
        }
        self.server.isStopping.store(true, ordering: .sequentiallyConsistent)
        for connection in self.connections.values { connection.exchange?.abort() }
        for exchange in self.resumed.withLock({ $0.takeAll() }) { exchange.goOn() }
        daemon.run()
        _ = consume daemon
        for socket in self.accepted.withLock({ $0.take() }) ?? [] { close(socket) }
        for lingering in self.lingering { close(lingering.socket) }
        while self.server.tasks.load(ordering: .acquiring) > 0 { usleep(10_000) }
    }

    /// Waits for something to do, and does it.
    private func turn(_ daemon: borrowing Daemon, atMost wait: Duration) {
        let limit = max(1, self.server.configuration.connectionLimit / max(1, self.server.configuration.threads))
        var polled = [
            pollfd(fd: daemon.events, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.signal, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.door(limit), events: Int16(POLLIN), revents: 0),
        ]
        for lingering in self.lingering {
            polled.append(pollfd(fd: lingering.socket, events: Int16(POLLIN), revents: 0))
        }
        let milliseconds = min(UInt64(max(.zero, wait) / .milliseconds(1)), daemon.timeout ?? .max)
        guard unsafe poll(&polled, nfds_t(polled.count), Int32(clamping: milliseconds)) >= 0 else { return }
        if polled[1].revents != 0 {
            var count = eventfd_t()
            unsafe eventfd_read(self.signal, &count)
            for exchange in self.resumed.withLock({ $0.takeAll() }) { exchange.goOn() }
            for socket in self.accepted.withLock({ $0?.takeAll() }) ?? [] where !daemon.add(socket) {
                self.count.subtract(1, ordering: .relaxed)
            }
        }
        if polled[2].revents != 0 { self.deal(limit) }
        if !self.lingering.isEmpty { self.readOn(polled.dropFirst(3)) }
        daemon.run()
    }

    /// The listening socket; -1, which is never ready, where there is no room for another client.
    private func door(_ limit: Int) -> Int32 {
        guard let (listener, loops) = self.listening, .now >= self.listensAfter,
            loops.contains(where: { $0.count.load(ordering: .relaxed) < limit })
        else { return -1 }
        return listener.socket
    }

    /// Accepts clients, and deals them to the loops in turn.
    private func deal(_ limit: Int) {
        guard let (listener, loops) = self.listening else { return }
        for _ in 0..<64 {
            self.turn += 1
            guard
                let loop = (0..<loops.count).lazy.map({ loops[(self.turn + $0) % loops.count] })
                    .first(where: { $0.count.load(ordering: .relaxed) < limit })
            else { return }
            switch listener.accept() {
            case .client(let socket):
                loop.take(socket)
            case .nobody: return
            case .exhausted:
                self.listensAfter = .now + self.server.configuration.watchInterval
                return
            }
        }
    }

    /// Takes over a client that the loop that listens has accepted, for its next turn. One that ends just then takes
    /// nobody any more: whom it left behind would wait for an answer in vain.
    func take(_ socket: Int32) {
        self.count.add(1, ordering: .relaxed)
        if self.accepted.withLock({ $0?.append(socket) }) == nil { close(socket) }
        self.wake()
    }

    func add(_ connection: Connection) {
        self.connections[ObjectIdentifier(connection)] = connection
        self.server.statistics.connect()
    }

    /// The daemon closes the connection's socket next.
    func remove(_ connection: Connection) {
        self.connections[ObjectIdentifier(connection)] = nil
        self.count.subtract(1, ordering: .relaxed)
        self.server.statistics.disconnect()
        guard connection.lingers else { return }
        let socket = fcntl(connection.socket, F_DUPFD_CLOEXEC, 0)
        if socket >= 0 { self.lingering.append(Lingering(socket: socket, deadline: .now + .seconds(5))) }
    }
}

extension Array {
    fileprivate mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}
