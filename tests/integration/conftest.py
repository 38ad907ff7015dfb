# SPDX-License-Identifier: LGPL-2.1-only
"""
The tests' own limits only keep them from hanging. They are meant for a quiet machine; with a sanitizer, on a busy one and
above all under valgrind everything takes longer, so they are stretched.

Of large sets of cases that are alike (marked so) a run takes one in n, slow builds fewer, and builds with sanitizers others
than those without. CONTRIBUTING.md has the shares; XENHEALTH_TORTURE=full takes all, wherever it runs.
"""
import os
import signal
import subprocess
import zlib

PATIENCE = max(int(os.environ.get("XENHEALTH_PATIENCE", "1")), 4)
FULL = os.environ.get("XENHEALTH_TORTURE") == "full"
SHARE = 1 if FULL else int(os.environ.get("XENHEALTH_SHARE", "1"))  # every so manieth,
FIRST = 0 if FULL else int(os.environ.get("XENHEALTH_SHARE_FIRST", "0"))  # from this one on


def shared(cases, name=str):
    """This run's share of a list, at least one of them: the same in every run, but not every n-th of a table with n columns."""
    mixed = sorted(cases, key=lambda case: zlib.crc32(name(case).encode()))
    return mixed[min(FIRST, len(mixed) - 1)::SHARE]


def patient(method):
    def with_more_time(self, *arguments, **keywords):
        if keywords.get("timeout"):
            keywords["timeout"] *= PATIENCE
        return method(self, *arguments, **keywords)
    return with_more_time


def pytest_configure(config):
    config.addinivalue_line("markers", "alike(PARAMETER...): one of many cases, of each kind that the PARAMETERs make, of which a run takes a share")
    # Who runs the tests in the background of a script, or with nohup, ignores these, and so would all programs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    subprocess.Popen.communicate = patient(subprocess.Popen.communicate)
    subprocess.Popen.wait = patient(subprocess.Popen.wait)


def pytest_collection_modifyitems(config, items):
    alike = {}
    for item in items:
        if marker := item.get_closest_marker("alike"):
            kind = tuple(item.callspec.params[parameter] for parameter in marker.args)
            alike.setdefault((item.function, kind), []).append(item)
    wanted = {item for cases in alike.values() for item in shared(cases, lambda case: case.name)}
    left = {item for cases in alike.values() for item in cases} - wanted
    config.hook.pytest_deselected(items=list(left))
    items[:] = [item for item in items if item not in left]
