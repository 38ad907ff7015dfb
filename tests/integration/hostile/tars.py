# SPDX-License-Identifier: LGPL-2.1-only
"""Damaged and lying tar files: every field of a header with every kind of wrong value, and ends in wrong places."""
import bz2
import gzip
import lzma

from hostile_archives import KERN, LINES, TAR_END, TOP, good_tar, tar_member

from .bombs import pax, zst_zeros
from .case import EITHER, REFUSED, Case

FIELDS = {"mode": (100, 8), "owner": (108, 8), "group": (116, 8), "size": (124, 12), "time": (136, 12), "sum": (148, 8),
          "kind": (156, 1), "link": (157, 100), "magic": (257, 8), "devices": (329, 16)}
VALUES = {"zeros": b"\0", "letters": b"z", "sevens": b"7", "spaces": b" ", "all ones": b"\xff", "base 256": b"\x80"}


def with_field(field, fill):
    """The second of three members has a field of nonsense, under a correct sum."""
    at, width = FIELDS[field]
    member = bytearray(tar_member(TOP + "var/log/SMlog", LINES))
    member[at:at + width] = fill * width
    if field != "sum":
        member[148:156] = b" " * 8
        member[148:156] = b"%06o\0 " % sum(member[:512])
    return tar_member(KERN, LINES) + bytes(member) + good_tar()


def cut(data, share):
    return data[:int(len(data) * share)]


def noisy(data, every):
    """One byte in `every` is changed, in a fixed pattern."""
    out = bytearray(data)
    for at in range(every, len(out), every):
        out[at] = (out[at] * 31 + at // every * 7 + 1) & 255
    return bytes(out)


FORMS = {"tar": ("a.tar", lambda data: data), "gz": ("a.tgz", lambda data: gzip.compress(data, mtime=0)),
         "bz2": ("a.tar.bz2", bz2.compress), "xz": ("a.tar.xz", lzma.compress),
         "zst": ("a.tar.zst", lambda data: zst_zeros(0, before=data[:100 << 10]))}

CASES = {
    **{"%s of %s" % (field, value): Case(lambda f=field, v=fill: with_field(f, v), says="", ends=EITHER)
       for field in FIELDS for value, fill in VALUES.items()},
    **{"%s cut at %d %%" % (form, share): Case(lambda s=squeeze, c=share: cut(s(good_tar()), c / 100), name, "cut off|truncated|inventory.xml is missing|damaged|refused", EITHER)
       for form, (name, squeeze) in FORMS.items() for share in (3, 50, 97)},
    **{"%s with a wrong byte in %d" % (form, every): Case(lambda s=squeeze, e=every: noisy(s(good_tar()), e), name, "", EITHER)
       for form, (name, squeeze) in FORMS.items() for every in (50, 700, 9000)},
    "no end": Case(lambda: good_tar()[:-1024], says=""),
    "end in the middle": Case(lambda: tar_member(KERN, LINES) + TAR_END + good_tar(), says=""),
    "only half an end": Case(lambda: good_tar()[:-512], says=""),
    "members are cut between blocks": Case(lambda: tar_member(KERN, LINES)[:-512], says="truncated"),
    "two tars in a row": Case(lambda: good_tar() + good_tar(), says=""),
    "garbage behind the end": Case(lambda: good_tar() + b"\xa5" * 100000, says=""),
    "garbage in front": Case(lambda: b"\xa5" * 512 + good_tar(), says="", ends=EITHER),
    "pax header alone": Case(pax((b"path", b"x")), says="", ends=REFUSED),
    "pax record without a length": Case(tar_member("pax", b"path=x\n", b"x") + good_tar(), ends=EITHER),
    "pax record of length 0": Case(tar_member("pax", b"0 path=x\n", b"x") + good_tar(), ends=EITHER),
    "pax record longer than the header": Case(tar_member("pax", b"999999 path=x\n", b"x") + good_tar(), ends=EITHER),
    "pax record of 20 digits": Case(tar_member("pax", b"99999999999999999999 path=x\n", b"x") + good_tar(), ends=EITHER),
    "pax record without an end": Case(tar_member("pax", b"9 path=xy", b"x") + good_tar(), ends=EITHER),
    "pax time is nonsense": Case(pax((b"mtime", b"1e999")) + good_tar(), says=""),
    "pax time is far away": Case(pax((b"mtime", b"99999999999999999999")) + good_tar(), says=""),
    "pax character set is nonsense": Case(pax((b"hdrcharset", b"BINARY"), (b"path", b"\xff\xfe")) + good_tar(), says=""),
    "global pax header": Case(tar_member("pax", b"19 path=../../evil\n", b"g") + good_tar(), says=""),
    "10000 pax headers in a row": Case(pax((b"comment", b"x")) * 10000 + good_tar(), ends=EITHER),
    "V7 header": Case(lambda: tar_member(KERN, LINES).replace(b"ustar  \0", b"\0" * 8) + TAR_END, says="", ends=EITHER),
    "sizes that overflow together": Case(lambda: tar_member(KERN, b"x", size=(1 << 63) - 511) + good_tar(), ends=EITHER),
}
