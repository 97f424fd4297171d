// One request that a handler answers, between the loop's thread and the handler's task. Either side may be first at any
// point, so every step is taken under one lock; the loop is told through its mailbox. It owns a copy of the request's
// head, of which text is made only on demand.

import HTTP
import Synchronization

final class Exchange: BodySource, BodySink, FieldSource {
    struct State: ~Copyable {
        /// Received and not yet pulled.
        var inbox: [UInt8] = []
        var wantsBody = false
        /// The inbox was full: the loop waits until it is taken.
        var isPaused = false
        var hasWholeBody = false
        var fault: HTTPFault?
        var reader: CheckedContinuation<[UInt8]?, any Error>?
        var wait = BodyWait()

        var response: Response?
        /// A chunk of a streamed answer that the loop has not taken.
        var outbox: [UInt8]?
        var next: [UInt8] = []
        var writer: CheckedContinuation<Void, any Error>?
        var streamEnd: StreamEnd?

        /// The loop looks without being told when the handler returns or waits for the first time.
        var isStarting = true
        var isPosted = false
        var task: Task<Void, Never>?

        mutating func takeReader() -> CheckedContinuation<[UInt8]?, any Error>? {
            if self.reader != nil { self.wait.end() }
            return self.reader.take()
        }

        mutating func takeWriter() -> CheckedContinuation<Void, any Error>? {
            self.writer.take()
        }
    }

    /// What is known of the client besides its request.
    struct Client {
        let address: String
        let isSecure: Bool
        let subject: String?
    }

    enum StreamEnd { case finished, failed }

    let method: Method
    let isHTTP11: Bool
    let path: Slice
    let framing: Framing
    let headBytes: [UInt8]
    let fields: [Field]
    let client: Client
    let core: ServerCore
    private let mailbox: Mailbox
    private let key: ConnectionKey
    let state: Mutex<State>

    init(
        _ head: borrowing Head, _ bytes: Span<UInt8>, core: ServerCore, client: Client, mailbox: Mailbox,
        key: ConnectionKey
    ) {
        self.method = head.method
        self.isHTTP11 = head.isHTTP11
        self.path = head.path
        self.framing = head.framing
        let length = head.length
        self.headBytes = unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            unsafe bytes.withUnsafeBufferPointer { source in
                if let from = source.baseAddress, let to = buffer.baseAddress {
                    unsafe to.update(from: from, count: length)
                }
            }
            count = length
        }
        self.fields = Array(head.fields.prefix(head.fieldCount))
        self.core = core
        self.client = client
        self.mailbox = mailbox
        self.key = key
        self.state = Mutex(State())
    }

    func text(_ slice: Slice) -> String { String(decoding: self.headBytes[slice.range], as: UTF8.self) }

    /// The request as the handler sees it.
    private var request: Request {
        let length: Int? =
            switch self.framing {
            case .none: 0
            case .length(let count): count
            case .chunked: nil
            }
        let text = self.text(self.path)
        let hasQuery = self.headBytes[self.path.range].contains(0x3F)
        var request = Request(
            method: self.method.rawValue, target: hasQuery ? Target(text) : Target(withoutQuery: text),
            headers: Headers(self), remoteAddress: self.client.address, isSecure: self.client.isSecure,
            body: RequestBody(length: length, source: self))
        request.clientSubject = self.client.subject
        return request
    }

    // MARK: Header fields

    var fieldCount: Int { self.fields.count }

    func fieldName(at index: Int) -> String { self.text(self.fields[index].name) }

    func fieldValue(at index: Int) -> String { self.text(self.fields[index].value) }

    func fieldIndex(of name: String, from start: Int) -> Int? {
        var name = name
        return name.withUTF8 { wanted in
            let fields = self.fields
            let bytes = self.headBytes
            for index in start..<max(start, fields.count) where Int(fields[index].name.count) == wanted.count {
                let first = Int(fields[index].name.start)
                var offset = 0
                while offset < wanted.count,
                    unsafe bytes[first &+ offset].lowercasedByte == wanted[offset].lowercasedByte
                { offset &+= 1 }
                if offset == wanted.count { return index }
            }
            return nil
        }
    }

    // MARK: The handler's task

    /// Runs the handler on this thread until it waits for something, then on Swift's pool.
    func start() {
        self.core.tasks.add(1, ordering: .relaxed)
        let task = Task.immediate {
            await self.run()
            self.core.tasks.subtract(1, ordering: .releasing)
        }
        self.state.withLock { state in
            state.isStarting = false
            if state.response == nil || state.streamEnd == nil { state.task = task }
        }
    }

    // The frames of these functions stay small: what does not fit the first kilobyte of a task is allocated.
    private func run() async {
        if let write = await self.respond() { await self.stream(write) }
    }

    /// Lets the handler answer, and hands the answer to the loop.
    ///
    /// - Returns: what writes the rest of the answer.
    private func respond() async -> (@Sendable (BodyWriter) async throws -> Void)? {
        do {
            return self.finish(try await self.core.handler(self.request))
        } catch {
            return self.finish(self.response(to: error))
        }
    }

    private func finish(_ made: Response) -> (@Sendable (BodyWriter) async throws -> Void)? {
        // A status that cannot end a request would leave the client waiting.
        let response = (200...599).contains(made.status) ? made : self.core.internalFault(self.client.address)
        var write: (@Sendable (BodyWriter) async throws -> Void)?
        if Self.hasBody(response.status, self.method), case .stream(_, let body) = response.body { write = body }
        self.state.withLock { state in
            state.response = response
            if write == nil { state.streamEnd = .finished }
            self.notify(&state)
        }
        return write
    }

    private func response(to error: any Error) -> Response {
        if case HTTPFault.bodyTooLarge = error {
            return self.core.response(rejecting: .bodyTooLarge, from: self.client.address)
        }
        // What a handler throws because its client has gone is no fault of the server.
        let isGone = self.state.withLock { $0.fault == .disconnected }
        return isGone ? Response(500) : self.core.internalFault(self.client.address)
    }

    private func stream(_ write: @Sendable (BodyWriter) async throws -> Void) async {
        var end = StreamEnd.finished
        do { try await write(BodyWriter(self)) } catch { end = .failed }
        self.state.withLock { state in
            state.streamEnd = end
            self.notify(&state)
        }
    }

    static func hasBody(_ status: Int, _ method: Method) -> Bool {
        method != .head && status != 204 && status != 304
    }

    /// Makes the loop look at the connection.
    func notify(_ state: inout State) {
        guard !state.isStarting, !state.isPosted else { return }
        state.isPosted = true
        self.mailbox.post(.attention(self.key))
    }
}

/// How long a handler has waited for a body. Only that time is the client's: a slow handler is not its fault.
struct BodyWait {
    /// In milliseconds.
    private var total: UInt64 = 0
    private(set) var since: UInt64?

    mutating func begin() { if self.since == nil { self.since = Loop.milliseconds() } }

    mutating func end() {
        if let since = self.since.take() { self.total &+= Loop.milliseconds() &- since }
    }

    func total(at now: UInt64) -> UInt64 {
        self.total &+ (self.since.map { now > $0 ? now &- $0 : 0 } ?? 0)
    }
}
