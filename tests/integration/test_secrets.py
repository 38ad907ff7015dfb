# SPDX-License-Identifier: LGPL-2.1-only
"""No secret leaves the host: hundreds of them, planted in every shape and every kind of source, are searched for in
all that a run puts out. What stands next to them, and what only looks like them, must still be there."""
import base64
import bz2
import gzip
import io
import json
import lzma
import os
import pathlib
import random
import re
import string
import subprocess
import tarfile
import urllib.parse
import zipfile

import pytest

BUGTOOL = pathlib.Path(os.environ["XENHEALTH_BIN"]) / "xen-bugtool"
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
PIECE = 8  # bytes of a secret that must not be seen either
ALNUM = string.ascii_letters + string.digits
NASTY = ALNUM + "!#%=,;+-_.~^*()[]{}<>|?@:/& '"
URL = ALNUM + "-_.~!$=+,;"
NEEDS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="running commands on this system needs root")


def dollar(text):
    return text.replace("'", "'\\''")


# Name of the shape, the line (S is where the secret goes), the secret's letters, how it is written there.
SHAPES = [
    ("key=value", "password=S", NASTY, None),
    ("key = value", "  admin_password = S", NASTY, None),
    ("key: value", "Passphrase: S", NASTY, None),
    ("yaml", "  - db_password: S", NASTY, None),
    ("quoted", 'password="S" next=1', NASTY, None),
    ("shell quotes", "export PGPASSWORD='S'; run", NASTY, dollar),
    ("json", '{"user": "a", "password": "S", "z": 1}', NASTY + '"\\', lambda s: json.dumps(s)[1:-1]),
    ("compact json", '{"user":"a","authToken":"S","z":1}', NASTY + '"\\', lambda s: json.dumps(s)[1:-1]),
    ("json in json", '{"m": "{\\"secret\\": \\"S\\", \\"a\\": 1}"}', NASTY + '"\\', lambda s: json.dumps(json.dumps(s)[1:-1])[1:-1]),
    ("json number", '{"password": S, "z": 1}', string.digits, None),
    ("python dict", "{'chappassword': 'S', 'target': 'x'}", NASTY.replace("'", ""), None),
    ("python unicode", "{u'chappassword': u'S', u'target': u'x'}", NASTY.replace("'", ""), None),
    ("python items", "[('user', 'x'), ('password', 'S')]", NASTY.replace("'", ""), None),
    ("python repr", "{'cifspassword': \"S\"}", NASTY.replace('"', ""), None),
    ("s-expression", "(('chappassword' 'S') ('a' 'b'))", NASTY.replace("'", ""), None),
    ("protected s-expression", "(('chappassword'%.'S')%.('a'%.'b'))", ALNUM + "!#=", None),
    ("xml attribute", '<user password="S" name="x"/>', NASTY.replace("&", "").replace("<", ""), None),
    ("xml element", "<user><password>S</password></user>", NASTY.replace("&", "").replace("<", ""), None),
    ("xml member", "<name>password</name><value>S</value>", NASTY.replace("&", "").replace("<", ""), None),
    ("xml property", '<property name="admin.password" value="S"/>', NASTY.replace("&", "").replace("<", ""), None),
    ("json property", '{"name": "DB_PASSWORD", "value": "S"}', NASTY, None),
    ("escaped json in xml", "<x y=\"{&quot;password&quot;: &quot;S&quot;}\"/>", ALNUM + "! =,#", None),
    ("option", "/usr/bin/tool --password S", NASTY, None),
    ("option=", "/usr/bin/tool --user x --auth-token=S", NASTY, None),
    ("option in a list", "['tool', '--password', 'S', '--verbose']", NASTY.replace("'", ""), None),
    ("mount options", "mount -t cifs //h/s /mnt -o user=x,password=S", NASTY, None),
    ("mount options in a list", "['mount.cifs', '-o', 'user=x,pass=S', '//h/s']", ALNUM + "! =,#", None),
    ("chap", "node.session.auth.password = S", NASTY, None),
    ("iscsiadm", "iscsiadm -m node -n node.session.auth.password -v S", NASTY, None),
    ("iscsiadm in a list", "['iscsiadm', '-n', 'node.session.auth.password', '-v', 'S']", NASTY.replace("'", ""), None),
    ("xe", "xe -s host -u root -pw S", NASTY, None),
    ("xe device-config", "xe sr-create device-config:chappassword=S", NASTY, None),
    ("url", "baseurl=http://user:S@repo.example/x", URL, None),
    ("url with slashes", "proxy=https://user:aS@proxy.example:3128", URL + "/#?", None),
    ("session in a url", "GET /export?session_id=OpaqueRef:S&task_id=1", ALNUM + "-", None),
    ("session in a map", "'session_ref': 'OpaqueRef:S', 'host': 'x'", ALNUM + "-", None),
    ("query", "GET /a?user=x&api_key=S&z=1 HTTP/1.1", URL.replace(";", ""), None),
    ("bearer", "> Authorization: Bearer S", ALNUM + "-_.", None),
    ("basic", "> x: Basic S", NASTY, lambda s: base64.b64encode(b"root:" + s.encode()).decode()),
    ("cookie", "> Set-Cookie: xapi=S; path=/", ALNUM, None),
    ("header", "X-Auth-Token: S", NASTY, None),
    ("password hash", "root:$6$saltsalt$S:18000:0:99999:7:::", ALNUM + "./", None),
    ("ldap hash", "x {SSHA}S y", ALNUM + "+/", None),
    ("web token", "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.S !", ALNUM, None),
    ("cloud key", "id AKIA0123S !", string.ascii_uppercase + string.digits, lambda s: (s + "A" * 20)[:16]),
    ("cloud secret", "aws_secret_access_key = S", ALNUM + "+/=", None),
    ("private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nS\n-----END RSA PRIVATE KEY-----", ALNUM + "+/", lambda s: (s * 4)[:64]),
    ("private key in a log", "Nov  1 h x: -----BEGIN PRIVATE KEY-----\nNov  1 h x: S\nNov  1 h x: -----END PRIVATE KEY-----", ALNUM, None),
    ("private key on one line", '{"pem": "-----BEGIN PRIVATE KEY-----\\nS\\n-----END PRIVATE KEY-----\\n", "a": 1}', ALNUM, None),
    ("encoded private key", "client-key-data: LS0tLS1CRUdJTiBSU0EgS", ALNUM, None),
    ("snmp community", "rocommunity S", NASTY.replace("'", ""), None),
    ("netrc", "machine h login u password S", ALNUM + "!#=", None),
    ("ipmitool", "ipmitool -I lanplus -H h -U root -P S", ALNUM + "!#= ", None),
    ("sshpass", "sshpass -p S", ALNUM + "!#= ", None),
    ("curl", "curl -k -u root:S https://h/", ALNUM + "!#=", None),
    ("before an option", "curl -H 'X-Auth-Token: S' https://h/ -u root:REMOVED", ALNUM, None),
    ("second option", "curl -u root:REMOVED -U proxy:S https://h/", ALNUM + "!#=", None),
    ("domain join", "net ads join -U Administrator%S", ALNUM + "!#=", None),
    ("kernel command line", "BOOT_IMAGE=/vmlinuz ro proxy_password=S", NASTY, None),
    ("pool token", "pool_join_token=S", NASTY, None),
    ("yaml block", "password: |\n  S", NASTY, None),
    ("yaml below", "chpasswd:\n  list: |\n    root:S", NASTY, None),
    ("json below", '{"password":\n  "S", "z": 1}', NASTY + '"\\', lambda s: json.dumps(s)[1:-1]),
    ("xml below", "<password>\n  S\n</password>", NASTY.replace("&", "").replace("<", ""), None),
    ("xml member below", "<name>password</name>\n<value><string>S</string></value>", NASTY.replace("&", "").replace("<", ""), None),
    ("call", '{"method":"session.login_with_password","params":["root","S","1.0"]}', ALNUM + "!#= ", None),
    ("session in a coded url", "GET /export?session_id=OpaqueRef%3AS&task_id=1", ALNUM + "-", None),
    ("session in prose", "session OpaqueRef:S destroyed", ALNUM + "-", None),
    ("key of xenstore", '/local/domain/1/console/vnc-pass = "S"', ALNUM + "!#= ", None),
    ("drbd", '  shared-secret "S";', ALNUM + "!#= ", None),
    ("pipe", "echo 'root:S' | chpasswd", ALNUM + "!#=", None),
    ("join", "domainjoin-cli join example.com admin S", ALNUM + "!#= ", None),
    ("ldif", "userPassword:: S", ALNUM, None),
    ("docker", '{"auths": {"h": {"auth": "S"}}}', ALNUM, lambda s: base64.b64encode(b"root:" + s.encode()).decode()),
    ("ftp", "---> PASS S", ALNUM + "!#= ", None),
    ("smtp", "C: AUTH PLAIN S", ALNUM, lambda s: base64.b64encode(b"\0root\0" + s.encode()).decode()),
    ("ceph", "\tkey = S", ALNUM, lambda s: ("AQ" + s * 5)[:38] + "=="),
    ("putty", "Private-Lines: 1\nS", ALNUM + "+/", None),
    ("here-string", "chpasswd <<< 'root:S'", ALNUM + "!#=", None),
    ("here-document", "chpasswd <<EOF\nroot:S\nEOF", ALNUM + "!#= ", None),
    ("csv", "user,password\njoe,S\n", ALNUM + "!#= ", None),
    ("table", "| user | password |\n| joe | S |\n", ALNUM + "!#= ", None),
    ("gitlab", "got glpat-S!", ALNUM, lambda s: (s + "A" * 20)[:24]),
    ("slack", "got xoxs-S!", ALNUM, lambda s: (s + "A" * 20)[:24]),
    ("printf", "printf 'root:S' | chpasswd", ALNUM + "!#=", None),
    ("ipmi user", "ipmitool user set password 2 S", ALNUM + "!#= ", None),
    ("snmp client", "defAuthPassphrase S", ALNUM + "!#= ", None),
    ("coloured", "\x1b[1;31mpass\x1b[0mword\x1b[36m=\x1b[0mS\n", ALNUM + "!#= ", None),
    ("told", "setting password to 'S'", ALNUM + "!#= ", None),
]

# Binary data and fields of the database have no lines.
ONE_LINE = [shape for shape in SHAPES if "\n" not in shape[1] or "PRIVATE KEY" in shape[1]]

BENIGN = """PasswordAuthentication no
password_authentication=no
cluster_token_timeout_ms: 20000
Enter password:
password_secret: 1b4e28ba-2fa1-11d2-883f-0016d3cca427
Accepted password for root from 192.0.2.7 port 22 ssh2
pam_unix(passwd:chauthtok): password changed for root
password    requisite     pam_cracklib.so try_first_pass retry=3
passwd:     files sss
root : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/ls
 cookie=0x0, duration=12.3s, table=0, n_packets=1
xapi: [debug||1 |session.login_with_password D:fb8601743dd4|xapi_session] ok
VM: OpaqueRef:1b4e28ba-2fa1-11d2-883f-0016d3cca427
private_key=/etc/openvswitch/sc-privkey.pem
http://host:8080/path?mail=a@b.example
-----BEGIN CERTIFICATE-----
MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ
-----END CERTIFICATE-----
'chappassword': '******', 'x': 1
the key is under the mat; $1 costs $5 and $6
"""


class Planter:
    """Makes secrets, always the same ones, and remembers them."""

    def __init__(self):
        self.rng = random.Random(20260101)
        self.secrets = []  # (shape, text as it is, text as it is written)
        self.markers = 0

    def line(self, shape):
        name, template, letters, write = shape
        middle = "".join(self.rng.choice(letters) for _ in range(self.rng.randrange(8, 16)))
        # The ends are letters: blanks there belong to the line, and a bracket could be the line's own.
        text = "".join(self.rng.choice(string.digits) for _ in range(4)) + middle + "".join(self.rng.choice(string.digits) for _ in range(4))
        if letters.isupper() or letters == string.digits:
            text = text.upper()
        written = write(text) if write else text
        self.secrets.append((name, text, written))
        return template.replace("S", written) if template.count("S") == 1 else re.sub(r"(?<![A-Z])S(?![A-Za-z_])", lambda _: written, template, count=1)

    def text(self, shapes=SHAPES):
        """Every shape, each with a line behind it that must stay."""
        lines = []
        for shape in shapes:
            self.markers += 1
            lines += [self.line(shape), "marker %d stays" % self.markers]
        return "\n".join(lines) + "\n"


def zstd(data, *options):
    return subprocess.run(["zstd", "-c", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def unpacked(name, data):
    """The bytes, and all that can be unpacked from them, by name."""
    yield name, data
    if data[:2] == b"\x1f\x8b":
        yield from unpacked(name + "!gunzip", gzip.decompress(data))
    elif data[:3] == b"BZh":
        yield from unpacked(name + "!bunzip2", bz2.decompress(data))
    elif data[:6] == b"\xfd7zXZ\0":
        yield from unpacked(name + "!unxz", lzma.decompress(data))
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        yield from unpacked(name + "!unzstd", zstd(data, "-d"))
    elif zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                yield from unpacked(name + "/" + info.filename, archive.read(info))
                yield name + "!name", info.filename.encode()
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for info in archive:
                yield name + "!name", info.name.encode()
                if info.isfile():
                    yield from unpacked(name + "/" + info.name, archive.extractfile(info).read())


def encodings(text):
    """A secret in other clothes. Of Base64 only what does not depend on its neighbours."""
    raw = text.encode()
    yield raw
    yield urllib.parse.quote(text, safe="").encode()
    yield urllib.parse.quote_plus(text).encode()
    yield raw.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        yield encoded[4 if shift else 0:len(encoded) - 4]


def leaks(secrets, parts):
    blob = b"\n\0\n".join(data for _, data in parts)
    found = []
    for shape, text, written in secrets:
        pieces = {written[i:i + PIECE].encode() for i in range(len(written) - PIECE + 1)} | set(encodings(text))
        found += [(shape, text, piece, next(name for name, data in parts if piece in data)) for piece in pieces if piece in blob]
    return found


def run(*arguments, check=True, **keywords):
    environment = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XENRT_BUGTOOL_BASENAME", "XEN_RT")}
    keywords.setdefault("stdin", subprocess.DEVNULL)
    result = subprocess.run([BUGTOOL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                            env=environment, **keywords)
    assert not check or result.returncode == 0, result.stderr.decode()
    return result


def everything(outdir, result):
    archive, = outdir.iterdir()
    return [("stdout", result.stdout), ("stderr", result.stderr)] + list(unpacked(archive.name, archive.read_bytes()))


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def write_catalog(folder, items):
    write(folder / "test.yaml", "capability: test\ndescription: for a test\npii: no\ncollect:\n" + items)
    write(folder / "log.yaml", "capability: xen-bugtool\ndescription: the log\npii: no\ncollect: []\n")


CATALOG = """  - logs: [/var/log/SMlog, /var/log/xensource.log]
  - files: ['/etc/planted/*', /etc/benign.conf]
  - tree: /etc/systemd
    pack: etc/systemd.tar
  - command: [show-config, -a]
  - function: xapi_db
    as: xapi-db.xml
    redact: xapi-db
"""


def attribute(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\n", "&#10;")


def plant(root, planter):
    """A host with secrets in each kind of source; returns the lines of text that surround them."""
    write(root / "var/log/SMlog", planter.text())
    write(root / "var/log/SMlog.1", planter.text())
    write(root / "var/log/xensource.log.2.gz", gzip.compress(planter.text().encode() * 2))
    write(root / "var/log/xensource.log.3.gz", gzip.compress(BENIGN.encode()))
    write(root / "var/log/xensource.log.4.bz2", bz2.compress(planter.text().encode()))
    write(root / "var/log/xensource.log.5.xz", lzma.compress(planter.text().encode()) * 2)
    write(root / "var/log/xensource.log.6.zst", zstd(planter.text().encode()))
    write(root / "etc/planted/text.conf", planter.text())
    write(root / "etc/planted/table.bin", b"\0\1\0" + planter.text(ONE_LINE).replace("\n", "\0").encode())
    write(root / "etc/planted/nested.gz", gzip.compress(planter.text().encode()) + gzip.compress(planter.text().encode()))
    write(root / "etc/systemd/system/a.service", planter.text())
    write(root / "etc/benign.conf", BENIGN)
    write(root / ".commands/show-config-a.out", planter.text())
    in_database = [shape for shape in ONE_LINE if shape[0] not in ("snmp community", "snmp client")]  # they need a line of their own
    rows = "".join('<row ref="OpaqueRef:%d" other_config="%s"/>' % (i, attribute(line))
                   for i, line in enumerate(planter.text(in_database).splitlines()))
    write(root / "etc/xensource/db.conf", "[/var/xapi/state.db]\n")
    write(root / "var/xapi/state.db", '<?xml version="1.0"?><database><table name="VM">' + rows + "</table></database>")


def test_the_search_finds_every_secret_in_the_sources(tmp_path):
    """Else the tests below would prove nothing."""
    planter = Planter()
    plant(tmp_path, planter)
    parts = [part for path in tmp_path.rglob("*") if path.is_file() for part in unpacked(path.name, path.read_bytes())]
    assert {leak[:2] for leak in leaks(planter.secrets, parts)} >= {
        (shape, text) for shape, text, written in planter.secrets if attribute(written) == written}


@pytest.mark.parametrize("output", ["zip", "tar", "tar.bz2"])
def test_no_planted_secret_is_found_in_anything_that_leaves(tmp_path, output):
    planter = Planter()
    plant(tmp_path / "root", planter)
    write_catalog(tmp_path / "catalog", CATALOG)
    assert len(SHAPES) >= 40 and len(planter.secrets) >= 300
    result = run("-s", "-y", "--root", tmp_path / "root", "--catalog", tmp_path / "catalog", "--outdir", tmp_path / "out",
                 "--output=" + output)
    assert leaks(planter.secrets, everything(tmp_path / "out", result)) == []


def test_what_stands_next_to_a_secret_stays(tmp_path):
    planter = Planter()
    plant(tmp_path / "root", planter)
    write_catalog(tmp_path / "catalog", CATALOG)
    result = run("-s", "-y", "--root", tmp_path / "root", "--catalog", tmp_path / "catalog", "--outdir", tmp_path / "out", "--output=zip")
    parts = dict(everything(tmp_path / "out", result))
    blob = b"\n".join(parts.values())
    assert [n for n in range(1, planter.markers + 1) if b"marker %d stays" % n not in blob] == []
    benign = [data for name, data in parts.items() if name.endswith(("etc/benign.conf", "xensource.log.3.gz!gunzip"))]
    assert benign == [BENIGN.encode()] * 2
    table = next(data for name, data in parts.items() if name.endswith("table.bin"))
    assert len(table) == (tmp_path / "root/etc/planted/table.bin").stat().st_size


def test_the_manifest_counts_what_was_removed(tmp_path):
    planter = Planter()
    plant(tmp_path / "root", planter)
    write_catalog(tmp_path / "catalog", CATALOG)
    result = run("-s", "-y", "--root", tmp_path / "root", "--catalog", tmp_path / "catalog", "--outdir", tmp_path / "out", "--output=zip")
    manifest = json.loads(next(data for name, data in everything(tmp_path / "out", result) if name.endswith("/manifest.json")))
    counts = {entry["name"]: entry["redactions"] for entry in manifest["entries"]}
    for name in ["var/log/SMlog", "var/log/xensource.log.2.gz", "var/log/xensource.log.4.bz2", "var/log/xensource.log.5.xz",
                 "var/log/xensource.log.6.zst", "etc/planted/table.bin", "show-config-a.out", "etc/systemd/system/a.service"]:
        assert counts[name] >= len(ONE_LINE if name.endswith(".bin") else SHAPES), name
    assert counts["etc/benign.conf"] == counts["var/log/xensource.log.3.gz"] == 0
    assert manifest["totals"]["redactions"] == sum(counts.values())


def test_a_packed_log_without_secrets_is_stored_as_it_is(tmp_path):
    plant(tmp_path / "root", Planter())
    write_catalog(tmp_path / "catalog", CATALOG)
    result = run("-s", "-y", "--root", tmp_path / "root", "--catalog", tmp_path / "catalog", "--outdir", tmp_path / "out", "--output=zip")
    parts = dict(everything(tmp_path / "out", result))
    packed = next(data for name, data in parts.items() if name.endswith("xensource.log.3.gz"))
    assert packed == (tmp_path / "root/var/log/xensource.log.3.gz").read_bytes()


LIVE = """  - shell: "echo password=@; echo marker"
  - shell: "echo 'token=@' >&2; exit 3"
  - command: [no-such-program, --password, '@']
  - command: [sh, -c, "exit 4", --api-token=@]
  - shell: "sleep 9 # password=@"
    time: 1
  - command: [echo, harmless]
    as: 'curl --password @'
"""


@NEEDS_ROOT
def test_commands_their_names_and_their_complaints_keep_no_secret(tmp_path):
    """Member names, manifest, log, inventory, prompts and progress are made from what a command is called."""
    planter = Planter()
    live = re.sub("@", lambda _: planter.line(("argv", "S", ALNUM, None)), LIVE)
    catalog = tmp_path / planter.line(("our own argv", "token=S", ALNUM, None))
    write_catalog(catalog, live)
    write(tmp_path / "plugins/extra.xml", '<capability pii="no" max_time="5"/>')
    write(tmp_path / "plugins/extra/collect.xml", "<collect><command>%s</command></collect>" %
          planter.line(("plugin", "echo a; curl -u root:S http://127.0.0.1:1/", ALNUM, None)))
    write(tmp_path / "plugins/extra/label.xml", '<collect><command label="%s">echo x</command></collect>' %
          planter.line(("label", "get --password S", ALNUM, None)))
    result = run("--catalog", catalog, "--plugins", tmp_path / "plugins", "--outdir", tmp_path / "out", "--output=zip", "-d",
                 stdin=None, input=b"y\n" * 40)
    parts = everything(tmp_path / "out", result)
    assert b"marker" in b"".join(data for _, data in parts)
    assert b"Include '" in result.stdout and b"password" in result.stdout
    assert leaks(planter.secrets, parts) == []


def test_keys_of_the_machines_account_are_denied(tmp_path):
    for name in ["var/lib/likewise/db/registry.db", "etc/samba/secrets.tdb", "etc/samba/smbpasswd", "etc/krb5.keytab"]:
        write(tmp_path / "root" / name, "the machine's key")
    write_catalog(tmp_path / "catalog", "  - trees: [/var/lib/likewise, /etc/samba]\n  - file: /etc/krb5.keytab\n")
    result = run("-s", "-y", "--root", tmp_path / "root", "--catalog", tmp_path / "catalog", "--outdir", tmp_path / "out")
    assert not any(b"the machine's key" in data for _, data in everything(tmp_path / "out", result))


# What the original tool is known to let through, as these files look on a host: path, text, secret.
KNOWN_LEAKS = [
    ("etc/iscsi/iscsid.conf", "node.session.auth.username = u\nnode.session.auth.password = {}\n#discovery.sendtargets.auth.password_in = {}\n"),
    ("etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://u:{}@repo.example/x\nproxy_password = {}\n"),
    ("etc/sysconfig/network", "export http_proxy=http://u:{}@proxy.example:3128/\n"),
    ("proc/cmdline", "root=LABEL=x ro console=hvc0 proxy_password={}\n"),
    ("etc/cron.d/backup", "0 1 * * * root mysqldump -u root -p{} xen | curl -u b:{} -T - https://h/\n"),
    ("var/xapi/local.db", '<localdb><row key="pool_secret" value="{}"/><row key="ha.armed" value="false"/></localdb>'),
    ("var/log/SMlog", "Nov  1 10:00:00 h SM: [1] lock: {{'device_config': {{'chapuser': 'u', 'chappassword': '{}', 'target': 'x'}}}}\n"),
    ("var/log/xensource.log", "Nov  1 10:00:00 h xapi: [debug||1 |sr.create R:1|xapi] dconf=[ chappassword={} ]\n"),
    ("var/log/audit.log", "Nov  1 h xapi: ('trackid=1' 'LOCAL_SUPERUSER' 'alice' 'ALLOWED' 'OK' 'API' 'x' (('password' '{}' '' '')))\n"),
    (".commands/process-tree.out", "1 ? S 0:00 /usr/bin/mount.cifs //h/s /mnt -o user=u,password={}\n"),
    (".commands/xenstore-ls-f.out", '/local/domain/1/vm-data/key = "{}"\n/local/domain/1/name = "vm"\n'),
]


def test_known_leaks_of_the_original_are_closed(tmp_path):
    planter, root = Planter(), tmp_path / "root"
    for path, text in KNOWN_LEAKS:
        write(root / path, text.format(*[planter.line(("known", "S", ALNUM, None)) for _ in range(text.count("{}"))]))
    result = run("-s", "-a", "-y", "--root", root, "--outdir", tmp_path / "out", "--output=zip")
    parts = everything(tmp_path / "out", result)
    names = [name for name, _ in parts]
    for path, _ in KNOWN_LEAKS:
        assert any(name.endswith("/" + path.removeprefix(".commands/")) for name in names), path
    assert leaks(planter.secrets, parts) == []
    assert any(b"'alice'" in data for name, data in parts if name.endswith("audit.log"))


def test_what_cannot_be_searched_is_left_out_with_a_notice(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.conf", "password=hunter2\n")
    write(tmp_path / "root/etc/planted/bundle.zip", packed.getvalue())
    write(tmp_path / "root/etc/planted/ultra.zst", zstd(b"password=hunter2\n" * 1000000, "--long=27"))
    write(tmp_path / "root/etc/planted/windows.ini", "password=hunter2\r\n".encode("utf-16"))
    write(tmp_path / "root/etc/planted/little.ini", "password=hunter2\r\n".encode("utf-16-le"))
    write(tmp_path / "root/etc/planted/big.ini", "password=hunter2\r\n".encode("utf-16-be"))
    write_catalog(tmp_path / "catalog", CATALOG)
    result = run("-s", "-y", "--root", tmp_path / "root", "--catalog", tmp_path / "catalog", "--outdir", tmp_path / "out", "--output=zip")
    parts = dict(everything(tmp_path / "out", result))
    wide = b"UTF-16 data cannot be searched"
    for name, why in (("windows.ini", wide), ("little.ini", wide), ("big.ini", wide), ("bundle.zip", b"zip data cannot be searched"), ("ultra.zst", b"the zstd data need too much memory")):
        member = next(data for part, data in parts.items() if part.endswith("/" + name))
        assert member.startswith(b"[This entry was left out because secrets could not be removed from it") and why in member
    assert not any(b"hunter2" in data or "hunter2".encode("utf-16-le") in data or "hunter2".encode("utf-16-be") in data for data in parts.values())
