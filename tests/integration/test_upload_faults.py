# SPDX-License-Identifier: LGPL-2.1-only
"""Whatever happens to the connection or to the client, the file arrives as it is, and little of it is sent twice.

Real servers, one of each protocol, behind a proxy that cuts connections at random bytes: 300 cuts and 20 `kill -9` a
protocol, directly and through an HTTP proxy that is known to the client (of SFTP, where connections are slow to begin, a
tenth but in the long run). SHA-256 is taken from the server's disk; what is sent again is counted by the proxy.
"""
import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile

import pytest

from fakes.fault_proxy import Cuts, Fault, FaultProxy, double, flip, swap
from fakes.health_check_service import HealthCheckService
from fakes.nginx import nginx
from fakes.s3 import S3Server
from fakes.sshd import Sshd
from torture import FULL, wait_until
from uploading import (CANARY, DENIED, DONE, INTERRUPTED, LATER, Client, loopback_certificate, secret,
                       sha256)

CUTS, KILLS = 300, 20
HEADS = 1024  # bytes of a request that are not the file: its head, and what TLS adds
KIB = 1024


class Peer:
    """A real server. `port`: where it listens; `arguments(port, name)`: URL and options, as if it listened there."""

    size, chunk = 1536 * KIB, 16 * KIB
    rounds = 4  # uploads over which the cuts are spread
    share = 1  # of cuts and kills, every so manieth
    greeting = 1536  # bytes that a connection costs before the first request

    def longest(self):
        """The last byte of a connection that may be the one where it is cut: three chunks with what they cost."""
        return self.greeting + 3 * (self.chunk + HEADS)

    def allowed(self, size, proxy):
        """Bytes that may be sent: what was cut costs a chunk at most, a connection its greeting and a question."""
        requests = size // self.chunk + 4 + 2 * proxy.connections
        return size + proxy.cuts * self.chunk + proxy.connections * self.greeting + requests * HEADS


class Https(Peer):
    """A PUT is one request: the whole file is the chunk. Waiting grows with each failure, so there are few cuts a file."""

    name, size, rounds = "https", 96 * KIB, 50
    chunk = size

    def __init__(self, stack, folder, pem):
        self.pem = pem
        self.port, self.root = stack.enter_context(nginx(folder, pem))

    def arguments(self, port, name):
        return [f"https://127.0.0.1:{port}/reports/{name}", "--cacert", self.pem]

    def received(self, name):
        return self.root / "reports" / name

    def longest(self):
        return self.size + self.greeting


class Tus(Peer):
    """The tus server of npm; it knows no checksums, so what came of a chunk that was cut stays."""

    name = "tus"

    def __init__(self, stack, folder, pem):
        self.pem, self.folder = pem, folder
        folder.mkdir()
        self.port = stack.enter_context(tus_server(folder, pem))

    def arguments(self, port, name):
        return [f"tus+https://127.0.0.1:{port}/files", "--cacert", self.pem]

    def received(self, name):
        """Files have the ids of their uploads; what the client said of them lies beside them."""
        found = [path.with_suffix("") for path in self.folder.glob("*.json")
                 if json.loads(path.read_text())["metadata"]["filename"] == name]
        full = [path for path in found if path.stat().st_size]  # an upload whose creation was cut behind the request stays empty
        assert len(full) == 1
        return full[0]


@contextlib.contextmanager
def tus_server(folder, pem):
    said = {"folder": str(folder), "pem": str(pem), "token": f"{CANARY}-token"}
    with open(folder.with_suffix(".log"), "w+b") as log:
        server = subprocess.Popen(["node", pathlib.Path(__file__).parent / "fakes" / "tus_server.cjs", json.dumps(said)],
                                  stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT)
        try:
            assert wait_until(lambda: folder.with_suffix(".log").read_text().endswith("\n")), "no tus server"
            yield int(folder.with_suffix(".log").read_text().splitlines()[0])
        finally:
            server.stdin.close()
            server.wait()


class Cis(Peer):
    """The Health Check service; it cannot tell how far an upload is, so the client's record must be right."""

    name = "cis"

    def __init__(self, stack, folder, pem):
        self.pem, self.folder = pem, folder
        folder.mkdir()
        self.service = stack.enter_context(HealthCheckService(pem))
        self.service.tokens[f"{CANARY}-token"] = "upload"
        self.port = self.service.port

    def arguments(self, port, name):
        return [f"cis+https://127.0.0.1:{port}/feeds/api/", "--cacert", self.pem]

    def received(self, name):
        """A bundle whose announcement was cut behind the request is one that the client never heard of: it stays empty."""
        full = [bundle for bundle in list(self.service.bundles.values()) if bundle.name == name and bundle.chunks]
        assert len(full) == 1
        path = self.folder / name
        path.write_bytes(full[0].data)
        return path


class S3(Peer):
    """A part that is cut is not kept; what the server has, it lists."""

    name = "s3"

    def __init__(self, stack, folder, pem):
        self.pem = pem
        self.server = stack.enter_context(S3Server(folder, pem, secret_key=f"{CANARY}-secret"))
        self.port, self.folder = self.server.port, folder / "read"
        self.folder.mkdir()

    def arguments(self, port, name):
        return [f"s3://{self.server.bucket}/{name}", "--endpoint", f"https://127.0.0.1:{port}", "--region", "us-east-1",
                "--cacert", self.pem]

    def received(self, name):
        path = self.folder / name
        path.write_bytes(self.server.object(name))
        return path


class Sftp(Peer):
    """OpenSSH. What is under way when a connection is cut, a window of SFTP, is what a chunk is elsewhere."""

    name, chunk, greeting = "sftp", 256 * KIB, 8 * KIB
    share = 1 if FULL else 10  # a connection of SSH takes a tenth of a second: all 300 only in the long run

    def __init__(self, stack, folder, pem):
        self.server = stack.enter_context(Sshd(folder / "sshd"))
        self.port, self.folder = self.server.port, folder / "there"
        self.folder.mkdir()

    def arguments(self, port, name):
        known = self.folder.with_name(f"known-{port}")
        known.write_text(f"[127.0.0.1]:{port} {self.server.public}\n")
        return [f"sftp://127.0.0.1:{port}{self.folder}/{name}", "--known-hosts", known, "--identity", self.server.identity]

    def received(self, name):
        return self.folder / name

    def longest(self):
        return 200 * KIB


PEERS = {peer.name: peer for peer in (Https, Tus, Cis, S3, Sftp)}
ROUNDS = [(peer, number) for peer in PEERS.values() for number in range(peer.rounds)]


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    """The servers, each started when it is first asked for."""
    folder, running = tmp_path_factory.mktemp("peers"), {}
    pem = loopback_certificate(folder)
    with contextlib.ExitStack() as stack:
        def get(name):
            if name not in running:
                running[name] = PEERS[name](stack, folder / name, pem)
            return running[name]
        yield get


@pytest.fixture
def state():
    """
    The client's folder of records, in memory: they are synced with each chunk, ten thousand times in all, and a disk that
    others keep busy would have all of this take as long as it likes.
    """
    with tempfile.TemporaryDirectory(prefix="xen-upload.", dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        yield pathlib.Path(folder) / "state"


def make_file(folder, name, size, seed):
    path = folder / name
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


@contextlib.contextmanager
def route(peer, via, plan):
    """A proxy with the faults on the way to the peer: the proxy, the port of URLs, and what the client is told of it."""
    if via == "proxy":
        with FaultProxy(speaks="connect", credentials="user:not-a-real-secret", plan=plan) as proxy:
            yield proxy, peer.port, ["--proxy", proxy.url]
    else:
        with FaultProxy(("127.0.0.1", peer.port), plan=plan) as proxy:
            yield proxy, proxy.port, []


def options(peer, tmp_path, told):
    chunk = ["--chunk-size", peer.chunk] if peer.name in ("tus", "cis", "s3") else []
    if told:
        told = [*told, "--proxy-credentials", secret(tmp_path, "proxy", "username=user\npassword=not-a-real-secret\n")]
    return [*chunk, *told]


@pytest.mark.alike("via", "name")
@pytest.mark.parametrize("via,name,number", [(via, peer.name, number) for via in ("direct", "proxy") for peer, number in ROUNDS])
def test_a_connection_that_is_cut_at_random_bytes_costs_at_most_a_chunk_each_time(peers, tmp_path, state, name, number, via):
    peer, seed = peers(name), f"{name} {number} {via}"
    wanted = -(-CUTS // peer.rounds // peer.share)
    plan = Cuts(random.Random(seed), wanted, peer.longest())
    with route(peer, via, plan) as (proxy, port, told):
        client = Client(tmp_path / "client", *options(peer, tmp_path, told), state=state)
        for part in itertools.count():
            proxy.start_counting()
            path = make_file(tmp_path, f"{via}-{number}-{part}.bin", peer.size + 13 * part + number, f"{seed} {part}")
            client.send(path, *peer.arguments(port, path.name), timeout=120)
            assert sha256(peer.received(path.name)) == sha256(path)
            assert proxy.up <= peer.allowed(path.stat().st_size, proxy)
            if plan.made >= wanted:
                break
    assert plan.made == wanted


@pytest.mark.parametrize("via", ("direct", "proxy"))
@pytest.mark.parametrize("name", PEERS)
def test_a_client_that_is_killed_goes_on_where_it_was(peers, tmp_path, state, name, via):
    peer, seed, kills = peers(name), random.Random(f"kill {name} {via}"), 0
    wanted = KILLS if FULL else KILLS // 5

    def kill():
        running.result(60).kill()

    def plan(_):
        return Fault(up=seed.randrange(peer.longest()), then=kill) if kills < wanted else None

    with route(peer, via, plan) as (proxy, port, told):
        client = Client(tmp_path / "client", *options(peer, tmp_path, told), state=state)
        part = 0
        while kills < wanted:
            part += 1
            proxy.start_counting()
            path = make_file(tmp_path, f"killed-{via}-{part}.bin", peer.size + part, f"{name} {via} {part}")
            while True:
                running = concurrent.futures.Future()
                with client.start(path, *peer.arguments(port, path.name)) as process:
                    running.set_result(process)
                    errors = process.communicate(timeout=120)[1].decode()
                if process.returncode != -signal.SIGKILL:
                    break
                kills += 1
            assert process.returncode == DONE, errors
            assert sha256(peer.received(path.name)) == sha256(path)
            assert proxy.up <= peer.allowed(path.stat().st_size, proxy)
    assert kills == wanted


@pytest.mark.parametrize("name", PEERS)
def test_a_client_that_is_asked_to_stop_says_so_and_goes_on_next_time(peers, tmp_path, state, name):
    peer, running = peers(name), concurrent.futures.Future()

    def stop():
        running.result(60).send_signal(signal.SIGTERM)

    def plan(number):
        return Fault(up=peer.longest() // 2, then=stop) if number == 0 else None

    path = make_file(tmp_path, "stopped.bin", peer.size, name)
    with route(peer, "direct", plan) as (proxy, port, told):
        client = Client(tmp_path / "client", *options(peer, tmp_path, told), state=state)
        with client.start(path, *peer.arguments(port, path.name)) as process:
            running.set_result(process)
            process.communicate(timeout=60)
        assert process.returncode == INTERRUPTED
        client.send(path, *peer.arguments(port, path.name))
        assert sha256(peer.received(path.name)) == sha256(path)
        assert proxy.up <= peer.allowed(path.stat().st_size, proxy)


@pytest.mark.parametrize("name,direction,damage,places", (
    ("https", "up", flip, (600, 20_000, 90_000)), ("https", "up", double, (20_000, 50_000, 90_000)),
    ("https", "up", swap, (20_000, 50_000, 90_000)), ("tus", "down", flip, (400, 600, 800))))
def test_tls_refuses_bytes_that_were_changed_on_the_way_and_they_are_sent_again(peers, tmp_path, state, name, direction, damage,
                                                                                places):
    peer = peers(name)
    path = make_file(tmp_path, f"{damage.__name__}-{direction}.bin", peer.size, damage.__name__)
    with route(peer, "direct", lambda n: Fault(change=damage(places[n], direction)) if n < len(places) else None) as (
            proxy, port, told):
        Client(tmp_path / "client", *options(peer, tmp_path, told), state=state).send(path, *peer.arguments(port, path.name))
        assert sha256(peer.received(path.name)) == sha256(path)
        assert proxy.connections == len(places) + 1


@pytest.mark.parametrize("name", PEERS)
def test_a_server_that_is_away_for_a_while_is_waited_for(peers, tmp_path, state, name):
    peer = peers(name)
    path = make_file(tmp_path, "away.bin", peer.size, name)
    with route(peer, "direct", None) as (proxy, port, told):
        client = Client(tmp_path / "client", *options(peer, tmp_path, told), state=state)
        proxy.hang_up()
        result = client.run(path, *peer.arguments(port, path.name), "--give-up-after", "0")
        assert result.returncode == LATER, result.stderr.decode()
        with client.start(path, *peer.arguments(port, path.name), "--progress=json") as process:
            while b'"wait"' not in process.stdout.readline():
                assert process.poll() is None, process.stderr.read().decode()
            proxy.listen()
            errors = process.communicate(timeout=60)[1].decode()
        assert process.returncode == DONE, errors
    assert sha256(peer.received(path.name)) == sha256(path)


@pytest.mark.parametrize("name", PEERS)
def test_a_connection_that_drips_is_slow_and_no_more(peers, tmp_path, state, name):
    peer = peers(name)
    path = make_file(tmp_path, "drip.bin", 64 * KIB, name)
    with route(peer, "direct", lambda _: Fault(drip=199, delay=0.0001)) as (proxy, port, told):
        Client(tmp_path / "client", *options(peer, tmp_path, told), state=state).send(path, *peer.arguments(port, path.name))
        assert sha256(peer.received(path.name)) == sha256(path)
        assert proxy.connections <= 2


@pytest.mark.parametrize("credentials,expected", (("username=user\npassword=not-a-real-secret\n", DONE),
                                                  ("username=user\npassword=not-this-one\n", DENIED), (None, DENIED)))
def test_a_proxy_that_wants_a_password_gets_it_and_the_server_does_not(peers, tmp_path, state, credentials, expected):
    peer = peers("https")
    path = make_file(tmp_path, "proxied.bin", peer.size, "proxied")
    with route(peer, "proxy", None) as (proxy, port, told):
        if credentials:
            told = [*told, "--proxy-credentials", secret(tmp_path, "proxy", credentials)]
        client = Client(tmp_path / "client", *told, state=state)
        result = client.run(path, *peer.arguments(port, path.name), "--give-up-after", "0")
        assert result.returncode == expected, result.stderr.decode()
        assert proxy.refused >= 1  # asks what kind of password is wanted before it gives one
        assert expected == DONE or not proxy.asked
        assert CANARY.encode() not in b"".join(proxy.heads)


@pytest.mark.parametrize("name", PEERS)
def test_a_socks_proxy_is_asked_for_the_name_too(peers, tmp_path, state, name):
    peer = peers(name)
    path = make_file(tmp_path, "socks.bin", 64 * KIB, name)
    with FaultProxy(speaks="socks5") as proxy:
        client = Client(tmp_path / "client", *options(peer, tmp_path, ()), "--proxy", proxy.url, state=state)
        client.send(path, *peer.arguments(peer.port, path.name))
        assert sha256(peer.received(path.name)) == sha256(path)
        assert set(proxy.asked) == {f"127.0.0.1:{peer.port}"}
