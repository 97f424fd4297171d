// OpenSSL's libcrypto and libssl, with functions for what libssl offers as macros only.

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static inline int openssl_set_minimum_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}

/// Sets what every server context has in common: a write may take a part and be repeated from another address, an idle
/// connection holds no buffers, no renegotiation, and the kernel encrypts if it can.
static inline void openssl_set_server_options(SSL_CTX *context) {
    SSL_CTX_set_mode(
        context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_ENABLE_KTLS);
}

static inline long openssl_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate);
}

static inline long openssl_ticket_key_length(SSL_CTX *context) { return SSL_CTX_get_tlsext_ticket_keys(context, NULL, 0); }

static inline long openssl_get_ticket_keys(SSL_CTX *context, void *keys, int length) {
    return SSL_CTX_get_tlsext_ticket_keys(context, keys, length);
}

static inline long openssl_set_ticket_keys(SSL_CTX *context, void *keys, int length) {
    return SSL_CTX_set_tlsext_ticket_keys(context, keys, length);
}

/// Whether the kernel encrypts what is sent, so that SSL_sendfile can be used.
static inline int openssl_kernel_sends(SSL *session) { return BIO_get_ktls_send(SSL_get_wbio(session)); }

static inline long openssl_memory_contents(BIO *memory, char **contents) { return BIO_get_mem_data(memory, contents); }

/// How names are written: as RFC 4514 (formerly RFC 2253) says.
static const unsigned long openssl_rfc2253 = XN_FLAG_RFC2253;
