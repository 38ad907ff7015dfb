"""What a site adds to the rules: suppressions, thresholds, packs of its own; and how rules are looked at."""
import json
import os
import pathlib
import subprocess

import pytest

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
ANALYZE = BIN / "xen-analyze"

OOM = "Nov  2 10:00:00 host1 kernel: [   10.000000] Out of memory: Kill process 1419 (xapi) score 5 or sacrifice child\n"
DISK = "Nov  2 10:11:12 host1 kernel: [   42.500000] blk_update_request: I/O error, dev sda, sector 8\n"
DF = ("Filesystem     Type     1K-blocks    Used Available Use% Mounted on\n"
      "/dev/sda1      ext3      18448412 18300000    148412  93% /\n")


def analyze(*arguments, **keywords):
    return subprocess.run([ANALYZE, *map(str, arguments)], capture_output=True, timeout=60, text=True, **keywords)


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
