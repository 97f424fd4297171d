// Handing an exchange's answer to the daemon, or past it. On the thread of the connection's loop.

import CMicroHTTPD
import Domain
import Glibc
import HTTP
import Synchronization

extension Exchange {
    /// Answers a request that no handler gets to see, and closes the connection.
    func refuse(_ status: Int, _ message: String) -> MHD_Result {
        let response = self.server.configuration.refusal(status, message)
        return self.state.withLock { self.queue(response, &$0, closing: true) }
    }

    func queue(_ response: Response, _ state: inout State, closing: Bool) -> MHD_Result {
        state.answer = .queued
        if closing { self.connection.lingers = true }
        guard let daemon = unsafe state.daemon else { return .NO }
        let omitsBody = state.isHead || response.status == 304
        if let outgoing = OutgoingResponse(response, for: self, omitsBody: omitsBody) {
            if !omitsBody && response.status != 204 { self.note(response.body, &state) }
            return unsafe outgoing.queue(response.status, on: daemon)
        }
        // The file is shorter than it should be, or descriptors or memory have run out.
        if case .stream = response.body { self.fail(&state, .disconnected) }
        let refusal = self.server.configuration.refusal(500, "Something went wrong here.")
        guard let outgoing = OutgoingResponse(refusal, for: self, omitsBody: omitsBody) else { return .NO }
        return unsafe outgoing.queue(refusal.status, on: daemon)
    }

    /// Notes what is to be counted, and watched, until the answer has been sent.
    private func note(_ body: Response.Body, _ state: inout State) {
        switch body {
        case .bytes(let bytes): state.uncounted = bytes.count
        case .file(let region) where OutgoingResponse.isCopied(region): state.uncounted = region.length
        case .file(let region) where !self.isEncrypted:
            state.file = region
            state.uncounted = region.length
            // Small ones are whole or nothing: asking the kernel each time would cost more than it tells.
            if region.length >= 1 << 20 { state.acknowledged = http_acknowledged(self.connection.socket) }
        case .file, .stream: break  // counted block by block
        }
    }

    var isEncrypted: Bool { self.server.configuration.tls != nil }

    /// Answers in the middle of a body, where the daemon can't: past it, and only what fits the socket's buffer.
    func interrupt(_ response: Response, _ state: inout State) {
        self.connection.lingers = true
        guard let daemon = unsafe state.daemon, case .bytes(let body) = response.body else { return }
        let reason = unsafe String(cString: MHD_get_reason_phrase_for(UInt32(response.status)))
        let now = Timestamp(microseconds: Int64(time(nil)) * 1_000_000)
        var head = "HTTP/1.1 \(response.status) \(reason)\r\nDate: \(now.httpDate)\r\nConnection: close\r\n"
        for field in response.headers.fields where !field.value.hasControlCharacter {
            head += "\(field.name): \(field.value)\r\n"
        }
        let bytes = Array("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe http_send(daemon, $0.baseAddress! + sent, bytes.count - sent)
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Whether it is the client's turn.
    var waitsForBody: Bool {
        self.state.withLock { state in
            switch state.intake {
            case .receiving, .discarding: !state.isSuspended
            case .held, .ended, .failed: false
            }
        }
    }

    /// The loop's regular look.
    func look(_ now: ContinuousClock.Instant) {
        let task: Task<Void, Never>? = self.state.withLock { state in
            if let file = state.file, !file.isWhole {
                self.connection.shutDown()  // the kernel has no more to send, and nobody would wake the daemon
                return state.task
            }
            guard self.isTooSlow(now, &state) else { return nil }
            if case .ready(let response) = state.answer {
                self.interrupt(response, &state)
            } else {
                let message = "The body came too slowly."
                self.interrupt(self.server.configuration.refusal(408, message), &state)
            }
            self.fail(&state, .disconnected)
            self.connection.shutDown()
            return state.task
        }
        task?.cancel()
    }

    /// Whether the client, being waited for, has sent too little of its body for a whole window.
    private func isTooSlow(_ now: ContinuousClock.Instant, _ state: inout State) -> Bool {
        switch state.intake {
        case .discarding: state.wait.begin()
        case .receiving where !state.isSuspended: break
        case .receiving, .held, .ended, .failed: return false
        }
        let configuration = self.server.configuration
        return state.wait.isTooLong(
            for: state.received + state.discarded, at: now, window: configuration.paceWindow,
            pace: configuration.minimumBodyPace)
    }
}

extension FileRegion {
    /// Whether the file still reaches to the region's end.
    var isWhole: Bool {
        var status = stat()
        return unsafe fstat(self.descriptor, &status) == 0 && Int(status.st_size) - self.offset >= self.length
    }
}
