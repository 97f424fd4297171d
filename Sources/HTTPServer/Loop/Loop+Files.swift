// How a loop sends files: by the kernel, or a block at a time if OpenSSL encrypts.

import Glibc
import HTTP
import Threads

extension Loop {
    /// In bytes: what one connection sends of a file before others have their turn.
    private static let turn = 16 * 1024 * 1024
    /// In bytes: what is read and encrypted at once.
    private static let block = 64 * 1024

    mutating func pushFile(_ slot: Int) -> Push {
        guard !self.connections[slot].outgoing.awaitsFile else { return .blocked }
        var sent = 0
        while sent < Self.turn {
            let left = self.connections[slot].outgoing.fileLeft
            guard left > 0, let region = self.connections[slot].outgoing.file else { return .done }
            guard self.connections[slot].isWritable else { return .blocked }
            let offset = self.connections[slot].outgoing.fileOffset
            let isCopied = self.connections[slot].isSecure && self.connections[slot].tls?.kernelSends != true
            if !isCopied, offset >= self.connections[slot].outgoing.fileReadyUntil {
                let part = offset..<offset + min(left, FileReading.part)
                guard FileReading.isCached(region.descriptor, part) else { return self.awaitFile(slot, region, part) }
                self.connections[slot].outgoing.fileReadyUntil = part.upperBound
            }
            let before = left
            let pushed = isCopied ? self.sendBlock(slot, region) : self.sendPart(slot, region)
            sent += before - self.connections[slot].outgoing.fileLeft
            guard pushed == .done else { return pushed }
        }
        return self.connections[slot].outgoing.fileLeft > 0 ? .yielded : .done
    }

    /// Lets another thread read the next part of the file into memory.
    private mutating func awaitFile(_ slot: Int, _ region: FileRegion, _ part: Range<Int>) -> Push {
        self.connections[slot].outgoing.awaitsFile = true
        self.connections[slot].outgoing.fileReadyUntil = part.upperBound
        let key = self.key(slot)
        let mailbox = self.mailbox
        FileReading.readers.start {
            FileReading.load(region.descriptor, part)
            mailbox.post(.fileIsReady(key))
        }
        return .blocked
    }

    private mutating func sendPart(_ slot: Int, _ region: FileRegion) -> Push {
        let ready = self.connections[slot].outgoing.fileReadyUntil - self.connections[slot].outgoing.fileOffset
        let count = min(self.connections[slot].outgoing.fileLeft, ready)
        let sent: Int
        if self.connections[slot].isSecure {
            let offset = self.connections[slot].outgoing.fileOffset
            switch self.connections[slot].tls?.send(region.descriptor, from: offset, count) ?? .failed {
            case .moved(let moved): sent = moved
            case .wantsWrite:
                self.connections[slot].isWritable = false
                return .blocked
            case .wantsRead, .ended, .failed: return .failed
            }
        } else {
            var offset = off_t(self.connections[slot].outgoing.fileOffset)
            sent = unsafe sendfile(self.connections[slot].socket, region.descriptor, &offset, count)
            if sent < 0, errno == EINTR { return .done }
            if sent < 0, errno == EAGAIN {
                self.connections[slot].isWritable = false
                return .blocked
            }
        }
        guard sent > 0 else { return .failed }  // the file has become shorter
        self.connections[slot].sentInWindow &+= sent
        self.advanceFile(slot, sent)
        return .done
    }

    /// Reads a block and sends it encrypted.
    private mutating func sendBlock(_ slot: Int, _ region: FileRegion) -> Push {
        let left = self.connections[slot].outgoing.fileLeft
        let offset = self.connections[slot].outgoing.fileOffset
        let ready = self.connections[slot].outgoing.fileReadyUntil - offset
        let count = min(left, self.output.room, Self.block, ready > 0 ? ready : .max)
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: self.output.free[..<count])
        let read: Int
        if ready > 0 {
            read = unsafe pread(region.descriptor, room.baseAddress, room.count, off_t(offset))
            if read < 0, errno == EINTR { return .done }
        } else {
            guard let cached = unsafe FileReading.cached(region.descriptor, at: offset, room) else {
                return self.awaitFile(slot, region, offset..<offset + min(left, FileReading.part))
            }
            read = cached
        }
        guard read > 0 else { return .failed }  // the file has become shorter
        self.output.filled(read)
        self.advanceFile(slot, read)
        return self.pushSecurely(slot)
    }

    private mutating func advanceFile(_ slot: Int, _ count: Int) {
        self.statistics.send(count)
        self.connections[slot].outgoing.fileOffset += count
        self.connections[slot].outgoing.fileLeft -= count
    }
}
