// Encryption: TLS 1.2 and 1.3 by GnuTLS, inside the daemon.

import Glibc
package import HTTP

extension Server {
    package struct TLS: Sendable {
        /// PEM, the whole chain.
        package var certificate: String
        /// PEM.
        package var key: String
        /// GnuTLS's priority string.
        package var priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

        package init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, key) }

        /// Reads both from files.
        ///
        /// - Throws: `HTTPFault.cannotStart` with the file's name.
        package init(certificateFile: String, keyFile: String) throws(HTTPFault) {
            self.init(certificate: try Self.read(certificateFile), key: try Self.read(keyFile))
        }

        private static func read(_ path: String) throws(HTTPFault) -> String {
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
