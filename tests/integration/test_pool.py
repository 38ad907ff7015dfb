# SPDX-License-Identifier: LGPL-2.1-only
"""xen-bugtool --pool against a made-up pool whose hosts misbehave one at a time."""
import gzip
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
import zipfile

import pytest

from fakes import xapi
from sample_roots import build_roots
from torture import mounted, wait_until

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
BUGTOOL, ANALYZE = BIN / "xen-bugtool", BIN / "xen-analyze"
HOSTS = ("host1", "host2", "host3")
FEW = "--entries=kernel-info,process-list,xen-bugtool"
SLOW = max(int(os.environ.get("XENHEALTH_PATIENCE", "1")) // 2, 1)  # valgrind
PATIENT = "--pool-host-limit=120"  # for what ends by itself, on however busy a machine
STAMP = r"\d{4}(-\d\d){5}"


@pytest.fixture(scope="session")
def roots():
    """The sample hosts, once for all tests."""
    with tempfile.TemporaryDirectory(prefix="pool-roots.") as folder:
        build_roots(folder, "host-root")
        yield pathlib.Path(folder)


class Setup:
    """A pool and how to run the collector as its first host."""

    def __init__(self, folder, roots, labels=HOSTS):
        self.folder, self.out = folder, folder / "out"
        self.root = folder / "r"
        shutil.copytree(roots / "host1", self.root)
        (folder / "certificates").mkdir()
        places = {label: roots / host for label, host in zip(labels[1:], HOSTS[1:])}
        self.pool = xapi.Pool(folder / "certificates", BUGTOOL, {labels[0]: self.root, **places})
        inventory = self.root / "etc/xensource-inventory"
        text, count = re.subn("INSTALLATION_UUID=.*", f"INSTALLATION_UUID='{self.pool.local.uuid}'", inventory.read_text())
        assert count == 1
        inventory.write_text(text)

    def command(self, *arguments):
        return [BUGTOOL, "--pool", "--yestoall", "--root", self.root, "--outdir", self.out, *map(str, arguments)]

    def run(self, *arguments, **keywords):
        environment = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XENRT_BUGTOOL_BASENAME")}
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=100, env=environment,
                              stdin=subprocess.DEVNULL, **keywords)

    def bundle(self, *arguments):
        """A run that must end well; returns its bundle."""
        result = self.run("--silent", *arguments)
        assert result.returncode == 0, result.stderr
        assert re.fullmatch(rf"{re.escape(str(self.out))}/status-report-{STAMP}\.zip\n", result.stdout)
        return Bundle(pathlib.Path(result.stdout.rstrip("\n")), result)

    def bundle_in_time(self, seconds, has_all, *arguments):
        """A run with a limit for each host that must run out; on a busy machine the other hosts may need more than that."""
        for limit in (seconds * SLOW, 4 * seconds * SLOW, 16 * seconds * SLOW):
            bundle = self.bundle(f"--pool-host-limit={limit}", *arguments)
            if has_all(bundle):
                break
        return bundle

    def asked(self, label, path="/system-status"):
        return [each for each in self.pool.requests if each["host"] == label and each["target"].startswith(path)]


class Bundle:
    def __init__(self, path, result=None):
        self.path, self.result = path, result
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            self.members = {name: archive.read(name) for name in archive.namelist()}
            assert len(self.members) == len(archive.namelist())
        self.manifest = json.loads(self.members["pool-manifest.json"])
        self.hosts = {host["name"]: host for host in self.manifest["hosts"]}
        for host in self.manifest["hosts"]:
            inside = [name for name in self.members if name.startswith(host["folder"] + "/")]
            assert host["members"] == len(inside) and host["answered"] == bool(inside)

    def statuses(self):
        return [host["status"] for host in self.manifest["hosts"]]

    def analysis(self):
        """Names of the hosts that the analyzer sees, and the kinds of problems it has with the bundle."""
        result = subprocess.run([ANALYZE, "--format=json", self.path], capture_output=True, timeout=60)
        reports = json.loads(result.stdout)["reports"]
        return sorted(each["host"] for each in reports), {problem["kind"] for each in reports for problem in each["problems"]}


@pytest.fixture
def setup(roots):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pool.", dir="/tmp"))  # short: a socket's path has 107 bytes
    made = Setup(folder, roots)
    yield made
    logged_out = wait_until(lambda: made.pool.sessions == 0)
    made.pool.stop()
    shutil.rmtree(folder)
    assert logged_out, "a session was left open"


def test_all_hosts_come_in_the_layout_that_readers_of_bundles_know(setup):
    bundle = setup.bundle(PATIENT)
    stamp = re.search(STAMP, bundle.path.name)[0]
    assert bundle.path.stat().st_mode & 0o777 == 0o600
    assert {name.split("/")[0] for name in bundle.members} == {
        *(f"{stamp}-{number}-bugtool-{host}" for number, host in enumerate(HOSTS, 1)),
        f"{stamp}-Coordinators.txt", "pool-manifest.json"}
    assert bundle.members[f"{stamp}-Coordinators.txt"] == (
        b"Server 'host1' is a coordinator of pool 'example'\r\n"
        b"Server 'host2' is a supporter of pool 'example'\r\n"
        b"Server 'host3' is a supporter of pool 'example'\r\n")
    for host in HOSTS:
        folder = bundle.hosts[host]["folder"]
        tops = {name.split("/")[1] for name in bundle.members if name.startswith(folder)}
        assert len(tops) == 1 and re.fullmatch(r"bug-report-\d{14}", tops.pop())
    assert bundle.statuses() == ["complete"] * 3
    assert [host["redactions"] for host in bundle.manifest["hosts"]] == [0, 0, 0]  # our own tool leaves nothing to do
    assert bundle.manifest["totals"] == {"hosts": 3, "by_status": {"complete": 3}}
    assert bundle.manifest["xapi"] == {"answered": True, "reason": ""}
    assert bundle.result.stderr == ""


def test_members_are_what_each_host_sent(setup):
    bundle = setup.bundle(FEW, PATIENT)
    for host in setup.pool.hosts:
        with tarfile.open(fileobj=io.BytesIO(setup.pool.tar(host, FEW.split("=")[1]))) as archive:
            sent = {info.name.split("/", 1)[1]: archive.extractfile(info).read() for info in archive}
        folder = bundle.hosts[host.label]["folder"]
        got = {name.split("/", 2)[2]: data for name, data in bundle.members.items() if name.startswith(folder)}
        assert set(got) == set(sent)
        changing = {"manifest.json", "xen-bugtool.log", "inventory.xml"}
        assert {name: got[name] for name in got if name not in changing} == \
               {name: sent[name] for name in sent if name not in changing}


def test_the_analyzer_knows_all_hosts_by_name(setup):
    names, kinds = setup.bundle(PATIENT).analysis()
    assert names == list(HOSTS) and not kinds


def test_the_local_host_answers_on_its_socket_and_the_others_with_their_pool_certificate(setup):
    bundle = setup.bundle(FEW, PATIENT)
    assert [bundle.hosts[host]["way"] for host in HOSTS] == ["local socket", "https", "https"]
    assert [host.names_asked for host in setup.pool.hosts] == [[], ["pool"], ["pool"]]
    assert not any(each["secure"] for each in setup.asked("host1", ""))


def test_each_host_is_asked_for_what_it_offers(setup):
    host1, host2, host3 = setup.pool.hosts
    host1.capabilities = ["blobs", "vncterm", "xapi-debug", "xapi", "kernel-info", "yum"]
    host2.capabilities = ["kernel-info", xapi.capability("xapi-objects", checked="no"), "system-logs", "a plugin,b"]
    host3.capabilities = None  # the coordinator says that it is gone
    bundle = setup.bundle(PATIENT)
    assert [bundle.hosts[host]["entries"] for host in HOSTS] == ["xapi:2,kernel-info,yum", "kernel-info,system-logs:2", ""]
    assert bundle.statuses() == ["complete"] * 3
    setup.bundle("--all", PATIENT)
    assert "?entries=kernel-info,xapi-objects,system-logs:2&output=tar" in setup.asked("host2")[1]["target"]


def test_entries_of_the_user_go_to_every_host_and_cannot_change_the_request(setup):
    wanted = "kernel-info,x&output=zip#%\r\nCookie=a b"
    bundle = setup.bundle(f"--entries={wanted}", PATIENT)
    for host in HOSTS:
        request, = setup.asked(host)
        assert request["target"] == \
            "/system-status?entries=kernel-info,x%26output%3Dzip%23%25%0D%0ACookie%3Da%20b&output=tar"
        assert bundle.hosts[host]["entries"] == wanted


def test_a_capability_list_with_a_doctype_is_not_read(setup):
    setup.pool.hosts[1].capabilities = ['\t<capability key="x"/></system-status-capabilities><!DOCTYPE a []>']
    assert setup.bundle(PATIENT).hosts["host2"]["entries"] == ""


@pytest.mark.parametrize("mode", ["chunked", "sized"])
def test_bodies_may_come_in_chunks_or_with_a_length(setup, mode):
    setup.pool.hosts[1].mode = mode
    bundle = setup.bundle(PATIENT)
    assert bundle.statuses() == ["complete"] * 3
    assert bundle.hosts["host2"]["members"] > 20


@pytest.mark.alike
@pytest.mark.parametrize("mode, status, words", [
    ("hang", "timeout", "time"), ("mute", "timeout", "time"), ("drip", "timeout", "time"), ("endless", "timeout", "time"),
    ("hang in the middle", "timeout", "time"), ("endless headers", "malformed", "no HTTP"),
    ("cut", "truncated", "cut off"), ("cut between members", "truncated", "cut off"),
    ("cut sized", "truncated", "middle"), ("reset", "truncated", ""),
    ("forbidden", "refused", "403"), ("error", "refused", "500"), ("redirect", "refused", "302"),
    ("garbage", "malformed", "no HTTP"), ("two lengths", "malformed", "no HTTP"), ("no tar", "malformed", "no report"),
    ("empty", "malformed", "no report"), ("no tls", "unreachable", "TLS"),
])
def test_a_host_that_misbehaves_costs_only_itself(setup, mode, status, words):
    setup.pool.hosts[1].mode = mode
    if status == "timeout":
        bundle = setup.bundle_in_time(3, lambda bundle: bundle.statuses()[::2] == ["complete"] * 2)
    else:
        bundle = setup.bundle(PATIENT)
    assert bundle.statuses() == ["complete", status, "complete"]
    host = bundle.hosts["host2"]
    assert words in host["reason"] and "\n" not in host["reason"]
    assert "pool-manifest.json" in bundle.result.stderr
    names, kinds = bundle.analysis()
    if host["answered"]:
        assert len(names) == 3 and "truncated" in kinds
    else:
        assert names == ["host1", "host3"] and "missing-host" in kinds


def test_of_a_member_that_was_cut_off_the_beginning_is_kept_and_told(setup):
    setup.pool.hosts[1].mode = "cut"
    bundle = setup.bundle(PATIENT)
    cut = bundle.hosts["host2"]["cut"]
    assert len(bundle.members[cut]) == setup.pool.hosts[1].cut_at > 0
    assert 0 < bundle.hosts["host2"]["members"] < bundle.hosts["host1"]["members"]


def test_a_redirect_is_not_followed(setup):
    setup.pool.hosts[1].mode = "redirect"
    setup.bundle(PATIENT)
    assert setup.asked("host1", "/elsewhere") == []


def test_a_host_that_is_down_is_unreachable(setup):
    with socket.socket() as taken:  # a port where nobody listens, and that nobody else gets meanwhile
        taken.bind(("127.0.0.1", 0))
        setup.pool.hosts[2].address = "127.0.0.1:%d" % taken.getsockname()[1]
        bundle = setup.bundle(PATIENT)
    assert bundle.statuses() == ["complete", "complete", "unreachable"]
    assert "Connection refused" in bundle.hosts["host3"]["reason"]


@pytest.mark.parametrize("what", ["unknown", "expired", "wrong file", "no file"])
def test_a_host_with_a_certificate_that_is_not_the_pools_gets_no_request(setup, what):
    host1, host2, host3 = setup.pool.hosts
    folder = setup.folder / "certificates"
    if what == "unknown":
        host2.shown["pool"] = xapi.make_certificate(folder, "stranger", host2.uuid)
    elif what == "expired":
        host2.shown["pool"] = host2.pool_pem = xapi.make_expired_certificate(folder, "old", host2.uuid)
        setup.pool.trust(host1, host2, host3)
    elif what == "wrong file":
        (setup.root / "etc/stunnel/xapi-pool-ca-bundle.pem").write_text("nothing of use\n")
    else:
        (setup.root / "etc/stunnel/xapi-pool-ca-bundle.pem").unlink()
    bundle = setup.bundle(FEW, PATIENT)
    lost = HOSTS[1:2] if what in ("unknown", "expired") else HOSTS[1:]
    for host in HOSTS:
        assert bundle.hosts[host]["status"] == ("untrusted" if host in lost else "complete")
        assert bool(setup.asked(host)) == (host not in lost)
    assert "cacert" in bundle.hosts["host2"]["reason"]


def test_a_pool_without_bundle_is_trusted_by_the_fingerprints_that_xapi_knows(setup):
    """As in XCP-ng 8.2: one certificate a host, no bundle. That of an authority is not one of a host."""
    _, host2, host3 = setup.pool.hosts
    (setup.root / "etc/stunnel/xapi-pool-ca-bundle.pem").unlink()
    for host in (host2, host3):
        host.shown = {None: host.api_pem}
    setup.pool.certificates = [{"fingerprint": xapi.fingerprint(host2.api_pem)},
                               {"fingerprint": xapi.fingerprint(host3.api_pem), "type": "ca"}, {"fingerprint": "AB:CD"}, {}]
    bundle = setup.bundle(FEW, PATIENT)
    assert bundle.statuses() == ["complete", "complete", "untrusted"]
    assert setup.asked("host3") == []


def test_a_certificate_in_the_pools_bundle_does_not_make_its_owner_an_authority(setup):
    host1, host2, _ = setup.pool.hosts
    host2.shown["pool"] = xapi.make_certificate(setup.folder / "certificates", "signed", host2.uuid, signer=host1.pool_pem)
    assert setup.bundle(FEW, PATIENT).hosts["host2"]["status"] == "untrusted"


# --- Over the network, with name and password

@pytest.fixture
def credentials(setup):
    path = setup.folder / "credentials"
    path.write_text(f"# for the pool\nusername={setup.pool.user}\npassword={setup.pool.password}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def authority(setup):
    """A certificate that signs those the hosts show to clients."""
    folder = setup.folder / "certificates"
    signer = xapi.make_certificate(folder, "authority", "authority", "basicConstraints=critical,CA:TRUE")
    for host in setup.pool.hosts:
        host.shown[None] = xapi.make_certificate(folder, f"signed-{host.label}", host.label, "subjectAltName=IP:127.0.0.1",
                                                 "basicConstraints=CA:FALSE", signer=signer)
    public = folder / "authority.crt"
    return public


def server_of(setup, number=0):
    return f"--pool-server={setup.pool.hosts[number].address}"


def test_a_pool_can_be_read_from_elsewhere_with_credentials(setup, credentials, authority):
    bundle = setup.bundle(server_of(setup), f"--pool-credentials={credentials}", f"--cacert={authority}", PATIENT)
    assert bundle.statuses() == ["complete"] * 3
    assert {host["way"] for host in bundle.manifest["hosts"]} == {"https"}
    assert all(each["secure"] for each in setup.pool.requests)


def test_a_member_names_its_coordinator(setup, credentials, authority):
    bundle = setup.bundle(server_of(setup, 2), f"--pool-credentials={credentials}", f"--cacert={authority}", PATIENT)
    assert bundle.statuses() == ["complete"] * 3
    assert len(setup.asked("host3", "/jsonrpc")) == 1


def test_the_certificates_of_the_hosts_themselves_can_be_given(setup, credentials):
    trusted = setup.folder / "trusted.pem"
    trusted.write_text("".join(xapi.public_part(host.api_pem) for host in setup.pool.hosts))
    bundle = setup.bundle(server_of(setup), f"--pool-credentials={credentials}", f"--cacert={trusted}", PATIENT)
    assert bundle.statuses() == ["complete"] * 3


def test_a_signed_certificate_must_name_the_host(setup, credentials, authority):
    host2 = setup.pool.hosts[1]
    folder = setup.folder / "certificates"
    host2.shown[None] = xapi.make_certificate(folder, "elsewhere", "host2", "subjectAltName=IP:127.0.0.9",
                                              "basicConstraints=CA:FALSE", signer=folder / "authority.pem")
    bundle = setup.bundle(server_of(setup), f"--pool-credentials={credentials}", f"--cacert={authority}", PATIENT)
    assert bundle.statuses() == ["complete", "untrusted", "complete"]
    assert setup.asked("host2") == []


def assert_nothing_written(setup):
    assert not setup.out.exists() or list(setup.out.iterdir()) == []


def test_a_wrong_password_is_told_and_leaves_nothing(setup, credentials, authority):
    credentials.write_text("username=root\npassword=wrong\n")
    result = setup.run(server_of(setup), f"--pool-credentials={credentials}", f"--cacert={authority}", PATIENT)
    assert result.returncode == 1 and "SESSION_AUTHENTICATION_FAILED" in result.stderr
    assert_nothing_written(setup)


def test_a_server_that_is_not_trusted_gets_no_password(setup, credentials):
    setup.pool.trust(*setup.pool.hosts[1:])
    result = setup.run(server_of(setup), f"--pool-credentials={credentials}", PATIENT)
    assert result.returncode == 1 and "not trusted" in result.stderr
    assert setup.pool.requests == []
    assert_nothing_written(setup)


@pytest.mark.parametrize("spoil, words", [
    (lambda path: path.chmod(0o640), "chmod 600"), (lambda path: path.chmod(0o604), "chmod 600"),
    (lambda path: (path.rename(path.with_name("real")), path.symlink_to("real")), "is a link"),
    (lambda path: (path.unlink(), path.mkdir(0o700)), "is no file"),
    (lambda path: (path.unlink(), os.mkfifo(path, 0o600)), "is no file"),
    (lambda path: path.unlink(), "No such file"),
    (lambda path: path.write_text("root\nnot-a-real-secret\n"), "line 1 is neither"),
    (lambda path: path.write_text("password=not-a-real-secret\n"), "no line username"),
])
def test_credentials_that_others_could_read_or_that_are_none_are_refused(setup, credentials, spoil, words):
    spoil(credentials)
    result = setup.run(server_of(setup), f"--pool-credentials={credentials}", PATIENT)
    assert result.returncode == 1 and words in result.stderr
    assert "not-a-real-secret" not in result.stdout + result.stderr
    assert setup.pool.requests == []
    assert_nothing_written(setup)


def test_neither_password_nor_session_can_be_seen(setup, credentials, authority):
    """In the bundle, the texts, the addresses that XAPI logs, and the processes while they run."""
    secrets = [setup.pool.password, setup.pool.session]
    seen, done = [], threading.Event()

    def watch():
        while not done.is_set():
            is_held = bool(setup.asked("host2"))
            for path in pathlib.Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        data = (path / name).read_bytes()
                    except OSError:
                        continue
                    if b"--pool" in data or b"xen-bugtool" in data:
                        seen.append(data)
            if is_held and seen:
                setup.pool.ending.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    setup.pool.hosts[1].mode = "hang in the middle"
    try:
        result = setup.run(server_of(setup), f"--pool-credentials={credentials}", f"--cacert={authority}", PATIENT)
    finally:
        done.set()
        watcher.join()
    assert result.returncode == 0 and seen
    bundle = Bundle(next(setup.out.iterdir()))
    places = [*seen, *bundle.members.values(), bundle.path.read_bytes(), result.stdout.encode(), result.stderr.encode(),
              *(each["target"].encode() for each in setup.pool.requests)]
    for secret in secrets:
        assert not any(secret.encode() in place for place in places)
        assert any(secret in each["body"] + each["headers"].get("cookie", "") for each in setup.pool.requests)


# --- When XAPI does not answer

@pytest.mark.parametrize("how", ["no socket", "nobody listens", "silent"])
def test_without_xapi_this_host_is_taken_all_the_same(setup, how):
    path = setup.root / "var/lib/xcp/xapi"
    if how == "silent":
        setup.pool.silent = True
    else:
        setup.pool.stop_listening(setup.pool.local_listener)
        if how == "no socket":
            path.unlink()
    bundle = setup.bundle_in_time(6, lambda bundle: bundle.statuses() == ["complete"], FEW)
    host, = bundle.manifest["hosts"]
    assert (host["name"], host["status"], host["way"], host["role"]) == ("host1", "complete", "direct", "unknown")
    assert not bundle.manifest["xapi"]["answered"] and bundle.manifest["xapi"]["reason"]
    assert not any(name.endswith("Coordinators.txt") for name in bundle.members)
    assert bundle.analysis()[0] == ["host1"]


@pytest.mark.parametrize("mode", ["error", "hang", "garbage"])
def test_a_local_xapi_that_gives_no_report_costs_no_report(setup, mode):
    setup.pool.local.mode = mode
    bundle = setup.bundle_in_time(6, lambda bundle: bundle.statuses() == ["complete"] * 3, FEW)
    assert bundle.statuses() == ["complete"] * 3
    assert bundle.hosts["host1"]["way"] == "direct" and "without XAPI" in bundle.hosts["host1"]["reason"]


def test_no_report_at_all_is_a_failure_that_leaves_nothing(setup, credentials, authority):
    for host in setup.pool.hosts:
        host.mode = "error"
    result = setup.run(server_of(setup), f"--pool-credentials={credentials}", f"--cacert={authority}", PATIENT)
    assert result.returncode == 1 and "no host of the pool gave a report" in result.stderr
    assert_nothing_written(setup)


# --- Hostile reports

def own_tar(*members, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, kind, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), "/etc/passwd"
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_only_plain_files_with_harmless_names_are_taken_from_a_host(setup):
    host = setup.pool.hosts[1]
    host.mode = "own tar"
    refused = [("../escaped", tarfile.REGTYPE), ("/etc/cron.d/x", tarfile.REGTYPE), ("a/../../b", tarfile.REGTYPE),
               ("..\\..\\windows", tarfile.REGTYPE), ("a/..", tarfile.REGTYPE), ("link", tarfile.SYMTYPE),
               ("hard", tarfile.LNKTYPE), ("device", tarfile.CHRTYPE), ("fifo", tarfile.FIFOTYPE)]
    host.tar = own_tar(("bug-report-20260101000000/etc", tarfile.DIRTYPE, b""),
                       ("bug-report-20260101000000/etc/hosts", tarfile.REGTYPE, b"content"),
                       ("bug-report-20260101000000/new\nline\x1b[1m", tarfile.REGTYPE, b"x"),
                       ("bug-report-20260101000000/dev\\x2ddisk.swap", tarfile.REGTYPE, b"y"),
                       *((name, kind, b"") for name, kind in refused))
    bundle = setup.bundle(FEW, PATIENT)
    folder = bundle.hosts["host2"]["folder"] + "/bug-report-20260101000000/"
    assert {name: data for name, data in bundle.members.items() if "bugtool-host2" in name} == {
        folder + "etc/hosts": b"content", folder + "new_line_[1m": b"x", folder + "dev\\x2ddisk.swap": b"y"}
    assert bundle.hosts["host2"]["refused"] == len(refused)
    assert all(name.split("/")[0] in {host["folder"] for host in bundle.manifest["hosts"]}
               for name in bundle.members if "/" in name)


def test_secrets_that_another_hosts_tool_left_are_taken_out(setup):
    host = setup.pool.hosts[1]
    host.mode = "own tar"
    secret = b"password=hunter2-not-a-real-secret\n"
    inner = own_tar(("unit", tarfile.REGTYPE, b"nothing of interest\n"))
    top = "bug-report-20260101000000/"
    host.tar = own_tar((top + "etc/app.conf", tarfile.REGTYPE, b"[app]\nname=x\n" + secret),
                       (top + "var/log/app.log.1.gz", tarfile.REGTYPE, gzip.compress(b"start\n" + secret)),
                       (top + "var/log/other.log.1.gz", tarfile.REGTYPE, gzip.compress(b"start\n", mtime=0)),
                       (top + "etc/systemd.tar", tarfile.REGTYPE, inner))
    bundle = setup.bundle(FEW, PATIENT)
    got = {name.split("/", 2)[2]: data for name, data in bundle.members.items() if "bugtool-host2" in name}
    assert bundle.hosts["host2"]["redactions"] == 2
    assert got["etc/app.conf"].startswith(b"[app]\nname=x\npassword=") and b"hunter2" not in got["etc/app.conf"]
    assert gzip.decompress(got["var/log/app.log.1.gz"]).startswith(b"start\n")
    assert b"hunter2" not in gzip.decompress(got["var/log/app.log.1.gz"])
    assert got["var/log/other.log.1.gz"] == gzip.compress(b"start\n", mtime=0) and got["etc/systemd.tar"] == inner


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_in_other_scripts_and_long_ones_stay(setup, form):
    host = setup.pool.hosts[1]
    host.mode = "own tar"
    names = [f"bug-report-20260101000000/{name}" for name in ("dépôt", "日本", "long/" * 60 + "name")]
    host.tar = own_tar(*((name, tarfile.REGTYPE, b"x") for name in names), form=form)
    bundle = setup.bundle(FEW, PATIENT)
    assert {name.split("/", 1)[1] for name in bundle.members if "bugtool-host2" in name} == set(names)


def test_a_sparse_file_of_a_terabyte_is_refused(setup):
    host = setup.pool.hosts[1]
    host.mode = "own tar"
    (setup.folder / "sparse").mkdir()
    with open(setup.folder / "sparse/huge", "wb") as huge:
        huge.truncate(1 << 40)
    (setup.folder / "sparse/small").write_text("x")
    subprocess.run(["tar", "-C", setup.folder / "sparse", "-Scf", setup.folder / "sparse.tar", "huge", "small"], check=True)
    host.tar = (setup.folder / "sparse.tar").read_bytes()
    bundle = setup.bundle(FEW, PATIENT)
    assert (bundle.hosts["host2"]["refused"], bundle.hosts["host2"]["members"]) == (1, 1)


def test_labels_of_hosts_cannot_lead_out_of_their_folders_or_add_lines(roots):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pool.", dir="/tmp"))
    labels = ("../../étage\r\nServer 'x", "a name of more than twenty letters", "\x1b[31m")
    setup = Setup(folder, roots, labels)
    try:
        bundle = setup.bundle(FEW, PATIENT)
        names = [host["folder"].split("-bugtool-")[1] for host in sorted(bundle.manifest["hosts"], key=lambda h: h["number"])]
        assert names == [".._.._étage__Server_", "__31m", "a_name_of_more_than_"]
        text = next(data for name, data in bundle.members.items() if name.endswith("Coordinators.txt"))
        assert text.count(b"\n") == 3 and b"\x1b" not in text
        assert b"\x1b" not in bundle.path.read_bytes()[:0] + bundle.result.stderr.encode()
    finally:
        setup.pool.stop()
        shutil.rmtree(folder)


def test_a_lone_server_without_a_pools_name_stands_alone(setup):
    setup.pool.name, setup.pool.hosts = "", setup.pool.hosts[:1]
    bundle = setup.bundle(FEW, PATIENT)
    text = next(data for name, data in bundle.members.items() if name.endswith("Coordinators.txt"))
    assert text == b"Server 'host1' is a stand alone server\r\n"


# --- The run

def test_the_whole_run_keeps_its_time_limit(setup):
    for host in setup.pool.hosts[1:]:
        host.mode = "hang"
    for limit in (3 * SLOW, 12 * SLOW, 48 * SLOW):  # a busy machine may need longer for the first host
        bundle = setup.bundle(FEW, f"--time-limit={limit}", "--jobs=1")
        if bundle.statuses()[0] == "complete":
            break
    assert bundle.statuses() == ["complete", "timeout", "omitted"]


def test_an_interrupted_run_leaves_nothing_and_logs_out(setup):
    setup.pool.hosts[1].mode = "hang in the middle"
    with subprocess.Popen(setup.command("--silent"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert wait_until(lambda: setup.asked("host2"))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 3 and b"Interrupted." in out
    assert_nothing_written(setup)


def test_the_bundle_can_go_to_a_descriptor_as_a_tar(setup):
    result = subprocess.run(setup.command("--silent", "--output=tar", "--outfd=1", FEW), capture_output=True, timeout=100)
    assert result.returncode == 0 and result.stderr == b""
    with tarfile.open(fileobj=io.BytesIO(result.stdout)) as archive:
        names = archive.getnames()
    assert names[-1] == "pool-manifest.json" and len({name.split("/")[0] for name in names}) == 5


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_ends_the_taking_and_not_the_bundle(setup):
    with mounted("tmpfs", "none", setup.out, "size=6m,mode=700"):
        host = setup.pool.hosts[1]
        host.mode = "own tar"
        host.tar = own_tar(*((f"bug-report-20260101000000/{i}", tarfile.REGTYPE, os.urandom(500000)) for i in range(20)))
        bundle = setup.bundle(FEW, PATIENT)
        assert "disk full" in bundle.hosts["host2"]["reason"]
        assert 0 < bundle.hosts["host2"]["members"] < 20


@pytest.mark.parametrize("arguments, words", [
    (["--pool", "--list"], "cannot be used with"), (["--pool", "--capabilities"], "cannot be used with"),
    (["--pool-server=x", "--pool-credentials=y"], "need '--pool'"), (["--cacert=x"], "need '--pool'"),
    (["--pool", "--pool-server=x"], "need each other"), (["--pool", "--pool-credentials=x"], "need each other"),
    (["--pool", "--obfuscate"], "does not go with"),
    (["--pool", "--pool-host-limit=0"], "needs a time"), (["--pool", "--pool-host-limit=soon"], "needs a time"),
    (["--pool", "--pool-server=a b", "--pool-credentials=/dev/null"], "no name or address"),
    (["--pool", "--pool-server=a:99999", "--pool-credentials=/dev/null"], "no port"),
])
def test_options_that_make_no_sense_are_refused(setup, arguments, words):
    result = subprocess.run([BUGTOOL, "--root", setup.root, "--outdir", setup.out, *arguments], capture_output=True, text=True,
                            timeout=60, stdin=subprocess.DEVNULL)
    assert result.returncode == 2 and words in result.stderr
    assert_nothing_written(setup)
