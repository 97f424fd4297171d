// The daemon's side of an exchange. Everything here runs on the thread of the connection's loop.

import CMicroHTTPD
import Domain
import HTTP
import Synchronization

/// What the daemon shows of a head.
struct DaemonHead {
    var method: String
    var version: String
    /// The length of the target, NULs and all: more than the target's own where a NUL has cut that short.
    var targetLength: Int
    var headers: Headers
}

extension Exchange {
    var isBegun: Bool { self.state.withLock { unsafe $0.daemon != nil } }

    /// The loop's part of a resume.
    func goOn() {
        self.state.withLock { state in
            if let daemon = unsafe state.daemon { unsafe MHD_resume_connection(daemon) }
        }
    }

    /// A call without bytes of the body.
    func advance() -> MHD_Result {
        let isHeld = self.state.withLock { state in
            if case .held = state.intake { true } else { false }
        }
        return isHeld ? self.proceed() : self.end()
    }

    /// The first call, with the head only. An answer given now closes the connection, so a request without a body
    /// waits for `end`, which follows at once.
    func begin(_ head: DaemonHead, on daemon: OpaquePointer) -> MHD_Result {
        self.state.withLock { state in
            unsafe state.daemon = daemon
            state.isHead = head.method == "HEAD"
        }
        let limit = self.server.configuration.headLimit
        if head.targetLength > limit { return self.refuse(414, "The request target is too long.") }
        let headLength = head.headers.fields.reduce(head.targetLength) {
            $0 + $1.name.utf8.count + $1.value.utf8.count + 4  // a colon, a blank, a line's end
        }
        if headLength > limit { return self.refuse(431, "The request head is too large.") }
        guard
            let framing = DaemonFraming(method: head.method, version: head.version, headers: head.headers),
            head.targetLength == self.target.utf8.count, let target = Target(received: self.target)
        else { return self.refuse(400, "The request is malformed or ambiguous.") }
        let length: Int? =
            switch framing {
            case .none: 0
            case .length(let length): length
            case .chunked: nil
            }
        if let length, length > self.server.configuration.bodyLimit {
            return self.refuse(413, "The body is too large.")
        }
        let request = Request(
            method: head.method, target: target, headers: head.headers,
            remoteAddress: self.connection.remoteAddress, isSecure: self.server.configuration.tls != nil,
            body: RequestBody(length: length, source: self))
        guard framing != .none else {
            self.state.withLock { $0.request = request }
            return .YES
        }
        self.state.withLock { state in
            state.intake = .held
            state.expectsContinue = head.headers["expect"] != nil
            state.announced = length
        }
        self.start(request)
        return self.proceed()
    }

    /// With the body held back: reads it on, answers at once, or waits for the handler to want either. Called again
    /// after that wait.
    func proceed() -> MHD_Result {
        self.state.withLock { state in
            if state.gone != nil { return .NO }
            switch state.answer {
            case .ready(let response):
                let rest = state.announced ?? .max
                guard state.expectsContinue || rest > self.server.configuration.discardLimit else {
                    state.intake = .discarding
                    return .YES
                }
                return self.queue(response, &state, closing: true)
            case .none, .queued:
                guard state.isWanted else { return self.suspend(&state) ? .YES : .NO }
                state.intake = .receiving
                return .YES
            }
        }
    }

    /// A piece of the body.
    ///
    /// - Returns: whether to go on, and how many bytes were taken. Those that weren't come again after a resume.
    func receive(_ bytes: UnsafeRawBufferPointer) -> (result: MHD_Result, taken: Int) {
        self.state.withLock { state in
            if state.gone != nil { return (.NO, 0) }
            if state.isSuspended { return (.YES, 0) }  // a chunked body's next chunk comes although suspended
            if case .ready(let response) = state.answer {
                state.intake = .discarding
                state.discarded += bytes.count
                if state.discarded <= self.server.configuration.discardLimit { return (.YES, bytes.count) }
                self.interrupt(response, &state)
                return (.NO, 0)
            }
            guard bytes.count <= self.server.configuration.bodyLimit - state.received else {
                state.intake = .failed(.bodyTooLarge)
                state.inbox = []
                state.takeReader()?.resume(throwing: HTTPFault.bodyTooLarge)
                return (self.suspend(&state) ? .YES : .NO, 0)  // until the handler answers
            }
            state.received += bytes.count
            self.server.statistics.receive(bytes.count)
            if let reader = state.takeReader() {
                reader.resume(returning: unsafe Array(bytes))
            } else {
                unsafe state.inbox.append(contentsOf: bytes)
                let isFull = state.inbox.count >= self.server.configuration.inboxLimit
                if isFull && !self.suspend(&state) { return (.NO, 0) }
            }
            return (.YES, bytes.count)
        }
    }

    /// The request is complete: the only call in which an answer keeps the connection open.
    func end() -> MHD_Result {
        let request = self.state.withLock { state in
            switch state.intake {
            case .held, .receiving:
                state.intake = .ended
                state.takeReader()?.resume(returning: nil)
            case .discarding, .ended, .failed: break
            }
            return state.request.take()
        }
        if let request { self.start(request) }
        return self.state.withLock { state in
            if state.gone != nil { return .NO }
            if case .ready(let response) = state.answer { return self.queue(response, &state, closing: false) }
            return self.suspend(&state) ? .YES : .NO
        }
    }

    /// Fills the daemon's buffer from the streamed body; zero after a suspend.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        self.state.withLock { state in
            if state.gone != nil { return http_end_with_error }
            guard !state.outbox.isEmpty else {
                switch state.outboxEnd {
                case .success: return http_end_of_stream
                case .failure: return http_end_with_error
                case nil:
                    return self.suspend(&state) ? 0 : http_end_with_error
                }
            }
            let count = min(buffer.count, state.outbox.count - state.taken)
            unsafe state.outbox.withUnsafeBytes { bytes in
                let part = unsafe bytes[state.taken..<(state.taken + count)]
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
            }
            state.taken += count
            self.server.statistics.send(count)
            if state.taken == state.outbox.count {
                state.outbox = []
                state.taken = 0
                if let writer = state.writer.take() {
                    swap(&state.outbox, &state.next)
                    writer.resume()
                }
            }
            return count
        }
    }

    /// The daemon lets go of the request.
    func complete(_ reason: MHD_RequestTerminationCode) {
        let task = self.state.withLock { state in
            self.count(reason, &state)
            unsafe state.daemon = nil
            state.file = nil
            self.fail(&state, .disconnected)
            return reason == .REQUEST_TERMINATED_COMPLETED_OK ? nil : state.task
        }
        task?.cancel()
    }

    /// Counts what has been sent and wasn't counted on its way. Of a file that was broken off, what the client has
    /// acknowledged, which is known for TCP only.
    private func count(_ reason: MHD_RequestTerminationCode, _ state: inout State) {
        guard state.uncounted > 0 else { return }
        if reason == .REQUEST_TERMINATED_COMPLETED_OK {
            self.server.statistics.send(state.uncounted)
        } else if let file = state.file, file.length >= 1 << 20 {
            let acknowledged = http_acknowledged(self.connection.socket)
            let sent = acknowledged > state.acknowledged ? Int(clamping: acknowledged - state.acknowledged) : 0
            self.server.statistics.send(min(sent, state.uncounted))
        }
        state.uncounted = 0
    }
}
