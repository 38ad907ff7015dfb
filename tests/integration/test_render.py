"""The renderers' documents, read by the readers they are for: an HTML parser, a JSON parser and the JSON schema.

Every text a report or a rule can bring in carries a hostile payload. The page with the payload must have exactly the
elements and attributes of the page without it.
"""
import json
import os
import pathlib
import re
import subprocess
import unicodedata

import html5lib
import jsonschema
import pytest

from formats import CHECKS

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
SAMPLE = BIN.parent / "tests" / "render_sample"

PAYLOADS = {
    "script": b"<script>alert(1)</script>",
    "attribute, double quotes": b'" onmouseover="alert(1)" x="',
    "attribute, single quotes": b"' onmouseover='alert(1)' x='",
    "attribute, no quotes": b" onerror=alert(1) ",
    "image": b"<img src=x onerror=alert(1)>",
    "svg": b"<svg/onload=alert(1)><a xlink:href='javascript:alert(1)'>",
    "end of our elements": b"</title></style></pre></code></svg></details></main></body></html><h1>x</h1>",
    "comment and CDATA": b"--><!-- ]]> <![CDATA[ <?php ?> <!doctype html>",
    "entities": b"&lt;script&gt;&#60;b&#62;&amp;&nosuch;&#x0;",
    "iframe": b"<iframe srcdoc='<script>alert(1)</script>'></iframe><base href=//evil.example/>",
    "meta": b"<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "template": b"{{constructor.constructor('alert(1)')()}} ${alert(1)} <%= 1 %>",
    "old encodings": b"+ADw-script+AD4- \xf6<\xbcscript>",
    "link": b"javascript:alert(1)//https://evil.example/\"><b>",
    "terminal colours": b"\033[31mred\033[0m\033[2J\033[1;1H",
    "terminal title and clipboard": b"\033]0;owned\007\033]52;c;aGk=\007\033P+q\033\\",
    "C1 controls": b"\xc2\x9b31m \xc2\x9d0;x\xc2\x9c raw \x9b31m",
    "other controls": b"\r\b\x7f\x01\x1f\x0c\v back\bspace",
    "bidirectional": "\u202egpj.exe\u202c \u2066x\u2069 \u200f\u061c\ufeff".encode(),
    "line separators": "a\u2028b\u2029c\x85d".encode() + b"\r\nFAKE: line",
    "not UTF-8": b"\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82",
    "lists and commands": b"\n\n- <b>x</b>\n1. <i>y</i>\n\n    <u>z</u>\n",
    "backticks": b"`<b>` `x",
    "long word": b"A" * 5000,
    "many brackets": b"<" * 500 + b">" * 500,
}


def render(form, payload, tmp_path):
    arguments = [SAMPLE, form]
    if payload:
        file = tmp_path / "payload"
        file.write_bytes(payload)
        arguments.append(file)
    return subprocess.run(arguments, capture_output=True, check=True, timeout=60).stdout


def parse(page):
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(page.decode("utf-8"))
    errors = [code for _, code, _ in parser.errors]
    return tree, errors


def elements(tree):
    """Every element with its attributes' names, and values where they could do something."""
    for element in tree.iter():
        if not isinstance(element.tag, str):
            yield "comment"
            continue
        attributes = sorted((str(k), v) for k, v in element.attrib.items())
        yield element.tag, tuple((k, v if k.endswith(("href", "id", "class", "http-equiv")) else "") for k, v in attributes)


# A payload with line breaks or marks of lists may add these, and only these, inside explanation and advice. A link
# that is not a plain address any more loses its element.
PROSE = {"p", "br", "code", "ul", "ol", "li", "pre", "span"}


def is_prose(entry):
    return entry != "comment" and entry[0] in PROSE and all(k in ("value", "class") for k, _ in entry[1])


def is_link(entry):
    return entry != "comment" and entry[0] == "a" and dict(entry[1]).get("href", "").startswith("https://")


def shape(page):
    return [e for e in elements(parse(page)[0]) if not is_prose(e) and not is_link(e)]


@pytest.mark.alike
@pytest.mark.parametrize("name", PAYLOADS)
def test_no_element_and_no_attribute_of_the_page_comes_from_data(name, tmp_path):
    plain = render("html", b"", tmp_path)
    page = render("html", PAYLOADS[name], tmp_path)
    assert shape(page) == shape(plain)
    tree, errors = parse(page)
    assert errors == []
    for element in tree.iter():
        if isinstance(element.tag, str):
            for key, value in element.attrib.items():
                assert not str(key).startswith("on") and key != "style"
                if str(key).endswith(("href", "src")):
                    assert re.fullmatch(r"#[a-z0-9-]+|https://[!-~]+", value), value
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]", page.decode())


@pytest.mark.alike
@pytest.mark.parametrize("name", PAYLOADS)
def test_json_is_valid_for_its_schema_whatever_the_bytes(name, tmp_path):
    output = render("json", PAYLOADS[name], tmp_path)
    document = json.loads(output.decode("utf-8"))
    schema = json.loads((SOURCE / "docs" / "findings.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    title = document["findings"][0]["title"]
    plain = "Storage repository iSCSI-SAN-01 lost all paths to its LUN"
    assert title.startswith(plain)
    try:
        assert title == plain + PAYLOADS[name].decode("utf-8")
    except UnicodeDecodeError:
        assert "\ufffd" in title


@pytest.mark.alike
@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("form", ["markdown", "junit", "sarif", "prometheus", "nagios"])
def test_every_text_of_a_verdict_may_be_hostile(form, name, tmp_path):
    """Baselines, differences, suppressions, outcomes: more than a report alone can bring in."""
    CHECKS[form](render(form, PAYLOADS[name], tmp_path).decode("utf-8"))


@pytest.mark.alike
@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("form", ["text", "colour"])
def test_text_has_no_control_characters_but_our_colours(form, name, tmp_path):
    output = render(form, PAYLOADS[name], tmp_path).decode("utf-8")
    ours = re.sub("\033\\[[0-9;]+m", "", output) if form == "colour" else output
    bad = {c for c in ours if unicodedata.category(c) in ("Cc", "Zl", "Zp") and c != "\n"}
    assert bad == set()
    assert not set(ours) & set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    if form == "colour":
        assert set(re.findall("\033\\[[0-9;]+m", output)) <= {
            "\033[0m", "\033[1m", "\033[2m", "\033[1;37;41m", "\033[1;31m", "\033[33m", "\033[36m", "\033[32m"}


@pytest.mark.alike
@pytest.mark.parametrize("name", PAYLOADS)
def test_a_hostile_report_stays_text_on_its_way_through_the_whole_program(name, tmp_path):
    payload = PAYLOADS[name].replace(b"\n", b" ").replace(b"/", b"|")[:60]
    log = os.fsencode(tmp_path) + b"/host" + payload + b"/var/log/kern.log"
    os.makedirs(os.path.dirname(log))
    with open(log, "wb") as file:
        file.write(b"Nov  2 10:00:00 host1 kernel: [   10.0] Out of memory: Kill process 1419 (x%s) score 5 or "
                   b"sacrifice child\n" % payload)
    results = {}
    for form in ("html", "json", "text"):
        run = subprocess.run([BIN / "xen-analyze", "--format", form, tmp_path], capture_output=True, timeout=60)
        assert run.returncode == 1, run.stderr
        results[form] = run.stdout.decode("utf-8")
    document = json.loads(results["json"])
    assert "dom0-oom-kill" in {f["rule"] for f in document["findings"]}
    jsonschema.Draft202012Validator(json.loads((SOURCE / "docs" / "findings.schema.json").read_text())).validate(document)
    assert not {c for c in results["text"] if unicodedata.category(c) == "Cc" and c != "\n"}
    page, errors = parse(results["html"].encode())
    assert errors == []
    allowed = {e if e == "comment" else e[0] for e in elements(parse(render("html", b"", tmp_path))[0])}
    for entry in elements(page):
        assert entry != "comment" and entry[0] in allowed | {"ol", "pre", "br", "li", "ul"}
        assert not any(key.startswith("on") or key == "style" for key, _ in entry[1])


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    page, errors = parse(render("html", b"", tmp_path_factory.mktemp("page")))
    assert errors == []
    return page


def test_headings_come_in_order(tree):
    levels = [int(e.tag[1]) for e in tree.iter() if re.fullmatch("h[1-6]", str(e.tag))]
    assert levels[0] == 1 and levels.count(1) == 1
    for before, after in zip(levels, levels[1:]):
        assert after <= before + 1


def test_every_internal_link_and_label_leads_somewhere(tree):
    ids = [e.attrib["id"] for e in tree.iter() if "id" in e.attrib]
    assert len(ids) == len(set(ids))
    for element in tree.iter():
        for key in ("href", "aria-labelledby"):
            target = element.attrib.get(key, "#")
            if key == "aria-labelledby" or target.startswith("#"):
                assert target.lstrip("#") in ids or target == "#"


def test_the_page_has_language_title_viewport_and_landmarks(tree):
    assert tree.attrib["lang"] == "en"
    assert tree.find("head/title").text == "Health of 3 hosts"
    names = {e.attrib.get("name") for e in tree.iter("meta")}
    assert {"viewport", "color-scheme"} <= names
    for landmark in ("header", "nav", "main", "footer"):
        assert tree.find(f".//{landmark}") is not None


def test_table_headers_have_a_scope_and_drawings_are_hidden_or_named(tree):
    headers = list(tree.iter("th"))
    assert headers and all(h.attrib.get("scope") in ("col", "row") for h in headers)
    for drawing in tree.iter("{http://www.w3.org/2000/svg}svg"):
        assert drawing.attrib.get("aria-hidden") == "true"


def luminance(colour):
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_text_colour_has_contrast_enough_in_both_palettes():
    css = (SOURCE / "analyzer" / "render" / "report.css").read_text()
    blocks = re.findall(r":root\s*\{([^}]*)\}", css)[:2]
    assert len(blocks) == 2
    for block in blocks:
        colour = dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})", block))
        for ground in ("page", "panel", "sunk"):
            for text in ("text", "soft", "link"):
                assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
        for severity in ("critical", "error", "warning", "info", "good"):
            assert contrast(colour[severity], colour[severity + "-soft"]) >= 4.5, severity
            assert contrast(colour[severity], colour["panel"]) >= 4.5, severity
            assert contrast(colour["on"], colour[severity]) >= 4.5, severity
