// What other threads tell a loop. One wake-up for any number of messages.

import CLinux
import Glibc
import HTTP
import Synchronization

/// A connection of a loop; the generation distinguishes the users of a slot.
struct ConnectionKey: Sendable, Equatable {
    let slot: Int32
    let generation: UInt32
}

final class Mailbox: Sendable {
    enum Message: Sendable {
        /// A new client for this loop.
        case client(socket: Int32, RemoteAddress)
        /// An exchange has an answer, room, or something to send.
        case attention(ConnectionKey)
        /// A part of the file that is being sent is in memory now.
        case fileIsReady(ConnectionKey)
        case drain
    }

    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    let descriptor: Int32
    private let state = Mutex(State())
    /// Connections of the loop, those on their way included.
    let load = Atomic(0)
    /// At most so many.
    let limit: Int
    /// When the loop's connection that has been idle longest last did something, in milliseconds of the loops' clock;
    /// `.max` if none is idle.
    let oldestIdle = Atomic(UInt64.max)

    /// - Throws: `HTTPFault.cannotStart` if no descriptor is left.
    init(limit: Int) throws(HTTPFault) {
        self.limit = limit
        self.descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard self.descriptor >= 0 else {
            throw .cannotStart(reason: "cannot create an event descriptor: \(unsafe String(cString: strerror(errno)))")
        }
    }

    deinit {
        self.close()
        Glibc.close(self.descriptor)
    }

    func post(_ message: Message) {
        let (isFirst, isClosed) = self.state.withLock { state in
            guard !state.isClosed else { return (false, true) }
            state.messages.append(message)
            return (state.messages.count == 1, false)
        }
        if isFirst { _ = eventfd_write(self.descriptor, 1) }
        if isClosed { self.discard(message) }
    }

    /// - Parameter batch: empty; its storage is used for the next messages.
    func take(_ batch: inout [Message]) {
        var count = eventfd_t()
        _ = unsafe eventfd_read(self.descriptor, &count)
        self.state.withLock { swap(&$0.messages, &batch) }
    }

    /// Takes nothing any more: the loop has ended. A client that was dealt to it would wait in vain, so it is
    /// disconnected.
    func close() {
        let messages = self.state.withLock { state in
            state.isClosed = true
            let messages = state.messages
            state.messages = []
            return messages
        }
        for message in messages { self.discard(message) }
    }

    private func discard(_ message: Message) {
        if case .client(let socket, _) = message { Glibc.close(socket) }
    }
}
