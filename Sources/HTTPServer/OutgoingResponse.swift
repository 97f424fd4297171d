// A response in the daemon's form.

import CMicroHTTPD
import Glibc
import HTTP
import Synchronization

@safe struct OutgoingResponse: ~Copyable {
    private let response: OpaquePointer

    deinit { unsafe MHD_destroy_response(self.response) }

    /// - Parameter omitsBody: the answer to HEAD, or 304.
    /// - Returns: nil where the process is out of memory or of descriptors, or a file is shorter than its region.
    init?(_ response: Response, for exchange: Exchange, omitsBody: Bool) {
        guard let made = unsafe Self.make(response.body, for: exchange) else { return nil }
        unsafe self.response = made
        // The daemon would send the last chunk even so, and the client take it for the next answer.
        if omitsBody, case .stream(nil, _) = response.body { unsafe http_refuse_chunks(self.response) }
        for field in response.headers.fields {
            // A string that is passed as it is would be copied first.
            unsafe field.name.withCString { name in
                unsafe field.value.withCString { value in
                    // Refuses line breaks, and the framing that is its own.
                    _ = unsafe MHD_add_response_header(self.response, name, value)
                }
            }
        }
        if exchange.server.isDraining.load(ordering: .relaxed) {
            _ = unsafe MHD_add_response_header(self.response, "Connection", "close")
        }
    }

    private static func make(_ body: Response.Body, for exchange: Exchange) -> OpaquePointer? {
        switch body {
        case .bytes(let bytes):
            return unsafe http_response_from_bytes(bytes, bytes.count)
        case .file(let region):
            if Self.isCopied(region) { return unsafe Self.copy(region) }
            return unsafe exchange.isEncrypted ? Self.read(region, for: exchange) : Self.map(region)
        case .stream(let length, _):
            return unsafe Self.make(length.map(UInt64.init) ?? http_size_unknown, exchange, exchange) {
                context, _, buffer, room in
                let exchange = unsafe Unmanaged<Exchange>.fromOpaque(context!).takeUnretainedValue()
                return unsafe exchange.fill(UnsafeMutableRawBufferPointer(start: buffer, count: room))
            }
        }
    }

    /// In bytes: what is copied sooner than the kernel is asked to send it, which takes three calls more and a packet of
    /// its own.
    private static let copyLimit = 32 << 10

    static func isCopied(_ region: FileRegion) -> Bool { region.length <= self.copyLimit }

    private static func copy(_ region: FileRegion) -> OpaquePointer? {
        let count = region.length
        guard count > 0 else { return unsafe http_response_from_bytes(nil, 0) }
        guard let bytes = unsafe malloc(count) else { return nil }
        var filled = 0
        while filled < count {
            let read = unsafe pread(region.descriptor, bytes + filled, count - filled, region.offset + filled)
            if read < 0, errno == EINTR { continue }
            guard read > 0 else {
                unsafe free(bytes)
                return nil
            }
            filled += read
        }
        return unsafe http_response_taking(bytes, count)
    }

    /// Sent by the kernel. The descriptor is shared by every answer from this file, so nothing moves its position: the
    /// kernel is told an offset each time. The daemon closes the descriptor it sends from.
    private static func map(_ region: FileRegion) -> OpaquePointer? {
        guard region.isWhole else { return nil }
        let descriptor = fcntl(region.descriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        let response = unsafe MHD_create_response_from_fd_at_offset64(
            UInt64(region.length), descriptor, UInt64(region.offset))
        if unsafe response == nil { close(descriptor) }
        return unsafe response
    }

    /// Read a block at a time. (Of a file of its own, the daemon would read and encrypt 4 KiB at a time.)
    private static func read(_ region: FileRegion, for exchange: Exchange) -> OpaquePointer? {
        guard region.isWhole else { return nil }
        let reading = Reading(region, exchange.server)
        return unsafe Self.make(UInt64(region.length), reading, exchange) { context, position, buffer, room in
            let reading = unsafe Unmanaged<Reading>.fromOpaque(context!).takeUnretainedValue()
            return unsafe reading.fill(UnsafeMutableRawBufferPointer(start: buffer, count: room), at: Int(position))
        }
    }

    /// - Parameter context: retained until the daemon lets go of the response.
    private static func make(
        _ length: UInt64, _ context: AnyObject, _ exchange: Exchange, _ reader: MHD_ContentReaderCallback
    ) -> OpaquePointer? {
        let kept = unsafe Unmanaged.passRetained(context)
        let response = unsafe MHD_create_response_from_callback(
            length, exchange.server.configuration.blockSize, reader, kept.toOpaque(),
            { unsafe Unmanaged<AnyObject>.fromOpaque($0!).release() })
        if unsafe response == nil { unsafe kept.release() }
        return unsafe response
    }

    consuming func queue(_ status: Int, on daemon: OpaquePointer) -> MHD_Result {
        unsafe MHD_queue_response(daemon, UInt32(status), self.response)
    }

    /// A file region that is read by us.
    private final class Reading: Sendable {
        private let region: FileRegion
        private let server: ServerCore

        init(_ region: FileRegion, _ server: ServerCore) { (self.region, self.server) = (region, server) }

        func fill(_ buffer: UnsafeMutableRawBufferPointer, at position: Int) -> Int {
            let room = min(buffer.count, self.region.length - position)
            while true {
                let count = unsafe pread(
                    self.region.descriptor, buffer.baseAddress, room, self.region.offset + position)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return http_end_with_error }  // the file has become too short
                self.server.statistics.send(count)
                return count
            }
        }
    }
}
