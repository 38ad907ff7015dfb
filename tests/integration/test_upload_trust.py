# SPDX-License-Identifier: LGPL-2.1-only
"""Whom xen-upload trusts, and that its token goes to nobody else.

Each server here counts connections and keeps every byte that arrives behind the handshake. A server that must not be
trusted hears none: not the token, and not one byte of the file.
"""
import base64
import contextlib
import json
import os
import pty
import re
import select
import socket
import ssl
import threading

import pytest

from fakes.certificates import Certificate, authority, openssl, pin, server
from fakes.odd_server import OddServer
from uploading import CANARY, DENIED, DONE, FAILED, LATER, USAGE, Client, Watch, files_with, secret

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
ONCE = ("--give-up-after", "0")


class Listener:
    """Accepts, shakes hands if there is a context, reads one request, answers."""

    def __init__(self, context=None, answer=OK, greeting=None):
        self.context, self.answer, self.greeting, self.before_answer = context, answer, greeting, lambda: None
        self.connections, self.heard = 0, b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(120)
            with contextlib.suppress(OSError), connection:
                self.talk(connection)

    def talk(self, connection):
        if self.greeting:
            connection.recv(4096)
            connection.sendall(self.greeting)
            connection.recv(4096)
            return
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
        with connection:
            if self.request(connection):
                self.before_answer()
                connection.sendall(self.answer)

    def request(self, connection):
        """A whole request; what is not HTTP is kept too."""
        start = len(self.heard)
        while True:
            head, end, body = self.heard[start:].partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            if end and len(body) >= int(length[1] if length else 0):
                return True
            data = connection.recv(65536)
            if not data:
                return False
            self.heard += data


def context(certificate, least=ssl.TLSVersion.TLSv1_2, most=ssl.TLSVersion.TLSv1_3, ciphers="DEFAULT@SECLEVEL=0"):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(ciphers)
    made.minimum_version, made.maximum_version = least, most
    if certificate:
        made.load_cert_chain(certificate.both)
    return made


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def root(place):
    return authority(place, "root", key=("-newkey", "rsa:2048"))  # elliptic curves cannot be signed with by MD5


@pytest.fixture(scope="module")
def good(place, root):
    return server(place, "good", root)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.zip"
    path.write_bytes(os.urandom(30_000))
    return path


@pytest.fixture
def client(tmp_path):
    return Client(tmp_path / "client", *ONCE)


def send(client, report, listener, *options, host="127.0.0.1", path="/up", scheme="https", **keywords):
    result = client.run(*options, report, f"{scheme}://{host}:{listener.port}{path}", **keywords)
    assert CANARY.encode() not in result.stdout + result.stderr
    return result


def refused(client, report, listener, *options, words=(), **keywords):
    result = send(client, report, listener, *options, **keywords)
    said = result.stderr.decode()
    assert result.returncode == DENIED, said
    assert len(said.splitlines()) == 1 and "not trusted" in said, said
    for word in [words] if isinstance(words, str) else words:
        assert word in said, said
    assert listener.connections == 1 and listener.heard == b""


def arrived(client, report, listener, *options, **keywords):
    result = send(client, report, listener, *options, **keywords)
    assert result.returncode == DONE, result.stderr.decode()
    assert listener.heard.endswith(report.read_bytes())
    assert f"Authorization: Bearer {CANARY}-token".encode() in listener.heard


# ---- certificates

def nul_in_name():
    name = b"localhost\0.evil.example"
    general = bytes([0x82, len(name)]) + name
    return "DER:" + (bytes([0x30, len(general)]) + general).hex()


def through(place, root, name, more="", leaf="", **options):
    """A server's certificate of an intermediate authority that is sent along."""
    middle = authority(place, f"{name}-middle", root, more, **options)
    return server(place, name, middle, more=leaf, sends=[middle])


RSA_1024 = ("-newkey", "rsa:1024")
EC_160 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp160r1")

BAD = {
    "expired": (lambda p, r: server(p, "x", r, valid=("20200101000000Z", "20210101000000Z")), "expired"),
    "not yet valid": (lambda p, r: server(p, "x", r, valid=("20480101000000Z", "20491231000000Z")), "not yet valid"),
    "signed by itself": (lambda p, r: server(p, "x", None), "self"),
    "of an unknown authority": (lambda p, r: server(p, "x", authority(p, "other")), "unable to get"),
    "of an authority of the same name": (lambda p, r: server(p, "x", authority(p, "other", subject="root")), ""),
    "for another host": (lambda p, r: server(p, "x", r, "DNS:other.example,IP:127.0.0.2"), "127.0.0.1"),
    "for nobody, but with the host as common name":
        (lambda p, r: Certificate(p, "x", "basicConstraints=critical,CA:false", r, subject="127.0.0.1"), "127.0.0.1"),
    "with the address written as a name": (lambda p, r: server(p, "x", r, "DNS:127.0.0.1"), "127.0.0.1"),
    "with a wildcard for an address": (lambda p, r: server(p, "x", r, "DNS:*.0.0.1"), "127.0.0.1"),
    "signed with SHA-1": (lambda p, r: server(p, "x", r, digest="sha1"), "too weak"),
    "signed with MD5": (lambda p, r: server(p, "x", r, digest="md5"), "too weak"),
    "with an RSA key of 1024 bits": (lambda p, r: server(p, "x", r, key=RSA_1024), "too weak"),
    "with a curve of 160 bits": (lambda p, r: server(p, "x", r, key=EC_160), ""),
    "whose intermediate is missing": (lambda p, r: server(p, "x", authority(p, "middle", r)), "unable to get"),
    "whose intermediate is a server's certificate":
        (lambda p, r: (lambda m: server(p, "x", m, sends=[m]))(server(p, "middle", r)), "invalid CA"),
    "whose intermediate is too long a path":
        (lambda p, r: (lambda a: (lambda b: server(p, "x", b, sends=[b, a]))(authority(p, "b", a)))(
            authority(p, "a", r, ",pathlen:0")), "path length"),
    "whose intermediate has expired":
        (lambda p, r: through(p, r, "x", valid=("20200101000000Z", "20210101000000Z")), "expired"),
    "whose intermediate is signed with SHA-1": (lambda p, r: through(p, r, "x", digest="sha1"), "too weak"),
    "whose intermediate has a key of 1024 bits": (lambda p, r: through(p, r, "x", key=RSA_1024), "too weak"),
    "outside of what its authority may name":
        (lambda p, r: through(p, r, "x", "\nnameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0"), "permitted subtree"),
    "within what its authority must not name":
        (lambda p, r: through(p, r, "x", "\nnameConstraints=critical,excluded;IP:127.0.0.0/255.0.0.0"), "excluded subtree"),
    "for clients only": (lambda p, r: server(p, "x", r, more="extendedKeyUsage=clientAuth"), "purpose"),
    "for signing certificates only": (lambda p, r: server(p, "x", r, more="keyUsage=critical,keyCertSign"), ""),
    "with an unknown critical extension": (lambda p, r: server(p, "x", r, more="1.2.3.4=critical,ASN1:UTF8String:x"), "critical"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused_is_a_certificate(case, tmp_path, root, client, report):
    make, words = BAD[case]
    with Listener(context(make(tmp_path, root))) as listener:
        refused(client, report, listener, "--cacert", root.pem, words=words)


NAMES = {
    "localhost": ["DNS:*", "DNS:l*", "DNS:localhos", "DNS:localhost.example", "DNS:*.localhost", "IP:127.0.0.1",
                  nul_in_name(), "email:localhost", "URI:https://localhost"],
    "a.x.localhost": ["DNS:x.localhost", "DNS:a*.x.localhost", "DNS:*a.x.localhost", "DNS:*.*.localhost", "DNS:a.*.localhost",
                      "DNS:b.x.localhost", "DNS:*.localhost"],
    "a.b.x.localhost": ["DNS:*.x.localhost"],
}


@pytest.mark.alike
@pytest.mark.parametrize("host, names", [(host, names) for host, all_names in NAMES.items() for names in all_names])
def test_refused_is_a_name_that_is_not_the_host(host, names, tmp_path, root, client, report):
    with Listener(context(server(tmp_path, "x", root, names, subject=host))) as listener:
        refused(client, report, listener, "--cacert", root.pem, words=host, host=host)


@pytest.mark.parametrize("host, names", [
    ("127.0.0.1", "IP:127.0.0.1"), ("localhost", "DNS:localhost"), ("LOCALHOST", "DNS:localhost"),
    ("localhost", "DNS:other.example,DNS:LocalHost"), ("a.x.localhost", "DNS:*.x.localhost"), ("a.x.localhost", "DNS:a.x.localhost"),
])
def test_accepted_is_a_name_that_is_the_host(host, names, tmp_path, root, client, report):
    with Listener(context(server(tmp_path, "x", root, names))) as listener:
        arrived(client, report, listener, "--cacert", root.pem, host=host)


def test_the_systems_authorities_are_asked_when_none_is_named(good, client, report):
    with Listener(context(good)) as listener:
        refused(client, report, listener, words=["unable to get", "Name that: --cacert"])


GOOD = {
    "with its intermediate": lambda p, r: through(p, r, "x"),
    "within what its authority may name": lambda p, r: through(p, r, "x", "\nnameConstraints=critical,permitted;IP:127.0.0.0/255.0.0.0,permitted;DNS:localhost"),
    "with an RSA key of 2048 bits": lambda p, r: server(p, "x", r, key=("-newkey", "rsa:2048")),
    "for servers": lambda p, r: server(p, "x", r, more="extendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature"),
}


@pytest.mark.parametrize("case", GOOD)
def test_accepted_is_a_certificate(case, tmp_path, root, client, report):
    with Listener(context(GOOD[case](tmp_path, root))) as listener:
        arrived(client, report, listener, "--cacert", root.pem)


def test_accepted_is_a_certificate_that_is_named_itself(tmp_path, client, report):
    own = server(tmp_path, "own", None)
    with Listener(context(own)) as listener:
        arrived(client, report, listener, "--cacert", own.pem)


# ---- versions and ciphers

VERSION = ssl.TLSVersion


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [VERSION.TLSv1, VERSION.TLSv1_1])
def test_refused_is_old(version, root, good, client, report):
    with Listener(context(good, version, version)) as listener:
        refused(client, report, listener, "--cacert", root.pem)


def record(version, body):
    return bytes([22, *version]) + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize("version", [(3, 0), (2, 0)])
def test_refused_is_ssl(version, root, client, report):
    """No library makes it any more: a ServerHello of SSL, byte by byte."""
    hello = bytes([*version]) + bytes(32) + b"\x00\x00\x2f\x00"
    with Listener(greeting=record(version, b"\x02" + len(hello).to_bytes(3, "big") + hello)) as listener:
        refused(client, report, listener, "--cacert", root.pem)


@pytest.mark.parametrize("ciphers", ["aNULL@SECLEVEL=0", "eNULL@SECLEVEL=0"])
def test_refused_is_a_cipher_that_hides_or_proves_nothing(ciphers, root, good, client, report):
    certificate = None if ciphers.startswith("aNULL") else good
    with Listener(context(certificate, most=VERSION.TLSv1_2, ciphers=ciphers)) as listener:
        refused(client, report, listener, "--cacert", root.pem)


@pytest.mark.parametrize("version", [VERSION.TLSv1_2, VERSION.TLSv1_3])
def test_accepted_is_new(version, root, good, client, report):
    with Listener(context(good, version, version)) as listener:
        arrived(client, report, listener, "--cacert", root.pem)


def test_a_server_without_tls_is_not_spoken_to(root, client, report):
    with Listener(greeting=b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as listener:
        result = send(client, report, listener, "--cacert", root.pem)
        assert result.returncode in (DENIED, LATER) and listener.heard == b""


def test_plain_http_is_refused_without_a_packet(client, report):
    with Listener() as listener:
        assert send(client, report, listener, scheme="http").returncode == USAGE
        assert send(client, report, listener, "--allow-plain", scheme="http", host="localhost").returncode == USAGE
        assert listener.connections == 0
        arrived(client, report, listener, "--allow-plain", scheme="http")


# ---- pins and our own certificate

def test_a_pin_must_match_besides_all_else(tmp_path, root, good, client, report):
    other = server(tmp_path, "other", root)
    with Listener(context(good)) as listener:
        refused(client, report, listener, "--cacert", root.pem, "--pin", pin(other), words="pinned")
    with Listener(context(good)) as listener:
        refused(client, report, listener, "--pin", pin(good))
    for pins in (pin(good), f"{pin(other)};{pin(good)}"):
        with Listener(context(good)) as listener:
            arrived(client, report, listener, "--cacert", root.pem, "--pin", pins)


@pytest.mark.parametrize("text", ["", "sha256//", "/etc/passwd", "sha256//short=", "md5//x", "sha256//" + "A" * 44,
                                  "sha256//" + "A" * 43 + "=;", ";", "sha1//" + "A" * 43 + "="])
def test_a_pin_that_is_none_is_refused(text, client, report):
    with Listener() as listener:
        assert send(client, report, listener, "--pin", text).returncode == USAGE
        assert listener.connections == 0


def asks_for_certificate(good, root, version):
    made = context(good, version, version)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(root.pem)
    return made


@pytest.mark.parametrize("version", [VERSION.TLSv1_2, VERSION.TLSv1_3])
def test_a_server_may_ask_for_our_certificate(version, tmp_path, root, good, client, report):
    ours = Certificate(tmp_path, "ours", "basicConstraints=critical,CA:false\nextendedKeyUsage=clientAuth", root)
    with Listener(asks_for_certificate(good, root, version)) as listener:
        arrived(client, report, listener, "--cacert", root.pem, "--cert", ours.pem, "--key", ours.key)
    stranger = Certificate(tmp_path, "stranger", "basicConstraints=critical,CA:false", None)
    for options in ([], ["--cert", stranger.pem, "--key", stranger.key]):
        with Listener(asks_for_certificate(good, root, version)) as listener:
            result = send(client, report, listener, "--cacert", root.pem, *options)
            # In TLS 1.3 the client is through before the server has looked, so the line may only break.
            assert result.returncode == DENIED or version == VERSION.TLSv1_3 and result.returncode == LATER, result.stderr
            assert listener.heard == b""


def test_our_key_must_be_ours_alone_and_without_passphrase(tmp_path, root, good, client, report):
    key, closed = tmp_path / "key", tmp_path / "closed"
    secret(tmp_path, "key", good.key.read_text())
    openssl("pkey", "-in", key, "-aes128", "-passout", "pass:x", "-out", closed)
    closed.chmod(0o600)
    with Listener(context(good)) as listener:
        options = ["--cacert", root.pem, "--cert", good.pem]
        assert send(client, report, listener, *options).returncode == USAGE
        assert send(client, report, listener, *options, "--key", closed).returncode == USAGE
        key.chmod(0o640)
        result = send(client, report, listener, *options, "--key", key)
        assert result.returncode == DENIED and b"chmod 600" in result.stderr
        assert listener.heard == b""


def test_nobody_is_asked_for_a_passphrase(tmp_path, root, good, client, report):
    """OpenSSL would, at the terminal, whoever started us."""
    closed = secret(tmp_path, "closed", "")
    openssl("pkey", "-in", good.key, "-aes128", "-passout", "pass:x", "-out", closed)
    with Listener(context(good)) as listener:
        command = client.command("--cacert", root.pem, "--cert", good.pem, "--key", closed, report, f"https://127.0.0.1:{listener.port}/")
        child, terminal = pty.fork()
        if child == 0:
            os.execv(command[0], command)
        said = b""
        with contextlib.suppress(OSError):
            while select.select([terminal], [], [], 240)[0] and (data := os.read(terminal, 4096)):
                said += data
        os.close(terminal)  # whoever still asks is hung up on
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == USAGE and b"pass phrase" not in said and b"passphrase cannot" in said, said


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
def test_authorities_that_cannot_be_read_are_not_left_out(content, tmp_path, good, client, report):
    path = tmp_path / "authorities"
    if content is not None:
        path.write_bytes(content)
    with Listener(context(good)) as listener:
        result = send(client, report, listener, "--cacert", path)
        assert result.returncode not in (DONE, LATER), result.stderr
        assert listener.heard == b""


# ---- where the token goes

@pytest.fixture
def second(good):
    with Listener(context(good)) as listener:
        yield listener
        assert listener.connections == 0 and listener.heard == b""


@pytest.mark.alike
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["https://localhost:{port}/", "https://127.0.0.1:{port}/", "http://127.0.0.1:{port}/",
                                   "//localhost:{port}/", "https://127.0.0.1:{own}/other", "/other"])
def test_no_redirect_is_followed(status, where, root, good, second, client, report):
    listener = Listener(context(good))
    location = where.format(port=second.port, own=listener.port) + "?secret-of-the-server"
    listener.answer = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    with listener:
        result = send(client, report, listener, "--cacert", root.pem)
        assert result.returncode == FAILED and listener.connections == 1
        assert b"secret-of-the-server" not in result.stderr + result.stdout
        assert f"status {status}".encode() in result.stderr


def test_the_environment_names_no_proxy_and_keeps_no_keys(tmp_path, root, good, second, client, report):
    proxy = f"http://127.0.0.1:{second.port}"
    names = ["http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
    keys = tmp_path / "keys"
    with Listener(context(good)) as listener:
        arrived(client, report, listener, "--cacert", root.pem, env={**dict.fromkeys(names, proxy), "SSLKEYLOGFILE": str(keys)})
    assert not keys.exists()


def test_no_password_is_taken_from_the_home_folder(tmp_path, root, good, client, report):
    home = tmp_path / "home"
    home.mkdir()
    for name in (".netrc", "_netrc"):
        secret(home, name, f"machine 127.0.0.1 login me password {CANARY}\ndefault login me password {CANARY}\n")
    secret(home, ".curlrc", f"proxy = 127.0.0.1:1\nuser = me:{CANARY}\n")
    with Listener(context(good)) as listener:
        result = send(client, report, listener, "--cacert", root.pem, credentials=False,
                      env={"HOME": str(home), "CURL_HOME": str(home), "NETRC": str(home / ".netrc")})
        assert result.returncode == DONE, result.stderr
        assert b"uthorization" not in listener.heard


def test_a_url_with_a_password_is_refused(root, good, client, report):
    with Listener(context(good)) as listener:
        for user in ("me@", f"me:{CANARY}@", ":@"):
            assert send(client, report, listener, "--cacert", root.pem, host=f"{user}127.0.0.1").returncode == USAGE
        assert listener.connections == 0


class Proxy(Listener):
    """CONNECT to anywhere on this machine; keeps what it is told outside of the tunnel, and inside of it."""

    def __init__(self, wants=None):
        self.wants, self.heads, self.inside = wants, [], b""
        super().__init__()

    def talk(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                return
            head += data
        self.heads.append(head)
        if self.wants and b"Proxy-Authorization: Basic " + base64.b64encode(self.wants) not in head:
            connection.sendall(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n')
            self.talk(connection)
            return
        port = int(re.match(rb"CONNECT [^ ]*:(\d+) ", head)[1])
        connection.sendall(b"HTTP/1.1 200 Yes\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port), timeout=120) as on:
            back = threading.Thread(target=self.copy, args=(on, connection))
            back.start()
            self.copy(connection, on, keep=True)
            back.join()

    def copy(self, source, target, keep=False):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if keep:
                    self.inside += data
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def test_a_proxy_sees_its_own_password_and_nothing_else(tmp_path, root, good, client, report):
    password = secret(tmp_path, "proxy", "username=me\npassword=of-the-proxy\n")
    with Listener(context(good)) as listener, Proxy(b"me:of-the-proxy") as proxy:
        options = ["--cacert", root.pem, "--proxy", f"http://127.0.0.1:{proxy.port}"]
        arrived(client, report, listener, *options, "--proxy-credentials", password,
                env={"no_proxy": "*", "NO_PROXY": "127.0.0.1"})
        assert proxy.heads and all(head.startswith(b"CONNECT 127.0.0.1:") for head in proxy.heads)
        assert CANARY.encode() not in b"".join(proxy.heads) + proxy.inside
        assert b"\r\nAuthorization" not in b"".join(proxy.heads)
        assert b"Proxy-" not in listener.heard and b"of-the-proxy" not in listener.heard
    with Listener(context(good)) as listener, Proxy(b"me:another") as proxy:
        result = send(client, report, listener, "--cacert", root.pem, "--proxy", f"http://127.0.0.1:{proxy.port}",
                      "--proxy-credentials", password)
        assert result.returncode == DENIED and b"--proxy-credentials" in result.stderr
        assert b"of-the-proxy" not in result.stderr and listener.connections == 0


def test_a_tunnel_it_is_without_tls_too_and_only_on_this_machine(client, report):
    with Listener() as listener, Proxy() as proxy:
        plain = ["--allow-plain", "--proxy"]
        arrived(client, report, listener, *plain, f"http://127.0.0.1:{proxy.port}", scheme="http")
        assert len(proxy.heads) == 1 and b"\r\nAuthorization" not in proxy.heads[0]
        result = send(client, report, listener, *plain, "http://192.0.2.1:3128", scheme="http")
        assert result.returncode == USAGE and b"not encrypted" in result.stderr


def test_a_server_behind_a_proxy_is_checked_as_any(tmp_path, root, client, report):
    with Listener(context(server(tmp_path, "x", None))) as listener, Proxy() as proxy:
        refused(client, report, listener, "--cacert", root.pem, "--proxy", f"http://127.0.0.1:{proxy.port}")


@pytest.mark.parametrize("proxy", ["https://127.0.0.1:1", "ftp://127.0.0.1:1", f"http://me:{CANARY}@127.0.0.1:1", "x y", ""])
def test_a_proxy_that_cannot_be_is_refused(proxy, client, report):
    with Listener() as listener:
        assert send(client, report, listener, "--proxy", proxy).returncode == USAGE
        assert listener.connections == 0


def test_nothing_shows_the_token_while_it_is_used(tmp_path, root, good, report):
    """In arguments, environments, output, and files: looked at all the time, and for certain while the server is waited for."""
    client = Client(tmp_path / "client")
    with Listener(context(good)) as listener, Watch(CANARY) as watch:
        listener.before_answer = watch.look
        result = send(client, report, listener, "--cacert", root.pem, "--progress=json", "--receipt", tmp_path / "receipt")
        assert result.returncode == DONE, result.stderr
    assert watch.sightings > 3 and watch.found == []
    assert CANARY.encode() in listener.heard
    assert files_with(tmp_path, CANARY, but=[client.credentials]) == []


# ---- a URL that is itself the permission

SIGNED = f"/up?X-Amz-Expires=60&X-Amz-Signature={CANARY}"


@pytest.mark.parametrize("path", [SIGNED, f"/up?sv=1&sig={CANARY}", f"/up?x-goog-signature={CANARY}", f"/up?Expires=1&Signature={CANARY}"])
def test_a_signed_url_gets_no_token(path, root, good, client, report):
    with Listener(context(good)) as listener:
        assert send(client, report, listener, "--cacert", root.pem, path=path).returncode == DONE
        assert listener.heard.startswith(f"PUT {path} HTTP/1.1\r\n".encode())
        assert b"uthorization" not in listener.heard and listener.heard.endswith(report.read_bytes())


def test_a_query_is_shown_nowhere(tmp_path, root, good, report):
    client = Client(tmp_path / "client", *ONCE)
    options = ["--cacert", root.pem, "--progress=json", "--receipt", tmp_path / "receipt"]
    for answer, status in ((OK, DONE), (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", DENIED), (b"rubbish\r\n\r\n", FAILED),
                           (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", LATER)):
        with Listener(context(good), answer) as listener:
            assert send(client, report, listener, *options, path=SIGNED).returncode == status
    with Listener(context(good)) as listener:
        result = send(client, report, listener, "--dry-run", path=SIGNED)
        assert result.returncode == DONE and b"signed" in result.stdout and listener.connections == 0
    assert files_with(tmp_path, CANARY, but=[client.credentials]) == []
    assert json.loads((tmp_path / "receipt").read_text())["bytes"] == 30_000


def test_one_connection_serves_all_requests(tmp_path, good, root):
    """A handshake for each chunk would cost more than the chunk."""
    report = tmp_path / "report.zip"
    report.write_bytes(os.urandom(200_000))
    with OddServer("tus", good.both) as server:
        ports = []
        serve, server.serve = server.serve, lambda connection: (ports.append(connection.getpeername()), serve(connection))
        client = Client(tmp_path / "client", *ONCE, "--cacert", root.pem, "--chunk-size", "50000")
        client.send(report, *server.arguments)
        assert server.stored == report.read_bytes() and len(server.requests) >= 6
    assert len(ports) == 1


def test_what_a_plain_upload_looks_like(tmp_path, root, good, report):
    client = Client(tmp_path / "client", *ONCE)
    with Listener(context(good)) as listener:
        assert send(client, report, listener, "--cacert", root.pem, "--method", "POST", path="/in/").returncode == DONE
    head = listener.heard.partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("POST /in/ HTTP/1.1\r\n")
    digest = re.search(r"Content-Digest: sha-256=:(.*):", head)[1]
    assert base64.b64decode(digest).hex() == re.search('Idempotency-Key: "(.*)"', head)[1]
    assert "Content-Type: application/octet-stream" in head and "Content-Length: 30000" in head
    with Listener(context(good)) as listener:
        assert send(client, report, listener, "--cacert", root.pem, "--name", "a b&c.zip", path="/in/").returncode == DONE
    assert listener.heard.startswith(b"PUT /in/a%20b%26c.zip HTTP/1.1\r\n")
    with Listener(context(good)) as listener:
        client.credentials.write_text(f"username=me\npassword={CANARY}:x\n")
        assert send(client, report, listener, "--cacert", root.pem).returncode == DONE
    assert b"Authorization: Basic " + base64.b64encode(f"me:{CANARY}:x".encode()) in listener.heard
