# SPDX-License-Identifier: LGPL-2.1-only
"""
The tests' own limits only keep them from hanging. They are meant for a quiet machine; with a sanitizer, on a busy one and
above all under valgrind everything takes longer, so they are stretched.

Large sets of cases that are alike (marked so) are run whole in ordinary builds; slower ones, sanitizers and valgrind, take
every n-th of them. XENHEALTH_TORTURE=full takes all, wherever it runs.
"""
import os
import subprocess

PATIENCE = max(int(os.environ.get("XENHEALTH_PATIENCE", "1")), 4)
SHARE = 1 if os.environ.get("XENHEALTH_TORTURE") == "full" else int(os.environ.get("XENHEALTH_SHARE", "1"))


def patient(method):
    def with_more_time(self, *arguments, **keywords):
        if keywords.get("timeout"):
            keywords["timeout"] *= PATIENCE
        return method(self, *arguments, **keywords)
    return with_more_time


def pytest_configure(config):
    config.addinivalue_line("markers", "alike: one of many cases of which slow builds take every n-th")
    subprocess.Popen.communicate = patient(subprocess.Popen.communicate)
    subprocess.Popen.wait = patient(subprocess.Popen.wait)


def pytest_collection_modifyitems(config, items):
    seen, kept, left = {}, [], []
    for item in items:
        alike = item.get_closest_marker("alike") is not None
        number = seen[item.function] = seen.get(item.function, -1) + 1
        (left if alike and number % SHARE else kept).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept
