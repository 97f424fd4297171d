// How a transfer is put to libcurl. All of it runs on the driver's thread.

import CCurl
import Glibc
import HTTP

extension Transfer {
    /// Makes the handle.
    ///
    /// - Returns: nil where that fails: then the transfer has ended.
    func prepare(for driver: Driver, _ sessions: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard !self.hasEnded, let easy = unsafe curl_easy_init() else {
            self.end(HTTPClientFault.other("no memory for libcurl"))
            return nil
        }
        unsafe self.easy = easy
        self.driver = driver
        self.lastProgress = .now
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(client_error_size))
        unsafe text.initialize(repeating: 0, count: Int(client_error_size))
        unsafe self.errorText = text
        unsafe client_set_pointer(easy, CURLOPT_ERRORBUFFER, text)
        unsafe client_set_pointer(easy, CURLOPT_SHARE, sessions)
        var callbacks = Self.callbacks
        unsafe client_set_callbacks(easy, &callbacks, Unmanaged.passUnretained(self).toOpaque())
        unsafe self.setConnection(easy)
        unsafe self.setRequest(easy)
        return unsafe easy
    }

    private func setConnection(_ easy: UnsafeMutableRawPointer) {
        let configuration = self.configuration
        unsafe client_set_long(easy, CURLOPT_NOSIGNAL, 1)
        unsafe client_set_text(easy, CURLOPT_PROXY, "")
        unsafe client_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        unsafe client_set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        unsafe client_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        unsafe client_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        unsafe client_set_long(easy, CURLOPT_BUFFERSIZE, 64 * 1024)
        unsafe client_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, 64 * 1024)
        unsafe client_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, configuration.connectTimeout.milliseconds)
        if let file = configuration.certificateAuthorities {
            unsafe client_set_text(easy, CURLOPT_CAINFO, file)
            unsafe client_set_text(easy, CURLOPT_CAPATH, nil)  // else the system's authorities are trusted as well
        }
        if let path = configuration.unixSocket { unsafe client_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, path) }
        if let timeout = self.request.timeout {
            unsafe client_set_long(easy, CURLOPT_TIMEOUT_MS, max(1, timeout.milliseconds))
        }
    }

    private func setRequest(_ easy: UnsafeMutableRawPointer) {
        let request = self.request
        unsafe client_set_text(easy, CURLOPT_URL, request.url)
        unsafe client_set_long(easy, CURLOPT_PATH_AS_IS, 1)
        unsafe client_set_text(easy, CURLOPT_USERAGENT, self.configuration.userAgent)
        unsafe client_set_long(easy, CURLOPT_FOLLOWLOCATION, request.redirectLimit > 0 ? 1 : 0)
        unsafe client_set_long(easy, CURLOPT_MAXREDIRS, request.redirectLimit)
        if request.sendsBody {
            unsafe client_set_long(easy, CURLOPT_UPLOAD, 1)
            unsafe client_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.bodyLength ?? -1))
        } else if request.method == "HEAD" {
            unsafe client_set_long(easy, CURLOPT_NOBODY, 1)
        }
        if request.method != "HEAD", request.method != (request.sendsBody ? "PUT" : "GET") {
            unsafe client_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method)
        }
        for (name, value) in request.headers.fields {
            self.appendHeader(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        self.appendHeader(request.expectsContinue ? "Expect: 100-continue" : "Expect:")
        if request.headers["Accept"] == nil { self.appendHeader("Accept:") }
        unsafe client_set_pointer(easy, CURLOPT_HTTPHEADER, self.headerList)
    }

    private func appendHeader(_ line: String) {
        unsafe self.headerList = curl_slist_append(self.headerList, line)
    }

    /// Lets what was paused go on, where its reason is over. May call back at once.
    func resume() {
        guard let easy = unsafe self.easy else { return }
        self.lastProgress = .now
        let pauses = self.pauses
        let mask = (pauses.receive ? CURLPAUSE_RECV : 0) | (pauses.send ? CURLPAUSE_SEND : 0)
        unsafe curl_easy_pause(easy, mask)
    }

    var isStalled: Bool {
        let pauses = self.pauses
        if pauses.receive || pauses.send { self.lastProgress = .now }
        return .now - self.lastProgress > self.request.stallTimeout
    }

    /// Frees the handle, which has been taken from the driver.
    func release() {
        unsafe curl_easy_cleanup(self.easy)
        unsafe curl_slist_free_all(self.headerList)
        unsafe self.errorText?.deallocate()
        unsafe (self.easy, self.headerList, self.errorText) = (nil, nil, nil)
    }

    // MARK: What libcurl calls

    private static let callbacks = unsafe client_callbacks(
        header: { bytes, size, count, context in
            let transfer = unsafe Transfer.at(context)
            return unsafe transfer.takeHeader(bytes, size * count)
        },
        receive: { bytes, size, count, context in
            let transfer = unsafe Transfer.at(context)
            transfer.lastProgress = .now
            let chunk = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            return unsafe transfer.receive(chunk) ? size * count : client_pause
        },
        send: { bytes, size, count, context in
            let transfer = unsafe Transfer.at(context)
            transfer.lastProgress = .now
            let room = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
            return switch unsafe transfer.send(into: room) {
            case .bytes(let count): count
            case .pause: client_pause_send
            case .abort: client_abort_send
            }
        },
        seek: { context, offset, origin in
            origin == SEEK_SET && (unsafe Transfer.at(context)).rewind(to: Int(offset)) ? 0 : 1
        },
        open: { context, _, address in
            guard let address = unsafe address, unsafe Transfer.at(context).allows(address) else { return -1 }
            return unsafe client_socket(address)
        })

    private static func at(_ context: UnsafeMutableRawPointer?) -> Transfer {
        guard let context = unsafe context else { preconditionFailure("libcurl lost a transfer") }
        return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        self.lastProgress = .now
        guard let bytes = unsafe bytes else { return count }
        let line = unsafe bytes.withMemoryRebound(to: UInt8.self, capacity: count) {
            unsafe self.headReader.take(
                UnsafeBufferPointer(start: $0, count: count), followsRedirections: self.request.redirectLimit > 0)
        }
        switch line {
        case .more: return count
        case .head(let head):
            self.deliver(head)
            return count
        case .tooLarge: return 0
        }
    }

    private func allows(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Bool {
        self.lastProgress = .now
        guard let allowsAddress = self.configuration.allowsAddress, unsafe address.pointee.family != AF_UNIX else {
            return true
        }
        var (host, port) = ([CChar](repeating: 0, count: 64), [CChar](repeating: 0, count: 8))
        guard unsafe client_address(address, &host, host.count, &port, port.count) == 0 else { return false }
        let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let number = String(decoding: port.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if allowsAddress(text, UInt16(number) ?? 0) { return true }
        self.refusedAddress = text
        return false
    }
}

extension Duration {
    fileprivate var milliseconds: Int {
        let (seconds, attoseconds) = self.components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
