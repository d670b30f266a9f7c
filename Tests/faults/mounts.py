"""File systems of our own: tmpfs and loop images, unmounted and detached at the end whatever happens."""
import atexit
import os
import shutil
import subprocess

from rig import scratch

_mounted = []
_loops = []


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def _clean_up():
    for target in reversed(_mounted):
        _run("umount", "-l", target)
    for loop in _loops:
        _run("losetup", "-d", loop)


# Runs before rig's own cleaning, which removes the directories: atexit is last in, first out.
atexit.register(_clean_up)


class Unavailable(Exception):
    """This machine cannot do it; the rig is skipped with a counted line."""


def unmount(target):
    _run("umount", target)
    if os.path.ismount(target):
        _run("umount", "-l", target)
    if target in _mounted:
        _mounted.remove(target)


def tmpfs(size):
    target = scratch("tmpfs")
    result = _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", target)
    if result.returncode:
        raise Unavailable("mount: " + result.stderr.strip())
    _mounted.append(target)
    return target


class Image:
    """A file with a file system in it, and the loop device over it while it is mounted."""

    def __init__(self, kind, megabytes, make=(), path=None, where=None):
        self.kind = kind
        self.loop = self.target = None
        self.path = path or scratch("image", where) + "/image"
        if path is None:
            tool = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"]}[kind]
            if shutil.which(tool[0]) is None:
                raise Unavailable(tool[0] + " is not installed")
            with open(self.path, "wb") as file:
                file.truncate(megabytes << 20)
            result = _run(*tool, *make, self.path)
            if result.returncode:
                raise Unavailable(f"{tool[0]}: {result.stderr.strip()}")

    def mount(self, options=""):
        result = _run("losetup", "-f", "--show", self.path)
        if result.returncode:
            raise Unavailable("losetup: " + result.stderr.strip())
        self.loop = result.stdout.strip()
        _loops.append(self.loop)
        self.target = scratch("mount")
        result = _run("mount", "-t", self.kind, *(["-o", options] if options else []), self.loop, self.target)
        if result.returncode:
            self.detach()
            raise Unavailable(f"mount {self.kind}: {result.stderr.strip()}")
        _mounted.append(self.target)
        return self.target

    def detach(self):
        if self.target:
            unmount(self.target)
            self.target = None
        if self.loop:
            _run("losetup", "-d", self.loop)
            if self.loop in _loops:
                _loops.remove(self.loop)
            self.loop = None

    def remove(self):
        self.detach()
        if os.path.exists(self.path):
            os.unlink(self.path)
