# SPDX-License-Identifier: LGPL-2.1-only
"""What servers may answer, and what xen-upload makes of it: its exit status, its words, its memory, and that it ends.

The servers are played by fakes/odd_server.py: honest but for one step. The token is a canary that must turn up nowhere but
in the requests to the server that was named.
"""
import contextlib
import email.utils
import json
import os
import random
import re
import subprocess
import time

import pytest

from fakes.fault_proxy import Fault, FaultProxy, double, flip, swap
from fakes.odd_server import PROTOCOLS, OddServer, answer, before_body
from torture import MEASURE
from uploading import (CANARY, DENIED, DONE, FAILED, INSTRUMENTED, LATER, Client, Watch, clean, files_with,
                       loopback_certificate)

KIB, GIB = 1024, 1 << 30
CHUNK = 64 * KIB
RSS_LIMIT_KB = 64 * KIB
TAKEN_LIMIT = 32 << 20  # what the kernel's buffers may take of an answer that nobody reads, with room to spare
# The steps of each protocol at which the server is odd: the first that matters, and one in the middle.
STEPS = [("tus", "create"), ("tus", "chunk"), ("cis", "create"), ("cis", "chunk"), ("s3", "create"), ("s3", "chunk"),
         ("s3", "finish"), ("https", "put")]
# What a status means, for all protocols.
STATUSES = {
    401: DENIED, 403: DENIED, 407: DENIED,
    400: FAILED, 404: FAILED, 405: FAILED, 409: FAILED, 410: FAILED, 412: FAILED, 413: FAILED, 415: FAILED, 418: FAILED,
    301: FAILED, 302: FAILED, 303: FAILED, 304: FAILED, 307: FAILED, 308: FAILED, 501: FAILED, 505: FAILED,
    408: LATER, 425: LATER, 429: LATER, 500: LATER, 502: LATER, 503: LATER, 504: LATER, 507: LATER, 599: LATER,
}
# And where a protocol knows better.
ELSE = {}


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return loopback_certificate(tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A file of a few chunks."""
    path = tmp_path_factory.mktemp("report") / "bug-report-20261122.zip"
    path.write_bytes(os.urandom(3 * CHUNK - 100))
    return path


def chunks(protocol):
    return [] if protocol == "https" else ["--chunk-size", CHUNK]


def measured(client, *arguments, timeout=60):
    """Runs to the end. Exit status, peak of memory in KB, and what was said."""
    result = subprocess.run(["/usr/bin/python3", "-ISc", MEASURE, *client.command(*arguments)], stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=timeout, env=clean())
    assert result.returncode == 0, result.stderr.decode()
    status, rss = map(int, result.stdout.split()[-2:])
    assert INSTRUMENTED or rss < RSS_LIMIT_KB
    return status, result.stderr.decode()


def once(tmp_path, server, report, *options):
    """One attempt, no second one."""
    protocol = server.protocol.__class__.__name__.lower()
    client = Client(tmp_path / "client", "--give-up-after", "0", *chunks(protocol), *options)
    return measured(client, report, *server.arguments)


def check_words(words):
    """An error is one line that can be shown anywhere."""
    lines = [line for line in words.splitlines() if line.startswith("xen-upload: ")]
    assert lines, words
    assert CANARY not in words
    assert not re.search(r"[^\t\n -~\u00a0-\uffff]", words), words
    return lines[-1]


@pytest.mark.alike
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("protocol,step", STEPS)
def test_a_status_has_its_exit_status_and_stands_in_the_error(tmp_path, report, protocol, step, status):
    with OddServer(protocol, odd={step: answer(status, b"<html>no</html>", "Location: /elsewhere")}) as server:
        result, words = once(tmp_path, server, report)
    assert result == ELSE.get((protocol, step, status), STATUSES[status]), words
    assert str(status) in check_words(words)
    assert len(server.requests) < 20  # no hammering


@pytest.mark.parametrize("protocol,step", STEPS)
def test_credentials_that_are_refused_are_not_tried_again(tmp_path, report, protocol, step):
    with OddServer(protocol, odd={step: answer(401)}) as server:
        client = Client(tmp_path / "client", *chunks(protocol))
        assert client.run(report, *server.arguments).returncode == DENIED
    assert server.steps().count(step) == 1


GARBAGE = {
    "noise": (random.Random(3).randbytes(1000), FAILED),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", FAILED),
    "an alert of TLS": (b"\x15\x03\x03\x00\x02\x02\x28", FAILED),
    "nothing": (b"", LATER),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Le", LATER),
    "a body cut short": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", LATER),
    "a negative length": (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", FAILED),
    "a length that is no number": (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", FAILED),
    "chunks that are none": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n0\r\n\r\n", FAILED),
    "an unknown encoding": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: odd\r\n\r\nx", FAILED),
    "a status beyond all": (b"HTTP/1.1 9999 OK\r\nContent-Length: 0\r\n\r\n", FAILED),
    "an old answer without a head": (b"<html>" + b"x" * 100, FAILED),
    "NUL in a header": (b"HTTP/1.1 500 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", FAILED),
    "a switch of protocols": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + b"x" * 99, FAILED),
}


@pytest.mark.alike
@pytest.mark.parametrize("what", GARBAGE)
@pytest.mark.parametrize("protocol,step", STEPS)
def test_what_is_no_answer_is_an_error(tmp_path, report, protocol, step, what):
    data, expected = GARBAGE[what]
    with OddServer(protocol, odd={step: data}) as server:
        result, words = once(tmp_path, server, report)
    assert result == expected, words
    check_words(words)


def line_after_line(exchange):
    exchange.pour(b"X-Endless: %s\r\n" % (b"x" * 1000) * 60, 10 * GIB, b"HTTP/1.1 200 OK\r\n")


def one_line(exchange):
    exchange.pour(b"x" * 65536, 10 * GIB, b"HTTP/1.1 200 OK\r\nX-Endless: ")


def status_line(exchange):
    exchange.pour(b"x" * 65536, 10 * GIB, b"HTTP/1.1 200 ")


def continues(exchange):
    exchange.pour(b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 1000, 10 * GIB)


def hints(exchange):
    exchange.pour(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000, 10 * GIB)


def body_of_known_length(exchange):
    exchange.pour(b"x" * 65536, 10 * GIB, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (10 * GIB))


def body_without_length(exchange):
    exchange.pour(b"x" * 65536, 10 * GIB, b"HTTP/1.1 200 OK\r\n\r\n")


def body_in_chunks(exchange):
    exchange.pour(b"10000\r\n" + b"x" * 65536 + b"\r\n", 10 * GIB, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def one_endless_chunk(exchange):
    exchange.pour(b"0" * 65536, 10 * GIB, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def trailers(exchange):
    exchange.pour(b"X-Trailer: %s\r\n" % (b"x" * 1000) * 60, 10 * GIB,
                  b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")


def error_with_a_body(exchange):
    exchange.pour(b"x" * 65536, 10 * GIB, b"HTTP/1.1 503 Busy\r\nContent-Length: %d\r\n\r\n" % (10 * GIB))


ENDLESS = (line_after_line, one_line, status_line, continues, hints, body_of_known_length, body_without_length, body_in_chunks,
           one_endless_chunk, trailers, error_with_a_body)


@pytest.mark.alike
@pytest.mark.parametrize("flood", ENDLESS, ids=lambda flood: flood.__name__)
@pytest.mark.parametrize("protocol,step", [("tus", "create"), ("cis", "chunk"), ("s3", "create"), ("https", "put")])
def test_ten_gigabytes_of_answer_are_cut_at_the_limit(tmp_path, report, protocol, step, flood):
    with OddServer(protocol, odd={step: flood}) as server:
        result, words = once(tmp_path, server, report)
        # A line that is too long is the same to libcurl as too little memory.
        assert result == FAILED or result == LATER and flood in (error_with_a_body, one_line, status_line), words
        check_words(words)
        assert server.poured < TAKEN_LIMIT
        assert server.steps().count(step) == 1 or protocol == "cis" and server.steps().count(step) <= 3


# Where a redirect may lead: with {same} this server's port, with {other} that of the one that listens for the token.
ELSEWHERE = ("{scheme}://127.0.0.1:{other}/x", "{scheme}://localhost:{other}/x", "http://127.0.0.1:{other}/x",
             "https://127.0.0.1:{other}/x", "//127.0.0.1:{other}/x", "{scheme}://127.0.0.1:{same}@127.0.0.1:{other}/x",
             "{scheme}://localhost:{same}/x", "{scheme}://127.0.0.1:{other}\\@127.0.0.1:{same}/x", "ftp://127.0.0.1:{other}/x",
             "file:///etc/passwd", "{scheme}://127.0.0.1.:{other}/x", "{scheme}://127.1:{other}/x")


@contextlib.contextmanager
def sniffer(pem=None):
    """Another server that takes whatever it is given."""
    with OddServer("https", pem) as server:
        yield server


def lead(location, server, other):
    return location.format(scheme=f"http{'s' * server.secure}", same=server.host.split(":")[1], other=other.host.split(":")[1])


@pytest.mark.alike
@pytest.mark.parametrize("secure", (False, True), ids=("plain", "tls"))
@pytest.mark.parametrize("status", (301, 302, 307, 308))
@pytest.mark.parametrize("protocol,step", STEPS)
def test_a_redirect_is_not_followed_and_the_token_stays(tmp_path, report, pem, protocol, step, status, secure):
    with sniffer(pem if secure else None) as other, OddServer(protocol, pem if secure else None) as server:
        location = lead(ELSEWHERE[status % len(ELSEWHERE)], server, other)
        server.odd[step] = answer(status, b"", f"Location: {location}")
        result, words = once(tmp_path, server, report, "--cacert", pem)
        assert result == FAILED, words
        assert str(status) in check_words(words)
        assert not other.heard


@pytest.mark.parametrize("secure", (False, True), ids=("plain", "tls"))
@pytest.mark.parametrize("where", ELSEWHERE)
def test_an_upload_that_is_said_to_be_elsewhere_is_not_sent_there(tmp_path, report, pem, where, secure):
    with sniffer(pem if secure else None) as other, OddServer("tus", pem if secure else None) as server:
        server.odd["create"] = answer(201, b"", "Tus-Resumable: 1.0.0", f"Location: {lead(where, server, other)}")
        result, words = once(tmp_path, server, report, "--cacert", pem)
        assert result in (FAILED, DENIED), words
        check_words(words)
        assert not other.heard
        assert set(server.steps()) <= {"options", "create"}


# Of tus: what stands behind "Upload-Offset:" when the client asks how far the upload is.
OFFSETS = ("-1", "99999999999999999999", "1844674407370955161600", "1.5", "0x10", "many", "", "5, 5", "+5", "1e3",
           str(3 * CHUNK), "9223372036854775807")


@pytest.mark.alike
@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("step", ("offset", "chunk"))
def test_an_offset_that_cannot_be_is_no_success(tmp_path, report, step, offset):
    lie = answer(200 if step == "offset" else 204, b"", "Tus-Resumable: 1.0.0", f"Upload-Offset: {offset}")
    odd = {"offset": lie, "chunk": [b"", lie]} if step == "offset" else {"chunk": lie, "offset": lie}
    with OddServer("tus", odd=odd) as server:
        client = Client(tmp_path / "client", *chunks("tus"), "--give-up-after", "1h")
        result, words = measured(client, report, *server.arguments)
        assert result == FAILED, words
        check_words(words)
        assert len(server.requests) < 20


def wrong(by):
    def odd(exchange):
        true = exchange.honest(exchange.server, exchange.request)
        return re.sub(rb"Upload-Offset: (\d+)", lambda m: b"Upload-Offset: %d" % max(int(m[1]) + by, 0), true)
    return odd


def finished(exchange):
    """Says to have all after the first chunk."""
    true = exchange.honest(exchange.server, exchange.request)
    return re.sub(rb"Upload-Offset: \d+", b"Upload-Offset: %d" % (exchange.server.size or 0), true)


def twice(exchange):
    return exchange.honest(exchange.server, exchange.request) * 2


def lost(exchange):
    """The connection ends before anything was stored."""


def denied(exchange):
    """Stored, and said not to be."""
    exchange.honest(exchange.server, exchange.request)
    return answer(500)


def unsaid(exchange):
    """Stored, and nothing said."""
    exchange.honest(exchange.server, exchange.request)


def hint_first(exchange):
    return b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + exchange.honest(exchange.server, exchange.request)


def in_halves(exchange):
    true = exchange.honest(exchange.server, exchange.request)
    for byte in true:
        exchange.send(bytes([byte]))
    return b""


def half_closed(exchange):
    """The answer is whole, the server's half is closed at once, its other half stays open."""
    exchange.send(exchange.honest(exchange.server, exchange.request))
    exchange.connection.shutdown(2 if exchange.server.secure else 1)
    exchange.server.ending.wait(30)


ACKNOWLEDGEMENTS = {
    "one too far": [wrong(1)], "one behind": [None, wrong(-1)], "of the chunk before": [None, wrong(-CHUNK)], "of the end": [finished],
    "twice": [twice], "twice, then a loss": [twice, lost], "twice, then an error": [twice, answer(500)],
    "twice, then a wrong one": [twice, wrong(-CHUNK)], "stored but lost": [unsaid, None, unsaid], "stored but denied": [denied],
    "behind a hint": [hint_first, hint_first], "byte by byte": [in_halves], "half-closed": [half_closed, half_closed],
}


@pytest.mark.alike
@pytest.mark.parametrize("what", ACKNOWLEDGEMENTS)
@pytest.mark.parametrize("protocol", ("tus", "cis", "s3"))
@pytest.mark.parametrize("secure", (False, True), ids=("plain", "tls"))
def test_acknowledgements_that_are_odd_do_not_damage_the_file(tmp_path, report, pem, protocol, what, secure):
    with OddServer(protocol, pem if secure else None, odd={"chunk": ACKNOWLEDGEMENTS[what]}) as server:
        client = Client(tmp_path / "client", *chunks(protocol), "--cacert", pem)
        client.send(report, *server.arguments)
        assert bytes(server.stored) == report.read_bytes()


def reorder(exchange):
    """Answers of two steps in the wrong order: this one's is what the next will get."""
    exchange.honest(exchange.server, exchange.request)
    return answer(204, b"", "Tus-Resumable: 1.0.0", f"Upload-Offset: {len(exchange.server.stored) + CHUNK}")


def test_acknowledgements_in_the_wrong_order_do_not_damage_the_file(tmp_path, report):
    with OddServer("tus", odd={"chunk": [reorder, wrong(-CHUNK)]}) as server:
        Client(tmp_path / "client", *chunks("tus")).send(report, *server.arguments)
        assert bytes(server.stored) == report.read_bytes()


@pytest.mark.parametrize("damage", (flip, double, swap))
def test_without_tls_a_checksum_notices_what_was_changed_on_the_way(tmp_path, report, damage):
    """Of tus, with a server that has checksums. Nothing notices it in a plain PUT or a Health Check upload without TLS."""
    with OddServer("tus") as server:
        host, port = server.host.split(":")
        with FaultProxy((host, int(port)), lambda n: Fault(change=damage(40_000)) if n < 3 else None) as proxy:
            server.host = f"{host}:{proxy.port}"  # what it says of itself
            impatient = ["--timeout", "2s"] if damage is double else []  # the server waits for a whole request, and we for it
            Client(tmp_path / "client", *chunks("tus"), *impatient).send(report, *server.arguments)
        assert bytes(server.stored) == report.read_bytes()
        assert damage is double or 460 in server.statuses


@before_body
def refuse_at_once(exchange):
    return answer(413)


@before_body
def continue_twice(exchange):
    exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 2)
    return late_honest(exchange)


def late_honest(exchange):
    request, connection = exchange.request, exchange.connection
    while len(request.body) < int(request.headers["content-length"]):
        data = connection.recv(65536)
        if not data:
            return None
        request.body += data
    return exchange.honest(exchange.server, request)


def continue_behind(exchange):
    """100 when nobody waits for it any more."""
    return b"HTTP/1.1 100 Continue\r\n\r\n" + exchange.honest(exchange.server, exchange.request)


@before_body
def continue_then_refuse(exchange):
    exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    return answer(403)


@before_body
def expectation_failed(exchange):
    if "expect" in exchange.request.headers:
        return answer(417)
    return late_honest(exchange)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """So large that the server is asked first whether it wants the bytes."""
    path = tmp_path_factory.mktemp("large") / "large.zip"
    path.write_bytes(os.urandom(1536 * KIB))
    return path


@pytest.mark.parametrize("game,expected", ((refuse_at_once, FAILED), (continue_twice, DONE), (continue_behind, DONE),
                                           (continue_then_refuse, DENIED), (expectation_failed, DONE)),
                         ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.parametrize("protocol,step", [("tus", "chunk"), ("s3", "chunk"), ("s3", "put"), ("https", "put")])
def test_games_with_100_continue(tmp_path, large, protocol, step, game, expected):
    with OddServer(protocol, odd={step: game}, continues=False) as server:
        size = 1 << 20 if step == "chunk" and protocol == "s3" else 2 << 20
        chunk = [] if protocol == "https" else ["--chunk-size", size]
        client = Client(tmp_path / "client", "--give-up-after", "0", *chunk)
        result, words = measured(client, large, *server.arguments)
        assert result == expected, words
        if result == DONE:
            assert bytes(server.stored) == large.read_bytes()


def test_a_server_that_says_no_word_before_the_body_gets_it_all_the_same(tmp_path, large):
    with OddServer("https", continues=False) as server:
        assert once(tmp_path, server, large)[0] == DONE
        assert bytes(server.stored) == large.read_bytes()
        assert server.requests[0].headers["expect"] == "100-continue"


@pytest.mark.parametrize("how", (0, 1, 2), ids=("deaf", "mute", "gone"))
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_of_which_half_is_closed_is_one_to_try_again(tmp_path, report, protocol, how):
    @before_body
    def close_half(exchange):
        exchange.connection.shutdown(how)
        if how == 0:
            return None
        exchange.server.ending.wait(0.2)
        return None
    with OddServer(protocol, odd={"put" if protocol == "https" else "create": close_half}) as server:
        result, words = once(tmp_path, server, report)
    assert result == LATER, words
    check_words(words)


# What a server asks for, and the seconds that are waited at least; None: as if it had said nothing.
def in_some_time(seconds):
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


WAITS = {"seconds": (lambda: "1", 1), "a date": (lambda: in_some_time(1.99), 0), "a date that was": (lambda: in_some_time(-99), None),
         "none": (lambda: "0", None), "negative": (lambda: "-5", None), "words": (lambda: "in a while", None),
         "a number beyond all": (lambda: "9" * 40, None), "a fraction": (lambda: "0.1", None)}


@pytest.mark.parametrize("protocol,step,status,what", [("tus", "create", 429, "seconds"), ("cis", "create", 503, "seconds"),
                                                       ("s3", "chunk", 429, "seconds"),
                                                       *(("https", "put", 503, what) for what in WAITS)])
def test_what_the_server_asks_to_wait_is_waited(tmp_path, report, protocol, step, status, what):
    text, least = WAITS[what]
    asked, came = [], []

    def refuse(_):
        asked.append(text())
        return answer(status, b"", f"Retry-After: {asked[0]}")

    def take(exchange):
        came.append(time.time())
        return exchange.honest(server, exchange.request)

    with OddServer(protocol, odd={step: [refuse, take]}) as server:
        client = Client(tmp_path / "client", *chunks(protocol), "--give-up-after", "1h")
        result = client.run(report, *server.arguments, "--progress=json")
        waits = [json.loads(line) for line in result.stdout.splitlines() if b'"wait"' in line]
        if what == "a number beyond all" and result.returncode == LATER:
            assert not waits  # a day is more than the client has
            return
        assert result.returncode == DONE, result.stderr.decode()
        assert bytes(server.stored) == report.read_bytes()
        assert len(waits) == 1
        assert (waits[0]["ms"] < 1000) if least is None else (waits[0]["ms"] >= 1000 * least)
        if what == "a date":  # of which little may be left when the client hears of it
            assert came[0] >= email.utils.parsedate_to_datetime(asked[0]).timestamp() - 0.01


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_who_is_asked_to_wait_longer_than_there_is_time_gives_up_at_once(tmp_path, report, protocol):
    step = "put" if protocol == "https" else "create"
    with OddServer(protocol, odd={step: answer(503, b"", "Retry-After: 86400")}) as server:
        client = Client(tmp_path / "client", *chunks(protocol), "--give-up-after", "1h")
        result = client.run(report, *server.arguments)
        assert result.returncode == LATER, result.stderr.decode()
        assert server.steps().count(step) == 1


# Answers of a Health Check service, and of S3, that have the right status and the wrong content.
BODIES = [("cis", "create", body) for body in (
    b"", b"{", b"[]", b"null", b"{}", b'{"id":null}', b'{"id":""}', b'{"id":{}}', b'{"id":"%s"}' % (b"x" * 5000),
    b'{"id":"a\\r\\nX-Injected: 1"}', b'{"id":"a\\u0000b"}', b"[" * 60000, b'{"id":"\xff\xfe"}', b'{"other":"x"}')
] + [("cis", "chunk", body) for body in (b"<html>", b"[", b'"', b"{" * 60000, b"no")
] + [("s3", "create", body) for body in (
    b"", b"<", b"{}", b"<a/>", b"<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>",
    b"<a>" * 15000, b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY c "&b;&b;&b;">]><InitiateMultipartUploadResult><UploadId>&c;</UploadId>'
    b"</InitiateMultipartUploadResult>",
    b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><InitiateMultipartUploadResult><UploadId>&b;</UploadId>'
    b"</InitiateMultipartUploadResult>",
    b"<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>" % (b"x" * 5000))
] + [("s3", "finish", body) for body in (
    b"<Error><Code>InternalError</Code><Message>half way</Message></Error>", b"<", b"", b"<html></html>")]


@pytest.mark.alike
@pytest.mark.parametrize("number", range(len(BODIES)))
def test_a_success_with_the_wrong_content_is_none(tmp_path, report, number):
    protocol, step, body = BODIES[number]
    with OddServer(protocol, odd={step: answer(200, body)}) as server:
        result, words = once(tmp_path, server, report)
        assert result in (FAILED, LATER), (body[:80], words)
        check_words(words)
        assert len(server.requests) < 20
        assert not any("injected" in name for request in server.requests for name in request.headers)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_token_is_seen_by_the_server_and_by_nobody_else(tmp_path, pem, protocol):
    size = 256 * KIB
    path = tmp_path / "report.zip"
    path.write_bytes(os.urandom(size))
    step = "put" if protocol == "https" else "chunk"
    def looked_at(exchange):
        watch.look()
        return exchange.honest(server, exchange.request)

    with OddServer(protocol, pem, odd={step: [b"", looked_at]}) as server, Watch(CANARY) as watch:
        client = Client(tmp_path / "client", *chunks(protocol), "--cacert", pem)
        result = client.run(path, *server.arguments, "--receipt", tmp_path / "receipt.json", "--progress=json", "--dry-run")
        assert result.returncode == DONE, result.stderr.decode()
        results = [result, client.send(path, *server.arguments, "--receipt", tmp_path / "receipt.json", "--progress=json")]
        assert bytes(server.stored) == path.read_bytes()
        spool = tmp_path / "spool"
        results.append(client.run(*server.arguments[1:], "--queue", spool, "--add", path, server.arguments[0]))
        assert results[-1].returncode == DONE, results[-1].stderr.decode()
        server.odd[step] = answer(503)
        results.append(client.run(*server.arguments[1:], "--queue", spool, "--give-up-after", "0"))
        assert results[-1].returncode == LATER, results[-1].stderr.decode()
        results.append(client.run("--queue", spool, "--list", "--format", "json"))
    if protocol == "s3":
        assert b"test-access" in server.heard and CANARY.encode() not in server.heard
    else:
        assert CANARY.encode() in server.heard
    assert watch.sightings > 3 and not watch.found
    for result in results:
        assert CANARY.encode() not in result.stdout + result.stderr
    assert list(spool.rglob("*.json"))
    assert (tmp_path / "receipt.json").exists()
    assert files_with(tmp_path, CANARY) == [client.credentials]
