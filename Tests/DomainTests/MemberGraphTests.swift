// What virtual repositories are made of.

import Domain
import Testing

@Suite struct MemberGraphTests {
    private static func key(_ text: String) throws -> RepoKey { try RepoKey(parsing: text) }

    private static func graph(_ members: [String: [String]]) throws -> MemberGraph {
        var graph: [RepoKey: [RepoKey]] = [:]
        for (name, names) in members { graph[try Self.key(name)] = try names.map(Self.key) }
        return MemberGraph(graph)
    }

    @Test func `members are flattened in order, each once`() throws {
        let graph = try Self.graph([
            "a": [], "b": [], "c": [], "inner": ["b", "a"], "outer": ["c", "inner", "b"], "top": ["inner", "outer"],
        ])
        for (name, leaves) in [
            ("a", []), ("inner", ["b", "a"]), ("outer", ["c", "b", "a"]), ("top", ["b", "a", "c"]),
        ] {
            #expect(try graph.leaves(of: Self.key(name)).map(\.text) == leaves)
        }
        #expect(try graph.containers(of: Self.key("a")).map(\.text) == ["inner", "outer", "top"])
        let smaller = try graph.removing(Self.key("inner"))
        #expect(try smaller.leaves(of: Self.key("top")).map(\.text) == ["c", "b"])
    }

    @Test func `a cycle that is there already ends`() throws {
        let graph = try Self.graph(["a": [], "v": ["w", "a"], "w": ["v"]])
        #expect(try graph.leaves(of: Self.key("v")).map(\.text) == ["a"])
        #expect(try graph.containers(of: Self.key("a")).map(\.text) == ["v", "w"])
    }

    @Test func `a virtual repository reads at most 500 repositories`() throws {
        var members: [String: [String]] = [:]
        for group in 0..<6 {
            members["g\(group)"] = (0..<99).map { "r\(group)-\($0)" }
            for name in members["g\(group)"] ?? [] { members[name] = [] }
        }
        let graph = try Self.graph(members)
        let key = try Self.key("v")
        try graph.check(key, madeOf: (0..<5).map { try Self.key("g\($0)") })
        #expect(throws: Refusal.self) { try graph.check(key, madeOf: (0..<6).map { try Self.key("g\($0)") }) }
        let grown = try graph.replacing(key, madeOf: (0..<5).map { try Self.key("g\($0)") })
        #expect(throws: Refusal.self) {
            let more = try (0..<99).map { try Self.key("r0-\($0)") } + [Self.key("g5")]
            try grown.check(Self.key("g0"), madeOf: more)
        }
    }
}
