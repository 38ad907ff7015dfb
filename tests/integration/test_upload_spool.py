# SPDX-License-Identifier: LGPL-2.1-only
"""The spool of xen-upload: whenever it is killed and whatever the disk does, each file arrives and is recorded once."""
import fcntl
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from torture import FULL, PATIENCE
from uploading import DENIED, DONE, FAILED, INSTRUMENTED, LATER, UPLOAD, USAGE, Client, clean, secret

CORPUS = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "tests" / "fuzz" / "corpus" / "job"
SAMPLE = 1 if FULL else 5 if PATIENCE == 1 and not INSTRUMENTED else 30  # of the system calls of one run, every so manieth
KILLS = 400 if FULL else 20 if PATIENCE == 1 and not INSTRUMENTED else 12
needs_strace = pytest.mark.skipif(not shutil.which("strace") or PATIENCE > 1,
                                  reason="needs strace, which under valgrind would meddle with valgrind's own system calls")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
TRACED = {"ASAN_OPTIONS": "detect_leaks=0"}  # looking for leaks does not go together with being traced
BYTES = 100_000


class Spool(Client):
    """A spool, the files that go into it, and the folder that they are sent to."""

    def __init__(self, folder):
        super().__init__(folder)
        self.path, self.there = folder / "spool", folder / "there"
        self.there.mkdir()

    def queue(self, *arguments):
        return self.command("--queue", self.path, *arguments, credentials=False)

    def do(self, *arguments, before=(), env=None, **keywords):
        return subprocess.run([*before, *self.queue(*arguments)], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              env=clean(env), **keywords)

    def make(self, name, size=BYTES):
        path = self.folder / name
        path.write_bytes(os.urandom(size))
        return path

    def target(self, path):
        return f"file://{self.there}/{path.name}"

    def add(self, path, *options, **keywords):
        return self.do(*options, "--add", path, self.target(path), **keywords)

    def added(self, path, *options):
        result = self.add(path, *options)
        assert result.returncode == DONE, result.stderr.decode()
        return result.stdout.decode().strip()

    def listed(self):
        result = self.do("--list", "--format", "json")
        assert result.returncode == DONE, result.stderr.decode()
        return json.loads(result.stdout)

    def jobs(self):
        return {job["id"]: job for job in self.listed()["jobs"]}

    def names(self, part):
        return sorted(path.name for path in (self.path / part).iterdir())

    def check_between(self, files, states=("waiting",)):
        """At any moment, also right after a kill: whatever has a name is whole, and nothing is lost."""
        listed = self.listed()
        assert listed["damaged"] == []
        for job in listed["jobs"]:
            path = files[job["url"]]
            arrived = self.there / path.name
            if job["state"] == "done":
                assert arrived.read_bytes() == path.read_bytes()
                assert job["receipt"]["sha256"] == job["sha256"]
            else:
                assert job["state"] in states
                assert (self.path / "data" / job["id"]).read_bytes() == path.read_bytes()

    def settle(self, files):
        """Works until nothing waits: then each file is there, once recorded, and nothing else is left."""
        for _ in range(3):
            result = self.do()
            if result.returncode == DONE:
                break
        assert result.returncode == DONE, result.stderr.decode()
        self.check_between(files)
        jobs = self.jobs()
        assert sorted(job["url"] for job in jobs.values()) == sorted(files)
        assert all(job["state"] == "done" and job["receipt"]["attempts"] >= 1 for job in jobs.values())
        assert self.names("data") == [] and self.names("damaged") == []
        assert set(self.names("jobs")) == {f"{id}.json" for id in jobs} | {"wake"}
        assert sorted(path.name for path in self.there.iterdir()) == sorted(path.name for path in files.values())

    def clear(self):
        for folder in (self.path, self.there, self.state):
            shutil.rmtree(folder, ignore_errors=True)
        self.there.mkdir()


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path)


def calls_from(tmp_path, command, first):
    """The system calls of a run from the one on that first names `first`: name, and how manieth of that name."""
    log = tmp_path / "calls"
    subprocess.run(["strace", "-o", log, *command], check=True, stdin=subprocess.DEVNULL, capture_output=True, env=clean(TRACED))
    seen, found, started = {}, [], False
    for line in log.read_text(errors="replace").splitlines():
        if not (name := re.match(r"(\w+)\(", line)):
            continue
        seen[name[1]] = seen.get(name[1], 0) + 1
        started = started or str(first) in line
        if started and name[1] != "exit_group":
            found.append((name[1], seen[name[1]]))
    return found


def killed_at(spool, call, *arguments):
    name, when = call
    result = spool.do(*arguments, before=["strace", "-o", "/dev/null", f"--inject={name}:signal=KILL:when={when}"], env=TRACED)
    return result.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


@needs_strace
def test_an_addition_that_is_killed_at_any_system_call_is_whole_or_never_was(spool, tmp_path):
    path = spool.make("report.zip")
    files = {spool.target(path): path}
    calls = calls_from(tmp_path, spool.queue("--add", path, spool.target(path)), spool.path)
    assert {"linkat", "fsync", "renameat"} <= {name for name, _ in calls}
    killed = 0
    for call in calls[::SAMPLE]:
        spool.clear()
        killed += killed_at(spool, call, "--add", path, spool.target(path))
        if (spool.path / "damaged").is_dir():
            spool.check_between(files)
        spool.added(path)
        spool.settle(files)
    assert killed > len(calls[::SAMPLE]) * 0.8


@needs_strace
def test_a_run_that_is_killed_at_any_system_call_loses_nothing_and_records_once(spool, tmp_path):
    path = spool.make("report.zip")
    files = {spool.target(path): path}
    spool.added(path)
    calls = calls_from(tmp_path, spool.queue(), spool.path)
    assert {"flock", "fsync", "renameat", "unlinkat"} <= {name for name, _ in calls}
    killed = 0
    for call in calls[::SAMPLE]:
        spool.clear()
        spool.added(path)
        killed += killed_at(spool, call)
        spool.check_between(files)
        spool.settle(files)
    assert killed > len(calls[::SAMPLE]) * 0.8


def test_runs_that_are_killed_at_random_moments_lose_nothing(spool):
    """A run that is faster than its kill does not count: the next ones are killed sooner, until enough were."""
    dice, landed, tries, span, left = random.Random(11), 0, 0, 0.1, 0
    paths = [spool.make(f"report-{i}.zip", 400_000) for i in range(3)]
    files = {spool.target(path): path for path in paths}
    while landed < KILLS:
        if left == 0:
            left = 4
            spool.clear()
            for path in paths:
                spool.added(path)
        process = subprocess.Popen(spool.queue(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=clean())
        time.sleep(dice.random() * span)
        process.kill()
        hit = process.wait() == -signal.SIGKILL
        landed, tries, span, left = landed + hit, tries + 1, span * (1.2 if hit else 0.6), left - 1 if hit else 0
        assert tries < 100 * KILLS
        spool.check_between(files)
        if left == 0:
            spool.settle(files)


@needs_strace
@pytest.mark.parametrize("call", ["fsync", "renameat", "write", "unlinkat"])
def test_a_disk_that_refuses_loses_nothing(spool, tmp_path, call):
    path = spool.make("report.zip")
    files = {spool.target(path): path}
    spool.added(path)
    counts = [when for name, when in calls_from(tmp_path, spool.queue(), spool.path) if name == call]
    for when in counts[::SAMPLE // 10 or 1]:
        spool.clear()
        spool.added(path)
        fault = f"--inject={call}:error={'EIO' if call in ('fsync', 'unlinkat') else 'ENOSPC'}:when={when}"
        spool.do(before=["strace", "-o", "/dev/null", fault], env=TRACED)
        spool.check_between(files, ("waiting", "failed", "denied"))
        job, = (spool.path / "jobs").glob("*.json")
        job.write_text(re.sub(r'"next_try": .*,', '"next_try": null,', job.read_text()))  # not later: it is due
        spool.added(path)  # what a person does about a full disk that was taken for good
        spool.settle(files)
    assert counts


def test_many_who_add_and_many_who_work_at_once(spool):
    paths = [spool.make(f"report-{i}.zip", 30_000) for i in range(12)]
    files = {spool.target(path): path for path in paths}
    spool.added(paths[0])
    running = [subprocess.Popen(spool.queue(*words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, env=clean())
               for path in paths for words in (["--add", path, spool.target(path)], [], ["--add", path, spool.target(path)])]
    for process in running:
        words = process.communicate(timeout=60)[1]
        assert process.returncode == DONE or process.returncode == LATER and b"another xen-upload" in words, words
    spool.settle(files)


def test_a_second_worker_says_so_and_comes_back_later(spool):
    spool.added(spool.make("report.zip"))
    held = os.open(spool.path / "data", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    result = spool.do()
    os.close(held)
    assert result.returncode == LATER and b"another xen-upload is working off" in result.stderr
    assert spool.do().returncode == DONE


def test_what_is_killed_again_and_again_is_counted_and_does_not_stand_in_the_way(spool):
    first, second = spool.make("first.zip"), spool.make("second.zip")
    blocked = spool.added(first)
    spool.added(second)
    job = spool.path / "jobs" / f"{blocked}.json"
    job.write_text(json.dumps(json.loads(job.read_text()) | {"unsettled": 3, "added": "2026-01-01T00:00:00Z"}))
    result = spool.do("--max-age", "9000d")
    assert result.returncode == DONE
    assert result.stdout.index(b"second.zip") < result.stdout.index(b"first.zip")


@pytest.mark.alike
@pytest.mark.parametrize("seed", sorted(path.name for path in CORPUS.iterdir()))
def test_a_damaged_job_is_set_aside_and_the_others_go_on(spool, seed):
    path = spool.make("report.zip", 1000)
    spool.added(path)
    (spool.path / "jobs" / "00000000000000000000000000000000.json").write_bytes((CORPUS / seed).read_bytes())
    (spool.path / "data" / "00000000000000000000000000000000").write_bytes(b"what was to be sent")
    assert [entry["path"] for entry in spool.listed()["damaged"]] == ["jobs/00000000000000000000000000000000.json"]
    result = spool.do()
    assert result.returncode == FAILED and b"moved to" in result.stdout
    assert (spool.there / path.name).read_bytes() == path.read_bytes()
    assert spool.names("damaged") == [f"{'0' * 32}.{kind}" for kind in ("data", "json")]
    assert spool.do().returncode == DONE


def test_refused_jobs_stand_still_until_the_credentials_are_new(spool):
    path = spool.make("report.zip")
    key = spool.folder / "key"
    key.write_text("others can read this")
    key.chmod(0o644)
    spool.added(path, "--token", key)
    assert spool.do().returncode == DENIED
    assert [job["state"] for job in spool.jobs().values()] == ["denied"]
    key.unlink()
    secret(spool.folder, "key", "nobody can read this")
    assert spool.do().returncode == DONE
    assert not (spool.there / path.name).exists()
    assert spool.do("--retry-denied").returncode == DONE
    assert (spool.there / path.name).read_bytes() == path.read_bytes()


def test_a_credential_that_is_handed_over_later_is_waited_for(spool):
    path, handed = spool.make("report.zip"), spool.folder / "handed"
    handed.mkdir()
    id = spool.added(path, "--credential", "healthcheck")
    for folder, text in (([], None), (["--credentials-dir", handed], None), (["--credentials-dir", handed], "# none yet\n")):
        if text:
            secret(handed, "healthcheck", text)
        assert spool.do(*folder).returncode == LATER
        job = spool.path / "jobs" / f"{id}.json"
        job.write_text(re.sub(r'"next_try": .*,', '"next_try": null,', job.read_text()))
    secret(handed, "healthcheck", "token=new\n")
    assert spool.do("--credentials-dir", handed).returncode == DONE


def test_a_full_spool_refuses_or_drops_the_oldest_as_it_is_told(spool):
    first, second = spool.make("first.zip"), spool.make("second.zip")
    dropped = spool.added(first)
    result = spool.add(second, "--max-jobs", "1")
    assert result.returncode not in (DONE, USAGE) and b"is full" in result.stderr and b"--max-jobs" in result.stderr
    result = spool.add(second, "--max-jobs", "1", "--drop-oldest")
    assert result.returncode == DONE and b"dropped" in result.stderr
    assert dropped not in spool.jobs() and len(spool.names("data")) == 1


class SharedSpool(Spool):
    """Root's spool that a user's group may write to, and a program and a state folder that this user can use."""

    def __init__(self, folder, user):
        os.chmod(folder, 0o755)
        super().__init__(folder / "host")
        self.user = {"user": user, "group": user, "extra_groups": []}
        for part in ("", "jobs", "data", "damaged"):
            (self.path / part).mkdir()
            os.chown(self.path / part, 0, user)
            (self.path / part).chmod(0o2770 if part else 0o2750)
        self.base[0] = pathlib.Path(shutil.copy(UPLOAD, folder))
        (self.folder / "settings.yaml").chmod(0o644)


@needs_root
def test_root_does_nothing_for_those_who_may_write_to_its_spool():
    with tempfile.TemporaryDirectory() as folder:
        spool = SharedSpool(pathlib.Path(folder), 65534)
        path = spool.make("report.zip")
        id = spool.added(path)
        job = spool.path / "jobs" / f"{id}.json"
        os.chown(job, 65534, -1)  # as if that user had written it: the folder is one that only root may write to
        for more in ((), ("--retry-denied",)):
            result = spool.do(*more)
            assert result.returncode == LATER and "left alone" in result.stderr.decode() + result.stdout.decode()
            assert not list(spool.there.iterdir()) and job.stat().st_uid == 65534
            assert spool.jobs()[id]["state"] == "waiting"
            text = job.read_text()
            job.write_text(text.replace('"waiting"', '"denied"'))  # what root sets free is not root's by that
        spool.added(path)  # now root has said it
        assert job.stat().st_uid == 0 and spool.do().returncode == DONE
        assert list(spool.there.iterdir()) == [spool.there / path.name]


@needs_root
def test_root_adds_and_a_user_who_can_do_nothing_else_sends():
    user, group = 65534, 65534
    with tempfile.TemporaryDirectory() as folder:
        spool = SharedSpool(pathlib.Path(folder), user)
        os.chown(spool.there, user, group)
        path = spool.make("report.zip")
        path.chmod(0o600)
        id = spool.do("--add", path, spool.target(path), umask=0o077).stdout.decode().strip()
        job, data = spool.path / "jobs" / f"{id}.json", spool.path / "data" / id
        assert [(file.stat().st_mode & 0o777, file.stat().st_gid, file.stat().st_nlink) for file in (job, data)] == \
            [(0o640, group, 1)] * 2
        assert path.stat().st_mode & 0o777 == 0o600
        spool.state = pathlib.Path(folder) / "state"
        spool.base[2] = spool.state
        spool.state.mkdir()
        os.chown(spool.state, user, group)
        result = spool.do(**spool.user)
        assert result.returncode == DONE, result.stderr.decode()
        assert job.stat().st_uid == user and not data.exists()
        assert spool.jobs()[id]["state"] == "done"
