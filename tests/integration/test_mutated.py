# SPDX-License-Identifier: LGPL-2.1-only
"""Thousands of damaged archives, read in one process: none crashes or hangs the reader or the tables."""
import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import tarfile
import zipfile

sys.path.insert(0, os.path.dirname(__file__))
import hostile_archives as make  # noqa: E402
from hostile import bombs, members, names, tars, zips  # noqa: E402
from hostile.case import bytes_of  # noqa: E402

MUTATE = os.path.join(os.environ["XENHEALTH_BIN"], "report-mutate")
SAMPLE = os.path.join(os.environ["XENHEALTH_SOURCE"], "samples", "host-problems.tar.bz2")
FULL = os.environ.get("XENHEALTH_TORTURE") == "full"
ROUNDS = 20000 if FULL else 400
SEED_BYTES_MAX = 400_000  # of one archive: damage in large ones lands in logs and tells little


def small_report(limit=1200):
    """The files of a sample, each cut to its first bytes."""
    with tarfile.open(SAMPLE) as archive:
        return {info.name: archive.extractfile(info).read(limit) for info in archive if info.isfile()}


def as_tar(report):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in report.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def as_zip(report, method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in report.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def seeds():
    report = small_report()
    tar = as_tar(report)
    yield from (tar, gzip.compress(tar, mtime=0), bz2.compress(tar), lzma.compress(tar), as_zip(report, zipfile.ZIP_STORED),
                as_zip(report, zipfile.ZIP_DEFLATED), make.good_tar(make.tar_member(make.KERN + ".1.gz", gzip.compress(make.LINES))),
                make.good_zip({"host1.tar": tar, "host2.zip": as_zip(report, zipfile.ZIP_DEFLATED)}))
    for module in (bombs, names, zips, tars, members):
        for number, case in enumerate(module.CASES.values()):
            if case.file != "folder" and (FULL or number % 5 == 0):
                yield bytes_of(case)


def test_damaged_archives_are_read_to_an_end(tmp_path):
    paths = []
    for data in seeds():
        if len(data) > SEED_BYTES_MAX:
            continue
        paths.append(tmp_path / ("seed%d" % len(paths)))
        paths[-1].write_bytes(data)
    result = subprocess.run([MUTATE, str(ROUNDS), "1", *paths], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-4000:]
    assert result.stdout.startswith("%d rounds, " % ROUNDS)
    seen_members, seen_rows = int(result.stdout.split()[2]), int(result.stdout.split()[4])
    assert seen_members > ROUNDS / 4 and seen_rows > ROUNDS / 4, "hardly anything was reached: " + result.stdout
    assert len(os.listdir(tmp_path)) == len(paths), "something was written"
