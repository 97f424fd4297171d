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
                let ready: Result<[UInt8]?, any Error>? = self.state.withLock { state in
                    do {
                        if let bytes = try self.takeInbox(&state) { return .success(bytes.isEmpty ? nil : bytes) }
                    } catch {
                        return .failure(error)
                    }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    precondition(state.reader == nil, "a request's body has one reader")
                    state.reader = reader
                    state.wait.begin()
                    return nil
                }
                if let ready { reader.resume(with: ready) }
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
                let ready: Result<Void, any Error>? = self.state.withLock { state in
                    if let fault = state.fault { return .failure(fault) }
                    if state.outbox == nil {
                        state.outbox = chunk
                        self.notify(&state)
                        return .success(())
                    }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    precondition(state.writer == nil, "an answer's body has one writer")
                    state.next = chunk
                    state.writer = writer
                    return nil
                }
                if let ready { writer.resume(with: ready) }
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
        let (step, writer): (StreamStep, CheckedContinuation<Void, any Error>?) = self.state.withLock { state in
            state.isPosted = false
            guard let chunk = state.outbox else { return (state.streamEnd.map { .ended($0) } ?? .waiting, nil) }
            guard let writer = state.takeWriter() else {
                state.outbox = nil
                return (.chunk(chunk), nil)
            }
            state.outbox = state.next
            state.next = []
            return (.chunk(chunk), writer)
        }
        writer?.resume()
        return step
    }

    /// Ends the exchange: the client has gone, its body is invalid, or the server is stopping.
    func fail(_ fault: HTTPFault) {
        let waiting: (Waiters, Task<Void, Never>?)? = self.state.withLock { state in
            guard state.fault == nil else { return nil }
            state.fault = fault
            state.inbox = []
            return (Waiters(reader: state.takeReader(), writer: state.takeWriter()), state.task)
        }
        guard let (waiters, task) = waiting else { return }
        waiters.reader?.resume(throwing: fault)
        waiters.writer?.resume(throwing: fault)
        if fault == .disconnected { task?.cancel() }
    }

    /// What the handler waits for. It is resumed without the lock: a task that is being cancelled holds a lock of its own
    /// while it asks for ours.
    private struct Waiters {
        let reader: CheckedContinuation<[UInt8]?, any Error>?
        let writer: CheckedContinuation<Void, any Error>?
    }
}
