# SPDX-License-Identifier: LGPL-2.1-only
"""Five readers (unzip, zipinfo, bsdtar, Python's zipfile and tarfile) agree on archives of logs that do not hold still."""
import hashlib
import multiprocessing
import os
import random
import subprocess
import tarfile
import zipfile
from xml.etree import ElementTree

import pytest

from torture import FULL, INSTRUMENTED, PATIENCE, collect, make_tree, manifest, members, write_catalog

ARCHIVES = 300 if FULL else 15 if PATIENCE == 1 and not INSTRUMENTED else 6
LOGS = [f"log{i}" for i in range(6)]


def restless(folder, stop):
    """Appends, truncates, shortens, rotates and removes logs until it is told to stop."""
    dice, line = random.Random(7), 0
    while not stop.is_set():
        path = folder / dice.choice(LOGS)
        action = dice.choice(["append"] * 6 + ["truncate", "shorten", "rotate", "remove", "replace"])
        try:
            if action == "append":
                with path.open("ab") as file:
                    for _ in range(dice.randrange(3000)):
                        file.write(b"line %d of a log that does not hold still\n" % (line := line + 1))
            elif action == "truncate":
                os.truncate(path, 0)
            elif action == "shorten":
                os.truncate(path, path.stat().st_size // 2)
            elif action == "rotate":
                path.rename(f"{path}.1")
            elif action == "remove":
                path.unlink()
            else:
                (folder / "new").write_bytes(dice.randbytes(dice.randrange(200_000)))
                (folder / "new").rename(path)
        except FileNotFoundError:
            pass


@pytest.fixture(scope="module")
def restless_host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("restless")
    root = make_tree(folder / "root", {f"var/log/{name}": random.Random(name).randbytes(300_000) for name in LOGS})
    catalog = write_catalog(folder / "catalog", "  - logs: [%s]\n  - tree: /var/log\n    not: '.*/new'\n" % ", ".join(
        f"/var/log/{name}" for name in LOGS), "size: {max: 1G}\n")
    stop = multiprocessing.Event()
    process = multiprocessing.Process(target=restless, args=(root / "var/log", stop), daemon=True)
    process.start()
    yield folder, ["--root", root, "--catalog", catalog, "--jobs=2"]
    stop.set()
    process.join()


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True).stdout


def by_python(path):
    """(name, digest) in the order of the archive."""
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            return [(name, archive.read(name)) for name in archive.namelist()]
    with tarfile.open(path) as archive:
        return [(info.name, archive.extractfile(info).read()) for info in archive]


def check_readers_agree(path):
    held = by_python(path)
    names = [name for name, _ in held]
    everything = hashlib.sha256(b"".join(data for _, data in held)).hexdigest()
    assert len(set(names)) == len(names)
    assert run("bsdtar", "-tf", path).decode().splitlines() == names
    assert hashlib.sha256(run("bsdtar", "-xOf", path)).hexdigest() == everything
    if path.name.endswith(".zip"):
        assert run("zipinfo", "-1", path).decode().splitlines() == names
        assert run("unzip", "-tq", path).startswith(b"No errors detected")
        assert hashlib.sha256(run("unzip", "-p", path)).hexdigest() == everything
    else:
        assert run("tar", "-tf", path).decode().splitlines() == names


def check_what_it_says_of_itself(path):
    found = members(path)
    for entry in manifest(found)["entries"]:
        if entry["name"] in found:
            assert entry["sha256"] == hashlib.sha256(found[entry["name"]]).hexdigest()
            assert entry["bytes"] == len(found[entry["name"]])
        else:
            assert entry["status"] in ("missing", "denied", "failed"), entry
    for entry in ElementTree.fromstring(found["inventory.xml"])[1:]:
        name = entry.attrib["filename"].split("/", 1)[1]
        assert entry.attrib["md5sum"] == hashlib.md5(found[name]).hexdigest()


@pytest.mark.parametrize("output", ["zip", "tar", "tar.bz2"])
def test_readers_agree_on_archives_of_changing_logs(restless_host, output):
    folder, arguments = restless_host
    states, read = set(), 0
    while read < ARCHIVES // 3 or len(states) == 1 and read < 1000:  # until something changed while it was read
        read += 1
        path = collect(folder / "out", *arguments, f"--output={output}")
        check_readers_agree(path)
        check_what_it_says_of_itself(path)
        states |= {entry["status"] for entry in manifest(members(path))["entries"]}
        path.unlink()
    assert "ok" in states and len(states) > 1, "nothing changed while it was read"
