// The files of private certificate authorities that the settings name.

import Cryptography
import Domain
import HTTPClient
import Settings

enum AuthorityFiles {
    /// Reads each file, so that a start with a wrong one fails with its reason.
    static func check(_ configuration: Configuration) throws {
        for setting in [Setting.s3CAFile, Setting.policyHTTPCAFile] {
            if let problem = self.problem(setting, in: configuration) { throw Deployment.Failure(description: problem) }
        }
    }

    /// What is wrong with the file of a setting; nil if there is none, or nothing is wrong.
    static func problem(_ setting: Setting<String?>, in configuration: Configuration) -> String? {
        guard let path = configuration[setting] else { return nil }
        do {
            try CertificateFile.check(path)
            return nil
        } catch {
            return
                "\(setting.name) = \(path) (\(configuration.source(of: setting))): \(error.description); allowed: a PEM "
                + "file with the certificates of the authorities to trust"
        }
    }
}

extension HTTPClient {
    /// A client that trusts the authorities of the setting's file, or the system's without one.
    convenience init(trusting setting: Setting<String?>, in configuration: Settings.Configuration) {
        var client = HTTPClient.Configuration()
        client.certificateAuthorities = configuration[setting]
        self.init(client)
    }
}
