# SPDX-License-Identifier: LGPL-2.1-only
"""xen-bugtool as its callers use it: archives, inventory, manifest, exit statuses, and a machine that fights back."""
import ctypes
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tarfile
import uuid
import zipfile
from xml.etree import ElementTree

import pytest

from torture import mounted, none_survives, survivors, wait_until

BUGTOOL = pathlib.Path(os.environ["XENHEALTH_BIN"]) / "xen-bugtool"
IS_ROOT = os.getuid() == 0
FEW = "--entries=kernel-info,process-list,xen-bugtool"
needs_root = pytest.mark.skipif(not IS_ROOT, reason="collecting from the running system needs root")


def bugtool(*arguments, env=None, **keywords):
    keywords.setdefault("stdout", subprocess.PIPE)
    keywords.setdefault("stdin", subprocess.DEVNULL)
    environment = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XENRT_BUGTOOL_BASENAME", "XEN_RT")}
    environment.update(env or {})
    return subprocess.run([BUGTOOL, *map(str, arguments)], stderr=subprocess.PIPE, timeout=120, env=environment, **keywords)


def members(path):
    """Names below the top folder and their bytes; checks that there is one top folder."""
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            found = {name: archive.read(name) for name in archive.namelist()}
            assert len(found) == len(archive.namelist())
    else:
        with tarfile.open(path) as archive:
            found = {info.name: archive.extractfile(info).read() for info in archive}
    tops = {name.split("/", 1)[0] for name in found}
    assert tops == {path.name.split(".")[0]}
    return {name.split("/", 1)[1]: data for name, data in found.items()}


def manifest(found):
    return json.loads(found["manifest.json"])


def by_name(found):
    entries = manifest(found)["entries"]
    names = {entry["name"]: entry for entry in entries}
    assert len(names) == len(entries)
    return names


def collect(outdir, *arguments, **keywords):
    """A silent run; returns its archive."""
    result = bugtool("-s", "-y", "--outdir", outdir, *arguments, **keywords)
    assert result.returncode == 0, result.stderr.decode()
    path = pathlib.Path(result.stdout.decode().rstrip("\n"))
    assert result.stdout.decode() == f"{path}\n"
    assert path.parent == outdir
    return path


@pytest.fixture
def root(tmp_path):
    """A small host: files, recorded commands."""
    tree = {"var/log/kern.log": "kernel line\n", "var/log/kern.log.1": "older\n", "etc/hostname": "fake\n",
            "etc/xensource-inventory": "PRODUCT_BRAND='XCP-ng'\nPRODUCT_VERSION='8.3.0'\n",
            ".commands/df-alT.out": "Filesystem Type\n", ".commands/uname": "Linux fake 4.19.0 #1 x86_64 ",
            ".commands/uptime": " 10:00:00 up 1 day\n", ".commands/date": "2026-11-20T10:11:05\n",
            ".commands/each-nic": "eth0\n", ".commands/ethtool-i-eth0.out": "driver: e1000e\n"}
    for name, text in tree.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "root"


@pytest.fixture
def catalog(tmp_path):
    """Writes a catalog of one capability with the given items; returns its folder."""
    def write(collect_items, head=""):
        folder = tmp_path / "catalog"
        folder.mkdir(exist_ok=True)
        (folder / "test.yaml").write_text(
            f"capability: test\ndescription: for a test\npii: no\n{head}collect:\n{collect_items}")
        return folder
    return write


@pytest.mark.parametrize("output", ["zip", "tar", "tar.bz2"])
def test_other_readers_accept_the_archive(tmp_path, root, output):
    path = collect(tmp_path / "out", "--root", root, f"--output={output}")
    assert path.name.endswith(f".{output}")
    assert re.fullmatch(r"bug-report-\d{14}", path.name.split(".")[0])
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    readers = [["bsdtar", "-tf", path]] + ([["unzip", "-tq", path]] if output == "zip" else [["tar", "-tf", path]])
    for reader in readers:
        subprocess.run(reader, check=True, stdout=subprocess.DEVNULL)
    assert members(path)["var/log/kern.log"] == b"kernel line\n"
    assert [p.name for p in (tmp_path / "out").iterdir()] == [path.name]


@pytest.mark.parametrize("output", ["zip", "tar", "tar.bz2"])
def test_members_are_roots_plain_files(tmp_path, root, output):
    path = collect(tmp_path / "out", "--root", root, f"--output={output}")
    if output == "zip":
        with zipfile.ZipFile(path) as archive:
            modes = {info.external_attr >> 16 & 0o7777 for info in archive.infolist()}
    else:
        with tarfile.open(path) as archive:
            infos = archive.getmembers()
        assert all(info.isreg() and info.uid == 0 and info.gid == 0 for info in infos)
        modes = {info.mode for info in infos}
    assert modes == {0o644}


def test_inventory_has_the_originals_shape(tmp_path, root):
    path = collect(tmp_path / "out", "--root", root, "--output=zip")
    found = members(path)
    text = found["inventory.xml"].decode()
    assert "\n\t<inventory-entry capability=" in text
    tree = ElementTree.fromstring(text)
    assert tree.tag == "system-status-inventory"
    summary, *entries = list(tree)
    assert summary.tag == "system-summary"
    assert summary.attrib == {"date": "Fri Nov 20 10:11:05 2026", "hostname": "fake",
                              "uname": "Linux fake 4.19.0 #1 x86_64 ", "uptime": " 10:00:00 up 1 day"}
    top = path.name.split(".")[0]
    listed = {}
    for entry in entries:
        assert entry.tag == "inventory-entry" and set(entry.attrib) == {"capability", "filename", "md5sum"}
        listed[entry.attrib["filename"]] = entry.attrib["md5sum"]
    assert listed == {f"{top}/{name}": hashlib.md5(data).hexdigest() for name, data in found.items()
                      if name not in ("inventory.xml", "manifest.json", "xen-bugtool.log")}


def check_manifest(found, listed):
    document = manifest(found)
    assert document["schema"] == "xenhealth-manifest/1"
    records = [(e["capability"], e["kind"], e["name"], e["source"]) for e in document["entries"]]
    assert sorted(records) == sorted(listed)
    assert document["totals"]["planned"] == len(records)
    assert sum(document["totals"]["by_status"].values()) == len(records)
    own = {"inventory.xml", "manifest.json", "xen-bugtool.log"}
    for entry in document["entries"]:
        if entry["name"] in found:
            data = found[entry["name"]]
            assert entry["bytes"] == len(data)
            assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        else:
            assert entry["status"] not in ("ok", "empty", "truncated", "exit", "timeout")
    assert set(found) - own <= {e["name"] for e in document["entries"]}


def plan_of(*arguments):
    result = bugtool("--list", *arguments)
    assert result.returncode == 0, result.stderr.decode()
    return [tuple(line.split("\t")) for line in result.stdout.decode().splitlines()]


def test_the_manifest_has_one_record_for_every_planned_entry(tmp_path, root):
    found = members(collect(tmp_path / "out", "--root", root, "--output=zip"))
    check_manifest(found, plan_of("--root", root))
    assert manifest(found)["host"] == {"name": "fake", "uname": "Linux fake 4.19.0 #1 x86_64 ", "product": "XCP-ng 8.3.0"}


@needs_root
def test_the_manifest_accounts_for_this_machine_too(tmp_path):
    few = "--entries=kernel-info,boot-loader,firmware,network-status,xen-bugtool"
    found = members(collect(tmp_path / "out", few, "--output=tar"))
    check_manifest(found, plan_of(few))
    names = by_name(found)
    assert found["proc/version"] == pathlib.Path("/proc/version").read_bytes()
    assert names["proc/version"]["status"] == "ok"
    assert names["kpatch-list.out"]["status"] == ("ok" if shutil.which("kpatch") else "missing")


def test_below_another_root_commands_are_recordings(tmp_path, root):
    found = members(collect(tmp_path / "out", "--root", root, "--output=zip"))
    names = by_name(found)
    assert found["df-alT.out"] == b"Filesystem Type\n"
    assert found["ethtool-i-eth0.out"] == b"driver: e1000e\n"
    assert names["dmidecode.out"]["status"] == "missing" and "dmidecode.out" not in found
    assert found["var/log/kern.log.1"] == b"older\n"


def test_links_cannot_lead_out_of_the_root(tmp_path, root):
    secret = tmp_path / "secret"
    secret.write_text("canary")
    (root / "etc/hosts").symlink_to(secret)
    (root / "etc/fstab").symlink_to("../../secret")
    os.mkfifo(root / "var/log/daemon.log")
    found = members(collect(tmp_path / "out", "--root", root, "--output=zip"))
    assert not any(b"canary" in data for data in found.values())
    assert by_name(found)["etc/hosts"]["status"] == "missing"
    assert by_name(found)["var/log/daemon.log"]["status"] == "denied"


def test_the_same_input_gives_the_same_bytes(tmp_path, root):
    env = {"SOURCE_DATE_EPOCH": "1700000000"}
    runs = []
    for name in ("a", "b"):
        path = collect(tmp_path / name, "--root", root, "--output=zip", env=env)
        assert path.name == "bug-report-20231114221320.zip"
        runs.append({k: v for k, v in members(path).items() if k not in ("xen-bugtool.log", "manifest.json")})
    assert runs[0] == runs[1]


def test_the_base_name_can_be_given(tmp_path, root):
    path = collect(tmp_path / "out", "--root", root, "--output=tar", env={"XENRT_BUGTOOL_BASENAME": "/x/given"})
    assert path.name == "given.tar"


def test_a_base_name_stays_on_the_one_line_that_callers_read(tmp_path, root):
    path = collect(tmp_path / "out", "--root", root, "--output=tar", env={"XENRT_BUGTOOL_BASENAME": "a\nb\x1b"})
    assert path.name == "a_b_.tar"


@pytest.mark.parametrize("arguments", [["--capabilities"], ["--list"], ["--estimate"], ["--help"], ["--version"]])
def test_an_answer_that_cannot_be_written_is_a_failure(root, arguments):
    with open("/dev/full", "wb") as full:
        result = bugtool("--root", root, *arguments, stdout=full)
    assert result.returncode == 1 and b"cannot write to standard output" in result.stderr
    result = bugtool("--root", root, *arguments, preexec_fn=lambda: os.close(1), stdout=None)
    assert result.returncode == 1 and b"cannot write to standard output" in result.stderr


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_standard_descriptor_does_no_harm(tmp_path, root, closed):
    """Daemons start programs so. What is opened next would take its place, and the banner or a warning would end up in it."""
    (tmp_path / "out").mkdir()
    result = subprocess.run([BUGTOOL, "-y", "-d", "--entries=system-logs,nobody-knows-it", "--root", root, "--outdir", tmp_path / "out"],
                            preexec_fn=lambda: os.close(closed), timeout=120)
    assert result.returncode == 0
    archive, = (tmp_path / "out").iterdir()
    assert members(archive)["var/log/kern.log"] == b"kernel line\n"


def test_outfd_streams_to_a_pipe_and_nothing_else(tmp_path, root):
    result = bugtool("-s", "-y", "--root", root, "--outdir", tmp_path / "spool", "--output=tar", "--outfd=1")
    assert result.returncode == 0, result.stderr.decode()
    with tarfile.open(fileobj=io.BytesIO(result.stdout), mode="r|") as archive:
        names = [info.name.split("/", 1)[1] for info in archive]
    assert "inventory.xml" in names and "var/log/kern.log" in names


def test_outfd_text_does_not_get_into_the_archive(tmp_path, root):
    result = bugtool("-y", "--root", root, "--output=tar", "--outfd", "1")
    assert result.returncode == 0
    assert b"Running commands to collect data" in result.stderr
    with tarfile.open(fileobj=io.BytesIO(result.stdout), mode="r|") as archive:
        assert len(list(archive)) > 5


def test_a_reader_that_goes_away_is_a_failure(root):
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = bugtool("-s", "-y", "--root", root, "--output=tar", f"--outfd={write_end}", pass_fds=[write_end])
    os.close(write_end)
    assert result.returncode == 1
    assert b"descriptor" in result.stderr and result.stderr.count(b"\n") == 1


@pytest.mark.parametrize("arguments, text", [
    (["--output=rar"], b"Invalid output format 'rar'\n"),
    (["--outfd=1"], b"Option '--outfd' only valid with '--output=tar'\n"),
    (["--output=tar", "--outfd=987", "-y", "-s"], b"Invalid output file descriptor: 987\n"),
    (["--output=tar", "--outfd=4"], b"Invalid output file descriptor: 4\n"),  # a number that the program itself would use
    (["--xyz"], b"xen-bugtool: option --xyz not recognized\nUsage: xenserver-status-report [OPTION]...\n"),
    (["a"], b"Invalid additional arguments: ["),
    (["--entries=system-logs:x", "-y"], b"Option '--entries'"),
])
def test_mistakes_on_the_command_line_end_with_two(root, arguments, text):
    result = bugtool("--root", root, *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith(text)
    assert result.stdout == b"" or b"Warning" in result.stdout


def test_a_descriptor_that_can_only_be_read_is_refused_before_anything_is_collected(root):
    with open(root / "etc/hostname", "rb") as only:
        result = bugtool("--root", root, "-y", "-s", "--output=tar", "--outfd=0", stdin=only)
    assert result.returncode == 2 and result.stderr == b"Invalid output file descriptor: 0\n"


def test_help_and_version_go_to_standard_output():
    result = bugtool("--help")
    assert result.returncode == 0 and result.stderr == b""
    assert result.stdout.startswith(b"Usage: xenserver-status-report [OPTION]...\nCapture information to help diagnose bugs.\n")
    assert bugtool("--version").stdout.startswith(b"xen-bugtool ")


@needs_root
def test_capabilities_is_xml_that_its_callers_can_read():
    result = bugtool("--capabilities")
    assert result.returncode == 0
    text = result.stdout.decode()
    assert text.startswith('<?xml version="1.0" ?>\n<system-status-capabilities>\n\t<capability content-type="text/plain"')
    assert text.endswith("</system-status-capabilities>\n\n")
    keys = [c.attrib["key"] for c in ElementTree.fromstring(text)]
    # The bash completion of xe: one element a line, an attribute before key.
    assert re.findall(r'^.*<capability .* key="([^"]*)".*$', text, re.M) == keys
    for capability in ElementTree.fromstring(text):
        for name in ("max-size", "min-size", "max-time", "min-time"):
            int(capability.attrib[name])
    for wanted in ("boot-loader", "disk-info", "firmware", "network-status", "system-logs", "xenserver-databases"):
        assert wanted in keys


def test_systemd_units_travel_in_a_tar_of_their_own(tmp_path, root):
    unit = root / "etc/systemd/system" / "dev-disk-by\\x2did.swap"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Unit]\n")
    (root / "etc/systemd/system/link.service").symlink_to("/etc/only-here")
    (root / "etc/only-here").write_text("fake\n")
    path = collect(tmp_path / "out", "--root", root, "--output=zip")
    found, top = members(path), path.name.split(".")[0]
    with tarfile.open(fileobj=io.BytesIO(found["etc/systemd.tar"])) as inner:
        inside = {info.name: inner.extractfile(info).read() for info in inner}
    assert inside[f"{top}/etc/systemd/system/{unit.name}"] == b"[Unit]\n"
    assert inside[f"{top}/etc/systemd/system/link.service"] == b"fake\n"
    assert not any(name.startswith("etc/systemd/") for name in found)
    listed = ElementTree.fromstring(found["inventory.xml"])
    names = {entry.attrib["filename"] for entry in listed if entry.tag == "inventory-entry"}
    assert set(inside) <= names and f"{top}/etc/systemd.tar" not in names
    assert by_name(found)[f"etc/systemd/system/{unit.name}"]["inside"] == "etc/systemd.tar"


def test_unknown_entries_are_a_warning(tmp_path, root):
    result = bugtool("-s", "-y", "--root", root, "--outdir", tmp_path / "out", "--output=zip",
                     "--entries=client-logs,other,system-logs:2,xen-bugtool")
    assert result.returncode == 0
    assert result.stderr == b"--entries=client-logs is not known!\n--entries=other is not known!\n"
    found = members(pathlib.Path(result.stdout.decode().strip()))
    assert {e["capability"] for e in manifest(found)["entries"]} == {"system-logs"}


def test_the_log_tells_the_command_line(tmp_path, root):
    found = members(collect(tmp_path / "out", "--root", root, "--output=zip"))
    first, second, *_ = found["xen-bugtool.log"].decode().splitlines()
    assert first.endswith("--output=zip") and second.startswith("PATH=/opt/xensource/bin:")


def test_an_estimate_adds_sizes_and_totals(root):
    result = bugtool("--estimate", "--root", root, "--entries=system-logs")
    assert result.returncode == 0
    lines = [line.split() for line in result.stdout.decode().splitlines()]
    assert ["system-logs", "file", "12", "bytes", "-", "var/log/kern.log"] in lines
    assert ["system-logs", "maybe", "2", "18", "bytes", "1", "1", "s", "1", "s"] in lines
    assert ["total", "2", "18", "bytes", "1", "1", "s", "1", "s"] in lines


def test_a_file_over_the_size_limit_is_omitted_in_the_originals_words(tmp_path, root, catalog):
    folder = catalog("  - files: [/etc/a, /etc/b]\n", "size: {max: 10}\n")
    for name in "ab":
        (root / "etc" / name).write_text("x" * 100)
    found = members(collect(tmp_path / "out", "--root", root, "--catalog", folder, "--output=zip"))
    names = by_name(found)
    assert names["etc/a"]["status"] == "ok" and names["etc/b"]["status"] == "omitted"
    # The limits do not hold with -u.
    found = members(collect(tmp_path / "out", "-u", "--root", root, "--catalog", folder, "--output=tar"))
    assert by_name(found)["etc/b"]["status"] == "ok"


def test_a_log_over_its_limit_keeps_its_end(tmp_path, root, catalog):
    folder = catalog("  - log: /var/log/big.log\n    limit: 1K\n")
    (root / "var/log/big.log").write_text("".join(f"line {i}\n" for i in range(1000)))
    found = members(collect(tmp_path / "out", "--root", root, "--catalog", folder, "--output=zip"))
    assert found["var/log/big.log"].endswith(b"line 999\n") and len(found["var/log/big.log"]) == 1024
    assert by_name(found)["var/log/big.log"]["status"] == "truncated"


def test_what_cannot_be_filtered_is_replaced_by_a_notice(tmp_path, root, catalog):
    folder = catalog("  - file: /var/opt/xapi-clusterd/db\n    as: xapi-clusterd-db\n    redact: xapi-clusterd\n")
    (root / "var/opt/xapi-clusterd").mkdir(parents=True)
    (root / "var/opt/xapi-clusterd/db").write_text('{"token": "canary", broken')
    found = members(collect(tmp_path / "out", "--root", root, "--catalog", folder, "--output=zip"))
    assert b"canary" not in b"".join(found.values())
    assert by_name(found)["xapi-clusterd-db.out"]["status"] == "failed"
    assert found["xapi-clusterd-db.out"].startswith(b"[This entry was left out")


def test_questions_are_asked_and_answers_respected(tmp_path, root, catalog):
    folder = catalog("  - files: [/etc/hostname, /var/log/kern.log]\n  - tree: /etc\n    match: '.*inventory'\n")
    result = bugtool("--root", root, "--catalog", folder, "--outdir", tmp_path / "out", "--output=zip",
                     stdin=None, input=b"n\n\nyes\n")
    assert result.returncode == 0, result.stderr.decode()
    text = result.stdout.decode()
    assert "Include '/etc/hostname'? [Y/n]: " in text and "Include tree '/etc'? [Y/n]: " in text
    found = members(next((tmp_path / "out").iterdir()))
    assert "etc/hostname" not in found and "var/log/kern.log" in found and "etc/xensource-inventory" in found
    result = bugtool("--root", root, "--catalog", folder, "--outdir", tmp_path / "out", stdin=None, input=b"")
    assert result.returncode == 1 and b"--yestoall" in result.stderr


def test_a_broken_catalog_is_named_with_its_place(root, catalog):
    folder = catalog("  - flie: /etc\n")
    result = bugtool("--list", "--root", root, "--catalog", folder)
    assert result.returncode == 1
    assert f"{folder}/test.yaml:5:".encode() in result.stderr


def nasty(marker, seconds):
    """Commands that fight back; each carries the marker in its arguments. Those that do not end by themselves get so long."""
    scripts = {
        "hang": "sleep 1000",
        "no-newline": "printf partial; sleep 1000",
        "ignores-term": "trap '' TERM; echo begun; while :; do sleep 1; done",
        "daemon": "(setsid sh -c 'sleep 1000 # %s' >/dev/null 2>&1 &) ; echo parent done" % marker,
        "holds-the-pipe": "(sleep 1000 &) ; echo left",
        "closed": "exec >&- 2>&-; sleep 1000",
        "drips": "while :; do printf x; sleep 0.2; done",
        "fails": "echo out; echo why >&2; exit 3",
        "kills-itself": "echo last words; kill -9 $$",
        "flood": "yes",
        "stderr": "yes >&2",
    }
    items, by_themselves = "", ("daemon", "holds-the-pipe", "fails", "kills-itself", "flood")
    for name, script in scripts.items():
        items += (f"  - command: [/bin/sh, -c, {json.dumps(script)}, {marker}]\n    as: {name}\n    limit: 1M\n"
                  f"    time: {60 if name in by_themselves else seconds}\n")
    items += "  - command: [/no/such/program]\n  - command: [/etc/passwd]\n"
    return items


@needs_root
def test_nasty_commands_cost_only_themselves_and_nothing_survives(tmp_path, catalog):
    marker = f"marker-{uuid.uuid4()}"
    for seconds in (1, 5, 25):  # a busy machine may need longer until the word is out that they are to be cut after
        folder = catalog(nasty(marker, seconds) + "  - command: [echo, fine]\n  - file: /proc/version\n")
        found = members(collect(tmp_path / "out", "--catalog", folder, "--jobs=8", "--output=tar"))
        if found["no-newline.out"].startswith(b"partial"):
            break
    names = by_name(found)
    expected = {"hang": "timeout", "no-newline": "timeout", "ignores-term": "timeout", "closed": "timeout", "drips": "timeout",
                "fails": "exit", "kills-itself": "signal", "flood": "truncated", "stderr": "timeout", "echo-fine": "ok"}
    assert {name: names[f"{name}.out"]["status"] for name in expected} == expected
    assert found["no-newline.out"] == b"partial\n** timeout **\n"
    assert found["fails.out"] == b"out\n" and names["fails.out"]["exit"] == 3 and names["fails.out"]["reason"] == "why"
    assert names["kills-itself.out"]["signal"] == 9
    assert len(found["flood.out"]) == 1024 * 1024
    assert found["program.out"] == b"" and names["program.out"]["status"] == "missing"
    assert names["passwd.out"]["status"] == "denied"
    assert names["proc/version"]["status"] == "ok"
    assert none_survives(marker)


@pytest.fixture
def hanging_mount(tmp_path):
    """A FUSE file system whose server never answers: whatever touches it blocks."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = tmp_path / "hanging"
    folder.mkdir()
    try:
        fuse = os.open("/dev/fuse", os.O_RDWR)
    except OSError:
        pytest.skip("this environment has no FUSE")
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"never", str(folder).encode(), b"fuse", 0, options) != 0:
        os.close(fuse)
        pytest.skip("this environment does not allow FUSE mounts")
    yield folder
    os.close(fuse)
    libc.umount2(str(folder).encode(), 2)


@needs_root
def test_a_hanging_mount_costs_only_what_lies_on_it(tmp_path, catalog, hanging_mount):
    (tmp_path / "link").symlink_to(hanging_mount / "file")
    (tmp_path / "good").write_text("good\n")
    folder = catalog(f"  - file: {hanging_mount}/file\n  - file: '{hanging_mount}/*'\n  - tree: {hanging_mount}\n"
                     f"  - file: {tmp_path}/link\n  - file: {tmp_path}/good\n  - command: [echo, fine]\n")
    below = str(tmp_path).lstrip("/")
    for limit in (12, 60):  # a quarter of it is for looking, a quarter of that for each place: on a busy machine it may be too little
        found = members(collect(tmp_path / "out", "--catalog", folder, f"--time-limit={limit}", "--output=tar"))
        names = by_name(found)
        stuck = {name.removeprefix(f"{below}/") for name, entry in names.items() if entry["status"] == "stuck"}
        if stuck == {"hanging", "hanging/file", "hanging/*", "link"}:
            break
    assert stuck == {"hanging", "hanging/file", "hanging/*", "link"} and len(names) == 6
    assert found[f"{below}/good"] == b"good\n" and found["echo-fine.out"] == b"fine\n"
    assert none_survives(str(tmp_path / "out"))


@needs_root
def test_the_time_limit_holds_for_the_whole_run(tmp_path, catalog):
    marker = f"marker-{uuid.uuid4()}"
    items = "".join(f"  - command: [/bin/sh, -c, 'sleep 1000', {marker}, '{i}']\n    as: slow{i}\n" for i in range(30))
    folder = catalog(items + "  - command: [echo, best]\n    rank: 1\n")
    for limit in (2, 10, 50):  # a busy machine may need longer for the one that comes first
        found = members(collect(tmp_path / "out", "--catalog", folder, f"--time-limit={limit}", "--output=zip"))
        if "echo-best.out" in found:
            break
    document = manifest(found)
    assert document["run"]["deadline_reached"] is True
    assert document["totals"]["planned"] == 31 == len(document["entries"])
    names = by_name(found)
    assert found["echo-best.out"] == b"best\n"
    omitted = [e for e in names.values() if e["status"] == "omitted"]
    assert len(omitted) >= 20 and all(e["reason"].startswith("deadline") for e in omitted)
    assert none_survives(marker)


@needs_root
def test_interrupted_leaves_nothing_and_says_so(tmp_path, catalog):
    marker = f"marker-{uuid.uuid4()}"
    folder = catalog(f"  - command: [/bin/sh, -c, 'sleep 1000', {marker}]\n    as: slow\n")
    process = subprocess.Popen([BUGTOOL, "-y", "--catalog", folder, "--outdir", tmp_path / "out"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert wait_until(lambda: survivors(marker))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert out.endswith(b"\nInterrupted.\n")
    assert list((tmp_path / "out").iterdir()) == []
    assert none_survives(marker)


@needs_root
def test_commands_with_the_same_lane_never_run_at_once(tmp_path, catalog):
    lock = tmp_path / "lock"
    script = f"mkdir {lock} || exit 9; sleep 0.1; rmdir {lock}"
    items = "".join(f"  - command: [/bin/sh, -c, '{script}']\n    as: lvm{i}\n    lane: lvm\n" for i in range(6))
    found = members(collect(tmp_path / "out", "--catalog", catalog(items), "--jobs=6", "--output=tar"))
    assert {e["status"] for e in by_name(found).values()} == {"empty"}


@needs_root
def test_a_full_disk_is_one_clear_line(tmp_path, root):
    with mounted("tmpfs", "tmpfs", tmp_path / "small", "size=256k") as small:
        filler = os.open(small / "filler", os.O_WRONLY | os.O_CREAT)
        with pytest.raises(OSError):
            while True:
                os.write(filler, os.urandom(4096))
        os.close(filler)
        result = bugtool("-s", "-y", "--root", root, "--outdir", small / ".", "--output=zip")
        assert result.returncode == 1 and result.stdout == b""
        assert result.stderr.count(b"\n") == 1 and str(small).encode() in result.stderr
        assert [p.name for p in small.iterdir()] == ["filler"]


@needs_root
def test_a_nearly_full_disk_gives_a_smaller_report(tmp_path, root, catalog):
    for i in range(40):
        (root / f"var/log/piece{i}").write_bytes(os.urandom(100_000))
    folder = catalog("  - file: '/var/log/piece*'\n")
    with mounted("tmpfs", "tmpfs", tmp_path / "small", "size=2m") as small:
        path = collect(small, "--root", root, "--catalog", folder, "--output=zip")
        statuses = manifest(members(path))["totals"]["by_status"]
        assert statuses["ok"] >= 5 and statuses["omitted"] >= 5


@needs_root
def test_a_normal_user_learns_what_works_without_root(tmp_path, root):
    shutil.copy(BUGTOOL, tmp_path / "xen-bugtool")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == 0 and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)

    def as_nobody(*arguments):
        return subprocess.run([tmp_path / "xen-bugtool", *arguments], capture_output=True, timeout=60, user=65534, group=65534)

    result = as_nobody("-s", "-y")
    assert result.returncode == 1
    assert result.stderr.startswith(b"Error: xen-bugtool must be run as root")
    assert result.stderr.count(b"\n") == 1
    for word in (b"--root", b"--list", b"--estimate", b"xen-analyze"):
        assert word in result.stderr
    assert as_nobody("--list").returncode == 0
    assert as_nobody("--help").returncode == 0
    assert as_nobody("--capabilities").returncode == 1


@needs_root
def test_every_certificate_of_a_file_is_told_and_no_key(tmp_path):
    """With the paths of the built-in capability led to our files."""
    key = tmp_path / "key.pem"
    made = []
    for name in ("first", "second", "third"):
        made.append(subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                                    "-keyout", key, "-subj", f"/CN={name}", "-days", "30"], capture_output=True, check=True).stdout)
    (tmp_path / "bundle.pem").write_bytes(key.read_bytes() + b"".join(made))
    (tmp_path / "many.pem").write_bytes(made[0] * 70)
    (tmp_path / "none.pem").write_bytes(key.read_bytes())
    (tmp_path / "broken.pem").write_bytes(made[0][:300])
    text = (pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "collector/capabilities/certificates.yaml").read_text()
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    text = re.sub(r"/etc/stunnel/\*\.pem", f"{tmp_path}/*.pem", text)
    (catalog / "certificates.yaml").write_text(text.replace("    as: certificates\n", "    as: certificates\n    time: 600\n"))
    found = members(collect(tmp_path / "out", "--catalog", catalog, "--entries=certificates", "--output=zip"))
    parts = {part.split("\n")[0]: part for part in re.split(rf"^{tmp_path}/", found["certificates.out"].decode(), flags=re.M)}
    assert re.findall(r"subject=CN ?= ?(\w+)", parts["bundle.pem"]) == ["first", "second", "third"]
    assert parts["many.pem"].count("notAfter=") == 64 and "more of them are not shown" in parts["many.pem"]
    assert "holds no certificate" in parts["none.pem"] and "subject" not in parts["broken.pem"]
    assert b"PRIVATE KEY" not in found["certificates.out"]


def test_a_silent_run_that_cannot_tell_the_path_fails_and_keeps_the_archive(root, tmp_path):
    with open("/dev/full", "wb") as full:
        result = bugtool("-s", "-y", "--root", root, "--outdir", tmp_path / "out", stdout=full)
    archive, = (tmp_path / "out").iterdir()
    assert result.returncode == 1
    assert f"the archive '{archive}' is complete" in result.stderr.decode()
    assert members(archive)["manifest.json"]
