// `artifortress tenant create|list|disable|enable`. Rules: HTTP contract, section 9, rows 22 and 35.

import Commands
import Domain
import HTTP

enum TenantVerbs {
    static let command = Command(
        name: "tenant", summary: "Make, list and disable tenants.", verbs: [create, list, disable, enable])

    private static let create = Command(
        name: "create", summary: "Make a tenant, and print its administrator's first token.",
        details: "The token is shown this once. With a server on the data directory it is asked to do it.",
        flags: [
            Flag("name", "TEXT", "The tenant's name for people; its slug where none is given."),
            Flag("subject", "SUBJECT", "The administrator; 'admin' where none is given."),
            Flag("ttl-minutes", "MINUTES", "Life of the token; auth.pat.maxTtlMinutes where none is given."), .output,
        ] + SettingsFlags.all, arguments: [Argument("SLUG", "a-z, 0-9 and '-', at most 63.")]
    ) { invocation in
        var members = [JSON.Member("slug", .string(invocation.arguments[0]))]
        if let name = invocation["name"] { members.append(JSON.Member("name", .string(name))) }
        if let subject = invocation["subject"] { members.append(JSON.Member("subject", .string(subject))) }
        if let minutes = try invocation.integer("ttl-minutes", in: 5...525_600) {
            members.append(JSON.Member("ttlMinutes", JSON(minutes)))
        }
        let made = try await LocalChannel.send(
            "POST", "tenants", .object(members), to: SettingsFlags.read(invocation))
        if !invocation.wantsJSON {
            invocation.console.complain(
                "tenant '\(made.shown("slug"))' is made; its administrator's token, until "
                    + "\((made["token"] ?? .null).shown("expiresAtUtc")):")
        }
        invocation.answer(made) { [($0["token"] ?? .null).shown("token")] }
    }

    private static let list = Command(
        name: "list", summary: "List the tenants: slug, id, state, name.", flags: [.output] + SettingsFlags.all
    ) { invocation in
        let tenants = try await LocalChannel.send("GET", "tenants", to: SettingsFlags.read(invocation))
        invocation.answer(tenants) { document in
            (document.elements ?? []).map { tenant in
                let state = tenant["disabledAtUtc"] == .null ? "active" : "disabled"
                return [tenant.shown("slug"), tenant.shown("tenantId"), state, tenant.shown("name")]
                    .joined(separator: "\t")
            }
        }
    }

    private static let disable = Self.toggle(
        "disable", "Make every token of a tenant worthless, until it is enabled again.")
    private static let enable = Self.toggle("enable", "Enable a tenant again.")

    private static func toggle(_ verb: String, _ summary: String) -> Command {
        Command(
            name: verb, summary: summary, flags: [.output] + SettingsFlags.all,
            arguments: [Argument("SLUG", "The tenant's.")]
        ) { invocation in
            let slug = Target.encode(component: invocation.arguments[0])
            let tenant = try await LocalChannel.send(
                "POST", "tenants/\(slug)/\(verb)", to: SettingsFlags.read(invocation))
            invocation.answer(tenant) { ["tenant '\($0.shown("slug"))' is \(verb)d"] }
        }
    }
}
