// What a loop receives of bodies: for the handler, as it pulls, or to throw it away.

import Glibc
import HTTP

extension Loop {
    private enum BodyStep {
        case bytes([UInt8])
        case wait
        case ended
        case rejected(Rejection)
    }

    /// The most that one call receives, in bytes.
    private static let receiveLimit = 128 * 1024

    mutating func handling(_ slot: Int) -> Step {
        guard let exchange = self.connections[slot].exchange else { return .wait }
        let progress = exchange.progress()
        if let response = progress.response { return self.start(response, exchange, slot) }
        // What is before the answer (100 Continue, answers of earlier requests) leaves now.
        if self.output.count > 0 || self.connections[slot].outgoing.hasBytes, self.push(slot) == .failed {
            self.destroy(slot)
            return .gone
        }
        guard self.connections[slot].body != .none, !self.connections[slot].hasFailedBody else { return .wait }
        // The end of a client whose body is not pulled cannot be told from half a close; a reset is an event of its own.
        guard progress.wantsBody else { return .wait }
        let room = exchange.room(of: self.configuration.inboxLimit)
        guard room > 0 else { return .wait }
        if self.connections[slot].expectsContinue {
            self.connections[slot].expectsContinue = false
            if self.unread(slot) == 0 {
                self.output.append("HTTP/1.1 100 Continue\r\n\r\n")
                if self.push(slot) == .failed {
                    self.destroy(slot)
                    return .gone
                }
            }
        }
        switch self.takeBody(slot, room) {
        case .bytes(let bytes):
            self.connections[slot].received += bytes.count
            guard self.connections[slot].received <= self.configuration.bodyLimit else {
                // The handler answers; what follows is not read any more.
                self.connections[slot].hasFailedBody = true
                self.connections[slot].closesAfterAnswer = true
                exchange.fail(.bodyTooLarge)
                return .again
            }
            self.statistics.receive(bytes.count)
            exchange.deliver(bytes, isLast: self.connections[slot].body == .none)
            return .again
        case .wait: return .wait
        case .ended:
            self.destroy(slot)
            return .gone
        case .rejected(let rejection): return self.rejectBody(slot, rejection)
        }
    }

    /// Answers a request whose body is malformed or too slow, whatever its handler does, and ends the connection.
    mutating func rejectBody(_ slot: Int, _ rejection: Rejection) -> Step {
        self.connections[slot].exchange?.fail(.disconnected)
        self.connections[slot].exchange = nil
        return self.reject(slot, rejection)
    }

    /// What is there of a body, at most `room` bytes (a chunk more if it is chunked).
    private mutating func takeBody(_ slot: Int, _ room: Int) -> BodyStep {
        switch self.connections[slot].body {
        case .none: return .wait
        case .length:
            let left = self.connections[slot].bodyLeft
            let bytes: [UInt8]
            if self.unread(slot) > 0 {
                bytes = self.intakes[Int(self.connections[slot].intake)].takeBytes(min(left, room))
            } else {
                guard self.connections[slot].isReadable else { return .wait }
                var received = Received.wouldBlock
                let most = min(left, room, Self.receiveLimit)
                bytes = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
                    received = unsafe self.receive(slot, UnsafeMutableRawBufferPointer(buffer))
                    if case .bytes(let received) = received { count = received }
                }
                switch received {
                case .bytes: break
                case .wouldBlock: return .wait
                case .ended, .failed: return .ended
                }
            }
            self.connections[slot].bodyLeft -= bytes.count
            if self.connections[slot].bodyLeft == 0 { self.endBody(slot) }
            return .bytes(bytes)
        case .chunked:
            if self.unread(slot) == 0 {
                guard self.connections[slot].isReadable else { return .wait }
                switch self.fill(slot) {
                case .bytes: break
                case .wouldBlock: return .wait
                case .ended, .failed: return .ended
                }
            }
            var bytes: [UInt8] = []
            switch self.intakes[Int(self.connections[slot].intake)].decode(&bytes, limit: room) {
            case .complete: self.endBody(slot)
            case .rejected(let rejection): return .rejected(rejection)
            case .data, .needsMore: break
            }
            return .bytes(bytes)
        }
    }

    private mutating func endBody(_ slot: Int) {
        self.connections[slot].body = .none
        self.connections[slot].hasNews = self.unread(slot) > 0
    }

    mutating func discard(_ slot: Int) -> Step {
        guard self.connections[slot].body != .none else {
            self.connections[slot].phase = .reading
            self.connections[slot].hasNews = self.unread(slot) > 0
            return .again
        }
        switch self.takeBody(slot, 64 * 1024) {
        case .bytes(let bytes):
            self.connections[slot].discarded += bytes.count
            if self.connections[slot].discarded > self.configuration.discardLimit { return self.shutDown(slot) }
            return .again
        case .wait: return .wait
        case .ended:
            self.destroy(slot)
            return .gone
        case .rejected: return self.shutDown(slot)
        }
    }
}
