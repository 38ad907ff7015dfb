# SPDX-License-Identifier: LGPL-2.1-only
"""The units of systemd: they parse, are as closed as they should be, name what is installed, and nothing is on by itself.

systemd runs nothing here: what it makes of the files is asked offline.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

from torture import BIN

BUILD = next(folder for folder in BIN.parents if (folder / "CMakeCache.txt").is_file())
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
HOST_UNITS = next(path for path in map(pathlib.Path, ("/usr/lib/systemd/system", "/lib/systemd/system")) if path.is_dir())
HEALTHCHECKS = ("xen-healthcheck", "xen-healthcheck-now", "xen-healthcheck-crash")
SERVICES = ("xen-upload", *HEALTHCHECKS)
TIMERS = ("xen-upload", "xen-healthcheck", "xen-healthcheck-boot", "xen-healthcheck-crash")
EXPOSURE = dict.fromkeys(HEALTHCHECKS, 7.0) | {"xen-upload": 1.5}
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="folders for other users can only be made by root")


class Root:
    """What an installation leaves, below a folder."""

    def __init__(self, folder):
        self.path = folder
        subprocess.run(["cmake", "--install", BUILD], env=os.environ | {"DESTDIR": str(folder)}, check=True,
                       capture_output=True)
        self.units = next(folder.rglob("xen-upload.service")).parent
        self.prefix = "/" / self.units.relative_to(folder).parents[2]

    def at(self, path):
        return self.path / str(path).lstrip("/")

    def text(self, unit):
        return (self.units / unit).read_text()

    def values(self, unit, key):
        return re.findall(rf"^{key}=(.*)$", self.text(unit), re.M)

    def call(self, *command):
        return subprocess.run([*map(str, command)], capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Root(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """The same, with what systemd and the programs of our units expect of a host."""
    root = Root(tmp_path_factory.mktemp("host"))
    (root.path / "etc" / "systemd" / "system").mkdir(parents=True)
    place = root.at("/usr/lib/systemd/system")
    place.mkdir(parents=True, exist_ok=True)
    for unit in HOST_UNITS.glob("*.target"):
        shutil.copy(unit, place, follow_symlinks=True)
    root.at("/usr/bin").mkdir(parents=True, exist_ok=True)
    for program in ("test", "touch"):
        shutil.copy(f"/usr/bin/{program}", root.at("/usr/bin"))
    (root.path / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root.path / "etc" / "group").write_text("root:x:0:\n")
    return root


def drop_in(root, unit, rendered):
    """Puts a drop-in for old versions of systemd in place, as the option of the build does."""
    folder = root.at("/etc/systemd/system") / f"{unit}.d"
    folder.mkdir(exist_ok=True)
    (folder / "old-systemd.conf").write_text(rendered)
    return folder


def rendered(name):
    made = BUILD / "packaging" / "systemd" / "old" / name
    return (made if made.exists() else SOURCE / "packaging" / "systemd" / "old" / name).read_text()


OLD = {f"{name}.service": "xen-healthcheck.conf" for name in HEALTHCHECKS} | {"xen-upload.service": "xen-upload.conf"} | \
    {f"{name}.timer": "timer.conf" for name in ("xen-upload", "xen-healthcheck")}


def verify(root):
    units = [*map(root.units.joinpath, [*(f"{name}.service" for name in SERVICES), *(f"{name}.timer" for name in TIMERS),
                                        "xen-upload.path"])]
    return root.call("systemd-analyze", "verify", f"--root={root.path}", "--man=no", *units)


def test_everything_is_where_the_documents_say(installed):
    names = sorted(path.name for path in installed.units.glob("xen-*"))
    assert [name for name in names if not name.endswith(".d")] == sorted(
        [*(f"{name}.service" for name in SERVICES), *(f"{name}.timer" for name in TIMERS), "xen-upload.path"])
    lib = installed.at(installed.prefix / "lib")
    for path in ("sysusers.d/xenhealth.conf", "tmpfiles.d/xenhealth.conf", "systemd/system-preset/50-xenhealth.preset"):
        assert (lib / path).is_file()
    described = (SOURCE / "docs" / "architecture.md").read_text()
    assert all(f"`{name}`" in described for name in names if not name.endswith(".d"))


def test_systemd_finds_nothing_to_complain_about(host):
    result = verify(host)
    assert (result.returncode, result.stderr) == (0, "")


def test_neither_with_what_old_versions_need(host):
    folders = [drop_in(host, unit, rendered(name)) for unit, name in OLD.items()]
    result = verify(host)
    for folder in folders:
        shutil.rmtree(folder)
    # MemoryLimit= and CPUShares= are the words of then; they are understood, and told to be old.
    told = [line for line in result.stderr.splitlines() if not re.search("MemoryLimit=|CPUShares=", line)]
    assert (result.returncode, told) == (0, [])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_as_closed_as_it_should_be(host, name):
    result = host.call("systemd-analyze", "security", "--offline=true", f"--threshold={int(EXPOSURE[name] * 10)}", "--no-pager",
                       host.units / f"{name}.service")
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)[1])
    assert exposure <= EXPOSURE[name] and result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", HEALTHCHECKS)
def test_a_collector_sees_the_mounts_of_the_host(installed, name):
    """With mounts of its own, /proc/mounts of the report would call every file system read-only."""
    own = r"^(Protect(System|Home|Kernel\w+|ControlGroups|Proc|Hostname|Clock)|Private(Tmp|Devices|Mounts|Users)|" \
          r"(ReadWrite|ReadOnly|Inaccessible|Exec|NoExec|Bind\w*)Paths|TemporaryFileSystem|RootDirectory|DynamicUser|LoadCredential)="
    assert not re.search(own, installed.text(f"{name}.service"), re.M)


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_starts_is_installed_and_takes_these_arguments(installed, tmp_path, name):
    commands = installed.values(f"{name}.service", "ExecStart")
    if name == "xen-upload":
        commands += [line for line in re.findall("^ExecStart=(.+)$", rendered("xen-upload.conf"), re.M)]
    assert commands
    (tmp_path / "broken.yaml").write_text("{")
    for command in commands:
        program, *arguments = shlex.split(command)
        assert os.access(installed.at(program), os.X_OK)
        # The same words about other places.
        arguments = [str(tmp_path / "none" / word.strip("/")) if word.startswith("/") else word for word in arguments]
        more = ["--settings", tmp_path / "broken.yaml"] if name == "xen-upload" else \
            ["--settings", tmp_path / "none.yaml", "--state", tmp_path / "state", "--config", tmp_path, "--runtime", tmp_path]
        result = installed.call(BIN / pathlib.Path(program).name, *arguments, *more)
        assert result.returncode in (1, 2) and ".yaml" in result.stderr, (arguments, result.stderr)
        assert installed.call(BIN / pathlib.Path(program).name, *arguments, "--no-such-option").returncode == 2


@pytest.mark.parametrize("name", TIMERS)
def test_a_timer_elapses_and_starts_a_service_that_there_is(installed, name):
    unit = f"{name}.timer"
    service = (installed.values(unit, "Unit") or [f"{name}.service"])[0]
    assert (installed.units / service).is_file()
    times = installed.values(unit, "OnCalendar")
    assert times or installed.values(unit, "OnBootSec")
    for when in times:
        result = installed.call("systemd-analyze", "calendar", when)
        assert result.returncode == 0 and "Next elapse" in result.stdout
    for span in [value for key in ("OnBootSec", "RandomizedDelaySec", "AccuracySec") for value in installed.values(unit, key)]:
        assert installed.call("systemd-analyze", "timespan", span).returncode == 0


def test_ten_thousand_hosts_do_not_come_together(installed):
    timer = installed.text("xen-healthcheck.timer")
    assert {"OnCalendar=*:0/30", "FixedRandomDelay=true", "Persistent=true"} <= set(timer.splitlines())
    assert re.search(r"^RandomizedDelaySec=25min$", timer, re.M)  # below the half hour: each slot is looked at
    assert "FixedRandomDelay=true" in installed.text("xen-upload.timer")


def test_nothing_is_on_by_itself_and_one_command_turns_it_on(host):
    assert not [path for path in host.path.rglob("*.wants/xen-*")]

    def systemctl(*words):
        return host.call("systemctl", f"--root={host.path}", *words)

    units = [*(f"{name}.timer" for name in TIMERS), "xen-upload.path"]
    for unit in units:
        assert systemctl("preset", unit).returncode == 0
        assert systemctl("is-enabled", unit).stdout.strip() == "disabled"
    assert systemctl("enable", "xen-healthcheck.timer").returncode == 0
    assert [path.name for path in host.path.rglob("*.wants/xen-*")] == ["xen-healthcheck.timer"]
    assert systemctl("disable", "xen-healthcheck.timer").returncode == 0
    # What it starts besides is enough to send what a check leaves in the spool.
    assert host.values("xen-healthcheck.timer", "Wants") == ["xen-upload.path xen-upload.timer"]


def test_an_old_systemd_is_left_no_filter_without_names(installed):
    """Before 229 it ignores names of groups, and a list without names refuses everything."""
    for name in SERVICES:
        assert any("@" in value for value in installed.values(f"{name}.service", "SystemCallFilter"))
        assert "\nSystemCallFilter=\n" in rendered(OLD[f"{name}.service"])


@needs_root
def test_users_and_folders_are_made_and_the_spool_can_be_used(host):
    user = host.call("systemd-sysusers", f"--root={host.path}", host.at(host.prefix / "lib/sysusers.d/xenhealth.conf"))
    assert user.returncode == 0, user.stderr
    made = host.call("systemd-tmpfiles", f"--root={host.path}", "--create", host.at(host.prefix / "lib/tmpfiles.d/xenhealth.conf"))
    assert made.returncode == 0, made.stderr
    ids = re.search(r"^xenhealth:[^:]*:(\d+):(\d+):", (host.path / "etc/passwd").read_text(), re.M)
    uid, gid = map(int, ids.groups())
    found = {path: (host.at(path).stat().st_uid, host.at(path).stat().st_gid, host.at(path).stat().st_mode & 0o7777)
             for path in ("/var/lib/xenhealth", "/var/lib/xen-upload", "/var/spool/xenhealth", "/var/spool/xenhealth/jobs",
                          "/var/spool/xenhealth/data", "/var/spool/xenhealth/damaged", "/run/xenhealth/credentials")}
    assert found == {"/var/lib/xenhealth": (0, 0, 0o750), "/var/lib/xen-upload": (uid, gid, 0o700),
                     "/var/spool/xenhealth": (0, gid, 0o2750), "/var/spool/xenhealth/jobs": (0, gid, 0o2770),
                     "/var/spool/xenhealth/data": (0, gid, 0o2770), "/var/spool/xenhealth/damaged": (0, gid, 0o2770),
                     "/run/xenhealth/credentials": (0, 0, 0o700)}
    report = host.path / "report.zip"
    report.write_bytes(b"a report")
    spool = host.at("/var/spool/xenhealth")
    added = host.call(BIN / "xen-upload", "--queue", spool, "--add", report, f"file://{host.path}/there.zip")
    assert added.returncode == 0, added.stderr
    assert (spool / "jobs" / "wake").exists() and (spool / "jobs" / f"{added.stdout.strip()}.json").stat().st_gid == gid


def test_every_folder_of_ours_that_a_unit_names_is_made_by_the_installation(installed):
    made = installed.at(installed.prefix / "lib/tmpfiles.d/xenhealth.conf").read_text()
    named = {word for unit in installed.units.glob("xen-*.*") if unit.is_file()
             for word in re.findall(r"/(?:var/(?:lib|spool|cache)|run)/xen[\w/-]*", unit.read_text())}
    folders = {path if re.search(rf" ?{re.escape(path)} ", made) else os.path.dirname(path) for path in named}
    assert {"/var/spool/xenhealth", "/var/lib/xen-upload", "/run/xenhealth/credentials"} <= folders
    assert all(f"d {folder} " in made for folder in folders)
