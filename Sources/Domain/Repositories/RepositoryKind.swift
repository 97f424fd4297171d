// What a repository is. Rules: HTTP contract, 3.3; section 9, row 28.

/// Where a repository's packages come from.
package enum RepositoryKind: Hashable, Sendable {
    /// Published here.
    case local
    /// Fetched from `upstream`, an absolute http or https URL.
    case remote(upstream: String)
    /// Those of other repositories, in this order.
    case virtual(members: [RepoKey])

    package var name: String {
        switch self {
        case .local: "local"
        case .remote: "remote"
        case .virtual: "virtual"
        }
    }

    /// Of a remote one.
    package var upstream: String? { if case .remote(let url) = self { url } else { nil } }

    /// Of a virtual one; none of the others.
    package var members: [RepoKey] { if case .virtual(let keys) = self { keys } else { [] } }
}

/// What an administrator may set on a repository.
package struct RepositorySettings: Hashable, Sendable {
    /// How a download of bytes is answered.
    package enum Download: String, CaseIterable, Sendable { case stream, redirect }

    /// A generic path may be published again; the old revision stays in the history.
    package var overwrite = false
    /// A second name that Unicode normalization (NFC) makes equal to one that exists may be published too.
    package var allowConfusableNames = false
    /// Everyone may read, without a token.
    package var anonymousRead = false
    package var download = Download.stream
    /// What publishing through a native format needs: `write`, or `promote` too.
    package var publishRole = Role.write
    /// Days that a tombstoned version is kept; nil for the server's default.
    package var tombstoneRetentionDays: Int?
    /// Of a virtual repository: the local member that takes what is published through it; nil if nothing is.
    package var deployTo: RepoKey?
    /// Of a virtual repository: reading it is enough to read its members through it.
    package var membersReadable = false

    package init() {}

    /// Reads the `settings` object of a request: names in any letter case, numbers also as text (HTTP contract, 1.2).
    ///
    /// - Throws: `bad_request` for an unknown key or a value of the wrong kind.
    package init(parsing document: JSON) throws(Refusal) {
        guard let members = document.members else { throw .badRequest("settings must be an object.") }
        for member in members {
            switch member.name.asciiLowercased {
            case "overwrite": self.overwrite = try member.bool()
            case "allowconfusablenames": self.allowConfusableNames = try member.bool()
            case "anonymousread": self.anonymousRead = try member.bool()
            case "download":
                guard let value = member.value.text.flatMap(Download.init(rawValue:)) else {
                    throw .badRequest("settings.download must be 'stream' or 'redirect'.")
                }
                self.download = value
            case "publishrole":
                guard let value = member.value.text.flatMap(Role.init(rawValue:)), [.write, .promote].contains(value)
                else { throw .badRequest("settings.publishRole must be 'write' or 'promote'.") }
                self.publishRole = value
            case "tombstoneretentiondays":
                if member.value == .null { continue }
                let days = member.value.integer ?? member.value.text.flatMap { Int64($0.trimmed) }
                guard let days, (1...3650).contains(days) else {
                    throw .badRequest("settings.tombstoneRetentionDays must be 1 to 3650.")
                }
                self.tombstoneRetentionDays = Int(days)
            case "deployto":
                if member.value == .null { continue }
                guard let text = member.value.text else {
                    throw .badRequest("settings.deployTo must be the key of a local member.")
                }
                self.deployTo = try RepoKey(parsing: text)
            case "membersreadable": self.membersReadable = try member.bool()
            default:
                throw .badRequest(
                    "settings.\(member.name) is unknown. Allowed: overwrite, allowConfusableNames, anonymousRead, "
                        + "download, publishRole, tombstoneRetentionDays; and of a virtual repository deployTo, "
                        + "membersReadable.")
            }
        }
    }

    /// Settings of virtual repositories are left out unless they are set.
    package var json: JSON {
        var members: [JSON.Member] = [
            .init("overwrite", .bool(self.overwrite)), .init("allowConfusableNames", .bool(self.allowConfusableNames)),
            .init("anonymousRead", .bool(self.anonymousRead)), .init("download", .string(self.download.rawValue)),
            .init("publishRole", .string(self.publishRole.rawValue)),
            .init("tombstoneRetentionDays", JSON(self.tombstoneRetentionDays)),
        ]
        if let deployTo = self.deployTo { members.append(.init("deployTo", .string(deployTo.text))) }
        if self.membersReadable { members.append(.init("membersReadable", true)) }
        return .object(members)
    }

    /// - Throws: `bad_request` for a setting that a repository of this kind does not have.
    package func check(for kind: RepositoryKind) throws(Refusal) {
        if case .virtual = kind { return }
        guard self.deployTo == nil, !self.membersReadable else {
            let name = self.deployTo == nil ? "membersReadable" : "deployTo"
            throw .badRequest("settings.\(name) is for virtual repositories only; this one is \(kind.name).")
        }
    }
}

extension JSON.Member {
    fileprivate func bool() throws(Refusal) -> Bool {
        guard case .bool(let value) = self.value else {
            throw .badRequest("settings.\(self.name) must be true or false.")
        }
        return value
    }
}
