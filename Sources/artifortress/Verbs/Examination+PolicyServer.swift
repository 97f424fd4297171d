// Whether the policy server can be reached: while it cannot, nothing is published.

import Domain
import HTTPClient
import Settings

extension Examination {
    /// It is asked nothing, so that whatever it answers is well.
    static func policyServer(_ configuration: Configuration) async -> [Finding] {
        guard let url = configuration[.policyHTTPURL] else { return [] }
        var request = ClientRequest("GET", url.description)
        request.timeout = .seconds(5)
        do {
            let status = try await HTTPClient(trusting: .policyHTTPCAFile, in: configuration).send(request).status
            return [Finding("policy server", .well, "\(url) answers (\(status) to a GET)")]
        } catch {
            return [
                Finding(
                    "policy server", .wrong, "policy.http.url = \(url): \(FaultText.of(error))",
                    remedy: "start it, or take policy.http.url out of the settings: until then nothing is published")
            ]
        }
    }
}
