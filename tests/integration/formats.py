# SPDX-License-Identifier: LGPL-2.1-only
"""What each format must be, whatever stands in the reports. A check returns the document as its reader sees it.

Who reads it decides: a parser of the format where Debian or npm has one, else the rules of its specification.
"""
import csv
import io
import json
import os
import pathlib
import re
import unicodedata
import xml.etree.ElementTree

import html5lib
import jsonschema
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families

SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
SARIF_SCHEMA = SOURCE / "tests/integration/node/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"

OVERRIDES = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"


def validator(path, kind):
    schema = json.loads(path.read_text())
    kind.check_schema(schema)
    return kind(schema)


FINDINGS = validator(SOURCE / "docs" / "findings.schema.json", jsonschema.Draft202012Validator)
SARIF = validator(SARIF_SCHEMA, jsonschema.Draft4Validator)


def no_controls(text, allowed="\n"):
    """Nothing in it moves a cursor, changes colours, or reorders what a person sees."""
    bad = {c for c in text if unicodedata.category(c) in ("Cc", "Zl", "Zp")} - set(allowed)
    assert not bad and not set(text) & set(OVERRIDES), (bad, text[:200])


def strings(value):
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def check_text(output):
    no_controls(output)
    assert output.startswith("xen-analyze ")
    assert re.match(r"This result can ", output.split("\n")[1]), "trust comes first"
    return output


def check_json(output):
    document = json.loads(output)
    FINDINGS.validate(document)
    # Whoever prints the file, or puts it into a page, is safe as well.
    no_controls(output)
    assert not set(output) & set("<>&")
    return document


# --- HTML ---

def check_html(output):
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(output)
    assert [code for _, code, _ in parser.errors] == []
    for element in tree.iter():
        assert isinstance(element.tag, str), "a comment"
        assert element.tag not in ("script", "iframe", "object", "embed", "img", "base", "form", "template")
        for key, value in element.attrib.items():
            assert not str(key).startswith("on") and key != "style", key
            if str(key).endswith(("href", "src")):
                assert re.fullmatch(r"#[a-z0-9-]+|https://[!-~]+", value), value
    no_controls(output, "\n\t")
    return tree


# --- Markdown: GitHub's ---

# What GitHub links in finished text outside of code: mentions, numbers of issues, addresses.
REFERENCES = re.compile(r"(?<![\w`])@\w|#\w|\bGH-\d|www\.|://", re.I)


def check_markdown(output):
    no_controls(output)
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(output)
    kinds = set()
    for token in tokens:
        assert token.type not in ("html_block", "code_block"), token.content
        assert token.type not in ("heading_open", "heading_close") or token.markup[0] == "#", "a line became a heading"
        kinds.add(token.type)
        inside_link = False
        for child in token.children or []:
            assert child.type not in ("html_inline", "image", "s_open"), child.content
            kinds.add(child.type)
            if child.type == "link_open":
                assert child.markup == "autolink" and child.attrs["href"].startswith("https://")
            inside_link = child.type == "link_open" or inside_link and child.type != "link_close"
            if child.type == "text" and not inside_link:
                assert not REFERENCES.search(child.content), child.content
    assert "This result can" in output[:2000]
    return tokens


def markdown_shape(output):
    """Block structure and every inline element, without text."""
    shape = []
    for token in check_markdown(output):
        shape.append((token.type, token.tag))
        shape += [child.type for child in token.children or [] if child.type not in ("text", "code_inline", "softbreak")]
    return shape


# --- JUnit: what Ant's, Jenkins' and GitLab's readers have in common ---

JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"properties", "testcase"}),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"classname", "name", "time"}, {"failure", "error", "skipped"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "skipped": ({"message"}, set()),
}


def check_junit(output):
    no_controls(output, "\n\t")
    root = xml.etree.ElementTree.fromstring(output.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = JUNIT[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= children
        if element.tag == "testcase":
            assert len(element) <= 1, "a test has one result"
    suites = list(root)
    assert suites[0].get("name") == "data-quality", "what the reports are worth comes first"
    names = [suite.get("name") for suite in suites]
    assert len(names) == len(set(names))
    for holder in [root, *suites]:
        cases = list(holder.iter("testcase"))
        assert int(holder.get("tests")) == len(cases)
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(holder.get(count)) == len(list(holder.iter(tag)))
    return root


# --- SARIF: the published schema, and what only the text of the specification says ---

def check_sarif(output):
    document = json.loads(output)
    SARIF.validate(document)
    no_controls(output)
    for text in strings(document):
        no_controls(text, "\n\t")
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        # 3.11.6: [text](target) would be a link
        assert not re.search(r"(?<!\\)\]\(", result["message"]["text"])
        assert re.fullmatch(r"[0-9a-f]{32}", result["partialFingerprints"]["xenhealthFinding/v1"])
        for location in result.get("locations", []):
            check_uri(location["physicalLocation"]["artifactLocation"]["uri"])
            assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1
    (invocation,) = run["invocations"]
    notifications = invocation["toolExecutionNotifications"]
    assert notifications[0]["descriptor"]["id"] == "trust", "what the reports are worth comes first"
    for notification in notifications:
        if "associatedRule" in notification and "index" in notification["associatedRule"]:
            assert rules[notification["associatedRule"]["index"]]["id"] == notification["associatedRule"]["id"]
    return document


def check_uri(uri):
    """RFC 3986, relative, and no way out of the folder it is in."""
    assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+(?:/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)*", uri), uri
    assert not {".", ".."} & set(uri.split("/"))


# --- Prometheus: its parser, its conventions (as promtool checks them), and node_exporter's demands ---

def check_prometheus(output):
    no_controls(output)
    assert output.endswith("\n")
    families = list(text_string_to_metric_families(output))
    names = [family.name for family in families]
    assert len(names) == len(set(names)) and all(re.fullmatch("xenhealth_[a-z_]+", name) for name in names)
    seen = set()
    for family in families:
        assert family.documentation.endswith(".") and family.type == "gauge"
        assert not family.name.endswith(("_total", "_count", "_sum", "_bucket", "_info_total"))
        for sample in family.samples:
            assert sample.name == family.name and sample.timestamp is None
            series = (sample.name, tuple(sorted(sample.labels.items())))
            assert series not in seen, "a series occurs twice"
            seen.add(series)
            assert all(re.fullmatch("[a-z]+", label) and len(value) <= 480 for label, value in sample.labels.items())
    assert len(seen) < 2000, "the number of series is bounded"
    return families


# --- Nagios: Monitoring Plugins Development Guidelines ---

PERFORMANCE = re.compile(r"'?[^\s='\"]+'?=-?\d+(?:\.\d+)?(?:s|us|ms|%|B|KB|MB|TB|c)?(?:;-?[\d.:~@]*){0,4}")


def check_nagios(output):
    no_controls(output)
    assert output.endswith("\n") and output.count("\n") == 1 and len(output.encode()) < 1024
    text, bar, performance = output.rstrip("\n").partition(" | ")
    assert "|" not in performance
    # What Nagios calls illegal in macro output, and what its pages would take for HTML.
    assert not set(text) & set("`~$&|'\"<>")
    state = re.match(r"XENHEALTH (OK|WARNING|CRITICAL|UNKNOWN) - ", text)
    assert state, text
    for item in performance.split():
        assert PERFORMANCE.fullmatch(item), item
    return state[1], dict(item.split("=", 1) for item in performance.split())


# --- CSV: RFC 4180, and no formulas ---

def check_csv(output):
    no_controls(output, "\r\n")
    rows = list(csv.reader(io.StringIO(output, newline=""), strict=True))
    assert len({len(row) for row in rows}) <= 1
    for row in rows:
        for cell in row:
            if not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?(e[-+]?[0-9]+)?", cell):
                assert not re.match("[ ]*[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-]", cell), cell
    return rows


CHECKS = {
    "text": check_text,
    "json": check_json,
    "html": check_html,
    "markdown": check_markdown,
    "junit": check_junit,
    "sarif": check_sarif,
    "prometheus": check_prometheus,
    "nagios": check_nagios,
}
