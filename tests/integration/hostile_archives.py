# SPDX-License-Identifier: LGPL-2.1-only
"""Makes hostile archives: bombs, liars, cut and damaged ones. Deterministic; nothing here is larger than a few MB.

Each maker is a function that writes below the folder it gets and returns the path of the REPORT.
"""
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib

TOP = "bug-report-20250303101112/"
KERN = TOP + "var/log/kern.log"
LINES = b"".join(b"Mar  3 10:%02d:%02d host1 kernel: line %d\n" % (n // 60 % 60, n % 60, n) for n in range(4000))
INVENTORY = (b'<?xml version="1.0" ?>\n<system-status-inventory>\n<system-summary date="Mon Mar  3 10:11:12 2025" '
             b'hostname="host1" uname="Linux" uptime="up"/>\n</system-status-inventory>\n')
DAY = 1740996672


def tar_member(name, data=b"", kind=tarfile.REGTYPE, link="", size=None):
    """One GNU tar member with a name of any length and bytes, also nonsense."""
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    out = b""
    if len(raw) > 99:
        out += tar_member(b"././@LongLink", raw + b"\0", b"L")
        raw = raw[:99]
    size = len(data) if size is None else size
    field = b"%011o\0" % size if 0 <= size < 8 ** 11 else b"\x80" + b"\0" * 3 + struct.pack(">Q", size)
    head = (raw.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + field + b"%011o\0" % DAY + b" " * 8 + kind +
            link.encode().ljust(100, b"\0") + b"ustar  \0").ljust(512, b"\0")
    head = head[:148] + b"%06o\0 " % sum(head) + head[156:]
    return out + head + data + b"\0" * (-len(data) % 512)


TAR_END = b"\0" * 1024


def good_tar(extra=b"", inventory=INVENTORY):
    return (tar_member(KERN, LINES) + extra + tar_member(TOP + "inventory.xml", inventory) + TAR_END)


def good_zip(members=None):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (members or {KERN: LINES, TOP + "var/log/SMlog": LINES, TOP + "inventory.xml": INVENTORY}).items():
            archive.writestr(name, data)
    return out.getvalue()


def write(folder, name, data):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def file_of(name, data):
    """A maker for one file; `data` is bytes or a function that returns them."""
    return lambda folder: write(folder, name, data() if callable(data) else data)


# --- zip by hand

def local(name, data, method=8, flags=0, packed=None, size=0, crc=0, extra=b""):
    packed = len(data) if packed is None else packed
    return struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 0x5a63, crc, packed, size, len(name), len(extra)) + \
        name + extra + data


def central(name, offset, packed, size, method=8, flags=0, crc=0):
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, flags, method, 0, 0x5a63, crc, packed, size, len(name),
                       0, 0, 0, 0, 0, offset) + name


def end(entries, length, offset):
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, min(entries, 65535), min(entries, 65535), length, offset, 0)


def deflate(data):
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeezer.compress(data) + squeezer.flush()


def quoted_overlap(entries=250, kernel=1 << 20):
    """After Fifield: each member's data begins with a stored block that quotes the next member's header."""
    data = deflate(b"\0" * kernel)
    body = local(b"%04d" % (entries - 1), data, size=kernel)
    sizes, size = [(len(data), kernel)], kernel
    heads = [body[:len(body) - len(data)]]
    crcs = [zlib.crc32(b"\0" * kernel)]
    rest = data
    for number in reversed(range(entries - 1)):
        quoted = heads[0]
        rest = struct.pack("<BHH", 0, len(quoted), len(quoted) ^ 0xffff) + quoted + rest
        size += len(quoted)
        name = b"%04d" % number
        heads.insert(0, local(name, b"", packed=len(rest), size=size))
        sizes.insert(0, (len(rest), size))
        crcs.insert(0, 0)
    body, listing, offset = heads[0] + rest, b"", 0
    for number in range(entries):
        listing += central(b"%04d" % number, offset, *sizes[number])
        offset += len(heads[number]) + 5
    return body + listing + end(entries, len(listing), len(body))


def full_overlap(entries=5000, kernel=10 << 20):
    data = deflate(b"\0" * kernel)
    body = local(b"var/log/a", data, size=kernel, crc=zlib.crc32(b"\0" * kernel))
    listing = b"".join(central(b"var/log/a", 0, len(data), kernel) for _ in range(entries))
    return body + listing + end(entries, len(listing), len(body))


def contradicting(name=KERN.encode(), other=TOP.encode() + b"var/log/evil", method=8, other_method=8, lie=0):
    data = deflate(LINES)
    good = local(TOP.encode() + b"var/log/SMlog", data, size=len(LINES), crc=zlib.crc32(LINES))
    bad = local(other, data, other_method, size=len(LINES) + lie, crc=zlib.crc32(LINES))
    body = good + bad
    listing = central(TOP.encode() + b"var/log/SMlog", 0, len(data), len(LINES), crc=zlib.crc32(LINES)) + \
        central(name, len(good), len(data), len(LINES), method, crc=zlib.crc32(LINES))
    return body + listing + end(2, len(listing), len(body))


def lzma_zip():
    """A few bytes that make liblzma ask for 4 GiB: method 14 with the largest dictionary."""
    data = b"\x10\x02\x05\0]\xff\xff\xff\xff" + b"\0" * 16
    name = KERN.encode()
    body = local(name, data, 14, size=100) + local(TOP.encode() + b"var/log/SMlog", b"ok\n", 0, size=3, crc=zlib.crc32(b"ok\n"))
    second = len(local(name, data, 14, size=100))
    listing = central(name, 0, len(data), 100, 14) + \
        central(TOP.encode() + b"var/log/SMlog", second, 3, 3, 0, crc=zlib.crc32(b"ok\n"))
    return body + listing + end(2, len(listing), len(body))


def encrypted_zip():
    name, data = KERN.encode(), b"\x55" * 64
    body = local(name, data, 0, 1, size=52)
    listing = central(name, 0, len(data), 52, 0, 1)
    return body + listing + end(1, len(listing), len(body))


def huge_list_zip():
    """A zip64 end record that claims four thousand million entries."""
    end64 = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1 << 32, 1 << 32, 46 << 32, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 8, 1)
    return b"PK\3\4...." + end64 + locator + end(65535, 0xffffffff, 0xffffffff)


def short_size_zip():
    """The list promises 10 bytes, the sizes that follow the data are not checked, the data is 50 MB."""
    data, name = deflate(b"x" * (50 << 20)), KERN.encode()
    body = local(name, data, 8, 8, packed=0, size=0)
    listing = central(name, 0, len(data), 10, 8, 8)
    return body + listing + end(1, len(listing), len(body))


# --- bombs

def zeros_gz(megabytes):
    return gzip.compress(b"\0" * (megabytes << 20), 9, mtime=0)


def gz_of_repeated(block, count):
    """A gzip stream for each block: several in a row are one file."""
    return gzip.compress(block, 9, mtime=0) * count


def nested_zip(depth, data):
    for level in range(depth):
        data = good_zip({"level%d.zip" % level if level else "var/log/SMlog": data})
    return data


def many_nested(width, depth):
    data = good_zip({"var/log/a": b"\0" * (16 << 20)})
    for _ in range(depth):
        data = good_zip({"%d.zip" % n: data for n in range(width)})
    return data


def filters_in_filters(count):
    data = good_tar()
    for _ in range(count):
        data = gzip.compress(data, 1, mtime=0)
    return data


def sparse_tar(size):
    """pax 1.0 sparse: one data block at the far end of a file of `size` bytes."""
    def record(key, value):
        text = "%s=%s\n" % (key, value)
        length = len(text) + 1 + len(str(len(text) + 3))
        return ("%d %s" % (length, text)).encode()
    pax = record("GNU.sparse.major", 1) + record("GNU.sparse.minor", 0) + \
        record("GNU.sparse.name", KERN) + record("GNU.sparse.realsize", size)
    map_block = ("1\n%d\n512\n" % (size - 512)).encode().ljust(512, b"\0")
    return tar_member("pax", pax, b"x") + tar_member("x", map_block + b"A" * 512) + TAR_END


def long_pax(kib, repeat):
    """Members without data but with large pax headers."""
    record = b"comment=" + b"c" * (kib * 1024)
    record = b"%d %s\n" % (len(record) + 2 + len(str(len(record) + 8)), record)
    one = tar_member("pax", record, b"x") + tar_member(TOP + "var/log/x")
    return gz_of_repeated(one, repeat)


def many_entries(count):
    one = tar_member(TOP + "var/log/dir/", kind=b"5")
    return gz_of_repeated(one * 100, count // 100)


def many_hosts(count):
    return b"".join(tar_member("h%d/var/log/SMlog" % n, b"x") for n in range(count)) + TAR_END


def big_dictionary_xz():
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 4096, "preset": 0}]
    data = bytearray(lzma.compress(good_tar(), filters=filters, check=lzma.CHECK_NONE))
    at = data.index(b"\x21\x01", 12)
    data[at + 2] = 40  # the largest dictionary there is: 4 GiB
    head = 12 + (data[12] + 1) * 4
    data[head - 4:head] = struct.pack("<L", zlib.crc32(bytes(data[12:head - 4])))
    return bytes(data)


# --- trees

def tree(folder):
    """A folder with everything that may block, lead outside or fail."""
    root = os.path.join(folder, "report")
    write(root, "var/log/SMlog", LINES)
    write(root, "var/log/kern.log.1.gz", gzip.compress(LINES, mtime=0))
    os.mkfifo(os.path.join(root, "var/log/fifo"))
    os.symlink("/etc/passwd", os.path.join(root, "var/log/passwd"))
    os.symlink("/proc", os.path.join(root, "var/proc"))
    os.symlink(".", os.path.join(root, "var/loop"))
    os.symlink("nowhere", os.path.join(root, "var/log/dangling"))
    os.mknod(os.path.join(root, "var/log/socket"), stat.S_IFSOCK | 0o600)
    return root


def deep_tree(folder):
    root = os.path.join(folder, "deep")
    write(root, "var/log/SMlog", b"x\n")
    path = root
    for _ in range(100):
        path = os.path.join(path, "d")
        os.mkdir(path)
    write(path, "file", b"unreachable")
    return root


def patched(data, at, value):
    return data[:at] + value + data[at + len(value):]


def inventory_tar(text):
    return good_tar(inventory=text)


def manifest_tar(text):
    return tar_member(TOP + "manifest.json", text) + good_tar()


def chained_long_links(count):
    return tar_member("././@LongLink", KERN.encode() + b"\0", b"L") * count + tar_member("x", b"y") + TAR_END
