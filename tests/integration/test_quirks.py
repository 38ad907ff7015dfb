# SPDX-License-Identifier: LGPL-2.1-only
"""What the original gets wrong and we do not; tests/compat/README.md says which test belongs to which quirk."""
import json
import os
import pathlib

import pytest

from test_bugtool import bugtool, by_name, collect, manifest, members, needs_root


@pytest.fixture
def root(tmp_path):
    top = tmp_path / "root"
    (top / "var/log").mkdir(parents=True)
    return top


@pytest.fixture
def catalog(tmp_path):
    """Writes capabilities (name -> items); returns their folder."""
    folder = tmp_path / "catalog"
    folder.mkdir()

    def write(head="", **capabilities):
        for name, items in capabilities.items():
            (folder / f"{name}.yaml").write_text(f"capability: {name}\ndescription: d\npii: no\n{head}collect:\n{items}")
        return folder
    return write


@needs_root
def test_files_of_the_kernel_do_not_use_up_a_budget(tmp_path, catalog):
    """They say 4096 bytes each; the original counted that and their contents."""
    names = ["mtu", "address", "flags", "type"]
    folder = catalog("size: {max: 4K}\n", t="".join(f"  - file: /sys/class/net/lo/{n}\n" for n in names)
                     + "  - files: [" + ", ".join(f"/sys/class/net/lo/{n}" for n in ("ifindex", "tx_queue_len", "dormant")) + "]\n")
    found = members(collect(tmp_path / "out", "--catalog", folder, "--output=tar"))
    assert not [e for e in manifest(found)["entries"] if e["status"] == "omitted"]
    assert found["sys/class/net/lo/flags"] == pathlib.Path("/sys/class/net/lo/flags").read_bytes()


def test_trees_do_not_leave_their_folder_loop_or_lose_odd_names(tmp_path, root, catalog):
    tree = root / "var/tree"
    (tree / "deep").mkdir(parents=True)
    odd = ["a[1].txt", "b*.txt", "c?.txt", "d e.txt", "{kernel}"]
    for name in odd:
        (tree / "deep" / name).write_text(name)
    (tree / "loop").symlink_to(".")
    (tree / "deep/up").symlink_to("..")
    os.mkfifo(tree / "fifo")
    found = members(collect(tmp_path / "out", "--root", root, "--catalog", catalog(t="  - tree: /var/tree\n"), "--output=tar"))
    taken = {name for name in found if name.startswith("var/")}
    assert taken == {f"var/tree/deep/{name}" for name in odd}
    for name in odd:
        assert found[f"var/tree/deep/{name}"].decode() == name


@pytest.mark.parametrize("output", ["tar", "zip"])
def test_a_host_on_which_nothing_is_there_gives_a_report_that_says_so(tmp_path, root, output):
    found = members(collect(tmp_path / "out", "--root", root, f"--output={output}", "-a"))
    document = manifest(found)
    assert document["totals"]["planned"] > 250
    assert set(document["totals"]["by_status"]) <= {"missing", "empty", "ok"}
    assert "inventory.xml" in found and "xen-bugtool.log" in found


@needs_root
def test_work_for_what_is_not_selected_is_not_done(tmp_path, catalog):
    mark = tmp_path / "mark"
    lists = f"lists:\n  array: {{command: [/bin/sh, -c, 'touch {mark}; echo ARRAY x'], match: '^ARRAY (.*)'}}\n"
    folder = catalog(lists, heavy="  - command: [echo, '{array}']\n    each: array\n")
    catalog(light="  - file: /etc/hostname\n")
    collect(tmp_path / "out", "--catalog", folder, "--entries=light", "--output=tar")
    assert not mark.exists()
    found = members(collect(tmp_path / "more", "--catalog", folder, "--entries=heavy", "--output=tar"))
    assert mark.exists() and found["echo-x.out"] == b"x\n"


@needs_root
def test_a_daemon_that_does_not_answer_questions_has_a_time_limit(tmp_path, catalog):
    for seconds in (1, 5, 25):  # a busy machine may need longer to start it
        folder = catalog(t="  - command: [/bin/sh, -c, 'cat; sleep 1000']\n    input: \"show topology\\n\"\n    as: topology\n"
                         f"    time: {seconds}\n")
        found = members(collect(tmp_path / "out", "--catalog", folder, "--output=tar"))
        if b"show" in found["topology.out"]:
            break
    assert found["topology.out"] == b"show topology\n\n** timeout **\n"
    assert by_name(found)["topology.out"]["status"] == "timeout"


def test_a_file_of_two_capabilities_is_taken_once(tmp_path, root, catalog):
    (root / "etc").mkdir()
    (root / "etc/shared").write_text("once\n")
    folder = catalog("size: {max: 1}\n", one="  - files: [/etc/shared]\n", two="  - files: [/etc/shared, /etc/other]\n")
    (root / "etc/other").write_text("not charged for the first\n")
    found = members(collect(tmp_path / "out", "--root", root, "--catalog", folder, "--output=zip"))
    assert found["etc/shared"] == b"once\n" and by_name(found)["etc/shared"]["capability"] == "one"
    assert found["etc/other"].startswith(b"not charged")


def test_bytes_that_are_no_text_cost_nothing_else(tmp_path, root):
    recorded = root / ".commands"
    recorded.mkdir()
    (recorded / "xenstore-ls-f.out").write_bytes(b'/local/domain/1/name = "caf\xe9"\n/local/domain/1/data/set_clipboard = "pw"\n')
    (root / "var/log/SMlog").write_bytes(b"\xff\xfe\x00 bytes\n")
    found = members(collect(tmp_path / "out", "--root", root, "--output=zip"))
    assert found["xenstore-ls-f.out"] == (b'/local/domain/1/name = "caf\xe9"\n'
                                          b"/local/domain/1/data/set_clipboard = <filtered for security>\n")
    assert found["var/log/SMlog"] == b"\xff\xfe\x00 bytes\n"
    json.loads(found["manifest.json"])


def test_rotations_beyond_the_nineteenth_and_dated_ones_are_found(tmp_path, root):
    names = ["xensource.log", "xensource.log.1", "xensource.log.20.gz", "xensource.log.99.gz", "SMlog-20261101.gz", "SMlog-20261102"]
    for name in names:
        (root / "var/log" / name).write_text(name)
    found = members(collect(tmp_path / "out", "--root", root, "--output=tar"))
    assert {name for name in found if name.startswith("var/log/")} == {f"var/log/{name}" for name in names}


@needs_root
def test_what_timed_out_or_cannot_start_is_in_the_log_of_a_silent_run_too(tmp_path, catalog):
    folder = catalog(**{"t": "  - command: [no-such-program, x]\n  - command: [sleep, '1000']\n    time: 1\n", "xen-bugtool": "  []\n"})
    found = members(collect(tmp_path / "out", "--catalog", folder, "--output=tar"))
    log = found["xen-bugtool.log"].decode()
    assert "'no-such-program x' failed: " in log and "'sleep 1000' timed out" in log
    assert found["no-such-program-x.out"] == b""


@needs_root
def test_commands_of_a_capability_without_time_are_not_killed_at_their_first_line(tmp_path, catalog):
    folder = catalog(t="  - command: [/bin/sh, -c, 'echo one; sleep 1.2; echo two; echo three']\n    as: lines\n")
    found = members(collect(tmp_path / "out", "--catalog", folder, "--output=tar"))
    assert found["lines.out"] == b"one\ntwo\nthree\n" and by_name(found)["lines.out"]["status"] == "ok"


@needs_root
def test_commands_run_at_once_but_no_more_than_wanted(tmp_path, catalog):
    """Each of a pair waits for the other: one after the other they would never end."""
    meet = "touch {0}/{1}; while ! test -e {0}/{2}; do sleep 0.05; done; echo met"
    items = "".join(f"  - command: [/bin/sh, -c, '{meet.format(tmp_path, mine, other)}']\n    as: meet-{mine}\n    time: 120\n"
                    for mine, other in (("a", "b"), ("b", "a")))
    found = members(collect(tmp_path / "out", "--catalog", catalog(t=items), "--output=tar"))
    assert found["meet-a.out"] == found["meet-b.out"] == b"met\n"
    alone = "mkdir {0}/alone || exit 9; sleep 0.1; rmdir {0}/alone".format(tmp_path)
    items = "".join(f"  - command: [/bin/sh, -c, '{alone}']\n    as: alone{i}\n" for i in range(4))
    found = members(collect(tmp_path / "out", "--catalog", catalog(t=items), "--jobs=1", "--output=tar"))
    assert {e["status"] for e in manifest(found)["entries"]} == {"empty"}


@needs_root
def test_files_of_debugfs_that_nobody_may_read_are_left_alone(tmp_path, catalog):
    """Their mode says so; a locked-down kernel writes a warning when root tries."""
    debug = pathlib.Path("/sys/kernel/debug")
    closed = [p for p in debug.iterdir() if p.is_file() and not p.stat().st_mode & 0o444] if debug.is_dir() else []
    root = tmp_path / "root"
    (root / "sys/kernel/debug").mkdir(parents=True)
    (root / "sys/kernel/debug/closed").write_text("no\n")
    (root / "sys/kernel/debug/closed").chmod(0o200)
    (root / "sys/kernel/debug/open").write_text("yes\n")
    folder = catalog(t="  - tree: /sys/kernel/debug\n")
    found = members(collect(tmp_path / "out", "--root", root, "--catalog", folder, "--output=tar"))
    assert found["sys/kernel/debug/open"] == b"yes\n"
    assert by_name(found)["sys/kernel/debug/closed"]["status"] == "denied"
    for path in closed[:3]:
        found = members(collect(tmp_path / "out", "--catalog", catalog(t=f"  - file: {path}\n"), "--output=tar"))
        assert by_name(found)[str(path)[1:]]["status"] == "denied"


def test_the_newest_files_are_taken_while_there_is_room(tmp_path, root, catalog):
    for age in range(5):
        path = root / f"var/lib/sa{age:02d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)
        os.utime(path, (1_700_000_000 - age * 86400,) * 2)
    folder = catalog("size: {max: 2500}\n", t="  - file: '/var/lib/sa*'\n    newest: true\n")
    names = by_name(members(collect(tmp_path / "out", "--root", root, "--catalog", folder, "--output=zip")))
    assert [names[f"var/lib/sa{age:02d}"]["status"] for age in range(5)] == ["ok", "ok", "ok", "omitted", "omitted"]
