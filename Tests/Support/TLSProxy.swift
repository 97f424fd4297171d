// TLS in front of a plain HTTP service, with a certificate of a private authority: for clients that must trust it, or not.
// Needs openssl and python3.

import Foundation

package struct TLSProxy: Sendable {
    /// On localhost, for which the certificate is made.
    package let port: UInt16
    /// The authority's certificate, in PEM.
    package let authority: String

    /// Calls `body` with a running proxy, which is gone afterwards.
    package static func with(
        to endpoint: String, _ body: @Sendable (TLSProxy) async throws -> Void
    ) async throws {
        try await TemporaryDirectory.with { directory in
            try self.makeCertificates(in: directory)
            let components = URLComponents(string: endpoint)
            let (process, output) = (Process(), Pipe())
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [
                "python3", "-c", self.script, "\(directory)/server.pem", components?.host ?? "127.0.0.1",
                String(components?.port ?? 80),
            ]
            process.standardOutput = output
            try process.run()
            defer {
                kill(process.processIdentifier, SIGKILL)  // it may have inherited a mask that blocks SIGTERM
                process.waitUntilExit()
            }
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            guard let port = UInt16(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw WireFailure(description: "the TLS proxy did not start: \(line)")
            }
            try await body(TLSProxy(port: port, authority: "\(directory)/authority.pem"))
        }
    }

    private static func makeCertificates(in directory: String) throws {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try self.openssl(
            ["req", "-x509"] + key + [
                "-keyout", "\(directory)/authority.key", "-out", "\(directory)/authority.pem", "-days", "2", "-subj",
                "/CN=Private Test Authority",
            ])
        try self.openssl(
            ["req"] + key + [
                "-keyout", "\(directory)/server.key", "-out", "\(directory)/server.csr", "-subj", "/CN=localhost",
            ])
        try Data("subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8)
            .write(to: URL(fileURLWithPath: "\(directory)/names"))
        try self.openssl([
            "x509", "-req", "-in", "\(directory)/server.csr", "-CA", "\(directory)/authority.pem", "-CAkey",
            "\(directory)/authority.key", "-CAcreateserial", "-out", "\(directory)/server.crt", "-days", "2",
            "-extfile",
            "\(directory)/names",
        ])
        let parts = try ["server.crt", "server.key"].map {
            try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\($0)"))
        }
        try (parts[0] + parts[1]).write(to: URL(fileURLWithPath: "\(directory)/server.pem"))
    }

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw WireFailure(description: "openssl \(arguments[0]) failed") }
    }

    /// Prints its port, then copies bytes both ways for each connection.
    private static let script = """
        import select, socket, ssl, sys, threading
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        target = (sys.argv[2], int(sys.argv[3]))
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        print(listener.getsockname()[1], flush=True)

        def forward(client, server):
            while True:
                ready = [client] if client.pending() else select.select([client, server], [], [])[0]
                for source, sink in ((client, server), (server, client)):
                    if source in ready:
                        chunk = source.recv(65536)
                        if not chunk: return
                        sink.sendall(chunk)

        def serve(client):
            try:
                with context.wrap_socket(client, server_side=True) as client:
                    with socket.create_connection(target) as server: forward(client, server)
            except OSError: pass

        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()
        """
}
