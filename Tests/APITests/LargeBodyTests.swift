// Large JSON bodies: bounded in values, and few at a time.

import Domain
import HTTP
import TestSupport
import Testing

@testable import API
@testable import artifortress

@Suite struct LargeBodyTests {
    @Test func `a body with too many values is rejected with a clear message`() async throws {
        try await Installation.with(.sqlite) { server in
            let token = try await server.token()
            let numbers = String(repeating: "1,", count: JSON.valueLimit) + "1"
            let body =
                Array(#"{"repoKey": "r", "repoType": "local", "x": ["#.utf8) + Array(numbers.utf8) + Array("]}".utf8)
            let answer = try await server.send(
                "POST", "/v1/repos",
                headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")], body: body)
            #expect(answer.status == 400 && answer.json["error"] == "bad_request")
            #expect(answer.json["message"]?.text?.contains("more than 100000 values") == true, "\(answer.text)")
            let fewer = String(repeating: "1,", count: JSON.valueLimit - 10) + "1"
            let allowed =
                Array(#"{"repoKey": "r", "repoType": "local", "x": ["#.utf8) + Array(fewer.utf8) + Array("]}".utf8)
            let created = try await server.send(
                "POST", "/v1/repos",
                headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")], body: allowed)
            #expect(created.status == 201, "\(created.text)")
        }
    }

    @Test func `a large body waits for a place, and is rejected if none becomes free in time`() async throws {
        let bodies = LargeBodies(places: 1, queueTimeout: .milliseconds(50))
        let large = [UInt8](repeating: 0, count: LargeBodies.threshold + 1)
        let (first, second, small) = (BodyAdmission(bodies), BodyAdmission(bodies), BodyAdmission(bodies))
        try await first.admit(large)
        try await first.admit(large)  // one place a request
        try await small.admit([1])
        let refusal = await #expect(throws: Refusal.self) { try await second.admit(large) }
        #expect(refusal?.reason == .serviceUnavailable && refusal?.details.first?.name == "retryAfterSeconds")
        first.end()
        first.end()  // no effect
        try await second.admit(large)
        await #expect(throws: Refusal.self) { try await first.admit(large) }
        second.end()
    }

    @Test func `who waits is admitted when a place becomes free`() async throws {
        let bodies = LargeBodies(places: 2, queueTimeout: .seconds(600))
        let large = [UInt8](repeating: 0, count: LargeBodies.threshold + 1)
        let held = [BodyAdmission(bodies), BodyAdmission(bodies)]
        for admission in held { try await admission.admit(large) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    let admission = BodyAdmission(bodies)
                    try await admission.admit(large)
                    admission.end()
                }
            }
            while bodies.waitingCount < 5 { await Task.yield() }
            for admission in held { admission.end() }
            try await group.waitForAll()
        }
        #expect(bodies.waitingCount == 0)
    }
}
