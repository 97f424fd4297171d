// Requests that the server answers without the application: told to the client, the log and the metrics.

import Domain
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct ServerRejectionTests {
    @Test func `a malformed request is answered once, logged and counted`() async throws {
        let settings = ["metrics.token": "metrics-token-of-a-test", "log.level": "info", "log.format": "json"]
        try await Shape.embedded.withServer(settings) { server in
            let folded = "GET /health/live HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n 5\r\n\r\nabcde"
            let answer = try await server.client.send(raw: Array(folded.utf8))
            #expect(answer.status == 400)
            let correlation = answer[header: "x-correlation-id"] ?? ""
            #expect(UniqueID(correlation) != nil)
            let document = try JSON(parsing: answer.body)
            #expect(document["error"] == "bad_request" && document["message"] != nil)
            #expect(await eventually { server.log.contains(correlation) && server.log.contains("request rejected") })
            let metrics = try await server.client.send(
                "GET", "/metrics", headers: [("Authorization", "Bearer metrics-token-of-a-test")])
            let text = String(decoding: metrics.body, as: UTF8.self)
            #expect(text.contains("artifortress_http_rejections_total{status=\"400\"} 1"))
        }
    }
}
