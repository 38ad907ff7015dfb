# SPDX-License-Identifier: LGPL-2.1-only
"""xen-healthcheck enroll and disable: on a pool, on a host alone, with everything that can go wrong in between."""
import concurrent.futures
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from fakes import health_check_service, xapi, xapi_health
from torture import wait_until

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
PROGRAM = BIN / "xen-healthcheck"
URL = "tus+https://insight.example/files/"
OTHER = {"somebody.else": "\u00e9 \"'\n", "Another": ""}  # keys that are nobody's business
TOKEN = "not-a-real-secret-token"
KEYS = {"Enrollment", "Schedule.IntervalInDays", "Schedule.DayOfWeek", "Schedule.TimeOfDay", "Schedule.RetryInterval",
        "NewUploadRequest"}


class House:
    """A host with its folders, and perhaps an XAPI."""

    def __init__(self, folder, with_xapi=True):
        self.folder, self.root = folder, folder / "r"
        self.config, self.state, self.runtime = folder / "etc/xenhealth", folder / "state", folder / "run"
        for path in (self.root, self.config):
            path.mkdir(parents=True)
        self.pool = None
        if with_xapi:
            other = folder / "other"
            (folder / "certificates").mkdir()
            other.mkdir()
            self.pool = xapi.Pool(folder / "certificates", None, {"host1": self.root, "host2": other}, name="prod")
            self.pool.health = dict(OTHER)
            self.unrelated = self.pool.new_secret("of an SR")
        self.settings()

    def settings(self, *arguments):
        words = "".join(f"    - '{word}'\n" for word in arguments)
        (self.config / "healthcheck.yaml").write_text(
            f"xapi:\n  root: {self.root}\nupload:\n  spool: {self.folder}/spool\n" +
            (f"  arguments:\n{words}" if words else ""))

    def command(self, *arguments):
        return [PROGRAM, "--config", self.config, "--state", self.state, "--runtime", self.runtime, *map(str, arguments)]

    def run(self, *arguments, **keywords):
        keywords = {"stdin": subprocess.DEVNULL, **keywords}
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, **keywords)

    def enroll(self, *arguments):
        result = self.run("enroll", "--yes", *arguments)
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        return result

    def disable(self):
        result = self.run("disable")
        assert result.returncode == 0, result.stderr
        return result

    def secret_file(self, name="token", text=TOKEN):
        path = self.folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def enrollment(self):
        path = self.config / "enrollment.yaml"
        if not path.exists():
            return None
        assert path.stat().st_mode & 0o777 == 0o600
        return dict(re.findall(r"^(\w+): '?(.*?)'?$", path.read_text(), re.MULTILINE))

    def token_of_pool(self):
        return self.pool.secrets.get(self.pool.health.get("UploadToken.Secret"))

    def own_secrets(self):
        return {name: value for name, value in self.pool.secrets.items() if name != self.unrelated}

    def assert_off(self):
        """Nobody is enrolled, and nothing of an enrollment is left."""
        assert self.enrollment() is None and not (self.config / "upload.credential").exists()
        assert not self.runtime.exists() or not [path for path in self.runtime.rglob("*") if path.is_file()]
        if self.pool:
            assert self.pool.health.get("Enrollment") in (None, "false")
            assert not [key for key in self.pool.health if key.endswith(".Secret")]
            assert self.own_secrets() == {}
            assert not (self.state / "enroll.secrets").exists()

    def assert_on(self, url=URL, token=TOKEN, settled=True):
        assert self.pool.health["Enrollment"] == "true"
        assert self.token_of_pool() == token
        assert list(self.own_secrets().values()) == [token]
        enrollment = self.enrollment()
        assert (enrollment["url"], enrollment["pool"]) == (url, self.pool.uuid)
        assert (enrollment["credential"], enrollment["token"]) == ("xapi", self.pool.health["UploadToken.Secret"])
        assert not (settled and (self.state / "enroll.secrets").exists())

    def assert_logged_out(self):
        """Whoever leaves says so, and waits for the answer for some seconds only."""
        assert wait_until(lambda: self.pool.sessions == 0)

    def end(self):
        if self.pool:
            self.pool.stop()
            assert self.pool.complaints == []
            assert {key: self.pool.health.get(key) for key in OTHER} == OTHER
            assert self.pool.secrets.get(self.unrelated) == "of an SR"


def make_house(with_xapi):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="enroll.", dir="/tmp"))  # short: a socket's path has 107 bytes
    house = House(folder, with_xapi)
    try:
        yield house
        house.end()
    finally:
        if house.pool:
            house.pool.stop()
        shutil.rmtree(folder)


@pytest.fixture
def house():
    yield from make_house(True)


@pytest.fixture
def alone():
    yield from make_house(False)


# --- what it does on a pool

def test_a_pool_is_enrolled_as_xencenter_would_do_it(house):
    result = house.enroll(URL, "--token", house.secret_file())
    house.assert_on()
    health = house.pool.health
    assert set(health) == KEYS | {"UploadToken.Secret"} | set(OTHER)
    assert (health["Schedule.IntervalInDays"], health["Schedule.RetryInterval"], health["NewUploadRequest"]) == ("14", "7", "")
    assert 1 <= int(health["Schedule.DayOfWeek"]) <= 6 and 1 <= int(health["Schedule.TimeOfDay"]) <= 4
    assert len(house.pool.writes) == 1
    house.assert_logged_out()
    assert "'prod'" in result.stdout and URL in result.stdout and TOKEN not in result.stdout


def test_the_schedule_can_be_chosen_and_stays_when_enrolled_again(house):
    house.enroll(URL, "--token", house.secret_file(), "--interval-days=28", "--day=0", "--hour=23")
    expected = ("28", "0", "23")
    assert tuple(house.pool.health[f"Schedule.{key}"] for key in ("IntervalInDays", "DayOfWeek", "TimeOfDay")) == expected
    house.enroll(URL + "other", "--token", house.secret_file(text="another-token"))
    assert tuple(house.pool.health[f"Schedule.{key}"] for key in ("IntervalInDays", "DayOfWeek", "TimeOfDay")) == expected
    house.assert_on(URL + "other", "another-token")


def test_weekdays_and_hours_by_chance_are_not_all_the_same(house):
    seen = set()
    for _ in range(6):
        house.pool.health = dict(OTHER)
        house.enroll("file:///tmp/reports/")
        seen.add((house.pool.health["Schedule.DayOfWeek"], house.pool.health["Schedule.TimeOfDay"]))
    assert len(seen) > 1


def test_a_schedule_that_cannot_be_read_is_chosen_anew(house):
    house.pool.health.update({"Schedule.IntervalInDays": "\x1b[2J", "Schedule.DayOfWeek": "Someday", "Schedule.TimeOfDay": "24"})
    result = house.enroll(URL, "--token", house.secret_file())
    assert "\x1b" not in result.stdout and house.pool.health["Schedule.IntervalInDays"] == "14"
    assert 1 <= int(house.pool.health["Schedule.DayOfWeek"]) <= 6 and 1 <= int(house.pool.health["Schedule.TimeOfDay"]) <= 4


def test_what_xencenter_has_written_stays(house):
    theirs = {"Enrollment": "false", "NewUploadRequest": "2026-11-22T06:49:22.1234567Z", "Schedule.RetryInterval": "3",
              "UploadLock": "", "LastSuccessfulUpload": "2026-11-01T06:49:22.0000000Z", "UploadUuid": "x",
              "ReportAnalysis.Severity": "Warning", **OTHER}
    house.pool.health = dict(theirs)
    house.enroll(URL, "--token", house.secret_file())
    assert {key: house.pool.health[key] for key in theirs} == {**theirs, "Enrollment": "true"}


def test_tokens_of_xencenter_are_replaced_and_destroyed(house):
    pool = house.pool
    pool.health.update({"UploadToken.Secret": pool.new_secret("old"), "DiagnosticToken.Secret": pool.new_secret("older")})
    house.enroll(URL, "--token", house.secret_file())
    house.assert_on()
    assert "DiagnosticToken.Secret" not in pool.health


def test_a_server_without_a_token_gets_none(house):
    house.enroll("file:///tmp/reports/")
    assert house.own_secrets() == {} and house.pool.health["Enrollment"] == "true"
    assert house.enrollment()["credential"] == "none"


def test_other_credentials_stay_on_this_host(house):
    lines = "access_key=not-a-real-key\nsecret_key=not-a-real-secret=="
    house.enroll("s3://bucket/reports/", "--credentials", house.secret_file(text=lines))
    assert house.own_secrets() == {} and house.enrollment()["credential"] == "file"
    kept = house.config / "upload.credential"
    assert kept.read_text() == lines + "\n" and kept.stat().st_mode & 0o777 == 0o600
    house.disable()
    house.assert_off()


def test_credentials_that_name_their_server_are_for_no_other(house):
    credentials = house.secret_file(text="access_key=not-a-real-key\nsecret_key=not-a-real-secret\nfor=s3://bucket")
    result = house.run("enroll", "--yes", "s3://other/reports/", "--credentials", credentials)
    assert result.returncode == 1 and "s3://bucket alone" in result.stderr
    house.assert_off()
    house.enroll("s3://bucket/reports/", "--credentials", credentials)
    assert "for=" not in (house.config / "upload.credential").read_text()  # the enrollment says it


# --- tokens of a service

@pytest.fixture
def service():
    with health_check_service.HealthCheckService() as made:
        yield made


def test_a_service_gives_tokens_for_name_and_password(house, service):
    house.settings("--allow-plain")
    credentials = house.secret_file("credentials", f"username={service.user}\npassword={service.password}")
    house.enroll(service.url, "--credentials", credentials)
    kinds = {key: service.tokens[house.pool.secrets[house.pool.health[key]]]
             for key in ("UploadToken.Secret", "DiagnosticToken.Secret")}
    assert kinds == {"UploadToken.Secret": "upload", "DiagnosticToken.Secret": "diagnostic"}
    assert len(house.own_secrets()) == 2
    assert [path for path in house.runtime.rglob("*") if path.is_file()] == []
    assert service.password not in (house.config / "enrollment.yaml").read_text()


def test_a_service_without_diagnostics_gives_one_token(house, service):
    service.has_diagnostic = False
    house.settings("--allow-plain")
    credentials = house.secret_file("credentials", f"username={service.user}\npassword={service.password}")
    house.enroll(service.url, "--credentials", credentials)
    assert len(house.own_secrets()) == 1 and "DiagnosticToken.Secret" not in house.pool.health


def test_a_wrong_password_changes_nothing(house, service):
    house.settings("--allow-plain")
    credentials = house.secret_file("credentials", f"username={service.user}\npassword=wrong-not-real")
    result = house.run("enroll", "--yes", service.url, "--credentials", credentials)
    assert result.returncode == 1 and "password" in result.stderr and "wrong-not-real" not in result.stderr + result.stdout
    assert house.pool.writes == []
    house.assert_off()


def test_a_service_that_is_away_changes_nothing(house):
    house.settings("--allow-plain")
    credentials = house.secret_file("credentials", "username=u\npassword=p")
    result = house.run("enroll", "--yes", "cis+http://127.0.0.1:9/feeds/api/", "--credentials", credentials)
    assert result.returncode == 1 and result.stderr.startswith("xen-healthcheck: ")
    assert house.pool.writes == []
    house.assert_off()


# --- who is asked

def answer(house, text, *arguments):
    """A run at a terminal, where somebody types `text`."""
    master, slave = pty.openpty()
    with subprocess.Popen(house.command("enroll", URL, *arguments), stdin=slave, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as child:
        os.close(slave)
        os.write(master, text.encode())
        out, err = child.communicate(timeout=60)
    os.close(master)
    return child.returncode, out, err


def test_a_person_sees_what_will_leave_the_house_and_decides(house):
    token = house.secret_file()
    status, out, err = answer(house, "n\n", "--token", token)
    assert (status, err) == (3, "xen-healthcheck: nothing was changed\n")
    for word in ("'prod'", "2 hosts", URL, "logs", "every 14 days", "disable"):
        assert word in out
    assert house.pool.writes == [] and house.own_secrets() == {}
    status, out, err = answer(house, "y\n", "--token", token)
    assert (status, err) == (0, "")
    house.assert_on()


def test_without_a_terminal_somebody_must_have_said_yes(house):
    result = house.run("enroll", URL, "--token", house.secret_file())
    assert result.returncode == 2 and "--yes" in result.stderr
    house.assert_off()


@pytest.mark.parametrize("words, text", [
    ((), "where shall reports go"),
    (("--day=8", URL), "from 0 to 6"),
    (("https://me:not-a-real-password@h/",), "--credentials"),
    (("cis+https://h/feeds/api/",), "wants a token"),
    (("gopher://h/",), "gopher"),
    (("http://insight.example/",), "not encrypted"),
    (("https://h:99999/",), "port"),
    ((URL, "--token", "/nonexistent"), "/nonexistent"),
])
def test_what_cannot_be_meant_is_refused_before_anything_happens(house, words, text):
    result = house.run("enroll", "--yes", *words)
    assert result.returncode != 0 and text in result.stderr and "not-a-real-password" not in result.stderr
    assert house.pool.writes == []
    house.assert_off()


def test_a_token_that_others_can_read_is_refused(house):
    token = house.secret_file()
    token.chmod(0o644)
    result = house.run("enroll", "--yes", URL, "--token", token)
    assert result.returncode == 1 and "chmod 600" in result.stderr
    house.assert_off()


# --- where it may run

@pytest.mark.parametrize("refuses", [True, False], ids=["HOST_IS_SLAVE", "lets root in"])
@pytest.mark.parametrize("verb", [("enroll", "--yes", URL), ("disable",)], ids=["enroll", "disable"])
def test_a_supporter_says_where_to_go(house, refuses, verb):
    house.pool.coordinator, house.pool.refuses_supporters = house.pool.hosts[1], refuses
    result = house.run(*verb)
    assert result.returncode == 1 and "coordinator" in result.stderr
    assert (house.pool.hosts[1].address if refuses else "host2") in result.stderr
    assert house.pool.writes == []
    house.assert_logged_out()
    house.assert_off()


def test_an_xapi_that_does_not_run_is_no_standalone_host(alone):
    (alone.root / "etc/xensource").mkdir(parents=True)
    (alone.root / "etc/xensource/pool.conf").write_text("master")
    result = alone.run("enroll", "--yes", URL, "--token", alone.secret_file())
    assert result.returncode == 1 and "XAPI does not run" in result.stderr
    alone.assert_off()


def test_a_dead_socket_is_no_standalone_host(house):
    house.pool.stop()
    result = house.run("enroll", "--yes", URL, "--token", house.secret_file())
    assert result.returncode == 1 and "does not answer" in result.stderr
    house.assert_off()


def test_a_host_alone_keeps_its_token_itself(alone):
    alone.enroll("https://h/", "--token", alone.secret_file())
    assert alone.enrollment()["pool"] == "standalone" and alone.enrollment()["credential"] == "file"
    kept = alone.config / "upload.credential"
    assert kept.read_text() == f"token={TOKEN}\n" and kept.stat().st_mode & 0o777 == 0o600
    alone.disable()
    alone.assert_off()


def test_a_host_alone_has_its_schedule_in_its_settings(alone):
    result = alone.run("enroll", "--yes", URL, "--day=1", "--token", alone.secret_file())
    assert result.returncode == 2 and "healthcheck.yaml" in result.stderr
    alone.assert_off()


# --- disable

def test_disable_ends_everything_as_xencenter_does(house):
    pool = house.pool
    house.enroll(URL, "--token", house.secret_file())
    for key in ("DiagnosticToken.Secret", "User.Secret", "Password.Secret"):
        pool.health[key] = pool.new_secret(key)
    schedule = {key: value for key, value in pool.health.items() if key.startswith("Schedule.")}
    house.disable()
    house.assert_off()
    assert {key: pool.health.get(key) for key in schedule} == schedule
    assert pool.health["Enrollment"] == "false"
    house.disable()  # once more does no harm
    house.assert_logged_out()


def test_a_pool_that_was_never_asked_stays_so(house):
    house.disable()
    assert house.pool.writes == [] and house.pool.health == OTHER


def test_disable_without_xapi_stops_this_host_and_says_what_is_left(house):
    house.enroll(URL, "--token", house.secret_file())
    house.pool.dies_at = 0
    result = house.run("disable")
    assert result.returncode == 1 and "nothing leaves this host any more" in result.stderr
    assert house.enrollment() is None and house.pool.health["Enrollment"] == "true"
    house.pool.dies_at = None
    house.disable()
    house.assert_off()


def test_reports_that_wait_are_not_sent_any_more(house):
    house.enroll("https://h.example/", "--token", house.secret_file())
    report, spool = house.secret_file("report.zip"), house.folder / "spool"
    subprocess.run([BIN / "xen-upload", "--queue", spool, "--add", report, "https://h.example/r.zip"], check=True,
                   capture_output=True, timeout=60)
    assert len(list(spool.glob("jobs/*.json"))) == 1
    house.disable()
    assert list(spool.glob("jobs/*.json")) == [] and list(spool.glob("data/*")) == []
    house.assert_off()


def test_broken_settings_keep_nobody_from_disabling(alone):
    alone.enroll("https://h.example/", "--token", alone.secret_file())
    report = alone.secret_file("report.zip")
    (alone.config / "healthcheck.yaml").write_text("schedule:\n  evry: 7d\n")
    assert alone.run("enroll", "--yes", URL, "--token", alone.secret_file()).returncode == 2
    script = """mount -t tmpfs none /var/spool || exit 99  # the default spool is nobody's but ours
        "$1" --queue /var/spool/xenhealth --add "$2" https://h.example/r.zip >/dev/null 2>&1 || exit 98
        shift 2; "$@"; status=$?; ls /var/spool/xenhealth/jobs/*.json; exit $status"""
    result = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", BIN / "xen-upload", report, *alone.command("disable")],
                            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert result.returncode in (0, 2) and "Nothing leaves this host any more." in result.stdout
    assert f"the spool /var/spool/xenhealth): {alone.config}/healthcheck.yaml:2:3: " in result.stderr
    assert result.stderr.count("xen-healthcheck: ") == 1 and ".json" not in result.stdout
    alone.assert_off()


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "of another service"])
def test_disable_gives_back_our_lock_and_no_other(house, ours):
    house.enroll(URL, "--token", house.secret_file())
    us = "11111111-2222-4333-8444-555555555555"
    house.state.mkdir(exist_ok=True)
    house.state.chmod(0o755)
    (house.state / "service").write_text(us + "\n")
    lock = f"{us if ours else us.replace('1', '9')}|2026-11-22T06:49:22.0000000Z"
    house.pool.health["UploadLock"] = lock
    house.disable()
    house.assert_off()
    assert house.pool.health["UploadLock"] == ("" if ours else lock)
    house.pool.health["UploadLock"] = lock  # left behind by an earlier version
    house.disable()
    assert house.pool.health["UploadLock"] == ("" if ours else lock)


def test_secrets_that_are_gone_already_or_no_secrets_do_not_hinder(house):
    house.pool.health.update({"Enrollment": "true", "UploadToken.Secret": "11111111-1111-1111-1111-111111111111",
                              "User.Secret": "no uuid at all"})
    house.disable()
    house.assert_off()


# --- everything that goes wrong in between

def calls_of(house, *words):
    """How many calls this takes when all is well."""
    before = len(house.pool.calls)
    assert house.run(*words).returncode == 0
    return len(house.pool.calls) - before


def assert_old_or_new(house, token):
    """After a failure, with XAPI back: all of an enrollment or nothing; and the next disable leaves nothing."""
    if house.pool.health.get("Enrollment") == "true":
        assert house.token_of_pool() == token
    enrollment = house.enrollment()
    if enrollment and house.pool.health.get("Enrollment") == "true":
        assert enrollment["token"] == house.pool.health["UploadToken.Secret"]
    house.disable()
    house.assert_off()


@pytest.mark.parametrize("fault", ["die before", "die after", "INTERNAL_ERROR", "SESSION_INVALID"])
def test_one_call_that_fails_anywhere_leaves_the_old_or_the_new(house, fault):
    words = ("enroll", "--yes", URL, "--token", house.secret_file())
    count = calls_of(house, *words)
    house.disable()
    methods = house.pool.calls[:count]
    outcomes = set()
    for position, method in enumerate(methods):
        house.pool.faults = {method: [None] * methods[:position].count(method) + [fault]}
        result = house.run(*words)
        house.pool.faults = {}
        outcomes.add(result.returncode)
        if result.returncode == 0:
            house.assert_on(settled=False)  # the last look at what was noted may have failed
        else:
            assert house.own_secrets() == {} or (house.state / "enroll.secrets").exists()
        assert_old_or_new(house, TOKEN)
    assert 0 in outcomes  # what comes after the keys were written, or a session that is opened again


def test_answers_that_come_byte_by_byte_are_answers(house):
    words = ("enroll", "--yes", URL, "--token", house.secret_file())
    house.pool.next_fault = lambda method: house.pool.calls.append(method) or "drip"
    assert house.run(*words).returncode == 0
    house.assert_on()
    assert len(house.pool.calls) > 8


def test_an_xapi_that_never_answers_can_be_interrupted(house):
    words, started = ("enroll", "--yes", URL, "--token", house.secret_file()), concurrent.futures.Future()
    house.pool.before = {"host.get_all_records": [lambda: started.result(60).send_signal(signal.SIGTERM)]}
    house.pool.faults = {"host.get_all_records": ["silence"]}
    with subprocess.Popen(house.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as child:
        started.set_result(child)
        _, err = child.communicate(timeout=60)
    house.pool.faults = {}
    assert (child.returncode, err) == (3, "xen-healthcheck: interrupted\n")
    house.assert_logged_out()
    house.assert_off()


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_an_xapi_that_dies_anywhere_leaves_the_old_or_the_new(house, again):
    first = ("enroll", "--yes", "https://old.example/", "--token", house.secret_file("old", "old-token"))
    words = ("enroll", "--yes", URL, "--token", house.secret_file())
    count = calls_of(house, *words)
    house.disable()
    for position in range(count):
        if again:
            assert house.run(*first).returncode == 0
        house.pool.dies_at = len(house.pool.calls) + position
        result = house.run(*words)
        house.pool.dies_at = None
        house.pool.restart()
        enrollment = house.enrollment()
        assert (enrollment or {}).get("url") in ({"https://old.example/", URL} if again else {None, URL})
        if result.returncode == 0:
            assert enrollment["url"] == URL
        token = house.token_of_pool()
        if token and enrollment and enrollment["token"] == house.pool.health["UploadToken.Secret"]:
            assert (enrollment["url"], token) in ((URL, TOKEN), ("https://old.example/", "old-token"))
        house.disable()
        house.assert_off()


@pytest.mark.parametrize("verb", ["enroll", "disable"])
def test_a_kill_anywhere_leaves_nothing_that_disable_cannot_clean_up(house, verb):
    words = ("enroll", "--yes", URL, "--token", house.secret_file())
    if verb == "disable":
        assert house.run(*words).returncode == 0
    count = calls_of(house, *(words if verb == "enroll" else ("disable",)))
    house.disable()
    for position in range(1, count):
        if verb == "disable":
            assert house.run(*words).returncode == 0
        methods, started = [], concurrent.futures.Future()

        def watch(method, original=type(house.pool).next_fault):
            methods.append(method)
            if len(methods) == position:
                started.result(60).kill()
                started.result().wait(timeout=60)
                return "die before"
            return original(house.pool, method)

        house.pool.next_fault = watch
        with subprocess.Popen(house.command(*(words if verb == "enroll" else ("disable",))), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            started.set_result(child)
            assert child.wait(timeout=60) == -signal.SIGKILL
        del house.pool.next_fault
        house.pool.restart()
        house.disable()
        house.assert_off()


def test_somebody_who_writes_an_old_map_is_noticed(house):
    pool = house.pool

    def stale():
        pool.health = dict(OTHER)  # XenCenter's service puts back what it had read

    pool.before = {"pool.get_health_check_config": [lambda: None] * 3 + [stale]}  # after our write, before our look
    house.enroll(URL, "--token", house.secret_file())
    house.assert_on()
    assert len(pool.writes) == 2


def test_somebody_who_never_stops_writing_wins_and_is_named(house):
    pool = house.pool

    def stale():
        pool.health = dict(OTHER)

    pool.before = {"pool.get_health_check_config": [stale] * 100}
    result = house.run("enroll", "--yes", URL, "--token", house.secret_file())
    assert result.returncode == 4 and "keeps changing" in result.stderr
    pool.before = {}
    assert house.enrollment() is None and house.own_secrets() == {}


def test_a_change_of_somebody_else_in_between_is_kept(house):
    pool = house.pool

    def change():
        pool.health["UploadLock"] = "11111111-1111-1111-1111-111111111111|2026-11-22T06:49:22.0000000Z"

    pool.before = {"secret.create": [change]}
    house.enroll(URL, "--token", house.secret_file())
    house.assert_on()
    assert pool.health["UploadLock"].startswith("1111")


def test_an_interrupt_after_the_decision_brings_it_to_an_end(house):
    started = concurrent.futures.Future()
    house.pool.before = {"secret.create": [lambda: started.result(60).send_signal(signal.SIGINT)]}
    with subprocess.Popen(house.command("enroll", "--yes", URL, "--token", house.secret_file()), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        started.set_result(child)
        child.communicate(timeout=60)
    assert child.returncode == 0
    house.assert_on()


def test_a_folder_that_cannot_be_written_leaves_the_pool_as_it_was(house):
    house.enroll(URL, "--token", house.secret_file())
    before = dict(house.pool.health)
    (house.config / ".enrollment.yaml.new").mkdir()  # in the way, for root as well
    (house.config / ".enrollment.yaml.new/x").touch()
    result = house.run("enroll", "--yes", "https://other.example/", "--token", house.secret_file(text="other-token"))
    assert result.returncode == 1 and "enrollment.yaml" in result.stderr
    assert house.pool.health == before
    shutil.rmtree(house.config / ".enrollment.yaml.new")
    house.assert_on()


@pytest.mark.parametrize("answer_of_xapi", [
    [], "text", None, {"Enrollment": 1}, {"a": ["b"]}, {"x" * 300: "y"}, {"x": "y" * 10000}, {f"k{i}": "" for i in range(300)},
])
def test_a_map_that_we_do_not_understand_is_not_touched(house, answer_of_xapi):
    house.pool.call_pool_get_health_check_config = lambda reference: answer_of_xapi
    result = house.run("enroll", "--yes", URL, "--token", house.secret_file())
    assert result.returncode in (1, 2) and "XAPI" in result.stderr or "health_check_config" in result.stderr
    assert house.pool.writes == [] and house.own_secrets() == {} and house.enrollment() is None


def test_names_of_the_pool_cannot_write_to_the_terminal(house):
    house.pool.name = "evil\x1b[2J\u202e\n"
    out = house.enroll(URL, "--token", house.secret_file()).stdout
    assert "\x1b" not in out and "\u202e" not in out and "evil" in out


def test_a_token_never_shows_in_arguments_or_environment(house, service):
    """Looked at while the uploader asks the service, and while XAPI is told."""
    house.settings("--allow-plain")
    credentials = house.secret_file("credentials", f"username={service.user}\npassword={service.password}")
    seen = []

    def look():
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    seen.append((process / name).read_bytes())
                except OSError:
                    pass

    house.pool.before = {"secret.create": [look, look], "pool.set_health_check_config": [look]}
    original = service.actions["POST", "/feeds/api/create_grant/"]

    def watched(*arguments):
        look()
        return original(*arguments)

    service.actions["POST", "/feeds/api/create_grant/"] = watched
    house.enroll(service.url, "--credentials", credentials)
    secrets = [service.password, *service.tokens]
    assert len(service.tokens) == 4 and len(seen) > 8
    assert not [secret for secret in secrets for data in seen if secret.encode() in data]


def test_the_made_up_xapi_notices_half_a_map():
    """The tests above lean on it."""
    pool = xapi_health.Health()
    pool.REFERENCE, pool.health = "p", {"a": "b", "UploadLock": "", "UploadUuid": "u"}
    pool.call_pool_get_health_check_config("p")
    pool.call_pool_set_health_check_config("p", {"a": "c", "UploadLock": "x"})
    pool.call_pool_set_health_check_config("p", {"UploadLock": ""})
    assert pool.complaints == ["a is nobody's business and was changed", "UploadUuid was lost", "UploadLock was set to 'x'",
                               "a map was written by somebody who never read it"]
