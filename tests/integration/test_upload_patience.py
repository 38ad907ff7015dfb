# SPDX-License-Identifier: LGPL-2.1-only
"""Servers that stand still, at each stage: xen-upload gives the connection up after --timeout, and nothing before it.

All of them are started at once, as each test only waits.
"""
import contextlib
import json
import re
import signal
import socket
import threading

import pytest

from torture import wait_until
from uploading import DONE, INTERRUPTED, LATER, Client

LONG = 64 << 20  # more than the kernel takes for a server that does not read


class Still:
    """One connection at a time: reads a request as far as `reads`, sends `sends`, then a byte of `drips` every now and then."""

    def __init__(self, reads="all", sends=b"", drips=b""):
        self.reads, self.sends, self.drips = reads, sends, drips
        self.reached, self.over = threading.Event(), threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def close(self):
        self.over.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()

    def serve(self):
        with contextlib.suppress(OSError):
            connection, _ = self.socket.accept()
            with connection:
                connection.settimeout(60)
                self.talk(connection)

    def talk(self, connection):
        heard = b""
        while self.reads == "all":
            head, end, body = heard.partition(b"\r\n\r\n")
            if end and len(body) >= int(re.search(rb"Content-Length: (\d+)", head)[1]):
                break
            data = connection.recv(65536)
            if not data:
                return
            heard += data
        connection.sendall(self.sends)
        self.reached.set()
        while not self.over.wait(0.2):
            connection.sendall(self.drips)


# What the server does, the size of the file, and what the last words tell.
STANDS = {
    "never says hello": (dict(reads="nothing"), 1000, "https", "no answer|timed out"),
    "stops reading": (dict(reads="nothing"), LONG, "http", "takes nothing more"),
    "never answers": (dict(), 1000, "http", "no whole answer"),
    "never ends its head": (dict(sends=b"HTTP/1.1 200 OK\r\n", drips=b"A: b\r\n"), 1000, "http", "no whole answer|head"),
    "never ends its answer": (dict(sends=b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", drips=b"."), 1000, "http", "no whole answer"),
    "only ever asks to continue": (dict(sends=b"", drips=b"HTTP/1.1 100 Continue\r\n\r\n"), 1000, "http", "no whole answer"),
}


def start(folder, name):
    how, size, scheme, _ = STANDS[name]
    report = folder / f"{name.replace(' ', '-')}.zip"
    with open(report, "wb") as file:
        file.truncate(size)
    still = Still(**how)
    client = Client(folder / name.replace(" ", "-"), "--give-up-after", "0", "--allow-plain", "--timeout", "1")
    return still, client.start(report, still.url.replace("http", scheme, 1))


def end(still, process):
    process.kill()
    process.communicate()
    still.close()


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("still")
    running = {name: start(folder, name) for name in STANDS}
    yield running
    for pair in running.values():
        end(*pair)


@pytest.mark.parametrize("name", STANDS)
def test_given_up_is_a_server_that(name, started, tmp_path):
    def words(process):
        said = process.communicate(timeout=60)[1].decode()
        assert process.returncode == LATER and len(said.splitlines()) == 1, said
        return said

    def again():
        pair = start(tmp_path, name)
        try:
            return words(pair[1])
        finally:
            end(*pair)

    expected, said = STANDS[name][3], words(started[name][1])
    # A client that had no processor for a second gave up where it was then, not where the server stands.
    assert re.search(expected, said) or wait_until(lambda: re.search(expected, again())), said


def test_an_upload_that_is_meant_to_be_slow_is_not_given_up(tmp_path):
    """A thousand bytes in two seconds and a half: else a thousand each second are the least."""
    report = tmp_path / "report.zip"
    report.write_bytes(bytes(1000))
    client = Client(tmp_path / "client", "--give-up-after", "0", "--allow-plain", "--timeout", "1", "--rate", "400")

    def arrives():  # on a machine that is busy for half of a second it was too slow indeed
        still = Still(sends=b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        try:
            result = client.run("--progress=json", report, still.url)
        finally:
            still.close()
        assert result.returncode in (DONE, LATER), result.stderr.decode()
        events = [json.loads(line) for line in result.stdout.splitlines()]
        return result.returncode == DONE and any(each["event"] == "progress" and 0 < each["bytes"] < 1000 for each in events)

    assert wait_until(arrives)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_who_waits_can_be_stopped(sign, tmp_path):
    report = tmp_path / "report.zip"
    report.write_bytes(bytes(1000))
    still = Still()
    try:
        process = Client(tmp_path / "client", "--allow-plain").start(report, still.url)
        assert still.reached.wait(60)
        process.send_signal(sign)
        said = process.communicate(timeout=30)[1].decode()
        assert process.returncode == INTERRUPTED, said
    finally:
        still.close()
