# SPDX-License-Identifier: LGPL-2.1-only
"""What the torture tests share: running xen-bugtool, reading its archives, making places that misbehave."""
import contextlib
import json
import os
import pathlib
import subprocess
import tarfile
import time
import uuid
import zipfile

import pytest

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
BUGTOOL = BIN / "xen-bugtool"
NASTY = BIN.parent / "tests" / "nasty"
FULL = os.environ.get("XENHEALTH_TORTURE") == "full"
# Sanitizers and valgrind need memory of their own: the limits on memory are those of the plain program.
INSTRUMENTED = any(mark in BUGTOOL.read_bytes() for mark in (b"__asan_init", b"__tsan_init", b"/memcheck "))
PATIENCE = int(os.environ.get("XENHEALTH_PATIENCE", "1"))  # how many times slower programs are, about
RSS_LIMIT_KB = 32 * 1024
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="collecting from the running system needs root")


def environment(extra=None):
    kept = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XENRT_BUGTOOL_BASENAME", "XEN_RT")}
    return kept | (extra or {})


def bugtool(*arguments, env=None, before=(), **keywords):
    keywords.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([*before, BUGTOOL, *map(str, arguments)], capture_output=True, timeout=300, env=environment(env),
                          **keywords)


def archive_of(result):
    """The archive that a silent run names, after looking at how it ended."""
    assert result.returncode == 0, result.stderr.decode()
    return pathlib.Path(os.fsdecode(result.stdout.removesuffix(b"\n")))


def collect(outdir, *arguments, **keywords):
    return archive_of(bugtool("-s", "-y", "--outdir", outdir, *arguments, **keywords))


def members(path):
    """Names below the top folder and their bytes."""
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            found = {name: archive.read(name) for name in archive.namelist()}
    else:
        with tarfile.open(path) as archive:
            found = {info.name: archive.extractfile(info).read() for info in archive}
    return {name.split("/", 1)[1]: data for name, data in found.items()}


def manifest(found):
    return json.loads(found["manifest.json"])


def entries(found):
    return {entry["name"]: entry for entry in manifest(found)["entries"]}


def write_catalog(folder, items, head=""):
    """A catalog of one capability with the given items; returns its folder."""
    folder.mkdir(exist_ok=True)
    (folder / "test.yaml").write_text(f"capability: test\ndescription: for a test\npii: no\n{head}collect:\n{items}")
    return folder


def make_tree(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def new_marker():
    return f"marker-{uuid.uuid4()}"


def survivors(marker):
    """Processes with the text in their arguments, or in those of a thread: the first may have ended before the others."""
    found = set()
    for process in pathlib.Path("/proc").iterdir():
        try:
            threads = list((process / "task").iterdir()) if process.name.isdigit() else []
        except OSError:
            continue
        for thread in threads:
            with contextlib.suppress(OSError):
                if marker.encode() in (thread / "cmdline").read_bytes():
                    found.add(process.name)
    return sorted(found)


def wait_until(condition, seconds=120):
    """For what another process does in its own time; the tests do not depend on how long it takes."""
    end = time.monotonic() + seconds * PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def none_survives(marker):
    """A report is there in time, whoever is still hunted; on a busy machine that takes a moment more."""
    return wait_until(lambda: survivors(marker) == [])


@contextlib.contextmanager
def mounted(kind, source, folder, options=None):
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", kind, *(["-o", options] if options else []), source, folder]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip(f"this environment does not allow mounting {kind}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


# What a process had before it became another program counts as its own, so it is started from a small one.
MEASURE = """
import os, sys
if (child := os.fork()) == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def rss_of(*arguments, env=None):
    """Runs to the end; exit status and the peak in KB of the program or of a child of it, whichever is bigger."""
    result = subprocess.run(["/usr/bin/python3", "-ISc", MEASURE, BUGTOOL, *map(str, arguments)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, env=environment(env), check=True)
    status, rss = result.stdout.split()[-2:]
    return int(status), int(rss)
