# SPDX-License-Identifier: LGPL-2.1-only
"""xen-healthcheck run, now and status: a host alone, a pool, an enrolled pool, and what ends runs before their time."""
import datetime
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile

import jsonschema
import prometheus_client.parser
import pytest

from fakes import health_check_service, xapi
from fakes.odd_server import OddServer, answer
from sample_roots import build_roots
from torture import PATIENCE, survivors, wait_until

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
SOURCE = pathlib.Path(os.environ["XENHEALTH_SOURCE"])
PROGRAM = BIN / "xen-healthcheck"
SCHEMA = json.loads((SOURCE / "docs/healthcheck-status.schema.json").read_text())
HOSTS = ("host1", "host2", "host3")
FEW = "--entries=kernel-info,process-list,system-logs,xen-bugtool"
OTHER = "99999999-2222-4333-8444-555555555555"  # another service
RULES = "--only=md-disk-failure,disk-io-error,nic-link-flapping,root-fs-full"  # all of them take longer
STATUS_PATIENCE = 3  # seconds, that `status` has for the uploader; it has a little more for XAPI
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "XENRT_BUGTOOL_BASENAME")}


# Under valgrind it would meddle with valgrind's own system calls.
needs_strace = pytest.mark.skipif(PATIENCE > 1, reason="strace does not go with valgrind")


def stamp(**ago):
    """So long ago, in XenCenter's form."""
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


@pytest.fixture(scope="module")
def roots():
    with tempfile.TemporaryDirectory(prefix="health-roots.") as folder:
        build_roots(f"{folder}/healthy", "host-root")
        build_roots(f"{folder}/problems", "host-root", "problems")
        yield pathlib.Path(folder)


class House:
    """A host with its folders; its reports are of a sample root."""

    def __init__(self, folder, roots, hosts=0):
        self.folder, self.roots, self.root = folder, roots, folder / "r"
        self.config, self.state, self.runtime, self.inbox = (folder / name for name in ("etc", "state", "run", "inbox"))
        for path in (self.config, self.runtime, self.inbox):
            path.mkdir()
        self.pool, self.killed = None, False
        self.become("healthy")
        if hosts:
            (folder / "certificates").mkdir()
            others = {label: roots / "healthy" / label for label in HOSTS[1:hosts]}
            self.pool = xapi.Pool(folder / "certificates", BIN / "xen-bugtool", {HOSTS[0]: self.root, **others})
            inventory = self.root / "etc/xensource-inventory"
            inventory.write_text(re.sub("INSTALLATION_UUID=.*", f"INSTALLATION_UUID='{self.pool.local.uuid}'",
                                        inventory.read_text()))
            self.pool.health = {"somebody.else": "keeps this"}
        self.settings()

    def become(self, kind):
        """From now on the host's reports are of that sample."""
        if self.root.exists():
            shutil.rmtree(self.root)
        shutil.copytree(self.roots / kind / "host1", self.root)

    def settings(self, collect="", more="", rules=RULES):
        (self.config / "healthcheck.yaml").write_text(
            f"collect:\n  arguments: [--root, {self.root}, '{FEW}']\n{collect}analyze: {{arguments: ['{rules}']}}\n"
            f"xapi: {{root: {self.root if self.pool else self.config}, confirm: 0}}\nupload: {{spool: {self.folder}/spool}}\n{more}")

    def command(self, *arguments):
        return [PROGRAM, "--config", self.config, "--state", self.state, "--runtime", self.runtime, *map(str, arguments)]

    def call(self, *arguments, prefix=(), **environment):
        """`status` that had no time for others, on a machine that is so busy, is asked again."""
        for _ in range(1 if PATIENCE > 1 else 10):
            begun = time.monotonic()
            result = subprocess.run([*prefix, *self.command(*arguments)], capture_output=True, text=True, timeout=120,
                                    stdin=subprocess.DEVNULL, env={**ENVIRONMENT, **environment})
            if arguments[:1] != ("status",) or time.monotonic() - begun < STATUS_PATIENCE:
                break
        return result

    def good(self, *arguments, **keywords):
        result = self.call(*arguments, **keywords)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                stdin=subprocess.DEVNULL, env=ENVIRONMENT)

    def start_and_hang(self, *arguments):
        """A run that collects, for the pool, and waits for this host's report: it goes no further until it is ended."""
        self.pool.local.mode = "hang"
        before = len(self.pool.requests)
        run = self.start(*arguments)
        assert wait_until(lambda: any(request["target"].startswith("/system-status") for request in self.pool.requests[before:]))
        assert self.step() == "collecting"
        return run

    def wait_for_the_end(self):
        """What a run had started when it was killed hears of it, and ends in its own time."""
        self.killed = True
        assert wait_until(lambda: not survivors(str(self.folder)))

    def status(self):
        result = json.loads(self.good("status", "--format", "json"))
        jsonschema.validate(result, SCHEMA)
        return result

    def checks(self):
        return json.loads((self.state / "history.json").read_text())["checks"]

    def step(self):
        path = self.state / "pending.json"
        return json.loads(path.read_text())["check"]["step"] if path.exists() else None

    def reports(self):
        return sorted(path.name for path in (self.state / "reports").iterdir())

    def enroll(self, **keys):
        """In XenCenter's way and ours; a retry is due."""
        (self.config / "enrollment.yaml").unlink(missing_ok=True)
        result = self.call("enroll", "--yes", f"file://{self.inbox}/")
        assert result.returncode == 0, result.stderr
        if self.pool:
            self.pool.health.update({"LastFailedUpload": stamp(days=30), **keys})

    def arrived(self):
        return sorted(path for path in self.inbox.iterdir() if path.suffix == ".zip")

    def end(self):
        if self.pool:
            assert self.killed or wait_until(lambda: self.pool.sessions == 0)
            self.pool.stop()
            assert self.pool.complaints == []
            assert self.pool.health["somebody.else"] == "keeps this"


def make_house(roots, hosts):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="health.", dir="/tmp"))  # short: a socket's path has 107 bytes
    house = House(folder, roots, hosts)
    try:
        yield house
        house.end()
    finally:
        if house.pool:
            house.pool.stop()
        shutil.rmtree(folder)


@pytest.fixture
def alone(roots):
    yield from make_house(roots, 0)


@pytest.fixture
def single(roots):
    """A pool of one."""
    yield from make_house(roots, 1)


@pytest.fixture
def pool(roots):
    yield from make_house(roots, 3)


# --- a host alone

def test_before_the_first_check_status_says_what_to_do(alone):
    text = alone.good("status")
    assert "No health check has run on this host yet." in text and "xen-healthcheck now" in text
    assert "nothing, ever: this host is not enrolled" in text
    assert alone.status()["last"] is None
    assert not alone.state.exists()


def test_the_first_tick_of_the_timer_makes_a_check_and_the_second_does_not(alone):
    alone.settings(rules="--min-severity=info")
    assert "Analysing it." in alone.good("run", "--spool-only")
    assert "Nothing to do: the next check is on " in alone.good("run", "--spool-only")
    [check] = alone.checks()
    assert (check["action"], check["result"], check["upload"], check["score"]) == ("local", "ok", "none", 100)
    [report] = alone.reports()
    assert re.fullmatch(r"status-report-\d{4}(-\d\d){5}\.zip", report) and check["report"] == report
    with zipfile.ZipFile(alone.state / "reports" / report) as archive:
        assert archive.testzip() is None
    assert json.loads((alone.state / "latest/findings.json").read_text())["schema"] == "xenhealth-findings/1"
    assert "<html" in (alone.state / "latest/report.html").read_text()
    assert list(prometheus_client.parser.text_string_to_metric_families((alone.state / "latest/xenhealth.prom").read_text()))
    assert (alone.state / "reports" / report).stat().st_mode & 0o777 == 0o600
    assert alone.state.stat().st_mode & 0o007 == 0 and alone.step() is None


def test_status_tells_what_is_new_and_what_is_gone(alone):
    alone.good("now")
    alone.become("problems")
    alone.good("now")
    bad = alone.status()
    titles = {each["title"] for each in bad["changes"]["new"]}
    assert bad["last"]["counts"]["critical"] + bad["last"]["counts"]["error"] > 0
    assert titles and not bad["changes"]["gone"]
    text = alone.good("status")
    assert re.search(rf"^Trend: +100 {bad['last']['score']} ", text, re.M)
    assert sum(title in text for title in titles) == min(len(titles), 8)
    alone.become("healthy")
    alone.good("now")
    healed = alone.status()
    assert {each["title"] for each in healed["changes"]["gone"] + healed["changes"]["lost"]} == titles
    assert len(healed["trend"]) == 3


@pytest.mark.parametrize("kind, status, word", [("healthy", 0, "OK"), ("problems", 2, "CRITICAL")])
def test_monitoring_gets_one_line_and_metrics(alone, kind, status, word):
    result = alone.call("status", "--format", "nagios")
    assert (result.returncode, result.stdout) == (3, "HEALTHCHECK UNKNOWN - no health check has run yet\n")
    alone.become(kind)
    alone.good("now")
    result = alone.call("status", "--format=nagios")
    assert result.returncode == status
    assert re.fullmatch(rf"HEALTHCHECK {word} - [^|\n]+ \| score=\d+;;;0;100( \w+=\d+s?;;;0)+\n", result.stdout)
    families = {family.name: family for family in
                prometheus_client.parser.text_string_to_metric_families(alone.good("status", "--format", "prometheus"))}
    check = alone.checks()[-1]
    assert families["xenhealth_check_score"].samples[0].value == check["score"]
    assert {sample.labels["severity"]: sample.value for sample in families["xenhealth_check_findings"].samples} == check["counts"]
    assert families["xenhealth_check_last_ok"].samples[0].value == 1


def test_a_host_whose_xapi_is_silent_is_looked_at_alone(alone):
    text = (alone.config / "healthcheck.yaml").read_text()
    (alone.config / "healthcheck.yaml").write_text(text.replace(f"xapi: {{root: {alone.config}", f"xapi: {{root: {alone.root}"))
    assert "so this host is looked at alone" in alone.good("run")
    assert alone.checks()[0]["pool"] is False and alone.status()["role"] == "unknown"
    assert "XAPI does not answer" in alone.good("status")


def test_a_collector_that_fails_leaves_a_record_and_is_tried_again_later(alone):
    alone.settings(collect="  time_limit: 10\n")
    text = (alone.config / "healthcheck.yaml").read_text()
    (alone.config / "healthcheck.yaml").write_text(text.replace(str(alone.root), "/nowhere", 1))
    result = alone.call("run")
    assert result.returncode == 1 and "/nowhere" in result.stderr
    [check] = alone.checks()
    assert check["result"] == "failed" and "/nowhere" in check["error"] and alone.reports() == []
    assert "Nothing to do" in alone.good("run")
    assert "FAILED: " in alone.good("status") and alone.status()["next"]["action"] == "local"
    assert alone.call("status", "--format", "nagios").returncode == 3
    alone.settings()
    alone.good("now")
    assert alone.call("status", "--format", "nagios").returncode == 0


def test_an_analyzer_that_fails_leaves_the_report(alone):
    alone.settings(rules="--rules=/nowhere")
    assert alone.call("now").returncode == 1
    [check] = alone.checks()
    assert (check["result"], check["analysed"]) == ("failed", False) and alone.reports() == [check["report"]]


def test_old_reports_make_room(alone):
    alone.settings(more="keep: {reports: 2, runs: 3, free: 0}\n")
    for _ in range(4):
        alone.good("now")
    checks = alone.checks()
    assert len(checks) == 3 and alone.reports() == [check["report"] for check in checks[-2:]]
    alone.settings(more="keep: {budget: 1, free: 0}\n")
    alone.good("now")
    assert alone.reports() == []
    alone.settings(more="keep: {free: 1000000G}\n")
    alone.good("now")
    status = alone.status()
    assert alone.reports() == [] and status["reports"]["count"] == 0 and status["last"]["score"] == 100
    assert (alone.state / "latest/findings.json").exists() and list((alone.state / "work").iterdir()) == []


def test_a_broken_settings_file_is_told_with_its_place_and_nothing_runs(alone):
    (alone.config / "healthcheck.yaml").write_text("schedule:\n  evry: 7d\n")
    result = alone.call("run")
    assert result.returncode == 2 and f"{alone.config}/healthcheck.yaml:2:3: " in result.stderr
    assert not alone.state.exists()
    assert "healthcheck.yaml:2:3: " in alone.good("status")


def test_monitoring_learns_that_settings_keep_everything_from_running(alone):
    alone.good("now")
    (alone.config / "healthcheck.yaml").write_text("schedule:\n  evry: 7d\n")
    result = alone.call("status", "--format", "nagios")
    assert result.returncode == 1 and "the settings cannot be read" in result.stdout
    assert "Next check: none, before the settings are mended" in alone.good("status")


def test_a_check_that_was_killed_is_told_before_the_next_run(single):
    single.settings(collect="  pool: true\n")
    single.good("now")
    run = single.start_and_hang("now")
    run.kill()
    run.wait()
    single.wait_for_the_end()
    text = single.good("status")
    assert "was ended while it was collecting" in text and "is sent" not in text
    assert re.search(r"^Next check: \w+day ", text, re.M)
    result = single.call("status", "--format", "nagios")
    assert result.returncode == 1 and "a check was killed" in result.stdout


def test_what_waited_is_not_said_to_be_sent_after_disable(alone):
    alone.enroll()
    alone.good("now", "--spool-only")
    assert "is on its way to file://" in alone.good("status")
    settings = (alone.config / "healthcheck.yaml").read_text()
    (alone.config / "healthcheck.yaml").write_text("a typo")  # then nobody knows which spool it is
    assert "is on its way to file://" in alone.good("status")
    (alone.config / "healthcheck.yaml").write_text(settings)
    alone.good("disable")
    text = alone.good("status")
    assert "on its way" not in text and "is not sent" in text and "not enrolled" in text
    assert "was not sent to file://" in alone.good("run", "--spool-only")
    text = alone.good("status")
    assert "Not sent" not in text and "Sent:       nothing, ever" in text and not list(alone.inbox.iterdir())
    assert alone.call("status", "--format", "nagios").returncode == 0


def test_while_xapi_is_silent_nobody_is_called_not_enrolled(single):
    single.enroll()
    assert "nothing yet" in single.good("status")
    (single.root / "var/lib/xcp/xapi").unlink()
    text = single.good("status")
    assert "XAPI does not answer" in text and "not enrolled" not in text


def test_the_run_that_settles_a_report_says_what_became_of_it(alone):
    alone.enroll()
    alone.good("now", "--spool-only")
    subprocess.run([BIN / "xen-upload", "--queue", alone.folder / "spool", "--state", alone.folder / "upload",
                    "--credentials-dir", alone.runtime / "credentials"], check=True, capture_output=True)
    assert re.search(r"^The report of \S.* was sent to file://", alone.good("run", "--spool-only"), re.M)
    assert "The report of" not in alone.good("run", "--spool-only")


def test_a_report_that_no_run_looks_after_is_told(alone):
    alone.enroll()
    alone.good("now", "--spool-only")
    assert alone.call("status", "--format", "nagios").returncode == 0
    path = alone.state / "pending.json"
    pending = json.loads(path.read_text())
    pending["check"]["started"] = stamp(days=2)[:19] + "Z"
    path.write_text(json.dumps(pending))
    text = alone.good("status")
    assert "no run has looked after it" in text and "Next check: not before the report of " in text
    result = alone.call("status", "--format", "nagios")
    assert result.returncode == 1 and "more than a day" in result.stdout


def test_a_clock_that_was_set_back_is_told(alone):
    alone.good("now")
    path = alone.state / "history.json"
    path.write_text(re.sub(r'"(started|finished)": "[^"]*', rf'"\1": "{stamp(days=-40)[:19]}Z', path.read_text()))
    text = alone.good("status")
    assert "ahead of this host's clock" in text and alone.status()["next"]["due"]
    assert "because the last one is dated " in text and "none yet" not in text
    assert alone.call("status", "--format", "nagios").returncode == 1  # or all is well, for as long as the clock was ahead


def test_one_run_at_a_time(alone):
    alone.good("now")
    with open(alone.state / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = alone.call("run")
        assert result.returncode == 4 and "another health check is at work" in result.stderr
        assert alone.status()["running"] and "at this moment" in alone.good("status")
    runs = [alone.start("now") for _ in range(3)]
    statuses = sorted(run.wait(timeout=60) for run in runs)
    assert statuses[0] == 0 and set(statuses) <= {0, 4}
    assert len(alone.checks()) == 1 + statuses.count(0) and alone.step() is None


def test_damaged_files_are_set_aside(alone):
    alone.good("now")
    (alone.state / "history.json").write_bytes(b"\0" * 100)
    (alone.state / "pending.json").write_text("{")
    text = alone.good("status")
    assert "history.json is damaged" in text and "No health check of this host is known any more" in text
    assert ", ever" not in text and "none yet" not in text and "nothing, as far as the history goes: this host is not" in text
    assert "none is known any more" in alone.status()["next"]["reason"]
    assert "known any more" in alone.call("status", "--format", "nagios").stdout
    text = alone.good("now")
    assert "history.json was damaged" in text and "pending.json was damaged" in text
    assert len(alone.checks()) == 1 and (alone.state / "history.json.damaged").exists()
    assert "nothing, as far as the history goes" in alone.good("status")


def test_a_normal_user_gets_a_clear_word(alone):
    alone.good("now")
    alone.folder.chmod(0o755)
    prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    result = alone.call("status", prefix=prefix)
    assert result.returncode == 1 and "is not readable for you" in result.stderr
    result = alone.call("status", "--format", "nagios", prefix=prefix)
    assert result.returncode == 3 and result.stdout.startswith("HEALTHCHECK UNKNOWN - ")
    for path in (alone.state, *alone.state.rglob("*")):
        os.chown(path, -1, 65534)
    text = alone.call("status", prefix=prefix).stdout
    assert "score 100 of 100" in text and "Only root sees" in text and "not enrolled" not in text


@pytest.mark.parametrize("mode, owner, word", ((0o757, 0, "others may write"), (0o775, 0, "chmod go-w"), (0o750, 65534, "user 65534")))
def test_a_state_folder_that_others_can_write_is_refused(alone, mode, owner, word):
    alone.state.mkdir()
    alone.state.chmod(mode)
    os.chown(alone.state, owner, -1)
    result = alone.call("now")
    assert result.returncode == 1 and word in result.stderr and f"'{alone.state}'" in result.stderr and not list(alone.state.iterdir())


def test_a_read_only_state_folder_is_told_by_status(alone):
    alone.good("now")
    script = f'mount --bind {alone.state} {alone.state} && mount -o remount,bind,ro {alone.state} && "$@"'
    prefix = ("unshare", "--mount", "sh", "-c", script, "sh")
    assert "No check can be made: " in alone.good("status", prefix=prefix)
    result = alone.call("status", "--format", "nagios", prefix=prefix)
    assert result.returncode == 1
    assert f"; no check can be made: '{alone.state}' is on a file system that is read-only" in result.stdout


def test_a_state_folder_that_no_run_can_use_is_told_by_status(alone):
    alone.good("now")
    kept = alone.state.rename(alone.folder / "kept")
    alone.state.mkdir()
    script = f'mount -t tmpfs -o size=900k,mode=750 none {alone.state} && cp -a {kept}/history.json {alone.state} && "$@"'
    prefix = ("unshare", "--mount", "sh", "-c", script, "sh")  # less than a report and its record need
    assert f"No check can be made: the disk of '{alone.state}' is full" in alone.good("status", prefix=prefix)
    assert alone.call("status", "--format", "nagios", prefix=prefix).returncode == 1
    kept.rename(alone.state)
    alone.state.chmod(0o770)
    assert "No check can be made: others may write to the folder" in alone.good("status")


def test_an_enrollment_that_cannot_be_read_is_not_said_to_be_none(alone):
    alone.enroll()
    alone.good("now", "--spool-only")
    (alone.config / "enrollment.yaml").chmod(0o644)
    text = alone.good("status")
    assert "not enrolled" not in text and "is on its way to" in text
    assert re.search("The enrollment of this host cannot be read, so nothing is sent: .*chmod 600 it", text)
    result = alone.call("status", "--format", "nagios")
    assert result.returncode == 1 and "; nothing is sent: this host's enrollment cannot be read" in result.stdout


def test_a_token_of_a_new_enrollment_is_not_for_what_waits_for_the_old_server(alone):
    settings = alone.config / "healthcheck.yaml"
    settings.write_text(settings.read_text().replace("upload: {", "upload: {arguments: [--allow-plain, --give-up-after, 0], "))
    busy = answer(503, b"", "Tus-Resumable: 1.0.0")
    with OddServer("tus", odd={"create": [busy]}) as old, OddServer("tus") as new:
        for server, name in ((old, "old"), (new, "new")):
            token = alone.folder / name
            token.touch(0o600)
            token.write_text(f"not-a-real-token-{name}")
            assert alone.call("enroll", "--yes", server.arguments[0], "--token", token).returncode == 0
            if server is old:
                assert "is on its way" in alone.good("now") and b"not-a-real-token-old" in old.heard
        heard = len(old.heard)
        assert wait_until(lambda: "was not sent to" in alone.call("run").stdout)  # after a pause of up to a second
        assert len(old.heard) == heard and not new.heard
        assert re.search("it was refused; its credentials are for tus.http://127.*alone", alone.good("status"))
        assert "The report was sent to" in alone.good("now")
        assert b"not-a-real-token-new" in new.heard and len(old.heard) == heard


@pytest.mark.parametrize("harm", ("empty", "gone"))
def test_credentials_of_the_enrollment_that_are_gone_are_told_with_the_remedy(alone, harm):
    credentials = alone.folder / "credentials"
    credentials.touch(0o600)
    credentials.write_text("username=u\npassword=not-a-real-password\n")
    assert alone.call("enroll", "--yes", "https://insight.example/", "--credentials", credentials).returncode == 0
    kept = alone.config / "upload.credential"
    kept.write_text("") if harm == "empty" else kept.unlink()
    result = alone.call("now")
    assert result.returncode == 1 and "the credentials of this enrollment are gone, run 'xen-healthcheck enroll' again" in result.stdout
    assert "once that is mended, a new one is sent by: xen-healthcheck now" in alone.good("status")


def test_a_spool_that_somebody_removed_holds_nothing_up(alone):
    alone.enroll()
    alone.good("now", "--spool-only")
    shutil.rmtree(alone.folder / "spool")
    (alone.folder / "spool").mkdir()
    assert "no longer in the uploader's spool" in alone.good("status")
    alone.good("run")
    assert alone.step() is None and alone.checks()[0]["upload"] == "failed"
    alone.good("disable")


def test_a_check_beside_a_report_that_is_on_its_way_says_so(alone):
    alone.enroll()
    alone.good("now", "--spool-only")
    assert "Another report is on its way, so the one of this check stays here." in alone.good("now", "--spool-only")


def test_wrong_words_are_usage(alone):
    for arguments in ((), ("rnu",), ("run", "--format"), ("status", "--format", "yaml"), ("now", "x"), ("run", "--state")):
        result = alone.call(*arguments)
        assert result.returncode == 2 and result.stderr.count("\n") == 1, arguments
    assert "did you mean 'run'" in alone.call("rnu").stderr
    assert alone.good("--version").startswith("xen-healthcheck ")


def test_an_installation_finds_its_programs_wherever_it_was_put(alone):
    prefix = alone.folder / "installed"
    subprocess.run(["cmake", "--install", BIN.parent, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
    command = [prefix / "sbin/xen-healthcheck", *alone.command("now")[1:]]
    assert subprocess.run(command, timeout=60, stdout=subprocess.DEVNULL, env=ENVIRONMENT).returncode == 0
    assert alone.checks()[0]["score"] == 100


def test_folders_that_were_given_are_the_only_ones_that_are_written(alone):
    places = "/var /root /home /etc/xenhealth /run"  # mount itself writes in /run
    script = f"""for place in {places}; do [ ! -d $place ] || mount -t tmpfs none $place || exit 99; done
        had=$(ls -d /etc/xenhealth 2>&1)
        for verb in "enroll --yes file://{alone.inbox}/" now "now --spool-only" run status; do "$@" $verb || exit 98; done
        "$@" disable || exit 97
        find {places} -mindepth 1 >&2 2>/dev/null; [ "$had" = "$(ls -d /etc/xenhealth 2>&1)" ]"""
    result = alone.call(prefix=("unshare", "--mount", "sh", "-c", script, "sh"))
    assert (result.returncode, result.stderr) == (0, "")
    assert len(alone.arrived()) >= 1 and (alone.state / "upload").is_dir()


# --- off by default

def sockets(trace):
    return set(re.findall(r"(?:socket|connect)\((?:\d+, \{sa_family=)?(AF_\w+)", trace.read_text()))


@needs_strace
@pytest.mark.parametrize("house", ["alone", "single"])
def test_without_an_enrollment_no_packet_leaves(house, request):
    house = request.getfixturevalue(house)
    house.settings(collect="  pool: false\n")
    trace = house.folder / "trace"
    prefix = ("strace", "-f", "-qq", "-o", trace, "-e", "trace=network")
    for verb in ("run", "now", "status"):
        house.call(verb, prefix=prefix, ASAN_OPTIONS="detect_leaks=0")
        assert sockets(trace) <= {"AF_UNIX"}, verb
    assert len(house.checks()) == 2 and not (house.folder / "spool").exists()
    text = house.good("now", prefix=("unshare", "--net"))
    assert "Nothing was sent anywhere." in text
    if house.pool:
        assert house.pool.writes == [] and sockets(trace) == {"AF_UNIX"}


# --- a pool

def test_the_coordinator_checks_the_whole_pool(pool):
    pool.good("run")
    [check] = pool.checks()
    assert (check["action"], check["pool"], check["hosts"], check["shared"]) == ("local", True, 3, False)
    assert pool.pool.writes == []
    assert "of the whole pool" in pool.good("status") and pool.status()["role"] == "coordinator"


def test_a_supporter_does_nothing(pool):
    pool.pool.coordinator = pool.pool.hosts[1]
    assert "supporter" in pool.good("run")
    assert pool.call("now").returncode == 1 and not (pool.state / "history.json").exists()
    assert pool.call("status", "--format", "nagios").returncode == 0
    assert pool.status()["role"] == "supporter" and "the pool's coordinator checks it" in pool.good("status")
    assert pool.pool.writes == []


def assert_settled(house):
    assert house.step() is None
    assert house.pool.health["UploadLock"] == ""
    assert not [path for path in house.runtime.rglob("*") if path.is_file()]


def test_an_enrolled_pool_sends_its_report_and_writes_the_keys(pool):
    pool.enroll(NewUploadRequest=stamp(hours=5))
    pool.good("run")
    [check] = pool.checks()
    health = pool.pool.health
    assert (check["action"], check["shared"], check["pool"], check["upload"]) == ("retry", True, True, "sent")
    [arrived] = pool.arrived()
    assert arrived.name == check["report"] and arrived.read_bytes() == (pool.state / "reports" / arrived.name).read_bytes()
    assert_settled(pool)
    started = datetime.datetime.strptime(check["started"], "%Y-%m-%dT%H:%M:%SZ")
    assert health["LastSuccessfulUpload"] == started.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    assert health["UploadUuid"] == health["ReportAnalysis.UploadUuid"] == check["upload_id"]
    assert health["ReportAnalysis.UploadTime"] == health["LastSuccessfulUpload"]
    assert (health["ReportAnalysis.Severity"], health["ReportAnalysis.IssuesDetected"]) == ("Info", str(check["issues"]))
    assert health["NewUploadRequest"] == ""
    locks = [write["UploadLock"] for write in pool.pool.writes if write.get("UploadLock")]
    assert [lock.split("|") for lock in set(locks)] == [[(pool.state / "service").read_text().strip(), health["LastSuccessfulUpload"]]]
    assert "Nothing to do" in pool.good("run")
    status = pool.good("status")
    assert re.search(rf"^Sent: +the report of .* to file://{pool.inbox}/", status, re.M)


def test_the_severity_of_the_findings_is_what_xencenter_shows(single):
    single.settings(collect="  pool: false\n")
    shutil.copytree(single.roots / "problems/host1", single.root, dirs_exist_ok=True)
    single.enroll()
    single.good("run")
    [check] = single.checks()
    assert single.pool.health["ReportAnalysis.Severity"] == "Error"
    assert single.pool.health["ReportAnalysis.IssuesDetected"] == str(len({each["rule"] for each in check["findings"]})) != "0"


def test_a_pool_that_xencenter_enrolled_shows_local_results_without_any_cloud(single):
    single.settings(collect="  pool: false\n")
    single.enroll()
    (single.config / "enrollment.yaml").unlink()
    single.good("run")
    health = single.pool.health
    [check] = single.checks()
    assert (check["shared"], check["upload"]) == (True, "none") and single.arrived() == []
    assert health["UploadUuid"] == health["ReportAnalysis.UploadUuid"] and len(health["UploadUuid"]) == 36
    assert health["ReportAnalysis.UploadTime"] == health["LastSuccessfulUpload"]
    assert_settled(single)
    assert "does not know where to send reports" in single.good("status")
    status = single.status()
    assert (status["enrolled"], status["destination"]) == (True, None)
    result = single.call("status", "--format", "nagios")
    assert result.returncode == 0 and "; nothing is sent: this host does not know where" in result.stdout


def test_with_spool_only_the_report_waits_for_the_uploader_and_the_next_run_settles(single):
    single.settings(collect="  pool: false\n")
    single.enroll()
    assert "on its way" in single.good("run", "--spool-only")
    assert single.arrived() == [] and single.step() == "sending"
    assert single.pool.health["UploadLock"] != "" and "LastSuccessfulUpload" not in single.pool.health
    assert "is on its way to" in single.good("status") and single.status()["pending"]["upload"] == "queued"
    assert "still being sent" in single.good("run", "--spool-only")
    text = single.good("now", "--spool-only")  # beside it, for people who want to know now
    assert "stays here" in text and len(single.checks()) == 2
    subprocess.run([BIN / "xen-upload", "--queue", single.folder / "spool", "--credentials-dir", single.runtime / "credentials"],
                   check=True, timeout=60, stdout=subprocess.DEVNULL)
    text = single.good("status")  # it asks the spool, and writes nothing
    assert "on its way" not in text and re.search(rf"^Sent: +the report of .* to file://{single.inbox}/", text, re.M)
    status = single.status()
    assert "recorded, by the next run" in text and status["pending"]["upload"] == "sent" and single.step() == "sending"
    assert status["reason"].endswith("is recorded, by the next run of the timer") and status["next"] is None
    single.good("run", "--spool-only")
    assert_settled(single)
    sent = [check for check in single.checks() if check["upload"] == "sent"]
    assert len(sent) == len(single.arrived()) == 1 and len(single.checks()) == 2
    assert single.pool.health["UploadUuid"] == sent[0]["upload_id"] != ""


def test_an_upload_that_fails_for_good_is_a_failure_of_the_pool_and_the_analysis_stays(single):
    single.settings(collect="  pool: false\n")
    single.enroll()
    text = (single.config / "enrollment.yaml").read_text()  # to a server whose certificate nobody trusts
    (single.config / "enrollment.yaml").write_text(text.replace(f"file://{single.inbox}/", f"https://{single.pool.local.address}/put"))
    result = single.call("run")
    [check] = single.checks()
    assert (check["result"], check["upload"]) == ("ok", "failed") and check["upload_error"], result.stdout
    assert result.returncode == 1 and "could not be sent" in result.stdout
    assert single.pool.health["LastFailedUpload"][:19] + "Z" == check["started"]
    assert "LastSuccessfulUpload" not in single.pool.health and "UploadUuid" not in single.pool.health
    assert_settled(single)
    assert "could NOT be sent" in single.good("status")
    assert single.call("status", "--format", "nagios").returncode == 1


def test_a_request_is_served_and_cleared(single):
    single.settings(collect="  pool: false\n")
    single.enroll(LastSuccessfulUpload=stamp(days=1), NewUploadRequest=stamp(minutes=5))
    single.good("run")
    [check] = single.checks()
    assert check["action"] == "on-demand" and single.pool.health["NewUploadRequest"] == ""
    assert len(single.arrived()) == 1


def test_a_request_that_came_during_the_run_stays(single):
    single.settings(collect="  pool: false\n")
    single.enroll()
    late = stamp(minutes=-20)
    single.pool.before["pool.set_health_check_config"] = [lambda: None, lambda: None]
    single.pool.before["pool.get_health_check_config"] = [
        lambda: None, lambda: None, lambda: None, lambda: single.pool.health.update(NewUploadRequest=late)]
    single.good("run")
    assert single.pool.health["NewUploadRequest"] == late and single.checks()[0]["upload"] == "sent"


def test_another_service_holds_the_lock(single):
    single.settings(collect="  pool: false\n", more="schedule: {enabled: false}\n")
    lock = f"{OTHER}|{stamp(hours=1)}"
    single.enroll(UploadLock=lock)
    assert "Nothing to do" in single.good("run")
    assert not (single.state / "history.json").exists() and single.pool.health["UploadLock"] == lock
    assert "stays here" in single.good("now")
    assert single.pool.health["UploadLock"] == lock and single.arrived() == []
    assert f"service {OTHER}" in single.good("status")
    single.pool.health["UploadLock"] = f"{OTHER}|{stamp(hours=24)}"
    single.good("run")
    assert_settled(single)
    assert len(single.arrived()) == 1


def test_a_rival_that_writes_its_lock_meanwhile_wins(single):
    single.settings(collect="  pool: false\n", more="schedule: {enabled: false}\n")
    single.enroll()
    rival = f"{OTHER}|{stamp()}"
    reads = [lambda: None] * 2 + [lambda: single.pool.health.update(UploadLock=rival)]
    single.pool.before["pool.get_health_check_config"] = reads
    assert "another service has taken the pool's lock" in single.good("run")
    assert single.pool.health["UploadLock"] == rival and single.step() is None
    assert not (single.state / "history.json").exists() and single.arrived() == []


def test_xapi_that_is_gone_at_the_end_hears_of_it_from_the_next_run(single):
    single.settings(collect="  pool: false\n")
    single.enroll()
    single.good("run", "--spool-only")
    subprocess.run([BIN / "xen-upload", "--queue", single.folder / "spool"], timeout=60, stdout=subprocess.DEVNULL, check=True)
    single.pool.faults["session.login_with_password"] = ["HOST_STILL_BOOTING"] * 2
    single.call("run", "--spool-only")
    assert single.step() == "settled" and "LastSuccessfulUpload" not in single.pool.health
    single.pool.faults.clear()
    single.good("run", "--spool-only")
    assert_settled(single)
    assert "LastSuccessfulUpload" in single.pool.health


def test_a_report_that_was_ready_is_sent_after_all(single):
    """The run was ended when the report lay there, and the uploader did not know of it."""
    single.settings(collect="  pool: false\n")
    single.enroll()
    single.good("run", "--spool-only")
    shutil.rmtree(single.folder / "spool")
    path = single.state / "pending.json"
    pending = json.loads(path.read_text())
    pending["check"].update(step="queueing", upload="none", job="")
    path.write_text(json.dumps(pending))
    single.good("run")
    assert_settled(single)
    assert len(single.arrived()) == 1 and [check["upload"] for check in single.checks()] == ["sent"]


def test_what_was_not_sent_within_a_day_is_given_up(single):
    single.settings(collect="  pool: false\n")
    single.enroll()
    single.good("run", "--spool-only")
    path = single.state / "pending.json"
    pending = json.loads(path.read_text())
    day_ago = stamp(hours=24)[:19] + "Z"
    pending["check"]["started"] = day_ago
    path.write_text(json.dumps(pending))
    single.good("run", "--spool-only")
    assert_settled(single)
    assert single.pool.health["LastFailedUpload"][:19] + "Z" == day_ago
    assert "not sent within 24 hours" in single.checks()[-1]["upload_error"]


@pytest.mark.parametrize("newer", (False, True), ids=("the last one", "another success since"))
def test_what_was_given_up_and_arrives_after_all_is_recorded_as_sent(single, newer):
    single.settings(collect="  pool: false\n")
    single.enroll()
    single.good("run", "--spool-only")
    day_ago = stamp(hours=24)[:19] + "Z"
    for name in ("pending.json", "history.json"):
        path = single.state / name
        path.write_text(re.sub('"started": "[^"]*"', f'"started": "{day_ago}"', path.read_text()))
    single.good("run", "--spool-only")
    status = single.status()
    assert status["unsent"]["upload"] == "failed" and status["sent"] is None and single.arrived() == []
    if newer:
        single.pool.health["LastSuccessfulUpload"] = stamp(hours=1)
    before = dict(single.pool.health)
    subprocess.run([BIN / "xen-upload", "--queue", single.folder / "spool"], check=True, timeout=60, stdout=subprocess.DEVNULL)
    status = single.status()  # it asks the spool, and writes nothing
    assert status["unsent"] is None and status["sent"]["started"] == day_ago and "Not sent" not in single.good("status")
    assert [check["upload"] for check in single.checks()] == ["failed"]
    single.root.joinpath("var/lib/xcp/xapi").rename(single.folder / "away")  # XAPI hears of it when it is back
    single.good("run", "--spool-only")
    assert [check["upload"] for check in single.checks() if check["started"] == day_ago] == ["failed"]
    (single.folder / "away").rename(single.root / "var/lib/xcp/xapi")
    assert "given up, and arrived after all" in single.good("run", "--spool-only")
    check, = (check for check in single.checks() if check["started"] == day_ago)
    assert (check["upload"], check["upload_error"]) == ("sent", "") and check["upload_id"] and check["uploaded"] > day_ago
    health = single.pool.health
    if newer:
        assert health == before
    else:
        assert health["LastSuccessfulUpload"][:19] == health["LastFailedUpload"][:19] == day_ago[:19]
        assert health["UploadUuid"] == health["ReportAnalysis.UploadUuid"] == check["upload_id"]
    assert "arrived after all" not in single.good("run", "--spool-only")


def test_after_a_failover_both_hosts_say_what_is_missing(pool):
    pool.settings(collect="  pool: false\n")
    pool.good("now")
    pool.enroll()
    pool.pool.coordinator = pool.pool.hosts[1]
    text = pool.good("status")  # the old one
    assert "coordinates it now" in text and f"run there: xen-healthcheck enroll file://{pool.inbox}/\n" in text
    pool.pool.coordinator = pool.pool.local
    assert "coordinates it now" not in pool.good("status") and pool.status()["destination"] == f"file://{pool.inbox}/"
    yaml = pool.config / "enrollment.yaml"
    text = yaml.read_text()
    for kept, words in ((None, "does not know where to send reports"),
                        (text.replace(pool.pool.uuid, OTHER), "enrollment is of another pool"),
                        (text.replace("credential: none", f"credential: xapi\ntoken: {OTHER}"), "enrolled anew elsewhere")):
        if kept:
            assert kept != text
            yaml.write_text(kept)
        else:
            yaml.unlink()
        said = pool.good("status")
        assert re.search(f"The pool is enrolled, but .*{words}.*, so reports stay here: xen-healthcheck enroll URL ", said)
        assert ("the URL stands in enrollment.yaml there" in said) == (kept is None)
        result = pool.call("status", "--format", "nagios")
        assert words[-9:] in result.stdout and result.returncode == (1 if kept else 0)
        yaml.touch(0o600)


def test_a_host_alone_can_enroll_too(alone):
    alone.enroll()
    alone.good("run")
    [check] = alone.checks()
    assert (check["action"], check["shared"], check["upload"]) == ("local", False, "sent") and len(alone.arrived()) == 1


def test_a_report_goes_to_a_health_check_service_with_the_token_of_xapi(single):
    with health_check_service.HealthCheckService() as service:
        single.settings(collect="  pool: false\n")
        text = (single.config / "healthcheck.yaml").read_text()
        (single.config / "healthcheck.yaml").write_text(text.replace("upload: {", "upload: {arguments: [--allow-plain], "))
        credentials = single.folder / "credentials"
        credentials.touch(0o600)
        credentials.write_text(f"username={service.user}\npassword={service.password}\n")
        assert single.call("enroll", "--yes", service.url, "--credentials", credentials).returncode == 0
        single.pool.health["LastFailedUpload"] = stamp(days=30)
        text = single.good("run", "--spool-only")
        [credential] = [path for path in single.runtime.rglob("*") if path.is_file()]
        assert credential.stat().st_mode & 0o777 == 0o600 and credential.parent.stat().st_mode & 0o777 == 0o700
        text += single.good("run")
        [check] = [check for check in single.checks() if check["upload"] == "sent"]
        [(number, bundle)] = service.bundles.items()
        assert bundle.data == (single.state / "reports" / check["report"]).read_bytes()
        assert (bundle.name, check["upload_id"], single.pool.health["UploadUuid"]) == (check["report"], number, number)
        assert_settled(single)
        text += single.good("status") + json.dumps(single.status())
        for folder in (single.state, single.config, single.folder / "spool"):
            text += "".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())
        assert [token for token in service.tokens if token in text] == [] and service.password not in text


def test_a_report_that_is_refused_is_told_before_a_run_settles_it(alone):
    with health_check_service.HealthCheckService() as service:
        text = (alone.config / "healthcheck.yaml").read_text()
        (alone.config / "healthcheck.yaml").write_text(text.replace("upload: {", "upload: {arguments: [--allow-plain], "))
        token = alone.folder / "token"
        token.touch(0o600)
        token.write_text("not-a-real-token-of-the-service")
        assert alone.call("enroll", "--yes", service.url, "--token", token).returncode == 0
        alone.good("now", "--spool-only")
        assert "is on its way to" in alone.good("status")
        sent = subprocess.run([BIN / "xen-upload", "--queue", alone.folder / "spool", "--credentials-dir", alone.runtime / "credentials",
                               "--state", alone.folder / "upload", "--allow-plain"], timeout=60, capture_output=True)
        assert sent.returncode == 5
        for _ in range(2):  # looked up, and settled
            text = alone.good("status")
            assert "on its way" not in text and "--token" not in text and re.search("^Not sent: .*it was refused: enroll again with a new token", text, re.M)
            result = alone.call("status", "--format", "nagios")
            assert result.returncode == 1 and "; not sent: it was refused: enroll again" in result.stdout
            alone.good("run", "--spool-only")
        assert alone.status()["pending"] is None and alone.checks()[0]["upload"] == "failed"


def test_status_tells_when_a_report_is_sent_next(single):
    single.settings(collect="  pool: false\n")
    assert single.status()["next_sent"] is None and "Next sent" not in single.good("status")
    single.enroll(LastSuccessfulUpload=stamp(days=1))
    status = single.status()
    assert (status["next"]["action"], status["next_sent"]["action"], status["next_sent"]["due"]) == ("local", "scheduled", False)
    assert status["next_sent"]["time"] > stamp(days=-7)
    assert re.search(r"^Next sent: +the report of \w+day .*, because the last one was on .* every 14 days$", single.good("status"), re.M)
    single.pool.health["Schedule.DayOfWeek"] = "someday"
    assert "Next sent:  nothing: the pool is enrolled, but its schedule has no day or hour" in single.good("status")
    single.pool.health["LastSuccessfulUpload"] = stamp(days=60)
    assert single.status()["next_sent"]["due"] and "Next sent:  the report of that check" in single.good("status")


def test_a_full_disk_is_a_failure_that_the_pool_hears_of(single):
    single.settings(collect="  pool: false\n")
    single.enroll()
    (single.state / "latest").mkdir()
    script = f'mount -t tmpfs -o size=24k,mode=750 none {single.state} && "$@"; status=$?; ls {single.state}; exit $status'
    result = single.call("run", prefix=("unshare", "--mount", "sh", "-c", script, "sh"))
    assert result.returncode == 1 and "No space left on device" in result.stderr + result.stdout
    assert single.pool.health["LastFailedUpload"] > stamp(hours=1)
    assert_settled(single)


# --- runs that are ended

@pytest.mark.parametrize("step", ["locking", "collecting"])
def test_sigterm_gives_the_lock_back(single, step):
    single.settings(collect="  pool: true\n")
    single.enroll()
    if step == "locking":
        text = (single.config / "healthcheck.yaml").read_text()
        (single.config / "healthcheck.yaml").write_text(text.replace("confirm: 0", "confirm: 60"))
        run = single.start("run")
        assert wait_until(lambda: single.step() == "locking" and single.pool.health.get("UploadLock"))
    else:
        run = single.start_and_hang("run")
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=60) == 3
    assert_settled(single)
    if step == "collecting":
        assert single.checks()[0]["result"] == "interrupted"
        assert single.pool.health["LastFailedUpload"] > stamp(hours=1)


def steps_of_a_run():
    """System calls by which what others see changes: files get and lose names, and programs start."""
    return [(call, number) for call, most in (("renameat", 14), ("unlinkat", 3), ("clone", 5)) for number in range(1, most + 1)]


@needs_strace
@pytest.mark.alike
@pytest.mark.parametrize("call, number", steps_of_a_run())
def test_after_a_kill_at_any_step_the_next_runs_settle_it(single, call, number):
    single.settings(collect="  pool: false\n")
    single.enroll()
    prefix = ("strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
    result = single.call("run", prefix=prefix, ASAN_OPTIONS="detect_leaks=0")
    killed = result.returncode in (137, -9)
    assert killed or result.returncode == 0
    if killed:
        single.wait_for_the_end()
    single.call("run")
    single.call("run")
    assert_settled(single)
    health = single.pool.health
    checks = single.checks()
    sent = [check for check in checks if check["upload"] == "sent"]
    if sent:
        assert health["UploadUuid"] == sent[-1]["upload_id"] and len(single.arrived()) == 1
        assert health["LastSuccessfulUpload"][:19] + "Z" == sent[-1]["started"]
    else:
        assert killed and checks[-1]["result"] == "interrupted" and "LastSuccessfulUpload" not in health
        assert health["LastFailedUpload"] > stamp(hours=1)
    assert list((single.state / "work").iterdir()) == []
