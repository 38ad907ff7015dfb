# SPDX-License-Identifier: LGPL-2.1-only
"""--obfuscate on the sample pool: nothing of it is left, everything is still found, and a leak fails the run."""

import bz2
import gzip
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import xml.etree.ElementTree
import zipfile

import pytest

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SAMPLES = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "samples"
HOSTS = ["host1", "host2", "host3"]
WORD = r"(?<![A-Za-z0-9])%s(?![A-Za-z0-9])"
# Defaults of the product, and words that say nothing; sources.yaml lists them.
PRODUCT = {"Local storage", "DVD drives", "XCP-ng Tools", "base copy", "Statefile for HA",
           "Host internal management network", "Debian Bookworm 12"}


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("roots")
    command = [SAMPLES / "make-samples", "--bin", BIN, "--out", folder / "out", "--keep", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def collect(root, out, *options, check=True, name=None, **extra):
    out.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1795169465", "TZ": "UTC"}
    if name:
        environment["XENRT_BUGTOOL_BASENAME"] = name
    command = [BIN / "xen-bugtool", "--root", root, "--outdir", out, "-y", "-s", *options]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=300, **extra)
    if check:
        assert done.returncode == 0, done.stderr.decode()
    return done


def contents(report):
    """Every member's name and bytes, archives and rotations inside opened, read without our own reader."""
    members = {}
    if report.suffix == ".zip":
        with zipfile.ZipFile(report) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    else:
        with tarfile.open(report) as archive:
            members = {m.name: archive.extractfile(m).read() for m in archive}
    for name, content in list(members.items()):
        if content[:2] == b"\x1f\x8b":
            members[name] = gzip.decompress(content)
        if name.endswith(".tar"):
            with tarfile.open(fileobj=io.BytesIO(content)) as inner:
                members.update({f"{name}/{m.name}": inner.extractfile(m).read() for m in inner})
    return members


def pool_names(root):
    """Names that the pool's database and the hosts' files give, read independently."""
    names = set(HOSTS)
    for table in xml.etree.ElementTree.parse(root / "var/xapi/state.db").getroot().iter("table"):
        if table.get("name") in ("host", "pool", "VM", "SR", "network", "VDI"):
            for row in table:
                if row.get("is_default_template") == "true" or "default_template'%.'true" in row.get("other_config", ""):
                    continue
                for field in ("name__label", "name__description", "hostname"):
                    names.add(row.get(field, "").replace("%.", " "))
    names = {n for n in names if len(n) > 2 and re.search("[A-Za-z]", n)}
    product = {n for n in names if n in PRODUCT or n.startswith(("Control domain on host", "XCP-ng Tools", "Physical DVD"))}
    return (names - product) | {"example.com"}


def forms(name):
    return {name, name.replace(" ", "%."), name.replace(" ", "%20"), name.replace(" ", "_")}


def real_addresses(texts):
    """Addresses of the networks that the sample pool is made of: documentation range, and MACs of 02:00:00.

    Pseudonyms of these MACs are local, too, and may begin with 02.
    """
    found = set()
    for text in texts:
        found.update(re.findall(rb"(?<![\d.])192\.0\.2\.\d{1,3}(?![\d.])", text))
        found.update(re.findall(rb"(?<![\w:])02:00:00(?::[0-9a-f]{2}){3}(?![\w:])", text))
    return found


@pytest.fixture(scope="module")
def pool(roots, tmp_path_factory):
    """The reports of all hosts with one key, and the texts of a pool that has nothing replaced."""
    folder = tmp_path_factory.mktemp("pool")
    key = folder / "key"
    reports = {}
    for host, form in zip(HOSTS, ("zip", "tar.bz2", "tar")):
        done = collect(roots / "problems" / host, folder / host, f"--obfuscate={key}", f"--output={form}")
        reports[host] = pathlib.Path(done.stdout.decode().strip())
        assert done.stdout.decode() == f"{reports[host]}\n" and done.stderr == b""
    return reports, key


def read_map(report):
    path = report.parent / (re.sub(r"\.(zip|tar|tar\.bz2)$", "", report.name) + ".map")
    assert path.stat().st_mode & 0o777 == 0o600
    lines = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    return {(kind, original): pseudonym for kind, pseudonym, original in lines}


@pytest.mark.parametrize("host", HOSTS)
def test_no_name_and_no_address_of_the_pool_is_in_the_archive(roots, pool, host):
    members = contents(pool[0][host])
    assert len(members) > 80
    names = pool_names(roots / "problems" / host)
    assert len(names) > 30
    pattern = re.compile("|".join(WORD % re.escape(form) for name in names for form in forms(name)).encode())
    original = b"\n".join(p.read_bytes() for p in (roots / "problems" / host).rglob("*") if p.is_file())
    assert len(set(pattern.findall(original))) > 20  # the search itself works
    for name, content in members.items():
        for text in (name.encode(), content):
            assert not pattern.search(text), (name, pattern.search(text))
    assert len(real_addresses([original])) > 20
    assert not real_addresses(members.values())


def test_a_rotated_log_is_rewritten_inside_and_still_gzip(roots, pool):
    with zipfile.ZipFile(pool[0]["host1"]) as archive:
        rotated = [name for name in archive.namelist() if name.endswith(".gz")]
        assert rotated
        for name in rotated:
            text = gzip.decompress(archive.read(name))
            before = gzip.decompress((roots / "problems/host1" / name.split("/", 1)[1]).read_bytes())
            assert text.count(b"\n") == before.count(b"\n") and text != before


def test_all_hosts_give_an_original_the_same_pseudonym(pool):
    maps = [read_map(report) for report in pool[0].values()]
    shared = set(maps[0]) & set(maps[1]) & set(maps[2])
    assert {"ipv4", "mac", "host", "vm", "sr", "net", "pool", "disk"} <= {kind for kind, _ in shared}
    assert len(shared) > 30
    for original in shared:
        assert len({m[original] for m in maps}) == 1
    for one in maps:
        assert len(set(one.values())) == len(one)
    for (_, name), pseudonym in maps[0].items():
        if name in HOSTS:
            for report in pool[0].values():
                assert any(pseudonym.encode() in content for content in contents(report).values())


def test_another_key_gives_other_pseudonyms_and_the_same_key_the_same_bytes(roots, pool, tmp_path):
    again = collect(roots / "problems/host1", tmp_path / "a", f"--obfuscate={pool[1]}", "--output=zip").stdout.decode().strip()
    first, second = contents(pool[0]["host1"]), contents(pathlib.Path(again))
    differing = {name for name in first if first[name] != second[name]}
    assert all(name.endswith(("manifest.json", "xen-bugtool.log")) for name in differing)  # they name the folder
    other = collect(roots / "problems/host1", tmp_path / "b", f"--obfuscate={tmp_path}/other", "--output=zip")
    here, there = read_map(pool[0]["host1"]), read_map(pathlib.Path(other.stdout.decode().strip()))
    assert all(here[o] != there[o] for o in here if o[0] in ("vm", "host", "sr", "pool"))


def findings(*reports):
    done = subprocess.run([BIN / "xen-analyze", "--format", "json", *reports], capture_output=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr.decode()
    result = json.loads(done.stdout)
    return sorted((f["rule"], f["count"], len(f["hosts"])) for f in result["findings"]), result["coverage"]


def test_the_same_rules_fire_in_the_obfuscated_reports(roots, pool, tmp_path):
    plain = [collect(roots / "problems" / host, tmp_path / host, "--output=zip").stdout.decode().strip() for host in HOSTS]
    expected, coverage = findings(*plain)
    assert len({rule for rule, _, _ in expected}) >= 20
    assert findings(*pool[0].values()) == (expected, coverage)


def test_the_key_is_private_and_neither_it_nor_the_map_is_in_the_archive(pool):
    reports, key = pool
    assert key.stat().st_mode & 0o777 == 0o600
    secret = key.read_bytes().split()[-1]
    for report in reports.values():
        for name, content in contents(report).items():
            assert secret not in content and b"xenhealth-obfuscation-" not in content, name


def test_the_name_of_the_archive_given_by_the_caller_does_not_tell_the_host(roots, tmp_path):
    done = collect(roots / "healthy/host2", tmp_path, f"--obfuscate={tmp_path}/key", "--output=tar", name="report-host2")
    for name, content in contents(pathlib.Path(done.stdout.decode().strip())).items():
        assert not re.search(r"host2(?![0-9a-z])", name)  # a pseudonym may begin so
        if name.endswith("inventory.xml"):
            listed = re.findall(r'filename="([^"]+)"', content.decode())
            assert listed and all(re.match("report-host[2-9][a-z2-9]{7}/", entry) for entry in listed)


def test_who_ran_it_is_not_told(roots, tmp_path, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "ACME\\hmustermann")
    done = collect(roots / "healthy/host2", tmp_path, f"--obfuscate={tmp_path}/key", "--output=tar", name="report-hmustermann")
    members = contents(pathlib.Path(done.stdout.decode().strip()))
    assert len(members) > 80 and any(name.endswith("manifest.json") for name in members)
    for name, content in members.items():
        assert "hmustermann" not in name and b"hmustermann" not in content, name


def test_an_archive_for_a_descriptor_is_obfuscated_too(roots, tmp_path):
    done = collect(roots / "healthy/host3", tmp_path, f"--obfuscate={tmp_path}/key", "--output=tar", "--outfd=1")
    stream = tmp_path / "stream.tar"
    stream.write_bytes(done.stdout)
    members = contents(stream)
    assert len(members) > 80 and not real_addresses(members.values())
    assert not list(tmp_path.glob("*.map"))


@pytest.mark.parametrize("way", ["--output=zip", "--output=tar", "--output=tar.bz2", "--outfd=1"])
def test_a_leak_fails_the_run_and_is_not_repeated(roots, pool, tmp_path, way):
    # A VM that is called like another one's pseudonym can never be gone.
    token = read_map(pool[0]["host1"])["vm", "web1"]
    root = tmp_path / "root"
    shutil.copytree(roots / "problems/host1", root)
    database = root / "var/xapi/state.db"
    assert 'name__label="git1"' in database.read_text()
    database.write_text(database.read_text().replace('name__label="git1"', f'name__label="{token}"'))
    options = [way] if way != "--outfd=1" else [way, "--output=tar"]
    done = collect(root, tmp_path / "out", f"--obfuscate={pool[1]}", *options, check=False)
    message = done.stderr.decode()
    assert done.returncode == 1 and "names of class vm" in message and token not in message
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    if way != "--outfd=1":
        assert done.stdout == b""


def test_what_cannot_be_looked_into_is_left_out(roots, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(roots / "healthy/host1", root)
    (root / "var/log/messages.1").write_bytes(b"\xfd7zXZ\0" + os.urandom(2000))
    (root / "var/log/messages.2").write_bytes(bz2.compress(b"host1 192.0.2.11 web1 " * 1000))
    done = collect(root, tmp_path / "out", f"--obfuscate={tmp_path}/key", "--output=zip")
    members = contents(pathlib.Path(done.stdout.decode().strip()))
    notices = [content for name, content in members.items() if name.endswith(("messages.1", "messages.2"))]
    assert len(notices) == 2
    for notice in notices:
        assert notice.startswith(b"[This entry was left out") and len(notice) < 400


@pytest.mark.parametrize("damage", ["<database><table", "no XML at all", "<database><table name='VM'></database>"])
def test_without_a_whole_database_there_is_no_obfuscated_archive(roots, tmp_path, damage):
    root = tmp_path / "root"
    shutil.copytree(roots / "healthy/host1", root)
    (root / "var/xapi/state.db").write_text(damage)
    done = collect(root, tmp_path / "out", f"--obfuscate={tmp_path}/key", check=False)
    assert done.returncode == 1 and b"state.db" in done.stderr and done.stdout == b""
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]


def test_a_key_that_others_can_read_is_refused(roots, tmp_path):
    key = tmp_path / "key"
    collect(roots / "healthy/host1", tmp_path / "a", f"--obfuscate={key}")
    key.chmod(0o644)
    done = collect(roots / "healthy/host1", tmp_path / "b", f"--obfuscate={key}", check=False)
    assert done.returncode == 1 and b"chmod 600" in done.stderr
    assert not (tmp_path / "b").exists() or not list((tmp_path / "b").iterdir())


def test_obfuscate_does_not_go_with_pool():
    done = subprocess.run([BIN / "xen-bugtool", "--pool", "--obfuscate"], capture_output=True, timeout=60)
    assert done.returncode == 2 and b"--pool" in done.stderr
