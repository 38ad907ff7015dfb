# SPDX-License-Identifier: LGPL-2.1-only
"""Names that lead elsewhere, look like others or are none; links, devices and other members that are no files."""
import zlib

import hostile_archives as make
from hostile_archives import KERN, LINES, TOP, deflate, good_tar, tar_member

from .bombs import pax, zip_of
from .case import EITHER, Case

OUT = "suspicious.*leads out"
TOO_LONG = "refused.*longer than 4096"
TWICE = "suspicious.*more than once"
NOTHING = ""

# what: (name, what is said about it in a tar, or None: not for a zip)
NAMES = {
    "parent": ("../evil", OUT),
    "parents": ("../" * 30 + "etc/passwd", OUT),
    "parent inside": (TOP + "var/../../../etc/passwd", OUT),
    "parent at the end": (TOP + "var/log/..", OUT),
    "parent alone": ("..", OUT),
    "parent behind slashes": ("////../evil", OUT),
    "parent behind dots": ("./.././evil", OUT),
    "parent by backslash": ("..\\..\\windows\\system32\\evil", OUT),
    "parent by both": ("..\\../evil", OUT),
    "parent by backslash inside": ("var\\..\\..\\evil", OUT),
    "three dots": (TOP + ".../evil", NOTHING),
    "dots that are a name": (TOP + "var/log/..hidden", NOTHING),
    "overlong parent": (b"\xc0\xae\xc0\xae/evil", NOTHING),
    "overlong slash": (b"..\xc0\xafevil", NOTHING),
    "overlong of three": (b"\xe0\x80\xae\xe0\x80\xae/evil", NOTHING),
    "wide parent": ("\uff0e\uff0e/evil", NOTHING),
    "division slash": ("..\u2215evil", NOTHING),
    "percent parent": ("%2e%2e%2fevil", NOTHING),
    "absolute": ("/etc/passwd", NOTHING),
    "absolute with many slashes": ("///etc///passwd", NOTHING),
    "drive": ("C:\\windows\\evil", NOTHING),
    "drive with slashes": ("C:/windows/evil", NOTHING),
    "drive and parent": ("C:..\\evil", NOTHING),
    "share": ("\\\\server\\share\\evil", NOTHING),
    "device of Windows": (TOP + "var/log/NUL", NOTHING),
    "stream of NTFS": (TOP + "var/log/kern.log:stream", NOTHING),
    "file URL": ("file:///etc/passwd", NOTHING),
    "home": ("~root/.ssh/authorized_keys", NOTHING),
    "option": ("--checkpoint-action=exec=sh evil.sh", NOTHING),
    "command": ("$(reboot);`reboot`|reboot", NOTHING),
    "format": ("%s%s%s%n%n%n", NOTHING),
    "SQL": (TOP + "var/log/'; DROP TABLE host; --", NOTHING),
    "markup": (TOP + "var/log/<script>alert(1)</script>", NOTHING),
    "escape sequence": (TOP + "var/log/\x1b[2J\x1b]0;evil\x07", NOTHING),
    "new line": (TOP + "var/log/a\nproblem\trefused", NOTHING),
    "carriage return": (TOP + "var/log/a\rb", NOTHING),
    "only white space": (" ", NOTHING),
    "trailing dot and space": (TOP + "var/log/kern.log. ", NOTHING),
    "right to left": (TOP + "var/log/\u202egol.nrek", NOTHING),
    "invisible": (TOP + "var/log/kern\u200b.log", NOTHING),
    "not UTF-8": (TOP.encode() + b"var/log/\xff\xfe\xfd", NOTHING),
    "half a character": (TOP.encode() + b"var/log/\xe2\x82", NOTHING),
    "surrogate": (TOP.encode() + b"var/log/\xed\xa0\x80", NOTHING),
    "only dot": (".", NOTHING),
    "only slash": ("/", NOTHING),
    "4096 bytes": ("v" * 4096, NOTHING),
    "4097 bytes": ("v" * 4097, TOO_LONG),
    "65535 bytes": ("v" * 65535, TOO_LONG),
    "64 folders": ("v/" * 63 + "x", NOTHING),
    "65 folders": ("v/" * 64 + "x", "refused.*deeper than 64"),
    "2000 folders": ("v/" * 2000 + "x", "refused.*deeper than 64"),
    "archive in name only": ("evil.tar", "called an archive, but is none"),
    "compressed in name only": (KERN + ".1.gz", "damaged|truncated"),
    "twin by dots": ("./" + KERN, TWICE),
    "twin by slashes": (KERN.replace("/", "//"), TWICE),
    "twin by inner dots": (KERN.replace("log/", "log/./"), TWICE),
    "twin by a leading slash": ("/" + KERN, TWICE),
    "twin as it is": (KERN, TWICE),
    "twin by case": (KERN.upper(), NOTHING),
    "twin by normal form": (TOP + "var/log/e\u0301", NOTHING),
}


def raw(name):
    return name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")


def zip_with(name, data=b"x\n"):
    """Both headers of the zip say the same; the report's usual members stand around it."""
    entries = [(KERN.encode(), LINES), (raw(name), data), (TOP.encode() + b"inventory.xml", make.INVENTORY)]
    return zip_of([(n, deflate(d), len(d), zlib.crc32(d)) for n, d in entries])


def tar_case(name, says):
    return Case(lambda: good_tar(tar_member(name, b"x\n")), "a.tar", says)


def zip_case(name, says):
    return Case(lambda: zip_with(name), "a.zip", says)


def special(*members):
    return lambda: good_tar(b"".join(members))


def link(name, target, kind):
    long_target = tar_member("././@LongLink", target.encode() + b"\0", b"K") if len(target) > 99 else b""
    return long_target + tar_member(name, kind=kind, link=target[:99])


def write_through(kind, target):
    """A link, and then a member below or in place of it: what extractors write to."""
    return special(link(TOP + "var/lib", target, kind), tar_member(TOP + "var/lib/evil", b"x"), tar_member(TOP + "var/lib", b"x"))


CASES = {
    **{"tar: " + what: tar_case(*row) for what, row in NAMES.items()},
    **{"zip: " + what: zip_case(*row) for what, row in NAMES.items() if len(raw(row[0])) < 65536},
    "tar: no name": Case(special(tar_member("", b"x")), says=""),
    "zip: no name": Case(lambda: zip_with(""), "a.zip", ""),
    "zip: NUL in a name": Case(lambda: zip_with(b"var/log/x\0.txt"), "a.zip", "describe it differently"),
    "tar: NUL in a pax name": Case(special(pax((b"path", TOP.encode() + b"var/\0evil")), tar_member("x", b"x")), says=""),
    "tar: pax name leads out": Case(special(pax((b"path", b"../../evil")), tar_member("x", b"x")), says=OUT),
    "tar: pax name hides a good one": Case(special(pax((b"path", b"../evil")), tar_member(TOP + "var/log/good", b"x")), says=OUT),
    "tar: pax link leads out": Case(special(pax((b"linkpath", b"/etc/shadow")), tar_member(TOP + "var/l", kind=b"2")), says=""),
    "tar: symlink to a folder, then a file through it": Case(write_through(b"2", "/etc"), says=""),
    "tar: symlink to the parent, then a file through it": Case(write_through(b"2", "../../.."), says=""),
    "tar: hard link to outside": Case(write_through(b"1", "/etc/shadow"), says="hard links in the archive are not followed"),
    "tar: hard link to the parent": Case(write_through(b"1", "../../../etc/shadow"), says="hard links"),
    "tar: symlink to itself": Case(special(link(TOP + "loop", "loop", b"2")), says=""),
    "tar: a chain of 100 symlinks": Case(special(*(link(TOP + "l%d" % n, "l%d" % (n + 1), b"2") for n in range(100))), says=""),
    "tar: link target of 1100 bytes": Case(special(link(TOP + "l", "d/" * 550, b"2")), says=""),
    "tar: link target of 1 MiB": Case(special(link(TOP + "l", "d" * (1 << 20), b"2")), says=""),
    "tar: a log is a symlink": Case(special(link(TOP + "var/log/SMlog", "/etc/passwd", b"2")), says=""),
    "tar: character device": Case(special(tar_member(TOP + "dev/mem", kind=b"3")), says=""),
    "tar: block device": Case(special(tar_member(TOP + "dev/sda", kind=b"4")), says=""),
    "tar: FIFO": Case(special(tar_member(TOP + "var/log/fifo", kind=b"6")), says=""),
    "tar: contiguous file": Case(special(tar_member(TOP + "var/log/c", b"x", kind=b"7")), says=""),
    "tar: folder with data": Case(special(tar_member(TOP + "var/log/", b"x" * 600, kind=b"5")), says="", ends=EITHER),
    "tar: volume label": Case(special(tar_member("label", kind=b"V")), says=""),
    "tar: multi-volume": Case(special(tar_member(KERN, b"x", kind=b"M")), says=""),
    "tar: unknown kind": Case(special(tar_member(TOP + "var/log/u", b"x", kind=b"\xff")), says=""),
    "tar: file and folder of one name": Case(special(tar_member(TOP + "var/log/n", b"x"), tar_member(TOP + "var/log/n/m", b"x")), says=""),
    "zip: symlink": Case(lambda: zip_symlink(), "a.zip", ""),
    "zip: folder with data": Case(lambda: zip_with(TOP + "var/log/folder/", b"x" * 100), "a.zip", ""),
    "folder with links, FIFO and socket": Case(make.tree, "folder"),
    "folder of a hundred levels": Case(make.deep_tree, "folder", "nested more than 64"),
}


def zip_symlink():
    import io
    import zipfile
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(KERN, LINES)
        info = zipfile.ZipInfo(TOP + "var/log/SMlog")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()
