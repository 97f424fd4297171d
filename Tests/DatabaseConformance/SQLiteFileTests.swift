// What only the embedded database has: a file, its log, its lock, its backup.

import Domain
import Foundation
import Persistence
import SQLite
import TestSupport
import Testing

@Suite struct SQLiteFileTests {
    private static let template = Template(migrated: Sample.migrations(for: .sqlite))

    @Test func `a backup beside writers is whole`() async throws {
        try await Engine.sqlite.withPlace(of: Self.template) { place in
            guard case .file(let path) = place else { return }
            let database = SQLiteDatabase(path: path, durability: .normal, queueTimeout: .seconds(60))
            func add(_ count: Int) async throws {
                _ = try await database.transaction { transaction in
                    try transaction.execute(each: 0..<count) { _ in Sample("\(UniqueID.random())").insert }
                }
            }
            for _ in 0..<20 { try await add(1000) }
            try await withThrowingTaskGroup { group in
                group.addTask { while !Task.isCancelled { try await add(2) } }
                let start = try await database.read { try Sample.count($0) }
                #expect(try await eventually { try await database.read { try Sample.count($0) } > start })
                try database.backUp(to: path + ".copy")
                group.cancelAll()
                while let result = await group.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) { throw error }
                }
            }
            await database.close()
            let restored = SQLiteDatabase(path: path + ".copy")
            let (state, count) = try await restored.transaction { transaction in
                (
                    try transaction.first("PRAGMA integrity_check", as: { try $0[0] as String }),
                    try Sample.count(transaction)
                )
            }
            await restored.close()
            #expect(state == "ok")
            #expect(count >= 20_000 && count % 2 == 0)
        }
    }

    @Test func `the log stays short while readers overlap without end`() async throws {
        let limit = 1 << 20
        let options = Engine.Options {
            $0.logLimit = limit
            $0.connections = 4
        }
        try await Engine.sqlite.withPlace(of: Self.template) { place in
            guard case .file(let path) = place else { return }
            let database = place.open(options)
            let begun = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Each reader keeps its snapshot until another has begun one: there is always one.
                for _ in 0..<4 {
                    group.addTask {
                        while !Task.isCancelled {
                            try await database.read { transaction in
                                _ = try Sample.count(transaction)
                                let next = begun.value + 2
                                begun.increment(awaiting: next, within: 0.005)
                            }
                        }
                    }
                }
                var longest = 0
                for _ in 0..<300 {
                    _ = try await database.transaction { transaction in
                        try transaction.execute(each: 0..<50) { _ in
                            var sample = Sample("\(UniqueID.random())")
                            sample.payload = [UInt8](repeating: 7, count: 1000)
                            return sample.insert
                        }
                    }
                    let attributes = try FileManager.default.attributesOfItem(atPath: path + "-wal")
                    longest = max(longest, attributes[.size] as? Int ?? 0)
                }
                #expect(longest < 8 * limit, "\(longest) bytes")
                group.cancelAll()
                while let result = await group.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) { throw error }
                }
            }
            await database.close()
        }
    }

    @Test func `a full disk is told as such, and what fits goes on`() async throws {
        try await Engine.sqlite.withSamples { database in
            _ = try await database.transaction { transaction in
                let pages = try transaction.first("PRAGMA page_count", as: { try $0[0] as Int }) ?? 0
                try transaction.run(script: "PRAGMA max_page_count = \(pages + 4)")
            }
            let fault = await #expect(throws: DatabaseFault.self) {
                for _ in 0..<100 {
                    try await database.transaction { transaction in
                        var sample = Sample("\(UniqueID.random())")
                        sample.payload = [UInt8](repeating: 7, count: 5000)
                        try transaction.execute(sample.insert)
                    }
                }
            }
            guard case .full = fault else {
                Issue.record("\(String(describing: fault))")
                return
            }
            try await database.check()
            _ = try await database.transaction { try $0.execute("DELETE FROM samples") }
            let sample = Sample("fits")
            _ = try await database.transaction { try $0.execute(sample.insert) }
        }
    }

    @Test func `a data directory has one process`() async throws {
        try await TemporaryDirectory.with { directory in
            var lock: DataLock? = try DataLock(directory: directory)
            // A second open file is what a second process would have.
            let refusal = #expect(throws: DataLock.Refused.self) { try DataLock(directory: directory) }
            #expect(
                refusal?.description
                    == "the data directory \(directory) is in use by another process, pid \(getpid())")
            #expect(lock != nil)
            lock = nil
            _ = try DataLock(directory: directory)
        }
        #expect(throws: DataLock.Refused.self) { try DataLock(directory: "/nonexistent") }
    }

    @Test func `a file that is no database is a fault, not a crash`() async throws {
        try await TemporaryDirectory.with { directory in
            try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: "\(directory)/x.db"))
            let database = SQLiteDatabase(path: "\(directory)/x.db")
            await #expect(throws: DatabaseFault.self) { try await database.check() }
            await database.close()
        }
    }
}
