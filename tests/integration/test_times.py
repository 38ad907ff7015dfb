"""Times of logs that are written in local time and in UTC, on a host that is not in UTC."""
import datetime
import json
import os
import subprocess

import pytest

BIN = os.environ["XENHEALTH_BIN"]

RULE = """id: link-lost-then-port-gone
title: A port went away after its link
component: network
severity: error
confidence: high
logs:
  link: {files: [var/log/kern.log], match: 'NIC Link is Down'}
  gone: {files: [var/log/openvswitch/ovs-vswitchd.log], match: 'port (?<port>\\w+) gone'}
query: |
  SELECT g.host, g.time, g.path, g.line, g.text, g.port FROM gone g
  JOIN link l ON l.host = g.host AND g.time BETWEEN l.time AND l.time + 60
explanation: Made for a test.
advice: None.
"""
SINCE_START = """id: link-lost-since-start
title: A link was lost since the start
component: network
severity: error
confidence: high
logs:
  link: {files: [var/log/kern.log], match: 'NIC Link is Down'}
query: |
  SELECT l.host, l.time, l.path, l.line, l.text FROM link l JOIN hosts h ON h.host = l.host
  WHERE l.time >= h.booted
explanation: Made for a test.
advice: None.
"""


def analyze(folder, uptime, utc="08:11:00"):
    """Findings by rule, in a report taken at 10:11:12 local time."""
    files = {
        "inventory.xml": '<?xml version="1.0"?><system-status-inventory>'
                         '<system-summary hostname="host1" date="Tue Jun  3 10:11:12 2025" uptime=" 10:11:12 up %s,  1 user"/>'
                         '</system-status-inventory>' % uptime,
        "manifest.json": json.dumps({"schema": "xenhealth-manifest/1", "host": {"name": "host1"},
                                     "run": {"started": "2025-06-03T%s+00:00" % utc}, "entries": []}),
        "var/log/kern.log": "Jun  3 09:00:00 host1 kernel: [1.000000] eth0: NIC Link is Down\n",
        "var/log/openvswitch/ovs-vswitchd.log": "2025-06-03T07:00:20.000Z|1|bridge|INFO|port eth0 gone\n",
    }
    for name, text in files.items():
        path = folder / "bug-report-20250603101112" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, text in (("a", RULE), ("b", SINCE_START)):
        (folder / (name + ".yaml")).write_text(text)
    done = subprocess.run([BIN + "/xen-analyze", str(folder / "bug-report-20250603101112"), "--no-default-rules", "--rules",
                           str(folder / "a.yaml"), "--rules", str(folder / "b.yaml"), "--format", "json"],
                          capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return {finding["rule"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_logs_in_utc_and_in_local_time_are_joined_on_a_host_two_hours_ahead(tmp_path):
    found = analyze(tmp_path, "10 days,  3:04")
    assert found["link-lost-then-port-gone"]["first_seen"].startswith("2025-06-03T09:00:20")


def test_without_an_offset_two_hours_stay_two_hours(tmp_path):
    assert "link-lost-then-port-gone" not in analyze(tmp_path, "10 days,  3:04", utc="10:11:00")


@pytest.mark.parametrize("uptime, is_found", [("10 days,  3:04", True), ("2:00", True), ("5 min", False)])
def test_rules_can_tell_what_happened_since_the_last_start(tmp_path, uptime, is_found):
    assert ("link-lost-since-start" in analyze(tmp_path, uptime)) == is_found


# --- Clocks that were set back, and logs that end before the report was taken

SYSLOG = "%b %e %H:%M:%S"


def written(first, last, step=datetime.timedelta(minutes=2), stamp=SYSLOG):
    """Lines from `first` to `last`."""
    lines = []
    while first <= last:
        lines.append("%s host1 daemon: all is as it was, and as it shall be\n" % first.strftime(stamp))
        first += step
    return "".join(lines)


def at(text):
    return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M")


def told(folder, logs, taken="2025-06-03 10:11", entries=(), inventory=True, options=()):
    """Problems (kind, path, text) about times, in a report with these logs."""
    moment = at(taken)
    files = dict(logs)
    if inventory:
        files["inventory.xml"] = (
            '<?xml version="1.0"?><system-status-inventory><system-summary hostname="host1" date="%s" '
            'uptime=" 10:11:12 up 10 days,  3:04,  1 user"/></system-status-inventory>' % moment.strftime("%a %b %e %H:%M:%S %Y"))
    if entries:
        files["manifest.json"] = json.dumps({"schema": "xenhealth-manifest/1", "host": {"name": "host1"},
                                             "run": {"started": moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")},
                                             "entries": list(entries)})
    root = folder / ("report" if not inventory else "bug-report-" + moment.strftime("%Y%m%d%H%M%S"))
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run([BIN + "/xen-analyze", str(root), "--format", "json", *options], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return [(problem["kind"], problem["path"], problem["text"]) for report in json.loads(done.stdout)["reports"]
            for problem in report["problems"] if problem["kind"] in ("clock", "stale")]


LIVELY = written(at("2025-06-03 00:00"), at("2025-06-03 10:10"))
EARLY = written(at("2025-06-01 00:00"), at("2025-06-01 20:30"))


def test_a_clock_that_was_set_back_is_told_once_a_host(tmp_path):
    set_back = written(at("2025-06-03 05:00"), at("2025-06-03 09:00")) + written(at("2025-06-03 06:20"), at("2025-06-03 10:10"))
    [(kind, path, text)] = told(tmp_path, {"var/log/SMlog": set_back, "var/log/daemon.log": set_back})
    assert (kind, path) == ("clock", "var/log/SMlog") or (kind, path) == ("clock", "var/log/daemon.log")
    assert "set back by 2 h" in text


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_where_the_clock_was_set_back_does_not_depend_on_the_threads(tmp_path, jobs):
    set_back = written(at("2025-06-03 05:00"), at("2025-06-03 09:00")) + written(at("2025-06-03 06:20"), at("2025-06-03 10:10"))
    [(_, path, _)] = told(tmp_path, {"var/log/" + name: set_back for name in ("SMlog", "daemon.log", "messages", "xensource.log")},
                          options=["--jobs", jobs])
    assert path == "var/log/SMlog"


@pytest.mark.parametrize("name, before, after, taken", [
    ("the end of daylight-saving time", ("2025-10-26 00:00", "2025-10-26 02:58"), ("2025-10-26 02:00", "2025-10-26 06:00"),
     "2025-10-26 06:01"),
    ("New Year", ("2024-12-31 20:00", "2024-12-31 23:58"), ("2025-01-01 00:00", "2025-01-01 04:00"), "2025-01-01 04:01"),
    ("half a year off", ("2024-11-01 20:00", "2024-11-01 23:58"), ("2025-05-01 00:00", "2025-05-01 04:00"), "2025-05-01 04:01"),
])
def test_no_clock_was_set_back_by(tmp_path, name, before, after, taken):
    text = written(at(before[0]), at(before[1])) + written(at(after[0]), at(after[1]))
    assert told(tmp_path, {"var/log/SMlog": text, "var/log/messages": text}, taken) == [], name


def test_a_log_without_order_says_nothing_of_the_clock(tmp_path):
    merged = LIVELY + LIVELY
    assert told(tmp_path, {"xl-dmesg.out": merged, "var/log/dmesg": merged, "var/log/messages": LIVELY}) == []


def test_logs_that_end_before_the_report_was_taken_are_told_once_a_host(tmp_path):
    [(kind, path, text)] = told(tmp_path, {"var/log/SMlog": EARLY, "var/log/daemon.log": EARLY + "and a line without a time\n"})
    assert kind == "stale" and path.startswith("var/log/")
    assert "end at 2025-06-01T20:30:00, 37 h 41 min before" in text


@pytest.mark.parametrize("name, logs", [
    ("logs to the end", {"var/log/messages": LIVELY}),
    ("one log that still is written", {"var/log/xensource.log": EARLY, "var/log/daemon.log": LIVELY}),
    ("a quiet host", {"var/log/messages": written(at("2025-06-01 03:00"), at("2025-06-03 05:00"), datetime.timedelta(hours=5))}),
    ("no log but of the kernel", {"var/log/kern.log": EARLY}),
    ("rotated logs only", {"var/log/messages.1": EARLY}),
    ("a log that was rotated just now", {"var/log/messages": "", "var/log/messages.1": LIVELY}),
    ("an empty log and an old rotation", {"var/log/messages": "", "var/log/messages.1": EARLY}),
])
def test_no_log_ends_early_on_a_host_with(tmp_path, name, logs):
    assert told(tmp_path, logs) == [], name


def test_a_report_without_a_clock_of_its_own_has_no_early_end(tmp_path):
    assert told(tmp_path, {"var/log/messages": EARLY}, inventory=False) == []


def test_a_log_that_the_collector_cut_does_not_end_early(tmp_path):
    cut = [{"name": "var/log/messages", "status": "truncated"}]
    assert told(tmp_path, {"var/log/messages": EARLY}, entries=cut) == []


def test_an_old_rotation_that_was_left_out_hides_no_early_end(tmp_path):
    left_out = [{"name": "var/log/messages.7.gz", "status": "omitted"}]
    assert [kind for kind, _, _ in told(tmp_path, {"var/log/messages": EARLY}, entries=left_out)] == ["stale"]


def test_logs_that_are_not_read_do_not_end_early(tmp_path):
    assert told(tmp_path, {"var/log/SMlog": EARLY, "var/log/xensource.log": LIVELY}, options=["--only", "sr-iscsi-login-failed"]) == []
