# SPDX-License-Identifier: LGPL-2.1-only
"""
The tests' own limits only keep them from hanging. They are meant for a quiet machine; with a sanitizer, on a busy one and
above all under valgrind everything takes longer, so they are stretched.
"""
import os
import subprocess

PATIENCE = max(int(os.environ.get("XENHEALTH_PATIENCE", "1")), 4)


def patient(method):
    def with_more_time(self, *arguments, **keywords):
        if keywords.get("timeout"):
            keywords["timeout"] *= PATIENCE
        return method(self, *arguments, **keywords)
    return with_more_time


def pytest_configure():
    subprocess.Popen.communicate = patient(subprocess.Popen.communicate)
    subprocess.Popen.wait = patient(subprocess.Popen.wait)
