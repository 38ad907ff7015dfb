# SPDX-License-Identifier: LGPL-2.1-only
"""Plugins (/etc/xensource/bugtool) as packages install them, broken ones too."""
import os
import pathlib
import shutil

import pytest

from test_bugtool import by_name, bugtool, collect, manifest, members, needs_root, plan_of

KNOWN = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "tests/compat/plugins"


@pytest.fixture
def plugins(tmp_path):
    """Writes plugin files; returns their folder."""
    folder = tmp_path / "plugins"
    folder.mkdir()

    def write(**files):
        for name, text in files.items():
            path = folder / name.replace("__", "/").replace("_xml", ".xml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder
    return write


@pytest.fixture
def root(tmp_path):
    top = tmp_path / "root"
    (top / "var/log").mkdir(parents=True)
    return top


def run(tmp_path, *arguments, name="out", **keywords):
    result = bugtool("-s", "-y", "--outdir", tmp_path / name, "--output=tar", *arguments, **keywords)
    assert result.returncode == 0, result.stderr.decode()
    return members(pathlib.Path(result.stdout.decode().strip())), result.stderr.decode()


def test_the_known_plugins_are_read(tmp_path):
    lines = plan_of("--plugins", KNOWN, "--all")
    found = {(capability, name) for capability, _, name, _ in lines}
    assert {("mock", "etc/passwd"), ("mock", "ls-l-%etc.out"), ("mock", "proc_version.out"),
            ("mock", "proc/sys/fs/inotify/max_user_instances"), ("mock", "proc/sys/fs/epoll/max_user_watches"),
            ("tapdisk-logs", "killall-USR1-tapdisk.out"), ("network-status", "ovs-appctl-ofproto.out"),
            ("xenopsd", "xenopsd-diagnostics.out"), ("message-switch", "message-cli-diag.out")} <= found
    assert not any(name.endswith("max_user_namespaces") for _, name in found)
    assert bugtool("--list", "--plugins", KNOWN).stderr == b""


@needs_root
def test_plugins_are_in_the_capabilities_behind_the_built_in_ones():
    lines = bugtool("--capabilities", "--plugins", KNOWN).stdout.decode().splitlines()
    last = [line.split('key="')[1].split('"')[0] for line in lines if "<capability " in line][-3:]
    assert last == ["mock", "xcp-rrdd-plugins", "xenopsd"]  # message-switch is hidden
    assert ('\t<capability content-type="text/plain" default-checked="yes" key="mock" max-size="16384" max-time="60"'
            ' min-size="-1" min-time="-1" pii="yes"/>') in lines
    # The DIR.xml of a folder that adds to a built-in capability says nothing.
    assert any('key="tapdisk-logs" max-size="10485760"' in line for line in lines)


def test_below_another_root_they_come_from_that_root(tmp_path, root):
    target = root / "etc/xensource/bugtool"
    shutil.copytree(KNOWN, target)
    (root / "etc/passwd").write_text("root:x\n")
    (root / "etc/group").symlink_to(tmp_path / "outside")
    (tmp_path / "outside").write_text("canary")
    (tmp_path / "evil.xml").write_text("<collect><files>/etc/passwd</files></collect>")
    (target / "mock/link.xml").symlink_to(tmp_path / "evil.xml")
    (root / ".commands").mkdir()
    (root / ".commands/proc_version.out").write_text("recorded\n")
    found, errors = run(tmp_path, "--root", root, "--entries=mock,xen-bugtool")
    assert found["etc/passwd"] == b"root:x\n" and found["proc_version.out"] == b"recorded\n"
    assert "etc/group" not in found and b"canary" not in b"".join(found.values())
    assert "mock/link.xml" in errors and by_name(found)["etc/xensource/bugtool/mock/link.xml"]["status"] == "failed"


@needs_root
def test_one_broken_file_costs_only_itself_and_is_reported(tmp_path, plugins):
    folder = plugins(
        aaa_xml="<capability", aaa__a_xml="<collect/>",
        bbb_xml="<capability/>", bbb__bad_xml="<collect><files>/etc/hostname</collect>",
        bbb__good_xml="<collect><command label='good'>echo good</command></collect>",
        bbb__bomb_xml="<!DOCTYPE a [<!ENTITY b 'xxxx'>]><collect><files>/&b;</files></collect>",
        zzz_xml="<capability/>", zzz__last_xml="<collect><command label='last'>echo last</command></collect>")
    os.mkfifo(folder / "bbb/fifo.xml")
    found, errors = run(tmp_path, "--plugins", folder, "--entries=bbb,zzz,aaa,xen-bugtool")
    assert found["good.out"] == b"good\n" and found["last.out"] == b"last\n"
    names = by_name(found)
    base = str(folder).lstrip("/")
    for name, capability in [("aaa.xml", "xen-bugtool"), ("bbb/bad.xml", "bbb"), ("bbb/bomb.xml", "bbb"), ("bbb/fifo.xml", "bbb")]:
        assert names[f"{base}/{name}"]["status"] == "failed" and names[f"{base}/{name}"]["capability"] == capability
        assert f"Plugin left out: {folder}/{name}" in errors
        assert f"{folder}/{name}".encode() in found["xen-bugtool.log"]
    assert "bad.xml:1:" in errors and "entity declarations" in errors
    assert len(errors.splitlines()) == 5 and errors.splitlines()[-1] == "--entries=aaa is not known!"


def test_a_mistake_in_an_element_is_recorded_not_silent(tmp_path, plugins, root):
    folder = plugins(p_xml="<capability/>", p__x_xml="<collect>\n<directory> /var/log</directory>\n"
                     "<directory pattern='(?!x).*'>/var/log</directory>\n<files>/var/log/a.log</files></collect>")
    (root / "var/log/a.log").write_text("a\n")
    found, _ = run(tmp_path, "--root", root, "--plugins", folder, "--entries=p,xen-bugtool")
    reasons = [e["reason"] for e in manifest(found)["entries"] if e["status"] == "failed"]
    assert len(reasons) == 2 and "slash" in reasons[0] and "look-around" in reasons[1]
    assert found["var/log/a.log"] == b"a\n"


def test_odd_and_overlong_paths_cost_only_themselves(tmp_path, plugins, root):
    """Such a name is none for an archive: the whole report once failed on it."""
    folder = plugins(p_xml="<capability/>", p__x_xml="<collect><files>/var/../var/log//a.log /var/log/b.log/ /" + "x" * 5000 + "</files>"
                     "<directory>/var/log/../tree</directory></collect>")
    (root / "var/tree").mkdir()
    for name in ("log/a.log", "log/b.log", "tree/c.log"):
        (root / "var" / name).write_text(name)
    found, _ = run(tmp_path, "--root", root, "--plugins", folder, "--entries=p")
    assert {name: data for name, data in found.items() if name.startswith("var/")} == {
        f"var/{name}": name.encode() for name in ("log/a.log", "log/b.log", "tree/c.log")}
    assert [e["status"] for e in manifest(found)["entries"] if "longer than a path" in e["reason"]] == ["failed"]


def test_small_limits_of_plugins_starve_neither_logs_nor_each_other(tmp_path, plugins, root):
    """A file that a plugin adds to xenserver-logs once made the oldest logs disappear, and 32 KB was a plugin's lot."""
    log = root / "var/log"
    for name in ("SMlog", "SMlog.1", "SMlog.2.gz", "xensource.log", "vhdd.log", "vhdd.log.1", "big.log", "big.log.1", "big.log.2.gz"):
        (log / name).write_bytes(name.encode() * 20000)
    folder = plugins(**{"xenserver-logs__vhdd_xml": "<collect><files>/var/log/vhdd.log*</files></collect>",
                        "small_xml": "<capability max_size='32768'/>",
                        "small__x_xml": "<collect><directory pattern='.*/big\\.log.*'>/var/log</directory></collect>",
                        "small__y_xml": "<collect><files>/var/log/vhdd.log</files></collect>"})
    found, _ = run(tmp_path, "--root", root, "--plugins", folder)
    for path in log.iterdir():
        assert found[f"var/log/{path.name}"] == path.read_bytes()
    assert by_name(found)["var/log/vhdd.log"]["capability"] == "xenserver-logs"


def test_a_live_log_is_taken_whatever_the_limit_and_rotations_newest_first(tmp_path, plugins, root):
    log = root / "var/log"
    for age, name in enumerate(["p.log", "p.log.1", "p.log.2.gz", "p.log.3.gz"]):
        with open(log / name, "wb") as file:
            file.truncate(9 << 20)
        os.utime(log / name, (2_000_000_000 - age, 2_000_000_000 - age))
    folder = plugins(p_xml="<capability max_size='1'/>",
                     p__x_xml="<collect><directory pattern='.*/p\\.log.*'>/var/log</directory></collect>")
    found, _ = run(tmp_path, "--root", root, "--plugins", folder, "--entries=p,xen-bugtool")
    names = by_name(found)
    assert {n: names[f"var/log/{n}"]["status"] for n in ("p.log", "p.log.1", "p.log.2.gz", "p.log.3.gz")} == {
        "p.log": "ok", "p.log.1": "ok", "p.log.2.gz": "omitted", "p.log.3.gz": "omitted"}
    assert len(found["var/log/p.log"]) == len(found["var/log/p.log.1"]) == 9 << 20  # never the end of a compressed one
    assert b"Omitting /var/log/p.log.3.gz, size constraint of p exceeded" in found["xen-bugtool.log"]


@needs_root
def test_commands_of_plugins(tmp_path, plugins):
    folder = plugins(
        p_xml="<capability/>",  # no max_time: the original killed every command after its first line
        p__x_xml="""<collect>
          <command label="slow">echo one; sleep 1.2; echo two</command>
          <command label="same">echo first</command><command label="same">echo second</command>
          <command>echo a |
            tr a b; echo '{kernel}'</command>
          <command label="inventory.xml">echo mine</command>
          <command label="../../up">echo up</command><command label="..">echo dots</command>
          <list>/etc/hostna*e /etc/no-such*</list><list recursive="yes">/etc/skel</list>
        </collect>""")
    found, _ = run(tmp_path, "--plugins", folder, "--entries=p,xen-bugtool")
    assert found["slow.out"] == b"one\ntwo\n"
    assert found["same.out"] == b"first\n" and found["same.out-2"] == b"second\n"
    (nameless,) = [name for name in found if name.startswith("echo-a")]
    assert found[nameless] == b"b\n{kernel}\n" and not any(ord(c) < 32 for c in nameless)
    assert found["inventory.xml-2"] == b"mine\n" and found["inventory.xml"].startswith(b"<?xml")
    assert found["..%..%up"] == b"up\n" and found["...out"] == b"dots\n"
    assert b"/etc/hostname" in found["ls-l-%etc%hostname.out"] and "ls-lR-%etc%skel.out" in found
    assert by_name(found)["ls-l-%etc%no-such*.out"]["status"] == "missing"


def test_a_plugin_folder_that_the_user_names_must_exist(tmp_path, root):
    result = bugtool("--list", "--root", root, "--plugins", tmp_path / "none")
    assert result.returncode == 1 and str(tmp_path / "none").encode() in result.stderr
    assert result.stderr.count(b"\n") == 1
