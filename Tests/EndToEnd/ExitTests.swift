// How the process ends: every time with status 0, and quickly. `make exit-drill` does the same a thousand times.

import Domain
import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Engine.postgreSQL.address != nil)) struct ExitTests {
    @Test(.timeLimit(.minutes(5))) func `a worker that runs once ends with status 0, however often`() async throws {
        try await SharedStores.with { stores in
            let settings = try stores.settings("worker", ["log.level": "error"])
            for _ in 0..<12 {
                let run = try await VerbProcess.run(["worker", "--once"] + VerbProcess.flags(settings))
                #expect(run.code == 0 && run.complaints.isEmpty, "\(run.code) \(run.complaints)")
            }
        }
    }

    @Test(.timeLimit(.minutes(5))) func `a server that is stopped as soon as it listens ends with status 0`()
        async throws
    {
        try await SharedStores.with { stores in
            let server = try stores.server("server", ["log.level": "error"])
            defer { server.kill() }
            for _ in 0..<8 {
                try await server.start()
                let code = try await server.stop()
                #expect(code == 0, "\(code) \(server.log)")
            }
        }
    }
}
