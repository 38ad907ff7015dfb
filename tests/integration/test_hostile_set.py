# SPDX-License-Identifier: LGPL-2.1-only
"""
The whole analyzer against some six hundred hostile reports: each is refused or read by itself, within bounds of CPU and
memory, with a well-formed answer that says why, and leaves nothing behind on disk.
"""
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from hostile import bombs, logs, members, names, tars, zips  # noqa: E402
from hostile.case import bytes_of  # noqa: E402

ANALYZE = os.path.join(os.environ["XENHEALTH_BIN"], "xen-analyze")
MIB = 1 << 20
SANITIZED = b"__asan_init" in open(ANALYZE, "rb").read()
MEMCHECKED = open(ANALYZE, "rb").read(2) == b"#!"  # a launcher: the program runs under valgrind
SLOWER, FATTER = (50, 12) if MEMCHECKED else (10, 6) if SANITIZED else (1, 1)  # what they cost

# CPU seconds and bytes. The goals for a release build are 2 s for bombs and 5 s for all else; a debug build gets double.
SETS = {"bombs": (bombs, 4, 256 * MIB), "names": (names, 2, 128 * MIB), "zips": (zips, 2, 128 * MIB),
        "tars": (tars, 2, 128 * MIB), "members": (members, 2, 96 * MIB), "logs": (logs, 10, 256 * MIB)}
ALL = [(kind, name) for kind, (module, _, _) in SETS.items() for name in module.CASES]

# A normal run takes all bombs and names and every fourth of the others.
FULL = os.environ.get("XENHEALTH_TORTURE") == "full"
CHOSEN = [row for number, row in enumerate(ALL) if FULL or row[0] in ("bombs", "names") or number % 4 == 0]


class Answer:
    def __init__(self, code, out, err, usage):
        self.code, self.err = code, err
        self.cpu, self.peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        self.verdict = json.loads(out) if code == 0 else {"reports": []}
        self.text = err + "\n".join("%(kind)s|%(path)s|%(text)s" % problem
                                    for report in self.verdict["reports"] for problem in report["problems"])


def make_apart(case, folder):
    """In a child of its own: what a maker needs must not count as the analyzer's memory."""
    path = str(folder / case.file)
    if case.file == "folder":
        return case.data(str(folder))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with open(path, "wb") as file:
                file.write(bytes_of(case))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    return path


def analyze(folder, *arguments):
    out, err = folder / "out", folder / "err"
    environment = dict(os.environ, XDG_CACHE_HOME=str(folder.parent / "cache"))
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        child = subprocess.Popen([ANALYZE, "--format", "json", "--fail-on", "never", *arguments], stdin=subprocess.DEVNULL,
                                 stdout=stdout, stderr=stderr, cwd=folder, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return Answer(child.returncode, out.read_text("utf-8"), err.read_text("utf-8"), usage)


def tree(folder):
    return sorted(os.path.join(where, name) for where, folders, files in os.walk(folder) for name in folders + files)


@pytest.mark.alike
@pytest.mark.parametrize("kind, name", CHOSEN)
def test_hostile_report_is_bounded_and_answered(tmp_path, kind, name):
    module, cpu, peak = SETS[kind]
    case = module.CASES[name]
    path = make_apart(case, tmp_path)
    before = tree(tmp_path)
    answer = analyze(tmp_path, path, *(["--export", "tables.db"] if kind == "members" else []))
    assert answer.code in case.ends, answer.text
    assert re.search(case.says, answer.text), answer.text
    assert answer.cpu <= max(cpu, case.cpu) * SLOWER
    assert answer.peak <= max(peak, case.peak) * FATTER
    assert set(tree(tmp_path)) - set(before) <= {str(tmp_path / own) for own in ("out", "err", "tables.db")}
    assert not re.search("[\0-\x08\x0b-\x1f\x7f]", answer.err), "control characters on standard error"
    if answer.code == 3:
        assert len(answer.err.splitlines()) == 1 and answer.err.startswith("xen-analyze: '")


def test_the_set_is_as_large_as_it_says():
    assert len(ALL) >= 300
    assert len(bombs.CASES) >= 30
    assert len(names.CASES) >= 60


def test_an_honest_bundle_of_real_shape_is_no_bomb(tmp_path):
    """Thirty to one and more is what logs compress to; nothing of it may be called suspicious."""
    path = make_apart(logs.honest_bundle(), tmp_path)
    answer = analyze(tmp_path, path)
    assert answer.code == 0
    assert answer.verdict["reports"][0]["problems"] == [], answer.text
    assert answer.verdict["reports"][0]["bytes"] > 25 * os.path.getsize(path)
