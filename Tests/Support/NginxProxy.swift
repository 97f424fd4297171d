// A real reverse proxy in front of a server: nginx, as it is installed from Debian.

import Domain
import Foundation
import Glibc

/// An nginx of one test, on loopback.
package struct NginxProxy: Sendable {
    package let port: UInt16

    package var client: WireClient { WireClient(port: self.port) }

    /// Calls `body` with a proxy that publishes `server` below a path.
    ///
    /// - Parameters:
    ///   - path: with a `/` at its end.
    ///   - directives: what the location says beside `proxy_pass`.
    package static func with(
        _ server: ServerProcess, below path: String, _ directives: [String],
        _ body: (NginxProxy) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "artifortress-nginx-\(UniqueID.random().hex)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let port = try Self.freePort()
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        let configuration = """
            worker_processes 1; daemon off; pid \(folder)/pid; error_log \(folder)/error.log;
            events { worker_connections 64; }
            http {
                access_log off; client_max_body_size 0; \(places.joined(separator: " "))
                server {
                    listen 127.0.0.1:\(port);
                    location \(path) {
                        proxy_pass http://127.0.0.1:\(server.client.port)/;
                        \(directives.map { $0 + ";" }.joined(separator: " "))
                    }
                }
            }
            """
        try configuration.write(toFile: "\(folder)/nginx.conf", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/sbin/nginx")
        process.arguments = ["-c", "\(folder)/nginx.conf", "-e", "\(folder)/error.log"]
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        let proxy = NginxProxy(port: port)
        let isUp = await eventually { (try? await proxy.client.send("GET", "\(path)health/live"))?.status == 200 }
        guard isUp else {
            let log = (try? String(contentsOfFile: "\(folder)/error.log", encoding: .utf8)) ?? ""
            throw WireFailure(description: "nginx does not answer: \(log)")
        }
        try await body(proxy)
    }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) | getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0 else { throw WireFailure(description: "no free port: errno \(errno)") }
        return UInt16(bigEndian: address.sin_port)
    }
}
