# SPDX-License-Identifier: LGPL-2.1-only
"""xen-upload as people and scripts see it: the command line, settings, what is shown, how it ends."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading

import pytest

from fakes import serving
from torture import wait_until
from upload_command import SIZE, part_of, report, running, said, share, succeeded, upload, with_little_room  # noqa: F401, fixtures
from uploading import CANARY, DENIED, DONE, FAILED, INTERRUPTED, LATER, UPLOAD, USAGE, clean, secret, sha256


class Server(serving.Server):
    """Takes what is PUT, and remembers heads; `status` and `hang` make it difficult."""

    def __init__(self, status=201, hang=False, headers=()):
        self.heads, self.bodies, self.asked, self.go_on = [], [], threading.Event(), threading.Event()
        outer = self

        class Handler(serving.Handler):
            def do_PUT(self):
                outer.heads.append(dict(self.headers))
                outer.asked.set()
                if hang:
                    outer.go_on.wait(60)
                outer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(Handler)

    def __exit__(self, *_):
        self.go_on.set()
        super().__exit__()


@contextlib.contextmanager
def dead_port():
    """Bound, and nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


# The command line

WRONG = [
    ([], "FILE and URL are missing"),
    (["r.zip"], "URL is missing"),
    (["https://host/"], "FILE is missing"),
    (["https://host/", "r.zip"], "exchanged"),
    (["r.zip", "https://host/", "more"], "'more' is too much"),
    (["", "https://host/"], "FILE is empty"),
    (["r.zip", ""], "the URL is empty"),
    (["r.zip", "/mnt/x"], "file:///FOLDER/"),
    (["r.zip", "host:/x"], "sftp://HOST/PATH"),
    (["r.zip", "htps://host/x"], "do you mean 'https://'"),
    (["r.zip", "http://127.0.0.1/x"], "--allow-plain"),
    (["r.zip", "tus+http://127.0.0.1/x"], "--allow-plain"),
    (["r.zip", "https://u:hunter2@host/"], "--credentials"),
    (["r.zip", "https://u@host/"], "username="),
    (["--tokn", "x", "r.zip", "https://host/"], "do you mean '--token'"),
    (["-t", "r.zip", "https://host/"], "two dashes"),
    (["--c", "x", "r.zip", "https://host/"], "can mean several"),
    (["--rate", "1M", "--rate", "2M", "r.zip", "https://host/"], "'--rate' is given twice"),
    (["--dry-run", "--dry-run", "r.zip", "https://host/"], "'--dry-run' is given twice"),
    (["--rate", "fast", "r.zip", "https://host/"], "a size such as 500K"),
    (["--rate", "0", "r.zip", "https://host/"], "too small"),
    (["--chunk-size", "6G", "r.zip", "https://host/"], "too large"),
    (["--give-up-after", "soon", "r.zip", "https://host/"], "a time such as 90s"),
    (["--give-up-after", "999999d", "r.zip", "https://host/"], "too large"),
    (["--retry-wait", "1x", "r.zip", "https://host/"], "500ms"),
    (["--case", "1000000000", "r.zip", "https://host/"], "too large"),
    (["--verbosity", "0", "r.zip", "https://host/"], "1, 2, 3"),
    (["--method", "DELETE", "r.zip", "https://host/"], "PUT, POST"),
    (["--progress=loud", "r.zip", "https://host/"], "bar, json, none"),
    (["--name", "", "r.zip", "https://host/"], "not empty"),
    (["--dry-run=1", "r.zip", "https://host/"], "takes no value"),
    (["r.zip", "https://host/", "--token"], "needs a value"),
    (["--token", "a", "--credentials", "b", "r.zip", "https://host/"], "give one"),
    (["--proxy-credentials", "a", "r.zip", "https://host/"], "needs '--proxy'"),
    (["--key", "a", "r.zip", "https://host/"], "needs '--cert'"),
    (["--abandon", "--dry-run", "r.zip", "https://host/"], "does not go with"),
    (["--add", "r.zip", "https://host/"], "--queue DIR"),
    (["--queue", "q", "--add", "--list"], "one at a time"),
    (["--queue", "q", "r.zip"], "--add"),
    (["--queue", "q", "--add", "r.zip"], "URL is missing"),
    (["--queue", "q", "--dry-run"], "FILE URL"),
    (["--queue", "q", "--receipt", "r"], "keep theirs"),
    (["--format", "json", "r.zip", "https://host/"], "'--list'"),
    (["--grant", "https://host"], "need each other"),
    (["--output", "o", "r.zip", "https://host/"], "need each other"),
    (["--expires", "1d", "r.zip", "https://host/"], "are for '--grant'"),
    (["--product-key", "k", "--queue", "q"], "are for '--grant'"),
    (["--grant", "https://host", "--output", "o", "--expires", "0"], "too small"),
    (["--grant", "https://host", "--output", "o", "x"], "--grant"),
    (["--grant", "http://127.0.0.1", "--output", "o"], "https://HOST"),
    (["--grant", "https://host", "--output", "o"], "password="),
    (["--receipt", "/no/such/folder/r", "r.zip", "file:///tmp/"], "receipt"),
    (["--receipt", "/etc/passwd/r", "r.zip", "file:///tmp/"], "receipt"),
    (["--origin", "host", "r.zip", "https://host/"], "https://HOST"),
    (["--origin", "https://host/path", "r.zip", "https://host/"], "https://HOST"),
    (["--origin", "https://u:hunter2@host", "r.zip", "https://host/"], "https://HOST"),
    (["--proxy", "http://u:hunter2@host:1", "--dry-run", "/etc/passwd", "https://host/"], "password"),
    (["--credential", "c", "r.zip", "file:///tmp/"], "--credentials-dir"),
    (["r.zip", "https://host/a%zz"], "%25"),
    (["r.zip", "tus+https://host/a%2"], "%25"),
    (["r.zip", "https://host/?a=100%"], "%25"),
    (["r.zip", "sftp://host"], "no path"),
    (["--allow-plain", "/etc/passwd", "http://192.0.2.1/x"], "works to 127.0.0.1"),
    (["--allow-plain", "--endpoint", "http://192.0.2.1", "/etc/passwd", "s3://bucket/key"], "works to 127.0.0.1"),
    (["/etc/passwd", "s3://bucket/key"], "access_key="),
    (["/etc/passwd", "sftp://host/x"], "--identity"),
    (["--queue", "q", "--add", "--credentials", "absent", "/etc/passwd", "https://host/"], "absent' that '--credentials' names"),
    (["--queue", "q", "--add", "--identity", "absent", "/etc/passwd", "sftp://host/x"], "absent' that '--identity' names"),
    (["--credential", "../c", "--credentials-dir", "/tmp", "r.zip", "file:///tmp/"], "without a path"),
]


@pytest.mark.alike
@pytest.mark.parametrize("arguments, told", WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_a_wrong_command_line_is_refused_with_what_would_be_right(upload, tmp_path, arguments, told):
    result = upload(*arguments, cwd=tmp_path)
    line = said(result, USAGE)
    assert told in line and "hunter2" not in line
    assert result.stdout == ""
    assert not (tmp_path / "state").exists()


def test_help_names_every_scheme_and_status(upload):
    text = succeeded(upload("--help"))
    for scheme in ("tus+https", "cis+https", "s3", "https", "sftp", "file"):
        assert re.search(rf"^  {re.escape(scheme)}:// +\S", text, re.M)
    assert max(len(line) for line in text.splitlines()) <= 100
    assert re.fullmatch(r"xen-upload \d+\.\d+\.\d+\n", succeeded(upload("--version")))


def test_output_that_cannot_be_written_is_no_success(upload):
    with open("/dev/full", "w") as full:
        result = subprocess.run([UPLOAD, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, env=clean())
    assert result.returncode == FAILED and "standard output" in result.stderr


def test_a_file_that_arrived_is_a_success_even_when_nobody_listens(report, share, tmp_path):
    with open("/dev/full", "w") as full:
        result = subprocess.run([UPLOAD, "--state", tmp_path / "state", report, f"file://{share}/"], stdout=full, stderr=subprocess.PIPE, env=clean())
    assert (result.returncode, result.stderr) == (DONE, b"")
    assert (share / "report.zip").read_bytes() == report.read_bytes()


# Settings

def test_settings_have_the_names_of_the_options_and_the_command_line_wins(upload, report, share, tmp_path):
    settings = secret(tmp_path, "s.yaml", f"name: of-settings.zip\nstate: {tmp_path}/state\nprogress: json\nrate: 500M\n"
                                          "allow-plain: true\ngive-up-after: 0\nretry-wait: 10ms\nmax-jobs: 7\n")
    result = upload("--settings", settings, report, f"file://{share}/", own_settings=True)
    assert json.loads(succeeded(result).splitlines()[0])["event"] == "start"
    assert os.listdir(share) == ["of-settings.zip"]
    result = upload("--settings", settings, "--name", "mine.zip", "--progress=none", report, f"file://{share}/", own_settings=True)
    assert succeeded(result).startswith("Sending")
    assert sorted(os.listdir(share)) == ["mine.zip", "of-settings.zip"]


SETTINGS = [
    ("chunk-sise: 1M\n", "1:1", "chunk-size"),
    ("\nrate: fast\n", "2:7", "a size such as"),
    ("rate: [1]\n", "1:7", ""),
    ("allow-plain: maybe\n", "1:14", "true"),
    ("verbosity: 12\n", "1:12", "1, 2, 3"),
    ("give-up-after: 9999999d\n", "1:16", "too large"),
    ("name: ''\n", "1:7", ""),
    ("rate: 1\nrate: 2\n", "2:1", "rate"),
    ("- rate\n", "1:1", ""),
    ("rate: 1\n bad: 2\n", "2:", ""),
    ("receipt: x\n", "1:1", "receipt"),
    ("queue: x\n", "1:1", "queue"),
    ("settings: x\n", "1:1", "settings"),
    ("token: /etc/token\n", "1:1", "origin"),
    ("rate: 1\ncredential: x\n", "2:1", "origin"),
    ("name: &a x\n", "1:", ""),
]


@pytest.mark.alike
@pytest.mark.parametrize("text, place, told", SETTINGS, ids=[text.split(":")[0].strip() + str(i) for i, (text, _, _) in enumerate(SETTINGS)])
def test_a_mistake_in_the_settings_is_told_with_its_place(upload, report, share, tmp_path, text, place, told):
    settings = secret(tmp_path, "s.yaml", text)
    line = said(upload("--settings", settings, report, f"file://{share}/", own_settings=True), USAGE)
    assert line.startswith(f"{settings}:{place}") and told in line
    assert os.listdir(share) == []


def test_a_mistake_is_told_also_where_the_command_line_wins(upload, report, share, tmp_path):
    settings = secret(tmp_path, "s.yaml", "rate: fast\n")
    assert "1:7" in said(upload("--settings", settings, "--rate", "1M", report, f"file://{share}/", own_settings=True), USAGE)


def test_settings_that_are_named_must_be_there(upload, report, share, tmp_path):
    line = said(upload("--settings", tmp_path / "absent.yaml", report, f"file://{share}/", own_settings=True), FAILED)
    assert "absent.yaml" in line


# Credentials

def test_credentials_of_the_settings_go_to_their_server_alone(upload, report, tmp_path):
    token = secret(tmp_path, "token", CANARY)
    with Server() as ours, Server() as theirs:
        settings = secret(tmp_path, "s.yaml", f"token: {token}\norigin: {ours.origin}/\nallow-plain: true\n")
        for server in (ours, theirs):
            result = upload("--settings", settings, report, f"{server.origin}/r.zip", own_settings=True)
            text = succeeded(result)
            assert ("does not get them" in text) == (server is theirs)
        assert ours.heads[0]["Authorization"] == f"Bearer {CANARY}"
        assert "Authorization" not in theirs.heads[0]
        other = secret(tmp_path, "other", "another")
        succeeded(upload("--settings", settings, "--token", other, report, f"{theirs.origin}/r.zip", own_settings=True))
        assert theirs.heads[1]["Authorization"] == "Bearer another"


def test_systemd_passes_credentials_in_a_folder(upload, report, tmp_path):
    secret(tmp_path, "service", f"token={CANARY}\n")
    with Server() as server:
        plain = ["--allow-plain", "--credential", "service", report, f"{server.origin}/r.zip"]
        succeeded(upload(*plain, env={"CREDENTIALS_DIRECTORY": str(tmp_path)}))
        succeeded(upload(*plain, "--credentials-dir", tmp_path, env={"CREDENTIALS_DIRECTORY": "/nowhere"}))
        assert [head["Authorization"] for head in server.heads] == [f"Bearer {CANARY}"] * 2


@pytest.mark.parametrize("option", ["--token", "--credentials"])
def test_a_file_that_others_can_read_is_refused(upload, report, tmp_path, option):
    path = secret(tmp_path, "token", f"token={CANARY}")
    path.chmod(0o640)
    with Server() as server:
        line = said(upload("--allow-plain", option, path, report, f"{server.origin}/r.zip"), DENIED)
        assert "chmod 600" in line and CANARY not in line
        assert server.heads == []


def test_a_process_with_secrets_leaves_no_core(upload, report, tmp_path):
    token = secret(tmp_path, "token", CANARY)
    with Server(hang=True) as server, running(tmp_path, "--token", token, "--allow-plain", report, f"{server.origin}/r") as process:
        assert server.asked.wait(60)
        limits = open(f"/proc/{process.pid}/limits").read()
        assert re.search(r"Max core file size +0 +0 ", limits)
        assert os.stat(f"/proc/{process.pid}/mem").st_uid == 0


# Dry runs

def test_a_dry_run_sends_and_writes_nothing(upload, report, tmp_path):
    credentials = secret(tmp_path, "c", f"token={CANARY}\n")
    before = sorted(tmp_path.rglob("*"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for scheme in ("https", "tus+https", "cis+https"):
            result = upload("--dry-run", "--credentials", credentials, "--chunk-size", "64K", "--rate", "1M",
                            report, f"{scheme}://127.0.0.1:{port}/files/" + (f"?sig={CANARY}" if scheme != "cis+https" else ""))
            text = succeeded(result)
            for expected in (str(report), "300000 bytes", sha256(report), f"https://127.0.0.1:{port}, ", "a token (from",
                             "64.0 KiB", "1.0 MiB a second", "no unfinished upload"):
                assert expected in text
            assert CANARY not in text
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_of_a_copy_says_what_is_there(upload, report, share):
    part_of(share, report).write_bytes(report.read_bytes()[:5])
    text = succeeded(upload("--dry-run", report, f"file://{share}/"))
    assert "5 bytes of it are there" in text and "Credentials:  none" in text
    assert part_of(share, report).stat().st_size == 5


# How it ends

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_a_word_on_how_to_go_on(report, tmp_path, number):
    with Server(hang=True) as server, running(tmp_path, "--allow-plain", report, f"{server.origin}/r") as process:
        assert server.asked.wait(60)
        process.send_signal(number)
        _, error = process.communicate(timeout=30)
        assert process.returncode == INTERRUPTED
        assert "the same command" in error and error.count("\n") == 1


def test_a_signal_ends_a_wait(report, tmp_path):
    with Server(status=503, headers=[("Retry-After", "1800")]) as server:
        with running(tmp_path, "--allow-plain", "--progress=json", report, f"{server.origin}/r") as process:
            events = [json.loads(process.stdout.readline())]
            while events[-1]["event"] != "wait":
                events.append(json.loads(process.stdout.readline()))
            assert 1_800_000 <= events[-1]["ms"] <= 1_801_000
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=30)
            assert process.returncode == INTERRUPTED
            assert json.loads(output.splitlines()[-1])["status"] == INTERRUPTED


def test_without_a_server_it_gives_up_in_time_and_says_how_to_go_on(upload, report):
    def waited():  # on a busy machine the time may be up before
        result = upload("--allow-plain", "--give-up-after", "1s", "--retry-wait", "50ms", report, f"http://127.0.0.1:{port}/r")
        assert "the same command tries again" in said(result, LATER)
        return "trying again in" in result.stdout

    with dead_port() as port:
        assert wait_until(waited)


def test_a_server_that_asks_for_patience_beyond_the_limit_is_not_waited_for(upload, report):
    with Server(status=503, headers=[("Retry-After", "7200")]) as server:
        result = upload("--allow-plain", report, f"{server.origin}/r")
        assert result.returncode == LATER
        assert len(server.heads) == 1


@pytest.mark.parametrize("status, code", [(401, DENIED), (403, DENIED), (404, FAILED), (409, FAILED), (413, FAILED), (501, FAILED), (302, FAILED)])
def test_answers_of_a_server_are_told_by_the_status(upload, report, status, code):
    with Server(status=status) as server:
        result = upload("--allow-plain", report, f"{server.origin}/r")
        said(result, code)
        assert len(server.heads) == 1


def test_a_proxy_that_is_not_there_is_named(upload, report):
    with dead_port() as port:
        proxy = f"http://127.0.0.1:{port}"
        line = said(upload("--give-up-after", "0", "--proxy", proxy, report, "https://127.0.0.1:1/r"), LATER)
    assert f"no answer from https://127.0.0.1:1 by the proxy {proxy}:" in line


def test_a_server_without_tls_is_suspected(upload, report):
    with Server() as server:
        result = upload(report, f"https{server.origin.removeprefix('http')}/r")
        assert "does a server with TLS listen at that port?" in said(result, DENIED)


def test_the_same_upload_runs_once_at_a_time(upload, report, tmp_path):
    with Server(hang=True) as server, running(tmp_path, "--allow-plain", report, f"{server.origin}/r"):
        assert server.asked.wait(60)
        assert "another process" in said(upload("--allow-plain", report, f"{server.origin}/r"), LATER)


def test_a_state_folder_that_others_may_write_to_is_refused(upload, report, share, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    assert "chmod 700" in said(upload(report, f"file://{share}/"), FAILED)
    assert os.listdir(share) == []


def test_a_report_gets_out_also_where_no_state_can_be_kept(upload, report, share, tmp_path):
    (tmp_path / "state").write_text("a file where a folder should be")
    assert "a cut upload starts anew" in succeeded(upload(report, f"file://{share}/"))
    assert (share / "report.zip").read_bytes() == report.read_bytes()


def test_a_name_that_is_no_text_is_copied_as_it_is(upload, report, share, tmp_path):
    odd = os.fsencode(tmp_path) + b"/\xff\xfe.zip"
    os.link(report, odd)
    succeeded(upload(os.fsdecode(odd), f"file://{share}/"))
    assert os.listdir(os.fsencode(share)) == [b"\xff\xfe.zip"]


def test_a_damaged_record_is_dropped_with_a_word(upload, report, share, tmp_path):
    url = f"file://{share}/x"
    upload(report, url, preexec_fn=with_little_room)
    (record,) = (tmp_path / "state").glob("*.json")
    record.write_text(record.read_text()[:-20])
    assert "cannot be read and is dropped" in succeeded(upload(report, url))
    assert list((tmp_path / "state").iterdir()) == []


# What is seen meanwhile

def test_json_is_an_object_a_line_with_the_same_keys(upload, report, tmp_path):
    with Server() as server:
        result = upload("--allow-plain", "--rate", "400K", "--progress=json", report, f"{server.origin}/r?sig={CANARY}")
    events = [json.loads(line) for line in succeeded(result).splitlines()]
    assert [event["event"] for event in (events[0], events[-1])] == ["start", "done"]
    assert {event["event"] for event in events[1:-1]} <= {"progress"}
    for event in events:
        assert {"event", "bytes", "total", "rate"} <= event.keys()
        assert 0 <= event["bytes"] <= event["total"] == SIZE
    assert events[-1]["bytes"] == SIZE
    assert CANARY not in result.stdout


def test_an_error_is_an_event_and_a_line(upload, report):
    with Server(status=403) as server:
        result = upload("--allow-plain", "--progress=json", report, f"{server.origin}/r")
    line = said(result, DENIED)
    last = json.loads(result.stdout.splitlines()[-1])
    assert (last["event"], last["status"], last["message"]) == ("failed", DENIED, line)


def test_names_with_signs_of_a_terminal_are_shown_harmlessly(upload, share, tmp_path):
    path = tmp_path / "a\x1b[31m\nb\u202e.zip"
    path.write_text("x")
    text = succeeded(upload(path, f"file://{share}/"))
    assert "\x1b" not in text and "\u202e" not in text and text.count("\n") == 2
    assert os.listdir(share) == [path.name]


def on_terminal(tmp_path, *arguments, columns=80, term="xterm"):
    """What is shown on a terminal of its own, and the status."""
    settings = secret(tmp_path, "terminal.yaml", "{}\n")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    command = [str(word) for word in [UPLOAD, "--state", tmp_path / "state", "--settings", settings, *arguments]]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=clean({"TERM": term}), preexec_fn=own_terminal)
    os.close(slave)
    shown = b""
    while select.select([master], [], [], 60)[0]:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(master)
    return shown.decode().replace("\r\n", "\n"), process.wait(timeout=60)


@pytest.mark.parametrize("columns", [100, 72, 40])
def test_a_bar_moves_on_a_terminal_and_goes_at_the_end(report, tmp_path, columns):
    with Server() as server:
        shown, status = on_terminal(tmp_path, "--allow-plain", "--rate", "400K", report, f"{server.origin}/r", columns=columns)
    assert status == DONE
    bars = re.findall(r"\r([^\r\n]*%[^\r\n]*)\x1b\[K", shown)
    assert bars and all(len(bar) < columns for bar in bars)
    assert any(re.match(r"\[[#.]{20}\] " if columns > 70 else r" *\d+%  ", bar) for bar in bars)
    assert re.search(r"\d+%  [\d.]+ (KiB|bytes) of 293.0 KiB", shown)
    seen = [line.split("\r\x1b[K")[-1] for line in shown.split("\n")[:-1]]
    assert len(seen) == 2 and seen[0].startswith("Sending") and seen[1].startswith("Sent")


def test_no_bar_is_drawn_where_none_can_be_or_none_is_wanted(report, tmp_path):
    with Server() as server:
        given = ["--allow-plain", "--rate", "400K", report, f"{server.origin}/r"]
        assert "\x1b" not in on_terminal(tmp_path, *given, term="dumb")[0]
        assert "\x1b" not in on_terminal(tmp_path, *given, "--progress=none")[0]


# The spool, as far as the command line goes

def test_a_job_keeps_what_was_said_about_it_wherever_it_is_worked_off(upload, report, tmp_path):
    secret(tmp_path, "token", CANARY)
    with Server() as server:
        result = upload("--queue", "spool", "--add", "--token", "token", "--allow-plain", "--method", "PUT", report.name,
                        f"{server.origin}/r.zip", cwd=tmp_path)
        assert result.returncode == DONE
        job = result.stdout.strip()
        assert re.fullmatch(r"[0-9a-f]{32}", job)
        assert upload("--queue", "spool", "--add", report.name, f"{server.origin}/r.zip", "--allow-plain", "--token", "token",
                      cwd=tmp_path).stdout.strip() == job
        assert server.heads == []
        report.unlink()
        succeeded(upload("--queue", tmp_path / "spool", cwd="/"))
        assert server.heads[0]["Authorization"] == f"Bearer {CANARY}"
    listed = json.loads(succeeded(upload("--queue", tmp_path / "spool", "--list", "--format", "json")))
    (shown,) = listed["jobs"]
    assert (shown["id"], shown["state"], shown["file"]) == (job, "done", str(report))
    assert shown["receipt"]["schema"] == "xenhealth-upload/1"
    assert job in succeeded(upload("--queue", tmp_path / "spool", "--list"))


@pytest.mark.parametrize("status, code, state", [(201, DONE, "done"), (503, LATER, "waiting"), (404, FAILED, "failed"), (403, DENIED, "denied")])
def test_the_worst_of_the_jobs_is_the_status(upload, report, share, tmp_path, status, code, state):
    spool = tmp_path / "spool"
    with Server(status=status) as server:
        for url in (f"{server.origin}/r.zip", f"file://{share}/"):
            assert upload("--queue", spool, "--add", "--allow-plain", report, url).returncode == DONE
        result = upload("--queue", spool, "--give-up-after", "0")
    assert result.returncode == code
    listed = json.loads(upload("--queue", spool, "--list", "--format", "json").stdout)
    assert sorted(job["state"] for job in listed["jobs"]) == sorted([state, "done"])
    assert (share / "report.zip").read_bytes() == report.read_bytes()


def test_a_job_without_its_credentials_waits_for_who_has_them(upload, report, tmp_path):
    spool = tmp_path / "spool"
    with Server() as server:
        add = ["--queue", spool, "--add", "--allow-plain", "--credential", "service", report, f"{server.origin}/r.zip"]
        assert upload(*add).returncode == DONE
        assert upload("--queue", spool).returncode == LATER
        listed = json.loads(upload("--queue", spool, "--list", "--format", "json").stdout)
        assert server.heads == [] and "LoadCredential=" in listed["jobs"][0]["error"] and listed["jobs"][0]["state"] == "waiting"
        secret(tmp_path, "service", f"token={CANARY}\n")
        job, = (spool / "jobs").glob("*.json")
        job.write_text(re.sub(r'"next_try": .*,', '"next_try": null,', job.read_text()))
        succeeded(upload("--queue", spool, "--credentials-dir", tmp_path))
        assert server.heads[0]["Authorization"] == f"Bearer {CANARY}"


def test_a_job_that_waits_is_not_told_of_a_command(upload, report, tmp_path):
    spool = tmp_path / "spool"
    with dead_port() as port:
        assert upload("--queue", spool, "--add", "--allow-plain", report, f"http://127.0.0.1:{port}/r").returncode == DONE
        assert upload("--queue", spool, "--give-up-after", "0").returncode == LATER
    job, = json.loads(upload("--queue", spool, "--list", "--format", "json").stdout)["jobs"]
    assert job["error"].endswith("; a later run of the queue tries again")


def test_a_file_whose_size_hides_its_content_is_refused(upload, tmp_path):
    assert os.stat("/proc/version").st_size == 0
    assert "copy it" in said(upload("/proc/version", f"file://{tmp_path}/x"), FAILED)
    assert not (tmp_path / "x").exists()


def test_only_what_would_be_sent_is_put_into_the_spool(upload, report, tmp_path):
    spool = tmp_path / "spool"
    assert upload("--queue", spool, "--add", report, "http://127.0.0.1/").returncode == USAGE
    assert upload("--queue", spool, "--add", report, "gopher://host/").returncode == USAGE
    assert upload("--queue", spool, "--add", tmp_path / "absent", "https://host/").returncode == FAILED
    assert "there is no spool" in said(upload("--queue", tmp_path / "other"), FAILED)
