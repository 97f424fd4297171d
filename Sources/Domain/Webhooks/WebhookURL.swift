// Where events are sent. Rules: as for every URL that a user gives us (``UpstreamURL``).

package enum WebhookURL {
    /// Reads an absolute http or https URL without credentials or fragment.
    ///
    /// - Throws: `bad_request`.
    package static func parse(_ text: String) throws(Refusal) -> String {
        do {
            return try UpstreamURL.parse(text.trimmed)
        } catch {
            throw .badRequest("url must be an absolute http or https URL without user name, password or fragment.")
        }
    }

    /// Of a URL that was read: its host, an address of version 6 without its brackets.
    package static func host(of url: String) -> String {
        let rest = url.drop { $0 != "/" }.dropFirst(2)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" })
    }
}
