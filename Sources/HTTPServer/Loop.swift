// One thread: a daemon's events, the connections it has, and their end.

import CMicroHTTPD
import Glibc
import HTTP
import Synchronization

/// Its variables are for its own thread.
final class Loop: @unchecked Sendable {
    /// A socket whose answer has been sent, and until when the rest of its request is read.
    private struct Lingering {
        let socket: Int32
        let deadline: ContinuousClock.Instant
    }

    let server: ServerCore
    private let signal = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    /// Accepted by the loop that listens, for this one.
    private let accepted = Mutex<[Int32]>([])
    private let resumed = Mutex<[Exchange]>([])
    private var listening: (listener: Listener, loops: [Loop])?
    private var turn = 0
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var lingering: [Lingering] = []
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

    /// - Parameter listening: for the loop that listens: where, and whom its clients are dealt to.
    func start(
        _ listening: (listener: Listener, loops: [Loop])?, whenDone done: CheckedContinuation<Void, any Error>
    ) {
        self.listening = listening
        let job = Job { done.resume(with: Result { try self.run() }) }
        var thread = pthread_t()
        let failed = unsafe pthread_create(
            &thread, nil,
            { context in
                unsafe Unmanaged<Job>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(job).toOpaque())
        precondition(failed == 0, "no thread")
        pthread_detach(thread)
    }

    private func run() throws(HTTPFault) {
        var broken = sigset_t()
        unsafe sigemptyset(&broken)
        unsafe sigaddset(&broken, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &broken, nil)

        let configuration = self.server.configuration
        let daemon = try Daemon(for: self, configuration)
        var nextLook = ContinuousClock.now + configuration.watchInterval
        var deadline: ContinuousClock.Instant?
        while true {
            if deadline == nil, self.server.isDraining.load(ordering: .sequentiallyConsistent) {
                self.listening = nil
                deadline = .now + configuration.drainTimeout
            }
            if let deadline, self.server.exchanges.load(ordering: .acquiring) == 0 || .now >= deadline { break }
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
        for lingering in self.lingering { close(lingering.socket) }
        while self.server.tasks.load(ordering: .acquiring) > 0 { usleep(10_000) }
    }

    /// Waits for something to do, and does it.
    private func turn(_ daemon: borrowing Daemon, atMost wait: Duration) {
        let limit = self.server.configuration.connectionLimit / self.server.configuration.threads
        let hasRoom = self.listening.map { $0.loops.contains { $0.count.load(ordering: .relaxed) < limit } } ?? false
        var polled = [
            pollfd(fd: daemon.events, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.signal, events: Int16(POLLIN), revents: 0),
            pollfd(fd: hasRoom ? self.listening!.listener.socket : -1, events: Int16(POLLIN), revents: 0),
        ]
        for lingering in self.lingering {
            polled.append(pollfd(fd: lingering.socket, events: Int16(POLLIN), revents: 0))
        }
        let milliseconds = min(UInt64(wait / .milliseconds(1)), daemon.timeout ?? .max)
        guard unsafe poll(&polled, nfds_t(polled.count), Int32(milliseconds)) >= 0 else { return }
        if polled[1].revents != 0 {
            var count = eventfd_t()
            unsafe eventfd_read(self.signal, &count)
            for exchange in self.resumed.withLock({ $0.takeAll() }) { exchange.goOn() }
            for socket in self.accepted.withLock({ $0.takeAll() }) where !daemon.add(socket) {
                self.count.subtract(1, ordering: .relaxed)
            }
        }
        if polled[2].revents != 0 { self.deal(limit) }
        if !self.lingering.isEmpty { self.readOn(polled.dropFirst(3)) }
        daemon.run()
    }

    /// Accepts clients, and deals them to the loops in turn.
    private func deal(_ limit: Int) {
        guard let (listener, loops) = self.listening else { return }
        for _ in 0..<64 {
            self.turn += 1
            guard
                let loop = (0..<loops.count).lazy.map({ loops[(self.turn + $0) % loops.count] })
                    .first(where: { $0.count.load(ordering: .relaxed) < limit }),
                let socket = listener.accept()
            else { return }
            loop.count.add(1, ordering: .relaxed)
            loop.accepted.withLock { $0.append(socket) }
            loop.wake()
        }
    }

    private func readOn(_ polled: ArraySlice<pollfd>) {
        let now = ContinuousClock.now
        self.lingering = zip(self.lingering, polled).compactMap { lingering, polled in
            if now < lingering.deadline, polled.revents == 0 || Self.discard(lingering.socket) { return lingering }
            close(lingering.socket)
            return nil
        }
    }

    private static func discard(_ socket: Int32) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { buffer in
            let count = unsafe recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            return count > 0 || count < 0 && errno == EAGAIN
        }
    }

    /// Ends exchanges whose clients have gone (the daemon sees nothing of them while it is suspended), and connections
    /// that have sent no whole head in time (to the daemon, a byte is as good as a head).
    private func look() {
        let now = ContinuousClock.now
        var watched: [Exchange] = []
        var polled: [pollfd] = []
        for connection in self.connections.values {
            if let exchange = connection.exchange {
                guard exchange.isSuspended else { continue }
                watched.append(exchange)
                polled.append(pollfd(fd: connection.socket, events: http_poll_hangup, revents: 0))
            } else if now - connection.idleSince > self.server.configuration.headTimeout {
                shutdown(connection.socket, Int32(SHUT_RDWR))
            }
        }
        guard unsafe poll(&polled, nfds_t(polled.count), 0) > 0 else { return }
        for (exchange, polled) in zip(watched, polled) where polled.revents != 0 { exchange.abort() }
    }

    func add(_ connection: Connection) { self.connections[ObjectIdentifier(connection)] = connection }

    /// The daemon closes the connection's socket next.
    func remove(_ connection: Connection) {
        self.connections[ObjectIdentifier(connection)] = nil
        self.count.subtract(1, ordering: .relaxed)
        guard connection.lingers else { return }
        let socket = fcntl(connection.socket, F_DUPFD_CLOEXEC, 0)
        if socket >= 0 { self.lingering.append(Lingering(socket: socket, deadline: .now + .seconds(5))) }
    }

    private final class Job: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

extension Array {
    fileprivate mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}
