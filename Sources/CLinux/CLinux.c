#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

int CLinux_peer_credentials(int descriptor, struct CLinux_ucred *credentials) {
    struct ucred found;
    socklen_t length = sizeof found;
    int result = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &found, &length);
    if (result == 0) {
        credentials->pid = found.pid;
        credentials->uid = found.uid;
        credentials->gid = found.gid;
    }
    return result;
}

int CLinux_peer_groups(int descriptor, gid_t *groups, unsigned int *count) {
    socklen_t length = (socklen_t)(*count * sizeof(gid_t));
    int result = getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups, &length);
    *count = (unsigned int)(length / sizeof(gid_t));
    return result;
}

int CLinux_accept(int descriptor, struct sockaddr_storage *address, socklen_t *length) {
    return accept4(descriptor, (struct sockaddr *)address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int CLinux_stream_socket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

int CLinux_make_non_blocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) return -1;
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

int CLinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int CLinux_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}

int CLinux_fallocate(int descriptor, int mode, off_t offset, off_t length) {
    return fallocate(descriptor, mode, offset, length);
}

int CLinux_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags) {
    return renameat2(from_directory, from, to_directory, to, flags);
}

int CLinux_name_this_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

int CLinux_file_system(const char *path, uint32_t *magic) {
    struct statfs status;
    if (statfs(path, &status) < 0) return -1;
    *magic = (uint32_t)status.f_type;
    return 0;
}

int CLinux_set_no_copy_on_write(int descriptor) {
    int flags = 0;
    if (ioctl(descriptor, FS_IOC_GETFLAGS, &flags) < 0) return -1;
    flags |= FS_NOCOW_FL;
    return ioctl(descriptor, FS_IOC_SETFLAGS, &flags);
}
