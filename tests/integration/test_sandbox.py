"""The reader of reports is a child that can do nothing else, and whatever becomes of it becomes of nothing else."""
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import tempfile
import time

import pytest

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
ANALYZE = BIN / "xen-analyze"
OOM = "Nov  2 10:00:00 host1 kernel: [   10.000000] Out of memory: Kill process 1419 (xapi) score 5 or sacrifice child\n"
PATIENCE = 120  # seconds


@pytest.fixture
def report(tmp_path):
    """A good report with one finding."""
    log = tmp_path / "kern.log"
    log.write_text(OOM)
    path = tmp_path / "good.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(log, "bug-report-20261102120000/var/log/kern.log")
    return path


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("it never happened")


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Reading:
    """xen-analyze in the middle of a report: it has read the beginning, the rest does not come."""

    def __init__(self, tmp_path, arguments):
        self.fifo = tmp_path / "slow.tar"
        os.mkfifo(self.fifo)
        self.process = subprocess.Popen([ANALYZE, "--format", "json", *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.writer = eventually(self.open)
        header = tarfile.TarInfo("bug-report-20261102120000/var/log/messages")
        header.size = 1 << 30
        # More than a pipe holds: when it is written, the reader has read.
        os.write(self.writer, header.tobuf())
        os.set_blocking(self.writer, True)
        left = b"\n" * (1 << 20)
        while left:  # one write may be cut short
            left = left[os.write(self.writer, left):]
        self.child = eventually(lambda: children(self.process.pid))[0]

    def open(self):
        with contextlib.suppress(OSError):
            return os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK)

    def end(self):
        out, err = self.process.communicate(timeout=PATIENCE)
        os.close(self.writer)
        return self.process.returncode, out.decode(), err.decode()


def test_the_reader_is_confined(tmp_path):
    reading = Reading(tmp_path, [tmp_path / "slow.tar"])
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{reading.child}/status").read_text().splitlines()
                  if ":\t" in line)
    limits = {line[:25].strip(): line[25:].split() for line in
              pathlib.Path(f"/proc/{reading.child}/limits").read_text().splitlines()}
    assert status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert limits["Max core file size"][0] == "0"
    assert limits["Max cpu time"][0] != "unlimited"
    assert limits["Max file size"][0] != "unlimited"
    reading.process.kill()
    reading.end()


def test_a_killed_reader_costs_only_the_report_it_was_reading(report, tmp_path):
    reading = Reading(tmp_path, [tmp_path / "slow.tar", report])
    os.kill(reading.child, signal.SIGKILL)
    status, out, err = reading.end()
    assert status == 1, err
    assert "slow.tar': archive rejected: its reader was killed (signal 9)" in err
    data = json.loads(out)
    assert "dom0-oom-kill" in [finding["rule"] for finding in data["findings"]]
    problems = {pathlib.Path(entry["path"]).name: entry["problems"] for entry in data["reports"]}
    assert [p["kind"] for p in problems["slow.tar"]] == ["refused"]
    assert "archive rejected" in problems["slow.tar"][0]["text"]
    assert not [p for p in problems["good.tar"] if "rejected" in p["text"]]


def test_every_output_names_the_rejected_report(report, tmp_path):
    names = {"text": "t", "html": "h", "json": "j"}
    outputs = [part for name in names for part in ("--format", name, "--output", tmp_path / names[name])]
    reading = Reading(tmp_path, [*outputs, tmp_path / "slow.tar", report])
    os.kill(reading.child, signal.SIGKILL)
    status, _, err = reading.end()
    assert status == 1, err
    for name in names.values():
        assert "archive rejected: its reader was killed" in " ".join((tmp_path / name).read_text().split())


def test_nothing_is_written_when_no_report_is_left(tmp_path):
    result = tmp_path / "result.json"
    reading = Reading(tmp_path, ["--output", result, "--export", tmp_path / "r.sqlite", tmp_path / "slow.tar"])
    os.kill(reading.child, signal.SIGSEGV)
    status, out, err = reading.end()
    assert status == 3, err
    # A sanitizer takes the signal and exits.
    assert re.search(r"its reader (crashed \(signal 11\)|ended without a result)", err)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["slow.tar"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_run_leaves_neither_child_nor_file(report, tmp_path, number):
    result = tmp_path / "result.json"
    result.write_text("old")
    reading = Reading(tmp_path, ["--output", result, "--export", tmp_path / "r.sqlite", tmp_path / "slow.tar"])
    reading.process.send_signal(number)
    assert reading.end()[0] == -number
    eventually(lambda: not is_alive(reading.child))
    assert result.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"slow.tar", "result.json", "good.tar", "kern.log"}


def test_a_killed_parent_takes_its_child_along(tmp_path):
    reading = Reading(tmp_path, [tmp_path / "slow.tar"])
    reading.process.kill()
    reading.end()
    eventually(lambda: not is_alive(reading.child))


def run(*arguments, **keywords):
    return subprocess.run([ANALYZE, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, **keywords)


def small_disk():
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


@pytest.mark.parametrize("options", [["--format", "html", "--output"], ["--export"]])
def test_a_full_disk_is_said_and_leaves_nothing_half_written(report, tmp_path, options):
    folder = tmp_path / "out"
    folder.mkdir()
    result = run(*options, folder / "result", report, preexec_fn=small_disk)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_full_disk_leaves_the_old_result(report, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("old")
    assert run("--format", "html", "--output", page, report, preexec_fn=small_disk).returncode == 2
    assert page.read_text() == "old"


def test_a_full_standard_output_is_an_error(report):
    with open("/dev/full", "w") as full:
        result = subprocess.run([ANALYZE, report], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert result.returncode == 2
    assert "cannot write standard output: No space left on device" in result.stderr


@pytest.mark.parametrize("option", ["--output", "--export"])
def test_a_folder_that_is_not_there_is_an_error_before_anything_is_read(report, tmp_path, option):
    result = run(option, tmp_path / "nowhere/result", report)
    assert result.returncode == 2
    assert "nowhere/result': No such file or directory" in result.stderr


def test_a_folder_is_no_output(report, tmp_path):
    result = run("--output", tmp_path, report)
    assert result.returncode == 2
    assert "Is a directory" in result.stderr


def test_one_bad_output_means_that_none_is_written(report, tmp_path):
    good = tmp_path / "good.json"
    assert run("--format", "json", "--output", good, "--output", tmp_path / "nowhere/x", report).returncode == 2
    assert not good.exists()


def test_a_closed_pipe_ends_the_run_as_it_ends_other_programs(report):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        result = subprocess.run([ANALYZE, report], stdout=pipe, stderr=subprocess.PIPE, timeout=PATIENCE)
    assert result.returncode == -signal.SIGPIPE
    assert result.stderr == b""


def test_an_export_is_a_whole_database_for_its_owner_only(report, tmp_path):
    path = tmp_path / "r.sqlite"
    assert run("--export", path, "--fail-on", "never", report).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_result_can_go_to_a_device_or_a_pipe(report):
    assert run("--output", "/dev/null", report).returncode == 1
    assert "dom0-oom-kill" in run("--output", "/dev/stdout", report).stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_any_user_can_read_a_report(report, tmp_path):
    with tempfile.TemporaryDirectory() as folder, report.open("rb") as opened:
        os.chmod(folder, 0o755)
        program = shutil.copy(ANALYZE, folder)
        result = subprocess.run([program, "-"], stdin=opened, capture_output=True, text=True, timeout=PATIENCE,
                                user=65534, group=65534, extra_groups=[], env={})
    assert result.returncode == 1, result.stderr
    assert "dom0-oom-kill" in result.stdout


def test_the_version_names_libraries_and_sandbox():
    out = run("--version").stdout
    assert out.splitlines()[0].startswith("xen-analyze ")
    assert re.search(r"libarchive \d+\.\d+.* expat \d+\.\d+.* SQLite \d+\.\d+.* PCRE2 \d+\.\d+", out)
    assert re.search(r"^sandbox: seccomp", out, re.M)
    assert "(old)" not in out
