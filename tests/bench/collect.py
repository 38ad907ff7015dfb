#!/usr/bin/python3
"""Collecting 272 MB of logs and 56 MB of compressed rotations, side by side with what people use today.

    tests/bench/collect.py [BIN]        BIN: folder of xen-bugtool (default build/release/bin)

The original tool is a Python program that reads each file and hands it to zipfile or tarfile, one after the other;
`python zipfile` and `python tarfile` here do just that and nothing else, so they are a lower bound of its time.
"""
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import make_logs
import measure

ROOT = os.environ.get("XENHEALTH_BENCH", "/tmp/xenhealth-bench")
LOGS, OUT = ROOT + "/root", ROOT + "/out"

ZIPFILE = """
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED) as z:
    for folder, _, names in os.walk(sys.argv[1]):
        for name in sorted(names):
            z.write(os.path.join(folder, name), os.path.relpath(os.path.join(folder, name), sys.argv[1]))
"""
TARFILE = """
import sys, tarfile
with tarfile.open(sys.argv[2], "w|bz2") as t:
    t.add(sys.argv[1], "report")
"""


def bugtool(binary, form):
    return [binary, "--root", LOGS, "--entries=system-logs,xenserver-logs", "--unlimited", "-y", "-s",
            "--output=" + form, "--outdir", OUT]


def newest(suffix):
    files = [os.path.join(OUT, f) for f in os.listdir(OUT) if f.endswith(suffix) and f.startswith("bug-report")]
    return os.path.getsize(max(files, key=os.path.getmtime)) / 1e6


def main():
    binary = os.path.join(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/release/bin"), "xen-bugtool")
    make_logs.main(LOGS)
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT, mode=0o700)
    # Every run needs a name of its own: the archive's name has the second it was begun in.
    wrap = lambda form: ["/bin/sh", "-c", "XENRT_BUGTOOL_BASENAME=bug-report-$$ exec \"$@\"", "sh"] + bugtool(binary, form)
    print("zip")
    measure.compare({
        "python zipfile": (["/usr/bin/python3", "-c", ZIPFILE, LOGS + "/var", OUT + "/peer.zip"], {0}),
        "xen-bugtool --output=zip": (wrap("zip"), {0}),
    })
    print("sizes: python zipfile %.1f MB, xen-bugtool %.1f MB\n" % (os.path.getsize(OUT + "/peer.zip") / 1e6, newest(".zip")))
    print("tar.bz2")
    measure.compare({
        "python tarfile bz2": (["/usr/bin/python3", "-c", TARFILE, LOGS + "/var", OUT + "/peer.tar.bz2"], {0}),
        "xen-bugtool --output=tar.bz2": (wrap("tar.bz2"), {0}),
    }, rounds=1)
    print("sizes: python tarfile %.1f MB, xen-bugtool %.1f MB" % (os.path.getsize(OUT + "/peer.tar.bz2") / 1e6, newest(".tar.bz2")))
    shutil.rmtree(OUT)


if __name__ == "__main__":
    main()
