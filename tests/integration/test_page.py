# SPDX-License-Identifier: LGPL-2.1-only
"""The web page in a browser: accessible, inside its policy, readable at every width, light and dark, and on paper.

Headless Chromium opens the page of the sample pool and of made-up pools of 1 to 64 hosts (node/look.cjs); axe-core looks
for barriers. A page that is broken on purpose proves that each of the observations can fail.
"""
import json
import os
import pathlib
import subprocess

import html5lib
import pytest

from made_pool import make_pool

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
NODE = SOURCE / "tests" / "integration" / "node"
POOLS = {1: 1, 3: 24, 16: 240, 64: 2000}  # hosts: hours of logs
WIDTHS = [360, 800, 1400]
LARGEST = 2 * 1024 * 1024  # bytes of the page of 64 hosts

BROKEN = """<!DOCTYPE html><html><head><meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<meta charset="utf-8"></head><body><nav>x</nav><p style="color: red">inline</p><img src="https://example.invalid/x.png">
<script>document.title = 'ran'</script><svg width="2000" height="30"><text x="0" y="20">one</text><text x="3" y="20">two</text>
</svg><details><summary>more</summary></details></body></html>"""


def page_of(reports, file):
    run = subprocess.run([BIN / "xen-analyze", "--format", "html", "--output", file, *reports], capture_output=True, text=True,
                         timeout=120)
    assert run.returncode in (0, 1), run.stderr
    return file


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    made = {"sample": page_of([SOURCE / "samples" / "pool-problems.zip"], folder / "sample.html")}
    made["all"] = folder / "all.html"  # every part of the page, with a baseline, suppressed findings and problems
    made["all"].write_bytes(subprocess.run([BIN.parent / "tests" / "render_sample", "html"], capture_output=True, check=True,
                                           timeout=60).stdout)
    for hosts, hours in POOLS.items():
        made[hosts] = page_of(make_pool(folder / f"pool{hosts}", hosts, hours), folder / f"{hosts}.html")
    made["broken"] = folder / "broken.html"
    made["broken"].write_text(BROKEN)
    return made


@pytest.fixture(scope="module")
def seen(pages, tmp_path_factory):
    """The linter costs most: it sees all parts of the page in every way, and a real page in the two extreme ones."""
    plan = [{"file": str(pages["all"]), "widths": WIDTHS, "schemes": ["light", "dark"], "axe": True}]
    plan += [{"file": str(pages["sample"]), "widths": [width], "schemes": [scheme], "axe": True}
             for width, scheme in ((WIDTHS[0], "dark"), (WIDTHS[-1], "light"))]
    plan += [{"file": str(pages[hosts]), "widths": WIDTHS if hosts in (1, 64) else WIDTHS[:1], "schemes": ["light"], "axe": False}
             for hosts in POOLS]
    plan += [{"file": str(pages["broken"]), "widths": [360], "schemes": ["light"], "axe": True}]
    file = tmp_path_factory.mktemp("plan") / "plan.json"
    file.write_text(json.dumps(plan))
    run = subprocess.run(["node", NODE / "look.cjs", file], capture_output=True, text=True, timeout=500)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def whole(seen):
    return [look for look in seen if "broken" not in look["file"]]


@pytest.fixture(scope="module")
def broken(seen):
    return next(look for look in seen if "broken" in look["file"])


def told(look):
    return f"{pathlib.Path(look['file']).name} at {look['width']} px, {look['scheme']}"


def test_the_accessibility_linter_finds_nothing_at_any_width_light_or_dark(whole, broken):
    checked = [look for look in whole if "violations" in look]
    assert {(look["width"], look["scheme"]) for look in checked} == {(w, s) for w in WIDTHS for s in ("light", "dark")}
    for look in checked:
        assert look["violations"] == [], told(look)
    assert {entry.split(":")[0] for entry in broken["violations"]} >= {"document-title", "html-has-lang", "image-alt"}


def test_the_browser_reports_no_violation_of_the_policy_and_fetches_nothing(whole, broken):
    for look in whole:
        assert look["said"] == [] and look["asked"] == [], told(look)
    assert len([line for line in broken["said"] if "Content Security Policy" in line]) >= 3


def test_nothing_in_the_page_needs_the_policy_to_be_stopped(pages):
    for name, file in pages.items():
        tree = html5lib.parse(file.read_text(), namespaceHTMLElements=False)
        tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
        attributes = {str(key) for element in tree.iter() for key in element.attrib}
        active = tags & {"script", "iframe", "object", "embed", "link", "img", "form", "base"}
        inline = {key for key in attributes if key.startswith("on") or key in ("style", "src", "srcset", "action", "formaction")}
        assert bool(active or inline) == (name == "broken"), (name, active, inline)


def test_the_page_never_scrolls_sideways(whole, broken):
    for look in whole:
        for state in ("closed", "opened"):
            assert look[state]["overflow"] <= 0 and look[state]["wide"] == [], (told(look), state, look[state])
    assert broken["closed"]["overflow"] > 0


def test_texts_of_the_timeline_do_not_overlap_for_1_to_64_hosts(whole, broken):
    for look in whole:
        assert look["opened"]["overlaps"] == [], told(look)
        assert look["opened"]["texts"] >= 3, told(look)
    assert broken["closed"]["overlaps"] == ["one / two"]


def test_everything_folded_can_be_reached_and_opened(whole):
    for look in whole:
        assert look["open"]["details"] > 3, told(look)
        assert look["open"]["stuck"] == [], told(look)


def test_paper_is_white_and_shows_what_the_screen_folds(whole, broken):
    for look in whole:
        assert look["print"]["background"] == "rgb(255, 255, 255)", told(look)
        assert max(int(part) for part in look["print"]["text"][4:-1].split(",")) < 80, told(look)
        assert look["print"]["navigation"] == "none", told(look)
        assert look["print"]["closed"] > 0 and look["print"]["hidden"] == [], told(look)
    assert broken["print"]["navigation"] != "none"


def test_the_page_of_the_largest_pool_can_be_mailed(pages):
    text = pages[64].read_text()
    assert len(text.encode()) < LARGEST
    assert text.count('<div class="lane"><p class="host">') == 64
    assert text.count('<details class="finding') > 5


def test_a_host_that_starts_three_times_has_three_restarts(tmp_path):
    logs = tmp_path / "host" / "var" / "log"
    logs.mkdir(parents=True)
    boot = "Nov {day:2} 04:12:31 h kernel: [    0.000000] Linux version 4.19.0+1 (mockbuild@buildhost) (gcc version 11.2.1)\n"
    (logs / "kern.log").write_text("".join(boot.format(day=day) for day in (2, 5, 9)))
    (logs / "messages").write_text("".join(boot.format(day=day) for day in (2, 5, 9)))
    text = page_of([tmp_path / "host"], tmp_path / "page.html").read_text()
    assert "<strong>Restart</strong> 3" in text
