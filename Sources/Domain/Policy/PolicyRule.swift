// The rules of a policy: what each looks at, and what follows where it is not met. Written form: docs/policy.md.

package struct PolicyRule: Hashable, Sendable {
    package enum Checksum: String, CaseIterable, Sendable { case sha1, sha256 }

    /// What a version must be like.
    package enum Check: Hashable, Sendable {
        /// The package's name.
        case name(Allowance)
        /// The package's namespace; empty for none.
        case namespace(Allowance)
        /// The version's text; empty for a file by path, which has none before it is published.
        case version(Allowance)
        /// Every license that the manifest names; and it must name one where only some are allowed. In lower case.
        case license(Allowance)
        /// Members of the manifest that must be there and not empty, as paths.
        case manifest([[String]])
        /// Checksums that must be known of every file.
        case checksum([Checksum])
        /// In bytes; nil for no limit.
        case size(maxFile: Int?, maxTotal: Int?)
        /// Predicate types of which every file must have an attestation that a trusted key has signed.
        case attestation([String])

        package var kind: String {
            switch self {
            case .name: "name"
            case .namespace: "namespace"
            case .version: "version"
            case .license: "license"
            case .manifest: "manifest"
            case .checksum: "checksum"
            case .size: "size"
            case .attestation: "attestation"
            }
        }

        package static let kinds = [
            "name", "namespace", "version", "license", "manifest", "checksum", "size", "attestation",
        ]
    }

    /// Named in every refusal that it leads to.
    package let name: String
    package let check: Check
    /// What follows where the check is not met: never `allow`.
    package let effect: PolicyDecision
    /// `publish`: what enters a repository, also by promotion. `promote`: what leaves it by promotion.
    package let actions: Set<PolicyAction>
    /// Types of packages that it is for; empty for all.
    package let packageTypes: [Glob]
    /// Repositories that it is for; empty for all.
    package let repos: [Glob]

    package init(
        name: String, check: Check, effect: PolicyDecision = .deny, actions: Set<PolicyAction> = [.publish],
        packageTypes: [Glob] = [], repos: [Glob] = []
    ) {
        self.name = name
        self.check = check
        self.effect = effect
        self.actions = actions
        self.packageTypes = packageTypes
        self.repos = repos
    }

    /// Whether it is for this action, on a package of this type, in this repository.
    package func applies(to action: PolicyAction, type: String, repo: RepoKey) -> Bool {
        self.actions.contains(action)
            && (self.packageTypes.isEmpty || self.packageTypes.contains { $0.matches(type) })
            && (self.repos.isEmpty || self.repos.contains { $0.matches(repo.text) })
    }

    /// What is wrong with a candidate, for people; nil where nothing is.
    package func objection(to candidate: PolicyCandidate) -> String? {
        let package = candidate.coordinate.package
        switch self.check {
        case .name(let allowance):
            return allowance.objection(to: package.name).map { "the name '\(package.name)' \($0)" }
        case .namespace(let allowance):
            return allowance.objection(to: package.namespace ?? "").map { objection in
                package.namespace.map { "the namespace '\($0)' \(objection)" }
                    ?? "a package without namespace \(objection)"
            }
        case .version(let allowance):
            let version = candidate.coordinate.version
            let name = version.isEmpty ? "a file by path, which has no version yet," : "the version '\(version)'"
            return allowance.objection(to: version).map { "\(name) \($0)" }
        case .license(let allowance): return Self.objection(allowance, toLicensesIn: candidate.manifest)
        case .manifest(let paths):
            return paths.first { !Self.has($0, candidate.manifest) }
                .map { "the manifest has no '\($0.joined(separator: "."))'" }
        case .checksum(let checksums):
            guard checksums.contains(.sha1), let path = candidate.files.firstWithoutSHA1 else { return nil }
            return "the file '\(path)' was published without its SHA-1"
        case .size(let maxFile, let maxTotal): return Self.objection(maxFile, maxTotal, to: candidate.files)
        case .attestation(let types):
            return types.first { !candidate.attested.contains(Name($0)) }
                .map { "not every file has an attestation of type '\($0)' that a trusted key has signed" }
        }
    }

    private static func objection(_ allowance: Allowance, toLicensesIn manifest: JSON) -> String? {
        guard let texts = LicenseExpression.texts(in: manifest) else {
            return "the manifest names more licenses, or longer or deeper ones, than can be looked at"
        }
        if texts.isEmpty { return allowance.allow.isEmpty ? nil : "the manifest names no license" }
        for text in texts {
            // What cannot be read as an expression is a name.
            let expression = LicenseExpression(parsing: text) ?? .license(text)
            if let objection = expression.objection(allowance) { return "the license \(objection)" }
        }
        return nil
    }

    private static func has(_ path: [String], _ manifest: JSON) -> Bool {
        var value: JSON? = manifest
        for name in path { value = value?[name] }
        return switch value {
        case nil, .null?: false
        case .string(let text)?: text.trimmedOrNil != nil
        case .array(let elements)?: !elements.isEmpty
        case .object(let members)?: !members.isEmpty
        case .bool?, .integer?, .number?: true
        }
    }

    private static func objection(_ maxFile: Int?, _ maxTotal: Int?, to files: PolicyFiles) -> String? {
        if let maxFile, let largest = files.largest, largest.length > maxFile {
            return "the file '\(largest.path)' has \(largest.length) bytes, more than \(maxFile)"
        }
        if let maxTotal, files.totalLength > maxTotal {
            return "its files have \(files.totalLength) bytes together, more than \(maxTotal)"
        }
        return nil
    }
}
