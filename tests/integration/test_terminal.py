# SPDX-License-Identifier: LGPL-2.1-only
"""xen-bugtool and the person at the terminal: progress, questions, summary, lists."""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import zipfile

import pytest

BUGTOOL = pathlib.Path(os.environ["XENHEALTH_BIN"]) / "xen-bugtool"
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="commands run only on the running system, which needs root")
QUESTION = b"Take these? [Y/n/e]: "
SWITCH = b"Empty when done: "


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XENRT_BUGTOOL_BASENAME", "XEN_RT")}
    return {**kept, "TERM": "xterm", **more}


def piped(*arguments, text=b""):
    return subprocess.run([BUGTOOL, *map(str, arguments)], input=text, capture_output=True, timeout=120, env=environment())


class Terminal:
    """A program on a pseudo terminal of its own: what it shows, and a person who answers."""

    def __init__(self, *arguments, columns=80, **env):
        self.shown = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([BUGTOOL, *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave,
                                        env=environment(**env), preexec_fn=own_terminal)
        os.close(slave)

    def more(self):
        ready, _, _ = select.select([self.master], [], [], 240)
        assert ready, f"nothing came after {self.shown[-500:]!r}"
        try:
            chunk = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            chunk = b""
        self.shown += chunk
        return bool(chunk)

    def answer(self, prompt, text):
        """Waits for the prompt at the end of what is shown, then types."""
        while not self.shown.endswith(prompt):
            assert self.more(), f"it ended without {prompt!r}: {self.shown[-500:]!r}"
        os.write(self.master, text)
        self.shown += b"<typed>"

    def end(self):
        while self.more():
            pass
        os.close(self.master)
        return self.process.wait(timeout=60)

    def lines(self):
        return self.shown.replace(b"\r\n", b"\n").decode().split("\n")


@pytest.fixture
def root(tmp_path):
    for name in ("var/log/one.log", "var/log/two.log", "etc/three", "etc/four"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}\n")
    return tmp_path / "root"


@pytest.fixture
def catalog(tmp_path):
    """Capabilities by name, each with its items."""
    def write(**capabilities):
        folder = tmp_path / "catalog"
        folder.mkdir(exist_ok=True)
        for order, (name, items) in enumerate(capabilities.items()):
            head, _, collect = items.rpartition("|")
            (folder / f"{name}.yaml").write_text(
                f"capability: {name}\ndescription: what {name} is about\npii: maybe\norder: {order}\n{head}collect:\n{collect}")
        return folder
    return write


@pytest.fixture
def run(tmp_path, root, catalog):
    """The options of a run over two capabilities."""
    folder = catalog(logs="  - files: ['/var/log/*']\n", settings="  - files: [/etc/three, /etc/four, /etc/absent]\n")
    return ["--root", root, "--catalog", folder, "--outdir", tmp_path / "out", "--output=zip"]


def taken(tmp_path):
    archive, = (tmp_path / "out").glob("*.zip")
    with zipfile.ZipFile(archive) as opened:
        top = archive.name.removesuffix(".zip")
        return {name.removeprefix(f"{top}/") for name in opened.namelist()}, json.loads(opened.read(f"{top}/manifest.json"))


def bars(shown):
    """The lines that were drawn over each other."""
    return re.findall(r"\r([^\r\n\033]*)\033\[K", shown.decode())


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_a_bar_fits_the_terminal_and_goes_away(run, columns):
    terminal = Terminal("-y", *run, columns=columns)
    assert terminal.end() == 0
    drawn = bars(terminal.shown)
    assert drawn[-1] == ""  # wiped
    filled = [bar for bar in drawn if bar]
    assert filled and all(len(bar) < columns and re.search(r"\d+/5", bar) for bar in filled)
    assert any("[" in bar for bar in filled) == (columns >= 60)


@needs_root
def test_the_bar_names_what_has_been_running_for_longest(tmp_path, catalog):
    slow, named = tmp_path / "slowpoke", tmp_path / "named"
    slow.write_text(f"while ! test -e {named}; do sleep 0.05; done")
    folder = catalog(slow=f"  - command: [sh, {slow}]\n    time: 600\n  - command: [echo, quick]\n")
    terminal = Terminal("-y", "--catalog", folder, "--outdir", tmp_path / "out", columns=200)
    while not any("slowpoke" in bar for bar in bars(terminal.shown)):
        assert terminal.more()
    named.touch()
    assert terminal.end() == 0


def test_names_of_files_cannot_write_to_the_terminal(root, run):
    (root / "var/log/evil\033[31m\r\n.log").write_text("")
    terminal = Terminal("-y", *run, columns=200)
    assert terminal.end() == 0
    assert b"\033[31m" not in terminal.shown


def test_elsewhere_than_on_a_terminal_there_is_no_bar(run):
    result = piped("-y", *run)
    assert result.returncode == 0 and result.stderr == b""
    assert b"\r" not in result.stdout and b"\033" not in result.stdout and b"Progress" not in result.stdout


@pytest.mark.parametrize("arguments, env", [(["--no-progress"], {}), ([], {"TERM": "dumb"})])
def test_a_bar_can_be_switched_off(run, arguments, env):
    terminal = Terminal("-y", *arguments, *run, **env)
    assert terminal.end() == 0
    assert bars(terminal.shown) == [] and b"\033" not in terminal.shown


def test_progress_can_be_forced_and_is_lines_then(run):
    result = piped("-y", "--progress", *run)
    assert result.returncode == 0
    said = re.findall(r"^\[.*\]  Progress: (\d+) of (\d+) entries, ", result.stdout.decode(), re.M)
    assert len(said) >= 2 and said[-1] == ("5", "5")


def test_a_silent_run_shows_the_path_and_nothing_else(run):
    terminal = Terminal("-y", "-s", *run)
    assert terminal.end() == 0
    path, rest = terminal.lines()
    assert pathlib.Path(path).is_file() and rest == ""
    result = piped("-y", "-s", "--progress", *run)
    assert pathlib.Path(result.stdout.decode().rstrip("\n")).is_file()
    assert b"Progress: 5 of 5 entries" in result.stderr


def test_a_person_is_asked_once_for_all_capabilities(tmp_path, run):
    terminal = Terminal(*run)
    terminal.answer(QUESTION, b"\n")
    assert terminal.end() == 0
    rows = [line.split() for line in terminal.lines()]
    assert ["capability", "size", "cmds", "privacy", "what"] in rows
    assert ["1", "logs", "48", "bytes", "0", "maybe", "what", "logs", "is", "about"] in rows
    assert b"2 of 2 capabilities: 4 files with 83 bytes, 0 commands." in terminal.shown
    assert b"Include" not in terminal.shown
    assert {"var/log/one.log", "etc/four"} <= taken(tmp_path)[0]


@pytest.mark.parametrize("columns", [40, 80])
def test_the_table_fits_the_terminal(run, columns):
    terminal = Terminal(*run, columns=columns)
    terminal.answer(QUESTION, b"n\n")
    assert terminal.end() == 3
    lines = terminal.lines()
    first = next(i for i, line in enumerate(lines) if "capability" in line)
    assert "privacy" in lines[first] and lines[first + 1].split()[:2] == ["1", "logs"] and "maybe" in lines[first + 1]
    assert all(len(line) < columns for line in lines[first:first + 3])


def test_giving_up_leaves_nothing(tmp_path, run):
    terminal = Terminal(*run)
    terminal.answer(QUESTION, b"what?\n")
    terminal.answer(QUESTION, b"n\n")
    assert terminal.end() == 3
    assert b"y takes them, n gives up" in terminal.shown
    assert terminal.lines()[-2] == "Nothing was collected, and there is no archive."
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("typed, left", [
    ([b"1\n"], {"settings"}), ([b"logs\n"], {"settings"}), ([b"1-2\n", b"2\n"], {"settings"}),
    ([b"none, settings\n"], {"settings"}), ([b"none\n", b"all\n"], {"logs", "settings"}),
    ([b"7 0-1 x 1-\n"], {"logs", "settings"}),
])
def test_capabilities_are_switched_by_number_or_name(tmp_path, run, typed, left):
    terminal = Terminal(*run)
    terminal.answer(QUESTION, b"e\n")
    for words in typed:
        terminal.answer(SWITCH, words)
    terminal.answer(SWITCH, b"\n")
    terminal.answer(QUESTION, b"y\n")
    assert terminal.end() == 0
    names, manifest = taken(tmp_path)
    assert {entry["capability"] for entry in manifest["entries"]} == left == set(manifest["run"]["capabilities"])
    assert ("var/log/one.log" in names) == ("logs" in left)
    assert (b"There is no 'x' in the list." in terminal.shown) == (typed == [b"7 0-1 x 1-\n"])
    assert b"[x] 2  settings" in terminal.shown


def test_switching_everything_off_is_asked_about_again(run):
    terminal = Terminal(*run)
    terminal.answer(QUESTION, b"e\n")
    terminal.answer(SWITCH, b"none\n")
    terminal.answer(SWITCH, b"\n")
    terminal.answer(QUESTION, b"y\n")
    terminal.answer(b"Nothing is switched on.\r\n0 of 2 capabilities: 0 files with 0 bytes, 0 commands.\r\n" + QUESTION, b"n\n")
    assert terminal.end() == 3


def test_the_end_of_the_answers_is_one_clear_line(tmp_path, run):
    terminal = Terminal(*run)
    terminal.answer(QUESTION, b"\x04")
    assert terminal.end() == 1
    assert terminal.lines()[-2].startswith("the answers ended before all questions were asked; use --yestoall")
    result = piped(*run)
    assert result.returncode == 1 and result.stderr.count(b"\n") == 1 and b"--yestoall" in result.stderr
    assert not (tmp_path / "out").exists()


def test_interrupting_a_question_is_an_interruption(tmp_path, run):
    terminal = Terminal(*run)
    terminal.answer(QUESTION, b"\x03")
    assert terminal.end() == 3
    assert terminal.lines()[-2] == "Interrupted."
    assert not (tmp_path / "out").exists()


PROMPTS = ["/etc/four", "/etc/three", "/var/log/one.log", "/var/log/two.log"]


def test_answers_from_a_pipe_meet_the_originals_questions(tmp_path, run):
    result = piped(*run, text=b"y\n" * 1000)
    assert result.returncode == 0
    assert re.findall(r"Include '([^']*)'\? \[Y/n\]: ", result.stdout.decode()) == PROMPTS
    assert b"Take these?" not in result.stdout


def test_the_originals_questions_can_be_had_on_a_terminal(tmp_path, run):
    terminal = Terminal("--questions=items", *run)
    for path, answer in zip(PROMPTS, (b"\n", b"n\n", b"yes\n", b"no\n")):
        terminal.answer(f"Include '{path}'? [Y/n]: ".encode(), answer)
    assert terminal.end() == 0
    assert taken(tmp_path)[0] - {"inventory.xml", "manifest.json"} == {"etc/four", "var/log/one.log"}


def test_the_new_question_can_be_had_from_a_pipe(tmp_path, run):
    assert piped("--questions=capabilities", *run, text=b"e\n2\n\ny\n").returncode == 0
    assert taken(tmp_path)[1]["run"]["capabilities"] == ["logs"]
    result = piped("--questions=sometimes", *run)
    assert result.returncode == 2 and b"'capabilities' or 'items'" in result.stderr


def test_the_question_of_a_silent_run_leaves_standard_output_alone(run):
    result = piped("-s", "--questions=capabilities", *run, text=b"\n")
    assert result.returncode == 0
    assert pathlib.Path(result.stdout.decode().rstrip("\n")).is_file() and QUESTION in result.stderr


def test_the_summary_says_what_is_missing_and_why(tmp_path, root, catalog):
    folder = catalog(logs="size: {max: 10}\n|  - log: /var/log/one.log\n    limit: 5\n  - files: [/etc/four, /etc/three]\n"
                          "  - file: /etc/fifo\n  - file: /etc/absent\n")
    os.mkfifo(root / "etc/fifo")
    result = piped("-y", "--root", root, "--catalog", folder, "--outdir", tmp_path / "out", "--output=zip")
    assert result.returncode == 0
    archive, = (tmp_path / "out").iterdir()
    *_, summary = result.stdout.decode().partition("\nTaken: ")
    lines = summary.splitlines()
    assert lines[0].startswith("2 of 5 entries, ")
    assert "     1 left out, size constraint of logs exceeded: /etc/three" in lines
    assert "     1 cut to their limit (logs keep their end): /var/log/one.log" in lines
    assert any(re.fullmatch(r" +1 could not be opened, .*: /etc/fifo", line) for line in lines)
    assert "     1 are not on this host" in lines
    assert lines[-3].startswith(f"Archive: {archive}, ")
    assert lines[-2].endswith(f": xen-analyze {archive}")
    assert lines[-1] == f"Writing archive {archive} successful."


def test_the_summary_counts_secrets(tmp_path, root, catalog):
    (root / "etc/snmpd").write_text("com2sec local default hunter2\n")
    folder = catalog(settings="  - file: /etc/snmpd\n    redact: snmpd-xs\n")
    result = piped("-y", "--root", root, "--catalog", folder, "--outdir", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert re.search(rb"^Taken: 1 of 1 entries, .*; 1 secret was removed$", result.stdout, re.M)


def test_a_list_is_for_scripts_in_a_pipe_and_for_people_on_a_terminal(run):
    rows = [line.split("\t") for line in piped("--list", *run[:4]).stdout.decode().splitlines()]
    assert rows[0] == ["logs", "file", "var/log/one.log", "/var/log/one.log"] and {len(row) for row in rows} == {4}
    terminal = Terminal("--list", *run[:4])
    assert terminal.end() == 0
    lines = terminal.lines()[:-1]
    assert [line.split() for line in lines] == rows and b"\t" not in terminal.shown
    assert len({line.rindex(" /") for line in lines}) == 1


def test_an_estimate_has_columns_and_totals(run):
    lines = piped("--estimate", *run[:4]).stdout.decode().splitlines()
    assert len({line.index("var/log") for line in lines if "var/log" in line} | {lines[0].index("name")}) == 1
    cells = [line.split() for line in lines]
    assert ["logs", "file", "24", "bytes", "-", "var/log/one.log"] in cells
    assert ["settings", "file", "missing", "-", "etc/absent"] in cells
    assert ["capability", "privacy", "files", "size", "commands", "about", "at", "most"] in cells
    assert ["settings", "maybe", "2", "35", "bytes", "0", "1", "s", "1", "s"] in cells
    assert lines[-1] == "1 of 5 entries are not on this host or are left out."


# A shell with job control, reduced to what a job in the background is: a process group other than the terminal's. A real
# one would end its wait when the job is stopped, by whomever.
IN_BACKGROUND = """
import os, sys
job = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, setpgroup=0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
"""


@needs_root
def test_a_run_in_the_background_does_not_draw(tmp_path, catalog):
    folder = catalog(slow="  - command: [sleep, '0.5']\n")
    master, slave = pty.openpty()
    command = [BUGTOOL, "-y", "--catalog", folder, "--outdir", tmp_path / "out"]

    def own_terminal():
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = subprocess.Popen([sys.executable, "-ISc", IN_BACKGROUND, *command], stdin=slave, stdout=slave, stderr=slave,
                               env=environment(), preexec_fn=own_terminal)
    os.close(slave)
    shown = b""
    while select.select([master], [], [], 240)[0]:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        shown += chunk
    os.close(master)
    assert process.wait(timeout=60) == 0
    assert b"Writing tarball" in shown and not any(bars(shown))
