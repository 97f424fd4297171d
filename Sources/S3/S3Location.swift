// Where a bucket is, and who we are there.

import Domain
import HTTP
import Storage

package struct S3Location: Sendable {
    package var bucket: String
    /// The prefix of every key: empty, or ending with `/`.
    package var prefix = ""
    /// `https://host:port`; nil for Amazon's own, by region.
    package var endpoint: String?
    package var region = "us-east-1"
    /// `http://host/bucket/key` instead of `http://bucket.host/key`.
    package var usesPathStyle = true
    package var credentials: S3Credentials

    package init(bucket: String, credentials: S3Credentials) {
        self.bucket = bucket
        self.credentials = credentials
    }
}

package struct S3Credentials: Sendable {
    package var accessKey: String
    package var secretKey: String
    /// Of temporary credentials.
    package var sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

/// The parts of a bucket's URLs.
struct S3Address: Sendable {
    let scheme: String
    /// As in the `Host` header: without the scheme's own port.
    let host: String
    /// Before the key: `/`, or `/bucket/`.
    let root: String

    /// - Throws: `other` for an endpoint that is none.
    init(_ location: S3Location) throws(StorageFault) {
        let text = location.endpoint ?? "https://s3.\(location.region).amazonaws.com"
        let parts = text.split(separator: "/", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0] == "http:" || parts[0] == "https:" else {
            throw .other("an S3 endpoint is http://host:port or https://host:port, not \(text)")
        }
        self.scheme = String(parts[0].dropLast())
        var host = parts[1].lowercased()
        let port = self.scheme == "http" ? ":80" : ":443"
        if host.hasSuffix(port) { host.removeLast(port.count) }
        if location.usesPathStyle {
            self.host = host
            self.root = "/\(Target.encode(component: location.bucket))/"
        } else {
            self.host = "\(location.bucket).\(host)"
            self.root = "/"
        }
    }

    /// The encoded path of an object; of the bucket where the name is empty.
    func path(_ name: String) -> String {
        if name.isEmpty, self.root.count > 1 { return String(self.root.dropLast()) }
        return self.root
            + name.split(separator: "/", omittingEmptySubsequences: false)
            .map { Target.encode(component: $0) }.joined(separator: "/")
    }
}
