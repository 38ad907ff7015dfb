# SPDX-License-Identifier: LGPL-2.1-only
"""A rule must know a message, not one instance of it: the tests of every rule pass, too, when everything in their
texts that differs from host to host is another one: host names, process and thread numbers, identifiers, addresses,
devices, serial numbers, sectors, time since boot. What must be found is still found, look-alikes still are not."""

import os
import pathlib
import random
import re
import subprocess

import pytest
import yaml

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
RULES = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "rules"
AREAS = sorted(folder.name for folder in RULES.iterdir() if folder.is_dir() and folder.name not in ("tables", "formats", "lists"))

HEX = "0123456789abcdef"


def digits_like(text, choose):
    """A number of as many digits, which does not begin with 0: columns stay where they are."""
    return str(choose.randrange(10 ** (len(text) - 1) or 1, 10 ** len(text)))


def hex_like(text, choose):
    """Other hexadecimal digits in the same places, letters and capitals as they were."""
    def digit(match):
        old = match.group()
        new = choose.choice(HEX[:10] if old.isdigit() else HEX[10:])
        return new.upper() if old.isupper() else new
    return re.sub(r"[0-9a-fA-F]", digit, text)


def address_like(text, choose):
    """Another host of the same network."""
    network, host = text.rsplit(".", 1)
    while True:
        other = str(choose.randrange(2, 254))
        if len(other) == len(host) and other != host:
            return f"{network}.{other}"


def device_like(text, choose):
    """Another device of the same kind: sdb is sdk, eth0 is eth5, dm-4 is dm-7."""
    stem, unit = re.fullmatch(r"(sd|xvd|eth|dm-|nvme|md|host)(\w+)", text).groups()
    if unit.isdigit():
        return stem + digits_like(unit, choose)
    return stem + "".join(choose.choice("cdefghijk") for _ in unit)


# What varies, most specific first. Each pattern has one group: what is replaced.
VARIES = [
    (re.compile(r"(?<![0-9a-fA-F-])([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![0-9a-fA-F])"), hex_like),
    (re.compile(r"(?<![0-9a-fA-F:])((?:[0-9a-f]{2}:){5}[0-9a-f]{2})(?![0-9a-fA-F:])"), hex_like),
    (re.compile(r"(?<![\d.])((?:192\.0\.2|198\.51\.100|203\.0\.113|10\.\d{1,3}\.\d{1,3})\.\d{1,3})(?![\d.]*\d)"), address_like),
    (re.compile(r"\b(sd[a-z]{1,2}|xvd[a-z])(?=\d*\b)"), device_like),
    (re.compile(r"\b(eth\d|dm-\d{1,2})\b"), device_like),
    (re.compile(r"\b[RD]:([0-9a-f]{12})\b"), hex_like),
    (re.compile(r"\bsectors? (\d{3,})\b"), digits_like),
    # Guests as Xen and the toolstack name them; domain 0 stays, and so do Xen's special ones.
    (re.compile(r"\b(?:d|Dom|domid |domain )([1-9]\d{0,3})(?:v\d+)?\b(?!\.)"), digits_like),
    (re.compile(r"\b(?:rip|RIP): +[0-9a-f]{4}:\[?<([0-9a-f]{16})>"), hex_like),
]
# Only in front of a message, by syslog's and the kernel's form.
SYSLOG = re.compile(r"^(\w{3} [ \d]\d \d\d:\d\d:\d\d) (\S+) (.*)$", re.M)
PROCESS = re.compile(r"^([\w/.-]+)\[(\d+)\]")
STORAGE_MANAGER = re.compile(r"^(SM(?:GC)?: )\[(\d+)\]")
XAPI_THREAD = re.compile(r"^([\w-]+: \[ *\w+\|)([\w.-]*)(\|)(\d+)(?=[ |])")
HOST_NAMES = ["xcp-prod-07", "srv3.example.net", "Node_A", "h", "localhost"]


class Mutation:
    """One consistent change of everything in one test."""

    def __init__(self, seed):
        self.choose = random.Random(seed)
        self.new = {}
        self.host_names = {}

    def other(self, old, like):
        if old not in self.new:
            taken = set(self.new.values()) | set(self.new)
            for _ in range(100):
                new = like(old, self.choose)
                if new not in taken:
                    break
            else:
                new = old
            self.new[old] = new
        return self.new[old]

    def log_line(self, match):
        """Another host, process and thread; the name of the host at least where syslog and XAPI put it."""
        stamp, host, message = match.groups()
        name = self.host_names.setdefault(host, HOST_NAMES[(len(self.host_names) + self.choose.randrange(5)) % 5])
        message = PROCESS.sub(lambda m: f"{m[1]}[{self.other('p' + m[2], lambda o, c: digits_like('12345', c))}]", message)
        message = STORAGE_MANAGER.sub(lambda m: f"{m[1]}[{self.other('p' + m[2], lambda o, c: digits_like('12345', c))}]", message)
        message = XAPI_THREAD.sub(
            lambda m: m[1] + (name if m[2] == host else m[2]) + m[3] + self.other("t" + m[4], lambda o, c: digits_like("1234567", c)),
            message)
        return f"{stamp} {name} {message}"

    def text(self, text, is_log):
        for pattern, like in VARIES:
            text = pattern.sub(lambda m: m[0].replace(m[1], self.other(m[1], like)), text)
        return SYSLOG.sub(self.log_line, text) if is_log else text

    def expected(self, value):
        if isinstance(value, list):
            return [self.expected(item) for item in value]
        if isinstance(value, dict):
            return {key: self.new.get(item, item) if key in ("domain", "domid") else self.expected(item)
                    for key, item in value.items()}
        return self.text(value, False) if isinstance(value, str) else value

    def files(self, files):
        return {self.text(path, False): self.text(text, path.startswith("var/log/")) for path, text in files.items()}

    def test(self, test):
        changed = dict(test)
        if "log" in test:
            changed["log"] = self.text(test["log"], True)
        if "files" in test:
            changed["files"] = self.files(test["files"])
        if "hosts" in test:
            # The names of these hosts are the test's own; only what is on them varies.
            changed["hosts"] = {name: self.files(files) for name, files in test["hosts"].items()}
        changed["expect"] = self.expected(test["expect"])
        return changed


def mutated_rule(path, seed):
    """The rule with changed tests, and how many of them differ from the original."""
    rule = yaml.load(path.read_text(), Loader=yaml.BaseLoader)
    tests = [Mutation(f"{seed} {path.stem} {number}").test(test) for number, test in enumerate(rule["tests"])]
    differ = sum(new != old for new, old in zip(tests, rule["tests"]))
    # BaseLoader keeps every scalar as it is written, so the rule itself is handed on as text.
    head = path.read_text().split("\ntests:\n")[0]
    return f"{head}\n" + yaml.dump({"tests": tests}, allow_unicode=True, width=100000), differ


def write_mutated(area, seed, folder):
    differ = 0
    for path in sorted((RULES / area).glob("*.yaml")):
        text, changed = mutated_rule(path, seed)
        (folder / path.name).write_text(text)
        differ += changed
    return differ


@pytest.mark.alike
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("area", AREAS)
def test_the_rules_of_an_area_know_their_messages_with_other_names_and_numbers(area, seed, tmp_path):
    write_mutated(area, seed, tmp_path)
    done = subprocess.run([BIN / "xen-analyze", "rules", "test", tmp_path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_most_tests_of_rules_about_logs_do_change(tmp_path):
    changed = {area: write_mutated(area, 1, tmp_path) for area in AREAS}
    assert sum(changed.values()) >= 180, changed


def test_a_rule_that_knows_only_one_instance_is_caught(tmp_path):
    """The mutation works: a pattern with the example's device in it does not survive."""
    narrow = tmp_path / "rules"
    narrow.mkdir()
    original = tmp_path / "one-disk.yaml"
    original.write_text(
        "id: one-disk\ntitle: Disk\ncomponent: hardware\nseverity: info\n"
        "log: {files: [$kernel], match: 'I/O error, dev sdb, sector'}\n"
        "explanation: e\nadvice: a\nlinks: [https://example.com/]\ntests:\n"
        "  - log: 'Mar  3 10:11:12 host1 kernel: [ 4230.5] print_req_error: I/O error, dev sdb, sector 1024'\n"
        "    expect: {}\n  - log: 'Mar  3 10:11:12 host1 kernel: [ 4230.5] sdb: sdb1'\n    expect: none\n")
    text, differ = mutated_rule(original, 1)
    (narrow / "one-disk.yaml").write_text(text)
    assert differ == 2
    done = subprocess.run([BIN / "xen-analyze", "rules", "test", narrow], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stdout + done.stderr
