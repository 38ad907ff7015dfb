# SPDX-License-Identifier: LGPL-2.1-only
"""Hostile content in every field that an attacker owns, in every format: it stays text.

Each payload goes through the whole program once, in eight fields at a time: the name of a file, the host's name, a line
of a log, a value taken out of it, the title of somebody's rule, an attribute of the inventory, a cell of a table, and the
reason of a suppression. What the formats promise is checked by formats.py, and the structure of each document must be
the one that harmless words give.
"""
import json
import os
import pathlib
import re
import subprocess

import pytest

from formats import CHECKS, check_csv, markdown_shape, no_controls
from payloads import PAYLOADS

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
BATCH = 20

RULE = """\
id: %(id)s
title: %(title)s
component: logs
severity: %(severity)s
%(shape)s
explanation: "Because of {word} and `{word}`."
advice: |
  1. Look at {word}
  2. then at `{word}`
tests: [{log: x, expect: none}]
"""

LOG_RULE = "log: {files: ['var/log/**'], match: 'trouble with (?<word>.*)'}"
TABLE_RULE = """\
query: |
  SELECT host, path, line, pretty_name AS word FROM os_release"""


def quoted(text):
    """A YAML text of any characters but NUL, which YAML refuses; bytes that are no text cannot be in YAML."""
    plain = text.decode("utf-8", "replace").translate({ord(c): None for c in "{}\0"})
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in plain) + '"'


def one_line(payload):
    return payload.replace(b"\n", b" ").replace(b"\0", b"")


def write_case(folder, payload):
    """A report, a rule and suppressions with the payload in all eight fields. Returns the arguments."""
    # A name that leads out of the report is refused: another test's matter.
    name = one_line(payload).replace(b"/", b"|").replace(b"..", b". .")[:60]
    host = os.fsencode(folder) + b"/report/host" + name
    for place in (b"/var/log/log" + name, b"/etc/os-release", b"/etc/xensource-inventory"):
        os.makedirs(os.path.dirname(host + place), exist_ok=True)
    flat = one_line(payload)
    files = {
        b"/var/log/log" + name: b"Nov  2 10:00:00 h kernel: trouble with x" + flat + b"\n",
        b"/etc/os-release": b'NAME="x"\nPRETTY_NAME="x' + flat.replace(b'"', b"") + b'"\n',
        b"/etc/xensource-inventory": b"PRODUCT_BRAND='x" + flat.replace(b"'", b"") + b"'\nPRODUCT_VERSION='1" + flat + b"'\n",
    }
    for path, content in files.items():
        with open(host + path, "wb") as file:
            file.write(content)
    rules = folder / "rules"
    rules.mkdir()
    for rule, severity, shape in (("in-log", "error", LOG_RULE), ("in-table", "warning", TABLE_RULE), ("excused", "error", LOG_RULE)):
        title = quoted(b"Trouble " + payload)[:-1] + ' {word}"'
        (rules / f"{rule}.yaml").write_text(RULE % {"id": rule, "title": title, "severity": severity, "shape": shape})
    excuses = folder / "excuses.yaml"
    excuses.write_text(f"- rule: excused\n  reason: {quoted(b'x' + payload)}\n  owner: {quoted(b'x' + payload[:50])}\n")
    return ["--no-default-rules", "--rules", rules, "--suppress", excuses, folder / "report"]


def run(folder, payload):
    arguments = write_case(folder, payload)
    pairs = [word for form in CHECKS for word in ("--format", form, "--output", folder / form)]
    done = subprocess.run([BIN / "xen-analyze", *pairs, *arguments], capture_output=True, timeout=120)
    assert done.returncode == 1, done.stderr
    return {form: (folder / form).read_bytes().decode("utf-8") for form in CHECKS}


def shape_of(form, document):
    """What a reader makes of a document, without its texts."""
    seen = CHECKS[form](document)
    if form == "junit":
        return [(element.tag, sorted(element.attrib)) for element in seen.iter()]
    if form == "prometheus":
        return [(family.name, len(family.samples), [sorted(s.labels) for s in family.samples]) for family in seen]
    if form == "nagios":
        return seen
    if form == "markdown":
        return markdown_shape(document)
    if form == "json":
        return [(f["rule"], f["severity"], f["count"], len(f["evidence"])) for f in seen["findings"]]
    if form == "sarif":
        (run_,) = seen["runs"]
        return [(r["ruleId"], r["level"], len(r["locations"]), sorted(r)) for r in run_["results"]]
    if form == "html":
        return sorted({str(element.tag) for element in seen.iter()})
    return None


@pytest.fixture(scope="module")
def harmless(tmp_path_factory):
    documents = run(tmp_path_factory.mktemp("harmless"), b"word")
    return {form: shape_of(form, document) for form, document in documents.items()}


def test_there_are_three_hundred_different_payloads():
    assert len(set(PAYLOADS.values())) >= 300


def test_the_harmless_word_is_in_every_field_of_the_json(tmp_path):
    documents = run(tmp_path, b"word")
    text = documents["json"]
    for piece in ("log/logword", '"hostword"', "trouble with xword", '"word": "xword"', "Trouble word", "1word", "xword", '"suppressed": "xword"'):
        assert piece in text, piece


@pytest.mark.alike
@pytest.mark.parametrize("start", range(0, len(PAYLOADS), BATCH))
def test_no_payload_is_active_in_any_format(start, harmless, tmp_path):
    for name in list(PAYLOADS)[start:start + BATCH]:
        folder = tmp_path / name
        folder.mkdir()
        documents = run(folder, PAYLOADS[name])
        for form, document in documents.items():
            try:
                assert shape_of(form, document) == harmless[form]
            except Exception as failure:
                raise AssertionError(f"payload {name} {PAYLOADS[name]!r} in {form}: {failure}") from failure


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A report whose list of packages has a payload a line, in the column `version`."""
    host = tmp_path_factory.mktemp("table") / "host"
    host.mkdir()
    lines = [b"x-" + str(i).encode() + b"\t" + re.sub(rb"[\t\n\0]", b" ", payload)[:500] + b"\tx86_64\n"
             for i, payload in enumerate(PAYLOADS.values())]
    (host / "dpkg-query-W.out").write_bytes(b"".join(lines))
    return host


def query(form, table):
    done = subprocess.run([BIN / "xen-analyze", "--format", form, "--query", "SELECT version, name, version FROM packages ORDER BY line", table],
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8")


def test_no_cell_of_a_query_is_a_formula_for_a_spreadsheet(table):
    rows = check_csv(query("csv", table))
    assert rows[0] == ["version", "name", "version"] and len(rows) > 300
    # Numbers stay numbers, negative ones too.
    assert {"-5", "1e5"} <= {row[0] for row in rows}


def test_rows_of_a_query_are_objects_of_json_whatever_is_in_them(table):
    rows = json.loads(query("json", table))
    assert len(rows) > 300 and all(set(row) == {"version", "name"} for row in rows)


def test_rows_of_a_query_are_lines_of_text_whatever_is_in_them(table):
    text = query("text", table)
    no_controls(text)
    assert text.count("\n") == len(json.loads(query("json", table))) + 1
