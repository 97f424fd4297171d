// A policy's rules in their written form, as settings and requests have them: docs/policy.md.

/// Rules in their order.
package struct PolicyRules: Hashable, Sendable {
    package static let limit = 100
    /// Of patterns, fields and the like in one rule.
    package static let listLimit = 200

    /// In bytes, written as JSON: they are read at every publish.
    package static let sizeLimit = 64 << 10
    /// Of predicate types in one rule: each is looked up.
    package static let predicateTypeLimit = 16

    package let rules: [PolicyRule]

    private init(rules: [PolicyRule]) { self.rules = rules }

    package static let none = PolicyRules(rules: [])

    /// - Throws: `bad_request`, with the rule and what is allowed.
    package init(parsing document: JSON) throws(Refusal) {
        guard let elements = document.elements else { throw .badRequest("rules must be a list of objects.") }
        guard elements.count <= Self.limit else { throw .badRequest("There may be at most \(Self.limit) rules.") }
        var rules: [PolicyRule] = []
        for (index, element) in elements.enumerated() {
            let rule = try RuleReader(element, at: "rules[\(index)]").rule()
            guard !rules.contains(where: { $0.name == rule.name }) else {
                throw .badRequest("Two rules are called '\(rule.name)': names must differ.")
            }
            rules.append(rule)
        }
        self.init(rules: rules)
    }

    /// The same, for rules that are being set. Stored rules were measured when they were set.
    ///
    /// - Throws: `bad_request`, also where they are too long in all.
    package init(layingDown document: JSON) throws(Refusal) {
        try self.init(parsing: document)
        guard self.json.bytes.count <= Self.sizeLimit else {
            throw .badRequest("Rules may have at most \(Self.sizeLimit) bytes in all.")
        }
    }

    package var json: JSON { .array(self.rules.map(\.json)) }

    /// Those that hold in a repository, without the names of others.
    package func inForce(in repo: RepoKey) -> PolicyRules {
        PolicyRules(
            rules: self.rules.filter { rule in rule.repos.isEmpty || rule.repos.contains { $0.matches(repo.text) } }
                .map { rule in
                    PolicyRule(
                        name: rule.name, check: rule.check, effect: rule.effect, actions: rule.actions,
                        packageTypes: rule.packageTypes)
                })
    }
}

/// Reads one rule. Names count in any case (HTTP contract, 1.2), and unknown ones are refused: a misspelt one would
/// leave something out that was meant.
private struct RuleReader {
    private static let common = ["name", "check", "effect", "actions", "packageTypes", "repos"]

    private let members: [JSON.Member]
    private let place: String

    init(_ value: JSON, at place: String) throws(Refusal) {
        guard let members = value.members else { throw .badRequest("\(place) must be an object.") }
        self.members = members
        self.place = place
    }

    func rule() throws(Refusal) -> PolicyRule {
        let name = try self.text("name") ?? ""
        let isName = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
        }
        guard !name.isEmpty, name.utf8.count <= 64, isName else {
            throw self.refusal("name", "must have 1 to 64 of a-z, 0-9, '.', '_' and '-'")
        }
        guard let kind = try self.text("check"), PolicyRule.Check.kinds.contains(kind) else {
            throw self.refusal("check", "must be one of \(PolicyRule.Check.kinds.joined(separator: ", "))")
        }
        let (check, own) = try self.check(kind)
        let known = Self.common + own
        for member in self.members
        where !known.contains(where: { $0.asciiLowercased.hasSameBytes(as: member.name.asciiLowercased) }) {
            let allowed = known.joined(separator: ", ")
            throw .badRequest(
                "\(self.place).\(member.name) is unknown; a rule with check '\(kind)' may have: \(allowed).")
        }
        let effect = try self.text("effect").map { PolicyDecision(rawValue: $0) } ?? .deny
        guard let effect, effect != .allow else { throw self.refusal("effect", "must be deny or quarantine") }
        let actions = try self.texts("actions")?.map { PolicyAction(rawValue: $0) } ?? [.publish]
        guard !actions.isEmpty, !actions.contains(nil) else {
            throw self.refusal("actions", "must be a list of publish and promote")
        }
        return PolicyRule(
            name: name, check: check, effect: effect, actions: Set(actions.compactMap(\.self)),
            packageTypes: try self.globs("packageTypes").map(\.lowercased),
            repos: try self.globs("repos").map(\.lowercased))
    }

    /// - Returns: the check, and the members that belong to it.
    private func check(_ kind: String) throws(Refusal) -> (PolicyRule.Check, [String]) {
        let lists = ["allow", "deny"]
        switch kind {
        case "name": return (.name(try self.allowance()), lists)
        case "namespace": return (.namespace(try self.allowance()), lists)
        case "version": return (.version(try self.allowance()), lists)
        case "license":
            let allowance = try self.allowance()
            return (
                .license(
                    Allowance(allow: allowance.allow.map(\.lowercased), deny: allowance.deny.map(\.lowercased))), lists
            )
        case "manifest":
            let paths = try self.required("a list of members such as description or repository.url")
                .map { $0.parts(at: ".").map { String($0) } }
            guard paths.allSatisfy({ $0.count <= 16 && !$0.contains("") }) else {
                throw self.refusal("required", "must be a list of members such as description or repository.url")
            }
            return (.manifest(paths), ["required"])
        case "checksum":
            let names = try self.required("a list of sha1 and sha256")
            let checksums = names.compactMap { PolicyRule.Checksum(rawValue: $0) }
            guard checksums.count == names.count else {
                throw self.refusal("required", "must be a list of sha1 and sha256")
            }
            return (.checksum(checksums), ["required"])
        case "size":
            let (file, total) = (try self.size("maxFileBytes"), try self.size("maxTotalBytes"))
            guard file != nil || total != nil else {
                throw .badRequest("\(self.place) must have maxFileBytes or maxTotalBytes.")
            }
            return (.size(maxFile: file, maxTotal: total), ["maxFileBytes", "maxTotalBytes"])
        default:
            let types = try self.required("a list of predicate types")
            guard types.count <= PolicyRules.predicateTypeLimit else {
                throw self.refusal("required", "may have at most \(PolicyRules.predicateTypeLimit) predicate types")
            }
            return (.attestation(types), ["required"])
        }
    }

    private func allowance() throws(Refusal) -> Allowance {
        let (allow, deny) = (try self.globs("allow"), try self.globs("deny"))
        guard !allow.isEmpty || !deny.isEmpty else {
            throw .badRequest("\(self.place) must have patterns in allow or in deny.")
        }
        return Allowance(allow: allow, deny: deny)
    }

    private func globs(_ name: String) throws(Refusal) -> [Glob] {
        var globs: [Glob] = []
        for text in try self.texts(name) ?? [] {
            guard let glob = Glob(text) else {
                throw self.refusal(
                    name, "must be a list of patterns of at most \(Glob.limit) bytes without control characters")
            }
            globs.append(glob)
        }
        return globs
    }

    private func required(_ rule: String) throws(Refusal) -> [String] {
        guard let texts = try self.texts("required"), !texts.isEmpty, texts.allSatisfy({ $0.trimmedOrNil != nil })
        else {
            throw self.refusal("required", "must be \(rule)")
        }
        return texts
    }

    private func size(_ name: String) throws(Refusal) -> Int? {
        guard let value = self.value(name) else { return nil }
        guard let size = value.integer ?? value.text.flatMap({ Int64($0) }), size >= 0 else {
            throw self.refusal(name, "must be a number of bytes")
        }
        return Int(size)
    }

    private func text(_ name: String) throws(Refusal) -> String? {
        guard let value = self.value(name) else { return nil }
        guard let text = value.text else { throw self.refusal(name, "must be a text") }
        return text
    }

    private func texts(_ name: String) throws(Refusal) -> [String]? {
        guard let value = self.value(name) else { return nil }
        guard let elements = value.elements, elements.count <= PolicyRules.listLimit else {
            throw self.refusal(name, "must be a list of at most \(PolicyRules.listLimit) texts")
        }
        let texts = elements.compactMap { element in
            element.text.flatMap { $0.utf8.count <= 1024 && !$0.utf8.contains(0) ? $0 : nil }
        }
        guard texts.count == elements.count else {
            throw self.refusal(name, "must be a list of texts of at most 1024 bytes")
        }
        return texts
    }

    private func value(_ name: String) -> JSON? {
        let value = self.members.last { $0.name.asciiLowercased.hasSameBytes(as: name.asciiLowercased) }?.value
        return value == .null ? nil : value
    }

    private func refusal(_ name: String, _ rule: String) -> Refusal { .badRequest("\(self.place).\(name) \(rule).") }
}

extension PolicyRule {
    /// In its written form, with what was left out.
    package var json: JSON {
        var members: [JSON.Member] = [
            .init("name", .string(self.name)), .init("check", .string(self.check.kind)),
            .init("effect", .string(self.effect.rawValue)),
            .init("actions", JSON(PolicyAction.allCases.filter(self.actions.contains).map(\.rawValue))),
        ]
        func add(_ name: String, _ globs: [Glob]) {
            if !globs.isEmpty { members.append(.init(name, JSON(globs.map(\.description)))) }
        }
        add("packageTypes", self.packageTypes)
        add("repos", self.repos)
        switch self.check {
        case .name(let allowance), .namespace(let allowance), .version(let allowance), .license(let allowance):
            add("allow", allowance.allow)
            add("deny", allowance.deny)
        case .manifest(let paths): members.append(.init("required", JSON(paths.map { $0.joined(separator: ".") })))
        case .checksum(let checksums): members.append(.init("required", JSON(checksums.map(\.rawValue))))
        case .size(let maxFile, let maxTotal):
            if let maxFile { members.append(.init("maxFileBytes", JSON(maxFile))) }
            if let maxTotal { members.append(.init("maxTotalBytes", JSON(maxTotal))) }
        case .attestation(let types): members.append(.init("required", JSON(types)))
        }
        return .object(members)
    }
}
