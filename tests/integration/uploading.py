# SPDX-License-Identifier: LGPL-2.1-only
"""What the torture tests of xen-upload share: running it, its secrets, watching what of them can be seen from outside."""
import hashlib
import os
import pathlib
import select
import subprocess
import threading

from fakes.tls import Authority
from torture import BIN, PATIENCE, environment

UPLOAD = BIN / "xen-upload"
INSTRUMENTED = any(mark in UPLOAD.read_bytes() for mark in (b"__asan_init", b"__tsan_init", b"/memcheck "))
# Tests run side by side, and some say theirs in arguments. Of fixed length: 123 is not to be found in 1234.
CANARY = f"not-a-real-secret-canary-{os.getpid():010}"
DONE, FAILED, USAGE, INTERRUPTED, LATER, DENIED = range(6)


def clean(extra=None):
    """Nothing of this environment may matter; what is passed on is what the program needs to start."""
    return {k: v for k, v in environment(extra).items()
            if not k.lower().endswith("_proxy") and not k.startswith(("XDG_", "CREDENTIALS_"))}


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def secret(folder, name, text):
    path = folder / name
    path.touch(0o600)
    path.write_text(text)
    return path


def loopback_certificate(folder):
    """One file that a server on the loopback interface shows and that its clients trust."""
    authority = Authority(folder)
    pem = authority.certificate("server")
    pem.write_text(pem.read_text() + authority.pem.read_text())
    return pem


class Client:
    """xen-upload with a state of its own, and the secrets of all protocols in one file. `state`: where, if not in the folder."""

    def __init__(self, folder, *options, canary=CANARY, state=None):
        self.folder, self.options = folder, [str(option) for option in options]
        folder.mkdir(parents=True, exist_ok=True)
        self.state = state or folder / "state"
        self.credentials = secret(folder, "credentials",
                                  f"token={canary}-token\naccess_key=test-access\nsecret_key={canary}-secret\n")
        self.base = [UPLOAD, "--state", self.state, "--settings", secret(folder, "settings.yaml", "{}\n"), "--retry-wait", "1ms"]

    def command(self, *arguments, credentials=True):
        given = ["--credentials", self.credentials] if credentials else []
        return [str(word) for word in [*self.base, *given, *self.options, *arguments]]

    def start(self, *arguments, env=None, **keywords):
        return subprocess.Popen(self.command(*arguments, **keywords), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=clean(env))

    def run(self, *arguments, timeout=60, env=None, **keywords):
        return subprocess.run(self.command(*arguments, **keywords), stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout, env=clean(env))

    def send(self, *arguments, **keywords):
        """It arrives, or the test fails with what was said."""
        result = self.run(*arguments, **keywords)
        assert result.returncode == DONE, (result.returncode, result.stderr.decode()[-2000:])
        return result


WATCH = """
import os, sys
text = sys.stdin.buffer.readline().strip()
old, sightings, found = set(os.listdir("/proc")) - {"self"}, 0, set()
print("watching", flush=True)
os.set_blocking(0, False)
asked = False
while (word := sys.stdin.buffer.raw.read(1)) != b"":
    asked, before = asked or word is not None, sightings
    for process in os.listdir("/proc"):
        if process in old or not process.isdigit():
            continue
        for name in ("cmdline", "environ"):
            try:
                file = os.open(f"/proc/{process}/{name}", os.O_RDONLY)
                try:
                    content = os.read(file, 1 << 20)
                    sightings += name == "cmdline" and b"xen-upload" in content
                    if text in content:
                        found.add(f"{process}/{name}")
                finally:
                    os.close(file)
            except OSError:
                pass
    if asked and sightings > before:
        asked = False
        print("seen", flush=True)
print(sightings, *found)
"""


class Watch:
    """
    Looks for a text in the arguments and environments of processes that are new, as often as it can, while the block runs.
    `sightings`: how often it saw the arguments of our program, so that finding nothing means something. A server that calls
    look() before it answers makes sure of it: the client waits meanwhile.
    """

    def __init__(self, text):
        self.text, self.sightings, self.found, self.lock = text, 0, [], threading.Lock()

    def __enter__(self):
        self.process = subprocess.Popen(["/usr/bin/python3", "-ISc", WATCH], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(self.text.encode() + b"\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == b"watching\n"
        return self

    def look(self, times=4):
        """Comes back when our program was seen in so many rounds through all processes."""
        with self.lock:
            for _ in range(times):
                self.process.stdin.write(b"?")
                self.process.stdin.flush()
                if not select.select([self.process.stdout], [], [], 60 * PATIENCE)[0]:
                    break  # and sightings are missing in the end
                self.process.stdout.readline()

    def __exit__(self, *_):
        sightings, *self.found = self.process.communicate()[0].decode().splitlines()[-1].split()
        self.sightings = int(sightings)


def files_with(folder, text, but=()):
    """Files below the folder that hold the text, or have it in their names."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path not in but and (text in path.name or path.is_file() and text.encode() in path.read_bytes()):
            found.append(path)
    return found
