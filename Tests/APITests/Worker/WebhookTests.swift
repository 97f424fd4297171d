// Webhooks: signed, in order, tried again, given up with an audit entry; nothing private is reached. Rules:
// docs/webhooks.md.

import Cryptography
import Domain
import HTTP
import HTTPClient
import Persistence
import Registry
import Synchronization
import TestSupport
import Testing
import Threads
import Worker

@testable import artifortress

/// A receiver that remembers, and answers as it is told to.
final class Receiver: Sendable {
    struct Visit: Sendable {
        let path: String
        let headers: Headers
        let body: JSON
        let bytes: [UInt8]
    }

    private let state = Mutex((visits: [Visit](), status: [String: Int]()))

    func visits(_ path: String) -> [Visit] { self.state.withLock { $0.visits.filter { $0.path == path } } }

    func answer(_ path: String, _ status: Int) { self.state.withLock { $0.status[path] = status } }

    func take(_ request: Request) async throws -> Response {
        let bytes = try await request.body.collect(upTo: 1 << 20)
        let visit = Visit(
            path: request.target.path, headers: request.headers, body: try JSON(parsing: bytes), bytes: bytes)
        let status = self.state.withLock { state in
            state.visits.append(visit)
            return state.status[visit.path] ?? 204
        }
        return Response(status, headers: status == 302 ? ["Location": "/elsewhere"] : [:])
    }
}

@Suite struct WebhookTests {
    private static let path = "/v1/repos/pkgs/webhooks"
    private static let settings = [
        "webhooks.allowPrivateAddresses": "true", "webhooks.maxAttempts": "3", "webhooks.timeoutSeconds": "60",
    ]

    /// Calls `body` with an installation, an administrator's token, a receiver and its URL.
    private static func with(
        _ engine: Engine, _ settings: [String: String] = Self.settings,
        _ body: @escaping @Sendable (Installation, String, Receiver, String) async throws -> Void
    ) async throws {
        try await Installation.with(engine, settings) { server in
            let receiver = Receiver()
            let token = try await server.withPackages()
            try await TestServer.with({ try await receiver.take($0) }) { url in
                try await body(server, token, receiver, url)
            }
        }
    }

    private static func create(
        _ server: Installation, _ body: JSON, path: String = Self.path, token: String
    ) async throws -> (id: String, secret: String) {
        let answer = try await server.send("POST", path, token: token, body)
        try #require(answer.status == 201, "\(answer.status) \(answer.text)")
        let id = try #require(answer.json["webhookId"]?.text)
        #expect(answer.headers["location"] == "\(path)/\(id)")
        return (id, try #require(answer.json["secret"]?.text))
    }

    @Test(arguments: Engine.direct)
    func `events arrive signed, in order, at whoever wants them`(engine: Engine) async throws {
        try await Self.with(engine) { server, token, receiver, url in
            try await server.createRepository("others", token: token)
            let all = try await Self.create(server, ["url": .string("\(url)/all")], token: token)
            _ = try await Self.create(
                server, ["url": .string("\(url)/dead"), "events": ["version.tombstoned"]], token: token)
            _ = try await Self.create(
                server, ["url": .string("\(url)/tenant")], path: "/v1/admin/webhooks", token: token)
            var ids: [String] = []
            for number in 1...5 { ids.append(try await server.published("p", "\(number).0.0", token: token)) }
            try await server.published("q", in: "others", token: token)
            _ = try await server.send(
                "POST", "/v1/repos/pkgs/packages/versions/\(ids[0])/tombstone", token: token, ["reason": "gone"])
            try await server.serving.webhookDelivery.once()
            let visits = receiver.visits("/all")
            #expect(visits.map { $0.body["seq"]?.integer } == [1, 2, 3, 4, 5, 6])
            #expect(visits.first?.body["data"]?["version"] == "1.0.0")
            #expect(visits.last?.body["type"] == "version.tombstoned")
            #expect(receiver.visits("/dead").map { $0.body["type"] } == ["version.tombstoned"])
            #expect(receiver.visits("/tenant").count == 7)
            for visit in visits {
                let time = try #require(visit.headers["x-artifortress-timestamp"])
                let signature = HMAC.sha256(Array("\(time).".utf8) + visit.bytes, key: Array(all.secret.utf8))
                #expect(visit.headers["x-artifortress-signature"] == "v1=\(Hexadecimal.text(of: signature))")
                #expect(visit.headers["x-artifortress-event-id"] == visit.body["eventId"]?.text)
                #expect(visit.headers["content-type"] == "application/json")
            }
            let feed = try await server.send("GET", "/v1/repos/pkgs/events?wait=0", token: token)
            #expect(
                feed.json["events"]?.elements?.map { $0["eventId"] } == visits.map { $0.body["eventId"] },
                "the feed and the webhook name an event alike")
            try await server.serving.webhookDelivery.once()
            #expect(receiver.visits("/all").count == 6)
        }
    }

    @Test(arguments: Engine.direct)
    func `an event about a file carries its digest, its size and its URL`(engine: Engine) async throws {
        var settings = Self.settings
        settings["publicUrl"] = "https://artifacts.example"
        try await Self.with(engine, settings) { server, token, receiver, url in
            _ = try await Self.create(server, ["url": .string("\(url)/all")], token: token)
            let bytes = Array("content".utf8)
            let put = try await server.send(
                "PUT", "/generic/pkgs/a%20b/%C3%A9.txt", headers: [("Authorization", "Bearer \(token)")], body: bytes)
            #expect(put.status == 201)
            try await server.published("p", token: token)
            #expect(try await server.send("DELETE", "/generic/pkgs/a%20b/%C3%A9.txt", token: token).status == 204)
            try await server.serving.webhookDelivery.once()
            let data = receiver.visits("/all").map { $0.body["data"] ?? .null }
            try #require(data.count == 3)
            for index in [0, 2] {
                #expect(data[index]["digest"] == .string(SHA256.digest(of: bytes).hex))
                #expect(data[index]["sizeBytes"] == 7)
                #expect(
                    data[index]["url"] == "https://artifacts.example/generic/pkgs/a%20b/%C3%A9.txt",
                    "\(data[index])")
            }
            #expect(data[1]["url"] == nil && data[1]["packageName"] == "p")
        }
    }

    @Test(arguments: Engine.direct)
    func `a failing receiver is tried again in order, and holds nobody else up; then it is disabled`(
        engine: Engine
    ) async throws {
        try await Self.with(engine) { server, token, receiver, url in
            let (bad, _) = try await Self.create(server, ["url": .string("\(url)/bad")], token: token)
            _ = try await Self.create(server, ["url": .string("\(url)/good")], token: token)
            receiver.answer("/bad", 500)
            for number in 1...3 { try await server.published("p", "\(number).0.0", token: token) }
            let again: @Sendable () async throws -> Void = {
                try await server.execute("UPDATE webhooks SET next_attempt_at = created_at")
                try await server.serving.webhookDelivery.once()
            }
            try await server.serving.webhookDelivery.once()
            #expect(receiver.visits("/good").count == 3 && receiver.visits("/bad").count == 1)
            try await server.serving.webhookDelivery.once()
            #expect(receiver.visits("/bad").count == 1, "it is left alone for a while")
            let view = try await server.send("GET", "\(Self.path)/\(bad)", token: token)
            #expect(view.json["consecutiveFailures"] == 1 && view.json["pendingDeliveries"] == 3)
            receiver.answer("/bad", 302)
            try await again()
            #expect(receiver.visits("/bad").map { $0.body["seq"]?.integer } == [1, 1])
            #expect(receiver.visits("/elsewhere").isEmpty, "redirections aren't followed")
            #expect(Set(receiver.visits("/bad").map { $0.body["eventId"]?.text }).count == 1)
            try await again()
            let disabled = try await server.send("GET", "\(Self.path)/\(bad)", token: token)
            #expect(disabled.json["enabled"] == false, "\(disabled.text)")
            #expect(disabled.json["disabledReason"]?.text?.contains("302") == true)
            let audit = try await server.audit(token).first { $0["action"] == "webhook.disabled" }
            #expect(audit?["actor"] == "system" && audit?["resourceId"] == .string(bad))
            try await again()
            #expect(receiver.visits("/bad").count == 3)
            #expect(try await server.send("POST", "\(Self.path)/\(bad)/test", token: token).status == 409)
            // Whoever mends it goes on where it stopped.
            receiver.answer("/bad", 200)
            let enabled = try await server.send("POST", "\(Self.path)/\(bad)/enable", token: token)
            #expect(enabled.json["enabled"] == true && enabled.json["consecutiveFailures"] == 0)
            try await server.serving.webhookDelivery.once()
            #expect(receiver.visits("/bad").map { $0.body["seq"]?.integer } == [1, 1, 1, 1, 2, 3])
        }
    }

    @Test(arguments: Engine.direct)
    func `it is tested, looked at, repeated and deleted`(engine: Engine) async throws {
        try await Self.with(engine) { server, token, receiver, url in
            let secret = "a secret of my own"
            let (id, kept) = try await Self.create(
                server, ["url": .string("\(url)/w"), "secret": .string(secret), "events": ["version.published"]],
                token: token)
            #expect(kept == secret)
            let list = try await server.send("GET", Self.path, token: token)
            #expect(list.json.elements?.count == 1 && !list.text.contains(secret))
            #expect(try await server.count("webhooks WHERE sealed_secret = \(Array(secret.utf8))") == 0)
            #expect(try await server.send("POST", "\(Self.path)/\(id)/test", token: token).status == 202)
            try await server.published("p", token: token)
            try await server.serving.webhookDelivery.once()
            #expect(receiver.visits("/w").map { $0.body["type"] } == ["webhook.test", "version.published"])
            let deliveries = try await server.send("GET", "\(Self.path)/\(id)/deliveries?limit=1", token: token)
            let newest = try #require(deliveries.json["items"]?.elements?.first)
            #expect(newest["status"] == "delivered" && newest["attempts"] == 1 && newest["lastStatus"] == 204)
            let next = try #require(deliveries.json["next"]?.integer)
            let older = try await server.send(
                "GET", "\(Self.path)/\(id)/deliveries?before=\(next)&status=delivered", token: token)
            #expect(older.json["items"]?.elements?.map { $0["type"] } == ["webhook.test"])
            let again = try await server.send(
                "POST", "\(Self.path)/\(id)/deliveries/\(newest["deliveryId"]?.text ?? "")/redeliver", token: token)
            #expect(again.status == 202)
            try await server.serving.webhookDelivery.once()
            let events = receiver.visits("/w").map { $0.body["eventId"] }
            #expect(events.count == 3 && events[1] == events[2], "an event keeps its id")
            for path in ["/v1/admin/webhooks/\(id)", "\(Self.path)/\(UniqueID.random())"] {
                #expect(try await server.send("GET", path, token: token).status == 404)
            }
            #expect(try await server.send("DELETE", "\(Self.path)/\(id)", token: token).json["deleted"] == true)
            #expect(try await server.send("DELETE", "\(Self.path)/\(id)", token: token).status == 404)
            #expect(try await server.count("webhook_deliveries") == 0)
            let actions = Set(try await server.audit(token).compactMap { $0["action"]?.text })
            #expect(
                actions.isSuperset(of: ["webhook.created", "webhook.tested", "webhook.redelivered", "webhook.deleted"]))
            let writer = try await server.token(["repo:pkgs:write"], subject: "writer")
            for (method, path) in [("GET", Self.path), ("POST", Self.path), ("GET", "/v1/admin/webhooks")] {
                #expect(try await server.send(method, path, token: writer).status == 403)
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `what is in quarantine isn't told of`(engine: Engine) async throws {
        try await Self.with(engine) { server, token, receiver, url in
            let (id, _) = try await Self.create(server, ["url": .string("\(url)/w")], token: token)
            let hidden = try await server.published("hidden", token: token)
            try await server.quarantine(hidden, as: .quarantined)
            try await server.published("shown", token: token)
            try await server.serving.webhookDelivery.once()
            #expect(receiver.visits("/w").map { $0.body["data"]?["packageName"] } == ["shown"])
            let withheld = try await server.send(
                "GET", "\(Self.path)/\(id)/deliveries?status=withheld", token: token)
            #expect(withheld.json["items"]?.elements?.count == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `nothing private is reached`(engine: Engine) async throws {
        try await Self.with(engine, ["webhooks.timeoutSeconds": "60"]) { server, token, receiver, url in
            for host in ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]", "[fd00::1]", "0.0.0.0"] {
                let answer = try await server.send(
                    "POST", Self.path, token: token, ["url": .string("http://\(host)/")])
                #expect(answer.status == 400 && answer.error == "bad_request", "\(host)")
            }
            // A name that leads to us is refused when it is connected to, however it came in.
            let (id, _) = try await Self.create(server, ["url": "http://receiver.example/"], token: token)
            try await server.execute("UPDATE webhooks SET url = \("\(url)/w")")
            try await server.published("p", token: token)
            try await server.serving.webhookDelivery.once()
            #expect(receiver.visits("/w").isEmpty)
            let deliveries = try await server.send("GET", "\(Self.path)/\(id)/deliveries", token: token)
            let error = deliveries.json["items"]?.elements?.first?["lastError"]
            #expect(error == "the address may not be reached")
            for (body, status) in [
                ([:], 400), (["url": "ftp://a/"], 400), (["url": "http://u:p@a.example/"], 400),
                (["url": "http://a.example/", "events": ["x"]], 400),
                (["url": "http://a.example/", "secret": "short"], 400),
            ] as [(JSON, Int)] {
                #expect(try await server.send("POST", Self.path, token: token, body).status == status)
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `a secret that can't be opened here is no failure of the receiver's`(engine: Engine) async throws {
        try await Self.with(engine) { server, token, receiver, url in
            _ = try await Self.create(server, ["url": .string("\(url)/w")], token: token)
            try await server.published("p", token: token)
            try await server.execute("UPDATE webhooks SET sealed_secret = \(Array("sealed under another key".utf8))")
            try await server.serving.webhookDelivery.once()
            #expect(receiver.visits("/w").isEmpty)
            let now = server.serving.clock.now()
            #expect(try await server.count("webhooks WHERE failures = 0 AND next_attempt_at > \(now + 30)") == 1)
            #expect(try await server.count("webhook_deliveries WHERE status = 'pending' AND attempts = 0") == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `one that was taken over meanwhile records nothing`(engine: Engine) async throws {
        try await Self.with(engine) { server, token, receiver, url in
            _ = try await Self.create(server, ["url": .string("\(url)/w")], token: token)
            for number in 1...2 { try await server.published("p", "\(number).0.0", token: token) }
            let queue = server.serving.webhookQueue
            let (ids, lease) = try await queue.claim(limit: 10)
            let id = try #require(ids.first)
            let message = try #require(try await queue.advance(id, under: lease, settling: nil))
            #expect(try await queue.claim(limit: 10).ids.isEmpty)
            // Its time is over: another worker takes it, and tells everything.
            try await server.execute("UPDATE webhooks SET lease_until = created_at")
            try await server.serving.webhookDelivery.once()
            #expect(receiver.visits("/w").map { $0.body["seq"]?.integer } == [1, 2])
            let next = try await queue.advance(
                id, under: lease, settling: (message.delivery, .refused(status: 500)))
            #expect(next == nil)
            #expect(try await server.count("webhooks WHERE failures = 0") == 1)
            #expect(try await server.count("webhook_deliveries WHERE status = 'delivered' AND attempts = 1") == 2)
        }
    }
}
