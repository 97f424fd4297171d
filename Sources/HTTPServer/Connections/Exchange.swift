// One request that a handler answers, between the loop's thread and the handler's task. Either side may be first at any
// point, so every step is taken under one lock; the loop is told through its mailbox. It owns a copy of the request's
// head, of which text is made only on demand.

import HTTP
import Synchronization

final class Exchange: BodySource, BodySink, FieldSource {
    @safe struct State: ~Copyable {
        /// Received and not yet pulled.
        var inbox: [UInt8] = []
        var wantsBody = false
        /// The inbox was full: the loop waits until it is taken.
        var isPaused = false
        var hasWholeBody = false
        var fault: HTTPFault?
        var reader: UnsafeContinuation<[UInt8]?, any Error>?
        var wait = BodyWait()

        var response: Response?
        /// A chunk of a streamed answer that the loop has not taken.
        var outbox: [UInt8]?
        var next: [UInt8] = []
        var writer: UnsafeContinuation<Void, any Error>?
        var streamEnd: StreamEnd?

        /// The loop looks by itself when the handler returns or waits for the first time.
        var isStarting = true
        var isPosted = false
        var task: Task<Void, Never>?

        mutating func takeReader() -> UnsafeContinuation<[UInt8]?, any Error>? {
            guard let reader = unsafe self.reader else { return nil }
            unsafe self.reader = nil
            self.wait.end()
            return unsafe reader
        }

        mutating func takeWriter() -> UnsafeContinuation<Void, any Error>? {
            guard let writer = unsafe self.writer else { return nil }
            unsafe self.writer = nil
            return unsafe writer
        }
    }

    enum StreamEnd { case finished, failed }

    let method: Method
    let isHTTP11: Bool
    let path: Slice
    let framing: Framing
    let headBytes: [UInt8]
    let fields: [Field]
    let remoteAddress: String
    let core: ServerCore
    private let mailbox: Mailbox
    private let key: ConnectionKey
    let state: Mutex<State>

    init(
        _ head: borrowing Head, _ bytes: Span<UInt8>, core: ServerCore, remoteAddress: String, mailbox: Mailbox,
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
        self.remoteAddress = remoteAddress
        self.mailbox = mailbox
        self.key = key
        self.state = Mutex(State())
    }

    func text(_ slice: Slice) -> String { String(decoding: self.headBytes[slice.range], as: UTF8.self) }

    /// The request as the handler sees it.
    func request(isSecure: Bool, _ clientSubject: String?) -> Request {
        let length: Int? =
            switch self.framing {
            case .none: 0
            case .length(let count): count
            case .chunked: nil
            }
        var request = Request(
            method: self.method.rawValue, target: Target(self.text(self.path)), headers: Headers(self),
            remoteAddress: self.remoteAddress, isSecure: isSecure, body: RequestBody(length: length, source: self))
        request.clientSubject = clientSubject
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
    func start(_ request: Request) {
        self.core.tasks.add(1, ordering: .relaxed)
        let task = Task.immediate {
            await self.run(request)
            self.core.tasks.subtract(1, ordering: .releasing)
        }
        self.state.withLock { state in
            state.isStarting = false
            if state.response == nil || state.streamEnd == nil { state.task = task }
        }
    }

    private func run(_ request: Request) async {
        let response: Response
        do {
            let made = try await self.core.handler(request)
            // A status that cannot end a request would leave the client waiting.
            response = (200...599).contains(made.status) ? made : self.core.internalFault(self.remoteAddress)
        } catch HTTPFault.bodyTooLarge {
            response = self.core.response(rejecting: .bodyTooLarge, from: self.remoteAddress)
        } catch {
            // What a handler throws because its client has gone is no fault of the server.
            let isGone = self.state.withLock { $0.fault == .disconnected }
            response = isGone ? Response(500) : self.core.internalFault(self.remoteAddress)
        }
        guard case .stream(_, let write) = response.body, Self.hasBody(response.status, self.method) else {
            self.state.withLock { state in
                state.response = response
                state.streamEnd = .finished
                self.notify(&state)
            }
            return
        }
        self.state.withLock { state in
            state.response = response
            self.notify(&state)
        }
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
