# SPDX-License-Identifier: LGPL-2.1-only
"""The static xen-bugtool (preset static): one file that runs where nothing else is."""
import os
import pathlib
import shutil
import subprocess
import zipfile

import pytest

BUGTOOL = pathlib.Path(os.environ["XENHEALTH_BIN"]) / "xen-bugtool"


@pytest.mark.skipif(os.getuid() != 0, reason="changing the root needs root")
def test_it_takes_a_report_in_a_root_with_nothing_but_itself(tmp_path):
    """/dev/null is there, as in every system: it is the standard input of commands."""
    root = tmp_path / "root"
    for folder in ("dev", "tmp", "var/log"):
        (root / folder).mkdir(parents=True)
    os.mknod(root / "dev/null", 0o020666, os.makedev(1, 3))
    (root / "var/log/kern.log").write_text("kernel: a line\n")
    shutil.copy(BUGTOOL, root)
    result = subprocess.run(["chroot", root, "/xen-bugtool", "-s", "-y", "--output=zip", "--outdir=/tmp"], capture_output=True,
                            text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(str(root) + result.stdout.strip()) as archive:
        found = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    assert found["var/log/kern.log"] == b"kernel: a line\n" and {"inventory.xml", "manifest.json"} <= set(found)


def test_it_needs_no_shared_library():
    headers = subprocess.run(["readelf", "-ld", BUGTOOL], capture_output=True, text=True, check=True).stdout
    assert "NEEDED" not in headers and "INTERP" not in headers
