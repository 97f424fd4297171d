// GNU libmicrohttpd. It is run on a thread of ours: its own threads wait for ever where exactly 128 of a thread's
// connections are ready at once. Its callbacks find their way to the exchanges from here.

import CMicroHTTPD
import Glibc
import HTTP
import Synchronization

/// A daemon. Everything is to be called on its loop's thread.
@safe struct Daemon: ~Copyable {
    private let handle: OpaquePointer

    /// Closes every connection. None may be suspended.
    deinit { unsafe MHD_stop_daemon(self.handle) }

    /// - Parameter loop: not retained; must outlive the daemon.
    /// - Throws: `HTTPFault.cannotStart`, for a bad certificate too.
    init(for loop: Loop, _ configuration: Server.Configuration) throws(HTTPFault) {
        var options = unsafe http_options()
        // The loop keeps to the limit.
        unsafe options.connections = UInt32(configuration.connectionLimit + 1)
        unsafe options.timeout_seconds = UInt32(configuration.idleTimeout.components.seconds)
        unsafe options.memory_per_connection = configuration.connectionMemory
        var callbacks = http_callbacks()
        unsafe callbacks.begin = beginRequest
        unsafe callbacks.handle = handleRequest
        unsafe callbacks.complete = completeRequest
        unsafe callbacks.connect = noticeConnection
        let context = unsafe Unmanaged.passUnretained(loop).toOpaque()
        let handle: OpaquePointer?
        if let tls = configuration.tls {
            unsafe handle = tls.certificate.withCString { certificate in
                unsafe tls.key.withCString { key in
                    unsafe tls.priorities.withCString { priorities in
                        unsafe options.certificate = certificate
                        unsafe options.key = key
                        unsafe options.tls_priorities = priorities
                        return unsafe http_start(&options, &callbacks, context)
                    }
                }
            }
        } else {
            unsafe handle = http_start(&options, &callbacks, context)
        }
        guard let handle = unsafe handle else { throw .cannotStart(reason: unsafe String(cString: http_last_log())) }
        unsafe self.handle = handle
    }

    /// Readable when `run` has something to do.
    var events: Int32 { unsafe http_events(self.handle) }

    /// How long `run` can wait, in milliseconds; nil for as long as `events` isn't readable.
    var timeout: UInt64? {
        var milliseconds: UInt64 = 0
        return unsafe MHD_get_timeout(self.handle, &milliseconds) == .YES ? milliseconds : nil
    }

    /// Does what there is to do, without waiting.
    func run() { unsafe MHD_run(self.handle) }

    /// Takes an accepted socket over.
    ///
    /// - Returns: false where it has been closed instead.
    func add(_ socket: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe getpeername(socket, address, &length) == 0 else {
                    close(socket)
                    return false
                }
                return unsafe MHD_add_connection(self.handle, socket, address, length) == .YES
            }
        }
    }
}

private func beginRequest(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ handle: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context, let target = unsafe target, let handle = unsafe handle,
        let known = unsafe http_context(handle)
    else { return nil }
    let loop = unsafe Unmanaged<Loop>.fromOpaque(context).takeUnretainedValue()
    guard loop.server.enter() else { return nil }  // the connection will be closed
    let connection = unsafe Unmanaged<Connection>.fromOpaque(known).takeUnretainedValue()
    let exchange = Exchange(loop: loop, connection: connection, target: unsafe String(cString: target))
    return unsafe Unmanaged.passRetained(exchange).toOpaque()
}

private func handleRequest(
    _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ bytes: UnsafePointer<CChar>?,
    _ count: UnsafeMutablePointer<Int>?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let handle = unsafe handle, let count = unsafe count, let kept = unsafe state?.pointee else { return .NO }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(kept).takeUnretainedValue()
    guard exchange.isBegun else {
        guard let path = unsafe path, let method = unsafe method, let version = unsafe version else { return .NO }
        var headers = unsafe Headers(room: Int(MHD_get_connection_values_n(handle, .HEADER_KIND, nil, nil)))
        _ = unsafe withUnsafeMutablePointer(to: &headers) { headers in
            unsafe MHD_get_connection_values_n(
                handle, .HEADER_KIND,
                { headers, _, name, nameLength, value, valueLength in
                    unsafe headers!.assumingMemoryBound(to: Headers.self).pointee.append(
                        text(name, nameLength), text(value, valueLength))
                    return .YES
                }, headers)
        }
        exchange.connection.exchange = exchange
        let head = unsafe DaemonHead(
            method: String(cString: method), version: String(cString: version), targetLength: version - path - 1,
            headers: headers)
        return unsafe exchange.begin(head, on: handle)
    }
    if unsafe count.pointee == 0 { return exchange.advance() }
    let (result, taken) = unsafe exchange.receive(UnsafeRawBufferPointer(start: bytes, count: count.pointee))
    unsafe count.pointee -= taken
    return result
}

private func text(_ bytes: UnsafePointer<CChar>?, _ count: Int) -> String {
    unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
}

private func completeRequest(
    _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?,
    _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
    guard let kept = unsafe state?.pointee else { return }
    unsafe state?.pointee = nil
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(kept).takeRetainedValue()
    exchange.complete(reason)
    exchange.connection.exchange = nil
    exchange.connection.idleSince = .now
    exchange.server.leave()
}

private func noticeConnection(
    _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?,
    _ known: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ event: MHD_ConnectionNotificationCode
) {
    guard let context = unsafe context, let handle = unsafe handle, let known = unsafe known else { return }
    let loop = unsafe Unmanaged<Loop>.fromOpaque(context).takeUnretainedValue()
    if event == .CONNECTION_NOTIFY_STARTED {
        let connection = unsafe Connection(
            socket: http_socket(handle), remoteAddress: Connection.text(of: http_address(handle)))
        loop.add(connection)
        unsafe known.pointee = Unmanaged.passRetained(connection).toOpaque()
    } else if let kept = unsafe known.pointee {
        loop.remove(unsafe Unmanaged<Connection>.fromOpaque(kept).takeRetainedValue())
    }
}
