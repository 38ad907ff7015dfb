# SPDX-License-Identifier: LGPL-2.1-only
"""A report cut at any place: what is found in it stands, and what is not found is unknown, never pass."""

import bz2
import gzip
import io
import json
import lzma
import os
import pathlib
import subprocess
import tarfile
import zipfile

import pytest

from conftest import FULL

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SAMPLE = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "samples/host-problems.tar.bz2"


def analyse(path):
    done = subprocess.run([BIN / "xen-analyze", "--format", "json", path], capture_output=True, timeout=300)
    return (json.loads(done.stdout) if done.returncode in (0, 1) else None), done


@pytest.fixture(scope="module")
def whole():
    return analyse(SAMPLE)[0]


def as_zip(tar):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, tarfile.open(fileobj=io.BytesIO(tar)) as members:
        for member in members:
            if member.isfile():
                archive.writestr(member.name, members.extractfile(member).read())
    return out.getvalue()


PACKED = {"tar": bytes, "tar.gz": gzip.compress, "tar.xz": lzma.compress, "tar.bz2": bz2.compress, "zip": as_zip}


def outcomes(result):
    return {rule["rule"]: rule["outcome"] for rule in result["rules"]}


@pytest.mark.parametrize("kind", PACKED)
def test_a_rule_that_fails_in_the_whole_report_passes_in_no_part_of_it(whole, tmp_path, kind):
    packed = PACKED[kind](bz2.decompress(SAMPLE.read_bytes()))
    failing = {finding["rule"] for finding in whole["findings"]}
    path = tmp_path / f"report.{kind}"
    read = 0
    for tenths in range(1, 10) if FULL else range(1 + list(PACKED).index(kind) % 3, 10, 3):
        path.write_bytes(packed[:len(packed) * tenths // 10])
        result, done = analyse(path)
        if result is None:
            assert done.returncode == 3 and b"cut off" in done.stderr
            continue
        read += 1
        became = outcomes(result)
        assert {rule for rule in failing if became[rule] not in ("fail", "unknown")} == set(), tenths
        assert result["trust"]["level"] == "poor"
        assert {problem["kind"] for report in result["reports"] for problem in report["problems"]} >= {"truncated"}
        # What is found only because something else was not read is said with less confidence.
        new = [finding for finding in result["findings"] if finding["rule"] not in failing]
        assert [finding["rule"] for finding in new if finding["confidence"] == "high"] == [], tenths
    assert read > 0 or kind == "tar.bz2", "a small report is one block of bzip2, which is all or nothing"


def repack(tmp_path, change):
    """The sample with the members that change(name, bytes) gives; None leaves one out."""
    path = tmp_path / "changed.tar"
    with tarfile.open(SAMPLE) as members, tarfile.open(path, "w") as out:
        for member in members:
            data = change(member.name, members.extractfile(member).read()) if member.isfile() else b""
            if data is not None:
                member.size = len(data)
                out.addfile(member, io.BytesIO(data))
    return path


def test_a_rule_over_a_damaged_database_does_not_pass(whole, tmp_path):
    path = repack(tmp_path, lambda name, data: data[:len(data) // 3] if name.endswith("/xapi-db.xml") else data)
    became = outcomes(analyse(path)[0])
    assert became["vif-duplicate-mac"] == "unknown" and outcomes(whole)["vif-duplicate-mac"] == "fail"
    assert became["dom0-oom-kill"] == "pass", "what does not need the database is judged as ever"


def test_a_rule_over_a_log_whose_rotation_is_damaged_does_not_pass(tmp_path):
    rotation = gzip.compress(b"Nov  2 10:00:00 host1 kernel: nothing\n" * 4000)[:100]
    folder = tmp_path / "host"
    (folder / "var/log").mkdir(parents=True)
    (folder / "var/log/kern.log").write_text("Nov  3 10:00:00 host1 kernel: nothing\n")
    (folder / "var/log/messages").write_text("Nov  3 10:00:00 host1 kernel: nothing\n")
    assert outcomes(analyse(folder)[0])["dom0-oom-kill"] == "pass"
    (folder / "var/log/kern.log.2.gz").write_bytes(rotation)
    result = analyse(folder)[0]
    assert outcomes(result)["dom0-oom-kill"] == "unknown"
    (reason,) = [unknown["reason"] for unknown in result["unknown"] if unknown["rule"] == "dom0-oom-kill"]
    assert reason.startswith("only a part of var/log/kern.log")


def test_the_same_report_twice_is_noticed(tmp_path):
    copy = tmp_path / "copy.tar.bz2"
    copy.write_bytes(SAMPLE.read_bytes())
    done = subprocess.run([BIN / "xen-analyze", "--format", "json", SAMPLE, copy], capture_output=True, timeout=300)
    first, second = json.loads(done.stdout)["reports"]
    assert first["problems"] == []
    assert [(p["kind"], "again" in p["text"]) for p in second["problems"]] == [("suspicious", True)]
