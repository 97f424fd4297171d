// Values go in and come back the same, in one text for every database.

import Domain
import Persistence
import TestSupport
import Testing

@Suite struct ValueTests {
    @Test(arguments: Engine.available)
    func `every kind of value comes back as it went`(engine: Engine) async throws {
        var full = Sample("füll \u{1F600} '\"\\")
        var empty = Sample("", at: -1)
        full.small = -7
        full.payload = [0, 255, 10]
        full.document = try JSON(parsing: #"{"a":[1,null,"x"]}"#)
        full.labels = TextList(["", "a,b", "q\"\\\n", "NULL", "{}"])
        (empty.payload, empty.flag, empty.count) = ([], false, .min)
        let samples = [full, empty]
        try await engine.withSamples { database in
            try await database.transaction { transaction in
                for sample in samples { try transaction.execute(sample.insert) }
            }
            for sample in samples {
                #expect(try await database.read { try Sample.first(sample.id, $0) } == sample)
                #expect(try await database.lookup { try Sample.first(sample.id, $0) } == sample)
            }
        }
    }

    @Test(arguments: Engine.available)
    func `a bare value in a SELECT list has its type`(engine: Engine) async throws {
        try await engine.withSamples { database in
            let id = UniqueID.random()
            let none: String? = nil
            let row = try await database.lookup { transaction in
                try transaction.first(
                    "SELECT \(id), \(5), \("t"), \(none), \(Timestamp(microseconds: 7)), \([1, 2] as [UInt8])"
                ) { row in
                    (
                        try row[0] as UniqueID, try row[1] as Int, try row[2] as String, try row[3] as String?,
                        try row[4] as Timestamp, try row[5] as [UInt8]
                    )
                }
            }
            #expect(row?.0 == id && row?.1 == 5 && row?.2 == "t" && row?.3 == nil)
            #expect(row?.4.microseconds == 7 && row?.5 == [1, 2])
        }
    }

    @Test(arguments: Engine.available)
    func `one text for upsert, RETURNING, keyset pages, lists and JSON`(engine: Engine) async throws {
        try await engine.withSamples { database in
            let samples = (0..<300).map { Sample("n\($0)", at: 1_700_000_000_000_000 + Int64($0 / 3) * 1000) }
            let changed = try await database.transaction { try $0.execute(each: samples) { $0.insert } }
            #expect(changed == 300)
            var seen: [UniqueID] = []
            var last: (Timestamp, UniqueID) = (Timestamp(microseconds: 0), .zero)
            while true {
                let after = last
                let page = try await database.read { transaction in
                    try transaction.all(
                        """
                        SELECT created_at, sample_id FROM samples
                        WHERE (created_at, sample_id) > (\(after.0), \(after.1))
                        ORDER BY created_at, sample_id LIMIT \(64)
                        """, as: { (try $0[0] as Timestamp, try $0[1] as UniqueID) })
                }
                guard let end = page.last else { break }
                seen += page.map(\.1)
                last = end
            }
            #expect(Set(seen) == Set(samples.map(\.id)) && seen.count == 300)

            let sample = samples[0]
            let document = try JSON(parsing: #"{"k":"v"}"#)
            let counts = try await database.transaction { transaction in
                try transaction.all(
                    """
                    INSERT INTO samples (sample_id, name, count, created_at, labels, document)
                    VALUES (\(sample.id), \(sample.name), \(1), \(sample.created), \(TextList(["a", "b"])),
                        \(document))
                    ON CONFLICT (name) DO UPDATE SET count = excluded.count + 1, labels = excluded.labels,
                        document = excluded.document
                    RETURNING count
                    """, as: { try $0[0] as Int64 })
            }
            #expect(counts == [2])
            let found = try await database.read { transaction in
                try transaction.all(
                    """
                    SELECT name, CAST(SUM(count) AS bigint), CAST(COUNT(*) AS bigint) FROM samples
                    WHERE \(.holds("b", in: "labels")) AND \(.member("k", of: "document")) = \("v")
                        AND name \(.isOneOf(["n0", "n1"])) AND lower(name) = lower(\("N0"))
                        AND count IS NOT DISTINCT FROM \(2 as Int?)
                        AND name LIKE \("n%") ESCAPE '!'
                    GROUP BY name
                    """, as: { (try $0[0] as String, try $0[1] as Int64, try $0[2] as Int) })
            }
            #expect(found.count == 1 && found[0] == ("n0", 2, 1))
        }
    }

    @Test(arguments: Engine.available)
    func `a full text search finds words, not parts`(engine: Engine) async throws {
        try await engine.withSamples { database in
            let id = UniqueID.random()
            let hits = try await database.transaction { transaction in
                try transaction.execute(
                    "INSERT INTO documents (version_id, body) VALUES (\(id), \("acme web 1.2 running tools"))")
                return try ["TOOLS", "tool", "acme web"].map { words in
                    let quoted = words.split(separator: " ").map { "\"\($0)\"" }.joined(separator: " ")
                    return try transaction.all(
                        """
                        SELECT version_id FROM documents WHERE \(.either(
                            postgreSQL: "words @@ plainto_tsquery('simple', \(words))",
                            sqlite: "documents MATCH \(quoted)"))
                        """, as: { try $0[0] as UniqueID }
                    ).count
                }
            }
            #expect(hits == [1, 0, 1])
        }
    }
}
