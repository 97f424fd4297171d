// One request and its answer, between the driver's thread and the tasks that send and read.

import CCurl
import HTTP
import Synchronization

/// What the tasks see is under the lock. The rest (`Transfer+Driving.swift`) is for the driver's thread.
@safe final class Transfer: @unchecked Sendable {
    struct Head: Sendable {
        let status: Int
        let headers: Headers
    }

    private struct State {
        var head: Head?
        var headWaiter: CheckedContinuation<Head, any Error>?

        /// Chunks that wait for the reader, and how many bytes they have.
        var inbox: [[UInt8]] = []
        var inboxLength = 0
        var bodyWaiter: CheckedContinuation<[UInt8]?, any Error>?
        var isReceivePaused = false

        /// The chunk that is being sent, and how much of it has been.
        var outgoing: [UInt8] = []
        var outgoingOffset = 0
        /// In bytes, of all chunks.
        var offered = 0
        var offersEnded = false
        var offerFailure: (any Error)?
        var isSendPaused = false
        /// Nothing more is sent, whether or not there is more.
        var isSendingOver = false
        var offerWaiter: CheckedContinuation<Void, Never>?
        var sendingEndWaiter: CheckedContinuation<Void, Never>?

        var end: Result<Void, any Error>?
    }

    /// In bytes, of an answer's body that waits for its reader.
    private static let inboxLimit = 256 * 1024

    let request: ClientRequest
    let configuration: HTTPClient.Configuration
    private let state: Mutex<State>

    // For the driver's thread.
    var easy: UnsafeMutableRawPointer?
    var headerList: UnsafeMutablePointer<curl_slist>?
    var errorText: UnsafeMutablePointer<CChar>?
    var headReader = HeadReader()
    var refusedAddress: String?
    var lastProgress = ContinuousClock.now
    weak var driver: Driver?

    /// - Throws: `HTTPClientFault.invalidRequest`.
    init(_ request: ClientRequest, _ configuration: HTTPClient.Configuration) throws(HTTPClientFault) {
        try request.validate()
        self.request = request
        self.configuration = configuration
        var state = State()
        switch request.body {
        case .none: state.offersEnded = true
        case .bytes(let bytes):
            state.outgoing = bytes
            state.offersEnded = true
        case .stream: break
        }
        self.state = Mutex(state)
    }

    /// For messages: the method and the URL without its query, which may hold a signature.
    var name: String { "\(self.request.method) \(self.request.url.prefix { $0 != "?" })" }

    var hasEnded: Bool { self.state.withLock { $0.end != nil } }

    // MARK: What the tasks call

    func head() async throws -> Head {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<Head, any Error>? = self.state.withLock { state in
                if let head = state.head { return .success(head) }
                if case .failure(let error) = state.end { return .failure(error) }
                state.headWaiter = continuation
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }

    /// - Parameter resume: called where the transfer has been waiting for the reader.
    func nextChunk(_ resume: () -> Void) async throws -> [UInt8]? {
        let (chunk, wasPaused): ([UInt8]?, Bool) = self.state.withLock { state in
            guard !state.inbox.isEmpty else { return (nil, false) }
            let chunk = state.inbox.removeFirst()
            state.inboxLength -= chunk.count
            guard state.isReceivePaused, state.inboxLength <= Self.inboxLimit / 2 else { return (chunk, false) }
            state.isReceivePaused = false
            return (chunk, true)
        }
        if wasPaused { resume() }
        if let chunk { return chunk }
        return try await withCheckedThrowingContinuation { continuation in
            let result: Result<[UInt8]?, any Error>? = self.state.withLock { state in
                if !state.inbox.isEmpty {
                    let chunk = state.inbox.removeFirst()
                    state.inboxLength -= chunk.count
                    return .success(chunk)
                }
                if let end = state.end { return end.map { nil } }
                state.bodyWaiter = continuation
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }

    /// Gives the next bytes of the request's body. Returns when the bytes before have been sent.
    func offer(_ chunk: [UInt8], _ resume: () -> Void) async throws {
        guard !chunk.isEmpty else { return }
        await withCheckedContinuation { continuation in
            let isReady = self.state.withLock { state in
                if state.isSendingOver || state.outgoing.isEmpty { return true }
                state.offerWaiter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        let (isOver, wasPaused): (Bool, Bool) = self.state.withLock { state in
            guard !state.isSendingOver else { return (true, false) }
            (state.outgoing, state.outgoingOffset) = (chunk, 0)
            state.offered += chunk.count
            defer { state.isSendPaused = false }
            return (false, state.isSendPaused)
        }
        if isOver { throw CancellationError() }
        if let length = self.request.bodyLength, self.state.withLock({ $0.offered }) > length {
            throw HTTPClientFault.invalidRequest("\(self.name): the body is longer than \(length) bytes")
        }
        if wasPaused { resume() }
    }

    /// The request's body has ended, or failed: then the transfer fails with the same error.
    func endOffers(_ failure: (any Error)?, _ resume: () -> Void) {
        let (wasPaused, waiter): (Bool, CheckedContinuation<Void, Never>?) = self.state.withLock { state in
            state.offersEnded = true
            guard !state.isSendingOver else { return (false, nil) }
            state.offerFailure = failure
            if failure == nil, let length = self.request.bodyLength, state.offered < length {
                state.offerFailure = HTTPClientFault.invalidRequest(
                    "\(self.name): the body has \(state.offered) bytes, not \(length)")
            }
            defer { (state.isSendPaused, state.sendingEndWaiter) = (false, nil) }
            return (state.isSendPaused || state.offerFailure != nil, state.sendingEndWaiter)
        }
        waiter?.resume()
        if wasPaused { resume() }
    }

    /// Returns when the request's body has been taken, or nothing more of it will be.
    func sendingEnds() async {
        await withCheckedContinuation { continuation in
            let isOver = self.state.withLock { state in
                if state.offersEnded || state.isSendingOver { return true }
                state.sendingEndWaiter = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    // MARK: What the driver's thread calls

    func deliver(_ head: Head) {
        let waiter = self.state.withLock { state in
            state.head = head
            defer { state.headWaiter = nil }
            return state.headWaiter
        }
        if head.status >= 300 {  // libcurl sends no more of a body then
            self.endSending()
            self.driver?.submit(.resume(self))  // but while its sending is paused, it sees no end of the answer
        }
        waiter?.resume(returning: head)
    }

    /// - Returns: false where the reader has enough: the same bytes are to come again.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let (isTaken, waiter): (Bool, CheckedContinuation<[UInt8]?, any Error>?) = self.state.withLock { state in
            if let waiter = state.bodyWaiter {
                state.bodyWaiter = nil
                return (true, waiter)
            }
            guard state.inboxLength < Self.inboxLimit else {
                state.isReceivePaused = true
                return (false, nil)
            }
            unsafe state.inbox.append(Array(bytes))
            state.inboxLength += bytes.count
            return (true, nil)
        }
        if let waiter { unsafe waiter.resume(returning: Array(bytes)) }
        return isTaken
    }

    enum Sent {
        case bytes(Int)
        case pause
        case abort
    }

    func send(into buffer: UnsafeMutableRawBufferPointer) -> Sent {
        let (sent, waiter): (Sent, CheckedContinuation<Void, Never>?) = self.state.withLock { state in
            let left = state.outgoing.count - state.outgoingOffset
            if state.offerFailure != nil { return (.abort, nil) }
            guard left > 0 else {
                if state.offersEnded { return (.bytes(0), nil) }
                state.isSendPaused = true
                return (.pause, nil)
            }
            let count = min(left, buffer.count)
            unsafe state.outgoing.withUnsafeBytes { bytes in
                let start = state.outgoingOffset
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
            }
            state.outgoingOffset += count
            guard count == left, !self.request.isReplayable else { return (.bytes(count), nil) }
            (state.outgoing, state.outgoingOffset) = ([], 0)
            defer { state.offerWaiter = nil }
            return (.bytes(count), state.offerWaiter)
        }
        waiter?.resume()
        return sent
    }

    /// Goes back in the request's body, for a second connection.
    func rewind(to offset: Int) -> Bool {
        self.state.withLock { state in
            if self.request.isReplayable {
                state.outgoingOffset = offset
                return true
            }
            return offset == 0 && state.outgoingOffset == 0 && state.offered == state.outgoing.count
        }
    }

    /// Whether it is not the server who is waited for; and what is still paused.
    var pauses: (receive: Bool, send: Bool) {
        self.state.withLock { ($0.isReceivePaused, $0.isSendPaused) }
    }

    var offerFailure: (any Error)? { self.state.withLock { $0.offerFailure } }

    func end(_ failure: (any Error)?) {
        let waiters = self.state.withLock { state -> State in
            guard state.end == nil else { return State() }
            state.end = failure.map { .failure($0) } ?? .success(())
            defer { (state.headWaiter, state.bodyWaiter) = (nil, nil) }
            return state
        }
        self.endSending()
        waiters.headWaiter?.resume(throwing: failure ?? HTTPClientFault.malformedAnswer("\(self.name): no head"))
        if let failure {
            waiters.bodyWaiter?.resume(throwing: failure)
        } else {
            waiters.bodyWaiter?.resume(returning: nil)
        }
    }

    private func endSending() {
        let waiters = self.state.withLock { state in
            (state.isSendingOver, state.isSendPaused) = (true, false)
            if !self.request.isReplayable { (state.outgoing, state.outgoingOffset) = ([], 0) }
            defer { (state.offerWaiter, state.sendingEndWaiter) = (nil, nil) }
            return [state.offerWaiter, state.sendingEndWaiter]
        }
        for waiter in waiters { waiter?.resume() }
    }
}
