# SPDX-License-Identifier: LGPL-2.1-only
"""xen-upload to OpenSSH's server: what arrives, how a host must be known, and that no other file is ever written over."""
import concurrent.futures
import contextlib
import glob
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading

import pytest

from fakes.fault_proxy import Cuts, Fault, FaultProxy, meet
from fakes.sshd import Sshd, keygen
from torture import wait_until
from uploading import DENIED, DONE, FAILED, INSTRUMENTED, LATER, USAGE, Client, secret, sha256

SIZE = 3_000_000
NOBODY = pwd.getpwnam("nobody").pw_uid
ONCE = ["--give-up-after", "0"]
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may change its root folder or become somebody else")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "bug report.zip"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def there(tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
def public():
    """A folder that others can reach, all of whose parents are root's, as sshd wants it for a root folder."""
    folder = pathlib.Path(tempfile.mkdtemp(dir="/run"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def client(tmp_path):
    return Client(tmp_path / "client")


def send(client, sshd, report, path, *options, **keywords):
    return client.send(report, sshd.url(path), *sshd.options, *options, credentials=False, **keywords)


def run(client, sshd, report, path, *options, **keywords):
    return client.run(report, sshd.url(path), *sshd.options, *options, credentials=False, **keywords)


def said(result):
    return result.stderr.decode()


def part_of(report, folder, name=None):
    return folder / f".{name or report.name}.{sha256(report)[:16]}.part"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@contextlib.contextmanager
def halfway(client, server, folder, action):
    """
    URL and options of the folder, on a way where something is done once when a third of the file was passed on. Until it is
    done the rest is held back: however busy the machine, the upload is in its middle then.
    """
    left = [action]

    def once():
        if left:
            left.pop()()

    with FaultProxy(("127.0.0.1", server.port), lambda _: Fault(change=meet(SIZE // 3, once))) as proxy:
        hosts = secret(client.folder, "halfway", f"[127.0.0.1]:{proxy.port} {server.public}\n")
        yield [f"sftp://127.0.0.1:{proxy.port}{folder}/", "--known-hosts", hosts, "--identity", server.identity]


def is_held(path):
    """Whether some process, as the server of a session whose client is gone, has the file open."""
    for fd in glob.iglob("/proc/[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(fd) == str(path):
                return True
    return False


@contextlib.contextmanager
def killed_halfway(client, server, report, folder):
    """The same for an upload that was killed there, when its part had begun to grow; the server has noticed."""
    started = concurrent.futures.Future()

    def kill():
        assert wait_until(lambda: part_of(report, folder).exists())
        started.result(60).kill()

    with halfway(client, server, folder, kill) as arguments:
        started.set_result(client.start(report, *arguments, credentials=False))
        started.result().communicate()
        assert started.result().returncode == -signal.SIGKILL
        assert wait_until(lambda: not is_held(part_of(report, folder)))
        yield arguments


# What arrives.


def test_a_file_gets_its_name_when_it_is_whole(sshd, client, report, there):
    send(client, sshd, report, f"{there}/")
    assert names(there) == [report.name]
    assert (there / report.name).read_bytes() == report.read_bytes()
    assert stat.S_IMODE((there / report.name).stat().st_mode) == 0o600


def test_an_empty_file(sshd, client, tmp_path, there):
    (tmp_path / "empty").touch()
    send(client, sshd, tmp_path / "empty", f"{there}/")
    assert (there / "empty").read_bytes() == b"" and names(there) == ["empty"]
    send(client, sshd, tmp_path / "empty", f"{there}/")


@pytest.mark.alike
@pytest.mark.parametrize("name,encoded", [("plain", "plain"), ("two words", "two%20words"), ("ä€", "%C3%A4%E2%82%AC"),
                                          ("'\"\\", "'%22%5C"), ("a+b;c=d&e", "a+b;c=d&e"), ("100%", "100%25"),
                                          ("~", "~"), ("-rf *?[x]", "-rf%20*%3F[x]")])
def test_any_name(sshd, client, report, there, name, encoded):
    send(client, sshd, report, f"{there}/{encoded}")
    assert names(there) == [name]
    assert (there / name).read_bytes() == report.read_bytes()


def test_a_name_that_was_chosen(sshd, client, report, there):
    send(client, sshd, report, f"{there}/", "--name", "other.zip")
    assert names(there) == ["other.zip"]


@as_root
def test_a_server_that_shows_one_folder_only(client, report, public):
    (public / "in").mkdir()
    with Sshd(public / "sshd", chroot=public) as server:
        send(client, server, report, "/in/")
    assert (public / "in" / report.name).read_bytes() == report.read_bytes()


@pytest.mark.parametrize("speaks", ("connect", "socks5"))
def test_through_a_proxy(sshd, client, report, there, speaks):
    with FaultProxy(speaks=speaks) as proxy:
        send(client, sshd, report, f"{there}/", "--proxy", proxy.url)
    assert set(proxy.asked) == {f"127.0.0.1:{sshd.port}"} and proxy.up > SIZE
    assert (there / report.name).read_bytes() == report.read_bytes()


def test_a_dry_run_asks_nobody(sshd, client, report, there):
    before = sshd.connections()
    result = run(client, sshd, report, f"{there}/", "--dry-run")
    assert result.returncode == DONE and f"{part_of(report, there)}" in result.stdout.decode()
    assert sshd.connections() == before and names(there) == []


# Who the server is.


def known(client, *lines):
    return secret(client.folder, "known", "".join(lines))


def refused(client, sshd, report, there, file):
    before = sshd.said().count("Accepted")
    result = client.run(report, sshd.url(f"{there}/"), "--known-hosts", file, "--identity", sshd.identity, credentials=False)
    assert result.returncode == DENIED and names(there) == []
    assert sshd.said().count("Accepted") == before
    return said(result)


def test_a_host_that_is_not_known_is_not_even_asked(sshd, client, report, there):
    before = sshd.connections()
    text = refused(client, sshd, report, there, known(client, sshd.known_line().replace("127.0.0.1", "127.0.0.2")))
    assert "is not in" in text and "ssh-keyscan" in text
    text = refused(client, sshd, report, there, known(client, f"127.0.0.1 {sshd.public}\n"))  # that is port 22
    assert "is not in" in text
    assert sshd.connections() == before


def test_a_host_whose_key_changed_is_refused(sshd, client, report, there):
    keygen(client.folder / "other")
    other = (client.folder / "other.pub").read_text()
    text = refused(client, sshd, report, there, known(client, f"[127.0.0.1]:{sshd.port} {other}"))
    assert "another host key" in text and "ssh-keygen -R" in text


def test_a_host_that_offers_no_key_of_a_known_kind_is_refused(sshd, client, report, there):
    keygen(client.folder / "other", "ecdsa")
    other = (client.folder / "other.pub").read_text()
    before = sshd.said().count("Accepted")
    result = client.run(report, sshd.url(f"{there}/"), "--known-hosts", known(client, f"[127.0.0.1]:{sshd.port} {other}"),
                        "--identity", sshd.identity, *ONCE, credentials=False)
    assert result.returncode in (DENIED, LATER) and names(there) == []
    assert sshd.said().count("Accepted") == before


def test_a_key_that_was_revoked_is_refused(sshd, client, report, there):
    refused(client, sshd, report, there, known(client, sshd.known_line(), f"@revoked * {sshd.public}\n"))


def test_a_list_of_hosts_that_is_missing_is_told(sshd, client, report, there):
    result = client.run(report, sshd.url(f"{there}/"), "--known-hosts", client.folder / "missing", "--identity", sshd.identity,
                        credentials=False)
    assert result.returncode == FAILED and "missing" in said(result)


@pytest.mark.parametrize("how", ("hashed", "pattern", "among others"))
def test_a_host_is_known_as_ssh_knows_it(sshd, client, report, there, how):
    keygen(client.folder / "other", "ecdsa")
    other = (client.folder / "other.pub").read_text()
    line = sshd.known_line().replace("[127.0.0.1]", "[127.0.0.*]") if how == "pattern" else sshd.known_line()
    file = known(client, line)
    if how == "hashed":
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
        assert "127.0.0.1" not in file.read_text()
    file.write_text(f"# comment\n\ngarbage\n127.0.0.1 {other}[127.0.0.1]:{sshd.port} {other}{file.read_text()}")
    client.send(report, sshd.url(f"{there}/"), "--known-hosts", file, "--identity", sshd.identity, credentials=False)
    assert names(there) == [report.name]


@pytest.mark.skipif(INSTRUMENTED, reason="the sanitizer must be loaded first")
def test_without_an_option_the_users_own_list_counts_and_not_the_environment(sshd, client, report, there):
    home = client.folder / "home"
    (home / ".ssh").mkdir(parents=True)
    users = client.folder / "passwd"
    users.write_text(f"me:x:{os.getuid()}:{os.getgid()}::{home}:/bin/sh\n")
    wrapped = {"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": str(users), "NSS_WRAPPER_GROUP": "/etc/group"}
    arguments = [report, sshd.url(f"{there}/"), "--identity", sshd.identity]
    client.credentials = secret(client.folder, "login", f"username={pwd.getpwuid(os.getuid()).pw_name}\n")
    (client.folder / "fake" / ".ssh").mkdir(parents=True)
    shutil.copy(sshd.known_hosts, client.folder / "fake" / ".ssh" / "known_hosts")
    result = client.run(*arguments, env=wrapped | {"HOME": str(client.folder / "fake")})
    assert result.returncode == DENIED and str(home) in said(result)
    shutil.copy(sshd.known_hosts, home / ".ssh" / "known_hosts")
    client.send(*arguments, env=wrapped)
    assert names(there) == [report.name]


def test_a_server_with_another_kind_of_key(tmp_path, client, report, there):
    with Sshd(tmp_path / "sshd", host_key="ecdsa") as server:
        send(client, server, report, f"{there}/")
    assert names(there) == [report.name]


# Who we are.


def test_a_key_that_the_server_does_not_know(sshd, client, report, there):
    other = keygen(client.folder / "other")
    result = client.run(report, sshd.url(f"{there}/"), "--known-hosts", sshd.known_hosts, "--identity", other,
                        credentials=False)
    assert result.returncode == DENIED and "does not let us in" in said(result)


def test_a_key_that_others_can_read_is_refused(sshd, client, report, there):
    open_key = client.folder / "open"
    shutil.copy(sshd.identity, open_key)
    open_key.chmod(0o644)
    result = client.run(report, sshd.url(f"{there}/"), "--known-hosts", sshd.known_hosts, "--identity", open_key,
                        credentials=False)
    assert result.returncode == DENIED and "open" in said(result) and names(there) == []


def private_key(folder, kind):
    path = folder / kind
    if kind == "a token":
        return secret(folder, kind, "0123-4567\n")
    if kind == "the public half":
        return secret(folder, kind, keygen(folder / "whole").with_suffix(".pub").read_text())
    if kind == "OpenSSH's":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "pass phrase", "-f", path], check=True)
    elif kind == "traditional":
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "pass phrase", "-f", path], check=True)
    else:
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-m", "PKCS8", "-N", "pass phrase", "-f", path], check=True)
    return path


@pytest.mark.parametrize("kind,word", [("a token", "no private key"), ("the public half", "no private key"),
                                       ("OpenSSH's", "passphrase"), ("traditional", "passphrase"), ("PKCS 8", "passphrase")])
def test_a_file_that_cannot_be_the_key_is_told_before_anybody_is_asked(sshd, client, report, there, kind, word):
    before = sshd.connections()
    result = client.run(report, sshd.url(f"{there}/"), "--known-hosts", sshd.known_hosts, "--identity",
                        private_key(client.folder, kind), credentials=False)
    assert result.returncode == DENIED and word in said(result) and "0123" not in said(result)
    assert sshd.connections() == before and result.stdout == b""


def test_without_key_and_password_nobody_is_asked(sshd, client, report, there):
    before = sshd.connections()
    result = client.run(report, sshd.url(f"{there}/"), "--known-hosts", sshd.known_hosts, credentials=False)
    assert result.returncode == USAGE and "--identity" in said(result)
    assert sshd.connections() == before


def test_a_password(tmp_path, client, report, there):
    with Sshd(tmp_path / "sshd", password="pass word=1") as server:
        known_hosts = ["--known-hosts", server.known_hosts]
        client.credentials = secret(client.folder, "wrong", "username=reporter\npassword=another\n")
        result = client.run(report, server.url(f"{there}/"), *known_hosts)
        assert result.returncode == DENIED and "another" not in said(result)
        client.credentials = secret(client.folder, "right", "username=reporter\npassword=pass word=1\n")
        client.send(report, server.url(f"{there}/"), *known_hosts)
    assert names(there) == [report.name]


# Files that are there.


def test_what_was_sent_already_is_not_sent_again(sshd, client, report, there):
    send(client, sshd, report, f"{there}/")
    inode, written = (there / report.name).stat().st_ino, len(sshd.written(there))
    result = send(client, sshd, report, f"{there}/")
    assert "already" in result.stdout.decode()
    assert (there / report.name).stat().st_ino == inode and len(sshd.written(there)) == written


@pytest.mark.parametrize("length", (0, 5, SIZE, SIZE + 1))
def test_another_file_is_never_written_over(sshd, client, report, there, length):
    other = os.urandom(length)
    (there / report.name).write_bytes(other)
    result = run(client, sshd, report, f"{there}/")
    assert result.returncode == FAILED and "--name" in said(result)
    assert (there / report.name).read_bytes() == other and names(there) == [report.name]


def test_a_file_that_appears_meanwhile_is_not_written_over(sshd, client, report, there):
    with halfway(client, sshd, there, lambda: (there / report.name).write_text("somebody else's")) as arguments:
        result = client.run(report, *arguments, credentials=False)
    assert result.returncode == FAILED and "another file" in said(result)
    assert names(there) == [report.name] and (there / report.name).read_text() == "somebody else's"


@as_root
def test_a_file_that_cannot_be_read_is_taken_for_another_one(client, report, public):
    folder = public / "drop"
    folder.mkdir()
    folder.chmod(0o1733)  # files are dropped here: not even its list can be read
    with Sshd(public / "sshd", password="secret", uid=NOBODY) as server:
        client.credentials = secret(client.folder, "login", "username=reporter\npassword=secret\n")
        arguments = [report, server.url(f"{folder}/"), "--known-hosts", server.known_hosts]
        client.send(*arguments)
        assert (folder / report.name).read_bytes() == report.read_bytes()
        assert (folder / report.name).stat().st_uid == NOBODY
        (folder / report.name).unlink()
        (folder / report.name).touch()
        os.chown(folder / report.name, 0, 0)
        os.chmod(folder / report.name, 0o600)
        result = client.run(*arguments)
        assert result.returncode == FAILED and "cannot be read" in said(result)
    assert names(folder) == [report.name] and (folder / report.name).read_bytes() == b""


def test_where_nothing_can_be_read_back_the_record_tells_whose_file_it_is(tmp_path, client, report, there):
    with Sshd(tmp_path / "sshd", sftp="-P read") as server:
        with killed_halfway(client, server, report, there) as arguments:
            (there / report.name).write_bytes(report.read_bytes())
            result = client.run(report, *arguments, *ONCE, credentials=False)
            assert result.returncode == FAILED and "cannot be read" in said(result), "it may be anybody's"
        (there / report.name).unlink()
        part_of(report, there).unlink(missing_ok=True)
        with killed_halfway(client, server, report, there) as arguments:
            # As it is between the renaming and its confirmation.
            record = max(client.state.rglob("*.json"), key=lambda path: path.stat().st_mtime_ns)
            record.write_text(record.read_text().replace('"part":', '"renaming": "yes", "part":'))
            (there / report.name).write_bytes(report.read_bytes())
            before = len(server.written(there))
            client.send(report, *arguments, credentials=False)
            assert len(server.written(there)) == before and (there / report.name).read_bytes() == report.read_bytes()


# Cuts.


def test_a_killed_upload_goes_on_where_it_was(sshd, client, report, there):
    with killed_halfway(client, sshd, report, there) as arguments:
        first = part_of(report, there).stat().st_size
        assert 0 < first < SIZE
        client.send(report, *arguments, credentials=False)
    assert (there / report.name).read_bytes() == report.read_bytes() and names(there) == [report.name]
    assert sshd.written(there)[-1][1] == SIZE - first


@pytest.mark.alike
@pytest.mark.parametrize("try_", range(4))
def test_a_kill_about_the_renaming_does_no_harm(sshd, client, report, there, try_):
    process = client.start(report, sshd.url(f"{there}/"), *sshd.options, credentials=False)
    assert wait_until(lambda: part_of(report, there).exists() or names(there))
    wait_until(lambda: (there / report.name).exists() or not (part := part_of(report, there)).exists()
               or part.stat().st_size == SIZE)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    send(client, sshd, report, f"{there}/")
    assert (there / report.name).read_bytes() == report.read_bytes() and names(there) == [report.name]


@pytest.mark.parametrize("what", ("longer", "other bytes at its end", "as long with other bytes", "empty",
                                  "whole with other bytes far from its end", "cut with other bytes far from its end"))
def test_a_part_that_is_not_right_is_sent_from_its_beginning(sshd, client, report, there, what):
    data = report.read_bytes()
    holed = data[:4096] + bytes(4096) + data[8192:]
    part_of(report, there).write_bytes({"longer": data + b"x", "other bytes at its end": data[:1_000_000] + b"\0" * 4096,
                                        "as long with other bytes": data[:-1] + bytes([data[-1] ^ 1]), "empty": b"",
                                        "whole with other bytes far from its end": holed,
                                        "cut with other bytes far from its end": holed[:1_000_000]}[what])
    send(client, sshd, report, f"{there}/")
    assert (there / report.name).read_bytes() == data and names(there) == [report.name]
    assert sshd.written(there)[-1][1] == SIZE


@pytest.mark.parametrize("length", (1, 4096, 1_000_000, SIZE - 1, SIZE))
def test_a_part_that_is_right_is_gone_on_with(sshd, client, report, there, length):
    part_of(report, there).write_bytes(report.read_bytes()[:length])
    before = len(sshd.written(there))
    send(client, sshd, report, f"{there}/")
    assert (there / report.name).read_bytes() == report.read_bytes() and names(there) == [report.name]
    assert [number for _, number in sshd.written(there)[before:]] == ([SIZE - length] if length < SIZE else [])


def test_cut_at_random_bytes(sshd, client, report, there):
    cuts = Cuts(random.Random(1), 6, SIZE // 10)
    with FaultProxy(("127.0.0.1", sshd.port), cuts) as proxy:
        file = known(client, sshd.known_line().replace(str(sshd.port), str(proxy.port)))
        client.send(report, f"sftp://127.0.0.1:{proxy.port}{there}/", "--known-hosts", file, "--identity", sshd.identity,
                    credentials=False)
    assert proxy.cuts == 6
    assert (there / report.name).read_bytes() == report.read_bytes() and names(there) == [report.name]


def test_a_disk_that_is_full_is_waited_for(tmp_path, client, report, there):
    with Sshd(tmp_path / "sshd", limit=1_000_000) as server:
        result = run(client, server, report, f"{there}/", *ONCE)
        assert result.returncode == LATER, said(result)
        assert part_of(report, there).stat().st_size == 1_000_000 and names(there) == [part_of(report, there).name]
        server.close()
        server.limit = None
        server.start()
        send(client, server, report, f"{there}/")
        assert server.written(there)[-1][1] == SIZE - 1_000_000
    assert (there / report.name).read_bytes() == report.read_bytes()


def test_a_server_that_is_away_for_a_while(tmp_path, client, report, there):
    with Sshd(tmp_path / "sshd") as server:
        server.close()
        assert run(client, server, report, f"{there}/", *ONCE).returncode == LATER
        starter = threading.Timer(0.5, server.start)
        starter.start()
        send(client, server, report, f"{there}/")
        starter.join()
    assert names(there) == [report.name]


def test_an_upload_that_is_given_up_leaves_nothing(sshd, client, report, there):
    with killed_halfway(client, sshd, report, there) as arguments:
        assert client.run(report, *arguments, "--abandon", credentials=False).returncode == DONE
    assert names(there) == []


# Places that take nothing.


def test_a_folder_that_is_not_there_is_told(sshd, client, report, there):
    result = run(client, sshd, report, f"{there}/none/x.zip")
    assert result.returncode == FAILED and f"there is no folder '{there}/none/'" in said(result)
    assert not list(client.state.iterdir())


def test_a_folder_that_may_not_be_written_is_told(tmp_path, client, report, there):
    with Sshd(tmp_path / "sshd", sftp="-R") as server:
        result = run(client, server, report, f"{there}/")
    assert result.returncode == DENIED and "does not allow" in said(result) and names(there) == []
    assert not list(client.state.iterdir())


def test_a_folder_instead_of_a_file(sshd, client, report, there):
    (there / "folder").mkdir()
    result = run(client, sshd, report, f"{there}/folder")
    assert result.returncode == FAILED and f"'{there}/folder' is a folder" in said(result)
    assert names(there) == ["folder"] and not list((there / "folder").iterdir())
    send(client, sshd, report, f"{there}/folder/")


@pytest.mark.parametrize("path,word", [("/a?b", "query"), ("/a%0ab", "control"), ("/a%zz", "%25")])
def test_what_cannot_be_is_a_wrong_usage(sshd, client, report, path, word):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        file = known(client, f"[127.0.0.1]:{port} {sshd.public}\n")
        result = client.run(report, f"sftp://127.0.0.1:{port}{path}", "--known-hosts", file, "--identity", sshd.identity,
                            credentials=False)
        assert result.returncode == USAGE and word in said(result)
        with pytest.raises(BlockingIOError):
            listener.accept()
