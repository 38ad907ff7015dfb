# SPDX-License-Identifier: LGPL-2.1-only
"""Each call that can fail is made to fail, one at a time: memory, files, network. xen-upload then says so, or does without.

"Done" is only said when it is done, a file under its name is always whole, and nothing crashes. Calls are failed by
fail_nth.c; the network's and the disk's errors are real ones, with their numbers.
"""
import errno
import json
import os
import shutil
import signal

import pytest

from fakes.odd_server import OddServer
from torture import BIN, FULL
from uploading import CANARY, DENIED, DONE, FAILED, LATER, Client, loopback_certificate

SHIM = BIN.parent / "tests" / "libfail-nth.so"
RUNS = 70  # of each kind and protocol, evenly over all calls
CHUNK = 64 * 1024


class Place:
    """Where a run sends to: a folder, or a server."""

    def __init__(self, kind, folder, pem):
        self.kind, self.server, self.folder = kind, None, folder
        if kind != "file":
            self.server = OddServer(kind.removesuffix("+tls"), pem if kind.endswith("+tls") else None)
        self.options = [] if kind == "file" else ["--cacert", pem]
        if kind in ("tus", "tus+tls", "cis", "s3"):
            self.options += ["--chunk-size", str(CHUNK)]

    def clear(self):
        if self.server:
            self.server.size, self.server.stored, self.server.parts = None, bytearray(), {}
        else:
            for path in self.folder.iterdir():
                path.unlink()

    def arguments(self, name):
        return [*(self.server.arguments if self.server else [f"file://{self.folder}/{name}"]), *self.options]

    def received(self, name):
        if self.server:
            return bytes(self.server.stored)
        path = self.folder / name
        return path.read_bytes() if path.exists() else None


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return loopback_certificate(tmp_path_factory.mktemp("pem"))


@pytest.fixture
def place(request, tmp_path, pem):
    folder = tmp_path / "there"
    folder.mkdir()
    place = Place(request.param, folder, pem)
    yield place
    if place.server:
        place.server.close()


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "bug-report.zip"
    path.write_bytes(os.urandom(3 * CHUNK - 7))
    return path


def shim(kind, nth, how, count):
    count.unlink(missing_ok=True)
    return {"LD_PRELOAD": str(SHIM), "FAIL_KIND": kind, "FAIL_NTH": str(nth), "FAIL_HOW": str(how), "FAIL_COUNT": str(count)}


def run(client, place, report, kind, nth, how, count):
    return client.run(report, *place.arguments(report.name), env=shim(kind, nth, how, count))


def calls_of(client, place, report, kind, tmp_path):
    """How many calls of the kind a run makes that is left alone."""
    result = run(client, place, report, kind, 0, 0, tmp_path / "count")
    assert result.returncode == DONE, result.stderr.decode()
    assert place.received(report.name) == report.read_bytes()
    place.clear()
    return int((tmp_path / "count").read_text())


def sample(total):
    return range(1, total + 1) if FULL else sorted({1 + i * total // RUNS for i in range(RUNS)})


ERRORS = {"memory": [errno.ENOMEM], "disk": [errno.EIO, errno.ENOSPC, errno.EMFILE, errno.EACCES, errno.EINTR],
          "network": [errno.ENETDOWN, errno.ECONNRESET, errno.EMFILE, errno.EINTR]}


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("place", ("file", "tus", "https+tls"), indirect=True)
def test_any_call_may_fail(tmp_path, report, place, kind):
    if place.kind == "file" and kind == "network":
        kind = "disk"  # a copy to a folder asks no network: the disk once more, with the errors in another order
    client = Client(tmp_path / "client", "--give-up-after", "0")
    total = calls_of(client, place, report, kind, tmp_path)
    outcomes = {}
    for nth in sample(total):
        number = ERRORS[kind][nth % len(ERRORS[kind])]
        result = run(client, place, report, kind, nth, number, tmp_path / "count")
        said = f"call {nth} of {total} failed with {errno.errorcode[number]}: {result.returncode}, {result.stderr.decode()}"
        received = place.received(report.name)
        outcomes[result.returncode] = outcomes.get(result.returncode, 0) + 1
        assert result.returncode in (DONE, FAILED, LATER, DENIED), said
        if result.returncode == DONE:
            assert received == report.read_bytes(), said
        else:
            assert "xen-upload: " in result.stderr.decode(), said
        if place.kind == "file":
            assert received in (None, report.read_bytes()), said
        assert CANARY not in result.stderr.decode()
        place.clear()
    assert total > 0 and sum(outcomes.values()) == len(sample(total))


@pytest.mark.parametrize("place", ("file",), indirect=True)
def test_a_copy_that_is_killed_anywhere_leaves_no_half_file_and_the_next_one_tidies_up(tmp_path, report, place):
    client = Client(tmp_path / "client")
    total, kills = calls_of(client, place, report, "disk", tmp_path), 0
    for nth in range(1, total + 1):
        result = run(client, place, report, "disk", nth, "kill", tmp_path / "count")
        assert result.returncode in (-signal.SIGKILL, DONE)  # the first run made a folder for its state: a few calls more
        kills += result.returncode != DONE
        assert place.received(report.name) in (None, report.read_bytes())
        client.send(report, *place.arguments(report.name))
        assert place.received(report.name) == report.read_bytes()
        assert [path.name for path in place.folder.iterdir()] == [report.name]
        place.clear()
    assert kills >= 20


def jobs(client, spool):
    result = client.run("--queue", spool, "--list", "--format", "json", credentials=False)
    assert result.returncode == DONE, result.stderr.decode()
    return json.loads(result.stdout)["jobs"]


@pytest.mark.parametrize("place", ("file",), indirect=True)
def test_a_spool_whose_calls_fail_keeps_each_job_once_until_it_arrived(tmp_path, report, place):
    """Calls of putting a job in and of working it off are made to fail; then both are done again, as they would be."""
    client = Client(tmp_path / "client", "--give-up-after", "0")
    target, spool, failures = place.arguments(report.name)[0], tmp_path / "spool", 0
    add, work = ("--queue", spool, "--add", report, target), ("--queue", spool)
    for nth in range(1, 150, 1 if FULL else 4):
        environment = shim("disk", nth, (errno.EIO, errno.ENOSPC)[nth // 4 % 2], tmp_path / "count")
        added = client.run(*add, env=environment)
        again = client.run(*add)
        assert again.returncode == DONE, (nth, again.stderr.decode())
        assert [job["state"] for job in jobs(client, spool)] == ["waiting"], nth
        worked = client.run(*work, env=environment)
        received = place.received(report.name)
        assert received in (None, report.read_bytes()), nth
        assert received or worked.returncode != DONE, (nth, worked.stderr.decode())
        client.run(*work)
        state = [job["state"] for job in jobs(client, spool)]
        assert state in (["done"], ["waiting"], ["failed"], ["denied"]), (nth, state)
        if state == ["done"]:
            assert place.received(report.name) == report.read_bytes(), nth
        else:  # what needs a person or is not due yet is kept, and was said
            assert worked.returncode != DONE and worked.stderr, nth
        failures += added.returncode != DONE or worked.returncode != DONE
        place.clear()
        shutil.rmtree(spool)
    assert failures >= 10
