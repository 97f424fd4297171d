// What a loop receives: heads, and the rest of what a client sends when it has its answer already.

import Glibc
import HTTP

extension Loop {
    enum Received {
        case bytes(Int)
        case wouldBlock
        case ended
        case failed
    }

    /// Unused buffers that keep their memory.
    private static let pooledIntakes = 64

    /// Receives into a buffer. A short read means that the socket is empty: no further call is made to find that out.
    mutating func receive(_ slot: Int, _ buffer: UnsafeMutableRawBufferPointer) -> Received {
        if self.connections[slot].isSecure { return unsafe self.receiveSecurely(slot, buffer) }
        while true {
            let count = unsafe recv(self.connections[slot].socket, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                // After the client's end one more read is needed to see it.
                if count < buffer.count, !self.connections[slot].hasEnded { self.connections[slot].isReadable = false }
                self.connections[slot].lastActivity = self.now
                return .bytes(count)
            }
            if count == 0 { return .ended }
            if errno == EINTR { continue }
            guard errno == EAGAIN else { return .failed }
            self.connections[slot].isReadable = false
            return .wouldBlock
        }
    }

    /// Bytes that have been received and not been read.
    @inline(__always)
    func unread(_ slot: Int) -> Int {
        let intake = Int(self.connections[slot].intake)
        return intake >= 0 ? self.intakes[intake].unread : 0
    }

    mutating func releaseIntake(_ slot: Int) {
        let intake = Int(self.connections[slot].intake)
        guard intake >= 0 else { return }
        self.intakes[intake].clear()
        // A flood of connections must not leave its memory behind.
        if self.intakes.freeCount >= Self.pooledIntakes { self.intakes[intake].shrink() }
        self.intakes.release(intake)
        self.connections[slot].intake = -1
    }

    /// Receives into the connection's buffer.
    mutating func fill(_ slot: Int) -> Received {
        if self.connections[slot].intake < 0 {
            let limits = self.headLimits
            guard let intake = self.intakes.take({ Intake(limits: limits) }) else { return .failed }
            self.connections[slot].intake = Int32(intake)
        }
        let intake = Int(self.connections[slot].intake)
        let room = unsafe self.intakes[intake].room()
        let received = unsafe self.receive(slot, room)
        if case .bytes(let count) = received { self.intakes[intake].filled(count) }
        return received
    }

    // MARK: Heads

    mutating func read(_ slot: Int) -> Step {
        if self.connections[slot].hasNews {
            self.connections[slot].hasNews = false
            let intake = Int(self.connections[slot].intake)
            switch self.intakes[intake].parse() {
            case .complete: return self.dispatch(slot, intake)
            case .rejected(let rejection): return self.reject(slot, rejection)
            case .needsMore: break
            }
        }
        if self.output.count > 0 {
            switch self.push(slot) {
            case .done: break
            case .blocked, .yielded:
                self.connections[slot].phase = .answering
                return .wait
            case .failed:
                self.destroy(slot)
                return .gone
            }
        }
        guard self.connections[slot].isReadable else { return .wait }
        switch self.fill(slot) {
        case .bytes:
            self.connections[slot].hasNews = true
            return .again
        case .wouldBlock: return .wait
        case .ended, .failed:
            self.destroy(slot)
            return .gone
        }
    }

    @inline(__always)
    private mutating func dispatch(_ slot: Int, _ intake: Int) -> Step {
        self.connections[slot].hasHadRequest = true
        let length = self.intakes[intake].parser.head.length
        self.connections[slot].closesAfterAnswer = !self.intakes[intake].parser.head.keepsAlive || self.isDraining
        guard self.intakes[intake].parser.head.framing == .none else { return self.begin(slot, intake, length) }
        if let answer = self.preparedAnswer(intake) {
            let isHead = self.intakes[intake].parser.head.method == .head
            let isOld = !self.intakes[intake].parser.head.isHTTP11
            self.statistics.answer()
            self.consumeHead(slot, intake, length)
            return self.send(answer, slot, isHead: isHead, isOld: isOld)
        }
        return self.begin(slot, intake, length)
    }

    @inline(__always)
    private mutating func preparedAnswer(_ intake: Int) -> PreparedAnswer? {
        if self.intakes[intake].parser.head.isForServer { return .methods }
        guard let prepared = self.configuration.prepared else { return nil }
        switch self.intakes[intake].withHead({ prepared($0, $1) }) {
        case .none: return nil
        case .prepared(let answer): return answer
        }
    }

    @inline(__always)
    private mutating func consumeHead(_ slot: Int, _ intake: Int, _ length: Int) {
        self.intakes[intake].consume(length)
        self.intakes[intake].parser.reset()
        self.connections[slot].hasNews = self.intakes[intake].unread > 0
    }

    /// Starts the handler.
    private mutating func begin(_ slot: Int, _ intake: Int, _ length: Int) -> Step {
        if self.intakes[intake].parser.head.isForServer { return self.reject(slot, .targetMalformed) }
        let framing = self.intakes[intake].parser.head.framing
        switch framing {
        case .none: self.connections[slot].body = .none
        case .length(let count):
            guard count <= self.configuration.bodyLimit else { return self.reject(slot, .bodyTooLarge) }
            self.connections[slot].body = .length
            self.connections[slot].bodyLeft = count
        case .chunked:
            self.connections[slot].body = .chunked
            self.intakes[intake].decoder = ChunkedDecoder()
        }
        self.connections[slot].expectsContinue = self.intakes[intake].parser.head.expectsContinue
        self.connections[slot].received = 0
        self.connections[slot].discarded = 0
        self.connections[slot].hasFailedBody = false
        self.connections[slot].isInFlight = true
        // The windows of an earlier request on this connection do not count.
        self.connections[slot].timerKind = .none
        self.statistics.begin()
        let key = self.key(slot)
        let core = self.core
        let mailbox = self.mailbox
        let client = Exchange.Client(
            address: self.connections[slot].remote.text, isSecure: self.connections[slot].isSecure,
            subject: self.connections[slot].clientSubject)
        let exchange = self.intakes[intake].withHead { head, bytes in
            Exchange(head, bytes, core: core, client: client, mailbox: mailbox, key: key)
        }
        self.consumeHead(slot, intake, length)
        self.connections[slot].exchange = exchange
        self.connections[slot].phase = .handling
        exchange.start()
        return .again
    }

    // MARK: The end

    /// Sends our end; the connection is closed when the client's end comes, or after the linger timeout. (A socket that
    /// is closed with unread bytes is reset, and the client may lose the answer.)
    mutating func shutDown(_ slot: Int) -> Step {
        self.connections[slot].exchange = nil
        if self.connections[slot].isSecure { self.connections[slot].tls?.sendClose() }
        if self.connections[slot].hasEnded {
            self.destroy(slot)
            return .gone
        }
        shutdown(self.connections[slot].socket, Int32(SHUT_WR))
        self.releaseIntake(slot)
        self.connections[slot].phase = .lingering
        return .again
    }

    mutating func linger(_ slot: Int) -> Step {
        guard self.connections[slot].isReadable else { return .wait }
        let buffer = unsafe self.output.free
        let count = unsafe recv(self.connections[slot].socket, buffer.baseAddress, buffer.count, 0)
        if count > 0 { return .again }
        if count < 0, errno == EAGAIN || errno == EINTR {
            self.connections[slot].isReadable = errno == EINTR
            return .wait
        }
        self.destroy(slot)
        return .gone
    }
}
