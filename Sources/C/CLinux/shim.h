// Linux's own calls that Swift's import of glibc leaves out (most need _GNU_SOURCE).

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/// Copies between files in the kernel; shares extents where the file system can (copy_file_range(2)).
extern ssize_t copy_file_range(
    int from, off_t *from_offset, int to, off_t *to_offset, size_t length, unsigned flags);

/// Starts writing a range back, or waits for it; promises nothing (sync_file_range(2)).
extern int sync_file_range(int file, off_t offset, off_t length, unsigned flags);

static const unsigned linux_start_write_back = 2;  // SYNC_FILE_RANGE_WRITE

/// Renames; with the flag below, only where the new name is free (renameat2(2)).
extern int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags);

static const unsigned linux_rename_to_free_name = 1;  // RENAME_NOREPLACE

static const int linux_unnamed_file = 020000000;  // O_TMPFILE without its O_DIRECTORY

/// Accepts a connection and sets flags of its socket (accept4(2)).
extern int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags);

static const int linux_nonblocking_socket = 04000 | 02000000;  // SOCK_NONBLOCK | SOCK_CLOEXEC

/// Reads at an offset; with the flag below, only what is in the page cache (preadv2(2)).
extern ssize_t preadv2(int file, const struct iovec *parts, int count, off_t offset, int flags);

static const int linux_read_cached = 8;  // RWF_NOWAIT

/// The user of the process at the other end of a Unix socket.
///
/// - Returns: 0, or -1 if it is not known.
static inline int linux_peer_user(int socket, uid_t *user) {
    struct { pid_t process; uid_t user; gid_t group; } peer;  // struct ucred, which only GNU's headers show
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length)) return -1;
    *user = peer.user;
    return 0;
}
