# SPDX-License-Identifier: LGPL-2.1-only
"""Healthy hosts: what they write must not make a finding that anybody has to act on.

tests/integration/healthy/<area>/<name>.log holds lines that frighten and mean nothing, in this form:

    # What this is, in a sentence.
    # versions: 8.2.1 8.3.0            only on these releases; without the line on all of them
    >>> var/log/kern.log               the following lines belong into this file of the report
    Nov  1 06:00:01 host1 kernel: [    0.000000] ...
    >>> var/log/daemon.log
    ...

The host is called host1, and its report was taken on the evening of 1 November 2025 (TAKEN), so days of lines lie before that. Each
file is a report of its own; then all of a release are one host that had all of it, in the shapes that reports come in:
rotated and packed logs, everything in messages, lines of the kernel without their time, dmesg instead of logs. A new file
needs no change here. What is found on old releases because they are old is in OLD.
"""

import gzip
import json
import os
import pathlib
import re
import subprocess

import pytest

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
HEALTHY = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "tests/integration/healthy"
TAKEN = "20251101233000"
SERIOUS = {"warning", "error", "critical"}
BRANDS = {"6.5.0": "XenServer", "7.1.2": "XenServer", "7.6.0": "XenServer", "8.2.1": "XCP-ng", "8.3.0": "XCP-ng", "8.4.0": "XenServer"}
OLD = {"eol-release"}
STAMP = re.compile(r"^\w{3} [ \d]\d \d\d:\d\d:\d\d ")


def read(path):
    """The releases that a file is for, and its parts by the path in the report."""
    versions, parts, lines = list(BRANDS), {}, None
    for line in path.read_text().splitlines():
        if line.startswith("# versions: "):
            versions = line.split()[2:]
        elif line.startswith(">>> "):
            lines = parts.setdefault(line[4:], [])
        elif lines is not None:
            lines.append(line)
    assert parts and set(versions) <= set(BRANDS), f"{path} is not in the form that is described above"
    return versions, parts


CASES = {str(path.relative_to(HEALTHY)): read(path) for path in sorted(HEALTHY.glob("*/*.log"))}


def base(version):
    """What every report of a sound host has."""
    memory = 4 << 20
    return {
        "etc/xensource-inventory": [f"PRODUCT_BRAND='{BRANDS[version]}'", f"PRODUCT_VERSION='{version}'",
                                    "INSTALLATION_UUID='a1a1a1a1-0000-4000-8000-000000000001'"],
        "proc/meminfo": [f"MemTotal: {memory} kB", f"MemFree: {memory // 4} kB", f"MemAvailable: {memory // 2} kB",
                         f"Buffers: {memory // 20} kB", f"Cached: {memory // 5} kB", "SwapTotal: 1048572 kB",
                         "SwapFree: 1040000 kB", "Slab: 190000 kB", "SReclaimable: 90000 kB", "SUnreclaim: 100000 kB"],
        "proc/mounts": ["/dev/sda1 / ext3 rw,relatime,data=ordered 0 0", "/dev/sda5 /var/log ext3 rw,relatime 0 0",
                        "/dev/loop0 /mnt/iso iso9660 ro,relatime 0 0"],
        "df-alT.out": ["Filesystem     Type     1K-blocks    Used Available Use% Mounted on",
                       "/dev/sda1      ext3      18448476 3241612  14246704  19% /",
                       "/dev/sda5      ext3       4127440  904292   3006824  24% /var/log",
                       "/dev/loop0     iso9660     523264  523264         0 100% /mnt/iso"],
        "proc/mdstat": ["Personalities : ", "unused devices: <none>"],
    }


def serious(folder, version, files):
    """Writes a report and returns what is found in it that a person would have to look at."""
    top = folder / f"bug-report-{TAKEN}"
    for name, lines in {**base(version), **files}.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(lines).encode() + b"\n"
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    done = subprocess.run([BIN / "xen-analyze", "--format", "json", top], capture_output=True, timeout=300)
    assert done.returncode in (0, 1) and done.stderr == b"", done.stderr.decode()
    return [f"{found['rule']}: {found['title']}" for found in json.loads(done.stdout)["findings"]
            if found["severity"] in SERIOUS and found["rule"] not in OLD]


def together(version):
    """One host that had all that its release may write, lines in the order of their time."""
    files = {}
    for versions, parts in CASES.values():
        if version in versions:
            for name, lines in parts.items():
                files.setdefault(name, []).extend(lines)
    for name, lines in files.items():
        if all(STAMP.match(line) for line in lines):
            lines.sort(key=lambda line: line[:15])
    return files


def as_it_is(files):
    return files


def rotated(files):
    """The logs of the day before yesterday, packed."""
    return {f"{name}.2.gz" if name.startswith("var/log/") else name: lines for name, lines in files.items()}


def in_messages(files):
    """One log for everything, as releases before 7 and other distributions have it."""
    moved = {"var/log/kern.log", "var/log/daemon.log", "var/log/messages"}
    lines = sorted((line for name in sorted(moved) for line in files.get(name, [])), key=lambda line: line[:15])
    return {**{name: text for name, text in files.items() if name not in moved}, "var/log/messages": lines}


def without_uptime(files):
    """The kernel of old releases does not say how long it runs."""
    return {name: [re.sub(r"( kernel: )\[ *\d+\.\d+\] ", r"\1", line) for line in lines] for name, lines in files.items()}


def in_dmesg(files):
    """Only the kernel's own buffer is left, without any date."""
    lines = [re.sub(r"^.* kernel: ", "", line) for line in files.get("var/log/kern.log", []) + files.get("var/log/messages", [])
             if " kernel: " in line]
    kept = {name: text for name, text in files.items() if name not in ("var/log/kern.log", "var/log/messages")}
    return {**kept, "dmesg.out": lines}


SHAPES = [as_it_is, rotated, in_messages, without_uptime, in_dmesg]


@pytest.mark.alike
@pytest.mark.parametrize("case", CASES)
def test_one_thing_alone(case, tmp_path):
    versions, parts = CASES[case]
    assert serious(tmp_path, versions[-1], parts) == []


@pytest.mark.alike
@pytest.mark.parametrize("shape", SHAPES, ids=[shape.__name__ for shape in SHAPES])
@pytest.mark.parametrize("version", BRANDS)
def test_all_on_one_host(version, shape, tmp_path):
    assert serious(tmp_path, version, shape(together(version))) == []


@pytest.mark.parametrize("version", BRANDS)
def test_idle_host(version, tmp_path):
    assert serious(tmp_path, version, {"var/log/kern.log": [], "var/log/daemon.log": [], "var/log/SMlog": []}) == []


def test_the_frame_sees_what_is_not_healthy(tmp_path):
    line = "Nov  1 10:11:12 host1 kernel: [ 4230.501361] print_req_error: I/O error, dev sdb, sector 12345"
    assert [found.split(":")[0] for found in serious(tmp_path, "8.3.0", {"var/log/kern.log": [line]})] == ["disk-io-error"]
