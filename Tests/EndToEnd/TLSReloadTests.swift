// A running server takes a new certificate on SIGHUP.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct TLSReloadTests {
    /// Makes `NAME.pem` and `NAME.key`.
    private func issue(_ name: String, in directory: String) async {
        let made = await self.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", "\(directory)/\(name).key", "-out", "\(directory)/\(name).pem", "-days", "2",
            "-subj", "/CN=\(name)",
        ])
        #expect(made.status == 0)
    }

    private func run(_ words: [String]) async -> (status: Int32, output: String) {
        await withCheckedContinuation { done in
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = words
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            process.standardInput = FileHandle.nullDevice
            process.terminationHandler = { process in
                let bytes = output.fileHandleForReading.readDataToEndOfFile()
                done.resume(returning: (process.terminationStatus, String(decoding: bytes, as: UTF8.self)))
            }
            do { try process.run() } catch { done.resume(returning: (-1, "\(error)")) }
        }
    }

    /// Puts the files in the places that the settings name.
    private func use(_ certificate: String, _ key: String, in directory: String) throws {
        for (from, to) in [("\(certificate).pem", "used.pem"), ("\(key).key", "used.key")] {
            let bytes = FileManager.default.contents(atPath: "\(directory)/\(from)") ?? Data()
            try bytes.write(to: URL(filePath: "\(directory)/\(to)"), options: .atomic)
        }
    }

    /// The subject of the certificate that a new connection gets.
    private func subject(_ server: ServerProcess) async -> String {
        let client = "openssl s_client -connect 127.0.0.1:\(server.client.port) </dev/null 2>/dev/null"
        return await self.run(["sh", "-c", "\(client) | openssl x509 -noout -subject"]).output
    }

    @Test func `SIGHUP replaces the certificate, and an unusable one changes nothing`() async throws {
        try await TemporaryDirectory.with { directory in
            for name in ["one", "two"] { await self.issue(name, in: directory) }
            try self.use("one", "one", in: directory)
            let settings = [
                "tls.certificateFile": "\(directory)/used.pem", "tls.keyFile": "\(directory)/used.key",
                "log.format": "json",
            ]
            try await Shape.embedded.withServer(settings) { server in
                #expect(await self.subject(server).contains("CN = one"))
                try self.use("two", "two", in: directory)
                kill(server.pid, SIGHUP)
                #expect(await eventually { server.log.contains("the TLS certificate was reloaded") })
                #expect(await self.subject(server).contains("CN = two"))
                try self.use("one", "two", in: directory)
                kill(server.pid, SIGHUP)
                #expect(await eventually { server.log.contains("the TLS certificate was not reloaded") })
                #expect(server.log.contains("the key does not belong to the certificate"))
                #expect(await self.subject(server).contains("CN = two"))
                let code = try await server.stop()
                #expect(code == 0)
            }
        }
    }

    @Test func `SIGHUP without TLS does not end the server`() async throws {
        try await Shape.embedded.withServer(["log.level": "info"]) { server in
            kill(server.pid, SIGHUP)
            #expect(await eventually { server.log.contains("nothing to reload") })
            let answer = try await server.client.send("GET", "/health/live")
            #expect(answer.status == 200)
        }
    }
}
