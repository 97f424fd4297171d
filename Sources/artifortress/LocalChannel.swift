// How verbs that change something reach the installation: over the socket where a server holds the data directory, else
// through the same routes in this process. Rules: HTTP contract, section 9, row 35.

import API
import Commands
import Domain
import Glibc
import HTTP
import HTTPClient
import SQLite
import Settings

enum LocalChannel {
    /// A request that was refused, in its own words.
    struct Refused: Fault {
        let description: String
    }

    /// How long to wait for a process that holds the data directory and does not answer: a server that is starting, or
    /// another verb.
    private static let lockTimeout = Duration.seconds(10)

    /// Sends one request to `/local/v1/…`.
    ///
    /// - Returns: the answer's document.
    /// - Throws: what keeps the installation from being opened; ``Refused`` for an answer of 400 or above.
    static func send(
        _ method: String, _ path: String, _ body: JSON? = nil, to configuration: Configuration
    ) async throws -> JSON {
        try await FaultReport(configuration).naming {
            try await self.sendPatiently(method, path, body, to: configuration)
        }
    }

    private static func sendPatiently(
        _ method: String, _ path: String, _ body: JSON?, to configuration: Configuration
    ) async throws -> JSON {
        let end = ContinuousClock.now + self.lockTimeout
        while true {
            do {
                return try await self.sendHere(method, path, body, configuration)
            } catch let refused as DataLock.Refused where refused.isHeldByAnother {
                do {
                    return try await self.sendToServer(method, path, body, holding: configuration[.data])
                } catch HTTPClientFault.cannotConnect(let reason) {
                    guard ContinuousClock.now < end else {
                        throw Refused(description: "\(refused), which does not answer: \(reason)")
                    }
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
        }
    }

    private static func sendHere(
        _ method: String, _ path: String, _ body: JSON?, _ configuration: Configuration
    ) async throws -> JSON {
        let deployment = try await Deployment.open(configuration, migrates: configuration[.migrateAtStart])
        let application = Serving(deployment, Observation(configuration)).quietLocalApplication
        let response = await application.respond(
            to: Request(
                method: method, target: Target("/local/v1/\(path)"), headers: self.headers(for: body),
                remoteAddress: "local", isSecure: false, body: RequestBody(body?.bytes ?? [])))
        await deployment.close()
        guard case .bytes(let bytes) = response.body else { throw Refused(description: "an unexpected answer") }
        return try self.read(response.status, bytes)
    }

    private static func sendToServer(
        _ method: String, _ path: String, _ body: JSON?, holding data: String
    ) async throws -> JSON {
        let socket = try ControlSocket(data: data)
        var settings = HTTPClient.Configuration()
        settings.unixSocket = socket.path
        var request = ClientRequest(method, "http://localhost/local/v1/\(path)", headers: self.headers(for: body))
        if let body { request.body = .bytes(body.bytes) }
        let response = try await HTTPClient(settings).send(request)
        let bytes = try await response.body.collect(upTo: 64 << 20)
        withExtendedLifetime(socket) {}
        return try self.read(response.status, bytes)
    }

    private static func headers(for body: JSON?) -> Headers {
        body == nil ? ["Host": "localhost"] : ["Host": "localhost", "Content-Type": "application/json"]
    }

    private static func read(_ status: Int, _ bytes: [UInt8]) throws -> JSON {
        let document = (try? JSON(parsing: bytes)) ?? .null
        guard status < 400 else {
            throw Refused(description: document["message"]?.text ?? "the server answered \(status)")
        }
        return document
    }
}

extension Invocation {
    /// Prints a document, or its text for people.
    func answer(_ document: JSON, _ text: (JSON) -> [String]) {
        if self.wantsJSON { return self.console.print(document.description) }
        for line in text(document) { self.console.print(line) }
    }
}

extension JSON {
    /// A member as text; empty where it is null or absent.
    func shown(_ name: String) -> String {
        switch self[name] {
        case nil, .null?: ""
        case .string(let text)?: text
        case .array(let elements)?: elements.compactMap(\.text).joined(separator: " ")
        case let other?: other.description
        }
    }
}
