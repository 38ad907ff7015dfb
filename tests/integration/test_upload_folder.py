# SPDX-License-Identifier: LGPL-2.1-only
"""xen-upload to a folder (file://): what is there is not sent again nor written over, and what was cut is gone on with."""
import fcntl
import json
import os
import random
import signal
import stat
import time

import pytest

from torture import FULL
from upload_command import SIZE, part_of, report, running, said, share, succeeded, upload, with_little_room  # noqa: F401, fixtures
from uploading import DENIED, DONE, FAILED, LATER, sha256

KILLS = 20 if FULL else 8


def test_a_file_arrives_whole_under_its_own_name_with_a_receipt(upload, report, share, tmp_path):
    text = succeeded(upload(report, f"file://{share}/", "--receipt", tmp_path / "receipt"))
    assert (share / "report.zip").read_bytes() == report.read_bytes()
    assert stat.S_IMODE((share / "report.zip").stat().st_mode) == 0o600
    assert os.listdir(share) == ["report.zip"]
    first, last = text.splitlines()
    assert str(report) in first and "293.0 KiB" in first and f"file://{share}/" in first
    assert sha256(report) in last
    receipt = json.loads((tmp_path / "receipt").read_text())
    assert {key: receipt[key] for key in ("schema", "file", "url", "protocol", "bytes", "sha256", "id", "attempts")} == {
        "schema": "xenhealth-upload/1", "file": str(report), "url": f"file://{share}/", "protocol": "file", "bytes": SIZE,
        "sha256": sha256(report), "id": "report.zip", "attempts": 1}
    assert receipt["started"] <= receipt["finished"]
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_files_of_every_size_arrive(upload, share, tmp_path, size):
    path = tmp_path / "r"
    path.write_bytes(os.urandom(size))
    succeeded(upload(path, f"file://{share}/a%20name"))
    assert (share / "a name").read_bytes() == path.read_bytes()


def test_a_folder_without_a_slash_and_a_name_of_the_users_choice(upload, report, share):
    succeeded(upload(report, f"file://{share}", "--name", "other.zip"))
    succeeded(upload(report, f"file://localhost{share}/third.zip"))
    assert sorted(os.listdir(share)) == ["other.zip", "third.zip"]


def test_what_is_there_already_is_not_sent_again(upload, report, share):
    succeeded(upload(report, f"file://{share}/"))
    before = (share / "report.zip").stat()
    assert "has the file already" in succeeded(upload(report, f"file://{share}/"))
    assert (share / "report.zip").stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("kind", ["content", "size", "link", "folder"])
def test_somebody_elses_file_is_never_written_over(upload, report, share, kind):
    target = share / "report.zip"
    if kind == "link":
        target.symlink_to(report)
    elif kind == "folder":
        target.mkdir()
    else:
        target.write_bytes(bytes(SIZE + (kind == "size")))
    # A folder of that name is no folder to copy into, as the URL ends with a slash.
    assert "already" in said(upload(report, f"file://{share}/"), FAILED)
    assert os.listdir(share) == ["report.zip"]
    assert target.is_symlink() or target.is_dir() or not any(target.read_bytes())


@pytest.mark.parametrize("have", [1, 100_000, SIZE])
def test_a_copy_that_was_cut_is_gone_on_with(upload, report, share, have):
    part_of(share, report).write_bytes(report.read_bytes()[:have])
    assert f"has {have} bytes already" in succeeded(upload(report, f"file://{share}/"))
    assert (share / "report.zip").read_bytes() == report.read_bytes()
    assert os.listdir(share) == ["report.zip"]


@pytest.mark.parametrize("damage", ["first", "last", "longer"])
def test_a_copy_that_is_damaged_is_begun_anew(upload, report, share, damage):
    content = bytearray(report.read_bytes()[:100_000])
    if damage == "longer":
        content = bytearray(report.read_bytes() + b"more")
    else:
        content[0 if damage == "first" else -1] ^= 1
    part_of(share, report).write_bytes(content)
    assert "already" not in succeeded(upload(report, f"file://{share}/"))
    assert (share / "report.zip").read_bytes() == report.read_bytes()


def test_a_temporary_file_that_leads_elsewhere_is_not_used(upload, report, share, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    os.link(victim, part_of(share, report))
    assert "not ours" in said(upload(report, f"file://{share}/"), DENIED)
    part_of(share, report).unlink()
    part_of(share, report).symlink_to(victim)
    assert upload(report, f"file://{share}/").returncode == FAILED
    assert victim.read_text() == "mine"


def test_two_copies_of_the_same_file_do_not_meet(upload, report, share):
    part = part_of(share, report)
    part.touch()
    with open(part, "r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another process" in said(upload(report, f"file://{share}/", "--give-up-after", "0"), LATER)


def test_missing_things_are_named(upload, report, share, tmp_path):
    assert "/no/such" in said(upload(report, "file:///no/such/folder/"), FAILED)
    assert "absent.zip" in said(upload(tmp_path / "absent.zip", f"file://{share}/"), FAILED)
    assert str(share) in said(upload(share, f"file://{share}/"), FAILED)


def test_a_copy_survives_being_killed_again_and_again(share, tmp_path):
    path = tmp_path / "large.zip"
    path.write_bytes(os.urandom(16 << 20))
    digest = sha256(path)
    dice, landed, tries, span = random.Random(7), 0, 0, 0.004
    while landed < KILLS:
        with running(tmp_path, path, f"file://{share}/") as process:
            process.stdout.readline()  # it has begun
            time.sleep(dice.random() * span)
            process.kill()
            hit = process.wait() == -signal.SIGKILL
        # Whoever was faster than the kill does not count, and the next one comes sooner.
        landed, tries, span = landed + hit, tries + 1, span * (1.2 if hit else 0.6)
        assert tries < 100 * KILLS
        assert hit or (share / "large.zip").read_bytes() == path.read_bytes()
        assert set(os.listdir(share)) <= {"large.zip", f".large.zip.{digest[:16]}.part"}
        if not hit:
            (share / "large.zip").unlink()
    with running(tmp_path, path, f"file://{share}/") as process:
        assert process.wait(timeout=60) == DONE
    assert (share / "large.zip").read_bytes() == path.read_bytes()
    assert os.listdir(share) == ["large.zip"]
    assert list((tmp_path / "state").iterdir()) == []


def without_room():
    """Like a full disk: an error, not a signal."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with_little_room()


def test_a_full_folder_keeps_nothing_of_the_file(upload, report, share, tmp_path):
    result = upload(report, f"file://{share}/", preexec_fn=without_room)
    assert "File too large" in said(result, FAILED)
    assert os.listdir(share) == [] and list((tmp_path / "state").iterdir()) == []


def test_a_full_disk_is_tried_again_later_and_is_not_kept_full(upload, report, share):
    """A disk of 256 KiB, seen by this process only."""
    own = ["unshare", "--mount", "--propagation=private", "sh", "-ec",
           'mount -t tmpfs -o size=256k none "$0"; status=0; "$@" || status=$?; ls -A "$0"; exit $status', share]
    result = upload(report, f"file://{share}/", "--give-up-after=0", before=own)
    assert "No space left on device" in said(result, LATER) and ".part" not in result.stdout


def test_abandoning_takes_the_rest_away(upload, report, share):
    url = f"file://{share}/"
    assert "Nothing is known" in succeeded(upload("--abandon", report, url))
    (share / "report.zip").mkdir()
    part_of(share, report).write_bytes(b"")
    upload(report, f"file://{share}/x", preexec_fn=with_little_room)
    left = [name for name in os.listdir(share) if name.startswith(".x.")]
    assert len(left) == 1
    assert "forgotten" in succeeded(upload("--abandon", report, f"file://{share}/x"))
    assert [name for name in os.listdir(share) if name.startswith(".x.")] == []
