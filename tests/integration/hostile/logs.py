# SPDX-License-Identifier: LGPL-2.1-only
"""Logs that nobody wrote for people: endless lines, binary, and lines made to keep our own patterns busy."""
import glob
import gzip
import os
import random
import re

import yaml

from hostile_archives import INVENTORY, TOP, good_tar, good_zip, gz_of_repeated, tar_member

from .attack import lines_for
from .case import Case

SOURCE = os.environ["XENHEALTH_SOURCE"]
LOGS = ("kern.log", "messages", "daemon.log", "xensource.log", "SMlog", "xha.log", "secure", "user.log", "audit.log",
        "xen/hypervisor.log", "openvswitch/ovs-vswitchd.log", "xcp-rrdd-plugins.log", "squeezed.log")
STAMP = b"Mar  3 10:00:00 host1 kernel: [ 1.0] "
MIB = 1 << 20


def shipped_patterns():
    """Every `match` and `unless` of every log pattern of the built-in rules."""
    for path in sorted(glob.glob(os.path.join(SOURCE, "rules", "*", "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            rule = yaml.load(file, Loader=yaml.BaseLoader)
        for log in [rule.get("log"), *(rule.get("logs") or {}).values()]:
            for key in ("match", "unless"):
                if log and key in log:
                    yield log[key]


def attacks(stretch):
    lines = [line.replace("\n", " ") for pattern in shipped_patterns() for line in lines_for(pattern, stretch)]
    assert len(lines) > 300
    return b"".join(stamp + line.encode("utf-8", "replace") + b"\n" for line in lines for stamp in (b"", STAMP))


def in_all_logs(data):
    return lambda: good_tar(b"".join(tar_member(TOP + "var/log/" + name, text)
                                     for text in [data()] for name in LOGS))


def in_one_log(data, name="kern.log"):
    return lambda: good_tar(tar_member(TOP + "var/log/" + name + ".1", data() if callable(data) else data))


def gigabyte_without_end():
    """A line of 1 GB that does not compress like zeros: 100 to one."""
    chance = random.Random(1)
    block = bytes(chance.choice(b"abcdefgh") for _ in range(6000)) + b"a" * (MIB - 6000)
    return good_tar(tar_member(TOP + "var/log/kern.log.1.gz", gz_of_repeated(block, 1024)))


def noise(size):
    return random.Random(2).randbytes(size)


def honest_bundle():
    """A gigabyte of log lines that repeat themselves as logs do, in rotations and whole."""
    def build():
        chance = random.Random(3)
        lines = b"".join(b"Mar  3 10:%02d:%02d host1 xapi: [debug||%d |VM.get_record D:%06x|dispatcher] spawning a new thread\n"
                         % (n // 36000 % 60, n // 600 % 60, n // 100, chance.randrange(4)) for n in range(100000))
        rotations = {TOP + "var/log/xensource.log.%d.gz" % n: gzip.compress(lines, 6, mtime=0) for n in range(1, 6)}
        return good_zip({**{TOP + "var/log/" + name: lines for name in ("daemon.log", "SMlog", "messages")}, **rotations,
                         TOP + "inventory.xml": INVENTORY})
    return Case(build, "honest.zip")


NASTY = {
    "64 KiB of a": lambda: (b"a" * 65535 + b"\n") * 100,
    "64 KiB of a behind a stamp": lambda: (STAMP + b"a" * 65000 + b"\n") * 100,
    "64 KiB of digits": lambda: (STAMP + b"0123456789" * 6500 + b"\n") * 100,
    "64 KiB of blanks": lambda: (b" " * 65535 + b"\n") * 100,
    "a line of 30 MB": lambda: STAMP + b"error " * (5 * MIB),
    "NULs": lambda: b"\0" * (5 * MIB),
    "NULs between letters": lambda: STAMP + b"\0".join(b"oom-killer" for _ in range(100000)),
    "noise": lambda: noise(8 * MIB),
    "noise in lines": lambda: noise(8 * MIB).replace(b"e", b"\n"),
    "only line ends": lambda: b"\n" * (5 * MIB),
    "only carriage returns": lambda: b"\r" * MIB,
    "UTF-16": lambda: (STAMP + b"out of memory\n").decode().encode("utf-16") * 50000,
    "half characters": lambda: b"\xe2\x82\n" * MIB,
    "escape sequences": lambda: (STAMP + b"\x1b]0;evil\x07\x1b[2J Out of memory: Killed process 1 (xapi)\n") * 20000,
    "stamps of nonsense": lambda: b"Foo 99 99:99:99 host1 kernel: x\n9999-99-99T99:99:99 x\n[99999999999.9] x\n" * 50000,
    "years of nonsense": lambda: b"0000-01-01T00:00:00 x\n9999-12-31T23:59:60Z x\n-5000-01-01 x\n" * 50000,
    "repeated a million million times": lambda: STAMP + b"message repeated 999999999999 times: [ Out of memory: Killed process 1 (xapi)]\n",
    "every line a hit": lambda: (STAMP + b"Out of memory: Killed process 1234 (xapi) total-vm:1kB\n") * 100000,
    "every line an I/O error": lambda: (STAMP + b"blk_update_request: I/O error, dev sda, sector 12345\n") * 100000,
    "every line another host": lambda: b"".join(b"Mar  3 10:00:00 h%d kernel: Out of memory: Killed process 1 (x%d)\n" % (n, n) for n in range(100000)),
}

CASES = {
    **{what: Case(in_one_log(data)) for what, data in NASTY.items()},
    **{what + ", SMlog": Case(in_one_log(data, "SMlog")) for what, data in NASTY.items()},
    "no line end in a gigabyte": Case(gigabyte_without_end),
    "attacks on all patterns, 200 characters": Case(in_all_logs(lambda: attacks(200))),
    "attacks on all patterns, 3000 characters": Case(in_all_logs(lambda: attacks(3000))),
    "attacks on all patterns, 60000 characters": Case(in_one_log(lambda: attacks(60000))),
}
