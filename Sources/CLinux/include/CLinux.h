// Headers of Linux and its C library that Swift's Glibc module lacks. No logic: only what Swift cannot spell itself
// (macros with casts, variadic functions, what hides behind _GNU_SOURCE).
#ifndef BUDKAVLE_CLINUX_H
#define BUDKAVLE_CLINUX_H

// What _GNU_SOURCE hides is wrapped in CLinux.c: defining it here would change structs that Glibc's module has too.
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>

/// The process at the other end of a Unix socket (`SO_PEERCRED`), as it was when it connected.
struct CLinux_ucred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/// `getsockopt(SO_PEERCRED)`. 0, or -1 with errno.
int CLinux_peer_credentials(int descriptor, struct CLinux_ucred *credentials);

/// `getsockopt(SO_PEERGROUPS)`: the supplementary groups. `count` holds the room and then the number of groups;
/// -1 with errno (ERANGE when the room is too small, `count` then says how much is needed).
int CLinux_peer_groups(int descriptor, gid_t *groups, unsigned int *count);

/// `accept4(SOCK_NONBLOCK | SOCK_CLOEXEC)`.
int CLinux_accept(int descriptor, struct sockaddr_storage *address, socklen_t *length);

/// `socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)`.
int CLinux_stream_socket(int family);

/// `fcntl(F_SETFL, flags | O_NONBLOCK)` and `fcntl(F_SETFD, FD_CLOEXEC)`.
int CLinux_make_non_blocking(int descriptor);

/// `open` with a mode, which is variadic in C.
int CLinux_open(const char *path, int flags, mode_t mode);
int CLinux_openat(int directory, const char *path, int flags, mode_t mode);

/// `fallocate(2)`.
int CLinux_fallocate(int descriptor, int mode, off_t offset, off_t length);

/// `renameat2(2)`; `RENAME_NOREPLACE` is 1, `RENAME_EXCHANGE` is 2.
int CLinux_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags);

/// `pthread_setname_np(pthread_self(), name)`: at most 15 bytes are kept by the kernel.
int CLinux_name_this_thread(const char *name);

/// The magic number of the file system that holds `path` (`statfs(2)`, f_type). 0, or -1 with errno.
int CLinux_file_system(const char *path, uint32_t *magic);

/// Sets and reads the file attribute `FS_NOCOW_FL` of an open file or directory (`FS_IOC_SETFLAGS`).
int CLinux_set_no_copy_on_write(int descriptor);

#endif
