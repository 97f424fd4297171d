// How a loop sends what there is, and keeps what the kernel does not take at once.

import CLinux
import Glibc
import HTTP

extension Loop {
    enum Push {
        case done
        /// The socket is full, or a file is not in memory yet.
        case blocked
        /// Others have their turn first.
        case yielded
        case failed
    }

    /// Sends what there is: the connection's own bytes, the loop's buffer, the body, the file.
    mutating func push(_ slot: Int) -> Push {
        let bytes = self.connections[slot].isSecure ? self.pushSecurely(slot) : self.pushBytes(slot)
        guard bytes == .done, self.connections[slot].outgoing.fileLeft > 0 else { return bytes }
        return self.pushFile(slot)
    }

    private mutating func pushBytes(_ slot: Int) -> Push {
        while self.output.count > 0 || self.connections[slot].outgoing.hasBytes {
            guard self.connections[slot].isWritable else { return self.keepOutput(slot) }
            let flags =
                Int32(MSG_NOSIGNAL)
                | (self.connections[slot].outgoing.fileLeft > 0 ? Int32(MSG_MORE) : 0)
            let sent: Int
            if !self.connections[slot].outgoing.hasBytes {
                let bytes = unsafe self.output.bytes
                sent = unsafe Glibc.send(self.connections[slot].socket, bytes.baseAddress, bytes.count, flags)
            } else {
                sent = self.sendParts(slot, flags)
            }
            if sent < 0 {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { return .failed }
                self.connections[slot].isWritable = false
                continue
            }
            self.connections[slot].sentInWindow &+= sent
            self.settleSent(slot, sent)
        }
        return .done
    }

    private func sendParts(_ slot: Int, _ flags: Int32) -> Int {
        let outgoing = self.connections[slot].outgoing
        return unsafe outgoing.bytes.withUnsafeBytes { own in
            unsafe outgoing.body.withUnsafeBytes { body in
                let buffer = unsafe self.output.bytes
                var parts = unsafe (iovec(), iovec(), iovec())
                unsafe parts.0 = Self.part(UnsafeRawBufferPointer(rebasing: own[outgoing.bytesOffset...]))
                unsafe parts.1 = Self.part(buffer)
                unsafe parts.2 = Self.part(UnsafeRawBufferPointer(rebasing: body[outgoing.bodyOffset...]))
                return unsafe withUnsafeMutablePointer(to: &parts) { pointer in
                    unsafe pointer.withMemoryRebound(to: iovec.self, capacity: 3) { parts in
                        var message = unsafe msghdr()
                        unsafe message.msg_iov = parts
                        unsafe message.msg_iovlen = 3
                        return unsafe sendmsg(self.connections[slot].socket, &message, flags)
                    }
                }
            }
        }
    }

    private static func part(_ bytes: UnsafeRawBufferPointer) -> iovec {
        unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }

    /// Takes what was sent off the parts, in their order.
    mutating func settleSent(_ slot: Int, _ sent: Int) {
        if sent == self.output.count, !self.connections[slot].outgoing.hasBytes {
            self.output.clear()
            return
        }
        var left = sent
        let own = self.connections[slot].outgoing.bytes.count - self.connections[slot].outgoing.bytesOffset
        let ofOwn = min(left, own)
        self.connections[slot].outgoing.bytesOffset += ofOwn
        left -= ofOwn
        let ofBuffer = min(left, self.output.count)
        left -= ofBuffer
        if ofBuffer == self.output.count {
            self.output.clear()
            if ofOwn == own {
                self.connections[slot].outgoing.bytes = []
                self.connections[slot].outgoing.bytesOffset = 0
            }
        } else {
            self.keepOutput(slot, from: ofBuffer)
        }
        self.connections[slot].outgoing.bodyOffset += left
    }

    /// Moves what is left in the loop's buffer to the connection's own.
    mutating func keepOutput(_ slot: Int) -> Push {
        self.keepOutput(slot, from: 0)
        return .blocked
    }

    private mutating func keepOutput(_ slot: Int, from start: Int) {
        if self.output.count > start {
            if self.connections[slot].outgoing.bytesOffset == self.connections[slot].outgoing.bytes.count {
                self.connections[slot].outgoing.bytes = []
                self.connections[slot].outgoing.bytesOffset = 0
            }
            unsafe self.connections[slot].outgoing.bytes.append(contentsOf: self.output.bytes[start...])
        }
        self.output.clear()
    }
}
