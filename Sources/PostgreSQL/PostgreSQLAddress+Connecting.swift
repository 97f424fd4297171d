// Making a connection, a step at a time, so that it has a time limit and can be interrupted.
//
// libpq tries several hosts and several addresses of a host on its own, but keeps to `connect_timeout` only in its blocking
// call. So each address is tried here, with the time limit of its own.

import CPostgreSQL
import Glibc
import Persistence

extension PostgreSQLAddress {
    /// Used where the address says nothing: a server that does not answer within seconds is down, and a connection that was
    /// cut is noticed.
    private static let defaults = [
        "connect_timeout": "3",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "tcp_user_timeout": "10000",
        "application_name": "artifortress",
        "client_encoding": "UTF8",
    ]

    /// A new connection. Blocks, but not beyond `interruption`'s end (except for the resolution of a host name).
    ///
    /// - Throws: `unavailable`, with the reason of every address that was tried.
    func connect(_ interruption: Interruption) throws(DatabaseFault) -> OpaquePointer {
        let all = Self.defaults.merging(self.parameters) { $1 }
        let timeout = Self.timeout(all["connect_timeout"])
        var reasons: [String] = []
        for attributes in Self.passes(all["target_session_attrs"]) {
            for candidate in Self.candidates(all) {
                var parameters = candidate
                if let attributes { parameters["target_session_attrs"] = attributes }
                switch Self.attempt(parameters, until: .now + timeout, interruption) {
                case .connected(let handle): return unsafe handle
                case .failed(let reason): if !reasons.contains(reason) { reasons.append(reason) }
                case .interrupted: throw .unavailable("the database is being closed")
                }
            }
        }
        throw .unavailable(reasons.joined(separator: "; "))
    }

    /// `prefer-standby` looks for a standby at every host before it takes any server.
    private static func passes(_ attributes: String?) -> [String?] {
        attributes == "prefer-standby" ? ["standby", "any"] : [nil]
    }

    /// As libpq reads it: zero or less is no limit, and one second counts as two.
    private static func timeout(_ text: String?) -> Duration {
        guard let seconds = text.flatMap({ Int($0) }), seconds > 0 else { return .seconds(3600) }
        return .seconds(max(2, min(seconds, 3600)))
    }

    /// The parameters of one connection for each address of each host.
    private static func candidates(_ all: [String: String]) -> [[String: String]] {
        let hosts = Self.list(all["host"])
        let addresses = Self.list(all["hostaddr"])
        let ports = Self.list(all["port"])
        let count = max(hosts.count, addresses.count)
        guard count > 0 else { return [all] }  // from a service file or libpq's environment
        return (0..<count).flatMap { index -> [[String: String]] in
            var one = all
            one["host"] = index < hosts.count ? hosts[index] : nil
            one["hostaddr"] = index < addresses.count ? addresses[index] : nil
            one["port"] = ports.count > 1 && index < ports.count ? ports[index] : ports.first
            guard one["hostaddr"] == nil, let host = one["host"], !host.isEmpty, !host.hasPrefix("/"),
                !host.hasPrefix("@")
            else { return [one] }
            let resolved = Self.resolve(host)
            return resolved.isEmpty ? [one] : resolved.map { one.merging(["hostaddr": $0]) { $1 } }
        }
    }

    private static func list(_ text: String?) -> [String] {
        text.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
    }

    /// The addresses of a host, in numbers; none if it cannot be resolved (libpq then says why).
    private static func resolve(_ host: String) -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &found) == 0 else { return [] }
        defer { unsafe freeaddrinfo(found) }
        var addresses: [String] = []
        var next = unsafe found
        while let entry = unsafe next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let code = unsafe getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if code == 0, !addresses.contains(address) { addresses.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return addresses
    }

    @safe private enum Attempt {
        case connected(OpaquePointer)
        case failed(String)
        case interrupted
    }

    private static func attempt(
        _ parameters: [String: String], until deadline: ContinuousClock.Instant, _ interruption: Interruption
    ) -> Attempt {
        guard let handle = unsafe self.begin(parameters) else { return .failed("out of memory") }
        var step = PGRES_POLLING_WRITING
        while unsafe PQstatus(handle) != CONNECTION_BAD {
            switch step {
            case PGRES_POLLING_OK: return unsafe .connected(handle)
            case PGRES_POLLING_READING, PGRES_POLLING_WRITING:
                let events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT
                switch unsafe interruption.wait(for: events, on: handle, until: deadline) {
                case .ready: step = unsafe PQconnectPoll(handle)
                case .interrupted:
                    unsafe PQfinish(handle)
                    return .interrupted
                case .timedOut:
                    let place = unsafe self.place(handle)
                    unsafe PQfinish(handle)
                    return .failed("connection to \(place) failed: the time limit (connect_timeout) was reached")
                }
            default:
                let reason = unsafe DatabaseFault.text(of: handle)
                unsafe PQfinish(handle)
                return .failed(reason)
            }
        }
        let reason = unsafe DatabaseFault.text(of: handle)
        unsafe PQfinish(handle)
        return .failed(reason)
    }

    private static func place(_ handle: OpaquePointer) -> String {
        func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
            unsafe pointer.map { unsafe String(cString: $0) } ?? ""
        }
        let (host, port) = unsafe (text(PQhost(handle)), text(PQport(handle)))
        return "server at \"\(host)\", port \(port)"
    }

    private static func begin(_ parameters: [String: String]) -> OpaquePointer? {
        let all = Array(parameters)
        var keywords = unsafe all.map { unsafe strdup($0.key) }
        var values = unsafe all.map { unsafe strdup($0.value) }
        unsafe keywords.append(nil)
        unsafe values.append(nil)
        defer {
            for index in all.indices {
                unsafe free(keywords[index])
                unsafe free(values[index])
            }
        }
        let keywordPointers = unsafe keywords.map { unsafe UnsafePointer($0) }
        let valuePointers = unsafe values.map { unsafe UnsafePointer($0) }
        return unsafe keywordPointers.withUnsafeBufferPointer { keywords in
            unsafe valuePointers.withUnsafeBufferPointer { values in
                unsafe PQconnectStartParams(keywords.baseAddress, values.baseAddress, 0)
            }
        }
    }
}
