# SPDX-License-Identifier: LGPL-2.1-only
"""xen-upload to tus servers: the one of npm, and a strict one with checksums and misfortunes."""
import base64
import concurrent.futures
import contextlib
import hashlib
import json
import pathlib
import shutil
import subprocess
import threading

import pytest

from fakes import fault_proxy, strict_tus
from uploading import CANARY, DENIED, DONE, FAILED, LATER, Client, loopback_certificate, sha256

FAKES = pathlib.Path(__file__).parent / "fakes"
TOKEN = f"{CANARY}-token"
CHUNK = 128 << 10


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return loopback_certificate(tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "status report é.zip"
    path.write_bytes(b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(32000)) + b"end")
    return path


@pytest.fixture
def client(tmp_path, pem):
    return Client(tmp_path / "client", "--cacert", pem, "--chunk-size", CHUNK)


class NpmServer:
    """The server of npm in a process of its own, which ends with this one."""

    def __init__(self, folder, pem, **options):
        self.folder, self.log = folder / "uploads", []
        self.folder.mkdir(parents=True)
        settings = json.dumps({"folder": str(self.folder), "pem": str(pem), "token": TOKEN, **options})
        self.process = subprocess.Popen([shutil.which("node"), FAKES / "tus_server.cjs", settings], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"tus+https://127.0.0.1:{self.port}/files"
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.log.append(json.loads(line))

    def stop(self):
        """What was asked of it, in order; the answers are all out."""
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(timeout=30)
            self.reader.join()
            self.process.stdout.close()
        return sorted(self.log, key=lambda request: request["number"])

    def methods(self):
        return [request["method"] for request in self.stop()]

    def stored(self):
        return [path for path in self.folder.iterdir() if path.suffix != ".json"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@pytest.fixture
def npm(tmp_path, pem):
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(NpmServer(tmp_path / "npm", pem, **options))


def metadata(text):
    return {key: base64.b64decode(value).decode() for key, value in (pair.split(" ") for pair in text.split(","))}


# The server of npm

def test_a_file_arrives_whole_with_its_name_type_and_digest(client, npm, report, tmp_path):
    server, receipt = npm(), tmp_path / "receipt.json"
    client.send("--receipt", receipt, report, server.url)
    stored, = server.stored()
    assert sha256(stored) == sha256(report)
    told = json.loads(receipt.read_text())
    assert (told["protocol"], told["bytes"], told["sha256"]) == ("tus", report.stat().st_size, sha256(report))
    assert told["id"] == stored.name
    log = server.stop()
    assert [request["method"] for request in log] == ["OPTIONS", "POST"] + ["PATCH"] * 8
    assert [int(request["offset"]) for request in log[2:]] == list(range(0, report.stat().st_size, CHUNK))
    assert metadata(log[1]["metadata"]) == {"filename": report.name, "filetype": "application/zip", "sha256": sha256(report)}
    assert not list(client.state.rglob("*.json"))


@pytest.mark.alike
@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_sizes_around_a_chunk_arrive(client, npm, tmp_path, size):
    server, path = npm(), tmp_path / "bundle.tar.bz2"
    path.write_bytes(b"x" * size)
    client.send("--name", "other name.tar", path, server.url)
    stored, = server.stored()
    assert sha256(stored) == sha256(path)
    log = server.stop()
    assert [r["method"] for r in log].count("PATCH") == -(-size // CHUNK)
    assert metadata(log[1]["metadata"])["filename"] == "other name.tar"


def test_a_relative_location_is_where_it_says(client, npm, report):
    server = npm(location="relative")
    client.send(report, server.url)
    assert sha256(server.stored()[0]) == sha256(report)


def test_a_location_elsewhere_gets_nothing(client, npm, report):
    server = npm(location="foreign")
    result = client.run("--give-up-after", "0", report, server.url)
    assert result.returncode not in (DONE, LATER)
    assert b"localhost" in result.stderr and b"Location" in result.stderr
    assert server.methods() == ["OPTIONS", "POST"]


class Cut:
    """The first connection to the server is cut after so many bytes; there is no other until `mend()`."""

    def __init__(self, server, up):
        self.up, self.is_cut = up, True
        self.proxy = fault_proxy.FaultProxy(("127.0.0.1", server.port), self.plan)
        self.url = f"tus+https://127.0.0.1:{self.proxy.port}/files"

    def plan(self, number):
        return fault_proxy.Fault(up=0 if number else self.up) if self.is_cut else None

    def mend(self):
        self.is_cut = False

    def __enter__(self):
        self.proxy.__enter__()
        return self

    def __exit__(self, *arguments):
        self.proxy.__exit__(*arguments)


@pytest.mark.alike
@pytest.mark.parametrize("up", [5000, 200_000, 700_001, 1_023_000])
def test_an_upload_that_was_cut_goes_on_at_the_servers_offset(client, npm, report, up):
    server, size = npm(), report.stat().st_size
    with Cut(server, up) as cut:
        assert client.run("--give-up-after", "0", report, cut.url).returncode == LATER
        cut.mend()
        client.send(report, cut.url)
        assert cut.proxy.up < size + CHUNK + 20_000  # heads and TLS
    stored, = server.stored()
    assert sha256(stored) == sha256(report)
    log = server.stop()
    methods = [request["method"] for request in log]
    assert methods.count("POST") == 1 and methods.count("HEAD") == 1
    after = [int(request["offset"]) for request in log[methods.index("HEAD") + 1:]]
    before = [int(request["offset"]) for request in log[:methods.index("HEAD")] if "offset" in request]
    assert after == list(range(after[0], size, CHUNK)) and after[0] >= max(before, default=0)


def test_an_upload_that_the_server_no_longer_has_is_created_anew(client, npm, report):
    server = npm()
    with Cut(server, 500_000) as cut:
        assert client.run("--give-up-after", "0", report, cut.url).returncode == LATER
        cut.mend()
        for path in server.folder.iterdir():
            path.unlink()
        client.send(report, cut.url)
    stored, = server.stored()
    assert sha256(stored) == sha256(report)
    assert server.methods().count("POST") == 2


def test_an_upload_that_expired_is_created_anew(client, npm, report):
    server = npm(expires=3600_000)
    with Cut(server, 500_000) as cut:
        assert client.run("--give-up-after", "0", report, cut.url).returncode == LATER
        cut.mend()
        for path in server.folder.glob("*.json"):
            info = json.loads(path.read_text())
            info["creation_date"] = "2020-01-01T00:00:00.000Z"
            path.write_text(json.dumps(info))
        result = client.send(report, cut.url)
    assert b"kept until" in result.stdout
    assert sorted(sha256(path) == sha256(report) for path in server.stored()) == [False, True]
    assert any(request["status"] == 410 for request in server.stop())


def test_a_file_that_is_too_large_for_the_server_is_not_begun(client, npm, report):
    server = npm(max=100_000)
    result = client.run("--give-up-after", "0", report, server.url)
    assert result.returncode == FAILED and b"100000" in result.stderr
    assert server.methods() == ["OPTIONS"]


def test_a_token_that_is_refused_is_shown_once(client, npm, report):
    server = npm(token="another")
    result = client.run(report, server.url)
    assert result.returncode == DENIED
    assert len(server.stop()) == 1 and TOKEN.encode() not in result.stderr


def test_what_is_abandoned_is_deleted_on_the_server(client, npm, report):
    server = npm()
    with Cut(server, 500_000) as cut:
        assert client.run("--give-up-after", "0", report, cut.url).returncode == LATER
        cut.mend()
        assert server.stored()
        assert client.run("--abandon", report, cut.url).returncode == DONE
    assert not server.stored()
    assert server.methods()[-1] == "DELETE"


def test_a_dry_run_says_what_would_be_asked_and_asks_nothing(client, npm, report):
    server = npm()
    result = client.run("--dry-run", report, server.url)
    assert result.returncode == DONE
    assert f"https://127.0.0.1:{server.port}/files" in result.stdout.decode() and b"8 requests" in result.stdout
    assert server.methods() == []


# The strict server

@pytest.fixture
def strict(pem):
    with strict_tus.StrictTus(pem, TOKEN) as server:
        yield server


def one(server):
    upload, = server.uploads.values()
    return bytes(upload.data)


@pytest.mark.parametrize("algorithms, used", [(["md5", "sha1", "sha256"], {"sha256"}), (["sha1"], {"sha1"}), (None, set())])
def test_each_chunk_carries_the_best_digest_that_both_know(client, strict, report, algorithms, used):
    strict.algorithms = algorithms or []
    if not algorithms:
        strict.extensions.remove("checksum")
    client.send(report, strict.url)
    assert one(strict) == report.read_bytes() and strict.used == used


@pytest.mark.parametrize("misfortune, again", [("damage", 1), ("late", 0), ("lock", 1), ("conflict", 1), ("short", 0.5),
                                               ("forget", 2), ("lose", 2)])
def test_a_misfortune_costs_a_chunk_at_most_unless_bytes_are_lost(client, strict, report, misfortune, again):
    strict.misfortunes = [None, misfortune]
    client.send(report, strict.url)
    assert one(strict) == report.read_bytes()
    assert strict.created == (2 if misfortune == "forget" else 1)
    assert sum(length for _, length in strict.patches) <= report.stat().st_size + again * CHUNK


@pytest.mark.parametrize("misfortune, code", [("damage", LATER), ("conflict", FAILED)])
def test_a_chunk_that_never_arrives_is_sent_three_times(client, strict, report, misfortune, code):
    strict.misfortunes = [None] + [misfortune] * 9
    result = client.run("--give-up-after", "0", report, strict.url)
    assert result.returncode == code, result.stderr
    assert strict.patches == [(0, CHUNK)] + [(CHUNK, CHUNK)] * 3


def test_a_server_that_keeps_nothing_is_given_up(client, strict, report):
    strict.misfortunes = [None, "lose"] * 20
    result = client.run("--give-up-after", "0", report, strict.url)
    assert result.returncode == FAILED and b"does not keep" in result.stderr
    assert len(strict.patches) < 20


@pytest.mark.alike
@pytest.mark.parametrize("offset", ["-1", "9" * 30, "1024004", "none", ""])
def test_an_offset_that_cannot_be_is_refused(client, strict, report, offset):
    strict.misfortunes, strict.says = ["short", None, "late"], None
    strict.misfortunes = [None, "lock"]
    assert client.run("--give-up-after", "0", report, strict.url).returncode == LATER
    strict.says = offset
    result = client.run("--give-up-after", "0", report, strict.url)
    assert result.returncode == FAILED and b"Upload-Offset" in result.stderr
    assert len(strict.patches) == 2


@pytest.mark.alike
@pytest.mark.parametrize("versions", ["0.2.2", "2.0.0", ""])
def test_another_version_of_tus_is_not_spoken(client, strict, report, versions):
    strict.versions = versions
    result = client.run("--give-up-after", "0", report, strict.url)
    assert result.returncode == FAILED and b"1.0.0" in result.stderr
    assert strict.methods() == ["OPTIONS"]


def test_a_client_that_is_killed_goes_on_where_the_server_is(client, strict, report):
    running = concurrent.futures.Future()
    strict.misfortunes = [None, None, None, lambda: running.result(60).kill()]
    running.set_result(client.start(report, strict.url))
    running.result().communicate(timeout=60)
    assert running.result().returncode == -9
    client.send(report, strict.url)
    assert one(strict) == report.read_bytes() and strict.created == 1
    assert sum(length for _, length in strict.patches) <= report.stat().st_size + CHUNK


def test_what_was_complete_before_the_client_was_killed_is_not_sent_again(client, strict, report):
    running = concurrent.futures.Future()
    strict.misfortunes = [None] * 7 + [lambda: running.result(60).kill()]
    running.set_result(client.start(report, strict.url))
    running.result().communicate(timeout=60)
    sent = len(strict.patches)
    client.send(report, strict.url)
    assert one(strict) == report.read_bytes() and len(strict.patches) <= sent + 1 and strict.created == 1


def test_a_server_that_does_not_answer_options_is_used_as_it_is(client, strict, report):
    strict.extensions.remove("checksum")
    strict.misfortunes = []
    handler = strict_tus.Handler.do_OPTIONS
    strict_tus.Handler.do_OPTIONS = lambda self: self.reply(405)
    try:
        client.send(report, strict.url)
    finally:
        strict_tus.Handler.do_OPTIONS = handler
    assert one(strict) == report.read_bytes()
