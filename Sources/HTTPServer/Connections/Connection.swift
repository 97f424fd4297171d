// One client: its socket, where it is in its request, and what of the answer is still to be sent.

import HTTP

struct Connection: ~Copyable {
    enum Phase: UInt8 {
        case free
        /// TLS is being negotiated.
        case handshake
        /// A request head is awaited or received.
        case reading
        /// A handler works; it may pull the body.
        case handling
        /// The answer is being sent.
        case answering
        /// The answer is sent; the unread rest of a small body is thrown away.
        case discarding
        /// The answer is sent and our side is shut down; the client may still read it.
        case lingering
    }

    enum TimerKind: UInt8 { case none, idle, head, body, output, ended, linger }

    enum BodyKind: UInt8 { case none, length, chunked }

    var socket: Int32 = -1
    var generation: UInt32 = 0
    var phase = Phase.free
    var timerKind = TimerKind.none
    var isReadable = false
    var isWritable = true
    /// The client has shut its side down: what is in the socket is the end.
    var hasEnded = false
    var isBroken = false
    var closesAfterAnswer = false
    /// The body is too large, and its handler has been told: nothing more of it is read.
    var hasFailedBody = false
    /// Something has arrived that the parser has not seen.
    var hasNews = false
    var isQueued = false
    var expectsContinue = false
    var isSecure = false
    /// The request counts among those in flight.
    var isInFlight = false
    var hasHadRequest = false

    var body = BodyKind.none
    var bodyLeft = 0
    var received = 0
    var discarded = 0

    /// When the client last sent or took something, in milliseconds of the loop's clock.
    var lastActivity: UInt64 = 0
    /// The window in which progress is measured.
    var window = ProgressWindow()
    /// Bytes sent since the window began.
    var sentInWindow = 0

    /// A place in the loop's intakes while anything of a request is there; -1 otherwise.
    var intake: Int32 = -1
    var tls: TLSSession?
    var exchange: Exchange?
    var outgoing = Outgoing()

    var timer = TimerLinks()
    var idleNext: Int32 = -1
    var idlePrevious: Int32 = -1
    var isEvictable = false
    var remote = RemoteAddress.unknown
    /// The subject of the client's certificate, if it has a valid one.
    var clientSubject: String?
}

/// Where a measurement of progress began.
struct ProgressWindow {
    /// In milliseconds: of the loop's clock for an answer, of waiting for a body.
    var start: UInt64 = 0
    /// In bytes: what had been received of a body; what of an answer the client had not acknowledged.
    var bytes = 0
}

/// What of an answer the kernel has not taken yet, in this order.
struct Outgoing {
    var bytes: [UInt8] = []
    var bytesOffset = 0
    var body: [UInt8] = []
    var bodyOffset = 0
    var file: FileRegion?
    /// In bytes, from the start of the file.
    var fileOffset = 0
    var fileLeft = 0
    /// Up to here the file was found in memory.
    var fileReadyUntil = 0
    /// The next part of the file is being read into memory.
    var awaitsFile = false
    var isStream = false
    var isChunked = false
    /// In bytes; what a stream of known length has still to give. Nil for one of unknown length.
    var streamLeft: Int?

    var hasBytes: Bool { self.bytesOffset < self.bytes.count || self.bodyOffset < self.body.count }
    var isEmpty: Bool { !self.hasBytes && self.fileLeft == 0 && !self.isStream }
}
