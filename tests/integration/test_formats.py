# SPDX-License-Identifier: LGPL-2.1-only
"""Every format of xen-analyze: a validator (formats.py) over good and bad reports, and a golden document.

The golden documents are of the sample pool with problems. After a change that is meant to change them:

    XENHEALTH_RENEW=1 ctest --preset dev -R integration.formats && git diff tests/integration/golden
"""
import functools
import json
import os
import pathlib
import re
import subprocess
import tempfile

import pytest

from formats import CHECKS, SOURCE

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
GOLDEN = SOURCE / "tests" / "integration" / "golden"
PROBLEMS = SOURCE / "samples" / "pool-problems.zip"
HEALTHY = SOURCE / "samples" / "pool-healthy.zip"
FORMATS = list(CHECKS)

# A handful of rules of all kinds keeps the documents short, and new rules from changing them.
GOLDEN_RULES = ["disk-medium-error", "disk-io-error", "ext4-errors", "root-fs-full", "cert-expires-soon", "ssh-bruteforce",
                "xen-panic", "ha-too-few-hosts"]


def analyze(*arguments):
    return subprocess.run([BIN / "xen-analyze", *arguments], capture_output=True, timeout=120, cwd=PROBLEMS.parent)


@functools.lru_cache
def documents(*arguments):
    """All formats, from one run: test_one_run_writes_all_formats shows that they are what each alone gives."""
    with tempfile.TemporaryDirectory() as folder:
        analyze(*(word for form in FORMATS for word in ("--format", form, "--output", f"{folder}/{form}")), *arguments)
        return {form: (pathlib.Path(folder) / form).read_text() for form in FORMATS}


def document(form, *arguments):
    return documents(*arguments)[form]


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """The pool's bundle without its end."""
    path = tmp_path_factory.mktemp("cut") / "cut.zip"
    path.write_bytes(PROBLEMS.read_bytes()[:-PROBLEMS.stat().st_size // 3])
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_valid_for_a_sick_pool(form):
    CHECKS[form](document(form, PROBLEMS))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_valid_for_a_healthy_pool(form):
    CHECKS[form](document(form, HEALTHY))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_valid_for_a_cut_report(form, cut):
    CHECKS[form](document(form, cut))


@pytest.fixture(scope="module")
def unjudged(tmp_path_factory):
    """A host of which no rule is told what it needs."""
    host = tmp_path_factory.mktemp("unjudged")
    (host / "var/log").mkdir(parents=True)
    (host / "var/log/SMlog").write_text("Nov  2 10:00:00 h SM: [1] hello\n")
    return host


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_valid_where_nothing_could_be_judged(form, unjudged):
    CHECKS[form](document(form, "--only", "root-fs-full", unjudged))


@functools.lru_cache
def ids():
    known = {line.split()[0] for line in analyze("rules", "list").stdout.decode().splitlines() if line}
    missing = set(GOLDEN_RULES) - known
    assert not missing, f"GOLDEN_RULES names rules that are gone: {missing}"
    return ",".join(GOLDEN_RULES)


def normal(output):
    """
    Without what differs from build to build: version, number of rules, and sizes (manifests say how long things took).
    And without the page's style sheet, which is nothing to read here.
    """
    version = re.search(r'VERSION (\d+\.\d+\.\d+)', (SOURCE / "CMakeLists.txt").read_text())[1]
    output = output.replace(version, "VERSION")
    output = re.sub(r'("rules": )\d{2,}', r"\1MANY", output)  # of the whole pack
    output = re.sub(r"VERSION \(\d+\)", "VERSION (MANY)", output)
    output = re.sub(r"\d+(\.\d+)? KiB", "SIZE", output)
    output = re.sub(r"<style>.*?</style>", "<style>STYLE</style>", output, flags=re.S)
    output = re.sub(r"sha256-[\w+/=]+", "sha256-DIGEST", output)
    return re.sub(r'("bytes": |report_size_bytes\{host="host\d"\} )\d+', r"\1SIZE", output)


@pytest.mark.parametrize("form", FORMATS)
def test_the_sample_pool_gives_the_golden_document(form):
    output = normal(document(form, "--only", ids(), PROBLEMS.name))
    path = GOLDEN / form
    if os.environ.get("XENHEALTH_RENEW"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(output)
    assert output == path.read_text(), f"see {__file__} for how to renew it"


# --- What the formats say ---

@pytest.fixture(scope="module")
def verdict():
    return CHECKS["json"](document("json", PROBLEMS))


def test_every_format_tells_the_same_findings(verdict):
    titles = {f["title"] for f in verdict["findings"]}
    rules = {f["rule"] for f in verdict["findings"]}
    text = " ".join(document("text", PROBLEMS).split())
    assert all(" ".join(title.split()) in text for title in titles)
    markdown = re.sub(r"\\(.)|&#8203;", r"\1", document("markdown", PROBLEMS))
    assert all(title.replace("`", "") in markdown.replace("`", "") for title in titles)
    junit = CHECKS["junit"](document("junit", PROBLEMS))
    assert {case.get("name") for case in junit.iter("testcase") if case.find("failure") is not None} == rules
    sarif = CHECKS["sarif"](document("sarif", PROBLEMS))["runs"][0]
    assert {result["ruleId"] for result in sarif["results"]} == rules
    assert len(sarif["results"]) == len(verdict["findings"])
    families = {f.name: f for f in CHECKS["prometheus"](document("prometheus", PROBLEMS))}
    told = {s.labels["rule"]: s.value for s in families["xenhealth_rule_findings"].samples}
    assert set(told) == rules and sum(told.values()) == len(verdict["findings"])
    _, performance = CHECKS["nagios"](document("nagios", PROBLEMS))
    for label, severity in (("critical", "critical"), ("errors", "error"), ("warnings", "warning"), ("info", "info")):
        count = sum(f["severity"] == severity for f in verdict["findings"])
        assert performance[label].split(";")[0] == str(count)
        sample = [s for s in families["xenhealth_findings"].samples if s.labels["severity"] == severity]
        assert sample[0].value == count


def test_every_rule_is_a_test_of_junit_and_a_rule_of_sarif(verdict):
    outcomes = {rule["rule"]: rule["outcome"] for rule in verdict["rules"]}
    assert len(outcomes) == verdict["coverage"]["rules"]
    junit = CHECKS["junit"](document("junit", PROBLEMS))
    for case in junit.iter("testcase"):
        if case.get("classname") == "data-quality":
            continue
        result = {"fail": "failure", "unknown": "skipped", "not-applicable": "skipped"}.get(outcomes[case.get("name")])
        assert [child.tag for child in case] == ([result] if result else [])
    rules = CHECKS["sarif"](document("sarif", PROBLEMS))["runs"][0]["tool"]["driver"]["rules"]
    assert {rule["id"]: rule["properties"]["outcome"] for rule in rules} == outcomes
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)


def test_a_cut_report_is_distrusted_in_every_format(cut):
    result = CHECKS["json"](document("json", cut))
    assert result["trust"]["level"] == "poor" and result["trust"]["problems"] > 0
    problems = [p for report in result["reports"] for p in report["problems"]]
    assert all(problem["effect"] for problem in problems)
    assert result["trust"]["unknown_by_problems"] <= result["coverage"]["unknown"]
    assert "hardly be trusted" in document("text", cut) and "hardly be trusted" in document("markdown", cut)
    junit = CHECKS["junit"](document("junit", cut))
    assert int(junit.get("errors")) == len(problems)
    invocation = CHECKS["sarif"](document("sarif", cut))["runs"][0]["invocations"][0]
    kinds = [n["descriptor"]["id"] for n in invocation["toolExecutionNotifications"]]
    assert {p["kind"] for p in problems} <= set(kinds)
    families = {f.name: f for f in CHECKS["prometheus"](document("prometheus", cut))}
    assert families["xenhealth_trust_level"].samples[0].value == 0
    assert "trust poor" in document("nagios", cut)


def test_what_a_timeout_costs_is_counted(tmp_path):
    """The rules that need a command's output are unknown because of its timeout, and the problem says how many."""
    host = tmp_path / "bug-report-20261120101112"
    (host / "var/log").mkdir(parents=True)
    (host / "var/log/kern.log").write_text("Nov 20 10:00:00 h kernel: hello\n")
    (host / "manifest.json").write_text(json.dumps({
        "schema": "xenhealth-manifest/1", "tool": {"name": "xen-bugtool", "version": "0.1.0"}, "host": {"name": "h"},
        "run": {"started": "2026-11-20T10:11:12+00:00"},
        "entries": [{"capability": "disk-info", "kind": "command", "source": "df -alT", "name": "df-alT.out",
                     "status": "timeout", "reason": "", "bytes": 0}]}))
    result = CHECKS["json"](document("json", "--only", "root-fs-full,log-fs-full,xen-panic", tmp_path))
    (problem,) = [p for p in result["reports"][0]["problems"] if p["kind"] == "timeout"]
    assert problem["unknown_rules"] == 2 and "2 rules are unknown because of it" in problem["effect"]
    # The third rule lacks a log, and the report lacks its inventory, as one that was cut does.
    assert result["trust"]["level"] == "poor" and result["trust"]["unknown_by_problems"] == 3


def test_suppressed_findings_are_skipped_tests_and_suppressed_results(tmp_path):
    excuse = tmp_path / "excuses.yaml"
    excuse.write_text("- rule: root-fs-full\n  reason: it is a test host\n  owner: storage team\n  expires: 2099-12-31\n")
    arguments = ["--only", "root-fs-full", "--suppress", excuse, PROBLEMS]
    junit = CHECKS["junit"](document("junit", *arguments))
    (skipped,) = junit.iter("skipped")
    assert skipped.get("message") == "suppressed: it is a test host"
    (result,) = CHECKS["sarif"](document("sarif", *arguments))["runs"][0]["results"]
    assert result["suppressions"] == [{"kind": "external", "status": "accepted",
                                       "justification": "it is a test host (storage team), until 2099-12-31"}]
    families = {f.name: f for f in CHECKS["prometheus"](document("prometheus", *arguments))}
    assert families["xenhealth_findings_suppressed"].samples[0].value == 1
    assert "it is a test host, storage team, until 2099-12-31" in document("text", *arguments)
    (finding,) = CHECKS["json"](document("json", *arguments))["findings"]
    assert (finding["suppressed_owner"], finding["suppressed_until"]) == ("storage team", "2099-12-31")
    done = analyze("--format", "nagios", *arguments)
    assert done.returncode == 0 and CHECKS["nagios"](done.stdout.decode())[0] == "OK"


# --- Nagios: the exit status is the message ---

def rule(severity):
    return f"""\
id: test-rule
title: Something is wrong
component: logs
severity: {severity}
log: {{files: [var/log/kern.log], match: trouble}}
explanation: Because.
advice: Look.
tests: [{{log: trouble, expect: {{}}}}, {{log: fine, expect: none}}]
"""


@pytest.mark.parametrize("severity, state, status",
                         [("info", "OK", 0), ("warning", "WARNING", 1), ("error", "CRITICAL", 2), ("critical", "CRITICAL", 2)])
def test_the_worst_finding_is_the_state_and_the_exit_status(severity, state, status, tmp_path):
    (tmp_path / "host/var/log").mkdir(parents=True)
    (tmp_path / "host/var/log/kern.log").write_text("Nov  2 10:00:00 h kernel: trouble\n")
    (tmp_path / "test-rule.yaml").write_text(rule(severity))
    done = analyze("--format", "nagios", "--no-default-rules", "--rules", tmp_path / "test-rule.yaml", "--fail-on", "never",
                   tmp_path / "host")
    assert (CHECKS["nagios"](done.stdout.decode())[0], done.returncode) == (state, status)


def test_a_healthy_pool_is_ok():
    done = analyze("--format", "nagios", HEALTHY)
    assert (CHECKS["nagios"](done.stdout.decode())[0], done.returncode) == ("OK", 0)


@pytest.mark.parametrize("arguments", [["/nonexistent/report.zip"], ["--only", "no-such-rule", PROBLEMS], []])
def test_without_a_verdict_the_state_is_unknown(arguments):
    done = analyze("--format", "nagios", *arguments)
    assert (CHECKS["nagios"](done.stdout.decode())[0], done.returncode) == ("UNKNOWN", 3)
    assert done.stderr


def test_where_nothing_could_be_judged_the_state_is_unknown_and_said_once(unjudged):
    done = analyze("--format", "nagios", "--only", "root-fs-full", unjudged)
    assert (CHECKS["nagios"](done.stdout.decode())[0], done.returncode) == ("UNKNOWN", 3)


def test_only_the_first_format_decides_the_exit_status(tmp_path):
    done = analyze("--format", "json", "--output", tmp_path / "j", "--format", "nagios", PROBLEMS)
    assert done.returncode == 1 and done.stdout.startswith(b"XENHEALTH CRITICAL")


# --- Outputs ---

def test_one_run_writes_all_formats(tmp_path):
    pairs = [word for form in FORMATS for word in ("--format", form, "--output", str(tmp_path / form))]
    done = analyze(*pairs, PROBLEMS)
    assert done.returncode == 1 and done.stdout == b"" and done.stderr == b""
    for form in FORMATS:
        assert (tmp_path / form).read_bytes() == analyze("--format", form, PROBLEMS).stdout


def test_two_formats_cannot_share_standard_output():
    done = analyze("--format", "json", "--format", "html", PROBLEMS)
    assert done.returncode == 2 and b"give the others an --output" in done.stderr and done.stdout == b""


def test_an_unknown_format_is_answered_with_the_known_ones():
    done = analyze("--format", "yaml", PROBLEMS)
    assert done.returncode == 2 and all(form.encode() in done.stderr for form in FORMATS)


def test_csv_is_for_queries_only():
    done = analyze("--format", "csv", PROBLEMS)
    assert done.returncode == 2 and b"--query" in done.stderr


@pytest.mark.parametrize("form", ["html", "json", "sarif"])
def test_a_reader_that_leaves_is_no_error_worth_a_word(form):
    """As `| head` does. Without Python's own handling of SIGPIPE, which a child would inherit."""
    command = f'"$1" --format {form} "$2" | head -c 10'
    done = subprocess.run(["sh", "-c", command, "sh", BIN / "xen-analyze", PROBLEMS], capture_output=True, timeout=120,
                          restore_signals=True)
    assert len(done.stdout) == 10 and done.stderr == b""
