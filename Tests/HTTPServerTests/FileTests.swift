// Answers from files.

import Foundation
import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

@Suite struct FileTests {
    @Test func `many answers share one open file`() async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: 2_000_000)
            let handler: Handler = { request in
                let ends = request.target.path.dropFirst().split(separator: "-").map { Int($0)! }
                return Response(200, body: .file(file.region(ends[0]..<ends[1])))
            }
            try await serving(with: handler) { address in
                let left = Atomic(8)
                for number in 0..<8 {
                    Thread.start {
                        let client = Client(address)
                        for round in 0..<20 {
                            let start = (number * 104_729 + round * 7919) % 1_000_000
                            let end = start + (number + round) * 37_003
                            let answer = client.ask("GET /\(start)-\(end) HTTP/1.1\r\nHost: h\r\n\r\n")
                            let body = answer?.body ?? []
                            #expect(body.count == end - start && file.holds(body, at: start))
                        }
                        left.subtract(1, ordering: .releasing)
                    }
                }
                #expect(eventually { left.load(ordering: .acquiring) == 0 })
            }
        }
    }

    @Test func `an empty file, a HEAD and a file's end are answered`() async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: 100_000)
            let handler: Handler = { request in
                Response(200, body: .file(file.region(request.target.path == "/empty" ? 0..<0 : 99_990..<100_000)))
            }
            try await serving(with: handler) { address in
                let client = Client(address)
                #expect(client.ask("GET /empty HTTP/1.1\r\nHost: h\r\n\r\n")?.body == [])
                let head = client.ask("HEAD /end HTTP/1.1\r\nHost: h\r\n\r\n", hasBody: false)
                #expect(head?.header("content-length") == "10")
                #expect(client.ask("GET /end HTTP/1.1\r\nHost: h\r\n\r\n")?.body == Array(file.bytes.suffix(10)))
            }
        }
    }

    @Test func `a file that is shorter than its region is never answered with 200`() async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: 1000)
            let region = FileRegion(file.file, offset: 500, length: 501)
            try await serving(with: { _ in Response(200, body: .file(region)) }) { address in
                let client = Client(address)
                for _ in 0..<2 {  // the connection is kept
                    let answer = client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                    #expect(answer?.status == 500 && answer?.text.contains("internal") == true)
                }
            }
        }
    }

    @Test func `a file that is truncated while it is sent ends its connection`() async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: 30_000_000)
            let region = file.region(0..<30_000_000)
            let statistics = Server.Statistics()
            try await serving(statistics: statistics, with: { _ in Response(200, body: .file(region)) }) { address in
                let client = Client(address, receiveBuffer: 65536)
                client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                var count = client.readSome(1000).count
                unsafe truncate(file.path, 20_000_000)
                while case let part = client.readSome(1 << 20), !part.isEmpty { count += part.count }
                #expect(count < 20_001_000)
                #expect(eventually { statistics.requestsInFlight == 0 })
                #expect((1...20_000_000).contains(statistics.bytesOut))
                // The next client is told so.
                #expect(Client(address).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 500)
            }
        }
    }
}
