// The bodies of an exchange: the handler pulls one and writes the other, the loop delivers one and takes the other.

import HTTP
import Synchronization

// The handler's side.
extension Exchange {
    func nextChunk() async throws -> [UInt8]? {
        if let ready = try self.state.withLock({ (state) throws(HTTPFault) in try self.takeInbox(&state) }) {
            return ready.isEmpty ? nil : ready
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { reader in
                self.state.withLock { state in
                    do throws(HTTPFault) {
                        if let ready = try self.takeInbox(&state) {
                            reader.resume(returning: ready.isEmpty ? nil : ready)
                        } else if Task.isCancelled {
                            reader.resume(throwing: CancellationError())
                        } else {
                            precondition(state.reader == nil, "a request's body has one reader")
                            state.reader = reader
                            state.wait.begin()
                        }
                    } catch {
                        reader.resume(throwing: error)
                    }
                }
            }
        } onCancel: {
            if let reader = self.state.withLock({ $0.takeReader() }) {
                reader.resume(throwing: CancellationError())
            }
        }
    }

    /// - Returns: nil if nothing is there yet; no bytes at the end.
    private func takeInbox(_ state: inout State) throws(HTTPFault) -> [UInt8]? {
        if let fault = state.fault { throw fault }
        if !state.inbox.isEmpty {
            let bytes = state.inbox
            state.inbox = []
            if state.isPaused {
                state.isPaused = false
                self.notify(&state)
            }
            return bytes
        }
        if self.framing == .none || state.hasWholeBody { return [] }
        if !state.wantsBody {
            state.wantsBody = true
            self.notify(&state)
        }
        return nil
    }

    func send(_ chunk: [UInt8]) async throws {
        guard !chunk.isEmpty else { return }
        let isTaken = try self.state.withLock { state throws(HTTPFault) in
            if let fault = state.fault { throw fault }
            guard state.outbox == nil else { return false }
            state.outbox = chunk
            self.notify(&state)
            return true
        }
        if isTaken { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (writer: CheckedContinuation<Void, any Error>) in
                self.state.withLock { state in
                    if let fault = state.fault {
                        writer.resume(throwing: fault)
                    } else if state.outbox == nil {
                        state.outbox = chunk
                        self.notify(&state)
                        writer.resume()
                    } else if Task.isCancelled {
                        writer.resume(throwing: CancellationError())
                    } else {
                        precondition(state.writer == nil, "an answer's body has one writer")
                        state.next = chunk
                        state.writer = writer
                    }
                }
            }
        } onCancel: {
            let writer = self.state.withLock { state in
                let writer = state.takeWriter()
                if writer != nil { state.next = [] }
                return writer
            }
            if let writer = writer { writer.resume(throwing: CancellationError()) }
        }
    }
}

// The loop's side.
extension Exchange {
    /// What the loop has to do next.
    struct Progress {
        var response: Response?
        var wantsBody: Bool
    }

    enum StreamStep {
        case chunk([UInt8])
        case waiting
        case ended(StreamEnd)
    }

    /// How a handler waits for the client's bytes.
    struct Waiting {
        /// In milliseconds, of all waiting for this body.
        var total: UInt64
        /// When the present wait began; nil if the handler does something else.
        var since: UInt64?
    }

    func progress() -> Progress {
        self.state.withLock { state in
            state.isPosted = false
            let response = state.response
            state.response = nil
            return Progress(response: response, wantsBody: state.wantsBody)
        }
    }

    /// In bytes; how much more may be received ahead of the handler.
    func room(of limit: Int) -> Int {
        self.state.withLock { state in
            let room = max(0, limit - state.inbox.count)
            state.isPaused = room == 0
            return room
        }
    }

    func waiting(at now: UInt64) -> Waiting {
        self.state.withLock { Waiting(total: $0.wait.total(at: now), since: $0.wait.since) }
    }

    func deliver(_ bytes: [UInt8], isLast: Bool) {
        let reader: CheckedContinuation<[UInt8]?, any Error>? = self.state.withLock { state in
            if isLast { state.hasWholeBody = true }
            if state.reader != nil, !bytes.isEmpty || isLast { return state.takeReader() }
            if state.inbox.isEmpty { state.inbox = bytes } else { state.inbox += bytes }
            return nil
        }
        if let reader = reader { reader.resume(returning: bytes.isEmpty ? nil : bytes) }
    }

    /// The next chunk of a streamed answer.
    func nextOutput() -> StreamStep {
        self.state.withLock { state in
            state.isPosted = false
            guard let chunk = state.outbox else { return state.streamEnd.map { .ended($0) } ?? .waiting }
            if let writer = state.takeWriter() {
                state.outbox = state.next
                state.next = []
                writer.resume()
            } else {
                state.outbox = nil
            }
            return .chunk(chunk)
        }
    }

    /// Ends the exchange: the client has gone, its body is invalid, or the server is stopping.
    func fail(_ fault: HTTPFault) {
        let task = self.state.withLock { state -> Task<Void, Never>? in
            guard state.fault == nil else { return nil }
            state.fault = fault
            state.inbox = []
            if let reader = state.takeReader() { reader.resume(throwing: fault) }
            if let writer = state.takeWriter() { writer.resume(throwing: fault) }
            return fault == .disconnected ? state.task : nil
        }
        task?.cancel()
    }
}
