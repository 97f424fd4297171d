// Invariant I8: PostgreSQL away is a quick, clear 503 and readiness says so; back again, everything works without a
// restart of ours.

import Domain
import Foundation
import TestSupport
import Testing

@Suite struct DatabaseOutageTests {
    @Test(.enabled(if: Shape.available.contains(.production), "needs PostgreSQL and S3"))
    func `a stopped PostgreSQL is told quickly, and used again when it is back`() async throws {
        let url = ProcessInfo.processInfo.environment["ARTIFORTRESS_TEST_POSTGRES_URL"] ?? ""
        let port = UInt16(URLComponents(string: url)?.port ?? 5432)
        let proxy = try TCPProxy(to: port)
        try await Shape.production.withServer(proxyingDatabaseBy: proxy) { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            #expect(try await server.put("/generic/files/f", [1, 2, 3], token: token).status == 201)

            proxy.cut()
            let told = await eventually {
                (try? await server.get("/generic/files/f", token: token).status) == 503
            }
            #expect(told)
            let start = ContinuousClock.now
            for _ in 0..<20 {
                let answer = try await server.get("/generic/files/f", token: token)
                #expect(answer.status == 503 && answer.text.contains("service_unavailable"), "\(answer.text)")
            }
            // Without the breaker each would wait for a connection: twenty times several seconds.
            #expect(ContinuousClock.now - start < .seconds(30))
            let ready = try await server.get("/health/ready", token: nil)
            let dependencies = try JSON(parsing: ready.body)["dependencies"]?.elements ?? []
            #expect(ready.status == 503)
            #expect(dependencies.contains { $0["name"]?.text == "postgres" && $0["status"]?.text == "not_ready" })
            #expect(dependencies.contains { $0["name"]?.text == "object_storage" && $0["status"]?.text == "ready" })
            #expect(try await server.get("/health/live", token: nil).status == 200)

            try proxy.mend()
            let isBack = await eventually {
                (try? await server.get("/generic/files/f", token: token).status) == 200
            }
            #expect(isBack, "\(server.log)")
            #expect(try await server.put("/generic/files/g", [4], token: token).status == 201)
            #expect(try await server.get("/health/ready", token: nil).status == 200)
        }
    }
}
