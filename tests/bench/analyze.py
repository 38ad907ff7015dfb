#!/usr/bin/python3
"""Analysing a report of 272 MB of logs and 56 MB of compressed rotations, side by side with unzip and ripgrep.

    tests/bench/analyze.py [BIN]        BIN: folder of the programs (default build/release/bin)

`unzip -p` only decompresses; `rg -z` searches the unpacked logs for the patterns of all built-in rules.
"""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import yaml

import make_logs
import measure

ROOT = os.environ.get("XENHEALTH_BENCH", "/tmp/xenhealth-bench")
LOGS, OUT = ROOT + "/root", ROOT + "/out"


def rule_patterns(folder):
    """The log patterns of the rules, in ripgrep's syntax."""
    patterns = []
    for path, _, names in os.walk(folder):
        for name in names:
            if not name.endswith(".yaml") or "/tables" in path or "/formats" in path:
                continue
            with open(os.path.join(path, name)) as file:
                rule = yaml.safe_load(file)
            if "id" not in rule:
                continue
            logs = [rule["log"]] if "log" in rule else list(rule.get("logs", {}).values())
            patterns += [re.sub(r"\(\?<(\w+)>", "(?:", log["match"]) for log in logs]
    return patterns


def main():
    bin_folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/release/bin")
    make_logs.main(LOGS)
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT, mode=0o700)
    report = subprocess.run(
        [bin_folder + "/xen-bugtool", "--root", LOGS, "--entries=system-logs,xenserver-logs,xen-bugtool", "--unlimited", "-y",
         "-s", "--output=zip", "--outdir", OUT], check=True, capture_output=True, text=True).stdout.strip()
    patterns = rule_patterns(os.path.join(HERE, "../../rules"))
    with open(OUT + "/patterns", "w") as file:
        file.write("\n".join(patterns) + "\n")
    print("%d patterns, report of %.1f MB" % (len(patterns), os.path.getsize(report) / 1e6))
    measure.compare({
        "xen-analyze": ([bin_folder + "/xen-analyze", report, "--format", "json", "--output", OUT + "/findings.json"], {0, 1}),
        "unzip -p": (["unzip", "-p", report], {0}),
        "rg -z (unpacked)": (["rg", "-z", "-c", "--no-ignore", "-f", OUT + "/patterns", LOGS + "/var"], {0, 1}),
    })
    shutil.rmtree(OUT)


if __name__ == "__main__":
    main()
