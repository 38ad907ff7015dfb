# SPDX-License-Identifier: LGPL-2.1-only
"""Under valgrind everything takes longer: the tests' own limits, which only keep them from hanging, are stretched."""
import os
import subprocess

PATIENCE = int(os.environ.get("XENHEALTH_PATIENCE", "1"))


def patient(method):
    def with_more_time(self, *arguments, **keywords):
        if keywords.get("timeout"):
            keywords["timeout"] *= PATIENCE
        return method(self, *arguments, **keywords)
    return with_more_time


def pytest_configure():
    if PATIENCE > 1:
        subprocess.Popen.communicate = patient(subprocess.Popen.communicate)
        subprocess.Popen.wait = patient(subprocess.Popen.wait)
