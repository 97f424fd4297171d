// S3 on a bad day, or not at all. Rules: architecture, I1 and I8.

import Cryptography
import Domain
import Foundation
import HTTP
import HTTPClient
import S3
import Storage
import TestSupport
import Testing
import Threads

@Suite(.enabled(if: S3Fixture.location != nil, "no S3 store is named in the environment"))
struct S3FaultTests {
    private let location =
        S3Fixture.location
        ?? S3Location(
            bucket: "", credentials: S3Credentials(accessKey: "", secretKey: ""))

    @Test(arguments: [1, 2] as [UInt64])
    func `with a fifth of all requests spoilt, nothing wrong is stored or read`(seed: UInt64) async throws {
        try await S3FaultProxy.with(location, rate: 20, seed: seed) { spoilt, proxy in
            try await S3Fixture.with(spoilt) { storage, place in
                var clear = place
                clear.endpoint = S3Fixture.location?.endpoint
                let failures = try await withThrowingTaskGroup(of: Int.self) { group in
                    for (index, length) in [0, 1, 100_000, 300_000, 9 << 20, 20 << 20].enumerated() {
                        group.addTask { try await self.exercise(storage, length, seed: seed &+ UInt64(index)) }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(failures == 0)
                #expect(proxy.faults > 0)
                #expect(try await storage.keys().count == 12)
            }
        }
    }

    /// Stores two objects in two ways, and reads them whole and in part.
    ///
    /// - Returns: how often it failed, with a fault.
    private func exercise(_ storage: S3Storage, _ length: Int, seed: UInt64) async throws -> Int {
        let bytes = Pattern.bytes(length, seed: seed)
        var failures = 0
        func trying(_ body: () async throws -> Void) async throws {
            do { try await body() } catch let fault as StorageFault {
                failures += 1
                Issue.record("\(fault)", severity: .warning)
            }
        }
        func read(_ key: StorageKey) async throws {
            #expect(try await storage.length(of: key) == length)
            for range in [0..<length, length / 3..<length, length / 2..<min(length, length / 2 + 10)]
            where !range.isEmpty {
                let read = try await storage.get(key, range, of: length)
                #expect(read == Array(bytes[range]))
            }
        }
        try await trying {
            let key = StorageKey.test()
            try await storage.put(bytes, key)
            try await read(key)
        }
        try await trying {
            let key = StorageKey.test()
            let upload = try await storage.beginMultipart(key)
            var parts: [StoredPart] = []
            for (index, start) in stride(from: 0, through: max(0, length - 1), by: 6 << 20).enumerated() {
                let part = Array(bytes[start..<min(start + 6 << 20, length)])
                parts.append(
                    try await storage.putPart(index + 1, of: upload, RequestBody(part), limit: part.count))
            }
            #expect(try await storage.parts(of: upload) == parts)
            try await storage.complete(upload, parts)
            try await read(key)
        }
        try await trying {
            let key = StorageKey.test()
            let upload = try await storage.beginMultipart(key)
            try await storage.abort(upload)
            try await storage.delete(key)
        }
        return failures
    }

    @Test func `a store that only ever fails is a fault, and soon`() async throws {
        try await S3Fixture.with(location) { _, place in
            try await S3FaultProxy.with(place, rate: 100, seed: 4) { spoilt, _ in
                let storage = try S3Fixture.storage(spoilt)
                #expect(await faultKind { try await storage.check() } == "unavailable")
            }
        }
    }

    @Test func `nobody there is said within seconds`() async throws {
        var nowhere = location
        nowhere.endpoint = "http://127.0.0.1:1"
        let storage = try S3Fixture.storage(nowhere)
        let time = try await ContinuousClock().measure {
            #expect(await faultKind { try await storage.check() } == "unavailable")
            #expect(await faultKind { try await storage.put([1], .test()) } == "unavailable")
            #expect(await faultKind { try await storage.get(.test(), 0..<1, of: 1) } == "unavailable")
            try Task.checkCancellation()
        }
        #expect(time < .seconds(60))
    }

    @Test func `a store that never answers fails the check after three seconds`() async throws {
        let silent = RawServer { client in client.awaitEnd() }
        var hanging = location
        hanging.endpoint = silent.url
        let storage = try S3Fixture.storage(hanging)
        let time = try await ContinuousClock().measure {
            #expect(await faultKind { try await storage.check() } == "unavailable")
            try Task.checkCancellation()
        }
        #expect(time < .seconds(30))
    }

    @Test func `wrong keys are refused, and a missing bucket is an outage of its own kind`() async throws {
        var stranger = location
        stranger.credentials.secretKey += "x"
        let refused = try S3Fixture.storage(stranger)
        #expect(await faultKind { try await refused.check() } == "accessDenied")
        #expect(await faultKind { try await refused.length(of: .test()) } == "accessDenied")
        var nowhere = location
        nowhere.bucket = "no-such-bucket-\(UniqueID.random().hex.prefix(8))"
        let lost = try S3Fixture.storage(nowhere)
        for body in [
            { try await lost.check() }, { try await lost.put([1], .test()) },
            { _ = try await lost.length(of: .test()) },
            { _ = try await lost.get(.test(), 0..<1, of: 1) }, { try await lost.delete(.test()) },
            { _ = try await lost.list(after: nil, limit: 1) }, { _ = try await lost.beginMultipart(.test()) },
        ] as [() async throws -> Void] {
            let fault = await #expect(throws: StorageFault.self) { try await body() }
            guard case .unavailable(_, .missingBucket)? = fault else {
                Issue.record("\(String(describing: fault))")
                continue
            }
        }
        try Task.checkCancellation()
    }

    @Test(arguments: [-3600, 3600] as [Int64])
    func `a wrong clock, an unknown key and a wrong secret are told apart`(seconds: Int64) async throws {
        func cause(_ location: S3Location, _ clock: WallClock = .system) async throws -> StorageFault.AccessCause? {
            let storage = try S3Storage(
                location, installation: .random(), spoolDirectory: NSTemporaryDirectory(), client: S3Fixture.client,
                clock: clock)
            let fault = await #expect(throws: StorageFault.self) { try await storage.check() }
            if case .accessDenied(_, let cause)? = fault { return cause }
            Issue.record("\(String(describing: fault))")
            return nil
        }
        var (stranger, mistaken) = (location, location)
        stranger.credentials.accessKey = "NOSUCHKEY00000000001"
        mistaken.credentials.secretKey += "x"
        #expect(try await cause(stranger) == .unknownKey)
        #expect(try await cause(mistaken) == .wrongSecret)
        #expect(try await cause(location, WallClock { WallClock.system.now() + seconds }) == .clockSkew)
    }

    @Test func `another installation's place is refused`() async throws {
        try await S3Fixture.with(location) { storage, place in
            try await storage.put([1, 2, 3], .test())
            let other = try S3Fixture.storage(place)
            #expect(await faultKind { try await other.check() } == "foreign")
            #expect(await faultKind { try await other.put([1], .test()) } == "foreign")
            #expect(await faultKind { try await other.beginMultipart(.test()) } == "foreign")
        }
    }

    @Test func `a place with objects and no marker is refused`() async throws {
        try await S3Fixture.with(location) { storage, place in
            try await storage.put([1, 2, 3], .test("a"))
            var inner = place
            inner.prefix += "staging/"
            let storage = try S3Fixture.storage(inner)
            #expect(await faultKind { try await storage.check() } == "foreign")
        }
    }

    @Test func `a presigned URL serves a client, until its time is over`() async throws {
        try await S3Fixture.with(location) { storage, _ in
            let key = StorageKey.test()
            try await storage.put([1, 2, 3], key)
            let now = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
            let url = try #require(try storage.presignedDownload(key, validFor: 60, at: now))
            let answer = try await S3Fixture.client.send(ClientRequest("GET", url))
            #expect(answer.status == 200)
            #expect(try await answer.body.collect(upTo: 10) == [1, 2, 3])
            let old = try #require(try storage.presignedDownload(key, validFor: 60, at: now + -3600))
            for url in [old, url.replacing("staging", with: "stagine"), String(url.dropLast()) + "x"] {
                let answer = try await S3Fixture.client.send(ClientRequest("GET", url))
                #expect(answer.status == 403)
            }
        }
    }

    @Test func `buckets can be hosts`() async throws {
        guard let port = location.endpoint?.split(separator: ":").last else { return }
        var virtual = location
        virtual.endpoint = "http://localhost:\(port)"
        virtual.usesPathStyle = false
        try await S3Fixture.with(virtual) { storage, _ in
            let key = StorageKey.test()
            try await storage.put([1, 2, 3], key)
            #expect(try await storage.get(key, 0..<3, of: 3) == [1, 2, 3])
            #expect(try await storage.keys() == [key])
        }
    }

    @Test func `a large object comes and goes in pieces`() async throws {
        try await S3Fixture.with(location) { storage, _ in
            let (key, block) = (StorageKey.test(), Pattern.bytes(1 << 20))
            var written = SHA256()
            let writer = try await storage.begin(key, length: 64 << 20)
            for _ in 0..<64 {
                written.update(block.span)
                try await writer.write(block)
            }
            try await writer.finish()
            guard case .stream(let stream) = try await storage.open(key, 0..<64 << 20, of: 64 << 20) else {
                Issue.record("no stream")
                return
            }
            var read = SHA256()
            var (offset, most) = (0, 0)
            for try await chunk in stream {
                read.update(chunk.span)
                offset += chunk.count
                most = max(most, chunk.count)
            }
            let (sent, received) = (written.finish(), read.finish())
            #expect(sent == received)
            #expect(offset == 64 << 20)
            #expect(most <= 256 * 1024)
        }
    }
}
