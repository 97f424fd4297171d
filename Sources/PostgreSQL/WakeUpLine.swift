// The connection over which processes wake each other: LISTEN and NOTIFY, on a thread of its own.
//
// NOTIFY is sent after COMMIT, here, and not in the transaction: there it takes a lock of the whole cluster until the
// commit is flushed, so that no two commits share a flush. The process that commits wakes its own listeners directly.

import CPostgreSQL
import Glibc
import Persistence
import Synchronization
import Threads

@safe final class WakeUpLine: Sendable {
    private struct State: ~Copyable {
        var heard: Set<Channel> = []
        var due: Set<Channel> = []
        var isRunning = false
        var isClosing = false
    }

    private let address: PostgreSQLAddress
    /// Through pgbouncer nothing can be listened to: other processes' wake-ups do not arrive.
    private let canListen: Bool
    private let switchboard = Switchboard()
    private let state = Mutex(State())
    private let bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))

    private let interruption: Interruption

    init(_ address: PostgreSQLAddress, _ pooling: Pooling, _ interruption: Interruption) {
        self.address = address
        self.interruption = interruption
        self.canListen = pooling == .direct
    }

    deinit { close(self.bell) }

    func listen(_ channel: Channel) -> WakeUps {
        let wakeUps = self.switchboard.listen(channel)
        if self.canListen { self.ring { $0.heard.insert(channel).inserted } }
        return wakeUps
    }

    /// After a COMMIT.
    func wake(_ channels: Set<Channel>) {
        if channels.isEmpty { return }
        self.switchboard.wake(channels)
        self.ring { state in
            defer { state.due.formUnion(channels) }
            return state.due.isEmpty
        }
    }

    /// Makes the thread end soon. It is joined at the end of the process.
    func end() {
        self.state.withLock { $0.isClosing = true }
        self.interruption.end()
        eventfd_write(self.bell, 1)
    }

    /// Changes what is to be done; starts the thread, or interrupts it, where there is news.
    private func ring(_ change: (inout State) -> Bool) {
        let (isNews, isFirst) = self.state.withLock { state in
            guard !state.isClosing, change(&state) else { return (false, false) }
            defer { state.isRunning = true }
            return (true, !state.isRunning)
        }
        if isFirst { return Thread.start(interrupt: { [weak self] in self?.end() }, { self.run() }) }
        if isNews { eventfd_write(self.bell, 1) }
    }

    private func run() {
        while !self.isClosing {
            if let handle = unsafe try? self.address.connect(self.interruption) {
                unsafe self.serve(handle)
                unsafe PQfinish(handle)
            }
            // Lost, or refused: another try in a second.
            let again = ContinuousClock.now + .seconds(1)
            while !self.isClosing, .now < again { unsafe self.wait(nil, upTo: 1000) }
        }
    }

    private var isClosing: Bool { self.state.withLock { $0.isClosing } }

    /// Returns when the connection is lost, or on closing.
    private func serve(_ handle: OpaquePointer) {
        unsafe PQsetNoticeProcessor(handle, { _, _ in }, nil)
        var heard: Set<Channel> = []
        while !self.isClosing {
            let (wanted, due) = self.state.withLock { state in
                defer { state.due = [] }
                return (state.heard, state.due)
            }
            let commands = wanted.subtracting(heard).map { "LISTEN \($0.name)" } + due.map { "NOTIFY \($0.name)" }
            if !commands.isEmpty {
                guard unsafe self.execute(commands.joined(separator: ";"), on: handle) else {
                    return self.state.withLock { $0.due.formUnion(due) }
                }
                // What came before we listened is found by looking.
                if wanted != heard { self.switchboard.wakeAll() }
                heard = wanted
            }
            guard unsafe PQconsumeInput(handle) == 1 else { return }
            unsafe self.switchboard.wake(Self.notifications(on: handle))
            if self.state.withLock({ $0.due.isEmpty && $0.heard == heard }) { unsafe self.wait(handle, upTo: -1) }
        }
    }

    private func wait(_ handle: OpaquePointer?, upTo milliseconds: Int32) {
        var polled = [pollfd(fd: self.bell, events: Int16(POLLIN), revents: 0)]
        if let handle = unsafe handle {
            polled.append(pollfd(fd: unsafe PQsocket(handle), events: Int16(POLLIN), revents: 0))
        }
        _ = unsafe poll(&polled, nfds_t(polled.count), milliseconds)
        var count = eventfd_t()
        unsafe eventfd_read(self.bell, &count)
    }

    /// In seconds, for an answer to LISTEN or NOTIFY.
    private static let answerLimit = 10

    /// - Returns: false if the commands fail, the server does not answer, or the line is closing.
    private func execute(_ commands: String, on handle: OpaquePointer) -> Bool {
        guard unsafe PQsendQuery(handle, commands) == 1 else { return false }
        let deadline = ContinuousClock.now + .seconds(Self.answerLimit)
        var isDone = true
        while true {
            while unsafe PQisBusy(handle) == 1 {
                guard unsafe self.interruption.wait(for: POLLIN, on: handle, until: deadline) == .ready,
                    unsafe PQconsumeInput(handle) == 1
                else { return false }
            }
            guard let result = unsafe PQgetResult(handle) else { return isDone }
            if unsafe PQresultStatus(result) != PGRES_COMMAND_OK { isDone = false }
            unsafe PQclear(result)
        }
    }

    /// What others have sent. (Our own comes back too: those listeners were woken already.)
    private static func notifications(on handle: OpaquePointer) -> Set<Channel> {
        var channels: Set<Channel> = []
        while let notification = unsafe PQnotifies(handle) {
            defer { unsafe PQfreemem(notification) }
            guard unsafe notification.pointee.be_pid != PQbackendPID(handle) else { continue }
            channels.insert(Channel(known: unsafe String(cString: notification.pointee.relname)))
        }
        return channels
    }
}
