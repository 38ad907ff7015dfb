# SPDX-License-Identifier: LGPL-2.1-only
"""The samples in other shapes: bundles of XenCenter, zips of tars, cut archives, several reports at once, and hosts of old
releases as their own tools packed them."""

import collections
import itertools
import json
import re
import shutil
import subprocess
import tarfile
import zipfile

import pytest
from test_samples import BIN, HOSTS, SAMPLES, analyse, entries, make_samples, serious

POOL_WIDE = "pool"
SEEDED = entries(SAMPLES / "problems/EXPECTED.yaml")
BUNDLES = entries(SAMPLES / "bundles/EXPECTED.yaml")
RELEASES = entries(SAMPLES / "releases/EXPECTED.yaml")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def results(made):
    cache = {}

    def result(name):
        if name not in cache:
            cache[name] = analyse(made / name)[0]
        return cache[name]

    return result


def parts(name, key):
    return [entry for entry in BUNDLES if entry["bundle"] == name and key in entry]


def bundle_names():
    return list(dict.fromkeys(entry["bundle"] for entry in BUNDLES))


def wanted_findings(name):
    """(rule, hosts) for each finding; findings about the pool as a whole by their rule."""
    (head,) = parts(name, "finds")
    about = head["finds"].split()
    wanted = [(seeded["rule"], seeded.get("hosts", POOL_WIDE)) for seeded in SEEDED if seeded.get("hosts", POOL_WIDE) in about]
    pool_wide = {rule for rule, host in wanted if host == POOL_WIDE}
    more = [(entry["rule"], entry["hosts"]) for entry in parts(name, "rule") if entry["rule"] not in pool_wide]
    return pool_wide, collections.Counter(wanted + more)


@pytest.mark.parametrize("name", bundle_names())
def test_a_bundle_gives_the_findings_of_what_is_in_it_and_no_others(results, name):
    pool_wide, wanted = wanted_findings(name)
    found = collections.Counter()
    for finding in serious(results(name)):
        whom = [POOL_WIDE] if finding["rule"] in pool_wide else finding["hosts"]
        found.update((finding["rule"], host) for host in whom)
    # Two supplies are one rule, two findings; in a list of rules they count once.
    assert set(found) == set(wanted)


@pytest.mark.parametrize("name", bundle_names())
def test_a_bundle_has_the_problems_of_its_shape_and_no_others(results, name):
    found = [(report["host"], problem["kind"], problem["text"]) for report in results(name)["reports"]
             for problem in report["problems"]]
    wanted = [(entry["host"], entry["problem"], entry["text"]) for entry in parts(name, "problem")]
    assert sorted((host, kind) for host, kind, _ in found) == sorted((host, kind) for host, kind, _ in wanted)
    for host, kind, text in wanted:
        assert [1 for place in found if place[:2] == (host, kind) and text in place[2]] == [1], (text, found)


@pytest.mark.parametrize("name", bundle_names())
def test_a_bundle_has_its_hosts(results, name):
    (head,) = parts(name, "finds")
    assert [report["host"] for report in results(name)["reports"]] == head["hosts"].split()


@pytest.mark.parametrize("entry", [e for e in BUNDLES if "unknown" in e], ids=lambda e: f"{e['bundle']}-{e['unknown']}")
def test_what_was_cut_off_is_unknown_and_neither_passed_nor_failed(results, entry):
    result = results(entry["bundle"])
    (unknown,) = [unknown for unknown in result["unknown"] if unknown["rule"] == entry["unknown"]]
    if entry["bundle"].startswith("pool-"):  # the list of what was collected arrived, so it is known what was lost
        assert unknown["reason"].endswith("in the report of host3")
    assert entry["unknown"] not in {finding["rule"] for finding in result["findings"]}


def test_every_rule_over_a_log_that_was_cut_off_is_unknown(results, made):
    """Not only those that would have found something: counted against the same pool when it was whole."""
    whole, cut = results("pool-problems.zip")["coverage"], results("pool-cut.zip")["coverage"]
    assert cut["unknown"] > whole["unknown"] + 100
    assert cut["rules"] == cut["evaluated"] + cut["unknown"] + cut["not_applicable"]


def test_damage_lowers_no_ones_score_but_the_coverage(results):
    assert results("pool-cut.zip")["scores"]["hosts"]["host1"] == results("pool-problems.zip")["scores"]["hosts"]["host1"]


# --- Several reports


def tars_of_the_pool(made, folder):
    with zipfile.ZipFile(made / "pool-tars.zip") as bundle:
        return [bundle.extract(name, folder) for name in bundle.namelist() if name.endswith(".tar")]


def test_archives_on_the_command_line_are_hosts_of_one_pool(results, made, tmp_path):
    command = [BIN / "xen-analyze", "--format", "json", *tars_of_the_pool(made, tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=300)
    assert done.returncode == 1 and done.stderr == b""
    together, bundle = json.loads(done.stdout), results("pool-tars.zip")
    assert [report["host"] for report in together["reports"]] == HOSTS
    assert len({report["path"] for report in together["reports"]}) == 3
    assert together["findings"] == bundle["findings"]
    assert together["coverage"] == bundle["coverage"]


def test_a_folder_of_ten_reports_of_all_kinds(made, tmp_path):
    tars_of_the_pool(made, tmp_path)
    for release in made.glob("release-*"):
        shutil.copy(release, tmp_path)
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "-xjf", made / "release-xs71.tar.bz2", "-C", tmp_path / "unpacked"], check=True, timeout=60)
    assert len(list(tmp_path.iterdir())) == 10
    result, _ = analyse(tmp_path)
    assert sorted(report["host"] for report in result["reports"]) == sorted(
        HOSTS + ["xs62", "xs62 (2)", "xs71", "xs71 (2)", "xs71 (3)", "xs84", "xs84 (2)"])
    assert all(report["problems"] == [] for report in result["reports"])


# --- Old releases


def release_name(release, layer):
    return f"release-{release}.tar.bz2" if layer == "healthy" else f"release-{release}-problems.zip"


ARCHIVES = [(path.name, layer) for path in sorted((SAMPLES / "releases").iterdir()) if path.is_dir()
            for layer in ("healthy", "problems")]


@pytest.mark.parametrize("release,layer", ARCHIVES)
def test_a_host_of_an_old_release_has_the_expected_findings_and_no_others(results, release, layer):
    wanted = [entry for entry in RELEASES if entry["release"] == release and entry["layer"] in ("healthy", layer)]
    found = serious(results(release_name(release, layer)))
    assert sorted(finding["rule"] for finding in found) == sorted(entry["rule"] for entry in wanted)
    for entry in wanted:
        proofs = [proof for finding in found if finding["rule"] == entry["rule"] for proof in finding["evidence"]]
        assert [proof for proof in proofs if proof["path"] == entry["path"] and entry["text"] in proof["text"]], proofs


@pytest.mark.parametrize("release,layer", ARCHIVES)
def test_a_host_of_an_old_release_is_known_by_its_inventory_and_has_no_problems(results, release, layer):
    (report,) = results(release_name(release, layer))["reports"]
    assert report["host"] == release
    assert report["product"].startswith("XenServer")
    about = SAMPLES / "releases" / release / "host-root/.commands"
    assert report["taken"] == (about / "date").read_text().strip()
    assert report["problems"] == []


def names_in(path):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {name.split("/", 1)[1] for name in archive.namelist()}
    with tarfile.open(path) as archive:
        return {name.split("/", 1)[1] for name in archive.getnames()}


@pytest.mark.parametrize("release,layer", ARCHIVES)
def test_what_an_old_release_does_not_collect_is_unknown_for_a_reason_that_is_true(results, made, release, layer):
    path = made / release_name(release, layer)
    names = names_in(path)
    for unknown in results(path.name)["unknown"]:
        (pattern,) = re.findall(r"^no (\S+) in the report", unknown["reason"])
        fits = re.compile(re.sub(r"\\\{\w+\\\}|\\\*(?:\\\*)?", ".+", re.escape(pattern)))
        there = [name for name in names if fits.fullmatch(name)]
        # The original leaves an empty file for a program that is not installed: that is no data, too.
        assert all(is_empty(path, name) for name in there), (unknown, there)


def is_empty(path, name):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return all(entry.file_size == 0 for entry in archive.infolist() if entry.filename.endswith(f"/{name}"))
    with tarfile.open(path) as archive:
        return all(entry.size == 0 for entry in archive if entry.name.endswith(f"/{name}"))


def test_an_old_report_has_what_its_tool_wrote_and_nothing_of_ours(made):
    for name, layer in itertools.product(("xs62", "xs71", "xs84"), ("healthy", "problems")):
        names = names_in(made / release_name(name, layer))
        assert {"inventory.xml", "xen-bugtool.log"} <= names
        assert "manifest.json" not in names
        assert ("etc/systemd.tar" in names) == (name != "xs62")


def test_files_of_the_archive_inside_a_report_belong_to_its_host(made):
    done = subprocess.run([BIN / "report-walk", made / "release-xs71.tar.bz2"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "etc/systemd/system.conf" in done.stdout
    assert "etc/systemd.tar" not in done.stdout


def test_the_console_of_xen_is_read_where_there_is_no_log_of_it(results):
    """6.2 has no hypervisor.log; where both are, one crash is one finding."""
    (crash,) = [f for f in results("release-xs62-problems.zip")["findings"] if f["rule"] == "guest-domain-crash"]
    assert crash["evidence"][0]["path"] == "xl-dmesg.out"
    crashes = [f for f in results("pool-problems.zip")["findings"] if f["rule"] == "iommu-fault-intel"]
    assert len(crashes) == 1


# --- Other Linux hosts

SOSREPORT = {
    "etc/os-release": 'NAME="Rocky Linux"\nID="rocky"\nVERSION_ID="9.4"\n',
    "proc/meminfo": "MemTotal:       16000000 kB\nMemFree:         8000000 kB\nMemAvailable:   12000000 kB\n",
    "proc/mdstat": "Personalities : [raid1]\nmd0 : active raid1 sdb1[1](F) sda1[0]\n      1048512 blocks super 1.2 [2/1] [U_]\n",
    "sos_commands/filesys/df_-al_-x_autofs": "Filesystem          1K-blocks     Used Available Use% Mounted on\n"
                                             "/dev/mapper/rl-root  50000000 49000000   1000000  98% /\n",
    "sos_commands/kernel/dmesg": "[  100.1] I/O error, dev sdb, sector 8 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 0\n",
    "var/log/messages": "Jun  9 07:00:01 web7 kernel: md/raid1:md0: Disk failure on sdb1, disabling device.\n"
                        "Jun  9 07:00:02 web7 kernel: Out of memory: Killed process 1419 (java) total-vm:812345kB\n",
}


@pytest.mark.parametrize("form", ["folder", "tar.xz"])
def test_a_sosreport_is_a_plain_linux_host(tmp_path, form):
    root = tmp_path / "sosreport-web7-2026-06-09-abcdefg"
    for name, text in SOSREPORT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    report = root
    if form != "folder":
        report = tmp_path / f"{root.name}.tar.xz"
        with tarfile.open(report, "w:xz") as archive:
            archive.add(root, root.name)
    result, _ = analyse(report)
    assert [(host["product"], host["version"], host["problems"]) for host in result["reports"]] == [("Rocky Linux", "9.4", [])]
    assert sorted(finding["rule"] for finding in serious(result)) == [
        "disk-io-error", "dom0-oom-kill", "md-disk-failure", "md-raid-degraded", "root-fs-full"]
    assert result["coverage"]["not_applicable"] > 80  # those of Xen and its toolstack


def test_the_samples_are_made_alike_again(made, tmp_path):
    again = make_samples(tmp_path)
    for name in sorted(path.name for path in made.iterdir()):
        if name.startswith(("release-", "pool-")):
            assert (made / name).read_bytes() == (again / name).read_bytes(), name


