// Scopes and roles: what is a scope, and what holding one allows. Rules: HTTP contract, 2.1 and 7.1.

import Domain
import Testing

/// A small generator whose numbers follow from its seed.
private struct Numbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var word = self.state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func pick(_ text: String, _ count: ClosedRange<Int>) -> String {
        let characters = Array(text)
        return String((0..<Int.random(in: count, using: &self)).map { _ in characters.randomElement(using: &self)! })
    }
}

@Suite struct ScopeTests {
    private static let first = "abcdefghijklmnopqrstuvwxyz0123456789"
    private static let seeds = Array(UInt64(1)...200)

    @Test(arguments: seeds)
    func `every well-formed scope is read, in any case and with blanks around its parts`(seed: UInt64) throws {
        var numbers = Numbers(seed: seed)
        let key = numbers.pick(Self.first, 1...1) + numbers.pick(Self.first + "._-", 0...127)
        let role = Role.allCases.randomElement(using: &numbers)!
        let repo = Bool.random(using: &numbers) ? key : "*"
        let blanks = (0..<6).map { _ in numbers.pick(" \t", 0...2) }
        var written =
            "\(blanks[0])repo\(blanks[1]):\(blanks[2])\(repo)\(blanks[3]):\(blanks[4])\(role.rawValue)\(blanks[5])"
        if Bool.random(using: &numbers) { written = written.uppercased() }
        let scope = try Scope(parsing: written)
        #expect(scope.role == role && scope.repo?.text == (repo == "*" ? nil : key))
        #expect(scope.description == "repo:\(repo):\(role.rawValue)")
        #expect(try Scope(parsing: scope.description) == scope)
    }

    @Test(arguments: seeds)
    func `text is a scope only where its three parts are right`(seed: UInt64) {
        var numbers = Numbers(seed: seed)
        for _ in 0..<50 {
            let text = numbers.pick("repoadminwt*:::. -_A\u{0}\u{e9}\u{1F4A3}/\n", 0...24)
            let mangled = Bool.random(using: &numbers) ? text : "repo:" + text
            guard let scope = try? Scope(parsing: mangled) else { continue }
            // What is read is canonical, and says nothing that the text doesn't.
            let parts = mangled.lowercased().split(separator: ":", omittingEmptySubsequences: false)
                .map { $0.filter { !$0.isWhitespace } }
            #expect(
                parts.count == 3 && parts[0] == "repo" && parts[2] == scope.role.rawValue, "\(mangled.debugDescription)"
            )
            #expect(parts[1] == scope.repo?.text ?? "*", "\(mangled.debugDescription)")
        }
    }

    @Test(arguments: [
        "", ":", "::", "repo", "repo:a", "repo:a:", "repo::read", "repo: :read", "repo:a:read:", "repo:a:read:x",
        "rep:a:read",
        "repo:a:owner", "repo:a b:read", "repo:A/b:read", "repo:-a:read", "repo:**:read", "repo:a*:read",
        "repo:a:read\u{0}",
        "repo:\u{e9}:read", "repo:a:re\u{430}d",
    ])
    func `what is no scope is refused`(text: String) {
        #expect(throws: Refusal.self) { try Scope(parsing: text) }
    }

    @Test func `roles imply each other as the table says`() {
        let implied: [Role: Set<Role>] = [
            .admin: [.admin, .write, .read, .promote], .write: [.write, .read], .read: [.read], .promote: [.promote],
        ]
        for held in Role.allCases {
            for needed in Role.allCases {
                #expect(held.satisfies(needed) == implied[held]?.contains(needed), "\(held) for \(needed)")
            }
        }
        let tenant: [TenantRole: Set<TenantRole>] = [
            .admin: [.admin, .auditor, .operator], .auditor: [.auditor], .operator: [.operator],
        ]
        for held in TenantRole.allCases {
            for needed in TenantRole.allCases { #expect(held.satisfies(needed) == tenant[held]?.contains(needed)) }
        }
    }

    @Test func `implication is reflexive and transitive`() {
        for one in Role.allCases {
            #expect(one.satisfies(one))
            for two in Role.allCases where one.satisfies(two) {
                for three in Role.allCases where two.satisfies(three) { #expect(one.satisfies(three)) }
            }
        }
    }

    @Test(arguments: seeds)
    func `a caller may do what one of his scopes allows, and nothing else`(seed: UInt64) throws {
        var numbers = Numbers(seed: seed)
        let keys = try ["alpha", "beta", "alph", "alpha-2"].map { try RepoKey(parsing: $0) }
        let scopes = (0..<Int.random(in: 0...4, using: &numbers)).map { _ in
            Scope(
                Role.allCases.randomElement(using: &numbers)!,
                on: Int.random(in: 0..<5, using: &numbers) == 0 ? nil : keys.randomElement(using: &numbers))
        }
        let roles = TenantRole.allCases.filter { _ in Int.random(in: 0..<4, using: &numbers) == 0 }
        let caller = Caller(
            tenant: TenantID(.zero), subject: try Subject(parsing: "x"), scopes: scopes, tenantRoles: roles,
            source: .pat,
            correlation: .zero)
        for role in Role.allCases {
            let everywhere = scopes.contains { $0.repo == nil && $0.role.satisfies(role) }
            #expect(caller.holdsEverywhere(role) == everywhere)
            #expect(((try? caller.tenantGrant(role)) != nil) == everywhere)
            for key in keys {
                let allowed = everywhere || scopes.contains { $0.repo == key && $0.role.satisfies(role) }
                #expect(caller.holds(role, on: key) == allowed)
                #expect(((try? caller.grant(role, on: key)) != nil) == allowed)
            }
        }
        for role in TenantRole.allCases {
            let allowed =
                scopes.contains { $0.repo == nil && $0.role == .admin } || roles.contains(.admin)
                || roles.contains(role)
            #expect(caller.holds(role) == allowed)
            #expect(((try? caller.tenantGrant(role)) != nil) == allowed)
        }
    }

    @Test(arguments: seeds)
    func `one scope more never takes anything away`(seed: UInt64) throws {
        var numbers = Numbers(seed: seed)
        let keys = try ["alpha", "beta"].map { try RepoKey(parsing: $0) }
        func scope() -> Scope {
            Scope(
                Role.allCases.randomElement(using: &numbers)!,
                on: Bool.random(using: &numbers) ? nil : keys.randomElement(using: &numbers))
        }
        let few = (0..<2).map { _ in scope() }
        func caller(_ scopes: [Scope]) throws -> Caller {
            Caller(
                tenant: TenantID(.zero), subject: try Subject(parsing: "x"), scopes: scopes, source: .pat,
                correlation: .zero)
        }
        let (less, more) = (try caller(few), try caller(few + [scope()]))
        for role in Role.allCases {
            for key in keys where less.holds(role, on: key) { #expect(more.holds(role, on: key)) }
            if less.holdsEverywhere(role) { #expect(more.holdsEverywhere(role)) }
        }
    }
}
