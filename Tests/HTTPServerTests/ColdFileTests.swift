// Files that are not in memory when they are sent.

import Glibc
import HTTP
import Testing

@testable import HTTPServer

@Suite struct ColdFileTests {
    /// Makes the kernel forget what it has in memory of a file.
    private func evict(_ file: TestFile) {
        fsync(file.file.descriptor)
        posix_fadvise(file.file.descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }

    @Test func `a part that was read into memory is found there`() async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: 3_000_000)
            self.evict(file)
            let part = 1_000_000..<2_000_000
            await blocking { FileReading.load(file.file.descriptor, part) }
            #expect(FileReading.isCached(file.file.descriptor, part))
            var bytes = [UInt8](repeating: 0, count: 100)
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe FileReading.cached(file.file.descriptor, at: 1_500_000, buffer)
            }
            #expect(count == 100 && file.holds(bytes, at: 1_500_000))
            let end = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe FileReading.cached(file.file.descriptor, at: 3_000_000, buffer)
            }
            #expect(end == 0)
            FileReading.load(file.file.descriptor, 2_900_000..<4_000_000)  // ends at the file's end
            let fault = unsafe bytes.withUnsafeMutableBytes { unsafe FileReading.cached(-1, at: 0, $0) }
            #expect(fault == -1)
        }
    }

    @Test(arguments: [100, 16_000, 5_000_000], [false, true])
    func `a file that is not in memory is sent whole, and in order`(length: Int, isPrepared: Bool) async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: length)
            let region = file.region(0..<length)
            var configuration = Server.Configuration.quick
            let prepared = PreparedAnswer(200, headers: [:], body: .file(region))
            if isPrepared {
                configuration.prepared = { head, bytes in
                    bytes.isEqual("/file", in: head.path.range) ? .prepared(prepared) : .none
                }
            }
            let handler: Handler = { request in
                request.target.path == "/file" ? Response(200, body: .file(region)) : .text(200, "next\n")
            }
            try await serving(configuration, with: handler) { address in
                let client = Client(address)
                for _ in 0..<4 {
                    self.evict(file)
                    client.send("GET /file HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
                    let body = client.answer()?.body ?? []
                    #expect(body.count == length && file.holds(body, at: 0))
                    #expect(client.answer()?.text == "next\n")
                }
                // A client that goes away meanwhile is no harm.
                for _ in 0..<20 {
                    self.evict(file)
                    Client(address).send("GET /file HTTP/1.1\r\nHost: h\r\n\r\n")
                }
                #expect(client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200)
            }
        }
    }
}
