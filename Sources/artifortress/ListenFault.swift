// Why an address cannot be listened on, in words.

import Glibc
import HTTP
import HTTPServer
import Settings

extension Configuration {
    /// Runs a server; the failure to listen names the setting, the address, the reason and the remedy.
    ///
    /// - Parameters:
    ///   - name: of the setting.
    ///   - source: where its value comes from.
    func naming<Value>(
        _ name: String, _ address: Server.Address, from source: SettingSource?, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch HTTPFault.cannotListen(let code) {
            throw Deployment.Failure(
                description: "\(name)\(source.map { " (\($0))" } ?? ""): cannot listen on \(address): "
                    + Self.reason(code, name, address))
        } catch HTTPFault.cannotStart(let reason) {
            throw Deployment.Failure(
                description:
                    "\(name)\(source.map { " (\($0))" } ?? ""): the server on \(address) cannot start: \(reason)")
        }
    }

    private static func reason(_ code: Int32, _ name: String, _ address: Server.Address) -> String {
        let text = unsafe String(cString: strerror(code))
        guard case .tcp = address else { return "\(text); remove the file if no server uses it" }
        return switch code {
        case EADDRINUSE: "the port is in use by another process; stop that process, or set \(name) to another port"
        case EADDRNOTAVAIL:
            "this machine does not have that address; set \(name) to an address of this machine, or to 0.0.0.0 or [::] for "
                + "all of them"
        case EACCES: "this user may not listen on that port; set \(name) to a port from 1024 on"
        default: "\(text); set \(name) to another address"
        }
    }
}
