// AWS Signature Version 4, as headers and as a query. Rules: "Authenticating Requests (AWS Signature Version 4)" of
// Amazon S3's API reference.

import Cryptography
import Domain
import HTTP

/// What is signed: a request as it will be sent.
struct SignableRequest {
    var method: String
    var host: String
    /// Percent-encoded once; it is not made simpler.
    var path: String
    /// Not encoded.
    var query: [(name: String, value: String)] = []
    /// All of these are signed, and `host`.
    var headers: [(name: String, value: String)] = []

    /// Encoded, in the order in which it is signed: so it is sent, too.
    var canonicalQuery: String {
        self.query.map { (Target.encode(component: $0.name), Target.encode(component: $0.value)) }
            .sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "&")
    }
}

struct Signer: Sendable {
    private static let algorithm = "AWS4-HMAC-SHA256"
    static let unsignedPayload = "UNSIGNED-PAYLOAD"

    let credentials: S3Credentials
    let region: String
    var service = "s3"

    /// The headers that a signed request has besides its own.
    ///
    /// - Parameter payload: the SHA-256 of the body, in hexadecimal digits, or `UNSIGNED-PAYLOAD`.
    func headers(
        for request: SignableRequest, payload: String, at time: Timestamp
    ) -> [(name: String, value: String)] {
        var added = [("x-amz-content-sha256", payload), ("x-amz-date", time.basicForm)]
        if let token = self.credentials.sessionToken { added.append(("x-amz-security-token", token)) }
        var signed = request
        for (name, value) in added { signed.headers.append((name, value)) }
        let authorization = self.authorization(for: signed, payload: payload, at: time)
        return added.map { (name: $0.0, value: $0.1) } + [(name: "Authorization", value: authorization)]
    }

    /// The value of `Authorization`, for a request that has its date.
    func authorization(for request: SignableRequest, payload: String, at time: Timestamp) -> String {
        let (names, signature) = self.signature(of: request, payload: payload, at: time)
        return "\(Self.algorithm) Credential=\(self.credentials.accessKey)/\(self.scope(time)),"
            + "SignedHeaders=\(names),Signature=\(signature)"
    }

    /// The query of a URL that can be used by anyone who has it, for this many seconds.
    func presignedQuery(for request: SignableRequest, validFor seconds: Int, at time: Timestamp) -> String {
        var request = request
        request.query += [
            ("X-Amz-Algorithm", Self.algorithm),
            ("X-Amz-Credential", "\(self.credentials.accessKey)/\(self.scope(time))"),
            ("X-Amz-Date", time.basicForm), ("X-Amz-Expires", String(seconds)),
            (
                "X-Amz-SignedHeaders",
                (["host"] + request.headers.map { $0.name.lowercased() }.sorted()).joined(separator: ";")
            ),
        ]
        if let token = self.credentials.sessionToken { request.query.append(("X-Amz-Security-Token", token)) }
        let signature = self.signature(of: request, payload: Self.unsignedPayload, at: time).signature
        return "\(request.canonicalQuery)&X-Amz-Signature=\(signature)"
    }

    private func scope(_ time: Timestamp) -> String {
        "\(time.basicForm.prefix(8))/\(self.region)/\(self.service)/aws4_request"
    }

    private func signature(
        of request: SignableRequest, payload: String, at time: Timestamp
    ) -> (names: String, signature: String) {
        let headers = (request.headers + [(name: "host", value: request.host)])
            .map {
                (name: $0.name.lowercased(), value: $0.value.parts(at: " ", keepsEmpty: false).joined(separator: " "))
            }
            .sorted { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let canonical = [
            request.method, request.path, request.canonicalQuery,
            headers.map { "\($0.name):\($0.value)\n" }.joined(), names, payload,
        ].joined(separator: "\n")
        let text = [
            Self.algorithm, time.basicForm, self.scope(time), SHA256.digest(of: canonical).hex,
        ].joined(separator: "\n")
        var key = Array("AWS4\(self.credentials.secretKey)".utf8)
        for part in [String(time.basicForm.prefix(8)), self.region, self.service, "aws4_request"] {
            key = HMAC.sha256(part, key: key)
        }
        return (names, Hexadecimal.text(of: HMAC.sha256(text, key: key)))
    }
}
