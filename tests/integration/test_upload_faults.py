# SPDX-License-Identifier: LGPL-2.1-only
"""Whatever happens to the connection or to the client, the file arrives as it is, and little of it is sent twice.

Real servers, one of each protocol, behind a proxy that cuts connections at random bytes: 300 cuts and 20 `kill -9` a
protocol, directly and through an HTTP proxy that is known to the client. SHA-256 is taken from the server's disk; what is
sent again is counted by the proxy.
"""
import contextlib
import itertools
import os
import random
import signal
import subprocess

import pytest

from fakes.fault_proxy import Cuts, Fault, FaultProxy, double, flip, swap
from fakes.nginx import nginx
from fakes.xapi import make_certificate
from uploading import DONE, INSTRUMENTED, INTERRUPTED, LATER, Client, secret, sha256

CUTS, KILLS = 300, 20
HEADS = 2048  # bytes of a chunk that are not the file: heads, and what TLS or SSH adds
GREETING = 6144  # bytes that a connection costs before the first chunk
KIB = 1024


class Peer:
    """A real server. `port`: where it listens; `arguments(port, name)`: URL and options, as if it listened there."""

    size, chunk = 1536 * KIB, 16 * KIB
    rounds = 4  # uploads over which the cuts are spread

    def longest(self):
        """The last byte of a connection that may be the one where it is cut: three chunks with what they cost."""
        return GREETING // 2 + 3 * (self.chunk + HEADS // 2)

    def allowed(self, size, connections):
        """Bytes that may be sent: each connection costs its greeting and one chunk at most."""
        chunks = size // self.chunk + 2 + connections
        return size + connections * (self.chunk + GREETING) + chunks * HEADS


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
        return self.size + GREETING


PEERS = {peer.name: peer for peer in (Https,)}
ROUNDS = [(peer, number) for peer in PEERS.values() for number in range(peer.rounds)]


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    """The servers, each started when it is first asked for."""
    folder, running = tmp_path_factory.mktemp("peers"), {}
    pem = make_certificate(folder, "server", "127.0.0.1", "subjectAltName=IP:127.0.0.1")
    with contextlib.ExitStack() as stack:
        def get(name):
            if name not in running:
                running[name] = PEERS[name](stack, folder / name, pem)
            return running[name]
        yield get


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
    chunk = [] if peer.name == "https" else ["--chunk-size", peer.chunk]
    if told:
        told = [*told, "--proxy-credentials", secret(tmp_path, "proxy", "username=user\npassword=not-a-real-secret\n")]
    return [*chunk, *told]


@pytest.mark.alike
@pytest.mark.parametrize("via", ("direct", "proxy"))
@pytest.mark.parametrize("name,number", [(peer.name, number) for peer, number in ROUNDS])
def test_a_connection_that_is_cut_at_random_bytes_costs_at_most_a_chunk_each_time(peers, tmp_path, name, number, via):
    peer, seed = peers(name), f"{name} {number} {via}"
    wanted = -(-CUTS // peer.rounds)
    plan = Cuts(random.Random(seed), wanted, peer.longest())
    with route(peer, via, plan) as (proxy, port, told):
        client = Client(tmp_path / "client", *options(peer, tmp_path, told))
        for part in itertools.count():
            proxy.start_counting()
            path = make_file(tmp_path, f"{via}-{number}-{part}.bin", peer.size + 13 * part + number, f"{seed} {part}")
            client.send(path, *peer.arguments(port, path.name), timeout=120)
            assert sha256(peer.received(path.name)) == sha256(path)
            assert proxy.up <= peer.allowed(path.stat().st_size, proxy.connections)
            if plan.made >= wanted:
                break
    assert plan.made == wanted


@pytest.mark.parametrize("via", ("direct", "proxy"))
@pytest.mark.parametrize("name", PEERS)
def test_a_client_that_is_killed_goes_on_where_it_was(peers, tmp_path, name, via):
    peer, seed, kills, running = peers(name), random.Random(f"kill {name} {via}"), 0, []
    wanted = KILLS if not INSTRUMENTED else KILLS // 4

    def plan(_):
        return Fault(up=seed.randrange(peer.longest()), then=lambda: running[-1].kill()) if kills < wanted else None

    with route(peer, via, plan) as (proxy, port, told):
        client = Client(tmp_path / "client", *options(peer, tmp_path, told))
        part = 0
        while kills < wanted:
            part += 1
            proxy.start_counting()
            path = make_file(tmp_path, f"killed-{via}-{part}.bin", peer.size + part, f"{name} {via} {part}")
            while True:
                with client.start(path, *peer.arguments(port, path.name)) as process:
                    running.append(process)
                    errors = process.communicate(timeout=120)[1].decode()
                if process.returncode != -signal.SIGKILL:
                    break
                kills += 1
            assert process.returncode == DONE, errors
            assert sha256(peer.received(path.name)) == sha256(path)
            assert proxy.up <= peer.allowed(path.stat().st_size, proxy.connections)
    assert kills == wanted
