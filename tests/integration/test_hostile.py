# SPDX-License-Identifier: LGPL-2.1-only
"""The reader against hostile archives: whatever it gets, it ends by itself, in bounded memory, and says why."""
import bz2
import gzip
import lzma
import os
import re
import resource
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import hostile_archives as make  # noqa: E402
from hostile_archives import KERN, LINES, TAR_END, TOP, file_of, good_tar, good_zip, patched, tar_member  # noqa: E402

WALK = os.path.join(os.environ["XENHEALTH_BIN"], "report-walk")
ADDRESS_SPACE = 1 << 30
PEAK = 256 << 20
# The sanitizer reserves terabytes of addresses: there the address space cannot be limited and memory is doubled.
SANITIZED = b"__asan_init" in open(WALK, "rb").read()


class Result:
    def __init__(self, code, out, err, peak):
        self.code, self.err, self.peak, self.out = code, err, peak, out
        rows = [line.split("\t") for line in out.splitlines()]
        self.members = {row[2]: (int(row[3]), row[4]) for row in rows if row[0] == "member"}
        self.hosts = [row[2] for row in rows if row[0] == "host"]
        self.problems = [(row[1], row[3], row[4]) for row in rows if row[0] == "problem"]

    def text(self):
        return self.err + "\n".join("%s|%s|%s" % problem for problem in self.problems)


def limit():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def walk(tmp_path, *reports, stdin=None):
    out, err = tmp_path / "out", tmp_path / "err"
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        child = subprocess.Popen([WALK, *reports], stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                                 preexec_fn=limit, cwd=tmp_path)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    text = err.read_text("utf-8", "replace")
    return Result(child.returncode, out.read_text("utf-8"), text, usage.ru_maxrss * 1024)


# name: (maker, exit code, regular expression that problems or the error must match, members that must be whole)
ALL = ("var/log/kern.log",)
SMLOG = ("var/log/SMlog",)
NONE = ()
CASES = {
    # no archives
    "empty file": (file_of("a.zip", b""), 3, "'[^']*a.zip' is empty", NONE),
    "text": (file_of("notes.log", LINES), 3, "neither a folder nor a zip or tar", NONE),
    "7z": (file_of("a.7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 100), 3, "7z archive.*unpack it", NONE),
    "tar.gz cut at its beginning": (file_of("a.tgz", gzip.compress(good_tar())[:4000]), 3, "holds nothing.*cut off", NONE),
    "noise called tar.gz": (file_of("a.tar.gz", bytes(range(256)) * 40), 3, "holds nothing that can be read", NONE),
    "zeros": (file_of("a.tar", b"\0" * 10240), 3, "holds no files", NONE),
    "text as gz": (file_of("notes.log.gz", gzip.compress(LINES)), 3, "neither a folder nor a zip or tar", NONE),
    # single logs
    "log": (file_of("kern.log", LINES), 0, "single files", ALL),
    "log behind zeros": (file_of("kern.log", b"\0" * 20000 + LINES), 0, "single files", ALL),
    "log of noise": (file_of("SMlog", bytes(range(256)) * 40), 0, "single files", SMLOG),
    "empty log": (file_of("SMlog", b""), 3, "SMlog' is empty", NONE),
    "log as gz cut": (file_of("SMlog.1.gz", gzip.compress(LINES)[:-100]), 0, r"truncated\|var/log/SMlog.1.gz\|", NONE),
    "log as gz that is none": (file_of("SMlog.gz", LINES), 0, r"damaged\|var/log/SMlog.gz\|", NONE),
    "log as gz of zeros": (file_of("SMlog.gz", lambda: make.zeros_gz(200)), 0, "refused.*archive bombs", NONE),
    "RAR called log": (file_of("SMlog", b"Rar!\x1a\x07" + b"\0" * 100), 3, "RAR archive.*unpack it", NONE),
    # cut and damaged
    "zip cut in the middle": (file_of("a.zip", good_zip()[:-400]), 0, "truncated", ALL),
    "zip cut early": (file_of("a.zip", good_zip()[:20]), 3, "cut off", NONE),
    "tar cut": (file_of("a.tar", good_tar()[:len(LINES) // 2]), 0, "truncated.*kern.log.*cut off", NONE),
    "tar.gz cut": (file_of("a.tgz", gzip.compress(good_tar(tar_member(TOP + "var/log/x", os.urandom(1 << 20))))[:-500000]), 0, "truncated.*cut off", ALL),
    "tar.bz2 cut": (file_of("a.tar.bz2", bz2.compress(good_tar(tar_member(TOP + "var/log/x", os.urandom(1 << 21))))[:-500000]), 0, "truncated.*cut off", ALL),
    "tar.xz cut": (file_of("a.tar.xz", lzma.compress(good_tar())[:3000]), 0, "truncated.*cut off", NONE),
    "tar.gz flipped": (file_of("a.tgz", patched(gzip.compress(good_tar()), 3000, b"\xff" * 40)), 0, "damaged", NONE),
    "tar with a damaged header": (file_of("a.tar", tar_member(TOP + "var/log/a", b"1") + b"\xaa" * 512 + good_tar()), 0, "damaged in the middle", ALL),
    "gz log cut": (file_of("a.tar", good_tar(tar_member(KERN + ".1.gz", gzip.compress(LINES)[:-100]))), 0, r"truncated\|var/log/kern.log.1.gz\|", ALL),
    "gz log with a wrong sum": (file_of("a.tar", good_tar(tar_member(KERN + ".1.gz", patched(gzip.compress(LINES), -8, b"\0\1\2\3")[:len(gzip.compress(LINES))]))), 0, r"damaged\|var/log/kern.log.1.gz\|.*incorrect data check", ALL),
    "gz log that is none": (file_of("a.tar", good_tar(tar_member(KERN + ".1.gz", LINES))), 0, r"damaged\|var/log/kern.log.1.gz\|", ALL),
    "empty gz log": (file_of("a.tar", good_tar(tar_member(KERN + ".1.gz", b""))), 0, r"var/log/kern.log.1.gz\|.*empty", ALL),
    # names
    "dot dot": (file_of("a.tar", good_tar(tar_member(TOP + "var/../../../etc/passwd", b"x"))), 0, "suspicious.*leads out", ALL),
    "dot dot with backslashes": (file_of("a.zip", lambda: good_zip({KERN: LINES, "..\\..\\evil": b"x"})), 0, "suspicious.*leads out", ALL),
    "absolute": (file_of("a.tar", tar_member("/" + KERN, LINES) + TAR_END), 0, "", ALL),
    "no name": (file_of("a.tar", good_tar(tar_member("", b"x") + tar_member("./", b"x"))), 0, "", ALL),
    "name of 65535 bytes": (file_of("a.tar", good_tar(tar_member("v" * 65535, b"x"))), 0, "refused.*longer than 4096", ALL),
    "path of 200 folders": (file_of("a.tar", good_tar(tar_member("v/" * 200 + "x", b"x"))), 0, "refused.*deeper than 64", ALL),
    "control characters": (file_of("a.tar", good_tar(tar_member(TOP + "var/log/\x1b]0;evil\x07\n\r", b"x"))), 0, "", ALL),
    "not UTF-8": (file_of("a.tar", good_tar(tar_member(TOP.encode() + b"var/log/\xff\xfe\xc0\xaf", b"x"))), 0, "", ALL),
    "NUL in a name": (file_of("a.zip", lambda: make.contradicting(KERN.encode() + b"\0.txt", KERN.encode() + b"\0.txt")), 0, "describe it differently", SMLOG),
    "duplicates": (file_of("a.tar", good_tar(tar_member("./" + KERN.replace("/", "//"), b"other\n"))), 0, "suspicious.*more than once", NONE),
    # special entries
    "links": (file_of("a.tar", good_tar(tar_member(TOP + "var/lib", kind=b"2", link="/etc") + tar_member(TOP + "var/lib/passwd", b"x") + tar_member(TOP + "hard", kind=b"1", link="/etc/shadow"))), 0, "1 hard links", ALL),
    "devices": (file_of("a.tar", good_tar(tar_member(TOP + "var/dev", kind=b"3") + tar_member(TOP + "var/fifo", kind=b"6"))), 0, "", ALL),
    "negative size": (file_of("a.tar", good_tar(tar_member(TOP + "var/x", size=(1 << 64) - 1))), 0, "", ALL),
    "size of 8 EiB": (file_of("a.tar", good_tar()[:-2048] + tar_member(TOP + "var/x", b"x", size=(1 << 63) - 1)), 0, "truncated", ALL),
    "sparse 8 EiB": (file_of("a.tar", make.sparse_tar((1 << 63) - 512)), 0, "refused.*archive bombs", NONE),
    "long link chain": (file_of("a.tar", make.chained_long_links(5000)), 3, "holds nothing", NONE),
    # zips that lie
    "zip entries overlap fully": (file_of("a.zip", make.full_overlap), 3, "entries overlap", NONE),
    "zip entries quote each other": (file_of("a.zip", make.quoted_overlap), 3, "entries overlap", NONE),
    "zip names differ": (file_of("a.zip", make.contradicting), 0, "refused.*describe it differently", SMLOG),
    "zip methods differ": (file_of("a.zip", lambda: make.contradicting(other=KERN.encode(), other_method=0)), 0, "refused.*describe it differently", SMLOG),
    "zip sizes differ": (file_of("a.zip", lambda: make.contradicting(other=KERN.encode(), lie=7)), 0, "refused.*describe it differently", SMLOG),
    "zip with lzma": (file_of("a.zip", make.lzma_zip), 0, "refused.*compressed by a method", SMLOG),
    "zip encrypted": (file_of("a.zip", make.encrypted_zip), 3, "encrypted.*without a password", NONE),
    "zip of 4 G entries": (file_of("a.zip", make.huge_list_zip), 3, "more entries than the limit", NONE),
    "zip behind other bytes": (file_of("a.zip", b"PK\5\6" + b"#" * 100 + good_zip()), 0, "", NONE),
    "zip says 10 bytes": (file_of("a.zip", make.short_size_zip), 0, "suspicious.*more data than", NONE),
    # bombs
    "zip of zeros": (file_of("a.zip", lambda: good_zip({KERN: b"\0" * (200 << 20), TOP + "var/log/SMlog": LINES})), 0, "refused.*archive bombs", NONE),
    "gz of zeros": (file_of("a.tar", lambda: good_tar(tar_member(KERN + ".1.gz", make.zeros_gz(200)))), 0, "refused.*archive bombs", NONE),
    "tar.gz of zeros": (file_of("a.tgz", lambda: make.gz_of_repeated(tar_member(KERN, b"\0" * (200 << 20)), 1)), 0, "refused.*archive bombs", NONE),
    "tar.xz of zeros": (file_of("a.tar.xz", lambda: lzma.compress(good_tar(tar_member(TOP + "var/log/x", b"\0" * (100 << 20))), preset=0)), 0, "refused.*archive bombs", ALL),
    "tar.bz2 of zeros": (file_of("a.tar.bz2", lambda: bz2.compress(good_tar(tar_member(TOP + "var/log/x", b"\0" * (100 << 20))))), 0, "refused.*archive bombs", ALL),
    "nested too deeply": (file_of("a.zip", lambda: make.nested_zip(12, LINES)), 3, "refused.*|limit on nesting", NONE),
    "small bombs in zips in zips": (file_of("a.zip", lambda: make.many_nested(16, 3)), 0, "refused.*archive bombs", NONE),
    "30 compressions": (file_of("a.tgz", lambda: make.filters_in_filters(30)), 3, "holds nothing", NONE),
    "headers only": (file_of("a.tgz", lambda: make.long_pax(900, 400)), 0, "refused.*archive bombs", NONE),
    "300000 entries": (file_of("a.tgz", lambda: make.many_entries(300000)), 3, "limit", NONE),
    "5000 hosts": (file_of("a.tar", lambda: make.many_hosts(5000)), 0, "limit of 1024", SMLOG),
    "xz dictionary of 4 GiB": (file_of("a.tar.xz", make.big_dictionary_xz), 3, "needs more than 128 MiB", NONE),
    # what reports say about themselves
    "inventory with entities": (file_of("a.tar", make.inventory_tar(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><system-status-inventory>&a;</system-status-inventory>')), 0, "inventory cannot be read: it has a document type", ALL),
    "inventory of a million elements": (file_of("a.tar", lambda: make.inventory_tar(b"<system-status-inventory>" + b"<a>" * 1000000)), 0, "nested too deeply", ALL),
    "inventory with a huge attribute": (file_of("a.tar", lambda: make.inventory_tar(b'<system-status-inventory><system-summary date="' + b"x" * (8 << 20) + b'" hostname="h"/></system-status-inventory>')), 0, "", ALL),
    "manifest of brackets": (file_of("a.tar", lambda: make.manifest_tar(b"[" * 1000000)), 0, "manifest cannot be read", ALL),
    "manifest of objects": (file_of("a.tar", lambda: make.manifest_tar(b"[" + b"{}," * 5000000 + b"{}]")), 0, "larger than any manifest", ALL),
    "manifest with duplicate keys": (file_of("a.tar", make.manifest_tar(b'{"schema": "x", "schema": "y"}')), 0, "duplicate", ALL),
    "manifest of 40 MB": (file_of("a.tar", lambda: make.manifest_tar(b'{"schema": "' + b"x" * (40 << 20) + b'"}')), 0, "larger than any manifest", ALL),
    # folders
    "folder with fifo, links and socket": (make.tree, 0, "", SMLOG + ("var/log/kern.log.1.gz",)),
    "folder of 100 levels": (make.deep_tree, 0, "nested more than 64", SMLOG),
}


@pytest.mark.alike
@pytest.mark.parametrize("name", CASES)
def test_hostile_archive_ends_with_a_clear_word(tmp_path, name):
    maker, code, pattern, whole = CASES[name]
    result = walk(tmp_path, maker(str(tmp_path)))
    assert result.code == code, result.text()
    assert re.search(pattern, result.text()), result.text()
    for path in whole:
        assert result.members[path][1] == "complete", result.out
    assert result.peak <= PEAK * (4 if SANITIZED else 1)
    assert "\x1b" not in result.out and "runtime error" not in result.err
    if code == 3:
        assert len(result.err.splitlines()) == 1 and result.err.startswith("report-walk: '")


@pytest.mark.alike
@pytest.mark.parametrize("name", CASES)
def test_hostile_archive_by_a_pipe_ends_too(tmp_path, name):
    path = CASES[name][0](str(tmp_path))
    if os.path.isdir(path):
        path = "/dev/null"
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        result = walk(tmp_path, "-", stdin=cat.stdout)
        cat.stdout.close()
    assert result.code in (0, 3), result.text()
    assert result.peak <= PEAK * (4 if SANITIZED else 1)


def test_links_and_fifos_of_a_folder_are_no_members(tmp_path):
    result = walk(tmp_path, make.tree(str(tmp_path)))
    assert sorted(result.members) == ["var/log/SMlog", "var/log/kern.log.1.gz"]


def test_nothing_is_written_beside_the_report(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    evil = tar_member("../../escaped", b"x") + tar_member("/tmp/escaped", b"x")
    path = make.write(str(folder), "a.tar", good_tar(evil))
    walk(tmp_path, path)
    assert sorted(os.listdir(tmp_path)) == ["err", "in", "out"]
    assert os.listdir(folder) == ["a.tar"]


def test_a_bomb_does_not_spoil_the_report_beside_it(tmp_path):
    bomb = make.write(str(tmp_path), "bomb.zip", make.quoted_overlap())
    good = make.write(str(tmp_path), "good.tar", good_tar())
    result = walk(tmp_path, bomb, good)
    assert result.code == 3 and "bomb.zip" in result.err
    assert result.members["var/log/kern.log"] == (len(LINES), "complete")
    assert result.hosts == ["host1"]


def test_a_large_honest_report_passes(tmp_path):
    lines = b"".join(b"Mar  3 10:11:12 host1 xapi: [debug|host1|%d |task %x] some text\n" % (n, n * 7919) for n in range(1000000))
    path = make.write(str(tmp_path), "a.zip", good_zip({KERN: lines, TOP + "var/log/SMlog": LINES, TOP + "inventory.xml": make.INVENTORY}))
    result = walk(tmp_path, path)
    assert result.code == 0 and result.problems == []
    assert result.members["var/log/kern.log"] == (len(lines), "complete")


@pytest.mark.alike
@pytest.mark.parametrize("seed", range(40))
def test_archives_with_random_damage_end_by_themselves(tmp_path, seed):
    import random
    chance = random.Random(seed)
    base = [good_zip(), good_tar(), gzip.compress(good_tar(), mtime=0), bz2.compress(good_tar()), lzma.compress(good_tar())][seed % 5]
    data = bytearray(base)
    for _ in range(max(1, len(data) // 500)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    result = walk(tmp_path, make.write(str(tmp_path), "a.tar", bytes(data)))
    assert result.code in (0, 3), result.text()
    assert result.members or result.problems or result.err
