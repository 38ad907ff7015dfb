# SPDX-License-Identifier: LGPL-2.1-only
"""What the tests of runs of xen-healthcheck live in: a host alone, a pool of one, a pool of three, each with folders of its own."""
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import jsonschema
import pytest

from fakes import xapi
from sample_roots import build_roots
from torture import PATIENCE, survivors, wait_until

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
PROGRAM = BIN / "xen-healthcheck"
SCHEMA = json.loads((SOURCE / "docs/healthcheck-status.schema.json").read_text())
HOSTS = ("host1", "host2", "host3")
FEW = "--entries=kernel-info,process-list,system-logs,xen-bugtool"
RULES = "--only=md-disk-failure,disk-io-error,nic-link-flapping,root-fs-full"  # all of them take longer
STATUS_PATIENCE = 3  # seconds, that `status` has for the uploader; it has a little more for XAPI
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XENRT_BUGTOOL_BASENAME")}


# Under valgrind it would meddle with valgrind's own system calls.
needs_strace = pytest.mark.skipif(PATIENCE > 1, reason="strace does not go with valgrind")


def stamp(**ago):
    """So long ago, in XenCenter's form."""
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


@pytest.fixture(scope="module")
def roots():
    with tempfile.TemporaryDirectory(prefix="health-roots.") as folder:
        build_roots(f"{folder}/healthy", "host-root")
        build_roots(f"{folder}/problems", "host-root", "problems")
        yield pathlib.Path(folder)


class House:
    """A host with its folders; its reports are of a sample root."""

    def __init__(self, folder, roots, hosts=0):
        self.folder, self.roots, self.root = folder, roots, folder / "r"
        self.config, self.state, self.runtime, self.inbox = (folder / name for name in ("etc", "state", "run", "inbox"))
        for path in (self.config, self.runtime, self.inbox):
            path.mkdir()
        self.pool, self.killed = None, False
        self.become("healthy")
        if hosts:
            (folder / "certificates").mkdir()
            others = {label: roots / "healthy" / label for label in HOSTS[1:hosts]}
            self.pool = xapi.Pool(folder / "certificates", BIN / "xen-bugtool", {HOSTS[0]: self.root, **others})
            inventory = self.root / "etc/xensource-inventory"
            inventory.write_text(re.sub("INSTALLATION_UUID=.*", f"INSTALLATION_UUID='{self.pool.local.uuid}'",
                                        inventory.read_text()))
            self.pool.health = {"somebody.else": "keeps this"}
        self.settings()

    def become(self, kind):
        """From now on the host's reports are of that sample."""
        if self.root.exists():
            shutil.rmtree(self.root)
        shutil.copytree(self.roots / kind / "host1", self.root)

    def settings(self, collect="", more="", rules=RULES):
        (self.config / "healthcheck.yaml").write_text(
            f"collect:\n  arguments: [--root, {self.root}, '{FEW}']\n{collect}analyze: {{arguments: ['{rules}']}}\n"
            f"xapi: {{root: {self.root if self.pool else self.config}, confirm: 0}}\nupload: {{spool: {self.folder}/spool}}\n{more}")

    def command(self, *arguments):
        return [PROGRAM, "--config", self.config, "--state", self.state, "--runtime", self.runtime, *map(str, arguments)]

    def call(self, *arguments, prefix=(), **environment):
        """`status` that had no time for others, on a machine that is so busy, is asked again."""
        for _ in range(1 if PATIENCE > 1 else 10):
            begun = time.monotonic()
            result = subprocess.run([*prefix, *self.command(*arguments)], capture_output=True, text=True, timeout=120,
                                    stdin=subprocess.DEVNULL, env={**ENVIRONMENT, **environment})
            if arguments[:1] != ("status",) or time.monotonic() - begun < STATUS_PATIENCE:
                break
        return result

    def good(self, *arguments, **keywords):
        result = self.call(*arguments, **keywords)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                stdin=subprocess.DEVNULL, env=ENVIRONMENT)

    def start_and_hang(self, *arguments):
        """A run that collects, for the pool, and waits for this host's report: it goes no further until it is ended."""
        self.pool.local.mode = "hang"
        before = len(self.pool.requests)
        run = self.start(*arguments)
        assert wait_until(lambda: any(request["target"].startswith("/system-status") for request in self.pool.requests[before:]))
        assert self.step() == "collecting"
        return run

    def wait_for_the_end(self):
        """What a run had started when it was killed hears of it, and ends in its own time."""
        self.killed = True
        assert wait_until(lambda: not survivors(str(self.folder)))

    def status(self):
        result = json.loads(self.good("status", "--format", "json"))
        jsonschema.validate(result, SCHEMA)
        return result

    def checks(self):
        return json.loads((self.state / "history.json").read_text())["checks"]

    def step(self):
        path = self.state / "pending.json"
        return json.loads(path.read_text())["check"]["step"] if path.exists() else None

    def reports(self):
        return sorted(path.name for path in (self.state / "reports").iterdir())

    def enroll(self, **keys):
        """In XenCenter's way and ours; a retry is due."""
        (self.config / "enrollment.yaml").unlink(missing_ok=True)
        result = self.call("enroll", "--yes", f"file://{self.inbox}/")
        assert result.returncode == 0, result.stderr
        if self.pool:
            self.pool.health.update({"LastFailedUpload": stamp(days=30), **keys})

    def arrived(self):
        return sorted(path for path in self.inbox.iterdir() if path.suffix == ".zip")

    def end(self):
        if self.pool:
            assert self.killed or wait_until(lambda: self.pool.sessions == 0)
            self.pool.stop()
            assert self.pool.complaints == []
            assert self.pool.health["somebody.else"] == "keeps this"


def make_house(roots, hosts):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="health.", dir="/tmp"))  # short: a socket's path has 107 bytes
    house = House(folder, roots, hosts)
    try:
        yield house
        house.end()
    finally:
        if house.pool:
            house.pool.stop()
        shutil.rmtree(folder)


@pytest.fixture
def alone(roots):
    yield from make_house(roots, 0)


@pytest.fixture
def single(roots):
    """A pool of one."""
    yield from make_house(roots, 1)


@pytest.fixture
def pool(roots):
    yield from make_house(roots, 3)
