# SPDX-License-Identifier: LGPL-2.1-only
"""xen-healthcheck in a pool: the whole of it, enrolled, with XAPI's keys, and what ends runs before their time."""
import datetime
import json
import re
import shutil
import signal
import subprocess

import pytest

from fakes import health_check_service
from health_house import BIN, alone, needs_strace, pool, roots, single, stamp  # noqa: F401, fixtures
from torture import wait_until

OTHER = "99999999-2222-4333-8444-555555555555"  # another service


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
