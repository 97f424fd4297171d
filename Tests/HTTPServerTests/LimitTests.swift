// What the server takes at most, and how it refuses more.

import Glibc
import HTTP
import HTTPServer
import Synchronization
import Testing

@Suite struct LimitTests {
    @Test func `a head that is too long is refused`() async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send("GET /a HTTP/1.1\r\nHost: h\r\n")
            for _ in 0..<200 { client.send("X: " + String(repeating: "y", count: 1000) + "\r\n") }
            #expect(client.read().contains(" 431 "))
            let other = Client(address)
            other.send("GET /" + String(repeating: "y", count: 200_000))
            #expect(other.read().contains(" 414 "))
        }
    }

    @Test func `a head within the limit is taken, of however many fields`() async throws {
        try await serving(with: route) { address in
            for (count, length) in [(1, 32_000), (100, 300), (400, 60)] {
                let field = "X: \(String(repeating: "y", count: length))\r\n"
                let fields = String(repeating: field, count: count)
                #expect(Client(address).ask("GET /a HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")?.status == 200, "\(count)")
            }
        }
    }

    @Test func `a body over the limit is refused`() async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send("PUT /count HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\nExpect: 100-continue\r\n\r\n")
            #expect(client.read().hasPrefix("HTTP/1.1 413"))
            let other = Client(address)
            other.send("PUT /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n989680\r\n")
            other.send([UInt8](repeating: 7, count: 10_000_000))
            let answer = other.read()
            #expect(answer.hasPrefix("HTTP/1.1 413"), "\(answer)")
        }
    }

    @Test func `a dawdling head ends its connection, and a slow handler doesn't`() async throws {
        let gate = Gate()
        var configuration = Server.Configuration.quick
        configuration.headTimeout = .milliseconds(300)
        let handler: Handler = { _ in
            try await gate.pass()
            return .text(200, "done\n")
        }
        try await serving(configuration, with: handler) { address in
            let client = Client(address)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let slow = Client(address)
            slow.send("GET / HTTP/1.1\r\nX: ")
            #expect(eventually { slow.hasInput(within: .milliseconds(20)) || slow.send("y") == 0 })
            gate.open()
            #expect(client.read(until: "done\n").contains("200 OK"))
        }
    }

    @Test func `more clients than the limit wait until a busy one is idle`() async throws {
        var configuration = Server.Configuration.quick
        configuration.connectionLimit = 4
        let statistics = Server.Statistics()
        let gate = Gate()
        let handler: Handler = { request in
            if request.target.path == "/wait" { try await gate.pass() }
            return .text(200, "done\n")
        }
        try await serving(configuration, statistics: statistics, with: handler) { address in
            let clients = (0..<4).map { _ in Shared(address) }
            for client in clients { client.client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n") }
            #expect(eventually { gate.arrivals == 4 })
            let fifth = Client(address)
            fifth.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let isAnswered = fifth.hasInput(within: .milliseconds(200))
            #expect(!isAnswered)
            #expect(statistics.openConnections == 4)
            gate.open()
            #expect(fifth.answer()?.status == 200)
            #expect(clients.count { $0.client.answer()?.status == 200 } == 4)
        }
    }

    @Test(arguments: [1, 2])
    func `beyond the limit the connection that has been idle longest is closed`(threads: Int) async throws {
        var configuration = Server.Configuration.quick
        configuration.connectionLimit = 4
        configuration.threads = threads
        let statistics = Server.Statistics()
        try await serving(configuration, statistics: statistics, with: route) { address in
            let clients = (0..<4).map { _ in Shared(address) }
            for client in clients + [clients[0]] {
                #expect(client.client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200)
                usleep(5000)  // the server's clock counts milliseconds
            }
            let fifth = Client(address)
            #expect(fifth.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200)
            #expect(clients[1].client.read() == "")
            for index in [0, 2, 3] {
                #expect(clients[index].client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200, "\(index)")
            }
            #expect(statistics.evictions == 1)
        }
    }

    @Test func `clients that send heads slowly do not keep others out`() async throws {
        var configuration = Server.Configuration.quick
        configuration.connectionLimit = 8
        try await serving(configuration, with: route) { address in
            let slow = (0..<8).map { _ in Shared(address) }
            for client in slow { client.client.send("GET / HTTP/1.1\r\nHo") }
            for _ in 0..<4 {
                let client = Client(address)
                #expect(client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200)
            }
        }
    }

    @Test(arguments: [false, true])
    func `an address has a limit of its own, unless it is exempt`(isExempt: Bool) async throws {
        let turnedAway = Mutex<[String]>([])
        var configuration = Server.Configuration.quick
        configuration.addressLimit = 3
        configuration.isExempt = { isExempt && $0 == "127.0.0.1" }
        configuration.observe = { event in
            guard case .turnedAway(let address, let count) = event else { return }
            turnedAway.withLock { $0.append("\(address) \(count)") }
        }
        let statistics = Server.Statistics()
        try await serving(configuration, statistics: statistics, with: route) { address in
            do {
                let clients = (0..<3).map { _ in Shared(address) }
                for client in clients { #expect(client.client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200) }
                let fourth = Client(address)
                let status = fourth.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status
                #expect(status == (isExempt ? 200 : nil))
                #expect(statistics.turnedAway == (isExempt ? 0 : 1))
                #expect(turnedAway.withLock { $0 } == (isExempt ? [] : ["127.0.0.1 3"]))
            }
            #expect(eventually { statistics.openConnections == 0 })
            // Connections that have ended do not count.
            #expect(Client(address).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200)
        }
    }

    @Test func `a connection that nothing comes from is closed`() async throws {
        var configuration = Server.Configuration.quick
        configuration.idleTimeout = .seconds(1)
        try await serving(configuration, with: route) { address in
            let clock = ContinuousClock.now
            let client = Client(address)
            #expect(client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200)
            let uploading = Client(address)
            uploading.send("PUT /count HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
            #expect(client.read() == "" && uploading.read() == "")
            // Not at once, and not after the minute that is the default.
            #expect((.milliseconds(900)..<Duration.seconds(50)).contains(ContinuousClock.now - clock))
        }
    }

    @Test func `a client that takes nothing of its answer is disconnected, a slow one is not`() async throws {
        var configuration = Server.Configuration.quick
        configuration.minimumBodyPace = 1000
        configuration.paceWindow = .milliseconds(300)
        let isOver = Atomic(false)
        let handler: Handler = { request in
            let isEndless = request.target.path == "/endless"
            return Response(
                200,
                body: .stream(length: nil) { writer in
                    defer { if isEndless { isOver.store(true, ordering: .relaxed) } }
                    for _ in 0..<(isEndless ? Int.max : 8) {
                        try await writer.write([UInt8](repeating: 0x61, count: 1 << 20))
                    }
                })
        }
        try await serving(configuration, with: handler) { address in
            let slow = Client(address, receiveBuffer: 16384)
            slow.send("GET /slow HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            let silent = Client(address, receiveBuffer: 16384)
            silent.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
            // The kernel takes more from the server only now and then: what counts is what the client takes.
            var count = 0
            let end = ContinuousClock.now + .milliseconds(1200)
            while .now < end {
                count += slow.readSome(4096).count
                usleep(10_000)
            }
            while case let part = slow.readSome(1 << 20), !part.isEmpty { count += part.count }
            #expect(count > 8 << 20)
            #expect(eventually { isOver.load(ordering: .relaxed) })
        }
    }

    @Test(arguments: ["/count", "/refuse"])
    func `a body that trickles ends its request`(path: String) async throws {
        var configuration = Server.Configuration.quick
        configuration.minimumBodyPace = 1000
        configuration.paceWindow = .milliseconds(300)
        let gate = Gate()
        let handler: Handler = { request in
            if request.method == "POST" { try await gate.pass() }  // a slow handler isn't the client's fault
            return try await route(request)
        }
        try await serving(configuration, with: handler) { address in
            let patient = Client(address)
            patient.send("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
            let client = Client(address)
            client.send("PUT \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
            #expect(eventually { client.hasInput(within: .milliseconds(20)) || client.send("y") == 0 })
            #expect(client.answer()?.status == (path == "/count" ? 408 : 401))
            #expect(client.read() == "")
            gate.open()
            #expect(patient.answer()?.text == "3\n")
        }
    }
}
