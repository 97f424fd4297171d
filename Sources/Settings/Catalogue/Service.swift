// What the process is, and where it listens.

extension Catalogue {
    static let service: [any AnySetting] = [
        Setting.listen, Setting.publicURL, Setting.trustedProxies, Setting.allowInsecureHTTP, Setting.environment,
        Setting.data, Setting.roles, Setting.tlsCertificateFile, Setting.tlsKeyFile, Setting.tlsMinVersion,
        Setting.tlsClientCAFile, Setting.tlsClientCertificates, Setting.secretsKey,
    ]
}

extension Setting where Value == ListenAddress {
    package static var listen: Self {
        Self(
            "listen", .parsed("ADDRESS:PORT, e.g. 127.0.0.1:8080 or [::1]:8080; port 0..65535") { ListenAddress($0) },
            default: ListenAddress(host: "127.0.0.1", port: 8080),
            "Where the server listens. Port 0 picks a free one and prints it.")
    }
}

extension Setting where Value == BaseURL? {
    package static var publicURL: Self {
        Self(
            "publicUrl", Kind<BaseURL>.baseURL.orNone,
            default: .derived("from the request's `Host` (`X-Forwarded-*` only from `trustedProxies`)") { _ in nil },
            "Base of every absolute URL that is handed out.")
    }
}

extension Setting where Value == [AddressRange] {
    package static var trustedProxies: Self {
        Self(
            "trustedProxies",
            .list(of: .parsed("") { AddressRange($0) }, "IP addresses and CIDR ranges, e.g. 10.0.0.0/8,::1"),
            default: [], "Reverse proxies whose `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix` are believed.")
    }
}

extension Setting where Value == Bool {
    package static var allowInsecureHTTP: Self {
        Self(
            "allowInsecureHttp", .boolean, default: false,
            "Start on an address that other machines can reach, without TLS and without a trusted proxy.")
    }
}

extension Setting where Value == String {
    package static var environment: Self {
        Self("environment", .text(limit: 128), default: "production", "Free text, shown by `GET /`.")
    }

    package static var data: Self {
        Self("data", .path, default: "./artifortress-data", "Directory of the embedded database and blobs.")
    }
}

extension Setting where Value == [ServiceRole] {
    package static var roles: Self {
        Self(
            "roles", .list(of: .word, "api, worker, or both"), default: [.api, .worker],
            "What `serve` runs: the HTTP interface, the background worker, or both in one process.")
    }
}

extension Setting where Value == String? {
    package static var tlsCertificateFile: Self {
        Self(
            "tls.certificateFile", Kind<String>.path.orNone, default: nil,
            "PEM file with the certificate and its chain; with `tls.keyFile` the server speaks TLS. SIGHUP reads both, and "
                + "`tls.clientCaFile`, again.")
    }

    package static var tlsKeyFile: Self {
        Self("tls.keyFile", Kind<String>.path.orNone, default: nil, "PEM file with the certificate's private key.")
    }

    package static var tlsClientCAFile: Self {
        Self(
            "tls.clientCaFile", Kind<String>.path.orNone, default: nil,
            "PEM file with the authorities that issue certificates to clients. The subject of a client's certificate is "
                + "in the log and in the audit log.")
    }
}

extension Setting where Value == TLSVersion {
    package static var tlsMinVersion: Self {
        Self("tls.minVersion", .word, default: .tls12, "The oldest version of TLS that is accepted.")
    }
}

extension Setting where Value == ClientCertificates {
    package static var tlsClientCertificates: Self {
        Self(
            "tls.clientCertificates", .word, default: .required,
            "With `tls.clientCaFile`: whether every client must present a certificate. One that is presented must be "
                + "valid either way.")
    }
}

extension Setting where Value == SecretBytes? {
    package static var secretsKey: Self {
        Self(
            "secrets.key", Kind<SecretBytes>.key(32).orNone,
            default: .derived("a file `secrets.key` in `data`, made at the first start") { _ in nil },
            "Encrypts secrets at rest. All processes on one database need the same.")
    }
}
