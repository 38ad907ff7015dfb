# SPDX-License-Identifier: LGPL-2.1-only
"""A server that can speak each HTTP protocol of xen-upload, and at a step of the test's choice says something else.

`odd` maps a step ("create", "offset", "chunk", "finish", ...) to bytes that are sent instead of the honest answer, or to a
function of the Exchange that does what it likes and returns bytes or None; a list is one item for each time the step comes,
with None for an honest answer. A step is odd until the list ends, else for ever. Everything that clients send is in
`requests`, and in `heard` byte by byte.
"""
import base64
import contextlib
import dataclasses
import hashlib
import json
import re
import socket
import ssl
import threading
import urllib.parse

LONGEST_HEAD = 65536


def answer(status, body=b"", *headers, reason="Because"):
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclasses.dataclass
class Request:
    method: str
    target: str
    headers: dict
    body: bytes = b""
    step: str = ""

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query, keep_blank_values=True))


class Tus:
    scheme, path = "tus+http", "/files"
    extensions = "creation,checksum,expiration,termination"

    def step(self, request):
        return {"POST": "create", "HEAD": "offset", "PATCH": "chunk", "DELETE": "abandon"}.get(request.method, "options")

    def honest(self, server, request):
        tus = ("Tus-Resumable: 1.0.0",)
        if request.step == "options":
            return answer(204, b"", *tus, "Tus-Version: 1.0.0", f"Tus-Extension: {self.extensions}",
                          "Tus-Checksum-Algorithm: sha1,sha256")
        if request.step == "create":
            server.size, server.stored = int(request.headers["upload-length"]), bytearray()
            return answer(201, b"", *tus, f"Location: http{'s' * server.secure}://{server.host}/files/1")
        if request.step == "chunk":
            if int(request.headers["upload-offset"]) != len(server.stored):
                return answer(409, b"", *tus)
            kind, _, digest = request.headers.get("upload-checksum", "").partition(" ")
            if kind and base64.b64decode(digest) != hashlib.new(kind, request.body).digest():
                return answer(460, b"", *tus)
            server.stored += request.body
            return answer(204, b"", *tus, f"Upload-Offset: {len(server.stored)}")
        if request.step == "offset":
            if server.size is None:
                return answer(404, b"", *tus)
            return answer(200, b"", *tus, f"Upload-Offset: {len(server.stored)}", f"Upload-Length: {server.size}",
                          "Cache-Control: no-store")
        server.size = None
        return answer(204, b"", *tus)


class Cis:
    scheme, path = "cis+http", "/feeds/api/"

    def step(self, request):
        return "chunk" if "upload_raw_chunk" in request.target else "create"

    def honest(self, server, request):
        if request.step == "create":
            server.size, server.stored = int(request.query["size"]), bytearray()
            return answer(200, b'{"id":"11111111-2222-4333-8444-555555555555"}', "Content-Type: application/json")
        offset = int(request.query["offset"])
        server.stored[offset:offset + len(request.body)] = request.body
        return answer(200, json.dumps({"status": "complete" if len(server.stored) == server.size else "incomplete"}).encode(),
                      "Content-Type: application/json")


class S3:
    scheme, path = "s3", "bucket/key.zip"

    def step(self, request):
        query = request.query
        if "uploads" in query and request.method == "POST":
            return "create"
        if "uploadId" in query:
            return {"PUT": "chunk", "POST": "finish", "GET": "list", "DELETE": "abandon"}.get(request.method, "other")
        return "put" if request.method == "PUT" else "look"

    def honest(self, server, request):
        if request.step == "create":
            server.parts = {}
            return answer(200, b"<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>key.zip</Key>"
                               b"<UploadId>upload1</UploadId></InitiateMultipartUploadResult>")
        if request.step == "chunk":
            server.parts[int(request.query["partNumber"])] = request.body
            return answer(200, b"", f'ETag: "{hashlib.md5(request.body).hexdigest()}"')
        if request.step == "finish":
            server.stored = bytearray(b"".join(server.parts[n] for n in sorted(server.parts)))
            return answer(200, b"<CompleteMultipartUploadResult><ETag>\"x-1\"</ETag></CompleteMultipartUploadResult>")
        if request.step == "list":
            parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>\"{hashlib.md5(data).hexdigest()}\"</ETag>"
                            f"<Size>{len(data)}</Size></Part>" for n, data in sorted(server.parts.items()))
            return answer(200, f"<ListPartsResult><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>".encode())
        if request.step == "put":
            server.stored = bytearray(request.body)
            return answer(200, b"", f'ETag: "{hashlib.md5(request.body).hexdigest()}"')
        return answer(204)


class Https:
    scheme, path = "http", "/up/file.zip"

    def step(self, request):
        return "put"

    def honest(self, server, request):
        server.stored = bytearray(request.body)
        return answer(201)


PROTOCOLS = {"tus": Tus, "cis": Cis, "s3": S3, "https": Https}


class Exchange:
    """One request on its connection; what an odd function gets."""

    def __init__(self, server, connection, request):
        self.server, self.connection, self.request = server, connection, request
        self.honest = server.protocol.honest

    def send(self, data):
        self.connection.sendall(data)

    def pour(self, piece, total, first=b""):
        """Sends up to `total` bytes, counting in `server.poured` those that somebody took."""
        with contextlib.suppress(OSError):
            self.send(first)
            while self.server.poured < total:
                self.send(piece)
                self.server.poured += len(piece)

    def close(self):
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class OddServer:
    def __init__(self, protocol="https", pem=None, odd=None, continues=True):
        """`pem`: a certificate and its key for TLS. `continues`: "100 Continue" is said when asked for."""
        self.protocol, self.odd, self.continues = PROTOCOLS[protocol](), odd or {}, continues
        self.secure, self.context = pem is not None, None
        if pem:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(pem)
        self.size, self.stored, self.parts, self.poured = None, bytearray(), {}, 0
        self.requests, self.heard, self.times = [], bytearray(), {}
        self.statuses = []  # of honest answers
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def origin(self):
        return f"http{'s' * self.secure}://{self.host}"

    @property
    def arguments(self):
        """The URL and options of xen-upload that lead here."""
        plain = [] if self.secure else ["--allow-plain"]
        if self.protocol.scheme == "s3":
            return [f"s3://{self.protocol.path}", "--endpoint", self.origin, "--region", "us-east-1", *plain]
        return [f"{self.protocol.scheme}{'s' * self.secure}://{self.host}{self.protocol.path}", *plain]

    def steps(self):
        return [request.step for request in self.requests]

    def close(self):
        self.ending.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(120)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError, ValueError, AssertionError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                left = b""
                while left is not None:
                    left = self.one(connection, left)

    def hear(self, connection):
        data = connection.recv(65536)
        with self.lock:
            self.heard += data
        return data

    def one(self, connection, left):
        """One request. Returns what was read behind it, or None when the connection is over."""
        while b"\r\n\r\n" not in left:
            data = self.hear(connection)
            if not data or len(left) > LONGEST_HEAD:
                return None
            left += data
        head, body = left.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        request = Request(method, target, headers)
        request.step = self.protocol.step(request)
        odd = self.choose(request.step)
        if headers.get("expect", "").lower() == "100-continue" and self.continues:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(headers.get("content-length", 0))
        if not getattr(odd, "before_body", False):
            while len(body) < length:
                data = self.hear(connection)
                if not data:
                    return None
                body += data
        request.body, left = body[:length], body[length:]
        with self.lock:
            self.requests.append(request)
        if odd is None:
            odd = self.protocol.honest(self, request)
            self.statuses.append(int(odd[9:12]))
        if callable(odd):
            odd = odd(Exchange(self, connection, request))
        if odd is None:
            return None
        connection.sendall(odd)
        whole = re.match(rb"HTTP/1\.1 \d\d\d [^\r]*\r\nContent-Length: (\d+)\r\n", odd)
        if length == len(request.body) and whole and len(odd.partition(b"\r\n\r\n")[2]) == int(whole[1]):
            return left
        # Closing with bytes unread would be a reset, which may overtake the answer.
        connection.shutdown(socket.SHUT_WR)
        while self.hear(connection):
            pass
        return None

    def choose(self, step):
        with self.lock:
            number = self.times[step] = self.times.get(step, -1) + 1
        odd = self.odd.get(step)
        if isinstance(odd, list):
            return odd[number] if number < len(odd) else None
        return odd


def before_body(function):
    """The odd function answers as soon as the head is there."""
    function.before_body = True
    return function
