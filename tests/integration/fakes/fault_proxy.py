# SPDX-License-Identifier: LGPL-2.1-only
"""A bad network between a client and a server on the loopback interface: TCP connections that are cut, slow or damaged.

What happens to the n-th connection is what `plan(n)` returns, a Fault or None. With `speaks` it is a proxy that the client
knows of: "connect" for HTTP's CONNECT, "socks5" for SOCKS 5; otherwise clients are passed on to `target` without a word.
Bytes are counted behind that handshake. They are counted as the proxy takes them from the client, so `up` is what the
client really sent, whether or not the server saw it.
"""
import base64
import collections
import contextlib
import dataclasses
import socket
import struct
import threading
import time

from fakes.ports import free_port

PIECE = 16384
HEAD = 8192  # of a CONNECT


@dataclasses.dataclass
class Fault:
    """One connection's fate. Offsets count the bytes of one direction of this connection."""

    up: int = None  # it ends when so many bytes of the client were passed on,
    down: int = None  # or so many of the server
    how: str = "reset"  # "reset"; "close": both sides see an orderly end; "half": only this direction ends
    delay: float = 0  # seconds before each piece
    drip: int = PIECE  # bytes of a piece
    change: object = None  # called with the direction, an offset and the bytes there; returns what goes on instead
    then: object = None  # called once when `up` or `down` is reached, before anybody hears of it


def flip(at, direction="up"):
    """One byte is another one."""
    def change(way, offset, data):
        if way != direction or not offset <= at < offset + len(data):
            return data
        damaged = bytearray(data)
        damaged[at - offset] ^= 0x20
        return bytes(damaged)
    return change


def double(at, direction="up"):
    """The piece that holds the byte comes twice."""
    def change(way, offset, data):
        return data * 2 if way == direction and offset <= at < offset + len(data) else data
    return change


def swap(at, direction="up"):
    """The halves of the piece that holds the byte come in the wrong order."""
    def change(way, offset, data):
        half = len(data) // 2
        return data[half:] + data[:half] if way == direction and offset <= at < offset + len(data) else data
    return change


def meet(at, action):
    """Does something when the client's byte comes, once; while it does, neither that byte nor any behind it is passed on."""
    def change(way, offset, data):
        if way == "up" and offset <= at < offset + len(data):
            action()
        return data
    return change


def reset(connection):
    """The other end gets RST, not an orderly end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Connection:
    def __init__(self, proxy, client, fault):
        self.proxy, self.client, self.fault, self.server = proxy, client, fault or Fault(), None
        self.lock, self.ended, self.up, self.down = threading.Lock(), False, 0, 0

    def end(self, how):
        with self.lock:
            if self.ended:
                return
            self.ended = True
            for side in (self.client, self.server):
                if side is None:
                    continue
                with contextlib.suppress(OSError):
                    if how == "reset":
                        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    else:
                        side.shutdown(socket.SHUT_WR)
                    # Wakes the thread that waits in recv(); with the lingering time of 0 it is close() that sends RST.
                    side.shutdown(socket.SHUT_RD)

    def pass_end(self, sink):
        with self.lock, contextlib.suppress(OSError):
            if not self.ended:
                sink.shutdown(socket.SHUT_WR)

    def pump(self, way, source, sink):
        fault, limit, passed = self.fault, getattr(self.fault, way), 0
        try:
            while limit is None or passed < limit:
                data = source.recv(fault.drip if limit is None else min(fault.drip, limit - passed))
                if not data:
                    self.pass_end(sink)
                    return
                self.proxy.count(self, way, len(data))
                if fault.delay:
                    time.sleep(fault.delay)
                sink.sendall(fault.change(way, passed, data) if fault.change else data)
                passed += len(data)
        except OSError:
            self.end("reset")
            return
        self.proxy.cut()
        if fault.then:
            fault.then()
        if fault.how == "half":
            self.pass_end(sink)
        else:
            self.end(fault.how)

    def run(self):
        try:
            self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.server = self.proxy.reach(self.client)
            self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, ValueError):
            reset(self.client)
            return
        back = threading.Thread(target=self.pump, args=("down", self.server, self.client), daemon=True)
        back.start()
        self.pump("up", self.client, self.server)
        back.join()
        self.client.close()
        self.server.close()
        self.proxy.forget(self)


class FaultProxy:
    def __init__(self, target=None, plan=None, speaks=None, credentials=None, patience=60):
        """`target` is (host, port), asked for by the client instead when the proxy speaks; credentials are "user:password"."""
        self.target, self.plan, self.speaks, self.credentials, self.patience = target, plan, speaks, credentials, patience
        self.lock, self.open = threading.Lock(), set()
        self.address, self.listener = ("127.0.0.1", free_port()), None  # it may come back there
        self.start_counting()
        self.listen()

    def start_counting(self):
        self.connections = self.cuts = self.up = self.down = self.refused = 0
        self.asked = collections.Counter()  # "host:port" that clients asked for
        self.heads = []  # of CONNECT

    def listen(self):
        self.listener = socket.create_server(self.address, backlog=64)
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    @property
    def port(self):
        return self.address[1]

    @property
    def url(self):
        return f"{'socks5h' if self.speaks == 'socks5' else 'http'}://127.0.0.1:{self.port}"

    def hang_up(self):
        """Connections are refused until listen()."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def close(self):
        self.hang_up()
        with self.lock:
            left = list(self.open)
        for connection in left:
            connection.end("reset")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.settimeout(self.patience)
            with self.lock:
                number = self.connections
                self.connections += 1
                connection = Connection(self, client, self.plan(number) if self.plan else None)
                self.open.add(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def count(self, connection, way, number):
        with self.lock:
            setattr(self, way, getattr(self, way) + number)
            setattr(connection, way, getattr(connection, way) + number)

    def cut(self):
        with self.lock:
            self.cuts += 1

    def forget(self, connection):
        with self.lock:
            self.open.discard(connection)

    def reach(self, client):
        target = self.target
        if self.speaks:
            target = (self.connect_head if self.speaks == "connect" else self.socks5)(client)
            with self.lock:
                self.asked[f"{target[0]}:{target[1]}"] += 1
            # What was reached on the loopback interface is all there is: a name that leads elsewhere is not asked for.
            target = ("127.0.0.1", target[1])
        server = socket.create_connection(target, timeout=self.patience)
        if self.speaks == "connect":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        elif self.speaks == "socks5":
            client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        return server

    def connect_head(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(1)  # by the byte, so that nothing behind the head is taken
            if not piece or len(head) > HEAD:
                raise ValueError("no CONNECT")
            head += piece
        with self.lock:
            self.heads.append(head)
        words = head.split(b"\r\n")[0].split(b" ")
        wanted = self.credentials and b"Basic " + base64.b64encode(self.credentials.encode())
        given = [line.split(b":", 1)[1].strip() for line in head.split(b"\r\n")
                 if line.lower().startswith(b"proxy-authorization:")]
        answer = None
        if words[0] != b"CONNECT":
            answer = b"405 Method Not Allowed"
        elif wanted and given != [wanted]:
            answer = b"407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\""
        if answer:
            with self.lock:
                self.refused += 1
            client.sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            client.recv(HEAD)
            raise ValueError("refused")
        host, port = words[1].decode().rsplit(":", 1)
        return host, int(port)

    def socks5(self, client):
        def take(size):
            data = b""
            while len(data) < size:
                piece = client.recv(size - len(data))
                if not piece:
                    raise ValueError("no SOCKS")
                data += piece
            return data
        take(take(2)[1])
        client.sendall(b"\x05\x00")
        kind = take(4)[3]
        host = socket.inet_ntoa(take(4)) if kind == 1 else take(take(1)[0]).decode() if kind == 3 else take(16).hex()
        return host, struct.unpack(">H", take(2))[0]


class Cuts:
    """A plan: every connection is cut at a random place, until so many were; then none is."""

    def __init__(self, random, wanted, longest, hows=("reset", "reset", "close"), down=0.15):
        self.random, self.wanted, self.longest, self.hows, self.down, self.made = random, wanted, longest, hows, down, 0

    def __call__(self, _):
        if self.made >= self.wanted:
            return None
        how = self.random.choice(self.hows)
        if self.random.random() < self.down:
            # Answers are short: most of them are what comes first, the server's part of TLS or the first head.
            return Fault(down=self.random.randrange(2500), how=how, then=self.count)
        return Fault(up=self.random.randrange(self.longest), how=how, then=self.count)

    def count(self):
        self.made += 1
