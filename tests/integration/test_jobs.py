# SPDX-License-Identifier: LGPL-2.1-only
"""The result of an analysis does not depend on how many threads read: byte for byte the same JSON."""
import bz2
import glob
import gzip
import io
import lzma
import os
import pathlib
import random
import subprocess
import tarfile
import zipfile

import pytest

import test_hostile_set
from conftest import FULL

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])

SAMPLES = sorted(glob.glob(str(SOURCE / "samples" / "*.zip")) + glob.glob(str(SOURCE / "samples" / "*.tar*")))
LINES = 30000 if FULL else 5000  # of the longest logs
# All hostile reports in a whole run, else every twelfth.
STEP = 1 if FULL else 12
JOBS = (1, 2, 7) if FULL else (1, 7)


def analyse(path, jobs, *options, cwd=None):
    result = subprocess.run([BIN / "xen-analyze", "--jobs", str(jobs), "--format", "json", *options, path], capture_output=True,
                            timeout=60, cwd=cwd)
    return result.returncode, result.stdout, result.stderr


def assert_same(path, *options, cwd=None):
    results = [analyse(path, jobs, *options, cwd=cwd) for jobs in JOBS]
    assert results[0][1] or results[0][0] == 3
    for other in results[1:]:
        assert other == results[0]
    return results[0]


def kernel_log(rng, lines):
    """A log in which a few patterns hit again and again, some lines twice, as kern.log and messages have them."""
    out = []
    for i in range(lines):
        stamp = "Nov %2d %02d:%02d:%02d host1 kernel: [%5d.%06d]" % (1 + i % 3, i // 60 % 24, i % 60, i % 60, i % 5000, rng.randrange(50))
        out.append(stamp + rng.choice([
            " Out of memory: Kill process %d (xapi) score 5 or sacrifice child" % rng.randrange(9999),
            " end_request: I/O error, dev sd%s, sector %d" % (rng.choice("abc"), rng.randrange(9999)),
            " EXT3-fs error (device sda1): ext3_lookup", " device vif1.0 entered promiscuous mode"]))
    return ("\n".join(out) + "\n").encode()


def members(rng):
    """A report whose members differ widely in size, so that threads finish them out of order."""
    files = {"etc/xensource-inventory": b"PRODUCT_VERSION='8.2.1'\n", "inventory.xml": b"<system-status-inventory/>"}
    for name in ("kern.log", "messages", "SMlog", "xensource.log", "daemon.log"):
        for number in range(6):
            log = kernel_log(rng, rng.choice([3, 300, LINES]))
            files["var/log/%s%s" % (name, ".%d" % number if number else "")] = log
            files["var/log/%s.%d.gz" % (name, number + 10)] = gzip.compress(log, 1, mtime=0)
    for number in range(200):
        files["ethtool-S-eth%d.out" % number] = b"NIC statistics:\n     rx_errors: %d\n" % number
    files["var/log/kern.log.20.gz"] = gzip.compress(files["var/log/kern.log"])[:-20]
    files["var/log/kern.log.21.gz"] = b"not gzip at all"
    # The reader's own thread decompresses these, between what the others do.
    files["var/log/kern.log.22.xz"] = lzma.compress(kernel_log(rng, 300), preset=0)
    files["var/log/kern.log.23.bz2"] = bz2.compress(kernel_log(rng, 300), 1)
    return files


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    files = members(random.Random(7))
    with zipfile.ZipFile(folder / "report.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr("bug-report-20261103101112/" + name, data)
    for mode, name in (("w", "report.tar"), ("w:gz", "report.tar.gz")):
        with tarfile.open(folder / name, mode) as archive:
            for path, data in files.items():
                info = tarfile.TarInfo("bug-report-20261103101112/" + path)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    for path, data in files.items():
        place = folder / "folder" / "bug-report-20261103101112" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    with zipfile.ZipFile(folder / "bundle.zip", "w") as archive:
        archive.write(folder / "report.tar.gz", "host1.tar.gz")
        archive.write(folder / "report.zip", "host2.zip")
        archive.writestr("host3/var/log/SMlog", files["var/log/SMlog"])
    whole = (folder / "report.zip").read_bytes()
    (folder / "cut.zip").write_bytes(whole[:len(whole) // 2])
    damaged = bytearray(whole)
    for place in range(1000, len(damaged) - 100000, 200001):
        damaged[place] ^= 0xff
    (folder / "damaged.zip").write_bytes(damaged)
    return folder


@pytest.mark.alike
@pytest.mark.parametrize("path", SAMPLES, ids=os.path.basename)
def test_samples(path):
    assert_same(path)


@pytest.mark.alike
@pytest.mark.parametrize("name", ["report.zip", "report.tar", "report.tar.gz", "folder", "bundle.zip", "cut.zip", "damaged.zip"])
def test_reports_with_many_hits(report, name):
    status, out, _ = assert_same(report / name)
    assert status in (0, 1) and b"findings" in out


@pytest.mark.alike
@pytest.mark.parametrize("kind, name", test_hostile_set.ALL[::STEP])
def test_hostile_reports(tmp_path, kind, name):
    case = test_hostile_set.SETS[kind][0].CASES[name]
    assert_same(test_hostile_set.make_apart(case, tmp_path))


def test_tables_are_filled_in_the_same_order(report):
    query = "SELECT * FROM sqlite_master"
    assert_same(report / "report.zip", "--query", query)


def test_members_that_wait_for_a_long_one_take_little_memory(tmp_path):
    """They are read while the long one is; what was found in them waits for its place, and nothing else of them does."""
    path, top = tmp_path / "report.zip", "bug-report-20261120101112"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(f"{top}/var/log/kern.log", b"Nov 20 10:00:00 host1 kernel: [ 1234.567890] nothing to see here\n" * 500000)
        for number in range(1, 1200):
            archive.writestr(f"{top}/var/log/SMlog.{number}", "Nov 20 09:00:00 host1 SM: [1] lock: opening lock file\n")
    status, _, errors = analyse(path, 4)
    assert (status, errors) == (0, b"")


@pytest.fixture(scope="module")
def growing():
    """Members that grow 500-fold."""
    return {f"var/log/kern.log.{number + 2}.gz": gzip.compress(kernel_log(random.Random(number), 50) + b"\n" * (6 << 20), 9, mtime=0)
            for number in range(40)}


@pytest.mark.alike
@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_the_budget_ends_at_the_same_member(tmp_path, growing, kind):
    """The limit on the ratio of the whole report is reached in the middle of them."""
    folder, data = tmp_path / "bomb", growing
    if kind == "zip":
        path = tmp_path / "bomb.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, bytes_ in data.items():
                archive.writestr(name, bytes_)
    elif kind == "tar":
        path = tmp_path / "bomb.tar"
        with tarfile.open(path, "w") as archive:
            for name, bytes_ in data.items():
                info = tarfile.TarInfo(name)
                info.size = len(bytes_)
                archive.addfile(info, io.BytesIO(bytes_))
    else:
        path = folder
        for name, bytes_ in data.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(bytes_)
    _, out, _ = assert_same(path)
    assert b"archive bombs" in out
