# SPDX-License-Identifier: LGPL-2.1-only
"""OpenSSH's server for SFTP on a free port of the loopback interface, with keys and a configuration of its own.

It lets in the user that runs the tests, by key; with `password` instead a user `reporter` that only this server knows
(nss_wrapper), whose number is `uid` (another one than ours as root only). `limit`: no file may grow beyond, as when a disk is
full. `chroot`: what clients see as "/" (as root only). `sftp`: options of the SFTP server.
"""
import contextlib
import ctypes
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import threading

from fakes.ports import free_port, is_open
from torture import wait_until

SSHD = "/usr/sbin/sshd"
WRAPPER = "libnss_wrapper.so"
PRCTL, PR_SET_PDEATHSIG = ctypes.CDLL(None).prctl, 1

CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
PidFile none
HostKey {key}
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication {password}
KbdInteractiveAuthentication no
PubkeyAuthentication yes
MaxStartups 100
MaxSessions 100
LogLevel VERBOSE
Subsystem sftp {sftp}
{more}
"""


def keygen(path, kind="ed25519", *options):
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "test", "-f", path, *options], check=True)
    return path


class Sshd:
    def __init__(self, folder, host_key="ed25519", password=None, uid=None, limit=None, chroot=None, sftp=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.password, self.limit = password, limit
        self.uid = os.getuid() if uid is None else uid
        self.port = free_port()
        self.key = keygen(self.folder / "host_key", host_key)
        self.identity = keygen(self.folder / "identity")
        (self.folder / "authorized_keys").write_text((self.folder / "identity.pub").read_text())
        more = f"ChrootDirectory {chroot}" if chroot else ""
        sftp = "internal-sftp" if chroot else self.logging_sftp(sftp)
        (self.folder / "sshd_config").write_text(CONFIGURATION.format(
            port=self.port, key=self.key, folder=self.folder, sftp=sftp, more=more, password="yes" if password else "no"))
        self.known_hosts = self.folder / "known_hosts"
        self.known_hosts.write_text(self.known_line())
        self.start()

    def logging_sftp(self, options):
        """A program: through sshd the SFTP server's words go to syslog or to the client only."""
        script, log = self.folder / "sftp", self.folder / "sftp.log"
        script.write_text(f"#!/bin/sh\nexec /usr/lib/openssh/sftp-server {options} -e -l INFO 2>>{log}\n")
        script.chmod(0o755)
        log.touch()
        log.chmod(0o666)
        return script

    @property
    def public(self):
        """Type and key, as files of known hosts have them."""
        return " ".join(pathlib.Path(f"{self.key}.pub").read_text().split()[:2])

    def known_line(self):
        return f"[127.0.0.1]:{self.port} {self.public}\n"

    def environment(self):
        if not self.password:
            return None
        digest = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=self.password.encode(), check=True,
                                capture_output=True).stdout.decode().strip()
        files = {"PASSWD": f"reporter:{digest}:{self.uid}:{os.getgid()}:test:{self.folder}:/bin/sh\n"
                           "sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin\n", "GROUP": f"reporter:x:{os.getgid()}:\n"}
        for name, text in files.items():
            (self.folder / name).write_text(text)
        return os.environ | {"LD_PRELOAD": WRAPPER, "NSS_WRAPPER_PASSWD": str(self.folder / "PASSWD"),
                             "NSS_WRAPPER_GROUP": str(self.folder / "GROUP")}

    def before(self, is_main):
        if is_main:  # the signal comes when the thread ends
            PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)  # nothing survives tests that are killed
        if self.limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails as on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.limit))

    def start(self):
        if os.getuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.log = self.folder / "log"
        self.log.touch()
        before = self.connections()
        is_main = threading.current_thread() is threading.main_thread()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.folder / "sshd_config"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=self.environment(), start_new_session=True,
                                            preexec_fn=lambda: self.before(is_main))
        assert wait_until(lambda: is_open(self.port) or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()
        # It writes down connections late: this one must not be counted among a test's own.
        assert wait_until(lambda: self.connections() > before), "sshd listens, and hears nobody"

    def said(self):
        return self.log.read_text()

    def connections(self):
        return self.said().count("Connection from 127.0.0.1")

    def written(self, folder):
        """
        Bytes that came for each file of the folder that was closed. Those of other tests may come late, when the server
        notices that a client is gone.
        """
        return [(name, int(number)) for name, number in
                re.findall(r'close "([^"]*)" bytes read \d+ written (\d+)', (self.folder / "sftp.log").read_text())
                if number != "0" and pathlib.Path(name).parent == folder]

    def url(self, path):
        return f"sftp://127.0.0.1:{self.port}{path}"

    @property
    def options(self):
        return ["--known-hosts", self.known_hosts, "--identity", self.identity]

    def close(self):
        """Its sessions too: they are of its group or its children."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True).stdout.split()
        self.process.terminate()
        self.process.wait()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
