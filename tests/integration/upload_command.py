# SPDX-License-Identifier: LGPL-2.1-only
"""xen-upload as a person calls it: a report, a folder to send it to, a state of its own, and how it ended in words."""
import contextlib
import os
import resource
import subprocess

import pytest

from uploading import DONE, UPLOAD, clean, secret, sha256

SIZE = 300_000


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "report.zip"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def share(tmp_path):
    path = tmp_path / "share"
    path.mkdir()
    return path


@pytest.fixture
def upload(tmp_path):
    """Runs it with a state of its own and without the host's settings."""
    settings = secret(tmp_path, "empty.yaml", "{}\n")

    def run(*arguments, env=None, own_settings=False, before=(), **keywords):
        given = [] if own_settings else ["--settings", settings]
        command = [*before, UPLOAD, "--state", tmp_path / "state", *given, *arguments]
        return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, env={**clean(), **(env or {})}, **keywords)
    return run


def said(result, status):
    """The one line of the error."""
    assert result.returncode == status, (result.returncode, result.stdout, result.stderr)
    assert result.stderr.startswith("xen-upload: ") and result.stderr.count("\n") == 1
    return result.stderr[len("xen-upload: "):-1]


def succeeded(result):
    assert (result.returncode, result.stderr) == (DONE, ""), (result.stdout, result.stderr)
    return result.stdout


@contextlib.contextmanager
def running(tmp_path, *arguments):
    settings = secret(tmp_path, "running.yaml", "{}\n")
    command = [UPLOAD, "--state", tmp_path / "state", "--settings", settings, *arguments]
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=clean())
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def part_of(share, report):
    return share / f".report.zip.{sha256(report)[:16]}.part"


def with_little_room():
    """The copy fails in the middle."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
