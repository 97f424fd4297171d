// How connections are encrypted: certificate, key, versions, and the certificates of clients.

import Glibc
package import HTTP

extension Server {
    package struct TLS: Sendable {
        package enum Version: Sendable {
            case tls12, tls13
        }

        /// Whether clients must present a certificate.
        package enum ClientCertificates: Sendable {
            case optional, required
        }

        /// PEM, the whole chain.
        package var certificate: String
        /// PEM.
        package var key: String
        package var minimumVersion = Version.tls12
        /// PEM: the authorities that issue certificates to clients. Nil if clients have none.
        package var clientAuthorities: String?
        /// With `clientAuthorities`. A certificate that is presented must be valid either way.
        package var clientCertificates = ClientCertificates.required

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }

        /// Reads both from files.
        ///
        /// - Throws: `HTTPFault.cannotStart` with the file's name.
        package init(certificateFile: String, keyFile: String) throws(HTTPFault) {
            self.init(certificate: try Self.read(certificateFile), key: try Self.read(keyFile))
        }

        /// Reads a PEM file.
        ///
        /// - Throws: `HTTPFault.cannotStart` with the file's name.
        package static func read(_ path: String) throws(HTTPFault) -> String {
            guard let file = unsafe fopen(path, "re") else {
                throw .cannotStart(reason: "cannot read \(path): \(unsafe String(cString: strerror(errno)))")
            }
            defer { unsafe fclose(file) }
            var bytes: [UInt8] = []
            while true {
                let part = unsafe [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
                    unsafe count = fread(buffer.baseAddress, 1, buffer.count, file)
                }
                guard !part.isEmpty else { return String(decoding: bytes, as: UTF8.self) }
                bytes += part
            }
        }
    }
}
