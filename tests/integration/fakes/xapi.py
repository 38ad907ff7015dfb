# SPDX-License-Identifier: LGPL-2.1-only
"""A made-up pool: XAPI's JSON-RPC and /system-status for a few hosts, on a local socket and behind TLS.

Each host has its own port on the loopback interface and its own certificate, made when the pool starts. Like the
real one, /system-status sends its headers before it has a report, in the manner of HTTP/1.0, and the report is what
xen-bugtool prints. A host's `mode` makes it misbehave. Everything that comes in is kept in `requests`.
"""
import functools
import hashlib
import io
import json
import pathlib
import socket
import ssl
import struct
import subprocess
import tarfile
import tempfile
import threading
import urllib.parse

from fakes import xapi_health
from fakes.xapi_health import Failure

CAPABILITIES = """<?xml version="1.0" ?>
<system-status-capabilities>
{}
</system-status-capabilities>

"""


def capability(key, checked="yes"):
    return (f'\t<capability content-type="text/plain" default-checked="{checked}" key="{key}" max-size="1" max-time="-1"'
            f' min-size="-1" min-time="-1" pii="maybe"/>')


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


@functools.lru_cache(maxsize=None)
def issue(name, subject, extensions, days, signer):
    """The texts of a key and its certificate. Each test has a pool of its own; making keys anew for all of them takes long."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate, authority = (pathlib.Path(folder) / part for part in ("key", "certificate", "authority"))
        arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256",
                     "-keyout", key, "-out", certificate, "-days", days, "-subj", f"/CN={subject}"]
        for extension in extensions:
            arguments += ["-addext", extension]
        if signer:
            authority.write_text(signer)
            arguments += ["-CA", authority, "-CAkey", authority]
        openssl(*arguments)
        return key.read_text(), certificate.read_text()


def make_certificate(folder, name, subject, *extensions, days=30, signer=None):
    """A key and a certificate in one file, self-signed or signed by another such file; returns its path."""
    key, certificate = issue(name, subject, extensions, days, signer.read_text() if signer else None)
    for suffix, text in (("key", key), ("crt", certificate), ("pem", key + certificate)):
        (folder / f"{name}.{suffix}").write_text(text)
    return folder / f"{name}.pem"


def make_expired_certificate(folder, name, subject):
    """A self-signed one whose time was the year 2020."""
    key, request, both = folder / f"{name}.key", folder / f"{name}.csr", folder / f"{name}.pem"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
            "-out", request, "-subj", f"/CN={subject}")
    (folder / "index.txt").touch()
    (folder / "ca.cnf").write_text(f"[a]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\nrand_serial=yes\n"
                                   "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
    openssl("ca", "-batch", "-selfsign", "-notext", "-config", folder / "ca.cnf", "-name", "a", "-keyfile", key,
            "-in", request, "-out", folder / f"{name}.crt", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
    both.write_text(key.read_text() + (folder / f"{name}.crt").read_text())
    return both


def public_part(path):
    text = path.read_text()
    return text[text.index("-----BEGIN CERTIFICATE"):]


def fingerprint(path):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(public_part(path))).digest().hex(":").upper()


def collect(tool, root, entries):
    command = [tool, "--root", root, "--silent", "--yestoall", "--output=tar", "--outfd=1"]
    return subprocess.run(command + ([f"--entries={entries}"] if entries else []), stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=120, check=True).stdout


collect_once = functools.lru_cache(maxsize=None)(collect)


class Host:
    def __init__(self, pool, number, label, root):
        self.pool, self.label, self.root = pool, label, root
        self.uuid = f"00000000-0000-4000-8000-{number:012d}"
        self.reference = f"OpaqueRef:host-{number}"
        self.mode, self.capabilities = "good", list(pool.KEYS)
        self.pool_pem = make_certificate(pool.folder, f"pool-{number}", self.uuid)
        self.api_pem = make_certificate(pool.folder, f"api-{number}", f"api-{number}", "subjectAltName=IP:127.0.0.1")
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.shown = {"pool": self.pool_pem, None: self.api_pem}
        self.names_asked = []

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.shown[None])
        context.sni_callback = self.choose
        return context

    def choose(self, connection, name, _):
        self.names_asked.append(name)
        if name in self.shown:
            other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            other.load_cert_chain(self.shown[name])
            connection.context = other

    def record(self):
        return {"uuid": self.uuid, "name_label": self.label, "address": self.address, "enabled": True}


class Pool(xapi_health.Health):
    """The pool; the first of its hosts is the one whose local socket there is, and the coordinator unless a test says
    otherwise."""

    REFERENCE = "OpaqueRef:pool"
    uuid = "0f0e0d0c-0b0a-4908-8706-050403020100"
    KEYS = ("kernel-info", "process-list", "system-logs", "xenserver-databases", "xenserver-config", "xen-bugtool")

    def __init__(self, folder, tool, roots, name="example", password="not-a-real-secret-password"):
        super().__init__()
        self.folder, self.tool, self.name = pathlib.Path(folder), tool, name
        self.user, self.password, self.session = "root", password, "OpaqueRef:not-a-real-secret-session"
        self.open_sessions, self.requests, self.lock = [], [], threading.Lock()
        self.refuses_supporters = True  # False: a supporter's XAPI lets root in, too
        self.certificates = []  # records; an old XAPI does not know the class
        self.silent = False  # True: XAPI takes calls and does not answer
        self.ending = threading.Event()
        self.hosts = [Host(self, number, label, root) for number, (label, root) in enumerate(roots.items(), 1)]
        self.local = self.coordinator = self.hosts[0]
        self.trust(*self.hosts)
        path = self.local.root / "var/lib/xcp/xapi"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.local_listener = socket.socket(socket.AF_UNIX)
        self.local_listener.bind(str(path))
        self.local_listener.listen(16)
        self.serve(self.local_listener, self.local, False)
        for host in self.hosts:
            self.serve(host.listener, host, True)

    def trust(self, *hosts):
        """Puts the certificates of these hosts into the local host's bundle."""
        bundle = self.local.root / "etc/stunnel/xapi-pool-ca-bundle.pem"
        bundle.parent.mkdir(parents=True, exist_ok=True)
        bundle.write_text("".join(public_part(host.pool_pem) for host in hosts))

    def serve(self, listener, host, secure):
        def loop():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=self.handle, args=(connection, host, secure), daemon=True).start()
        threading.Thread(target=loop, daemon=True).start()

    @staticmethod
    def stop_listening(listener):
        try:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept()
        except OSError:
            pass
        listener.close()

    def stop(self):
        self.ending.set()
        for listener in [self.local_listener, *(host.listener for host in self.hosts)]:
            self.stop_listening(listener)

    def handle(self, connection, host, secure):
        try:
            if secure and host.mode == "no tls":
                connection.recv(1)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            if secure and host.mode == "mute":
                self.ending.wait()
                return
            connection.settimeout(60)
            if secure:
                connection = host.context().wrap_socket(connection, server_side=True)
            self.answer(connection, host, secure)
            if secure:
                connection.unwrap()
        except (OSError, ValueError, subprocess.SubprocessError):
            pass  # whoever is at the other end sees it by himself
        finally:
            connection.close()

    def answer(self, connection, host, secure):
        reader = connection.makefile("rb")
        first = reader.readline(65536).decode("latin-1")
        headers = {}
        for line in iter(lambda: reader.readline(65536).decode("latin-1").rstrip("\r\n"), ""):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        method, target = first.split(" ")[:2]
        body = reader.read(int(headers.get("content-length", 0)))
        with self.lock:
            self.requests.append({"host": host.label, "secure": secure, "method": method, "target": target,
                                  "headers": headers, "body": body.decode()})
        if target == "/jsonrpc":
            self.call(connection, host, secure, json.loads(body))
        elif target.startswith("/system-status"):
            self.report(connection, host, secure, target, headers)
        else:
            connection.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")

    # --- JSON-RPC: a method a call, named after it; what it raises is XAPI's error

    def call(self, connection, host, secure, request):
        if self.silent:
            self.ending.wait()
            return
        method, parameters = request["method"], request["params"]
        answer = {"jsonrpc": "2.0", "id": request["id"]}
        fault = self.next_fault(method)
        if fault == "silence":
            self.ending.wait()
            return
        if fault == "die before":
            return
        try:
            answer["result"] = self.perform(host, secure, method, parameters, fault)
        except Failure as failure:
            answer["error"] = {"code": 1, "message": failure.code, "data": failure.parameters}
        if fault == "die after":
            return
        data = json.dumps(answer).encode()
        data = (b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ncontent-type: application/json\r\n"
                b"connection: close\r\n\r\n" % len(data) + data)
        step = 1 if fault == "drip" else len(data)
        for start in range(0, len(data), step):
            connection.sendall(data[start:start + step])

    def perform(self, host, secure, method, parameters, fault):
        name = "call_" + method.replace(".", "_")
        if fault and fault.isupper():
            raise Failure(fault, "because the test says so")
        if method == "session.login_with_password":
            return self.login(host, secure, *parameters)
        if parameters[0] not in self.open_sessions:
            raise Failure("SESSION_INVALID", parameters[0])
        if not hasattr(self, name):
            raise Failure("MESSAGE_METHOD_UNKNOWN", method)
        return getattr(self, name)(*parameters[1:])

    def login(self, host, secure, user, password, *_):
        if (secure and host is not self.coordinator) or (not secure and self.refuses_supporters and
                                                         self.local is not self.coordinator):
            raise Failure("HOST_IS_SLAVE", self.coordinator.address)
        if secure and [user, password] != [self.user, self.password]:
            raise Failure("SESSION_AUTHENTICATION_FAILED", "root", "Authentication failure")
        self.open_sessions.append(self.session)
        return self.session

    @property
    def sessions(self):
        return len(self.open_sessions)

    def call_session_logout(self):
        self.open_sessions.remove(self.session)
        return ""

    def call_session_get_this_host(self, session):
        if session != self.session:
            raise Failure("HANDLE_INVALID", "session", session)
        return self.local.reference

    def call_pool_get_all_records(self):
        return {self.REFERENCE: {"uuid": self.uuid, "name_label": self.name, "master": self.coordinator.reference}}

    def call_host_get_all_records(self):
        return {each.reference: each.record() for each in self.hosts}

    def call_Certificate_get_all_records(self):
        if not self.certificates:
            raise Failure("MESSAGE_METHOD_UNKNOWN", "Certificate.get_all_records")
        return {f"OpaqueRef:certificate-{i}": each for i, each in enumerate(self.certificates)}

    def call_host_get_system_status_capabilities(self, reference):
        asked = next(each for each in self.hosts if each.reference == reference)
        if asked.capabilities is None:
            raise Failure("HOST_OFFLINE", reference)
        return CAPABILITIES.format("\n".join(
            key if key.startswith("\t") else capability(key) for key in asked.capabilities))

    # --- /system-status

    HEAD = (b"HTTP/1.0 200 OK\r\nConnection: close\r\nServer: fake\r\nContent-Type: application/data\r\n"
            b'Content-Disposition: attachment; filename="system_status.tgz"\r\n\r\n')

    def tar(self, host, entries):
        """Tests change the local host; what the others have does not change."""
        return (collect if host is self.local else collect_once)(self.tool, host.root, entries)

    def report(self, connection, host, secure, target, headers):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query, keep_blank_values=True))
        cookies = dict(part.split("=", 1) for part in headers.get("cookie", "=").split("; "))
        if cookies.get("session_id", query.get("session_id")) != self.session:
            connection.sendall(b"HTTP/1.1 401 Unauthorised\r\ncontent-length: 0\r\n\r\n")
            return
        assert query["output"] == "tar"
        mode = getattr(self, "mode_" + host.mode.replace(" ", "_"))
        mode(connection, host, query.get("entries", ""))

    def mode_good(self, connection, host, entries):
        connection.sendall(self.HEAD)
        connection.sendall(self.tar(host, entries))

    def mode_chunked(self, connection, host, entries):
        data = self.tar(host, entries)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(data), 5000):
            piece = data[start:start + 5000]
            connection.sendall(b"%x;x=y\r\n" % len(piece) + piece + b"\r\n")
        connection.sendall(b"0\r\nTrailer: x\r\n\r\n")

    def mode_sized(self, connection, host, entries):
        data = self.tar(host, entries)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data)

    def mode_cut(self, connection, host, entries):
        """In the middle of a member; in which order they come is the tool's matter, but some must be behind it."""
        data = self.tar(host, entries)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            members = archive.getmembers()
        largest = max(members[:len(members) * 2 // 3], key=lambda member: member.size)
        host.cut_at = largest.size // 2
        connection.sendall(self.HEAD + data[:largest.offset_data + host.cut_at])

    def mode_cut_between_members(self, connection, host, entries):
        data = self.tar(host, entries)
        size = int(data[124:135], 8)
        connection.sendall(self.HEAD + data[:512 + (size + 511) // 512 * 512])

    def mode_cut_sized(self, connection, host, entries):
        data = self.tar(host, entries)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data[:len(data) // 2])

    def mode_reset(self, connection, host, entries):
        data = self.tar(host, entries)
        connection.sendall(self.HEAD + data[:len(data) // 2])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def mode_hang(self, connection, host, entries):
        self.ending.wait()

    def mode_hang_in_the_middle(self, connection, host, entries):
        data = self.tar(host, entries)
        connection.sendall(self.HEAD + data[:len(data) // 2])
        self.ending.wait()

    def mode_drip(self, connection, host, entries):
        data = self.HEAD + self.tar(host, entries)
        for start in range(0, len(data), 100):
            connection.sendall(data[start:start + 100])
            if self.ending.wait(0.05):
                return

    def mode_forbidden(self, connection, host, entries):
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")

    def mode_error(self, connection, host, entries):
        text = b"<html><body><h1>HTTP 500 internal server error</h1></body></html>"
        connection.sendall(b"HTTP/1.1 500 Internal Error\r\ncontent-length: %d\r\n\r\n" % len(text) + text)

    def mode_redirect(self, connection, host, entries):
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:%d/elsewhere\r\n"
                           b"content-length: 0\r\n\r\n" % self.local.port)

    def mode_garbage(self, connection, host, entries):
        connection.sendall(b"\x00\xff" * 40000)

    def mode_endless_headers(self, connection, host, entries):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not self.ending.is_set():
            connection.sendall(b"X-Header: value\r\n" * 100)

    def mode_two_lengths(self, connection, host, entries):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef")

    def mode_no_tar(self, connection, host, entries):
        connection.sendall(self.HEAD + b"Sorry, no report today. " * 400)

    def mode_empty(self, connection, host, entries):
        connection.sendall(self.HEAD)

    def mode_endless(self, connection, host, entries):
        connection.sendall(self.HEAD)
        header = bytearray(self.tar(host, entries)[:512])
        header[124:136] = b"77777777777\0"
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        connection.sendall(bytes(header))
        while not self.ending.is_set():
            connection.sendall(b"again and again\n" * 4096)

    def mode_own_tar(self, connection, host, entries):
        connection.sendall(self.HEAD + host.tar)
