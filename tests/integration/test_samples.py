# SPDX-License-Identifier: LGPL-2.1-only
"""The sample pool from end to end: collected by xen-bugtool, packed as a pool bundle, judged by xen-analyze."""

import gzip
import json
import os
import pathlib
import re
import subprocess
import tarfile
import zipfile

import pytest

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SAMPLES = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "samples"
HOSTS = ["host1", "host2", "host3"]
SERIOUS = {"warning", "error", "critical"}
SECRET = b"not-a-real-secret"


def make_samples(folder):
    command = [SAMPLES / "make-samples", "--bin", BIN, "--out", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_samples(tmp_path_factory.mktemp("samples"))


def analyse(report):
    """The result as a dictionary, and the exit code."""
    done = subprocess.run([BIN / "xen-analyze", "--format", "json", report], capture_output=True, timeout=300)
    assert done.returncode in (0, 1) and done.stderr == b"", done.stderr.decode()
    return json.loads(done.stdout), done.returncode


@pytest.fixture(scope="module")
def problems(made):
    return analyse(made / "pool-problems.zip")


@pytest.fixture(scope="module")
def healthy(made):
    return analyse(made / "pool-healthy.zip")


def entries(path):
    """The list in an EXPECTED.yaml, which keeps to one simple form so that no YAML library is needed."""
    found = []
    for line in path.read_text().splitlines():
        if line.startswith("- "):
            found.append({})
        if line and not line.startswith("#"):
            key, value = line[2:].split(": ", 1)
            found[-1][key] = value
    return found


def expected():
    return entries(SAMPLES / "problems/EXPECTED.yaml")


class Bundle:
    """A pool bundle, read without our own reader."""

    def __init__(self, path):
        self.archive = zipfile.ZipFile(path)
        self.members = {}
        for name in self.archive.namelist():
            place = re.fullmatch(r"[\d-]+-bugtool-(\w+)/bug-report-\d+/(.*)", name)
            if place:
                self.members[place.groups()] = name

    def text(self, host, path):
        content = self.archive.read(self.members[host, path])
        return (gzip.decompress(content) if path.endswith(".gz") else content).decode()

    def line(self, host, path, number):
        return self.text(host, path).split("\n")[number - 1]


@pytest.fixture(scope="module")
def bundle(made):
    return Bundle(made / "pool-problems.zip")


def serious(result):
    return [finding for finding in result["findings"] if finding["severity"] in SERIOUS]


def shows(bundle, finding, wanted):
    """Whether a piece of the finding's evidence is the wanted one."""
    return any(
        proof["path"] == wanted["path"] and wanted["text"] in bundle.line(proof["host"], proof["path"], proof["line"])
        and proof["host"] == wanted.get("hosts", proof["host"])
        for proof in finding["evidence"])


@pytest.mark.parametrize("wanted", expected(), ids=lambda w: f"{w['rule']}-{w.get('hosts', 'pool')}-{w['text']}")
def test_a_seeded_problem_is_found_with_its_proof(problems, bundle, wanted):
    found = [finding for finding in problems[0]["findings"] if finding["rule"] == wanted["rule"]]
    assert found, "the rule reported nothing"
    matching = [finding for finding in found if shows(bundle, finding, wanted)]
    assert matching, [finding["evidence"] for finding in found]
    for finding in matching:
        assert finding["severity"] in SERIOUS
        assert wanted.get("title", "") in finding["title"]
        if "hosts" in wanted:
            assert finding["hosts"] == [wanted["hosts"]]


def test_nothing_else_is_found_in_the_problem_pool(problems):
    seeded = {wanted["rule"] for wanted in expected()}
    others = [(finding["rule"], finding["title"]) for finding in serious(problems[0]) if finding["rule"] not in seeded]
    assert others == []


def test_a_seeded_problem_is_one_finding_on_the_hosts_that_have_it(problems):
    seeded = sorted((wanted["rule"], wanted.get("hosts", "pool")) for wanted in expected())
    found = []
    for finding in serious(problems[0]):
        pool = any(w["rule"] == finding["rule"] and "hosts" not in w for w in expected())
        found += [(finding["rule"], "pool")] if pool else [(finding["rule"], host) for host in finding["hosts"]]
    assert sorted(found) == seeded


def test_every_proof_stands_where_it_is_said_to_stand(problems, bundle):
    checked = 0
    for finding in problems[0]["findings"]:
        for proof in finding["evidence"]:
            assert (proof["host"], proof["path"]) in bundle.members, (finding["rule"], proof)
            assert proof["line"] > 0
            line = bundle.line(proof["host"], proof["path"], proof["line"])
            # A rule over tables may show the row instead, as column=value column=value, or tell in words of its own what
            # stands in the lines of the row.
            is_table = not proof["path"].startswith("var/log/")
            values = re.findall(r"\w+=(.*?)(?= \w+=|$)", proof["text"])
            row = any(len(value) > 2 and value in line for value in values)
            words = is_table and any(word in bundle.text(proof["host"], proof["path"])
                                     for word in re.findall(r"[\w.:-]{3,}", proof["text"]))
            assert line and (proof["text"] in line or is_table and row or words), (finding["rule"], proof, line[:200])
            checked += 1
    assert checked >= len(expected())


def test_the_healthy_pool_has_no_finding_of_severity_warning_or_above(healthy):
    assert [(finding["rule"], finding["title"], finding["evidence"][:1]) for finding in serious(healthy[0])] == []


def test_the_exit_code_tells_the_pools_apart(problems, healthy):
    assert problems[1] == 1
    assert healthy[1] == 0


def test_the_problem_pool_has_the_lower_score(problems, healthy):
    assert problems[0]["score"] < healthy[0]["score"]


@pytest.mark.parametrize("pool", ["problems", "healthy"])
def test_the_reports_name_the_three_hosts_and_have_no_problems_of_their_own(request, pool):
    result = request.getfixturevalue(pool)[0]
    assert sorted(report["host"] for report in result["reports"]) == HOSTS
    assert sorted(result["scores"]["hosts"]) == HOSTS
    for report in result["reports"]:
        assert report["problems"] == []
        assert report["taken"].startswith("2026-11-20T10:1"), report["taken"]
        assert "XCP-ng" in report["product"]


def contents(path):
    """Every member of an archive, decompressed."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                data = archive.read(name)
                yield name, gzip.decompress(data) if name.endswith(".gz") else data
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    data = archive.extractfile(member).read()
                    yield member.name, gzip.decompress(data) if member.name.endswith(".gz") else data


@pytest.mark.parametrize("name", ["pool-healthy.zip", "pool-problems.zip", "host-problems.tar.bz2"])
def test_no_secret_gets_into_a_report(made, name):
    seen = dict(contents(made / name))
    assert [member for member, data in seen.items() if SECRET in data] == []
    databases = [data for member, data in seen.items() if member.endswith("/xapi-db.xml")]
    assert len(databases) == (1 if name.startswith("host") else len(HOSTS))
    for data in databases:
        assert b'table name="secret"' in data and b"REMOVED" in data


def test_the_samples_do_hold_secrets_where_reports_could_leak_them():
    root = SAMPLES / "host-root/host1"
    for name in ("var/xapi/state.db", ".commands/xenstore-ls-f.out", "etc/snmp/snmpd.xs.conf"):
        assert SECRET in (root / name).read_bytes()


def test_the_manifest_of_each_host_accounts_for_its_members(made, bundle):
    for host in HOSTS:
        manifest = json.loads(bundle.archive.read(bundle.members[host, "manifest.json"]))
        assert manifest["host"]["name"] == host
        named = {entry["name"] for entry in manifest["entries"] if entry["status"] in ("ok", "empty", "truncated")}
        made_by_the_run = {"manifest.json", "inventory.xml", "xen-bugtool.log"}
        there = {path for owner, path in bundle.members if owner == host}
        assert there - made_by_the_run <= named
        assert named <= there


def test_the_same_samples_give_the_same_bundles(made, tmp_path):
    again = make_samples(tmp_path)
    for name in ("pool-healthy.zip", "pool-problems.zip"):
        with zipfile.ZipFile(made / name) as first, zipfile.ZipFile(again / name) as second:
            assert [(e.filename, e.date_time, e.CRC) for e in first.infolist()] == [
                (e.filename, e.date_time, e.CRC) for e in second.infolist()]
        assert (made / name).read_bytes() == (again / name).read_bytes()


def test_a_missing_collector_is_told_in_one_line(tmp_path):
    done = subprocess.run([SAMPLES / "make-samples", "--bin", tmp_path, "--out", tmp_path],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "xen-bugtool" in done.stderr
    assert list(tmp_path.iterdir()) == []
