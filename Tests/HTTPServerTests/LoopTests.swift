// A loop's mailbox: what only happens between two loops if one is held up at the wrong moment.

import Glibc
import HTTP
import Testing

@testable import HTTPServer

@Suite struct LoopTests {
    @Test(arguments: [false, true])
    func `a client dealt to a loop that has just ended is turned away, not left waiting`(isEarlier: Bool) throws {
        let mailbox = try Mailbox(limit: 1)
        var ends: [Int32] = [-1, -1]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        if isEarlier { mailbox.post(.client(socket: ends[1], .unknown)) }
        mailbox.close()
        if !isEarlier { mailbox.post(.client(socket: ends[1], .unknown)) }
        var byte: UInt8 = 0
        // Zero for the end; an error if there is nothing yet.
        #expect(unsafe recv(ends[0], &byte, 1, Int32(MSG_DONTWAIT)) == 0)
    }

    @Test func `a buffer that has given its memory back can be used again`() {
        var intake = Intake(limits: HeadParser.Limits())
        for _ in 0..<3 {
            let head = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
            let room = unsafe intake.room()
            unsafe room.copyBytes(from: head)
            intake.filled(head.count)
            let step = intake.parse()
            #expect(step == .complete)
            intake.consume(head.count)
            intake.clear()
            intake.shrink()
            let unread = intake.unread
            #expect(unread == 0)
        }
    }
}
