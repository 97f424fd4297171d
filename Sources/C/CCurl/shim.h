// libcurl for Swift: its varargs functions with fixed signatures, and values of its macros that Swift does not import.

#include <curl/curl.h>
#include <netdb.h>
#include <sys/socket.h>

static inline CURLcode client_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode client_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

/// libcurl copies the text.
static inline CURLcode client_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

/// libcurl does not copy what the pointer points to.
static inline CURLcode client_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

typedef size_t (*client_transfer)(char *bytes, size_t size, size_t count, void *context);
typedef int (*client_seek)(void *context, curl_off_t offset, int origin);
typedef curl_socket_t (*client_open)(void *context, curlsocktype purpose, struct curl_sockaddr *address);

struct client_callbacks {
    client_transfer header, receive, send;
    client_seek seek;
    client_open open;
};

static inline void client_set_callbacks(CURL *easy, const struct client_callbacks *callbacks, void *context) {
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, callbacks->header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, context);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, callbacks->receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, callbacks->send);
    curl_easy_setopt(easy, CURLOPT_READDATA, context);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, callbacks->seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, context);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callbacks->open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, context);
}

static inline CURLMcode client_set_multi(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/// Sessions are taken up again by any transfer; one thread uses them.
static inline CURLSH *client_share_sessions(void) {
    CURLSH *share = curl_share_init();
    if (share) curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return share;
}

/// The next transfer that has ended, with its result; NULL where there is none.
static inline CURL *client_next_done(CURLM *multi, CURLcode *result) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}

/// The address that a socket is being opened for, in numbers.
static inline int client_address(const struct curl_sockaddr *address, char *host, size_t host_size, char *port, size_t port_size) {
    return getnameinfo(
        &address->addr, address->addrlen, host, host_size, port, port_size, NI_NUMERICHOST | NI_NUMERICSERV);
}

static inline int client_socket(const struct curl_sockaddr *address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static const size_t client_pause = CURL_WRITEFUNC_PAUSE;
static const size_t client_abort_send = CURL_READFUNC_ABORT;
static const size_t client_pause_send = CURL_READFUNC_PAUSE;
static const int client_error_size = CURL_ERROR_SIZE;
