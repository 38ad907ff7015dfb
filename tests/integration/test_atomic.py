# SPDX-License-Identifier: LGPL-2.1-only
"""The archive has its name when it is complete, and only then: whenever the run is killed and whatever the disk refuses."""
import collections
import fcntl
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tarfile
import time
import zipfile

import pytest

from torture import (BUGTOOL, FULL, INSTRUMENTED, PATIENCE, archive_of, bugtool, collect, environment, make_tree, wait_until,
                     write_catalog)

FORMATS = ("zip", "tar.bz2", "tar")
KILLS = 1000 if FULL else 50 if not INSTRUMENTED else 20
SAMPLE = 1 if FULL else 12  # of the system calls of one run, every so manieth
needs_strace = pytest.mark.skipif(not shutil.which("strace") or PATIENCE > 1,
                                  reason="needs strace, which under valgrind would meddle with valgrind's own system calls")
MEMBERS = 24  # of `sources`: 20 files, a log, a command, manifest and inventory
TRACED = {"ASAN_OPTIONS": "detect_leaks=0"}  # looking for leaks does not go together with being traced
ARCHIVE = re.compile(r"bug-report-\d{14}\.(zip|tar|tar\.bz2)")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Arguments for a short run that has commands, trees and a spooled log."""
    folder = tmp_path_factory.mktemp("sources")
    root = make_tree(folder / "root", {f"etc/f{i}": f"file {i}\n" for i in range(20)} |
                     {"var/log/big.log": random.Random(1).randbytes(700_000), ".commands/df.out": "df\n"})
    catalog = write_catalog(folder / "catalog", "  - log: /var/log/big.log\n  - tree: /etc\n  - command: [df]\n")
    return ["-s", "-y", "--root", root, "--catalog", catalog]


def check_whole(path):
    assert path.stat().st_mode & 0o777 == 0o600
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            names = archive.namelist()
    else:
        with tarfile.open(path) as archive:
            names = archive.getnames()
    assert names[-1].endswith("/inventory.xml") and len(names) == MEMBERS, names


def check_folder(folder):
    """Whatever has a name is whole; the rest is hidden. Empties it of archives; returns their number."""
    archives = 0
    for path in folder.iterdir() if folder.exists() else ():
        if path.name.startswith(".xen-bugtool-"):
            continue
        assert ARCHIVE.fullmatch(path.name)
        check_whole(path)
        path.unlink()
        archives += 1
    return archives


def of_this_run(folder):
    found = []
    for process in pathlib.Path("/proc").iterdir():
        try:
            if process.name.isdigit() and os.fsencode(folder) in (process / "cmdline").read_bytes():
                found.append(process.name)
        except OSError:
            pass
    return found


def check_next_run_tidies_up(sources, folder):
    path = collect(folder, *sources, "--output=zip")
    assert [p.name for p in folder.iterdir()] == [path.name]
    check_whole(path)


def test_killed_at_any_moment_leaves_nothing_half_done(tmp_path, sources):
    """A run that is faster than its kill does not count: the next ones are killed sooner, until enough were."""
    out, dice, landed, tries, span = tmp_path / "out", random.Random(5), 0, 0, 0.1
    while landed < KILLS:
        arguments = [*sources, "--outdir", out, f"--output={FORMATS[tries % 3]}"]
        process = subprocess.Popen([BUGTOOL, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=environment())
        time.sleep(dice.random() * span)
        process.kill()
        hit = process.wait() == -signal.SIGKILL
        landed, tries, span = landed + hit, tries + 1, span * (1.1 if hit else 0.7)
        assert tries < 100 * KILLS
        assert check_folder(out) == 1 or hit
    assert wait_until(lambda: of_this_run(out) == [])
    check_next_run_tidies_up(sources, out)


def calls_of(tmp_path, arguments):
    """Names of the system calls that the main thread of a run makes, in order; how often it waits differs from run to run."""
    log = tmp_path / "calls"
    subprocess.run(["strace", "-o", log, BUGTOOL, *map(str, arguments)], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, env=environment(TRACED))
    return [name for name in re.findall(r"^(\w+)\(", log.read_text(), re.M) if name != "futex"]


def inject(arguments, *faults):
    return bugtool(*arguments, before=["strace", "-o", "/dev/null", *(f"--inject={fault}" for fault in faults)], env=TRACED)


@needs_strace
@pytest.mark.parametrize("output", FORMATS if FULL else FORMATS[:1])
def test_killed_at_each_system_call_leaves_nothing_half_done(tmp_path, sources, output):
    out = tmp_path / "out"
    arguments = [*sources, "--outdir", out, f"--output={output}"]
    calls = calls_of(tmp_path, arguments)
    check_folder(out)
    seen, killed, last = collections.Counter(), 0, len(calls) - 60
    assert "linkat" in calls[last:] and "fdatasync" in calls[last:]
    for number, name in enumerate(calls):
        seen[name] += 1
        if name in ("execve", "exit_group") or (number < last and number % SAMPLE):
            continue
        result = inject(arguments, f"{name}:signal=KILL:when={seen[name]}")
        killed += result.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
        check_folder(out)
    assert killed > 60
    check_next_run_tidies_up(sources, out)
    assert wait_until(lambda: of_this_run(out) == [])


def without_unnamed_files(tmp_path, arguments):
    """An injection that makes the archive's O_TMPFILE fail, as on a file system that cannot do it."""
    log = tmp_path / "opens"
    subprocess.run(["strace", "-o", log, "-e", "trace=openat", BUGTOOL, *map(str, arguments)], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment(TRACED))
    opens = [line for line in log.read_text().splitlines() if line.startswith("openat(")]
    return f"openat:error=EOPNOTSUPP:when={1 + next(i for i, line in enumerate(opens) if 'O_TMPFILE' in line)}"


@needs_strace
@pytest.mark.parametrize("call", ["fdatasync", "renameat2", "pwrite64"])
def test_a_hidden_part_of_a_killed_run_is_removed_by_the_next(tmp_path, sources, call):
    out = tmp_path / "out"
    arguments = [*sources, "--outdir", out, "--output=zip"]
    fault = without_unnamed_files(tmp_path, arguments)
    check_folder(out)
    inject(arguments, fault, f"{call}:signal=KILL:when=1")
    left = [p.name for p in out.iterdir()]
    assert any(name.startswith(".xen-bugtool-part-") for name in left), left
    assert all(name.startswith(".xen-bugtool-") for name in left), left
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in out.iterdir())
    check_next_run_tidies_up(sources, out)


@needs_strace
@pytest.mark.parametrize("fault", [
    "fdatasync:error=EIO", "fdatasync:error=ENOSPC", "fsync:error=EIO", "fsync:error=ENOSPC", "linkat:error=ENOSPC",
    "linkat:error=EIO", "linkat:error=EDQUOT", "pwrite64:error=EIO", "pwrite64:error=ENOSPC:when=2+",
    "pwrite64:error=EDQUOT:when=3", "fchmod:error=EIO", "flock:error=ENOLCK:when=99", "unlinkat:error=EROFS:when=99"])
def test_a_disk_that_refuses_gives_one_clear_line_and_no_archive(tmp_path, sources, fault):
    out = tmp_path / "out"
    result = inject([*sources, "--outdir", out, "--output=zip"], fault)
    if "when=99" in fault:  # never reached: the harness itself, and that such a run is fine
        check_whole(archive_of(result))
        return
    assert result.returncode == 1 and result.stdout == b""
    assert result.stderr.count(b"\n") == 1 and str(out).encode() in result.stderr
    assert list(out.iterdir()) == []


@needs_strace
def test_a_rename_that_fails_leaves_nothing(tmp_path, sources):
    out = tmp_path / "out"
    arguments = [*sources, "--outdir", out, "--output=zip"]
    fault = without_unnamed_files(tmp_path, arguments)
    check_folder(out)
    result = inject(arguments, fault, "renameat2:error=EIO")
    assert result.returncode == 1 and result.stderr.count(b"\n") == 1
    assert list(out.iterdir()) == []
    # A kernel that does not have this call is no reason to fail.
    check_whole(archive_of(inject(arguments, fault, "renameat2:error=ENOSYS")))
    assert len(list(out.iterdir())) == 1


@needs_strace
def test_a_file_system_without_locks_is_no_reason_to_fail(tmp_path, sources):
    result = inject([*sources, "--outdir", tmp_path / "out", "--output=zip"], "flock:error=ENOLCK")
    check_whole(archive_of(result))
    assert len(list((tmp_path / "out").iterdir())) == 1


def start(sources, out, env=None):
    return subprocess.Popen([BUGTOOL, *map(str, sources), "--outdir", out, "--output=zip"], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(env))


def test_runs_of_the_same_second_each_get_an_archive(tmp_path, sources):
    runs = [start(sources, tmp_path / "out") for _ in range(8)]
    paths = set()
    for run in runs:
        out, err = run.communicate(timeout=120)
        assert run.returncode == 0, err.decode()
        paths.add(out.decode().strip())
    assert len(paths) == 8 == len(list((tmp_path / "out").iterdir()))
    for path in map(pathlib.Path, paths):
        check_whole(path)
        assert {name.split("/")[0] for name in zipfile.ZipFile(path).namelist()} == {path.name.split(".")[0]}


@pytest.fixture(scope="module")
def slow_sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    root = make_tree(folder / "root", {"etc/hostname": "slow\n"})
    for i in range(8):
        with open(root / f"big{i}", "wb") as file:
            file.truncate(20_000_000)
    return ["-s", "-y", "--root", root, "--catalog", write_catalog(folder / "catalog", "  - file: '/big*'\n",
                                                                     "size: {max: 10G}\n")]


def is_held(path):
    """Whether a run has locked it."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True


def start_and_halt(sources, out, env=None):
    """A run that stands still in the middle, until it gets SIGCONT. One that was not there or over already is made again."""
    for _ in range(100):
        run = start(sources, out, env)
        assert wait_until(lambda: run.poll() is not None or out.exists() and list(out.iterdir()))
        run.send_signal(signal.SIGSTOP)
        has_stopped = os.waitid(os.P_PID, run.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT).si_code == os.CLD_STOPPED
        if has_stopped and all(path.name.startswith(".xen-bugtool-") and is_held(path) for path in out.iterdir()):
            return run
        run.kill()
        run.communicate()
        shutil.rmtree(out)
    raise AssertionError("every run was faster than the signal")


@pytest.mark.parametrize("what", ["removed", "moved", "replaced"])
def test_an_output_folder_that_goes_away_is_an_error(tmp_path, slow_sources, what):
    """A path that leads nowhere, or to somebody else's file, must not be printed."""
    out, moved = tmp_path / "out", tmp_path / "moved"
    run = start_and_halt(slow_sources, out)
    out.rename(moved)
    if what == "replaced":
        out.mkdir()
    if what == "removed":
        shutil.rmtree(moved)
    run.send_signal(signal.SIGCONT)
    stdout, stderr = run.communicate(timeout=120)
    assert run.returncode == 1 and stdout == b""
    assert stderr.count(b"\n") == 1 and str(out).encode() in stderr and b"removed or replaced" in stderr
    assert [p for folder in (out, moved) if folder.exists() for p in folder.iterdir()] == []


def test_a_given_name_belongs_to_one_run_and_a_dead_one_does_not_keep_it(tmp_path, sources, slow_sources):
    out, name = tmp_path / "out", {"XENRT_BUGTOOL_BASENAME": "mine"}
    first = start_and_halt(slow_sources, out, name)
    second = bugtool(*sources, "--outdir", out, "--output=zip", env=name)
    assert second.returncode == 1 and second.stdout == b""
    assert second.stderr.count(b"\n") == 1 and b"another run is writing 'mine.zip'" in second.stderr
    other = collect(out, *sources, "--output=zip")  # another name is no matter
    check_whole(other)
    first.kill()
    first.communicate()
    path = archive_of(bugtool(*sources, "--outdir", out, "--output=zip", env=name))
    assert path.name == "mine.zip"
    assert {p.name for p in out.iterdir()} == {"mine.zip", other.name}
