// A response in the daemon's form.

import CMicroHTTPD
import Glibc
import HTTP
import Synchronization

@safe struct OutgoingResponse: ~Copyable {
    private let response: OpaquePointer

    deinit { unsafe MHD_destroy_response(self.response) }

    init(_ response: Response, for exchange: Exchange) {
        unsafe self.response = Self.make(response.body, for: exchange) ?? Self.make(.bytes([]), for: exchange)!
        for field in response.headers.fields {
            // Refuses line breaks, and the framing that is its own.
            _ = unsafe MHD_add_response_header(self.response, field.name, field.value)
        }
        if exchange.server.isDraining.load(ordering: .relaxed) {
            _ = unsafe MHD_add_response_header(self.response, "Connection", "close")
        }
    }

    /// Nil where the process is out of memory or of descriptors.
    private static func make(_ body: Response.Body, for exchange: Exchange) -> OpaquePointer? {
        switch body {
        case .bytes(let bytes):
            return unsafe http_response_from_bytes(bytes, bytes.count)
        case .file(let region) where exchange.server.configuration.tls != nil:
            // Of a file of its own, the daemon would read and encrypt 4 KiB at a time.
            return unsafe MHD_create_response_from_callback(
                UInt64(region.length), exchange.server.configuration.blockSize,
                { context, position, buffer, room in
                    let region = unsafe Unmanaged<FileRegion>.fromOpaque(context!).takeUnretainedValue()
                    let count = unsafe pread(region.descriptor, buffer, room, region.offset + Int(position))
                    return count > 0 ? count : http_end_with_error
                },
                Unmanaged.passRetained(region).toOpaque(),
                { unsafe Unmanaged<FileRegion>.fromOpaque($0!).release() })
        case .file(let region):
            // The daemon closes the descriptor it sends from.
            let descriptor = fcntl(region.descriptor, F_DUPFD_CLOEXEC, 0)
            return unsafe MHD_create_response_from_fd_at_offset64(
                UInt64(region.length), descriptor, UInt64(region.offset))
        case .stream(let length, _):
            return unsafe MHD_create_response_from_callback(
                length.map(UInt64.init) ?? http_size_unknown, exchange.server.configuration.blockSize,
                { context, _, buffer, room in
                    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(context!).takeUnretainedValue()
                    return unsafe exchange.fill(UnsafeMutableRawBufferPointer(start: buffer, count: room))
                },
                Unmanaged.passRetained(exchange).toOpaque(),
                { unsafe Unmanaged<Exchange>.fromOpaque($0!).release() })
        }
    }

    consuming func queue(_ status: Int, on daemon: OpaquePointer) -> MHD_Result {
        unsafe MHD_queue_response(daemon, UInt32(status), self.response)
    }
}
