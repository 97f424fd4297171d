// `artifortress token issue|revoke|list`, `artifortress token bootstrap rotate|disable`. Rules: HTTP contract, 2.4 and
// section 9, rows 34 and 35.

import Commands
import Domain
import Glibc
import HTTP
import Settings

enum TokenVerbs {
    static let command = Command(
        name: "token", summary: "Issue, list and revoke access tokens; replace the bootstrap token.",
        verbs: [issue, list, revoke, bootstrap])

    private static let tenant = Flag("tenant", "SLUG", "The tenant; 'default' where none is given.")

    private static func path(_ invocation: Invocation) -> String {
        "tenants/\(Target.encode(component: invocation["tenant"] ?? TenantSlug.standard.text))/tokens"
    }

    private static let issue = Command(
        name: "issue", summary: "Issue a token, and print it: it is shown this once.",
        flags: [
            Flag("subject", "SUBJECT", "Whose token it is."),
            Flag("scope", "SCOPE", "repo:KEY:ROLE; may be given again. Without any: the subject's bindings."),
            Flag("ttl-minutes", "MINUTES", "Its life; auth.pat.maxTtlMinutes where none is given."), tenant, .output,
        ] + SettingsFlags.all
    ) { invocation in
        var members = [
            JSON.Member("subject", .string(try invocation.required("subject"))),
            JSON.Member("scopes", JSON(invocation.flags.filter { $0.name == "scope" }.map(\.value))),
        ]
        if let minutes = try invocation.integer("ttl-minutes", in: 5...525_600) {
            members.append(JSON.Member("ttlMinutes", JSON(minutes)))
        }
        let issued = try await LocalChannel.send(
            "POST", Self.path(invocation), .object(members), to: SettingsFlags.read(invocation))
        invocation.answer(issued) { [$0.shown("token")] }
    }

    private static let list = Command(
        name: "list", summary: "List a tenant's tokens: id, subject, state, expiry, scopes.",
        flags: [tenant, .output] + SettingsFlags.all
    ) { invocation in
        let tokens = try await LocalChannel.send("GET", Self.path(invocation), to: SettingsFlags.read(invocation))
        invocation.answer(tokens) { document in
            (document.elements ?? []).map { token in
                let state = token["revokedAtUtc"] == .null ? "unrevoked" : "revoked"
                return [
                    token.shown("tokenId"), token.shown("subject"), state, token.shown("expiresAtUtc"),
                    token.shown("scopes"),
                ].joined(separator: "\t")
            }
        }
    }

    private static let revoke = Command(
        name: "revoke", summary: "Revoke a token.", flags: [tenant, .output] + SettingsFlags.all,
        arguments: [Argument("TOKEN-ID", "As 'token list' shows it.")]
    ) { invocation in
        let id = Target.encode(component: invocation.arguments[0])
        let revoked = try await LocalChannel.send(
            "POST", "\(Self.path(invocation))/\(id)/revoke", to: SettingsFlags.read(invocation))
        invocation.answer(revoked) { ["token \($0.shown("tokenId")) is revoked"] }
    }

    private static let bootstrap = Command(
        name: "bootstrap", summary: "Replace the bootstrap token, or switch it off.",
        verbs: [
            Command(
                name: "rotate", summary: "Make a new bootstrap token in the place of the old one, and print it.",
                flags: [.output] + SettingsFlags.all
            ) { invocation in
                let configuration = try SettingsFlags.read(invocation)
                let rotated = try await LocalChannel.send("POST", "bootstrap/rotate", to: configuration)
                try Self.forgetFile(in: configuration)
                invocation.answer(rotated) { [$0.shown("token")] }
            },
            Command(
                name: "disable", summary: "Switch the bootstrap token off; 'rotate' makes another.",
                flags: [.output] + SettingsFlags.all
            ) { invocation in
                let configuration = try SettingsFlags.read(invocation)
                let disabled = try await LocalChannel.send("POST", "bootstrap/disable", to: configuration)
                try Self.forgetFile(in: configuration)
                invocation.answer(disabled) { _ in ["the bootstrap token is off"] }
            },
        ])

    /// The file that the first start wrote has a token that is worth nothing now.
    private static func forgetFile(in configuration: Configuration) throws {
        let path = "\(configuration[.data])/bootstrap-token"
        guard unsafe unlink(path) != 0, errno != ENOENT else { return }
        throw Deployment.Failure(description: "cannot remove \(path): \(unsafe String(cString: strerror(errno)))")
    }
}
