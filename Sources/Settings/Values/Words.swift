// Settings whose value is one of a few words.

/// What a process does.
package enum ServiceRole: String, CaseIterable, Sendable { case api, worker }

/// A version of TLS, in OpenSSL's words.
package enum TLSVersion: String, CaseIterable, Sendable {
    case tls12 = "TLSv1.2"
    case tls13 = "TLSv1.3"
}

/// Whether clients must present a certificate.
package enum ClientCertificates: String, CaseIterable, Sendable { case required, optional }

package enum LogLevel: String, CaseIterable, Sendable { case debug, info, warning, error }

package enum LogFormat: String, CaseIterable, Sendable { case text, json }

/// What stands between us and PostgreSQL.
package enum DatabasePooling: String, CaseIterable, Sendable {
    case direct
    /// A pooler that lends a server connection for one transaction (pgbouncer): nothing may outlive the transaction.
    case bouncer
}
