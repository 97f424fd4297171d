// Encrypted connections, with real clients.

import Foundation
import HTTP
import HTTPServer
import Testing

@Suite(.enabled(if: Program.exists("/usr/bin/openssl") && Program.exists("/usr/bin/curl"))) struct TLSTests {
    /// A certificate for `localhost`, its key beside it.
    private func certificate(in directory: String) throws -> Server.TLS {
        let made = Program.run([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", directory + "/key.pem", "-out", directory + "/certificate.pem", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ])
        #expect(made.status == 0)
        return try Server.TLS(certificateFile: directory + "/certificate.pem", keyFile: directory + "/key.pem")
    }

    private func serving(
        _ handler: @escaping Handler, in directory: String,
        _ body: @escaping @Sendable (_ url: String, _ curl: [String]) -> Void
    ) async throws {
        var configuration = Server.Configuration.quick
        configuration.tls = try self.certificate(in: directory)
        configuration.bodyLimit = 1 << 30
        try await HTTPServerTests.serving(configuration, with: handler) { address in
            guard case .tcp(_, let port) = address else { return }
            body(
                "https://localhost:\(port)",
                [
                    "/usr/bin/curl", "-sS", "--max-time", "60", "--cacert", directory + "/certificate.pem",
                    "--resolve", "localhost:\(port):127.0.0.1",
                ])
        }
    }

    @Test(arguments: ["--tlsv1.3", "--tls-max 1.2"])
    func `a request over TLS is known to be secure`(version: String) async throws {
        try await withDirectory { directory in
            let handler: Handler = { .text(200, "\($0.isSecure) \($0.remoteAddress)\n") }
            try await self.serving(handler, in: directory) { url, curl in
                let words = version.split(separator: " ").map(String.init)
                #expect(Program.run(curl + words + [url]).output == "true 127.0.0.1\n")
            }
        }
    }

    @Test func `TLS 1.1 and plain HTTP aren't answered`() async throws {
        try await withDirectory { directory in
            let handler: Handler = { _ in .text(200, "answered\n") }
            try await self.serving(handler, in: directory) { url, curl in
                let port = url.split(separator: ":").last!
                let old = Program.run([
                    "/usr/bin/openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-tls1_1", "-cipher",
                    "DEFAULT@SECLEVEL=0",
                ])
                #expect(old.status != 0)
                let plain = Program.run(curl + [url.replacing("https", with: "http")])
                #expect(plain.status != 0 && !plain.output.contains("answered"))
                #expect(Program.run(curl + [url]).output == "answered\n")
            }
        }
    }

    @Test func `a large file and a large upload arrive whole`() async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: 40_000_000)
            let handler: Handler = { request in
                guard request.method == "PUT" else {
                    return Response(200, body: .file(file.region(7..<40_000_000)))
                }
                var place = 0
                for try await chunk in request.body {
                    guard file.holds(chunk, at: place) else { return .text(400, "other bytes at \(place)\n") }
                    place += chunk.count
                }
                return .text(201, "\(place)\n")
            }
            try await self.serving(handler, in: directory) { url, curl in
                #expect(Program.run(curl + [url, "-o", directory + "/copy"]).status == 0)
                let copy = Array(FileManager.default.contents(atPath: directory + "/copy") ?? Data())
                #expect(copy.count == 39_999_993 && file.holds(copy, at: 7))
                let upload = curl + [url, "-T", file.path]
                #expect(Program.run(upload).output == "40000000\n")
                #expect(Program.run(upload + ["-H", "Transfer-Encoding: chunked"]).output == "40000000\n")
            }
        }
    }

    @Test func `an upload is refused before it is sent`() async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: 3_000_000)
            try await self.serving({ _ in .text(401, "who?\n") }, in: directory) { url, curl in
                let answer = Program.run(
                    curl + [url, "-T", file.path, "-H", "Expect: 100-continue", "-w", "%{http_code} %{size_upload}"])
                #expect(answer.output == "who?\n401 0")
                // Without asking for leave: the answer comes in the middle of the body, past the daemon.
                let hasty = Program.run(curl + [url, "-T", file.path, "-H", "Expect:", "-w", "%{http_code}"])
                #expect(hasty.output.hasPrefix("who?\n401"))
            }
        }
    }

    @Test func `a bad certificate or a missing file keeps the server from starting`() async throws {
        try await withDirectory { directory in
            var configuration = Server.Configuration.quick
            configuration.tls = Server.TLS(certificate: "nonsense", key: "nonsense")
            let start = Outcome { [configuration] in try await Server(configuration).run { _ in .text(200, "") } }
            let fault = start.fault
            guard case .cannotStart(let reason) = fault else {
                Issue.record("\(String(describing: fault))")
                return
            }
            #expect(!reason.isEmpty)
            #expect(throws: HTTPFault.cannotStart(reason: "cannot read \(directory)/x: No such file or directory")) {
                try Server.TLS(certificateFile: directory + "/x", keyFile: directory + "/y")
            }
        }
    }
}
