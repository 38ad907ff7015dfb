# SPDX-License-Identifier: LGPL-2.1-only
"""Zip files that say one thing in their list and another in front of the data, or that hold what we do not open."""
import struct
import zlib

from hostile_archives import INVENTORY, KERN, LINES, TOP, central, deflate, end, good_zip, local, patched

from .case import EITHER, READ, REFUSED, Case

CUT = "cut off or damaged"
LOCAL = {"version": 4, "flags": 6, "method": 8, "time": 10, "sum": 14, "packed size": 18, "size": 22, "name length": 26,
         "extra length": 28}
CENTRAL = {"version": 6, "flags": 8, "method": 10, "sum": 16, "packed size": 20, "size": 24, "name length": 28,
           "extra length": 30, "comment length": 32, "disk": 34, "attributes": 38, "offset": 42}
END = {"disk": 4, "disk of the list": 6, "entries here": 8, "entries": 10, "length": 12, "offset": 16, "comment": 20}
METHODS = {"shrink": 1, "reduce": 2, "implode": 6, "deflate64": 9, "bzip2": 12, "lzma": 14, "xz": 95, "ppmd": 98,
           "jpeg": 96, "wavpack": 97, "aes": 99, "nonsense": 0xfffe}


def parts():
    """Two members by hand: (archive, position of the second local header, of its central one, of the end)."""
    data, crc = deflate(LINES), zlib.crc32(LINES)
    first = local(KERN.encode(), data, size=len(LINES), crc=crc)
    second = local(TOP.encode() + b"var/log/SMlog", data, size=len(LINES), crc=crc)
    head = central(KERN.encode(), 0, len(data), len(LINES), crc=crc)
    listing = head + central(TOP.encode() + b"var/log/SMlog", len(first), len(data), len(LINES), crc=crc)
    body = first + second
    return body + listing + end(2, len(listing), len(body)), len(first), len(body) + len(head), len(body) + len(listing)


def changed(where, field, value):
    archive, in_data, in_list, at_end = parts()
    base, fields = {"local": (in_data, LOCAL), "central": (in_list, CENTRAL), "end": (at_end, END)}[where]
    return patched(archive, base + fields[field], struct.pack("<H", value))


def with_method(method):
    """Both headers agree on a method that we do not open."""
    data, name = b"\x55" * 200, TOP.encode() + b"var/log/SMlog"
    good = local(KERN.encode(), LINES, 0, size=len(LINES), crc=zlib.crc32(LINES))
    body = good + local(name, data, method, size=300)
    listing = central(KERN.encode(), 0, len(LINES), len(LINES), 0, crc=zlib.crc32(LINES)) + \
        central(name, len(good), len(data), 300, method)
    return body + listing + end(2, len(listing), len(body))


def encrypted(flags):
    data, name = b"\x55" * 200, TOP.encode() + b"var/log/SMlog"
    good = local(KERN.encode(), LINES, 0, size=len(LINES), crc=zlib.crc32(LINES))
    body = good + local(name, data, 0, flags, size=188)
    listing = central(KERN.encode(), 0, len(LINES), len(LINES), 0, crc=zlib.crc32(LINES)) + \
        central(name, len(good), len(data), 188, 0, flags)
    return body + listing + end(2, len(listing), len(body))


def two_lists():
    """Two whole archives: which one a reader sees depends on where it begins."""
    return good_zip({KERN: b"first\n"}) + good_zip({KERN: b"second\n"})


def list_in_comment():
    """The comment of the archive is the end of another one."""
    archive, _, _, at_end = parts()
    inner = end(0, 0, 0)
    return archive[:at_end + 20] + struct.pack("<H", len(inner)) + inner


def unlisted():
    """A member that stands in the file but not in the list."""
    archive, _, _, at_end = parts()
    first = archive[:archive.index(b"PK\1\2")]
    listing = archive[len(first):at_end]
    extra = local(b"var/log/hidden", b"secret\n", 0, size=7, crc=zlib.crc32(b"secret\n"))
    return first + extra + listing + end(2, len(listing), len(first) + len(extra))


def listed_twice():
    archive, _, in_list, at_end = parts()
    body, listing = archive[:archive.index(b"PK\1\2")], archive[archive.index(b"PK\1\2"):at_end]
    listing += listing[in_list - len(body):]
    return body + listing + end(3, len(listing), len(body))


def zip64_extra_of(size):
    data, name = deflate(LINES), KERN.encode()
    extra = struct.pack("<HH", 1, size) + b"\xff" * min(size, 40)
    body = local(name, data, packed=0xffffffff, size=0xffffffff, extra=extra)
    listing = central(name, 0, 0xffffffff, 0xffffffff)
    return body + listing + end(1, len(listing), len(body))


def bad_sum():
    return good_zip().replace(struct.pack("<L", zlib.crc32(LINES)), b"\1\2\3\4")


CASES = {
    **{"local %s is another" % field: Case(lambda f=field: changed("local", f, 0x4321), "a.zip", "", EITHER) for field in LOCAL},
    **{"local %s is 0" % field: Case(lambda f=field: changed("local", f, 0), "a.zip", "", EITHER) for field in LOCAL},
    **{"local %s is all ones" % field: Case(lambda f=field: changed("local", f, 0xffff), "a.zip", "", EITHER) for field in LOCAL},
    **{"list's %s is another" % field: Case(lambda f=field: changed("central", f, 0x4321), "a.zip", "", EITHER) for field in CENTRAL},
    **{"list's %s is 0" % field: Case(lambda f=field: changed("central", f, 0), "a.zip", "", EITHER) for field in CENTRAL},
    **{"list's %s is all ones" % field: Case(lambda f=field: changed("central", f, 0xffff), "a.zip", "", EITHER) for field in CENTRAL},
    **{"end's %s is another" % field: Case(lambda f=field: changed("end", f, 0x1234), "a.zip", "", EITHER) for field in END},
    **{"end's %s is all ones" % field: Case(lambda f=field: changed("end", f, 0xffff), "a.zip", "", EITHER) for field in END},
    **{"method %s" % name: Case(lambda m=method: with_method(m), "a.zip", "refused.*compressed by a method") for name, method in METHODS.items()},
    "encrypted": Case(lambda: encrypted(1), "a.zip", "refused.*encrypted.*without a password"),
    "strongly encrypted": Case(lambda: encrypted(0x41), "a.zip", "refused.*encrypted"),
    "masked list": Case(lambda: encrypted(0x2001), "a.zip", "refused.*encrypted"),
    "wrong sums": Case(bad_sum, "a.zip", "damaged.*kern.log"),
    "two archives in one": Case(two_lists, "a.zip", CUT),
    "end in the comment": Case(list_in_comment, "a.zip", "", EITHER),
    "member that is not listed": Case(unlisted, "a.zip", "suspicious.*not in its list"),
    "member listed twice": Case(listed_twice, "a.zip", "entries overlap", REFUSED),
    "bytes in front": Case(lambda: b"#!/bin/sh\n" + b"exit\n" * 20 + good_zip(), "a.zip", "beginning is damaged", REFUSED),
    "bytes in front that look like a zip": Case(lambda: b"PK\5\6" + b"\0" * 100 + good_zip(), "a.zip", "in front of it"),
    "bytes behind": Case(lambda: good_zip() + b"x" * 1000, "a.zip", "suspicious.*behind"),
    "many bytes behind": Case(lambda: good_zip() + b"x" * 100000, "a.zip", CUT),
    "comment of 65535 bytes": Case(lambda: good_zip()[:-2] + b"\xff\xff" + b"c" * 65535, "a.zip", ""),
    "no list": Case(lambda: good_zip()[:good_zip().index(b"PK\1\2")], "a.zip", CUT),
    "only a list": Case(lambda: good_zip()[good_zip().index(b"PK\1\2"):], "a.zip", "", REFUSED),
    "only an end": Case(end(0, 0, 0), "a.zip", "holds nothing|no files", REFUSED),
    "only an end, a million declared": Case(end(65535, 1 << 20, 0), "a.zip", "", REFUSED),
    "ends everywhere": Case(b"PK\5\6" * 5000, "a.zip", "", REFUSED),
    "local headers everywhere": Case(b"PK\3\4" * 5000, "a.zip", "", REFUSED),
    "zip64 extra of no size": Case(lambda: zip64_extra_of(0), "a.zip", "", EITHER),
    "zip64 extra too short": Case(lambda: zip64_extra_of(7), "a.zip", "", EITHER),
    "zip64 extra longer than itself": Case(lambda: zip64_extra_of(60000), "a.zip", "", EITHER),
    "zip64 sizes of all ones": Case(lambda: zip64_extra_of(24), "a.zip", "", EITHER),
    "inventory in front of the data, list without": Case(lambda: good_zip({TOP + "inventory.xml": INVENTORY}).replace(b"inventory.xml", b"inventory.xmk", 1), "a.zip", "describe it differently", REFUSED),
}
