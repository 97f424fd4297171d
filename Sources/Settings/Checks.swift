// What settings ask of each other. Rules: HTTP contract, section 5 and 9, row 34.

extension Configuration {
    func check() throws(SettingsFault) {
        try self.checkListening()
        try self.checkStorage()
        if self[.policyHTTPURL] != nil, self[.policyHTTPSecret] == nil {
            throw self.missing(.policyHTTPSecret, becauseOf: .policyHTTPURL)
        }
        try self.checkStaleness(.oidcMaxStalenessSeconds, isAtLeast: .oidcRefreshIntervalSeconds)
        try self.checkStaleness(.samlMaxStalenessSeconds, isAtLeast: .samlRefreshIntervalSeconds)
    }

    private func checkListening() throws(SettingsFault) {
        let (certificate, key) = (self[.tlsCertificateFile], self[.tlsKeyFile])
        if certificate != nil, key == nil { throw self.missing(.tlsKeyFile, becauseOf: .tlsCertificateFile) }
        if key != nil, certificate == nil { throw self.missing(.tlsCertificateFile, becauseOf: .tlsKeyFile) }
        if self[.tlsClientCAFile] != nil, certificate == nil {
            throw self.missing(.tlsCertificateFile, becauseOf: .tlsClientCAFile)
        }
        if !self[.listen].isLoopback, certificate == nil, self[.trustedProxies].isEmpty, !self[.allowInsecureHTTP] {
            throw SettingsFault(
                "listen", self.source(of: .listen),
                "\(self[.listen]) can be reached from other machines and would be without TLS; allowed: a loopback "
                    + "address, or with tls.certificateFile and tls.keyFile, or with trustedProxies, or with "
                    + "allowInsecureHttp true")
        }
    }

    private func checkStorage() throws(SettingsFault) {
        guard case .s3 = self[.storageURL] else { return }
        if self[.s3AccessKey] == nil { throw self.missing(.s3AccessKey, becauseOf: .storageURL) }
        if self[.s3SecretKey] == nil { throw self.missing(.s3SecretKey, becauseOf: .storageURL) }
    }

    private func checkStaleness(
        _ staleness: Setting<Int>, isAtLeast interval: Setting<Int>
    ) throws(SettingsFault) {
        guard self[staleness] < self[interval] else { return }
        throw SettingsFault(
            staleness.name, self.source(of: staleness),
            "\(self[staleness]); allowed: \(interval.name)..604800, here \(self[interval])..604800")
    }

    private func missing<Value, Cause>(
        _ setting: Setting<Value>, becauseOf cause: Setting<Cause>
    ) -> SettingsFault {
        SettingsFault(
            setting.name, self.source(of: setting),
            "is required with \(cause.name) (\(self.source(of: cause))); allowed: \(setting.allowed)")
    }
}
