# SPDX-License-Identifier: LGPL-2.1-only
"""Our archive and our answers against what the original gave, fact by fact; every difference has its reason here."""
import fnmatch
import hashlib
import io
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tarfile
from xml.etree import ElementTree

import pytest

from test_bugtool import BUGTOOL, bugtool, by_name, manifest, members, needs_root, plan_of

FACTS = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "tests/compat"

# Members and planned entries that the original does not have: (capability, pattern of names) -> why.
NEW = {
    ("firmware", "*"): "new capability",
    ("journal", "*"): "new capability",
    ("crash-summary", "*"): "new capability",
    ("certificates", "*"): "new capability",
    ("xapi-objects", "*"): "new capability",
    ("kernel-info", "etc/os-release"): "names the distribution where there is no xensource-inventory",
    ("system-logs", "var/log/auth.log"): "the name of `secure` on Debian",
    ("system-logs", "journal-kernel.out"): "the kernel's messages of a host without rsyslog",
    ("system-services", "systemctl-list-units-failed.out"): "failed services at a glance",
    ("yum", "dpkg-query-W.out"): "the packages of a host without rpm",
    ("xenserver-config", "etc/systemd/system/a.service"): "it lies in etc/systemd.tar, as ever; listed under its own name",
}
# Members of the original that we do not have -> why.
GONE = {}
# Members that no capability has: written by the run itself.
OWN = {"inventory.xml", "xen-bugtool.log", "etc/systemd.tar", "manifest.json"}


def facts(name):
    lines = (FACTS / name).read_text().splitlines()
    return {tuple(line.split("\t")) for line in lines if line and not line.startswith("#")}


def is_path(name):
    return "/" in name


CONTENTS = {
    "xapi-db.xml": "<database><manifest/></database>",
    "mdadm--detail--scan.out": "ARRAY /dev/md0 metadata=1.2\nARRAY /dev/md1 metadata=1.2\n",
    "xapi-db-dumped.xml": "<database><manifest/></database>",
}
FILTERED = {  # sources of outputs that are filtered copies of a file
    "xapi-clusterd-db.out": ("var/opt/xapi-clusterd/db", '{"a": 1}'),
    "snmp_xs_conf.out": ("etc/snmp/snmp.xs.conf", '{"enabled": "false"}'),
    "snmpd_xs_conf.out": ("etc/snmp/snmpd.xs.conf", "agentaddress udp:161\n"),
    "snmpd_conf.out": ("var/lib/net-snmp/snmpd.conf", "setserialno 1\n"),
}


def put(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def build(root, names, lists):
    """A tree in which exactly these members can be collected: files, and recorded outputs."""
    for name in names:
        if name in FILTERED:
            put(root, *FILTERED[name])
        else:
            put(root, name if is_path(name) else f".commands/{name}", CONTENTS.get(name, f"contents of {name}\n"))
    for name, devices in lists.items():
        put(root, f".commands/each-{name}", "".join(f"{device}\n" for device in devices))
    (root / "sys/class/net/eth0").mkdir(parents=True, exist_ok=True)
    return root


@pytest.fixture
def small_system(tmp_path):
    """The system that the facts come from."""
    root = tmp_path / "root"
    names = {name for capability, name in facts("archive-members.tsv") if capability != "-"}
    build(root, names, {"nic": ["eth0", "ifb0", "ifb1"], "port": ["eth0"], "disk": [], "bridge": []})
    put(root, "etc/systemd/system/a.service", "[Unit]\n")
    for name in ("mock.xml", "mock/mock.xml"):
        put(root, f"etc/xensource/bugtool/{name}", (FACTS / "plugins" / name).read_text())
    return root


def explained(capability, name):
    return any(capability == c and fnmatch.fnmatchcase(name, pattern) for c, pattern in NEW)


@pytest.mark.parametrize("output", ["tar", "tar.bz2", "zip"])
def test_members_and_their_capabilities_are_the_originals(tmp_path, small_system, output):
    result = bugtool("-s", "-y", "--root", small_system, "--outdir", tmp_path / "out", f"--output={output}")
    assert result.returncode == 0 and result.stderr == b""
    path = pathlib.Path(result.stdout.decode().strip())
    found, top = members(path), path.name.split(".")[0]
    listed = {}
    for entry in ElementTree.fromstring(found["inventory.xml"]):
        if entry.tag == "inventory-entry":
            listed[entry.attrib["filename"].removeprefix(f"{top}/")] = entry.attrib
    theirs = {name: capability for capability, name in facts("archive-members.tsv")}
    packed = {"etc/systemd/system/a.service"}  # the original lists what is in the inner tar, too
    ours = {name: listed[name]["capability"] if name in listed else "-" for name in set(found) | packed}
    assert {n: c for n, c in ours.items() if theirs.get(n) != c and n not in OWN and not explained(c, n)} == {}
    assert {n: c for n, c in theirs.items() if ours.get(n) != c and n not in GONE} == {}
    assert set(ours) - set(listed) == OWN
    for name, entry in listed.items():
        if name not in packed:
            assert entry["md5sum"] == hashlib.md5(found[name]).hexdigest()
    unfiltered = [n for n in listed if is_path(n) and n not in packed]
    assert len(unfiltered) > 30
    for name in unfiltered:
        assert found[name] == (small_system / name).read_bytes()


@pytest.fixture
def big_system(tmp_path):
    """A host that has everything the original ever collects."""
    root = tmp_path / "root"
    names = {name for _, name in facts("archive-members.tsv") | facts("conditional-members.tsv")}
    names -= {"etc/systemd.tar", "inventory.xml", "xen-bugtool.log"}
    build(root, names, {"nic": ["eth0"], "port": ["eth0"], "disk": ["sda"], "bridge": ["br0"], "md-array": ["/dev/md127"],
                        "ovs-bridge": ["xenbr0"], "ovs-datapath": ["system@dp"], "ovs-bond": ["bond0"],
                        "vm": ["11111111-2222-3333-4444-555555555555"]})
    put(root, ".commands/ovs-vsctl-list-br.out", "xenbr0\n")
    put(root, "var/run/openvswitch/ovs-vswitchd.pid", "1\n")
    put(root, "etc/systemd/system/a.service", "[Unit]\n")
    return root


def test_everything_the_original_can_collect_is_planned(big_system):
    planned = {(capability, name) for capability, _, name, _ in plan_of("--root", big_system, "--all")}
    conditional = facts("conditional-members.tsv")
    assert len(conditional) > 200
    assert sorted(conditional - planned) == []


def test_what_is_planned_beyond_the_original_is_explained(big_system):
    lines = plan_of("--root", big_system, "--all")
    known = {name for _, name in facts("archive-members.tsv") | facts("conditional-members.tsv")}
    # Live logs stand in the plan whether they are there or not; the facts have some only as rotations.
    known |= {name.rsplit(".1", 1)[0] for name in known}
    extra = {(capability, name) for capability, _, name, _ in lines if name not in known}
    other_devices = {(c, n) for c, n in extra if re.search(r"-ifb[01]|%md[01]\.", n)}
    later_files = {"var/log/dmesg", "var/log/boot.msg"}  # with them there would be no dmesg.out
    assert sorted((c, n) for c, n in extra - other_devices if not explained(c, n) and n not in later_files) == []
    assert {capability for capability, *_ in lines} >= {c for c, _ in facts("conditional-members.tsv")}


def test_each_reason_for_a_difference_is_still_needed(big_system):
    shutil.rmtree(big_system / "var/log")
    planned = {(capability, name) for capability, _, name, _ in plan_of("--root", big_system, "--all")}
    for capability, pattern in NEW:
        assert any(c == capability and fnmatch.fnmatchcase(n, pattern) for c, n in planned), (capability, pattern)


@pytest.fixture
def host_with_one_card(tmp_path):
    root = tmp_path / "root"
    (root / "sys/class/net/eth0").mkdir(parents=True)
    for name in ("mock.xml", "mock/mock.xml"):
        put(root, f"etc/xensource/bugtool/{name}", (FACTS / "plugins" / name).read_text())
    return root


def capabilities(*arguments, **keywords):
    result = bugtool("--capabilities", *arguments, **keywords)
    assert result.returncode == 0, result.stderr.decode()
    return {c.attrib["key"]: dict(c.attrib) for c in ElementTree.fromstring(result.stdout)}, result.stdout.decode()


def test_capabilities_carry_the_originals_attributes_in_its_order(host_with_one_card):
    ours, text = capabilities("--root", host_with_one_card)
    theirs = {c.attrib["key"]: dict(c.attrib) for c in ElementTree.parse(FACTS / "capabilities.xml").getroot()}
    assert {key: value for key, value in ours.items() if key in theirs} == theirs
    assert [key for key in ours if key in theirs] == list(theirs)
    assert set(ours) - set(theirs) == {"firmware", "journal", "crash-summary", "certificates", "xapi-objects"}
    assert text.endswith("</system-status-capabilities>\n\n")


def test_the_shell_completion_of_xe_finds_every_key(host_with_one_card):
    ours, text = capabilities("--root", host_with_one_card)
    script = "grep '<capability ' | sed -n 's/.*<capability .* key=\"\\([^\"]*\\)\".*$/\\1/p'"
    keys = subprocess.run(["sh", "-c", script], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout.decode().split()
    assert keys == list(ours) and len(keys) > 38


def test_attributes_are_alphabetical_and_numbers_whole(host_with_one_card):
    _, text = capabilities("--root", host_with_one_card)
    for line in text.splitlines():
        if "<capability " not in line:
            continue
        names = re.findall(r' ([a-z-]+)="', line)
        assert names == sorted(names) == ["content-type", "default-checked", "key", "max-size", "max-time", "min-size", "min-time", "pii"]
        assert line.startswith("\t<capability ") and line.endswith("/>")
        for name in ("max-size", "max-time", "min-size", "min-time"):
            assert re.search(rf' {name}="-?\d+"', line)


def test_limits_follow_devices_domains_and_measured_folders(tmp_path, host_with_one_card):
    root = host_with_one_card
    for name in ("vif1.0", "vif2.0", "xapi0"):
        (root / "sys/class/net" / name).mkdir()
    put(root, "dev/blktap/blktap0", "")
    put(root, ".commands/list_domains.out", "id |  uuid |  state\n 0 | 1-2 |     R \n 3 | 2-3 |    B H\n")
    put(root, "var/crash/1/xen.log", "x" * 100)
    put(root, "var/crash/1/coredump.bin", "x" * 1000)
    put(root, "var/crash/.sacrificial-space-for-logs", "x" * 1000)
    put(root, "var/xapi/debug/a/b", "x" * 7)
    ours, _ = capabilities("--root", root)
    kb, mb = 1024, 1024 * 1024

    def limits(key):
        return tuple(int(ours[key][name]) for name in ("min-size", "max-size", "max-time"))

    assert limits("host-crashdump-logs") == (100, 100, -1)
    assert limits("xapi-debug") == (7, 7, -1)
    assert limits("network-status") == (60 * kb, 60 * kb, 90)       # one card, two vifs
    assert limits("network-config") == (100 * kb + 10 * mb,) * 2 + (-1,)
    assert limits("fcoe") == (4 * kb, 4 * kb, 10)
    assert limits("xenserver-databases") == (52 * mb, 52 * mb, 65)  # two domains, one blktap, two vifs
    stretched, _ = capabilities("--root", root, env={"XEN_RT": "1"})
    assert stretched["network-status"]["max-time"] == "450"
    assert stretched["boot-loader"]["max-time"] == "50" and stretched["mock"]["max-time"] == "300"
    assert stretched["blobs"]["max-time"] == "-1"


def test_a_host_without_known_network_cards_keeps_usable_limits(tmp_path):
    ours, _ = capabilities("--root", tmp_path)
    assert (ours["network-status"]["max-time"], ours["network-status"]["max-size"]) == ("30", "20480")


def test_oem_is_there_only_on_hosts_of_hardware_makers(tmp_path, host_with_one_card):
    assert "oem" not in capabilities("--root", host_with_one_card)[0]
    put(host_with_one_card, "etc/xensource-inventory", "OEM_BUILD_NUMBER='7'\n")
    ours, _ = capabilities("--root", host_with_one_card)
    assert list(ours)[-1] == "oem" and ours["oem"]["max-size"] == "5242880" and ours["oem"]["max-time"] == "90"


def collected(path):
    return {entry["capability"] for entry in manifest(members(path))["entries"]}


def run(tmp_path, root, *arguments, env=None, name="out"):
    result = bugtool("-s", "-y", "--root", root, "--outdir", tmp_path / name, "--output=tar", *arguments, env=env)
    assert result.returncode == 0, result.stderr.decode()
    return pathlib.Path(result.stdout.decode().strip()), result.stderr.decode()


def test_defaults_all_and_the_test_systems_defaults(tmp_path, big_system):
    hidden = {"hdparm-t", "persistent-stats", "xenrt"}
    default = collected(run(tmp_path, big_system)[0])
    assert not hidden & default
    assert collected(run(tmp_path, big_system, "-a", name="a")[0]) == default | hidden
    assert collected(run(tmp_path, big_system, env={"XEN_RT": ""}, name="r")[0]) == default | {"xenrt"}
    assert collected(run(tmp_path, big_system, "--entries=", name="e")[0]) == default
    assert collected(run(tmp_path, big_system, "--entries=cron", "-a", name="ea")[0]) == default | hidden
    assert collected(run(tmp_path, big_system, "-a", "--entries=cron,hdparm-t", name="ae")[0]) == {"cron", "hdparm-t"}


def test_verbosity_chooses_rotations_and_is_accepted_everywhere(tmp_path, big_system):
    log = big_system / "var/log"
    for n in (1, 2, 3):
        put(big_system, f"var/log/sa/sa0{n}", "x")
        os.utime(log / f"sa/sa0{n}", (1_900_000_000 + n, 1_900_000_000 + n))
    for verbosity, rotations in [("1", []), ("0", []), ("2", ["1"]), ("3", ["1", "2.gz"]), ("9", ["1", "2.gz"]), ("77", ["1", "2.gz"])]:
        found = by_name(members(run(tmp_path, big_system, f"--entries=xenserver-logs:{verbosity},system-load:2,cron:2,blobs:1", name=f"v{verbosity}")[0]))
        assert {n for n in found if n.startswith("var/log/SMlog")} == {"var/log/SMlog", *(f"var/log/SMlog.{r}" for r in rotations)}
        assert {n for n in found if "/sa/" in n} == {"var/log/sa/sa02", "var/log/sa/sa03"}
        assert "etc/cron.d/job" in found


def test_all_unknown_names_are_dropped_and_a_bad_verbosity_is_a_usage_error(tmp_path, big_system):
    _, errors = run(tmp_path, big_system, "--entries=client-logs,no-such,cron,neither:3")
    assert errors == "".join(f"--entries={name} is not known!\n" for name in ("client-logs", "no-such", "neither"))
    result = bugtool("-s", "-y", "--root", big_system, "--entries=cron:many")
    assert result.returncode == 2 and b"cron:many" in result.stderr and result.stderr.count(b"\n") == 1


def test_the_inventory_names_who_asked(tmp_path):
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "t.yaml").write_text("capability: t\ndescription: d\npii: no\ncollect:\n  - file: /etc/hostname\n")
    if os.getuid() != 0:
        pytest.skip("the user is only recorded for the running system, which needs root")

    def user(**env):
        clean = {"USER": "", "SUDO_USER": "", **env}
        result = subprocess.run(["env", *(f"-u{k}" for k, v in clean.items() if not v), *(f"{k}={v}" for k, v in clean.items() if v),
                                 os.environ["XENHEALTH_BIN"] + "/xen-bugtool", "-sy", "--catalog", folder, "--outfd=1", "--output=tar",
                                 "--outdir", tmp_path / "spool"], stdout=subprocess.PIPE, check=True)
        with tarfile.open(fileobj=io.BytesIO(result.stdout)) as archive:
            (name,) = [n for n in archive.getnames() if n.endswith("inventory.xml")]
            return ElementTree.parse(archive.extractfile(name)).find("system-summary").attrib.get("user")

    assert user(USER="root", SUDO_USER="ann") == "ann"
    assert user(USER="root") == "root"
    assert user() is None


HEALTH_CHECK = ("host-crashdump-logs:2,system-logs:2,tapdisk-logs:2,xapi:2,xcp-rrdd-plugins:2,xenserver-install:2,"
                "xenserver-logs:2,cron,client-logs")


def test_xapi_gets_a_tar_on_a_socket_and_nothing_else(tmp_path, big_system):
    """GET /system-status: the descriptor is the client's socket; standard output and error go to a log."""
    import socket
    import threading
    ours, theirs = socket.socketpair()
    received = bytearray()

    def read():
        while piece := ours.recv(65536):
            received.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    result = bugtool(f"--entries={HEALTH_CHECK}", "--silent", "--yestoall", "--output=tar", f"--outfd={theirs.fileno()}",
                     "--root", big_system, "--outdir", tmp_path / "spool", pass_fds=[theirs.fileno()])
    theirs.close()
    reader.join()
    assert result.returncode == 0 and result.stdout == b""
    with tarfile.open(fileobj=io.BytesIO(bytes(received)), mode="r|") as archive:
        names = [info.name.split("/", 1)[1] for info in archive]
    assert "var/log/SMlog" in names and names[-1] in ("inventory.xml", "etc/systemd.tar")
    assert len(received) % 512 == 0


def test_a_client_that_stops_reading_keeps_nobody_from_ending_the_run(tmp_path):
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/hosts").write_text("192.0.2.1 host\n" * 50000)  # much more than a pipe holds
    read_end, write_end = os.pipe()
    process = subprocess.Popen([BUGTOOL, "-s", "-y", "--root", tmp_path / "root", "--output=tar", f"--outfd={write_end}"],
                               pass_fds=[write_end], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(write_end)
    os.read(read_end, 1)
    process.terminate()
    out, _ = process.communicate(timeout=60)
    os.close(read_end)
    assert process.returncode == 3 and out == b"\nInterrupted.\n"


def test_host_bugreport_upload_pipes_standard_output(tmp_path, big_system):
    result = subprocess.run(["sh", "-c", '"$0" --output=tar --outfd 1 --yestoall --silent --root "$1" --outdir "$2" 2>/dev/null | tar -t',
                             os.environ["XENHEALTH_BIN"] + "/xen-bugtool", big_system, tmp_path / "spool"], stdout=subprocess.PIPE, check=True)
    assert b"/inventory.xml\n" in result.stdout


@pytest.mark.parametrize("output", [["--output=tar.bz2"], ["--output=zip"], []])
def test_xapi_reads_one_path_and_finds_the_file_there(tmp_path, big_system, output):
    result = bugtool("--entries=xenserver-logs", "--silent", "--yestoall", *output, "--root", big_system, "--outdir", tmp_path / "out")
    path = pathlib.Path(result.stdout.decode().strip())
    assert result.stdout == f"{path}\n".encode() and path.is_file()
    assert path.name.endswith(".zip" if output == ["--output=zip"] else ".tar.bz2")


def test_the_xcp_ng_test_suite_finds_its_members(tmp_path, big_system):
    result = bugtool("-y", "-s", "--root", big_system, "--outdir", tmp_path / "out")
    path = result.stdout.decode().strip()
    names = subprocess.run(["tar", "-jtf", path], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    top = {name.split("/")[0] for name in names}
    assert len(top) == 1
    for wanted in ("var/log/xensource.log", "var/log/SMlog", "xapi-db.xml", "acpidump.out", "etc/fstab", "etc/xapi.conf",
                   "etc/xensource/pool.conf", "xen-bugtool.log", "inventory.xml"):
        assert f"{top.copy().pop()}/{wanted}" in names


def test_options_are_gnu_style(tmp_path, big_system):
    out = tmp_path / "out"
    result = bugtool("--sil", "--yes", "--outp", "zip", "--entri=cron", "--root", big_system, "--outdir", out)
    assert result.returncode == 0 and result.stdout.endswith(b".zip\n")
    assert bugtool("operand", "--root", big_system, "-y").returncode == 2
    assert bugtool("--out=x").stderr.startswith(b"xen-bugtool: option --out not a unique prefix\n")
    # Options act at their place: an earlier mistake wins over --capabilities.
    assert bugtool("--output=rar", "--capabilities").returncode == 2
    assert bugtool("--help", "--no-such").returncode == 0


def test_texts_of_a_talking_run(tmp_path, big_system):
    result = bugtool("-y", "--root", big_system, "--outdir", tmp_path / "out", "--entries=cron", "--output=tar")
    text = result.stdout.decode()
    assert text.startswith("Warning: '--yestoall' argument provided, will not prompt for individual files.\n\n"
                           "This application will collate the Xen dmesg output, details of the\n")
    assert "will be saved as a .tar for archiving or\n" in text and "exclude those logs from the archive.\n\n\n" in text
    stamp = r"\[\d\d/\d\d/\d\d \d\d:\d\d:\d\d [A-Z0-9+-]+\]  "
    assert re.search(stamp + "Creating output file\n" + stamp + "Running commands to collect data\n", text)
    assert re.search(r"Writing tarball .*/bug-report-\d{14}\.tar successful\.\n", text)


@needs_root
def test_a_command_that_cannot_be_started_is_an_empty_member(tmp_path):
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog/a.yaml").write_text("capability: a\ndescription: for a test\npii: no\ncollect:\n  - command: [/no/such/tool, -x]\n")
    result = bugtool("-s", "-y", "--catalog", tmp_path / "catalog", "--outdir", tmp_path / "out", "--output=zip")
    found = members(pathlib.Path(result.stdout.decode().strip()))
    assert found["tool-x.out"] == b"" and by_name(found)["tool-x.out"]["status"] == "missing"


@needs_root
def test_signals_that_the_caller_ignores_end_nothing(tmp_path):
    """nohup xen-bugtool &, of somebody whose connection then breaks; a command of the run sends what the terminal would."""
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog/test.yaml").write_text(
        f"capability: test\ndescription: for a test\npii: no\ncollect:\n"
        f"  - shell: for i in HUP INT; do kill -$i `cat {tmp_path}/number`; done; echo sent\n    as: sent\n")

    def start():
        (tmp_path / "number").write_text(str(os.getpid()))
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)

    result = bugtool("-s", "-y", "--catalog", tmp_path / "catalog", "--outdir", tmp_path / "out", "--output=tar", preexec_fn=start)
    assert result.returncode == 0, result.stderr.decode()
    assert members(pathlib.Path(result.stdout.decode().rstrip("\n")))["sent.out"] == b"sent\n"


def test_nothing_is_left_in_the_current_directory(tmp_path, big_system):
    work = tmp_path / "work"
    work.mkdir()
    for arguments in (["--help"], ["--capabilities"], ["-sy", "--root", big_system, "--outdir", tmp_path / "out", "--entries=cron"]):
        assert bugtool(*arguments, cwd=work).returncode == 0
    assert list(work.iterdir()) == []


def test_no_log_is_deleted_and_no_daemon_signalled(tmp_path, big_system):
    run(tmp_path, big_system, "-a")
    assert (big_system / "var/log/blktap/tapdisk.1.log").exists()
    sources = (FACTS.parent.parent / "collector/capabilities/tapdisk-logs.yaml").read_text()
    assert "command:" not in sources and "shell:" not in sources


def test_logs_of_tapdisk_are_deleted_only_when_wanted_and_in_the_archive(tmp_path):
    """The original deleted them whether or not it had collected them."""
    root = tmp_path / "root"
    for name in ("blktap/tapdisk.1.log", "blktap/tapdisk.2.log.1.gz", "blktap/notes", "tapback/tapback.3", "kern.log"):
        put(root, "var/log/" + name, "x\n")
    os.symlink("../kern.log", root / "var/log/blktap/link.log")

    def left():
        return sorted(path.name for path in (root / "var/log").glob("*/*"))

    wanted = ("--clean-tapdisk-logs", "--entries=xen-bugtool")
    assert bugtool("-s", "-y", "--root", root, "--outdir", tmp_path / "not-selected", *wanted).returncode == 0
    missing = tmp_path / "file"
    missing.write_text("")
    assert bugtool("-s", "-y", "--root", root, "--outdir", missing / "out", "--clean-tapdisk-logs").returncode == 1
    everything = ["link.log", "notes", "tapback.3", "tapdisk.1.log", "tapdisk.2.log.1.gz"]
    assert left() == everything
    result = bugtool("-y", "--root", root, "--outdir", tmp_path / "out", "--entries=tapdisk-logs", "--clean-tapdisk-logs",
                     "--output=zip")
    assert result.returncode == 0 and left() == ["link.log", "notes", "tapback.3"]
    assert b"Deleted 2 logs of tapdisk" in result.stdout
    assert (root / "var/log/kern.log").exists()


def test_every_test_of_the_table_exists():
    text = (FACTS / "README.md").read_text()
    source = FACTS.parent
    named = re.findall(r"`(test_\w+\.(?:py|c))::(\w+)`", text)
    assert len(named) > 60
    contents = {}
    for file, test in named:
        if file not in contents:
            (path,) = [*source.glob(f"integration/{file}"), *source.glob(f"unit/*/{file}")]
            contents[file] = path.read_text()
        assert re.search(rf"\b{test}\(", contents[file]), f"{file}::{test}"
    for number in range(1, 22):
        assert f"\n| Q{number} |" in text
