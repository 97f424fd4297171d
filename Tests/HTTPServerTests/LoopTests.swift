// A loop by itself: what only happens between two of them when one is held up at the wrong moment.

import Glibc
import HTTP
import Synchronization
import Testing

@testable import HTTPServer

@Suite struct LoopTests {
    @Test func `a client dealt to a loop that has just ended is turned away, not left waiting`() async throws {
        let core = ServerCore(.quick, Server.Statistics()) { _ in .text(200, "") }
        core.isDraining.store(true, ordering: .sequentiallyConsistent)
        let loop = Loop(core)
        try await loop.run(nil, whenStarted: {})
        var ends: [Int32] = [-1, -1]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        loop.take(ends[1])
        var byte: UInt8 = 0
        // Zero for the end; an error where there is nothing yet.
        #expect(unsafe recv(ends[0], &byte, 1, Int32(MSG_DONTWAIT)) == 0)
    }
}
