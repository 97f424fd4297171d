// Files of certificates in PEM (RFC 7468): whether a file is one, before a connection depends on it.

import COpenSSL
import Domain
import Glibc

package enum CertificateFile {
    package struct Unusable: Fault, Hashable {
        package let description: String
    }

    /// - Returns: how many certificates the file has, at least one.
    /// - Throws: `Unusable`, without the file's name.
    @discardableResult
    package static func check(_ path: String) throws(Unusable) -> Int {
        guard let file = unsafe fopen(path, "re") else {
            throw Unusable(description: "the file cannot be read: \(unsafe String(cString: strerror(errno)))")
        }
        unsafe fclose(file)
        guard let input = unsafe BIO_new_file(path, "r") else {
            throw Unusable(description: "the file cannot be read")
        }
        defer { unsafe BIO_free(input) }
        var count = 0
        while let certificate = unsafe PEM_read_bio_X509(input, nil, nil, nil) {
            unsafe X509_free(certificate)
            count += 1
        }
        // The end of the file is an error of its own kind.
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard Int32(code & 0x7F_FFFF) == PEM_R_NO_START_LINE else {
            throw Unusable(description: "certificate \(count + 1) in the file is damaged")
        }
        guard count > 0 else { throw Unusable(description: "the file has no certificate in PEM form") }
        return count
    }
}
