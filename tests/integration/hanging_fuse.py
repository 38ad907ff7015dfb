# SPDX-License-Identifier: LGPL-2.1-only
"""A file system of one file that can be looked at and opened, but reading it never ends: `hanging_fuse.py FOLDER`.

Speaks just enough of the kernel's FUSE protocol (linux/fuse.h, version 7.31) for that.
"""
import ctypes
import errno
import os
import struct
import sys

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, INIT, INTERRUPT, BATCH_FORGET = 1, 2, 3, 14, 15, 17, 26, 36, 42
OPENDIR, RELEASE, FLUSH, READDIR, RELEASEDIR, READDIRPLUS = 27, 18, 25, 28, 29, 44
FOREVER = 1 << 30


def attributes(node):
    mode, size = (0o040755, 4096) if node == 1 else (0o100644, 100_000)
    return struct.pack("<6Q10I", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode, node, body):
    """The bytes of the reply, or a negative errno; None: no reply at all."""
    if opcode == INIT:
        return struct.pack("<4I2H2I2HI7I", 7, 31, 0, 0, 16, 12, 131072, 1, 32, 0, 0, *[0] * 7)
    if opcode == LOOKUP:
        if body != b"file\0":
            return -errno.ENOENT
        return struct.pack("<4Q2I", 2, 0, FOREVER, FOREVER, 0, 0) + attributes(2)
    if opcode == GETATTR:
        return struct.pack("<Q2I", FOREVER, 0, 0) + attributes(node)
    if opcode in (OPEN, OPENDIR):
        return struct.pack("<Q2I", 0, 0, 0)
    if opcode == STATFS:
        return struct.pack("<5Q4I6I", 0, 0, 0, 0, 0, 4096, 255, 4096, 0, *[0] * 6)
    if opcode in (RELEASE, RELEASEDIR, FLUSH, READDIR, READDIRPLUS):
        return b""
    if opcode in (FORGET, BATCH_FORGET, INTERRUPT, READ):
        return None
    return -errno.ENOSYS


def main(folder):
    fuse = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if ctypes.CDLL(None, use_errno=True).mount(b"hanging", os.fsencode(folder), b"fuse", 0, options) != 0:
        sys.exit(1)
    while True:
        request = os.read(fuse, 1 << 18)
        _, opcode, unique, node = struct.unpack("<2I2Q", request[:24])
        reply = answer(opcode, node, request[40:])
        if reply is None:
            continue
        error, data = (reply, b"") if isinstance(reply, int) else (0, reply)
        os.write(fuse, struct.pack("<IiQ", 16 + len(data), error, unique) + data)


if __name__ == "__main__":
    main(sys.argv[1])
