import Domain
import Glibc

extension HTTPFault: Fault {
    package var description: String {
        switch self {
        case .disconnected: "the client has disconnected, or the server is stopping"
        case .bodyTooLarge: "the body is too large"
        case .cannotListen(let code): "cannot listen: \(unsafe String(cString: strerror(code)))"
        case .cannotStart(let reason): "the HTTP server cannot start: \(FaultText.line(reason))"
        }
    }
}
