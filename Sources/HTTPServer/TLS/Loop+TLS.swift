// Encrypted connections of a loop. A short read says nothing here: OpenSSL is read until it wants more.

import Glibc

extension Loop {
    mutating func handshake(_ slot: Int) -> Step {
        switch self.connections[slot].tls?.handshake() ?? .failed {
        case .moved:
            self.connections[slot].clientSubject = self.connections[slot].tls?.clientSubject
            self.connections[slot].lastActivity = self.now
            self.connections[slot].phase = .reading
            return .again
        case .wantsRead:
            self.connections[slot].isReadable = false
            return .wait
        case .wantsWrite: return .wait
        case .ended, .failed:
            self.destroy(slot)
            return .gone
        }
    }

    mutating func receiveSecurely(_ slot: Int, _ buffer: UnsafeMutableRawBufferPointer) -> Received {
        switch unsafe self.connections[slot].tls?.read(buffer) ?? .failed {
        case .moved(let count):
            self.connections[slot].lastActivity = self.now
            return .bytes(count)
        case .wantsRead, .wantsWrite:
            self.connections[slot].isReadable = false
            return .wouldBlock
        case .ended: return .ended
        case .failed: return self.connections[slot].hasEnded ? .ended : .failed
        }
    }

    mutating func pushSecurely(_ slot: Int) -> Push {
        while true {
            let outgoing = self.connections[slot].outgoing
            let outcome: TLSSession.Outcome
            // What a refused write was given has to be given again: it must not change its place in the order.
            if outgoing.bytesOffset < outgoing.bytes.count {
                outcome = unsafe outgoing.bytes.withUnsafeBytes { bytes in
                    unsafe self.write(slot, UnsafeRawBufferPointer(rebasing: bytes[outgoing.bytesOffset...]))
                }
            } else if self.output.count > 0 {
                outcome = unsafe self.write(slot, self.output.bytes)
            } else if outgoing.bodyOffset < outgoing.body.count {
                outcome = unsafe outgoing.body.withUnsafeBytes { bytes in
                    unsafe self.write(slot, UnsafeRawBufferPointer(rebasing: bytes[outgoing.bodyOffset...]))
                }
            } else {
                return .done
            }
            switch outcome {
            case .moved(let count):
                self.connections[slot].sentInWindow &+= count
                self.settleSent(slot, count)
            case .wantsWrite:
                self.connections[slot].isWritable = false
                return self.keepOutput(slot)
            case .wantsRead:
                self.connections[slot].isReadable = false
                return self.keepOutput(slot)
            case .ended, .failed: return .failed
            }
        }
    }

    private func write(_ slot: Int, _ bytes: UnsafeRawBufferPointer) -> TLSSession.Outcome {
        unsafe self.connections[slot].tls?.write(bytes) ?? .failed
    }
}
