# SPDX-License-Identifier: LGPL-2.1-only
"""xen-healthcheck run, now and status: a host alone, what it keeps and tells, and that nothing leaves it unasked."""
import fcntl
import json
import os
import re
import shutil
import subprocess
import zipfile

import prometheus_client.parser
import pytest

from fakes.odd_server import OddServer, answer
from health_house import BIN, ENVIRONMENT, alone, needs_strace, roots, single, stamp  # noqa: F401, fixtures
from torture import wait_until


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
