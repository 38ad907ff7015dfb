#!/usr/bin/python3
"""Collecting, side by side with what people use today.

    tests/bench/collect.py [BIN] [PART...]   BIN: folder of xen-bugtool (default build/release/bin)
                                             PART: zip best tar.bz2 formats commands database flood (default all)

The original tool is a Python program that reads each file and hands it to zipfile or tarfile, one after the other.
`python zipfile` and `python tarfile` here do that and nothing else: a lower bound of its time. `as the original` also
holds each file whole and digests it for the inventory, but neither looks for secrets nor runs anything.
The logs are 272 MB and 56 MB of compressed rotations. Commands need root.
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import make_host
import measure

ROOT = os.environ.get("XENHEALTH_BENCH", "/tmp/xenhealth-bench")
LOGS, OUT, DATABASE, CATALOGS = ROOT + "/root", ROOT + "/out", ROOT + "/database", ROOT + "/catalogs"

ZIPFILE = """
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED) as z:
    for folder, _, names in os.walk(sys.argv[1]):
        for name in sorted(names):
            z.write(os.path.join(folder, name), os.path.relpath(os.path.join(folder, name), sys.argv[1]))
"""
ORIGINAL = """
import hashlib, os, sys, zipfile
with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED) as z:
    for folder, _, names in os.walk(sys.argv[1]):
        for name in sorted(names):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            hashlib.md5(data).hexdigest()
            z.writestr(os.path.relpath(os.path.join(folder, name), sys.argv[1]), data)
"""
TARFILE = """
import sys, tarfile
with tarfile.open(sys.argv[2], "w|bz2") as t:
    t.add(sys.argv[1], "report")
"""


def python(program, suffix):
    return ["/usr/bin/python3", "-c", program, LOGS + "/var", OUT + "/peer" + suffix], {0}


class Bugtool:
    def __init__(self, folder):
        self.binary = os.path.join(folder, "xen-bugtool")

    def run(self, entries, output, *options):
        # Every run needs a name of its own: the archive's name has the second it was begun in.
        return ["/bin/sh", "-c", "XENRT_BUGTOOL_BASENAME=bug-report-$$ exec \"$@\"", "sh", self.binary, "--entries=" + entries,
                "--unlimited", "-y", "-s", "--output=" + output, "--outdir", OUT, *options], {0}

    def logs(self, output, *options):
        return self.run("system-logs,xenserver-logs", output, "--root", LOGS, *options)


def clear():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT, mode=0o700)


def sizes(suffix):
    for name in sorted(os.listdir(OUT)):
        if name.endswith(suffix):
            print("    %-40s %.1f MB" % (name, os.path.getsize(os.path.join(OUT, name)) / 1e6))
    clear()


def part_zip(tool):
    measure.compare({"python zipfile": python(ZIPFILE, ".zip"), "as the original": python(ORIGINAL, ".zip"),
                     "xen-bugtool --output=zip": tool.logs("zip")})
    sizes(".zip")


def part_best(tool):
    measure.compare({"python zipfile": python(ZIPFILE, ".zip"), "as the original": python(ORIGINAL, ".zip"),
                     "xen-bugtool --compression=best": tool.logs("zip", "--compression=best")})
    sizes(".zip")


def part_bzip2(tool):
    measure.compare({"python tarfile": python(TARFILE, ".tar.bz2"), "xen-bugtool --output=tar.bz2": tool.logs("tar.bz2"),
                     "with --compression=fast": tool.logs("tar.bz2", "--compression=fast")}, rounds=1)
    sizes(".tar.bz2")


def part_formats(tool):
    measure.compare({"%s, %s" % (form, effort): tool.logs(form, "--compression=" + effort)
                     for form in ("tar", "tar.gz", "tar.zst") for effort in ("fast", "balanced", "best")
                     if form != "tar" or effort == "fast"}, rounds=1)
    sizes("")


def part_commands(tool):
    folder = make_host.sleepers(CATALOGS + "/sleepers")
    print("%d commands of %.1f s" % (make_host.SLEEPERS, make_host.SLEEP))
    one = "for i in $(seq %d); do sleep %s; done" % (make_host.SLEEPERS, make_host.SLEEP)
    measure.compare({"one after the other": (["/bin/sh", "-c", one], {0}),
                     "xen-bugtool --jobs=8": tool.run("sleepers", "zip", "--catalog", folder, "--jobs=8")}, rounds=1)
    clear()


def part_database(tool):
    make_host.database(DATABASE)
    print("a database of %d MB" % (make_host.DATABASE / 1e6))
    result = measure.compare({"xen-bugtool": tool.run("xenserver-databases", "zip", "--root", DATABASE)}, rounds=1)["xen-bugtool"]
    print("    %.1f s for 100 MB" % (result["wall"] * 1e8 / make_host.DATABASE))
    clear()


def part_flood(tool):
    folder = make_host.flood(CATALOGS + "/flood")
    print("a command that prints %d MB" % (make_host.FLOOD / 1e6))
    measure.compare({"xen-bugtool --output=%s" % form: tool.run("flood", form, "--catalog", folder) for form in ("zip", "tar")}, rounds=1)
    clear()


PARTS = {"zip": part_zip, "best": part_best, "tar.bz2": part_bzip2, "formats": part_formats, "commands": part_commands,
         "database": part_database, "flood": part_flood}


def main():
    tool = Bugtool(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/release/bin"))
    # In a process of its own: what it needs would count as the peak of every command started from here.
    subprocess.run([sys.executable, os.path.join(HERE, "make_logs.py"), LOGS], check=True)
    clear()
    for name in sys.argv[2:] or PARTS:
        print("\n" + name)
        PARTS[name](tool)
    shutil.rmtree(OUT)


if __name__ == "__main__":
    main()
