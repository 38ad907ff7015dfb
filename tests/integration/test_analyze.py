"""xen-analyze as a person or a script uses it: options, exit statuses, queries, errors."""
import gzip
import json
import os
import pathlib
import sqlite3
import subprocess
import tarfile
import zipfile

import pytest

from conftest import shared

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
ANALYZE = BIN / "xen-analyze"
SANITIZED = b"__asan_init" in ANALYZE.read_bytes()
HERE = pathlib.Path(__file__).parent

OOM = "Nov  2 10:00:00 host1 kernel: [   10.000000] Out of memory: Kill process 1419 (xapi) score 5 or sacrifice child\n"
DF = ("Filesystem     Type     1K-blocks    Used Available Use% Mounted on\n"
      "/dev/sda1      ext3      18448412 18300000    148412 100% /\n"
      "tmpfs          tmpfs      3929492       0   3929492   0% /dev/shm\n")
MEMINFO = "MemTotal:        7858984 kB\nMemFree:          500000 kB\nMemAvailable:    5000000 kB\n"
MOUNTS = "/dev/sda1 / ext3 rw,relatime 0 0\n"


def analyze(*arguments, stdin=None, **keywords):
    return subprocess.run([ANALYZE, *map(str, arguments)], capture_output=True, timeout=60, input=stdin, **keywords)


def text(result):
    return result.stdout.decode(), result.stderr.decode()


@pytest.fixture
def host(tmp_path):
    """A folder with a few files of a host in their places."""
    root = tmp_path / "host"
    for name, content in {"var/log/kern.log": OOM, "df-alT.out": DF, "proc/meminfo": MEMINFO, "proc/mounts": MOUNTS}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def findings(path, *options):
    result = analyze("--format", "json", *options, path)
    assert result.returncode in (0, 1), result.stderr
    return {f["rule"]: f for f in json.loads(result.stdout)["findings"]}


def test_a_folder_of_loose_files_is_a_report(host):
    found = findings(host)
    evidence = found["dom0-oom-kill"]["evidence"][0]
    assert evidence["path"] == "var/log/kern.log"
    assert evidence["line"] == 1
    assert "Kill process 1419" in evidence["text"]
    assert "root-fs-full" in found


def test_every_archive_format_gives_the_same_findings(host, tmp_path):
    expected = set(findings(host))
    assert expected
    archives = []
    for suffix, mode in (("tar", "w"), ("tar.gz", "w:gz"), ("tar.bz2", "w:bz2"), ("tar.xz", "w:xz")):
        path = tmp_path / ("report." + suffix)
        with tarfile.open(path, mode) as tar:
            tar.add(host, "bug-report-20261102120000")
        archives.append(path)
    with tarfile.open(tmp_path / "plain.tar", "w") as tar:
        tar.add(host, "bug-report-20261102120000")
    subprocess.run(["zstd", "-q", tmp_path / "plain.tar", "-o", tmp_path / "report.tar.zst"], check=True)
    archives.append(tmp_path / "report.tar.zst")
    with zipfile.ZipFile(tmp_path / "report.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(host.rglob("*")):
            if file.is_file():
                archive.write(file, "bug-report-20261102120000/" + str(file.relative_to(host)))
    archives.append(tmp_path / "report.zip")
    for path in archives:
        assert set(findings(path)) == expected, path


def test_standard_input_is_a_report(host, tmp_path):
    path = tmp_path / "report.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(host, "bug-report-20261102120000")
    result = analyze("--format", "json", "-", stdin=path.read_bytes())
    assert "dom0-oom-kill" in [f["rule"] for f in json.loads(result.stdout)["findings"]]


def test_exit_status_follows_fail_on(host):
    only = ["--only", "dom0-oom-kill"]
    assert analyze(*only, host).returncode == 1
    assert analyze(*only, "--fail-on", "never", host).returncode == 0
    assert analyze("--only", "md-raid-degraded", host).returncode == 0


def test_min_severity_hides_but_does_not_forgive(host):
    result = analyze("--format", "json", "--min-severity", "critical", host)
    assert all(f["severity"] == "critical" for f in json.loads(result.stdout)["findings"])
    assert result.returncode == 1


def test_skip_and_component_choose_rules(host):
    assert "dom0-oom-kill" not in findings(host, "--skip", "dom0-oom-kill")
    assert {f["component"] for f in findings(host, "--component", "memory").values()} == {"memory"}


def test_a_log_on_standard_input_must_be_named():
    result = analyze("-", stdin=b"Nov 20 09:05:41 host2 kernel: x\n")
    assert result.returncode == 3 and b"a single log has to be named" in result.stderr


def test_a_query_answers_over_several_tables(host):
    result = analyze("--format", "json", "--query",
                     "SELECT d.mount, d.use_percent, m.type, i.mem_total_kb FROM df d"
                     " JOIN mounts m ON m.mount = d.mount AND m.host = d.host, meminfo i", host)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [{"mount": "/", "use_percent": 100, "type": "ext3", "mem_total_kb": 7858984}]
    out, _ = text(analyze("--query", "SELECT mount, use_percent FROM df ORDER BY use_percent DESC", host))
    assert out.splitlines()[0].split() == ["mount", "use_percent"]
    assert out.splitlines()[1].split() == ["/", "100"]
    assert analyze("--query", "SELECT a.host, b.host FROM df a, df b WHERE 0", host).stdout == b"host  host\n"


@pytest.mark.parametrize("form,expected", [("text", b"mount  use_percent\n"), ("json", b"[]\n"), ("csv", b"")])
def test_a_query_without_rows_has_columns_for_people_and_nothing_for_programs(host, form, expected):
    done = analyze("--format", form, "--query", "SELECT mount, use_percent FROM df WHERE 0", host)
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, b"")


@pytest.mark.alike
@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_a_query_with_endless_rows_is_the_query_s_fault_not_the_report_s(host, form):
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
    done = analyze("--format", form, "--query", endless, host)
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.startswith(b"xen-analyze: the query's result has more than fits: narrow it")


def test_a_query_may_only_read(host):
    for statement in ("DELETE FROM df", "ATTACH 'x' AS y", "SELECT 1; SELECT 2", "PRAGMA user_version = 3"):
        result = analyze("--query", statement, host)
        assert result.returncode == 2
        assert len(result.stderr.decode().strip().splitlines()) == 1


def test_export_gives_a_database_that_sqlite_opens(host, tmp_path):
    path = tmp_path / "report.sqlite"
    assert analyze("--export", path, "--fail-on", "never", host).returncode == 0
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT mount FROM df WHERE use_percent > 99").fetchall() == [("/",)]
        assert database.execute("SELECT count(*) FROM hosts").fetchone() == (1,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    result = analyze("--export", path, host)
    assert result.returncode == 2
    assert "report.sqlite" in result.stderr.decode()


def test_several_formats_in_one_run(host, tmp_path):
    page, data = tmp_path / "r.html", tmp_path / "r.json"
    result = analyze("--format", "html", "--output", page, "--format", "json", "--output", data, "--format", "text", host)
    assert result.returncode == 1
    assert page.read_text().lower().startswith("<!doctype html>")
    assert json.loads(data.read_text())["schema"] == "xenhealth-findings/1"
    assert result.stdout


def test_an_output_called_dash_is_standard_output(host, tmp_path):
    result = analyze("--format", "json", "--output", "-", "--format", "html", "--output", "r.html", host, cwd=tmp_path)
    assert json.loads(result.stdout)["schema"] == "xenhealth-findings/1"
    assert sorted(os.listdir(tmp_path)) == ["host", "r.html"]


def test_what_a_report_lacks_is_unknown_and_never_pass(tmp_path):
    (tmp_path / "var/log").mkdir(parents=True)
    (tmp_path / "var/log/SMlog").write_text("Nov  2 10:00:00 h SM: [1] fine\n")
    result = analyze("--format", "json", tmp_path)
    verdict = json.loads(result.stdout)
    unknown = {u["rule"]: u["reason"] for u in verdict["unknown"]}
    assert "md-raid-degraded" in unknown and "proc/mdstat" in unknown["md-raid-degraded"]
    coverage = verdict["coverage"]
    assert coverage["rules"] == coverage["evaluated"] + coverage["unknown"] + coverage["not_applicable"]
    assert coverage["unknown"] == len(verdict["unknown"])


@pytest.mark.parametrize("arguments, status, words", [
    (["--frobnicate"], 2, "option '--frobnicate' is not known"),
    (["--format", "docx", "x"], 2, "--format 'docx' is not known; use one of: "),
    (["--format"], 2, "option '--format' needs a value"),
    (["--only", "no-such-rule", "x"], 2, "there is no rule 'no-such-rule'"),
    (["--component", "disk", "x"], 2, "there is no component 'disk'; known: storage"),
    (["--fail-on", "bad", "x"], 2, "--fail-on 'bad' is not known"),
    ([], 2, "no report is named"),
    (["rules", "dance"], 2, "'rules dance' is not known"),
    (["rules", "show", "no-such-rule"], 2, "there is no rule 'no-such-rule'"),
    (["--rules", "/dev/null/rules", "x"], 2, "cannot read rules '/dev/null/rules'"),
    (["/nonexistent.zip"], 3, "/nonexistent.zip"),
    (["--format", "json", "--format", "html", "x"], 2, "only one --format can go to standard output"),
])
def test_mistakes_get_one_clear_line(arguments, status, words):
    result = analyze(*arguments)
    out, err = text(result)
    assert result.returncode == status
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("xen-analyze: ")
    assert words in err


def test_a_file_that_is_no_report(tmp_path):
    path = tmp_path / "holiday.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0" + os.urandom(4000))
    result = analyze(path)
    assert result.returncode == 3
    assert len(result.stderr.splitlines()) == 1
    assert "holiday.jpg" in result.stderr.decode()


def test_single_logs_of_a_folder_are_a_host(tmp_path):
    """As people attach them to tickets."""
    (tmp_path / "host1").mkdir()
    (tmp_path / "host1/kern.log.1.gz").write_bytes(gzip.compress(OOM.encode()))
    (tmp_path / "host1/df-alT.out").write_text(DF)
    (tmp_path / "host1/SMlog.txt").write_text("Nov  2 10:00:00 h SM: [1] fine\n")
    result = analyze("--format", "json", *sorted((tmp_path / "host1").iterdir()))
    assert result.returncode == 1 and not result.stderr
    verdict = json.loads(result.stdout)
    (report,) = verdict["reports"]
    assert report["host"] == "host1" and report["entries"] == 3
    assert [(p["kind"], p["text"]) for p in report["problems"]] == [("omitted", "single files were given in place of a report")]
    found = {f["rule"]: f for f in verdict["findings"]}
    assert found["dom0-oom-kill"]["evidence"][0]["path"] == "var/log/kern.log.1.gz"
    assert "root-fs-full" in found
    assert "bios-old" in {u["rule"] for u in verdict["unknown"]}
    # What is known does not depend on which rules are asked.
    assert analyze("--only", "root-fs-full", tmp_path / "host1/kern.log.1.gz").returncode == 0


def test_a_single_file_of_a_name_that_no_rule_knows_is_refused(tmp_path):
    (tmp_path / "host1-kern.log").write_text(OOM)
    result = analyze(tmp_path / "host1-kern.log")
    assert result.returncode == 3 and len(result.stderr.splitlines()) == 1
    assert "give it the name it had on the host" in result.stderr.decode()


@pytest.mark.parametrize("format, words", [
    ("text", "No score: no rule had the data it needs"),
    ("markdown", ": no score"),
    ("html", "No score"),
    ("nagios", "XENHEALTH UNKNOWN - no score"),
    ("prometheus", "xenhealth_trust_level 0"),
])
def test_where_nothing_could_be_judged_there_is_no_score(tmp_path, format, words):
    (tmp_path / "SMlog").write_text("Nov  2 10:00:00 h SM: [1] fine\n")
    result = analyze("--only", "md-raid-degraded", "--format", format, tmp_path / "SMlog")
    assert result.returncode == (3 if format == "nagios" else 0)
    out = result.stdout.decode()
    assert words in out
    assert "healthy" not in out and "100 of 100" not in out and "score=" not in out and "xenhealth_score" not in out


def test_one_bad_report_does_not_spoil_the_others(host, tmp_path):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"PK\x03\x04 not really")
    result = analyze("--format", "json", bad, host)
    assert result.returncode == 1
    assert "dom0-oom-kill" in [f["rule"] for f in json.loads(result.stdout)["findings"]]
    assert "bad.zip" in result.stderr.decode()


@pytest.mark.parametrize("bad", ["missing.tar", "no-archive.tar"])
def test_a_report_that_could_not_be_read_stands_in_every_output(host, tmp_path, bad):
    (tmp_path / "no-archive.tar").write_text("no archive\n" * 100)
    result = analyze("--format", "json", "--fail-on", "never", host, tmp_path / bad)
    assert result.returncode == 0
    (report,) = [r for r in json.loads(result.stdout)["reports"] if r["path"].endswith(bad)]
    assert report["host"] == "" and [p["kind"] for p in report["problems"]] == ["refused"]
    assert bad in text(analyze("--fail-on", "never", host, tmp_path / bad))[0]


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_standard_descriptor_does_no_harm(host, tmp_path, closed):
    """Daemons start programs so. The next file to be opened would take its place."""
    out = tmp_path / "out.json"
    result = subprocess.run([ANALYZE, "--format", "json", "--output", out, "--fail-on", "never", host],
                            preexec_fn=lambda: os.close(closed), timeout=60)
    assert result.returncode == 0
    assert "dom0-oom-kill" in {f["rule"] for f in json.loads(out.read_text())["findings"]}


def test_an_answer_that_nobody_can_get_is_a_failure(host):
    result = subprocess.run([ANALYZE, "--fail-on", "never", host], preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE,
                            timeout=60)
    assert result.returncode == 2 and b"cannot write standard output" in result.stderr


@pytest.mark.parametrize("arguments,words", [
    (["--format", "json", "--output", "same", "--format", "text", "--output", "same"], "two outputs"),
    (["--output", "same", "--export", "same"], "two outputs"),
    (["-", "-"], "standard input"),
    (["--format", "html", "--output", "same", "--output", "other"], "'other' needs a --format"),
    (["--format", "html", "--output", "-", "--output", "other"], "goes to '-'"),
    (["--format", "html", "--output", "-", "--format", "text"], "only one --format can go to standard output"),
    (["--only", ""], "need the id"),
    (["--skip", ","], "need the id"),
])
def test_options_that_contradict_each_other_are_refused(host, tmp_path, arguments, words):
    result = analyze(*arguments, host, cwd=tmp_path)
    assert result.returncode == 2 and words in text(result)[1]
    assert not (tmp_path / "same").exists()


def test_a_full_disk_is_said_and_leaves_no_half_file(host, tmp_path):
    result = subprocess.run(["bash", "-c", f"ulimit -f 1; trap '' XFSZ; exec {ANALYZE} --format html --output {tmp_path}/r.html {host}"],
                            capture_output=True, timeout=60)
    assert result.returncode == 2
    assert b"cannot write" in result.stderr and len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("r.html*"))


CASES = sorted((HERE / "cases/rules").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=[c.stem for c in CASES])
def test_a_broken_rule_is_refused_with_its_place(case, host):
    expected = case.read_text().splitlines()[0].removeprefix("# error: ")
    result = analyze("--rules", case, host)
    assert result.returncode == 2
    assert result.stderr.decode().strip() == f"xen-analyze: {case}:{expected}"


def test_rules_of_the_user_add_to_and_replace_the_built_in_ones(host, tmp_path):
    rule = tmp_path / "dom0-oom-kill.yaml"
    rule.write_text("id: dom0-oom-kill\ntitle: Mine\ncomponent: memory\nseverity: info\n"
                    "log: {files: var/log/kern.log, match: 'Out of memory'}\n")
    found = findings(host, "--rules", rule)
    assert found["dom0-oom-kill"]["title"] == "Mine"
    assert "root-fs-full" in found
    assert set(findings(host, "--rules", rule, "--no-default-rules")) == {"dom0-oom-kill"}


def test_the_rules_pass_their_tests_and_lint_is_silent():
    """Builds with sanitizers try a share of the rules: the others all."""
    rules = sorted(path for area in (SOURCE / "rules").iterdir() if area.is_dir() and area.name not in ("tables", "formats", "lists")
                   for path in area.glob("*.yaml"))
    tests = analyze("rules", "test", *(shared(rules) if SANITIZED else ()))
    assert tests.returncode == 0, tests.stdout.decode()
    lint = analyze("rules", "lint")
    assert lint.returncode == 0, lint.stdout.decode()


def test_a_rule_that_breaks_its_test_fails(tmp_path):
    rule = tmp_path / "broken.yaml"
    rule.write_text("id: broken\ntitle: X\ncomponent: memory\nseverity: info\n"
                    "log: {files: var/log/kern.log, match: 'never in it'}\n"
                    "tests:\n  - log: 'Nov  2 10:00:00 h kernel: something else'\n    expect: {}\n")
    result = analyze("rules", "test", rule)
    assert result.returncode == 1
    assert b"FAIL  rule broken: test 1" in result.stdout


def test_rules_list_and_show_read_well():
    out, _ = text(analyze("rules", "list"))
    assert any(line.startswith("dom0-oom-kill ") for line in out.splitlines())
    out, _ = text(analyze("rules", "show", "dom0-oom-kill"))
    for heading in ("EXPLANATION", "ADVICE", "LOOKS FOR", "LINKS"):
        assert heading in out


def test_there_are_enough_rules_of_every_kind():
    rules = json.loads(json.dumps([line.split()[:3] for line in text(analyze("rules", "list"))[0].splitlines()]))
    assert len(rules) >= 25
    assert {"storage", "network", "memory", "kernel", "hypervisor", "ha", "xapi", "time", "hardware", "firmware"} <= {r[2] for r in rules}


INVENTORY = ('<?xml version="1.0" ?>\n<system-status-inventory>\n'
             '\t<system-summary date="Mon Nov  2 12:00:00 2026" hostname="host1" uname="Linux host1" uptime=" 12:00:00 up 1 day,  3:04,  1 user,"/>\n'
             '\t<inventory-entry capability="system-logs" filename="bug-report-20261102120000/var/log/user.log" md5sum="%032d"/>\n'
             '</system-status-inventory>\n' % 0)


def original_report(tmp_path, files):
    """A report as the original tool makes it: an inventory, no manifest."""
    root = tmp_path / "bug-report-20261102120000"
    for name, content in {"inventory.xml": INVENTORY, "var/log/user.log": "", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def verdict(path):
    return json.loads(analyze("--format", "json", path).stdout)


def test_a_log_whose_capability_was_collected_is_clean_when_it_is_not_there(tmp_path):
    unknown = {u["rule"] for u in verdict(original_report(tmp_path, {}))["unknown"]}
    assert "dom0-oom-kill" not in unknown
    assert "ssh-bruteforce" not in unknown
    assert "sr-full-44" in unknown  # xenserver-logs was not collected


def test_an_empty_output_of_a_report_without_manifest_is_no_data(tmp_path):
    report = original_report(tmp_path, {"chronyc-sources-v.out": "", "proc/mdstat": "Personalities : \nunused devices: <none>\n"})
    unknown = {u["rule"] for u in verdict(report)["unknown"]}
    assert "time-no-usable-source" in unknown
    assert "md-raid-degraded" not in unknown


def test_an_output_that_timed_out_is_a_problem_of_the_report(tmp_path):
    report = original_report(tmp_path, {"df-alT.out": DF + "\n** timeout **\n"})
    problems = verdict(report)["reports"][0]["problems"]
    assert [(p["kind"], p["path"]) for p in problems if p["kind"] == "timeout"] == [("timeout", "df-alT.out")]
