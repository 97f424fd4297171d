// Filesystem
