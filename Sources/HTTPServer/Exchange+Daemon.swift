// The daemon's side of an exchange. Everything here runs on the thread of the connection's loop.

import CMicroHTTPD
import Domain
import HTTP
import Synchronization

/// What the daemon shows of a head.
struct Head {
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
    func begin(_ head: Head, on daemon: OpaquePointer) -> MHD_Result {
        self.state.withLock { unsafe $0.daemon = daemon }
        guard
            let framing = Framing(method: head.method, version: head.version, headers: head.headers),
            head.targetLength == self.target.description.utf8.count,
            self.target.path.utf8.first == UInt8(ascii: "/")
        else { return self.refuse(.text(400, "bad request\n")) }
        let length: Int? =
            switch framing {
            case .none: 0
            case .length(let length): length
            case .chunked: nil
            }
        if let length, length > self.server.configuration.bodyLimit {
            return self.refuse(.text(413, "body too large\n"))
        }
        let request = Request(
            method: head.method, target: self.target, headers: head.headers,
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
                state.reader.take()?.resume(throwing: HTTPFault.bodyTooLarge)
                return (self.suspend(&state) ? .YES : .NO, 0)  // until the handler answers
            }
            state.received += bytes.count
            if let reader = state.reader.take() {
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
                state.reader.take()?.resume(returning: nil)
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
            unsafe state.daemon = nil
            self.fail(&state, .disconnected)
            return reason == .REQUEST_TERMINATED_COMPLETED_OK ? nil : state.task
        }
        task?.cancel()
    }

    private func refuse(_ response: Response) -> MHD_Result {
        self.state.withLock { self.queue(response, &$0, closing: true) }
    }

    private func queue(_ response: Response, _ state: inout State, closing: Bool) -> MHD_Result {
        state.answer = .queued
        if closing { self.connection.lingers = true }
        guard let daemon = unsafe state.daemon else { return .NO }
        return unsafe OutgoingResponse(response, for: self).queue(response.status, on: daemon)
    }

    /// Answers in the middle of a body, where the daemon can't: past it, and only what fits the socket's buffer.
    private func interrupt(_ response: Response, _ state: inout State) {
        self.connection.lingers = true
        guard let daemon = unsafe state.daemon, case .bytes(let body) = response.body else { return }
        var head = "HTTP/1.1 \(response.status) \r\nConnection: close\r\nContent-Length: \(body.count)\r\n"
        for field in response.headers.fields { head += "\(field.name): \(field.value)\r\n" }
        let bytes = Array((head + "\r\n").utf8) + body
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe http_send(daemon, $0.baseAddress! + sent, bytes.count - sent)
            }
            guard count > 0 else { return }
            sent += count
        }
    }
}
