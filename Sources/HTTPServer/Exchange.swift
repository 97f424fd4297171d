// One request and its response, between the daemon's thread and the handler's task. Either side may be first at any
// point, so every step is taken under one lock, and a connection is suspended and resumed under it too: a resume that
// overtook its suspend would be lost, and the connection with it.

import CMicroHTTPD
import HTTP
import Synchronization

final class Exchange: BodySource, BodySink {
    /// What a request with a body goes through. (One without starts at `ended`.)
    enum Intake {
        /// The head is here; the body waits in the socket until the handler wants it or answers.
        case held
        case receiving
        /// The handler answered first: the rest is read and thrown away.
        case discarding
        case ended
        case failed(HTTPFault)
    }

    enum Answer {
        case none
        case ready(Response)
        case queued
    }

    @safe struct State: @unchecked Sendable {
        /// Nil until the daemon shows it, and again when the daemon has let go.
        var daemon: OpaquePointer?
        var isSuspended = false
        var gone: HTTPFault?

        var intake = Intake.ended
        var isWanted = false
        var inbox: [UInt8] = []
        var received = 0
        var discarded = 0
        var reader: CheckedContinuation<[UInt8]?, any Error>?

        var answer = Answer.none
        var outbox: [UInt8] = []
        /// Follows `outbox`; there while `writer` waits.
        var next: [UInt8] = []
        var taken = 0
        var outboxEnd: Result<Void, any Error>?
        var writer: CheckedContinuation<Void, any Error>?

        /// Waits for the request to be complete: one without a body.
        var request: Request?
        var expectsContinue = false
        /// The body's announced length.
        var announced: Int?

        /// The answer's body isn't sent.
        var isHead = false
        /// The file that is being sent.
        var file: FileRegion?
        /// Of the answer's body, in bytes, to be counted when it is whole.
        var uncounted = 0
        /// What the client had acknowledged when the file was begun.
        var acknowledged: UInt64 = 0
        var wait = BodyWait()

        var task: Task<Void, Never>?

        mutating func takeReader() -> CheckedContinuation<[UInt8]?, any Error>? {
            if self.reader != nil { self.wait.end() }
            return self.reader.take()
        }
    }

    let loop: Loop
    let connection: Connection
    /// As it was sent, up to the first NUL.
    let target: String
    let state = Mutex(State())

    var server: ServerCore { self.loop.server }

    init(loop: Loop, connection: Connection, target: String) {
        (self.loop, self.connection, self.target) = (loop, connection, target)
    }

    var isSuspended: Bool { self.state.withLock(\.isSuspended) }

    /// Runs the handler on this thread until it waits for something, then on Swift's pool.
    func start(_ request: Request) {
        self.server.tasks.add(1, ordering: .relaxed)
        let task = Task.immediate {
            await self.handle(request)
            self.server.tasks.subtract(1, ordering: .releasing)
        }
        let isGone = self.state.withLock { state in
            state.task = task
            return state.gone != nil
        }
        if isGone { task.cancel() }
    }

    private func handle(_ request: Request) async {
        var response: Response
        do {
            response = try await self.server.handler(request)
        } catch HTTPFault.bodyTooLarge {
            response = self.server.configuration.refusal(413, "The body is too large.")
        } catch {
            response = self.server.configuration.refusal(500, "Something went wrong here.")
        }
        // Statuses that can't be a whole answer would leave the client waiting.
        if !(200...599).contains(response.status) {
            response = self.server.configuration.refusal(500, "Something went wrong here.")
        }
        let hasNoBody = request.method == "HEAD" || response.status == 204 || response.status == 304
        self.state.withLock { state in
            state.answer = .ready(response)
            state.inbox = []
            self.resume(&state)
        }
        guard case .stream(_, let write) = response.body, !hasNoBody else { return }
        let end: Result<Void, any Error>
        do {
            try await write(BodyWriter(self))
            end = .success(())
        } catch {
            end = .failure(error)
        }
        self.state.withLock { state in
            state.outboxEnd = end
            self.resume(&state)
        }
    }

    /// Ends the exchange from outside: the client has gone, or the server is stopping.
    func abort() {
        let task = self.state.withLock { state in
            self.fail(&state, .disconnected)
            self.resume(&state)
            return state.task
        }
        task?.cancel()
    }

    func fail(_ state: inout State, _ fault: HTTPFault) {
        guard state.gone == nil else { return }
        state.gone = fault
        state.takeReader()?.resume(throwing: fault)
        state.writer.take()?.resume(throwing: fault)
    }

    /// - Returns: false where the server is stopping: a suspended connection would then never be resumed.
    func suspend(_ state: inout State) -> Bool {
        guard let daemon = unsafe state.daemon, !self.server.isStopping.load(ordering: .sequentiallyConsistent) else {
            return false
        }
        if !state.isSuspended {
            state.isSuspended = true
            unsafe MHD_suspend_connection(daemon)
        }
        return true
    }

    /// Lets the daemon call again, in the loop's next turn.
    func resume(_ state: inout State) {
        guard unsafe state.daemon != nil, state.isSuspended else { return }
        state.isSuspended = false
        self.loop.resume(self)
    }
}

// The handler's side of the bodies.
extension Exchange {
    func nextChunk() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                self.state.withLock { state in
                    if let ready = self.takeInbox(&state) {
                        continuation.resume(with: ready)
                    } else if Task.isCancelled {
                        continuation.resume(throwing: CancellationError())
                    } else {
                        precondition(state.reader == nil, "a request's body has one reader")
                        state.reader = continuation
                        state.wait.begin()
                    }
                    state.isWanted = true
                    self.resume(&state)
                }
            }
        } onCancel: {
            self.state.withLock { $0.takeReader() }?.resume(throwing: CancellationError())
        }
    }

    private func takeInbox(_ state: inout State) -> Result<[UInt8]?, any Error>? {
        if let fault = state.gone { return .failure(fault) }
        guard state.inbox.isEmpty else {
            var bytes: [UInt8] = []
            swap(&bytes, &state.inbox)
            return .success(bytes)
        }
        switch state.intake {
        case .ended, .discarding: return .success(nil)
        case .failed(let fault): return .failure(fault)
        case .held, .receiving: return nil
        }
    }

    func send(_ chunk: [UInt8]) async throws {
        guard !chunk.isEmpty else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                self.state.withLock { state in
                    if let fault = state.gone {
                        continuation.resume(throwing: fault)
                    } else if state.outbox.isEmpty {
                        state.outbox = chunk
                        state.taken = 0
                        continuation.resume()
                    } else if Task.isCancelled {
                        continuation.resume(throwing: CancellationError())
                    } else {
                        precondition(state.writer == nil, "a response's body has one writer")
                        state.next = chunk
                        state.writer = continuation
                    }
                    self.resume(&state)
                }
            }
        } onCancel: {
            self.state.withLock { $0.writer.take() }?.resume(throwing: CancellationError())
        }
    }
}
