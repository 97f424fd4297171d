// A storage that is missing or another installation's is never written to: servers and workers do not start on it, and a
// running server is not ready. On both shapes.

import Domain
import Foundation
import HTTPClient
import Persistence
import S3
import Storage
import TestSupport
import Testing

@Suite struct ForeignStorageTests {
    private static let bytes = Array("what was published before".utf8)

    @Test(arguments: Shape.available)
    func `nothing starts on a storage without its marker, until it is back`(shape: Shape) async throws {
        try await shape.withServer { server in
            let (token, marker) = (try await Self.publish(server), try StoredMarker(server))
            let id = try #require(try await marker.read())
            #expect(try await server.stop() == 0)
            try await marker.hide()
            try await Self.expectNoStart(server, saying: "storage adopt")
            #expect(try await marker.isEmpty())
            try await marker.restore(id)
            #expect(try await marker.read() == id)
            try await server.start()
            #expect(try await server.get("/generic/files/first", token: token).body == Self.bytes)
            #expect(try await server.put("/generic/files/second", [2], token: token).status == 201)
        }
    }

    @Test(arguments: Shape.available)
    func `a missing marker is written again by adopting the storage`(shape: Shape) async throws {
        try await shape.withServer { server in
            let (token, marker) = (try await Self.publish(server), try StoredMarker(server))
            let id = try #require(try await marker.read())
            let early = try await Self.verb(server, "storage", "adopt")
            #expect(early.code == 1 && early.complaints.contains("stop"), "\(early.complaints)")
            #expect(try await server.stop() == 0)
            try await marker.remove()
            try await Self.expectNoStart(server, saying: "is missing")
            let wrong = try await Self.verb(server, "storage", "adopt", "--installation", UniqueID.random().description)
            #expect(wrong.code == 1)
            #expect(try await marker.read() == nil)
            let adopted = try await Self.verb(server, "storage", "adopt")
            #expect(adopted.code == 0, "\(adopted.complaints)")
            #expect(try await marker.read() == id)
            let doctor = try await Self.verb(server, "doctor")
            #expect(doctor.code == 0, "\(doctor.output)")
            try await server.start()
            #expect(try await server.get("/generic/files/first", token: token).body == Self.bytes)
            let audit = try await server.get("/v1/audit?action=storage.adopted", token: token).text
            #expect(audit.contains("\"actor\":\"local-administrator\"") && audit.contains(id), "\(audit)")
            #expect(try await server.stop() == 0)
            // Nothing is done a second time.
            let again = try await Self.verb(server, "storage", "adopt", "--output", "json")
            #expect(again.code == 0)
            #expect(try JSON(parsing: again.output)["adopted"] == false)
        }
    }

    @Test(arguments: Shape.available)
    func `another installation's storage is taken over only if it is named`(shape: Shape) async throws {
        try await shape.withServer { server in
            let (token, marker) = (try await Self.publish(server), try StoredMarker(server))
            let (id, other) = (try #require(try await marker.read()), UniqueID.random())
            #expect(try await server.stop() == 0)
            try await marker.write(other)
            try await Self.expectNoStart(server, saying: other.description)
            for words in [[], ["--installation", UniqueID.random().description]] {
                let refused = try await Self.verb(server, ["storage", "adopt"] + words)
                #expect(refused.code == 1 && refused.complaints.contains(other.description), "\(refused.complaints)")
            }
            #expect(try await Self.verb(server, "storage", "adopt", "--installation", "x").code == 2)
            #expect(try await marker.read() == other.description)
            let adopted = try await Self.verb(server, "storage", "adopt", "--installation", other.description)
            #expect(adopted.code == 0, "\(adopted.complaints)")
            #expect(try await marker.read() == id)
            try await server.start()
            #expect(try await server.get("/generic/files/first", token: token).body == Self.bytes)
        }
    }

    @Test(arguments: Shape.available)
    func `another installation's storage stops the start of an empty database too`(shape: Shape) async throws {
        try await shape.withServer { server in
            let marker = try StoredMarker(server)
            #expect(try await server.stop() == 0)
            try await marker.write(.random())
            try await Self.expectNoStart(server, saying: "belongs to installation")
        }
    }

    @Test(arguments: Shape.available)
    func `a server that loses its storage is not ready and rejects writes until it is back`(shape: Shape) async throws {
        try await shape.withServer { server in
            let (token, marker) = (try await Self.publish(server), try StoredMarker(server))
            let id = try #require(UniqueID(try await marker.read() ?? ""))
            for foreign in [nil, UniqueID.random()] {
                if let foreign { try await marker.write(foreign) } else { try await marker.remove() }
                #expect(
                    await eventually { (try? await server.client.send("GET", "/health/ready").status) == 503 })
                let put = try await server.put("/generic/files/new-\(foreign == nil)", [1, 2], token: token)
                #expect(put.status == 503, "\(put.status) \(put.text)")
                let opened = try await server.post(
                    "/v1/repos/files/uploads",
                    ["expectedDigest": .string(String(repeating: "ab", count: 32)), "expectedLength": 3], token: token)
                #expect(opened.status == 503, "\(opened.status) \(opened.text)")
                try await marker.write(id)
                #expect(
                    await eventually { (try? await server.client.send("GET", "/health/ready").status) == 200 })
                let written = try await server.put("/generic/files/new-\(foreign == nil)", [1, 2], token: token)
                #expect(written.status == 201, "\(written.status) \(written.text)")
            }
        }
    }

    @Test func `a volume that is not mounted takes no byte, and what it holds is not called missing`() async throws {
        try await Shape.embedded.withServer { server in
            let (token, marker) = (try await Self.publish(server), try StoredMarker(server))
            try await marker.hide()
            let put = try await server.put("/generic/files/new", [1, 2], token: token)
            #expect(put.status == 503, "\(put.status) \(put.text)")
            // Also bytes that are known: their object is not to be replaced because its volume is missing.
            let known = try await server.put("/generic/files/known", Self.bytes, token: token)
            #expect(known.status == 503, "\(known.status) \(known.text)")
            #expect(try await marker.isEmpty())
            try await marker.restore("")
            #expect(try await server.put("/generic/files/new", [1, 2], token: token).status == 201)
            #expect(try await server.get("/generic/files/first", token: token).body == Self.bytes)
        }
    }

    @Test(arguments: Shape.available)
    func `the doctor finds a secrets key that is missing or another one`(shape: Shape) async throws {
        try await shape.withServer { server in
            _ = try await Self.publish(server)
            #expect(try await server.stop() == 0)
            let path = "\(server.settings["data"] ?? "")/secrets.key"
            let right = try String(contentsOfFile: path, encoding: .utf8)
            #expect(try await Self.verb(server, "doctor").code == 0)
            for wrong in [nil, String(repeating: "ab", count: 32), "no key"] {
                try FileManager.default.removeItem(atPath: path)
                if let wrong { try wrong.write(toFile: path, atomically: true, encoding: .utf8) }
                let doctor = try await Self.verb(server, "doctor")
                #expect(doctor.code == 1 && doctor.output.contains("secrets.key"), "\(doctor.output)")
                let serve = try await Self.verb(server, "serve")
                #expect(serve.code == 1 && serve.complaints.contains("secrets.key"), "\(serve.complaints)")
                #expect(FileManager.default.fileExists(atPath: path) == (wrong != nil))
                try right.write(toFile: path, atomically: true, encoding: .utf8)
            }
            #expect(try await Self.verb(server, "doctor").code == 0)
            try await server.start()
        }
    }

    // MARK: -

    /// - Returns: an administrator's token.
    private static func publish(_ server: ServerProcess) async throws -> String {
        let token = try await server.token()
        try await server.createRepository("files", token: token)
        try #require(try await server.put("/generic/files/first", Self.bytes, token: token).status == 201)
        return token
    }

    private static func verb(_ server: ServerProcess, _ words: String...) async throws -> VerbProcess {
        try await self.verb(server, words)
    }

    private static func verb(_ server: ServerProcess, _ words: [String]) async throws -> VerbProcess {
        try await VerbProcess.run(
            words + server.settings.sorted { $0.key < $1.key }.map { "--\(ServerProcess.flag($0.key))=\($0.value)" })
    }

    private static func expectNoStart(_ server: ServerProcess, saying words: String) async throws {
        for verb in [["serve"], ["worker"], ["worker", "--once"], ["doctor"]] {
            let process = try await self.verb(server, verb)
            let text = process.complaints + process.output
            #expect(process.code == 1 && text.contains(words), "\(verb): \(process.code) \(text)")
            #expect(!text.contains("foreign(") && !process.output.contains("listens on"), "\(verb): \(text)")
        }
    }
}

/// The marker of a server's storage, from outside.
private struct StoredMarker: Sendable {
    private enum Place: Sendable {
        case directory(String)
        case bucket(S3Location)
    }

    private let place: Place

    init(_ server: ServerProcess) throws {
        guard let url = server.settings["storage.url"], let s3 = S3Surroundings.current else {
            self.place = .directory("\(server.settings["data"] ?? "")/blobs")
            return
        }
        let start = "s3://\(s3.bucket)/"
        guard url.hasPrefix(start), var location = S3Fixture.location else {
            throw WireFailure(description: "an unexpected storage: \(url)")
        }
        location.prefix = url.dropFirst(start.count).prefix { $0 != "?" } + "/"
        self.place = .bucket(location)
    }

    private static func marker(_ location: S3Location) throws -> S3Marker {
        try S3Marker(location, client: S3Fixture.client)
    }

    func read() async throws -> String? {
        switch self.place {
        case .directory(let path):
            return try? String(contentsOfFile: "\(path)/installation", encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        case .bucket(let location):
            let owner = try await Self.marker(location).owner()
            return owner == .unmarked ? nil : owner.description
        }
    }

    func write(_ id: UniqueID) async throws {
        switch self.place {
        case .directory(let path):
            try "\(id)\n".write(toFile: "\(path)/installation", atomically: true, encoding: .utf8)
        case .bucket(let location): try await Self.marker(location).write(id)
        }
    }

    func remove() async throws {
        switch self.place {
        case .directory(let path): try FileManager.default.removeItem(atPath: "\(path)/installation")
        case .bucket(let location):
            var outer = location
            outer.prefix = ""
            let key = try #require(StorageKey(location.prefix + "installation"))
            try await S3Fixture.storage(outer).delete(key)
        }
    }

    /// Puts an empty directory in the place of the volume; of a bucket, removes the marker.
    func hide() async throws {
        guard case .directory(let path) = self.place else { return try await self.remove() }
        try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    func isEmpty() async throws -> Bool {
        guard case .directory(let path) = self.place else { return try await self.read() == nil }
        return try FileManager.default.contentsOfDirectory(atPath: path).isEmpty
    }

    /// - Parameter id: what the marker held.
    func restore(_ id: String) async throws {
        guard case .directory(let path) = self.place else { return try await self.write(#require(UniqueID(id))) }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
    }
}
