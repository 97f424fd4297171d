// How a loop answers: prepared answers, rejections, and the answers of handlers.

import Glibc
import HTTP

extension Loop {
    /// Bodies up to this size are copied behind their heads, so that both leave in one call. In bytes.
    static let copyLimit = 16 * 1024
    /// In bytes: what a head may have.
    static let headRoom = 24 * 1024

    // MARK: Prepared answers

    @inline(__always)
    mutating func send(_ answer: PreparedAnswer, _ slot: Int, isHead: Bool, isOld: Bool) -> Step {
        let bodyCount = isHead ? 0 : answer.body.length
        let isCopied = bodyCount <= Self.copyLimit
        if self.output.room < answer.head.count + 128 + (isCopied ? bodyCount : 0), self.push(slot) == .failed {
            self.destroy(slot)
            return .gone
        }
        let closes = self.connections[slot].closesAfterAnswer
        self.output.append(answer.head)
        self.output.endHead(self.date.line, closes: closes, isHTTP11: !isOld)
        if bodyCount > 0 {
            switch answer.body {
            case .bytes(let bytes):
                self.statistics.send(bodyCount)
                if isCopied { self.output.append(bytes) } else { self.setBody(bytes, slot) }
            case .file(let region):
                if !isCopied || self.output.append(cached: region) != .whole {
                    self.setFile(region, slot)
                } else {
                    self.statistics.send(bodyCount)
                }
            }
        }
        if !closes, self.connections[slot].outgoing.isEmpty { return .again }
        self.connections[slot].phase = .answering
        return .again
    }

    // MARK: Rejections

    /// Answers a request that is not given to a handler, and ends the connection.
    mutating func reject(_ slot: Int, _ rejection: Rejection) -> Step {
        self.connections[slot].closesAfterAnswer = true
        self.connections[slot].body = .none
        let response = self.core.response(rejecting: rejection, from: self.connections[slot].remote.text)
        if self.output.room < Self.headRoom + response.copiedLength, self.push(slot) == .failed {
            self.destroy(slot)
            return .gone
        }
        self.connections[slot].phase = .answering
        self.append(response, slot, omitsBody: false)
        return .again
    }

    /// Appends an answer of the server's own, whose body is in memory.
    private mutating func append(_ response: Response, _ slot: Int, omitsBody: Bool) {
        self.output.append(response, .length(response.bodyLength ?? 0))
        self.output.endHead(self.date.line, closes: self.connections[slot].closesAfterAnswer, isHTTP11: true)
        guard case .bytes(let bytes) = response.body, !omitsBody else { return }
        self.statistics.send(bytes.count)
        if bytes.count <= min(Self.copyLimit, self.output.room) {
            self.output.append(bytes)
        } else {
            self.setBody(bytes, slot)
        }
    }

    // MARK: Answers of handlers

    /// Begins to send a handler's answer.
    mutating func start(_ response: Response, _ exchange: Exchange, _ slot: Int) -> Step {
        let body = self.connections[slot].body
        if body != .none {
            // The unread rest is read only if it is known to be short and on its way.
            let isShort = body == .length && self.connections[slot].bodyLeft <= self.configuration.discardLimit
            let isComing = !self.connections[slot].expectsContinue
            if !isShort || !isComing || self.connections[slot].hasFailedBody {
                self.connections[slot].closesAfterAnswer = true
            }
        }
        if self.isDraining { self.connections[slot].closesAfterAnswer = true }
        if self.output.room < Self.headRoom + response.copiedLength, self.push(slot) == .failed {
            self.destroy(slot)
            return .gone
        }
        let hasBody = Exchange.hasBody(response.status, exchange.method)
        let delimiter = ResponseHead.delimiter(response, exchange.method, isHTTP11: exchange.isHTTP11)
        if case .none = delimiter, hasBody { self.connections[slot].closesAfterAnswer = true }
        self.connections[slot].phase = .answering
        if hasBody, case .file(let region) = response.body, region.length > Self.copyLimit, !region.isWhole {
            return self.startFault(exchange, slot, hasBody: hasBody)
        }
        let mark = self.output.count
        self.output.append(response, delimiter)
        self.output.endHead(
            self.date.line, closes: self.connections[slot].closesAfterAnswer, isHTTP11: exchange.isHTTP11)
        guard hasBody else { return .again }
        switch response.body {
        case .bytes(let bytes):
            self.statistics.send(bytes.count)
            if bytes.count <= min(Self.copyLimit, self.output.room) {
                self.output.append(bytes)
            } else {
                self.setBody(bytes, slot)
            }
        case .file(let region):
            guard region.length <= min(Self.copyLimit, self.output.room) else {
                self.setFile(region, slot)
                break
            }
            // One read costs less than a second call to send.
            switch self.output.append(cached: region) {
            case .whole: self.statistics.send(region.length)
            case .notCached: self.setFile(region, slot)
            case .tooShort:
                self.output.truncate(to: mark)
                return self.startFault(exchange, slot, hasBody: hasBody)
            }
        case .stream(let length, _):
            // All three: the connection may have sent a stream of the other kind before.
            self.connections[slot].outgoing.isStream = true
            self.connections[slot].outgoing.isChunked = if case .chunked = delimiter { true } else { false }
            self.connections[slot].outgoing.streamLeft = length
        }
        return .again
    }

    /// Answers 500 in the place of an answer that cannot be sent.
    private mutating func startFault(_ exchange: Exchange, _ slot: Int, hasBody: Bool) -> Step {
        self.append(self.core.internalFault(self.connections[slot].remote.text), slot, omitsBody: !hasBody)
        return .again
    }

    mutating func setBody(_ bytes: [UInt8], _ slot: Int) {
        self.connections[slot].outgoing.body = bytes
        self.connections[slot].outgoing.bodyOffset = 0
    }

    mutating func setFile(_ region: FileRegion, _ slot: Int) {
        self.connections[slot].outgoing.file = region
        self.connections[slot].outgoing.fileOffset = region.offset
        self.connections[slot].outgoing.fileLeft = region.length
        self.connections[slot].outgoing.fileReadyUntil = region.offset
    }

    // MARK: Sending on

    mutating func answering(_ slot: Int) -> Step {
        let closes = self.connections[slot].closesAfterAnswer
        if closes || self.output.room < Self.headRoom || !self.connections[slot].outgoing.isEmpty {
            switch self.push(slot) {
            case .done: break
            case .blocked: return .wait
            case .yielded:
                self.enqueue(slot)
                return .wait
            case .failed:
                self.destroy(slot)
                return .gone
            }
            if self.connections[slot].outgoing.isStream { return self.stream(slot) }
            self.connections[slot].outgoing = Outgoing()
        }
        self.connections[slot].exchange = nil
        self.endRequest(slot)
        if closes { return self.shutDown(slot) }
        self.connections[slot].phase = self.connections[slot].body == .none ? .reading : .discarding
        return .again
    }

    /// Takes the next chunk of a streamed answer.
    private mutating func stream(_ slot: Int) -> Step {
        guard let exchange = self.connections[slot].exchange else { return .wait }
        switch exchange.nextOutput() {
        case .waiting: return .wait
        case .chunk(let bytes):
            self.statistics.send(bytes.count)
            if self.connections[slot].outgoing.isChunked {
                self.output.append(hexadecimal: bytes.count)
                self.output.append("\r\n")
                self.setBody(bytes, slot)
                self.connections[slot].outgoing.body += [0x0D, 0x0A]
            } else {
                if let left = self.connections[slot].outgoing.streamLeft {
                    guard bytes.count <= left else {
                        self.destroy(slot)  // more than was announced
                        return .gone
                    }
                    self.connections[slot].outgoing.streamLeft = left - bytes.count
                }
                self.setBody(bytes, slot)
            }
            return .again
        case .ended(.failed):
            return self.cut(slot)  // the client sees that the body is not whole
        case .ended(.finished):
            guard self.connections[slot].outgoing.streamLeft ?? 0 == 0 else { return self.cut(slot) }
            if self.connections[slot].outgoing.isChunked { self.output.append("0\r\n\r\n") }
            self.connections[slot].outgoing.isStream = false
            return .again
        }
    }

    /// Ends the connection in the middle of an answer.
    private mutating func cut(_ slot: Int) -> Step {
        self.destroy(slot)
        return .gone
    }
}

extension Response {
    /// In bytes: what of the body goes behind the head.
    fileprivate var copiedLength: Int {
        let length = self.bodyLength ?? 0
        return length <= Loop.copyLimit ? length : 0
    }
}
