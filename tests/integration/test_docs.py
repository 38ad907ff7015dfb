# SPDX-License-Identifier: LGPL-2.1-only
"""What is written agrees with what is there: options, statuses, paths, man pages, and what gets installed."""
import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
PAGES = {"xen-bugtool": SOURCE / "docs/man/xen-bugtool.8", "xen-analyze": SOURCE / "docs/man/xen-analyze.1",
         "xen-upload": SOURCE / "docs/man/xen-upload.8", "xen-healthcheck": SOURCE / "docs/man/xen-healthcheck.8"}
# Folders whose names start a path that a text means to be in the repository.
FOLDERS = ("analyzer", "cmake", "collector", "common", "docs", "healthcheck", "packaging", "rules", "samples", "scripts", "tests", "upload")


def long_options_of_help(program):
    result = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True)
    return set(re.findall(r"^ {1,2}(?:-\w, )?--([a-z-]+)", result.stdout, re.M))


def man_text(page):
    return page.read_text().replace("\\-", "-").replace("\\fR", "").replace("\\fI", "")


def described_options(page):
    """Options that have a paragraph of their own: those of the line after .TP."""
    heads = re.findall(r"^\.TP\n(.*)$", man_text(page), re.M)
    return [option for head in heads for option in re.findall(r"--([a-z][a-z-]*)", head)]


@pytest.mark.parametrize("program", PAGES)
def test_every_long_option_of_help_is_in_the_man_page_and_the_other_way_round(program):
    options = long_options_of_help(program)
    assert len(options) > 10
    assert sorted(described_options(PAGES[program])) == sorted(options)


@pytest.mark.parametrize("program", PAGES)
def test_man_pages_are_free_of_warnings(program):
    result = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", PAGES[program]], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    shown = subprocess.run(["groff", "-man", "-Tascii", "-P-c", "-P-b", "-P-u", PAGES[program]], capture_output=True, text=True, check=True)
    headings = re.findall(r"^([A-Z ]+)$", shown.stdout, re.M)
    for wanted in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"):
        assert wanted in headings


def test_the_page_of_the_health_checks_settings_has_every_key_of_the_sample():
    page = SOURCE / "docs/man/healthcheck.yaml.5"
    sample = (SOURCE / "packaging/healthcheck.yaml").read_text()
    sections = re.findall(r"^([a-z]+):$", sample, re.M)
    keys = re.findall(r"^  #([a-z_]+):", sample, re.M)
    assert len(keys) > 15 and re.findall(r"^\.SS (\w+)", page.read_text(), re.M) == sections
    assert re.findall(r"^\.TP\n\.BR (\w+) ", page.read_text(), re.M) == keys
    result = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", page], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_man_page_explains_every_status_of_the_manifest():
    source = (SOURCE / "collector/sources/outcome.c").read_text()
    statuses = set(re.findall(r'^ *\[OUTCOME_\w+\] = {"([a-z-]+)"', source, re.M))
    assert len(statuses) >= 12
    text = man_text(PAGES["xen-bugtool"])
    archive = text[text.index(".SH THE ARCHIVE"):text.index(".SH WHAT IT DOES")]
    heads = " ".join(re.findall(r"^\.TP\n\.BR? (.*)$", archive, re.M))
    assert statuses == set(re.findall(r"[a-z]+(?:-[a-z]+)*", heads))


def test_the_man_page_explains_every_field_of_the_status_and_every_one_is_always_there():
    schema = json.loads((SOURCE / "docs/healthcheck-status.schema.json").read_text())
    text = man_text(PAGES["xen-healthcheck"])
    section = text[text.index(".SH STATUS FOR PROGRAMS"):text.index(".SH FILES")]
    heads = " ".join(re.findall(r"^\.TP\n\.BR? (.*)$", section, re.M))
    assert set(re.findall(r"[a-z_]+", heads)) == set(schema["properties"]) == set(schema["required"])


def documents():
    tracked = subprocess.run(["git", "ls-files", "*.md"], cwd=SOURCE, capture_output=True, text=True)
    names = tracked.stdout.split() if tracked.returncode == 0 else []
    return names or [str(path.relative_to(SOURCE)) for path in SOURCE.glob("[!b]*/**/*.md")] + ["README.md", "CONTRIBUTING.md"]


def meant_paths(document):
    """Paths in Markdown links and in `code`; what has a placeholder in it means no file of its own."""
    text = (SOURCE / document).read_text()
    base = (SOURCE / document).parent
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            yield base, target
    for word in re.findall(r"`([^`\s]+)`", text):
        if word.split("/")[0] in FOLDERS and "/" in word and not re.search(r"[<>{}$\[\]…]|\.\.\.", word):
            yield SOURCE, word


def exists(base, path):
    path = path.rstrip("/")
    return any(base.glob(path)) if "*" in path else (base / path).exists()


def test_paths_in_the_documentation_lead_somewhere():
    meant = [(name, base, path) for name in documents() for base, path in meant_paths(name)]
    assert len(meant) > 20
    assert [f"{name}: {path}" for name, base, path in meant if not exists(base, path) and not exists(SOURCE / name / "..", path)] == []


def test_an_installation_has_programs_man_pages_and_both_names(tmp_path):
    subprocess.run(["cmake", "--install", BIN.parent, "--prefix", tmp_path], check=True, stdout=subprocess.DEVNULL)
    for name in ("xen-bugtool", "xenserver-status-report"):
        result = subprocess.run([tmp_path / "sbin" / name, "--version"], capture_output=True, text=True, check=True)
        assert result.stdout.startswith("xen-bugtool ")
        assert "xen\\-bugtool" in (tmp_path / "share/man/man8" / f"{name}.8").read_text()
    assert (tmp_path / "sbin/xenserver-status-report").is_symlink()
    subprocess.run([tmp_path / "sbin/xen-upload", "--version"], check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "share/man/man8/xen-upload.8").is_file()
    subprocess.run([tmp_path / "bin/xen-analyze", "--version"], check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "share/man/man1/xen-analyze.1").is_file()
    subprocess.run([tmp_path / "sbin/xen-healthcheck", "--version"], check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "share/man/man8/xen-healthcheck.8").is_file() and (tmp_path / "share/man/man5/healthcheck.yaml.5").is_file()
    assert (tmp_path / "share/doc/xenhealth/healthcheck.yaml").is_file()


def test_the_page_of_known_issues_is_as_the_rules_are():
    result = subprocess.run([SOURCE / "scripts/known-issues", "--check"], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


# What `...` stands for in the examples of docs/writing-rules.md.
OTHER_KEYS = """component: storage
severity: error
explanation: why
advice: what to do
links: [https://docs.xcp-ng.org/]
"""


def examples(document):
    blocks = re.findall(r"^```yaml\n(.*?)^```", (SOURCE / "docs" / document).read_text(), re.M | re.S)
    return [block.replace("\n...\n", "\n" + OTHER_KEYS) for block in blocks]


def rules(command, *arguments):
    return subprocess.run([BIN / "xen-analyze", "rules", command, *arguments], capture_output=True, text=True)


def test_the_examples_of_rules_and_tables_work_as_printed(tmp_path):
    tests = 0
    (tmp_path / "tables").mkdir()
    for text in examples("writing-rules.md") + examples("writing-tables.md"):
        if text.startswith("params:"):
            text = f"id: with-params\ntitle: '{{use_percent}}%'\n{OTHER_KEYS}{text}"
        example = yaml.safe_load(text)
        name = f"{example['id']}.yaml" if "id" in example else f"tables/{example['table']}.yaml" if "table" in example else None
        if name:
            (tmp_path / name).write_text(text)
            tests += len(example.get("tests", []))
    assert tests >= 6 and len(list(tmp_path.glob("**/*.yaml"))) >= 8
    result = rules("test", tmp_path)
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, f"{tests} tests passed, 0 failed")
    result = rules("lint", tmp_path)
    assert [line for line in result.stdout.splitlines()[:-1] if "has no test" not in line and "has no look-alike" not in line] == []
    assert result.stderr == ""


def test_the_example_of_a_sites_file_is_one(tmp_path):
    [site] = [text for text in examples("writing-rules.md") if text.startswith("thresholds:")]
    (tmp_path / "site.yaml").write_text(site)
    result = rules("list", "--site", tmp_path / "site.yaml")
    assert (result.returncode, result.stderr) == (0, "")


def test_the_examples_of_tests_pass_with_the_rules_they_are_about(tmp_path):
    blocks = [yaml.safe_load(text) for text in examples("writing-rules.md")]
    rule_of = {block["id"]: block for block in blocks if "id" in block}
    for name in ("disk-io-error", "crashdump-present"):
        rule_of[name] = yaml.safe_load(next(SOURCE.glob(f"rules/*/{name}.yaml")).read_text())
    about = ["disk-io-error", "disk-io-error", "disk-io-error", "crashdump-present", "pool-xen-differs"]
    [tests] = [block["tests"] for block in blocks if list(block) == ["tests"]]
    for number, (rule, test) in enumerate(zip(about, tests, strict=True)):
        path = tmp_path / f"{number}.yaml"
        path.write_text(yaml.safe_dump(rule_of[rule] | {"tests": [test]}))
        result = rules("test", path)
        assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "1 test passed, 0 failed"), result.stdout
