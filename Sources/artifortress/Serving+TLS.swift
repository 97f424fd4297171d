// The settings of encryption as the server takes them.

import Domain
import HTTP
import HTTPServer
import Settings
import Telemetry

extension Server.TLS {
    /// Reads the files that the settings name; nil if connections are not encrypted.
    ///
    /// - Throws: `HTTPFault.cannotStart` with the file's name.
    init?(_ configuration: Settings.Configuration) throws {
        guard let certificate = configuration[.tlsCertificateFile], let key = configuration[.tlsKeyFile] else {
            return nil
        }
        try self.init(certificateFile: certificate, keyFile: key)
        self.minimumVersion = configuration[.tlsMinVersion] == .tls13 ? .tls13 : .tls12
        self.clientAuthorities = try configuration[.tlsClientCAFile].map { (path) in try Self.read(path) }
        self.clientCertificates = configuration[.tlsClientCertificates] == .required ? .required : .optional
    }
}

extension Server {
    /// Reads certificate and key again.
    func reload(_ configuration: Settings.Configuration, _ log: Log) {
        do {
            guard let tls = try TLS(configuration) else { return log.info("SIGHUP: there is nothing to reload") }
            try self.reload(tls)
            log.info("the TLS certificate was reloaded", ["file": .string(configuration[.tlsCertificateFile] ?? "")])
        } catch {
            log.error("the TLS certificate was not reloaded, the previous one stays in use", because: error)
        }
    }
}
