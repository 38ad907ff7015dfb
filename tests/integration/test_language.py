"""What a site adds to the rules: suppressions, thresholds, packs of its own; and how rules are looked at."""
import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import termios
import xml.etree.ElementTree as ET

import pytest
from conftest import shared

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
ANALYZE = BIN / "xen-analyze"

OOM = "Nov  2 10:00:00 host1 kernel: [   10.000000] Out of memory: Kill process 1419 (xapi) score 5 or sacrifice child\n"
DISK = "Nov  2 10:11:12 host1 kernel: [   42.500000] blk_update_request: I/O error, dev sda, sector 8\n"
DF = ("Filesystem     Type     1K-blocks    Used Available Use% Mounted on\n"
      "/dev/sda1      ext3      18448412 18300000    148412  93% /\n")


def analyze(*arguments, **keywords):
    return subprocess.run([ANALYZE, *map(str, arguments)], capture_output=True, timeout=60, text=True, **keywords)


def on_terminal(*arguments):
    """Lines that the program writes to a terminal of 80 columns without colours."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    out = b""
    with subprocess.Popen([ANALYZE, *arguments], stdout=slave, env=os.environ | {"NO_COLOR": "1"}):
        os.close(slave)
        try:
            while chunk := os.read(master, 65536):
                out += chunk
        except OSError:
            pass  # so ends a terminal
    os.close(master)
    return out.decode().splitlines()


def verdict(*arguments):
    result = analyze("--format", "json", *arguments)
    assert result.returncode in (0, 1), result.stderr
    return json.loads(result.stdout)


def findings(*arguments):
    return {f["rule"]: f for f in verdict(*arguments)["findings"]}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.fixture
def host(tmp_path):
    root = tmp_path / "host"
    write(root / "var/log/kern.log", OOM + DISK)
    write(root / "df-alT.out", DF)
    return root


def test_a_suppressed_finding_is_shown_but_does_not_count(host, tmp_path):
    only = ("--only", "dom0-oom-kill")
    before = verdict(*only, host)
    assert before["score"] < 100
    excuse = write(tmp_path / "s.yaml", "- {rule: dom0-oom-kill, object: xapi, reason: the leak is known, expires: 2999-12-31}\n")
    after = verdict(*only, "--suppress", excuse, host)
    assert after["score"] == 100
    assert [f["suppressed"] for f in after["findings"]] == ["the leak is known"]
    result = analyze(*only, "--suppress", excuse, host)
    assert result.returncode == 0
    assert result.stderr == ""
    assert "the leak is known" in result.stdout


def test_an_expired_suppression_no_longer_works_and_says_so(host, tmp_path):
    excuse = write(tmp_path / "s.yaml", "- {rule: dom0-oom-kill, reason: later, expires: 2020-12-31}\n")
    result = analyze("--only", "dom0-oom-kill", "--suppress", excuse, host)
    assert result.returncode == 1
    assert f"{excuse}:1:3: the suppression of 'dom0-oom-kill' expired on 2020-12-31" in result.stderr


def test_a_suppression_that_fits_nothing_is_said_unless_its_rule_was_not_asked(host, tmp_path):
    excuse = write(tmp_path / "s.yaml", "- {rule: disk-io-error, object: sdz, reason: gone}\n")
    assert "fits no finding" in analyze("--suppress", excuse, host).stderr
    assert analyze("--only", "dom0-oom-kill", "--suppress", excuse, host).stderr == ""


def test_a_broken_file_of_suppressions_ends_the_run_with_its_place(host, tmp_path):
    excuse = write(tmp_path / "s.yaml", "- rule: disk-io-error\n")
    result = analyze("--suppress", excuse, host)
    assert result.returncode == 2
    assert result.stderr == f"xen-analyze: {excuse}:1:3: a suppression needs a 'reason': it is shown with the finding\n"
    assert analyze("--suppress", tmp_path / "none.yaml", host).returncode == 2


@pytest.mark.parametrize("option, wrong, right", [
    ("--only", "dom0-oom-kil", "dom0-oom-kill"),
    ("--skip", "disk-io-eror", "disk-io-error"),
    ("--component", "storag", "storage"),
])
def test_a_mistyped_name_gets_a_suggestion(host, option, wrong, right):
    result = analyze(option, wrong, host)
    assert result.returncode == 2
    assert f"did you mean '{right}'?" in result.stderr


def test_a_site_changes_a_threshold_and_a_severity(host, tmp_path):
    only = ("--only", "root-fs-full")
    assert findings(*only, host)["root-fs-full"]["severity"] == "error"
    site = write(tmp_path / "site.yaml", "severity: {root-fs-full: warning}\n")
    assert findings(*only, "--site", site, host)["root-fs-full"]["severity"] == "warning"
    site = write(tmp_path / "site.yaml", "thresholds: {root-fs-full: {percent: 95}}\n")
    assert not findings(*only, "--site", site, host)


def test_a_threshold_outside_its_bounds_ends_the_run_with_its_place(host, tmp_path):
    site = write(tmp_path / "site.yaml", "thresholds:\n  root-fs-full: {percent: 5}\n")
    result = analyze("--site", site, host)
    assert result.returncode == 2
    assert result.stderr == f"xen-analyze: {site}:2:27: 'percent' must be between 50 and 100\n"


RULE = """id: {id}
title: {title}
component: storage
severity: error
log: {{files: [$kernel], match: 'I/O error, dev (?<device>sd\\w)'}}
explanation: why
advice: what
links: [https://example.org/]
tests:
  - log: 'Nov  2 10:11:12 host1 kernel: [   42.500000] blk_update_request: I/O error, dev sda, sector 8'
    expect: {{device: {device}}}
  - {{name: 'a healthy line # not one', log: 'Nov  2 10:11:12 host1 kernel: fine', expect: none}}
"""


def rule(folder, identity="my-rule", title="Mine", device="sda"):
    return write(folder / f"{identity}.yaml", RULE.format(id=identity, title=title, device=device))


def test_tables_lists_every_table_and_shows_one_with_columns_and_a_query():
    listed = analyze("tables").stdout
    for name in ("hosts", "facts", "df", "xapi_vm", "packages"):
        assert any(line.split()[0] == name for line in listed.splitlines()), name
    shown = analyze("tables", "df").stdout
    assert "df-alT.out" in shown
    assert "nvme-smart-log-{device}" in listed                          # a pipe gets whole lines
    assert "use_percent              integer" in shown
    assert "xen-analyze --query 'SELECT host, filesystem, type, size_kb, used_kb FROM df LIMIT 10' REPORT" in shown
    assert "name__label" in analyze("tables", "xapi_vm").stdout
    assert "product_brand            text     XenServer, XCP-ng, Citrix Hypervisor" in analyze("tables", "facts").stdout
    assert "date                     integer  seconds since 1970" in analyze("tables", "lists").stdout
    result = analyze("tables", "xapi_vmm")
    assert result.returncode == 2
    assert "did you mean 'xapi_vm'?" in result.stderr


def test_every_sample_query_works(host):
    tables = analyze("tables").stdout.splitlines()
    assert len(tables) > 40
    for line in shared(tables):
        shown = analyze("tables", line.split()[0]).stdout
        query = shown.split("--query '")[1].split("' REPORT")[0]
        result = analyze("--query", query, host)
        assert result.returncode == 0, (query, result.stderr)


def test_rules_show_reads_like_a_manual_page():
    shown = analyze("rules", "show", "ssh-bruteforce").stdout
    headings = [line for line in shown.splitlines() if line and not line.startswith(" ")]
    assert headings == ["NAME", "SEVERITY", "LOOKS FOR", "EXPLANATION", "ADVICE", "PARAMETERS", "TESTS", "LINKS"]
    assert max(map(len, shown.splitlines())) < 200
    assert "thresholds: {ssh-bruteforce: {times: 30}}" in shown
    result = analyze("rules", "show", "ssh-brutforce")
    assert result.returncode == 2 and "did you mean 'ssh-bruteforce'?" in result.stderr


def test_rules_list_filters_by_component_and_severity():
    lines = analyze("rules", "list", "--component", "memory", "--min-severity", "critical").stdout.splitlines()
    assert lines
    assert all(line.split()[1:3] == ["critical", "memory"] for line in lines)


def test_a_rule_of_a_site_replaces_the_one_of_its_id_and_the_list_says_so(host, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    rule(first, "disk-io-error", "The first")
    rule(second, "disk-io-error", "The second")
    assert findings("--rules", first, host)["disk-io-error"]["title"] == "The first"
    packs = ("--rules", first, "--rules", second)
    assert findings(*packs, host)["disk-io-error"]["title"] == "The second"
    line = [x for x in analyze("rules", "list", *packs).stdout.splitlines() if x.startswith("disk-io-error")]
    assert line[0].endswith(f"The second  [{second}/disk-io-error.yaml, replaces {first}/disk-io-error.yaml]")
    assert set(findings("--no-default-rules", *packs, host)) == {"disk-io-error"}


def test_rules_test_reports_like_a_test_runner(tmp_path):
    path = rule(tmp_path, device="sdb")
    result = analyze("rules", "test", path)
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "1 rule", "FAIL  rule my-rule: test 1", f"      at {path}:10",
        "      expected: device=sdb", "      got:      1 finding: 'Mine' (device=sda)", "1 test passed, 1 failed"]
    tap = analyze("rules", "test", "--format", "tap", path).stdout.splitlines()
    assert tap[:3] == ["TAP version 13", "1..2", "not ok 1 - rule my-rule: test 1"]
    assert tap[-1] == "ok 2 - rule my-rule: test 2, a healthy line \\# not one"
    suite = ET.fromstring(analyze("rules", "test", "--format", "junit", path).stdout).find("testsuite")
    assert suite.get("tests") == "2" and suite.get("failures") == "1"
    failure = suite.find("testcase/failure")
    assert failure.get("message") == "expected: device=sdb"
    assert f"{path}:10" in failure.text


def test_a_format_that_a_command_does_not_have_is_refused(host):
    assert analyze("rules", "test", "--format", "html").returncode == 2
    assert analyze("--format", "tap", host).returncode == 2
    for command in (("rules", "list"), ("rules", "show", "root-fs-full"), ("rules", "lint"), ("tables",), ("explain", "root-fs-full", host)):
        for option in (("--format", "json"), ("--output", "out.txt")):
            result = analyze(*command, *option)
            assert result.returncode == 2 and "other commands print text to standard output" in result.stderr, command


def test_a_mistyped_command_is_no_report_that_cannot_be_found(host):
    result = analyze("explan", "root-fs-full", host)
    assert (result.returncode, result.stdout) == (2, "")
    assert "there is no command and no report 'explan'; did you mean 'explain'?" in result.stderr
    assert "did you mean" not in analyze("report.zip", host).stderr


def test_without_any_rule_there_is_nothing_to_say_of_a_report(host):
    result = analyze("--no-default-rules", host)
    assert (result.returncode, result.stdout) == (2, "")
    assert "leaves no rule to ask; name others with --rules" in result.stderr
    assert analyze("--no-default-rules", "--query", "SELECT 1 AS a", host).returncode == 0


def reports_of_two_days(tmp_path):
    """The same host before and after: a disk more that fails, packages that changed, no df any more."""
    before, after = tmp_path / "before/host1", tmp_path / "after/host1"
    write(before / "var/log/kern.log", OOM + DISK)
    write(before / "df-alT.out", DF)
    write(before / "rpm-qa.out", "bash-4.2-1.x86_64\nkernel-4.19.19-7.x86_64\nkernel-4.19.18-1.x86_64\nfoo-1-1.noarch\n")
    write(after / "var/log/kern.log", OOM + DISK.replace("sda", "sdb"))
    write(after / "rpm-qa.out", "bash-4.2-1.x86_64\nkernel-4.19.20-7.x86_64\nbar-1-1.noarch\n")
    return before, after


def test_a_baseline_tells_new_still_gone_and_lost_findings_apart(tmp_path):
    before, after = reports_of_two_days(tmp_path)
    found = verdict("--only", "dom0-oom-kill,disk-io-error,root-fs-full", "--baseline", before, after)
    assert {(f["rule"], f["values"].get("device"), f["change"]) for f in found["findings"]} == {
        ("dom0-oom-kill", None, "still"), ("disk-io-error", "sdb", "new")}
    past = {p["rule"]: p for p in found["baseline"]["past"]}
    assert past["disk-io-error"]["title"] == "Disk sda returns I/O errors"
    assert past["disk-io-error"]["lost"] is None
    assert past["root-fs-full"]["lost"] == "no df-alT.out in the report"


def test_all_reports_of_a_baseline_are_named_that_could_be_read(tmp_path):
    before, after = reports_of_two_days(tmp_path)
    write(tmp_path / "other/var/log/kern.log", OOM)
    write(tmp_path / "broken.zip", "none")
    before, after = (path.relative_to(tmp_path) for path in (before, after))
    asked = ("--only", "dom0-oom-kill", "--baseline", before, "--baseline", "broken.zip", "--baseline", "other", after)
    assert json.loads(analyze("--format", "json", *asked, cwd=tmp_path).stdout)["baseline"]["paths"] == [str(before), "other"]
    for form, names in (("text", f"{before}, other"), ("markdown", f"{before}, other"), ("html", f"{before}</code>, <code>other")):
        assert names in analyze("--format", form, *asked, cwd=tmp_path).stdout, form


def test_a_baseline_shows_what_differs_where_both_have_the_data(tmp_path):
    before, after = reports_of_two_days(tmp_path)
    write(after / "proc/cmdline", "root=/dev/sda1 quiet\n")
    differences = verdict("--baseline", before, after)["baseline"]["differences"]
    assert [(d["host"], d["area"], d["object"], d["before"], d["now"]) for d in differences] == [
        ("host1", "packages", "bar", None, "1-1"),
        ("host1", "packages", "foo", "1-1", None),
        ("host1", "packages", "kernel", "4.19.18-1, 4.19.19-7", "4.19.20-7")]


def test_a_report_does_not_differ_from_itself():
    pool = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "samples/pool-problems.zip"
    found = verdict("--baseline", pool, pool)
    assert found["findings"]
    assert found["baseline"]["differences"] == []
    assert found["baseline"]["past"] == []
    assert {f["change"] for f in found["findings"]} <= {"still"}


def test_a_host_without_a_report_now_is_lost_sight_of(tmp_path):
    before, _ = reports_of_two_days(tmp_path)
    other = tmp_path / "now/host2"
    write(other / "var/log/kern.log", "Nov  2 10:00:00 host2 kernel: fine\n")
    past = verdict("--only", "dom0-oom-kill", "--baseline", before, other)["baseline"]["past"]
    assert [(p["rule"], p["lost"]) for p in past] == [("dom0-oom-kill", "no report of host1")]


def test_a_baseline_that_cannot_be_read_is_said_and_costs_nothing_else(host, tmp_path):
    broken = write(tmp_path / "old.zip", "this is no archive")
    result = analyze("--format", "json", "--only", "dom0-oom-kill", "--baseline", broken, host)
    assert result.returncode == 1
    assert f"xen-analyze: {broken}: no baseline could be read, so nothing is said of what changed\n" in result.stderr
    assert json.loads(result.stdout)["baseline"] is None
    assert [note["place"] for note in json.loads(result.stdout)["notes"]] == [str(broken)]


def test_explain_shows_why_a_log_rule_failed(host):
    result = analyze("explain", "disk-io-error", host)
    assert result.returncode == 1
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "failed: what it looks for is there" in lines
    assert f"var/log/kern.log: {len(OOM + DISK)} bytes" in lines
    assert "1 line matches" in " ".join(lines)
    assert any(line.startswith("var/log/kern.log:2  2026-11-02T10:11:12") or "var/log/kern.log:2" in line for line in lines)
    assert [line for line in lines if line.startswith("error: ")] == ["error: Disk sda returns I/O errors"]


def test_explain_shows_how_many_lines_a_rule_takes(host):
    lines = [line.strip() for line in analyze("explain", "nvme-io-timeout", host).stdout.splitlines()]
    assert "but not completion polled" in lines
    assert "it takes 2 of them with the same device within 10m" in lines


def test_explain_shows_the_tables_and_rows_of_a_query(host):
    shown = analyze("explain", "root-fs-full", host).stdout
    assert "percent = 90" in shown
    assert "host: 1 row\n" in shown
    assert "df-alT.out: " in shown
    assert "filesystem=/dev/sda1 use_percent=93" in shown


def test_explain_shows_what_an_unknown_rule_lacks(tmp_path):
    write(tmp_path / "host/var/log/kern.log", OOM)
    shown = analyze("explain", "root-fs-full", tmp_path / "host").stdout
    assert "unknown: no df-alT.out in the report" in shown
    assert "df-alT.out: not in the report" in shown


def test_explain_shows_condition_and_facts(host):
    shown = analyze("explain", "sr-full-44", host).stdout
    assert "Applies where is_xen IS NOT 0" in shown
    assert "is_xen = " in shown


def test_explain_shows_the_threshold_and_the_suppression_that_count(host, tmp_path):
    site = write(tmp_path / "site.yaml", "thresholds: {root-fs-full: {percent: 80}}\n")
    excuse = write(tmp_path / "s.yaml", "- {rule: root-fs-full, reason: it is small, owner: me, expires: 2999-01-01}\n")
    result = analyze("explain", "root-fs-full", "--site", site, "--suppress", excuse, host)
    assert result.returncode == 0
    assert f"percent = 80, set by {site}:1:38 (the rule has 90)" in " ".join(result.stdout.split())
    assert "suppressed: it is small, by me, until 2999-01-01" in result.stdout


def test_explain_needs_a_rule_that_exists_and_a_report(host):
    result = analyze("explain", "root-fs-ful", host)
    assert result.returncode == 2 and "did you mean 'root-fs-full'?" in result.stderr
    assert analyze("explain", "root-fs-full").returncode == 2


def remarks(path):
    result = analyze("rules", "lint", path)
    assert result.returncode == 2, result.stdout
    return [line.split(": ", 1) for line in result.stdout.splitlines()[:-1]]


def test_lint_tells_what_is_wrong_with_a_rule_and_where(tmp_path):
    path = write(tmp_path / "my-rule.yaml", """id: my-rule
title: Mine
component: storage
severity: error
params: {unused: 3}
log: {files: [var//log/messages, var/log/daemon.log.1], match: '(a+)+'}
explains: [disk-io-error, disk-io-eror]
""")
    place = str(path)
    assert remarks(path) == [
        [f"{place}:1:1", "rule 'my-rule' has no 'explanation': say why it matters"],
        [f"{place}:1:1", "rule 'my-rule' has no 'advice': say what to do"],
        [f"{place}:1:1", "rule 'my-rule' has no 'links': say where it is known from"],
        [f"{place}:1:1", "rule 'my-rule' has no test that it must find"],
        [f"{place}:1:1", "rule 'my-rule' has no look-alike that it must not find (expect: none)"],
        [f"{place}:6:64", "a repetition inside a repetition, as in (a+)+, can take for ever on a line that nearly fits;"
                          " repeat only one of them"],
        [f"{place}:6:64", "nothing in the pattern is fixed, so it fits lines of every kind; name words of the message"],
        [f"{place}:6:64", "'var//log/messages' finds no file: no path in a report has '//' or '..'"],
        [f"{place}:6:64", "'var/log/daemon.log.1' finds no file: rotations and compression are implied; leave the suffix out"],
        [f"{place}:5:10", "the parameter is not used; write '{unused}' where it counts"],
        [f"{place}:5:10", "the parameter 'unused' has no 'description'"],
        [f"{place}:7:27", "there is no rule 'disk-io-eror'; did you mean 'disk-io-error'?"]]


def test_lint_tells_what_a_query_does_not_give_and_which_test_is_none(tmp_path):
    path = write(tmp_path / "my-rule.yaml", """id: my-rule
title: '{host}, {mount}, {use}'
component: storage
severity: error
query: SELECT host, mount, use_percent FROM df
by: filesystem
optional: [df, mounts]
explains: [{disk-io-error: device}]
explanation: '{use_percent} of {size} is used'
advice: "`awk '{print $1}'`, `echo ${home}`"
links: [https://docs.xcp-ng.org/]
tests:
  - {files: {df-alT.out: ''}, expect: nothing}
  - {file: {df-alT.out: ''}, expect: none}
  - {files: {df-alT.out: ''}, expect: {mount: /}}
""")
    assert [(place.removeprefix(f"{path}:"), text) for place, text in remarks(path)] == [
        ("13:39", "expected 'none', a map of values, or a list of such maps"),
        ("14:6", "unknown key 'file'; did you mean 'files'?"),
        ("2:8", "'host' says where the proof stands and is no value; give the query a column of another name, 'host AS its_host'"),
        ("2:8", "the query has no column 'use' that could be shown"),
        ("9:14", "the query has no column 'size' that could be shown"),
        ("8:12", "the query has no column 'device' that could be shown"),
        ("6:5", "the query has no column 'filesystem', so all its rows would be one finding"),
        ("7:11", "the query reads no table 'mounts'"),
        ("5:8", "the query has no column 'path': select host, path and line of the row that proves it")]


def test_lint_blames_no_rule_for_the_wrong_query_of_another(tmp_path):
    for name, column in (("a", "no_such"), ("b", "path")):
        log = "log: {files: [$kernel], match: 'I/O error, dev (?<device>sd\\w)'}"
        text = RULE.format(id=name, title="t", device="sda")
        assert log in text
        write(tmp_path / f"{name}.yaml", text.replace(log, f"logs: {{ours: {log[5:]}}}\nquery: SELECT host, {column}, line, device FROM ours"))
    assert [place.split("/")[-1] for place, _ in remarks(tmp_path)] == ["a.yaml:6:8"]


def test_lint_knows_where_a_log_lies(tmp_path):
    path = write(tmp_path / "my-rule.yaml", RULE.format(id="my-rule", title="t", device="sda").replace("$kernel", "daemon.log, dmesg.out"))
    assert [text for _, text in remarks(path) if "daemon" in text or "dmesg" in text] == [
        "'daemon.log' would lie at the top of the report; write 'var/log/daemon.log'"]


def test_lint_looks_at_tables_too(tmp_path):
    path = write(tmp_path / "mine/tables/other.yaml", TABLE[:TABLE.index("tests:")].replace("description: Settings of the kernel\n", ""))
    assert remarks(tmp_path / "mine") == [
        [f"{path}:1:1", "the file of table 'sysctl' should be called 'sysctl.yaml'"],
        [f"{path}:1:1", "table 'sysctl' has no 'description': say what its rows are"],
        [f"{path}:1:1", "table 'sysctl' has no test: a file and the rows it gives"]]


def test_lint_looks_into_tables(tmp_path):
    path = write(tmp_path / "mine/tables/mine.yaml", r"""
table: mine
description: Things
files: [var/../mine, mine.out, mine.out.gz]
mode: lines
row:
  - '^(?<name>\w+) (?<size>\d+)$'
  - '^(?<name>(\w+)+): (?<size>\d+)$'
columns: {name: {type: text, description: of the thing}, size: {type: integer, description: bytes}}
tests:
  - files: {mine.out: "a 1"}
    rows: [{name: a}]
""")
    assert remarks(tmp_path / "mine") == [
        [f"{path}:4:8", "'var/../mine' finds no file: no path in a report has '//' or '..'"],
        [f"{path}:4:8", "'mine.out.gz' finds no file: rotations and compression are implied; leave the suffix out"],
        [f"{path}:8:5", "a repetition inside a repetition, as in (a+)+, can take for ever on a line that nearly fits;"
                        " repeat only one of them"],
        [f"{path}:8:5", "no line of the table's tests matches this pattern"],
        [f"{path}:9:58", "no test of table 'mine' looks at column 'size'"]]
    assert analyze("rules", "lint").stdout.endswith(" 0 remarks\n")


def test_lint_names_columns_that_nobody_can_understand(tmp_path):
    path = write(tmp_path / "mine/tables/sysctl.yaml", TABLE.replace("value: {description: as text}", "value: text"))
    assert remarks(tmp_path / "mine") == [
        [f"{path}:6:52", "column 'value' has no 'description': say what it holds, in which unit, and what NULL means"]]
    assert analyze("rules", "lint", path.parent.parent).stdout.endswith("0 rules, 1 remark\n")


def test_every_column_of_a_table_or_list_says_what_it_holds():
    names = [line.split()[0] for line in analyze("tables").stdout.splitlines()]
    pages = dict(zip(names, analyze("tables", *names).stdout.split("NAME\n")[1:], strict=True))
    silent = {name: re.findall(r"^    (\w+) +[a-z]+$", page.split("COLUMNS\n")[1].split("\n\n")[0], re.M) for name, page in pages.items()}
    assert {name: columns for name, columns in silent.items() if columns and not name.startswith("xapi_")} == {}
    assert "cbt_enabled" in silent["xapi_vdi"]                          # a class has its own documentation, but not at hand
    assert re.search(r"virtual_size +integer +bytes", pages["xapi_vdi"]) and "OpaqueRef:NULL is none" in pages["xapi_vdi"]
    assert re.search(r"memory__static_max +integer +bytes", pages["xapi_vm"])


def test_a_page_of_a_table_is_as_wide_as_the_terminal(tmp_path):
    shown = on_terminal("tables", "df", "hosts", "smart_health", "xapi_host", "sr_error_codes")
    assert [line for line in shown + on_terminal("tables") if len(line) > 80] == []
    (tmp_path / "df-alT.out").write_text(DF)
    query = "\n".join(shown).split("--query '")[1].split("' REPORT")[0]
    assert query.count("\n") == 2                                       # it is longer than a line
    assert analyze("--query", query, tmp_path).stdout.split()[-1] == "18300000"


def test_the_sample_query_of_a_sites_table_brings_the_table(tmp_path):
    mine = tmp_path / "site's rules"
    write(mine / "tables/sysctl.yaml", TABLE)
    write(tmp_path / "report/sysctl-A.out", "vm.swappiness = 10\n")
    shown = analyze("--rules", mine, "tables", "sysctl").stdout
    command = shown.split("SAMPLE QUERY\n")[1].strip().replace("REPORT", str(tmp_path / "report"))
    result = subprocess.run(["/bin/sh", "-c", command], env={"PATH": str(BIN)}, capture_output=True, text=True)
    assert (result.returncode, result.stdout.split()[-3:]) == (0, ["report", "vm.swappiness", "10"]), result.stderr
    assert "--rules" not in analyze("--rules", mine, "tables", "df").stdout


def test_a_site_adds_rows_to_a_list(host, tmp_path):
    write(tmp_path / "mine/lists/ours.yaml", "list: release_support\nrows:\n  - [Ours, '1.0', '2020']\n")
    query = "SELECT count(*) AS n, sum(brand = 'Ours') AS ours FROM release_support"
    with_ours, without = (json.loads(analyze(*rules, "--format", "json", "--query", query, host).stdout)[0]
                          for rules in (["--rules", tmp_path / "mine"], []))
    assert with_ours == {"n": without["n"] + 1, "ours": 1} and without["ours"] == 0
    shown = analyze("--rules", tmp_path / "mine", "tables", "release_support").stdout
    assert f"1 from {tmp_path}/mine/lists/ours.yaml" in " ".join(shown.split())
    assert "release_support" in analyze("tables").stdout


def test_lint_looks_into_lists(tmp_path):
    path = write(tmp_path / "mine/lists/my_list.yaml", """
list: disks
date: 2026-11-22
description: Disks
sources: [ftp://disks.example/]
columns: {model: {description: as the disk says}, hours: integer}
rows: [[A, 12], [B, ''], [C, many], [A, 12]]
""")
    more = write(tmp_path / "mine/lists/other.yaml", "list: disks\nrows: [[B, '']]\n")
    assert remarks(tmp_path / "mine") == [
        [f"{path}:2:1", "the file of list 'disks' should be called 'disks.yaml'"],
        [f"{path}:5:11", "'ftp://disks.example/' is no https:// address"],
        [f"{path}:6:51", "column 'hours' has no 'description': say what it holds, in which unit, and what empty means"],
        [f"{path}:7:30", "'many' is no number, as column 'hours' has them"],
        [f"{path}:7:37", f"list 'disks' has this row already, in {path}:7"],
        [f"{more}:2:8", f"list 'disks' has this row already, in {path}:7"]]


def test_a_parameter_without_quotes_and_a_time_that_is_none_are_told(tmp_path):
    for line, wanted in (("at_least: {times}", "7:13: a parameter needs quotes here: '{name}'"),
                         ("within: {window}", "7:11: a parameter needs quotes here: '{name}'"),
                         ("within: 10 minutes", "7:11: expected a time such as 90, 10m or 2h")):
        text = RULE.format(id="my-rule", title="t", device="sda")
        log = "log: {files: [$kernel], match: 'I/O error, dev (?<device>sd\\w)'}"
        assert log in text
        path = write(tmp_path / "my-rule.yaml", text.replace(log, f"log:\n  files: [$kernel]\n  {line}\n  match: 'I/O error, dev'"))
        assert wanted in analyze("rules", "lint", path).stderr


def test_lint_finds_unknown_columns_and_rules_of_one_id(tmp_path):
    path = write(tmp_path / "my-rule.yaml", RULE.format(id="my-rule", title="t", device="sda").replace(
        "log: {files: [$kernel], match: 'I/O error, dev (?<device>sd\\w)'}", "query: SELECT host, no_such FROM df"))
    assert any("no such column: no_such" in text for _, text in remarks(path))
    rule(tmp_path / "a", "same"), rule(tmp_path / "b", "same")
    result = analyze("rules", "lint", tmp_path)
    assert result.returncode == 2
    assert "ids are unique" in result.stderr


def test_a_pattern_that_only_attacks_the_compiler_is_refused(tmp_path):
    text = RULE.format(id="my-rule", title="t", device="sda")
    for pattern in ("(" * 40 + "a" + ")" * 40, "a" * 5000):
        path = write(tmp_path / "my-rule.yaml", text.replace("I/O error, dev (?<device>sd\\w)", pattern))
        result = analyze("rules", "lint", path)
        assert result.returncode == 2
        assert f"{path}:5:" in result.stderr
    path = write(tmp_path / "my-rule.yaml", text.replace("I/O error, dev", "error x{2000}"))
    assert any("a repeat of 2000" in text for _, text in remarks(path))


TABLE = """table: sysctl
description: Settings of the kernel
files: [sysctl-A.out]
mode: lines
row: '^(?<name>\\S+) = (?<value>.*)$'
columns: {name: {description: as sysctl calls it}, value: {description: as text}}
tests:
  - files: {sysctl-A.out: "vm.swappiness = 60\\n"}
    rows: [{name: vm.swappiness, value: 60}]
"""

ON_TABLE = """id: swappiness
title: vm.swappiness is {value}
component: memory
severity: info
query: SELECT host, path, line, value FROM sysctl WHERE name = 'vm.swappiness'
tests:
  - files: {sysctl-A.out: "vm.swappiness = 60\\n"}
    expect: {value: 60}
"""


def test_a_folder_of_rules_brings_its_tables(tmp_path):
    (tmp_path / "mine/tables").mkdir(parents=True)
    (tmp_path / "report").mkdir()
    write(tmp_path / "report/sysctl-A.out", "vm.swappiness = 10\n")
    table = write(tmp_path / "mine/tables/sysctl.yaml", TABLE)
    asked = ["--rules", tmp_path / "mine", "--query", "SELECT value FROM sysctl", tmp_path / "report"]
    assert analyze(*asked).stdout.split() == ["value", "10"]            # tables alone are enough
    write(tmp_path / "mine/swappiness.yaml", ON_TABLE)
    assert analyze(*asked).stdout.split() == ["value", "10"]
    assert "2 tests passed" in analyze("rules", "test", tmp_path / "mine").stdout
    assert "Settings of the kernel" in analyze("tables", "--rules", tmp_path / "mine", "sysctl").stdout
    write(table, TABLE.replace("value: 60}]", "value: 61}]"))
    assert analyze("rules", "test", tmp_path / "mine").stdout.splitlines()[1:4] == [
        "FAIL  table sysctl: test 1", f"      at {table}:9", "      row 1: value is '60', expected 61"]
    refused = analyze("--rules", table, tmp_path / "report")
    assert refused.returncode == 2 and "this is a table, not a rule" in refused.stderr
    (stray := tmp_path / "mine/release_support.yaml").write_text("list: release_support\nrows: [[XCP-ng, '8.2', '2026']]\n")
    refused = analyze("--rules", stray, tmp_path / "report")
    assert refused.returncode == 2 and "it belongs in a folder 'lists'" in refused.stderr


def test_the_tables_of_a_user_replace_built_in_ones(tmp_path):
    (tmp_path / "mine/tables").mkdir(parents=True)
    (tmp_path / "report").mkdir()
    write(tmp_path / "report/sysctl-A.out", "vm.swappiness = 10\n")
    write(tmp_path / "mine/tables/failed_units.yaml", TABLE.replace("table: sysctl", "table: failed_units"))
    query = ["--query", "SELECT value FROM failed_units", tmp_path / "report"]
    assert analyze("--rules", tmp_path / "mine", *query).stdout.split() == ["value", "10"]
    assert analyze(*query).returncode == 2
