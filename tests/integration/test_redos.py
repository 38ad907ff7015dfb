# SPDX-License-Identifier: LGPL-2.1-only
"""Rules with patterns that explode in a backtracking engine, against lines that make them: time stays bounded, and is told."""
import itertools
import json
import os
import subprocess

import pytest

ANALYZE = os.path.join(os.environ["XENHEALTH_BIN"], "xen-analyze")
SLOWER = 10 if b"__asan_init" in open(ANALYZE, "rb").read() else 1

# Bodies that have many ways to match the same text, and what may stand around them.
BODIES = ("(?:a+)+", "(?:a*)*", "(?:a|a)*", "(?:a|aa)+", "(?:a|a?)+", "(?:.*a){12}", "(?:a+a+)+", "(?:[a-z]+)*", "(?:[a-z]|a)+",
          "(?:\\w+\\s?)*", "(?:\\w|\\d)+", "(?:(?:a+)+)+", "(?:a{1,30}){1,30}", "(?:a.*)*", "(?:a?){30}a{30}", "(?:x+x+)+y|a*",
          "(?:.|a)*", "(?:[^b]+)+", "(?:a+b?)+", "(?:\\S+)*")
FRAMES = ("%s!", "^%s$!", "(%s)\\1b", "%s(?=!)b", "(?<=a)%s!", "\\b%s\\b!", "^(?:%s|b)+c!", "(?i:%s)Z!", "%s\\s+%s!", "(?>%s)b!", "x?%s[^a]$!")
PATTERNS = [frame.replace("%s", body) for body, frame in itertools.product(BODIES, FRAMES)]
LINES = ["a" * 40, "a" * 1000 + "b", "a" * 60000, "ab" * 20 + "c", "aA" * 500, " ".join(["a"] * 300), "a" * 30 + "!"]
RULE = "id: %s\ntitle: Nothing\ncomponent: storage\nseverity: info\nlog:\n  files: [var/log/SMlog]\n  match: '%s'\n"

REFUSED = {
    "a long pattern": "a" * 5000,
    "fifty-one levels": "(?:" * 51 + "a" + ")" * 51,
    "counted to sixty thousand": "(?:a{60000}){60000}",
    "counted in counted in counted": "(?:(?:(?:a{1000}){1000}){1000}){1000}",
    "sixty-five groups": "(a)" * 65,
    "missing parenthesis": "(a",
    "UTF": "(*UTF)a",
}


def run(folder, rules, lines):
    report = folder / "report" / "var" / "log"
    report.mkdir(parents=True)
    (report / "SMlog").write_text("\n".join(lines) + "\n")
    pack = folder / "rules"
    pack.mkdir()
    for name, pattern in rules.items():
        (pack / (name + ".yaml")).write_text(RULE % (name, pattern.replace("'", "''")))
    with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
        child = subprocess.Popen([ANALYZE, "--no-default-rules", "--rules", pack, "--format", "json", folder / "report"],
                                 stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, (folder / "out").read_text(), (folder / "err").read_text(), usage


def test_the_set_is_large():
    assert len(PATTERNS) >= 200


def test_a_pattern_that_was_given_up_does_not_pass(tmp_path):
    exploding, tame = "^(?=(?:a|aa)+$)a", "no such line"
    code, out, err, _ = run(tmp_path, {"explodes": exploding, "tame": tame}, ["a" * 60 + "!"] * 300)
    assert code == 0, err
    verdict = json.loads(out)
    (unknown,) = verdict["unknown"]
    assert unknown["rule"] == "explodes" and "was given up in var/log/SMlog of report" in unknown["reason"]
    assert [rule["outcome"] for rule in verdict["rules"]] == ["unknown", "pass"]


@pytest.mark.alike
@pytest.mark.parametrize("body", range(len(BODIES)))
def test_exploding_patterns_cost_little_and_are_told(tmp_path, body):
    mine = PATTERNS[body * len(FRAMES):(body + 1) * len(FRAMES)]
    code, out, err, usage = run(tmp_path, {"p%d" % n: pattern for n, pattern in enumerate(mine)}, LINES * 5)
    assert code == 0, err
    json.loads(out)
    assert usage.ru_utime + usage.ru_stime <= 8 * SLOWER
    assert usage.ru_maxrss <= 256 * 1024 * (6 if SLOWER > 1 else 1)


def test_a_pattern_that_was_given_up_is_a_problem_of_the_log(tmp_path):
    code, out, err, _ = run(tmp_path, {"p%d" % n: pattern for n, pattern in enumerate(PATTERNS[:len(FRAMES)])}, LINES)
    assert code == 0, err
    problems = json.loads(out)["reports"][0]["problems"]
    assert any("busy beyond the limits" in problem["text"] for problem in problems)


@pytest.mark.parametrize("what", REFUSED)
def test_patterns_that_blow_up_the_compiler_are_refused_with_a_reason(tmp_path, what):
    code, _, err, usage = run(tmp_path, {"p": REFUSED[what]}, ["a"])
    assert code == 2 and "p.yaml:" in err, err
    assert usage.ru_utime + usage.ru_stime <= 2 * SLOWER
    assert usage.ru_maxrss <= 256 * 1024 * (6 if SLOWER > 1 else 1)
