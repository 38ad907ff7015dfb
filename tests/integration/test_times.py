"""Times of logs that are written in local time and in UTC, on a host that is not in UTC."""
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
