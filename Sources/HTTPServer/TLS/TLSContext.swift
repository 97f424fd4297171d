// TLS 1.2 and 1.3 by OpenSSL, with the system's defaults for ciphers, groups and signatures.

import COpenSSL
import Glibc
import HTTP
import Synchronization

/// Certificate, key and settings: what sessions are made from. Freed with its last session.
@safe final class TLSContext: @unchecked Sendable {
    fileprivate let context: OpaquePointer
    /// Whom clients' certificates are issued by.
    fileprivate let authorities: String?

    /// - Throws: `HTTPFault.cannotStart` with OpenSSL's reason.
    init(_ tls: Server.TLS) throws(HTTPFault) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw .cannotStart(reason: Self.reason("cannot create a TLS context"))
        }
        unsafe self.context = context
        self.authorities = tls.clientAuthorities
        unsafe openssl_set_server_options(context)
        let version = tls.minimumVersion == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        guard unsafe openssl_set_minimum_version(context, version) == 1 else {
            throw .cannotStart(reason: Self.reason("cannot set the minimum TLS version"))
        }
        unsafe SSL_CTX_set_alpn_select_cb(
            context,
            { _, selected, selectedLength, offered, offeredLength, _ in
                unsafe TLSContext.selectProtocol(selected, selectedLength, offered, offeredLength)
            }, nil)
        // Sessions are resumed by tickets, which OpenSSL encrypts with a key of the context.
        let name: StaticString = "artifortress"
        unsafe SSL_CTX_set_session_id_context(context, name.utf8Start, UInt32(name.utf8CodeUnitCount))
        try unsafe Self.setCertificate(tls.certificate, context)
        try unsafe Self.setKey(tls.key, context)
        if let authorities = tls.clientAuthorities {
            try unsafe Self.setAuthorities(authorities, context)
            let mustPresent = tls.clientCertificates == .required
            unsafe SSL_CTX_set_verify(
                context, SSL_VERIFY_PEER | (mustPresent ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nil)
        }
    }

    deinit { unsafe SSL_CTX_free(self.context) }

    /// Lets clients resume the sessions of another context. (Not if clients' certificates are issued by others now: a
    /// resumed session is not verified again.)
    func takeTicketKeys(of other: TLSContext) {
        guard self.authorities == other.authorities else { return }
        let length = unsafe openssl_ticket_key_length(other.context)
        guard length > 0 else { return }
        var keys = [UInt8](repeating: 0, count: length)
        guard unsafe openssl_get_ticket_keys(other.context, &keys, Int32(length)) == 1 else { return }
        _ = unsafe openssl_set_ticket_keys(self.context, &keys, Int32(length))
        unsafe keys.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
    }

    // MARK: Certificates

    private static func setCertificate(_ pem: String, _ context: OpaquePointer) throws(HTTPFault) {
        let chain = Self.certificates(pem)
        guard let first = chain.first else {
            throw .cannotStart(reason: Self.reason("the certificate file holds no PEM certificate"))
        }
        guard unsafe SSL_CTX_use_certificate(context, first.handle) == 1 else {
            throw .cannotStart(reason: Self.reason("the certificate cannot be used"))
        }
        for certificate in chain.dropFirst()
        where unsafe openssl_add_chain_certificate(context, certificate.handle) != 1 {
            throw .cannotStart(reason: Self.reason("a certificate of the chain cannot be used"))
        }
    }

    private static func setKey(_ pem: String, _ context: OpaquePointer) throws(HTTPFault) {
        let key = unsafe Self.withMemory(pem) { memory in
            // Without this, OpenSSL would ask for a password on the terminal.
            unsafe PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in 0 }, nil)
        }
        guard let key = unsafe key else {
            throw .cannotStart(reason: Self.reason("the key file holds no PEM private key without a password"))
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe SSL_CTX_use_PrivateKey(context, key) == 1, unsafe SSL_CTX_check_private_key(context) == 1 else {
            throw .cannotStart(reason: Self.reason("the key does not belong to the certificate"))
        }
    }

    private static func setAuthorities(_ pem: String, _ context: OpaquePointer) throws(HTTPFault) {
        let authorities = Self.certificates(pem)
        guard !authorities.isEmpty, let store = unsafe SSL_CTX_get_cert_store(context) else {
            throw .cannotStart(reason: Self.reason("the file of client authorities holds no PEM certificate"))
        }
        for authority in authorities {
            guard unsafe X509_STORE_add_cert(store, authority.handle) == 1,
                unsafe SSL_CTX_add_client_CA(context, authority.handle) == 1
            else { throw .cannotStart(reason: Self.reason("a client authority cannot be used")) }
        }
    }

    private static func certificates(_ pem: String) -> [Certificate] {
        let found = unsafe Self.withMemory(pem) { memory in
            var certificates: [Certificate] = []
            while let handle = unsafe PEM_read_bio_X509(memory, nil, nil, nil) {
                unsafe certificates.append(Certificate(handle))
            }
            return certificates
        }
        if found?.isEmpty == false { ERR_clear_error() }  // the end of the text is reported as an error
        return found ?? []
    }

    private static func withMemory<Value>(_ text: String, _ body: (OpaquePointer) -> Value?) -> Value? {
        var text = text
        return text.withUTF8 { bytes in
            guard let memory = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { unsafe BIO_free(memory) }
            return unsafe body(memory)
        }
    }

    private static func reason(_ what: String) -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return what }
        return unsafe "\(what): \(String(cString: text))"
    }

    // MARK: ALPN

    /// `http/1.1` if the client offers protocols; a client that offers others only is refused.
    private static func selectProtocol(
        _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ selectedLength: UnsafeMutablePointer<UInt8>?,
        _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32
    ) -> Int32 {
        let name: StaticString = "http/1.1"
        guard let offered = unsafe offered else { return SSL_TLSEXT_ERR_NOACK }
        var at = 0
        let end = Int(offeredLength)
        while at < end {
            let length = Int(unsafe offered[at])
            guard at + 1 + length <= end else { break }
            if length == name.utf8CodeUnitCount, unsafe memcmp(offered + at + 1, name.utf8Start, length) == 0 {
                unsafe selected?.pointee = offered + at + 1
                unsafe selectedLength?.pointee = UInt8(length)
                return SSL_TLSEXT_ERR_OK
            }
            at += 1 + length
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}

/// A certificate in memory.
@safe private final class Certificate {
    let handle: OpaquePointer

    /// Takes the handle over.
    init(_ handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe X509_free(self.handle) }
}

/// The context for new connections; can be replaced at any time.
final class TLSSource: Sendable {
    private let current = Mutex<TLSContext?>(nil)

    /// Uses these from now on. Connections that exist keep theirs; after an error everything stays as it is.
    ///
    /// - Throws: `HTTPFault.cannotStart`.
    func load(_ tls: Server.TLS) throws(HTTPFault) {
        let next = try TLSContext(tls)
        self.current.withLock { current in
            if let current { next.takeTicketKeys(of: current) }
            current = next
        }
    }

    func session(on socket: Int32) -> TLSSession? {
        self.current.withLock { $0.flatMap { TLSSession($0, socket: socket) } }
    }
}

/// The TLS state of one connection.
@safe struct TLSSession: ~Copyable {
    enum Outcome {
        case moved(Int)
        case wantsRead
        case wantsWrite
        /// The client has closed its side properly.
        case ended
        case failed
    }

    private let session: OpaquePointer

    init?(_ context: TLSContext, socket: Int32) {
        guard let session = unsafe SSL_new(context.context) else { return nil }
        unsafe self.session = session
        unsafe SSL_set_fd(session, socket)
        unsafe SSL_set_accept_state(session)
        // A record arrives with one call, not with one for its header and one for its content.
        unsafe SSL_set_read_ahead(session, 1)
    }

    deinit { unsafe SSL_free(self.session) }

    /// Whether the kernel encrypts what is sent, so that files can be sent without being read.
    var kernelSends: Bool { unsafe openssl_kernel_sends(self.session) != 0 }

    func handshake() -> Outcome {
        ERR_clear_error()
        return self.outcome(unsafe SSL_do_handshake(self.session))
    }

    func read(_ buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        ERR_clear_error()
        return unsafe self.outcome(SSL_read(self.session, buffer.baseAddress, Int32(clamping: buffer.count)))
    }

    func write(_ buffer: UnsafeRawBufferPointer) -> Outcome {
        ERR_clear_error()
        return unsafe self.outcome(SSL_write(self.session, buffer.baseAddress, Int32(clamping: buffer.count)))
    }

    /// Sends a part of a file; only if the kernel encrypts.
    func send(_ descriptor: Int32, from offset: Int, _ count: Int) -> Outcome {
        ERR_clear_error()
        let sent = unsafe SSL_sendfile(self.session, descriptor, off_t(offset), count, 0)
        if sent > 0 { return .moved(sent) }
        return sent == 0 ? .failed : self.outcome(-1)
    }

    /// Sends the closing alert, and does not wait for the client's.
    func sendClose() {
        ERR_clear_error()
        _ = unsafe SSL_shutdown(self.session)
        ERR_clear_error()
    }

    /// The subject of the client's certificate as RFC 4514 writes it, control characters escaped; nil without a valid one.
    var clientSubject: String? {
        guard unsafe SSL_get_verify_result(self.session) == X509_V_OK,
            let certificate = unsafe SSL_get0_peer_certificate(self.session),
            let name = unsafe X509_get_subject_name(certificate), let memory = unsafe BIO_new(BIO_s_mem())
        else { return nil }
        defer { unsafe BIO_free(memory) }
        guard unsafe X509_NAME_print_ex(memory, name, 0, openssl_rfc2253) >= 0 else { return nil }
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe openssl_memory_contents(memory, &start)
        return unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    private func outcome(_ result: Int32) -> Outcome {
        if result > 0 { return .moved(Int(result)) }
        switch unsafe SSL_get_error(self.session, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: return .failed
        }
    }
}
