// Linux's own file calls, which Swift's import of glibc leaves out (they need _GNU_SOURCE).

#include <sys/types.h>

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
