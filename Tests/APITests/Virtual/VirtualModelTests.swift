// Virtual repositories against a model of them: order, nested members, cycles, permissions, quarantine, members that come
// and go.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct VirtualModelTests {
    /// What the server should hold.
    private struct Model {
        struct File {
            var text: String
            var isWithheld = false
        }

        static let locals = ["m0", "m1", "m2"]
        static let paths = ["a.txt", "dir/b", "dir/c", "e"]

        var files: [String: [String: File]] = ["m0": [:], "m1": [:], "m2": [:]]
        var members = ["w": ["m0"], "v": ["w", "m1", "m2"]]
        var membersReadable = false

        func leaves(of key: String) -> [String] {
            var leaves: [String] = []
            func walk(_ key: String, _ depth: Int) {
                guard depth < 5 else { return }
                for member in self.members[key] ?? [] {
                    if self.members[member] != nil {
                        walk(member, depth + 1)
                    } else if !leaves.contains(member) {
                        leaves.append(member)
                    }
                }
            }
            walk(key, 0)
            return leaves
        }

        func reaches(_ start: String, _ goal: String) -> Bool {
            start == goal || (self.members[start] ?? []).contains { self.reaches($0, goal) }
        }

        /// The answer to a caller that may read these members.
        func answer(_ path: String, _ readable: Set<String>) -> String {
            for member in self.leaves(of: "v") where self.membersReadable || readable.contains(member) {
                if let file = self.files[member]?[path] { return file.isWithheld ? "423" : file.text }
            }
            return "404"
        }

        func names(_ folder: String, _ readable: Set<String>) -> [String] {
            let visible = Self.paths.filter { !["404", "423"].contains(self.answer($0, readable)) }
            let names = visible.filter { $0.hasPrefix(folder) }.map { path in
                let rest = path.dropFirst(folder.count)
                return rest.firstIndex(of: "/").map { String(rest[...$0]) } ?? String(rest)
            }
            return Set(names).sorted()
        }
    }

    private struct Reader {
        let token: String
        let readable: Set<String>
    }

    @Test(arguments: Engine.direct, [1, 2, 3] as [UInt64])
    func `a virtual repository answers as its model`(engine: Engine, seed: UInt64) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            for key in Model.locals {
                try await server.createRepository(key, settings: ["overwrite": true], token: admin)
            }
            var model = Model()
            try await server.createVirtual("w", of: ["m0"], token: admin)
            try await server.createVirtual("v", of: ["w", "m1", "m2"], token: admin)
            var readers = [Reader(token: admin, readable: Set(Model.locals))]
            for readable in [[], ["m1"], ["m0", "m2"]] as [Set<String>] {
                let scopes = readable.map { "repo:\($0):read" } + ["repo:v:read"]
                readers.append(Reader(token: try await server.token(scopes), readable: readable))
            }
            var random = SplitMix64(seed)
            for step in 0..<60 {
                try await Self.change(&model, step, server, admin, &random)
                for reader in readers {
                    for path in Model.paths {
                        let (found, expected) = (
                            try await server.file(path, in: "v", token: reader.token),
                            model.answer(path, reader.readable)
                        )
                        try #require(found == expected, "seed \(seed), step \(step), \(path), \(reader), \(model)")
                    }
                    let root = try await server.names(in: "v", token: reader.token)
                    try #require(root == model.names("", reader.readable), "seed \(seed), step \(step), \(model)")
                    let folder = try await server.names("dir/", in: "v", token: reader.token)
                    let expected = model.names("dir/", reader.readable)
                    try #require(folder == (expected.isEmpty ? ["404"] : expected), "seed \(seed), step \(step)")
                }
            }
        }
    }

    private static func change(
        _ model: inout Model, _ step: Int, _ server: Installation, _ admin: String, _ random: inout SplitMix64
    ) async throws {
        let member = Model.locals[Int.random(in: 0..<3, using: &random)]
        let path = Model.paths[Int.random(in: 0..<Model.paths.count, using: &random)]
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4:
            let answer = try await server.putFile(path, "\(step)", in: member, token: admin)
            try #require(answer.status < 300, "\(answer.text)")
            model.files[member]?[path] = Model.File(text: "\(step)")
        case 4:
            let answer = try await server.send("DELETE", "/generic/\(member)/\(path)", token: admin)
            try #require(answer.status == (model.files[member]?[path] == nil ? 404 : 204), "\(answer.text)")
            model.files[member]?[path] = nil
        case 5:
            try await server.withhold(path, in: member)
            model.files[member]?[path]?.isWithheld = true
        case 6:
            model.membersReadable.toggle()
            let answer = try await server.updateVirtual(
                "v", to: model.members["v"] ?? [], settings: ["membersReadable": .bool(model.membersReadable)],
                token: admin)
            try #require(answer.status == 200, "\(answer.text)")
        default:
            let key = Bool.random(using: &random) ? "v" : "w"
            let all = (Model.locals + ["v", "w"]).shuffled(using: &random)
            let members = Array(all.prefix(Int.random(in: 1...4, using: &random)))
            let settings: JSON = key == "v" ? ["membersReadable": .bool(model.membersReadable)] : [:]
            let answer = try await server.updateVirtual(key, to: members, settings: settings, token: admin)
            let expected = members.contains(key) ? 400 : members.contains { model.reaches($0, key) } ? 409 : 200
            try #require(answer.status == expected, "\(key) of \(members): \(answer.text), \(model)")
            if expected == 200 { model.members[key] = members }
        }
    }
}
