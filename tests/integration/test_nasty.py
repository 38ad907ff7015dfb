# SPDX-License-Identifier: LGPL-2.1-only
"""Commands that fight back (nasty/nasty.c): each costs its own entry, nothing survives, and the report says what happened."""
import subprocess
import time

import pytest

from torture import (BUGTOOL, FULL, NASTY, PATIENCE, collect, entries, environment, manifest, members, needs_root, new_marker,
                     none_survives, survivors, wait_until, write_catalog)

pytestmark = needs_root
LIMIT = 1 << 20
SECONDS = [min(PATIENCE, 10)] if FULL or PATIENCE > 1 else [1, 5, 25]  # that each may take; the next where that was too short

# Behaviour, the status it must have, and what its member must be (None: anything).
MARK = b"\n** timeout **\n"
BEHAVIOURS = {
    "never-ends": ("timeout", b"begun\n" + MARK),
    "ignores-everything": ("timeout", b"begun\n" + MARK),
    "daemonizes": ("ok", b"gone\n"),
    "closes-output": ("timeout", b"begun\n" + MARK),
    "floods": ("truncated", b"y" * LIMIT),
    "floods-errors": ("timeout", b"begun\n" + MARK),
    "drips": ("timeout", None),
    "no-newline": ("timeout", b"partial" + MARK),
    "huge-line": ("truncated", b"l" * LIMIT),
    "binary": ("ok", bytes(range(256)) * 16),
    "crashes": ("signal", b"begun\n"),
    "stops-itself": ("timeout", b"begun\n" + MARK),
    "grows-a-tree": ("timeout", MARK),
    "leaves-grandchildren": ("ok", b"left\n"),
    "reads-input": ("ok", b"nothing to read\n"),
    "changes-group": ("timeout", MARK),
    "traced": ("timeout", b"begun\n" + MARK),
    "makes-zombies": ("timeout", b"begun\n" + MARK),
    "sets-timers": ("timeout", None),
    "hands-over": ("ok", None),
    "exec-chain": ("timeout", MARK),
    "loses-its-folder": ("timeout", b"begun\n" + MARK),
    "breeds-when-told-to-stop": ("timeout", b"begun\n" + MARK),
    "threads": ("timeout", b"begun\n" + MARK),
    "runs-away": ("ok", b"begun\n"),  # what it began with has ended; how long the rest is hunted does not count
    "runs-away-alone": ("timeout", b"begun\n" + MARK),
    "kills-its-parent": ("failed", None),
    "stops-its-parent": ("timeout", b"begun\n" + MARK),
    "changes-its-name": ("timeout", b"begun\n" + MARK),
}


def catalog_of(folder, names, marker, seconds):
    items = "".join(f"  - command: [{NASTY}, {name}, {marker}]\n    as: {name}\n    limit: 1M\n    time: {seconds}\n"
                    for name in names)
    return write_catalog(folder, items)


def has_begun(found):
    """Whether all commands came to their point in their time; a busy machine may need longer to start them."""
    return all(found.get(f"{name}.out") == content for name, (_, content) in BEHAVIOURS.items() if content is not None)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    marker = new_marker()
    for seconds in SECONDS:
        folder = tmp_path_factory.mktemp("nasty")
        catalog = catalog_of(folder / "catalog", BEHAVIOURS, marker, seconds)
        found = members(collect(folder / "out", "--catalog", catalog, "--jobs=16", "--output=zip"))
        if has_begun(found):
            break
    return found, none_survives(marker)


def test_nothing_survives_the_run(report):
    assert report[1]


def test_every_command_has_one_record(report):
    assert set(entries(report[0])) == {f"{name}.out" for name in BEHAVIOURS} and len(BEHAVIOURS) >= 25


@pytest.mark.skipif(PATIENCE > 1, reason="valgrind: a command may be over its time before the slow collector has begun to look")
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_the_command_is_recorded_as_what_it_did(report, name):
    found, _ = report
    entry, (status, content) = entries(found)[f"{name}.out"], BEHAVIOURS[name]
    assert entry["status"] == status, entry
    if content is not None:
        assert found[f"{name}.out"] == content
    if FULL:  # on a machine that does nothing else
        assert entry["duration_ms"] <= SECONDS[0] * 1000 + 500


def test_drops_arrive_as_they_fall(report):
    assert set(report[0]["drips.out"].removesuffix(MARK)) == {ord("x")}
    assert report[0]["sets-timers.out"].startswith(b"tick\n")
    assert report[0]["hands-over.out"].startswith(b"child\n")


def test_the_deadline_of_the_run_holds_against_all_of_them(tmp_path):
    marker = new_marker()
    catalog = catalog_of(tmp_path / "catalog", BEHAVIOURS, marker, seconds=600)
    begun = time.monotonic()
    found = members(collect(tmp_path / "out", "--catalog", catalog, "--time-limit=2", "--jobs=4", "--output=tar"))
    took = time.monotonic() - begun
    assert not FULL or took < 2 + 5
    assert manifest(found)["run"]["deadline_reached"] is True
    assert len(manifest(found)["entries"]) == len(BEHAVIOURS)
    assert none_survives(marker)


def test_nothing_survives_a_collector_that_is_killed(tmp_path):
    marker = new_marker()
    names = [name for name, (status, _) in BEHAVIOURS.items() if status == "timeout"]
    catalog = catalog_of(tmp_path / "catalog", names, marker, seconds=600)
    process = subprocess.Popen([BUGTOOL, "-s", "-y", "--catalog", catalog, "--outdir", tmp_path / "out", "--jobs=64"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment())
    assert wait_until(lambda: len(survivors(marker)) >= len(names))
    process.kill()
    process.wait()
    assert none_survives(marker)
    assert all(p.name.startswith(".xen-bugtool-") and p.stat().st_size == 0 for p in (tmp_path / "out").iterdir())
