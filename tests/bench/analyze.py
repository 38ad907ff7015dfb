#!/usr/bin/python3
"""Analysing reports, side by side with tools that only decompress or only search.

    tests/bench/analyze.py [BIN] [PART ...]     BIN: folder of the programs (default build/release/bin)

Parts: `logs`, `rules` and `small` (the default), `large`, `huge`. Reports are analysed as users do it: all cores, in the
sandbox, with compiled patterns in the cache. The cache is filled before anything is measured.

* logs: a zip of 272 MB of logs and 56 MB of compressed rotations (368 MB unpacked). `unzip -p` only decompresses it, on one
  core, and leaves the rotations compressed; `rg -z` searches the unpacked tree for the same patterns on all cores.
* rules: the same report with the built-in rules and made-up ones of their shapes (make_rules.py), 300 and 3000 in all.
* small: a folder of 1 MB with the built-in rules. Its `cpu s` is what starting up costs.
* large, huge: a tar of 2.5 and 10 GB of logs, for the memory that it takes.
"""
import os
import re
import shutil
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import make_logs
import make_rules
import measure

RULES = os.path.join(HERE, "../../rules")
ROOT = os.environ.get("XENHEALTH_BENCH", "/tmp/xenhealth-bench")
LOGS, OUT = ROOT + "/root", ROOT + "/out"
ENTRIES = "--entries=system-logs,xenserver-logs,xen-bugtool"
FINE = {0, 1}  # exit statuses: 1 is a report with findings


def built_in_patterns():
    """The log patterns of the built-in rules, in ripgrep's syntax as far as it has one."""
    logs = [log for _, rule in make_rules.built_in(RULES) for log in make_rules.logs_of(rule)]
    patterns = [re.sub(r"\(\?<(\w+)>", "(?:", log["match"]) for log in logs]
    return [pattern for pattern in patterns if not re.search(r"\(\?<?[=!]", pattern)]


class Bench:
    def __init__(self, programs):
        self.programs = programs
        make_logs.main(LOGS)
        shutil.rmtree(OUT, ignore_errors=True)
        os.makedirs(OUT, mode=0o700)

    def report(self):
        """The zip of all logs, made once a run."""
        if not hasattr(self, "zip"):
            self.zip = subprocess.run(
                [self.programs + "/xen-bugtool", "--root", LOGS, ENTRIES, "--unlimited", "-y", "-s", "--output=zip",
                 "--outdir", OUT], check=True, capture_output=True, text=True).stdout.strip()
        return self.zip

    def analyze(self, report, *options):
        """The command; run once here, so that its patterns are in the cache."""
        argv = [self.programs + "/xen-analyze", report, *options, "--format", "json", "--output", OUT + "/findings.json"]
        measure.run(argv)
        return argv, FINE

    def logs(self):
        patterns = built_in_patterns()
        with open(OUT + "/patterns", "w") as file:
            file.write("\n".join(patterns) + "\n")
        print("\nA report of %.1f MB; %d patterns for rg" % (os.path.getsize(self.report()) / 1e6, len(patterns)))
        commands = {
            "xen-analyze": self.analyze(self.report()),
            "unzip -p": (["unzip", "-p", self.report()], {0}),
        }
        if shutil.which("rg"):
            commands["rg -z (unpacked)"] = (["rg", "-z", "-c", "--no-ignore", "-f", OUT + "/patterns", LOGS + "/var"], FINE)
        else:
            print("rg is not installed: not compared")
        measure.compare(commands, 5)

    def rules(self):
        built_in = sum(1 for _ in make_rules.built_in(RULES))
        commands = {}
        for count in (3000, 300):
            options = []
            if count > built_in:
                make_rules.main(RULES, "%s/rules-%d" % (OUT, count), count - built_in)
                options = ["--rules", "%s/rules-%d" % (OUT, count)]
            commands["%d rules" % max(count, built_in)] = self.analyze(self.report(), *options)
        print("\nMore rules, the same report")
        measure.compare(commands, 5)

    def small(self):
        os.makedirs(OUT + "/small/var/log")
        for name in ("kern.log", "SMlog", "xensource.log", "daemon.log"):
            with open(LOGS + "/var/log/" + name, "rb") as source, open(OUT + "/small/var/log/" + name, "wb") as log:
                log.write(source.read(250 * 1000))
        print("\nA report of 1 MB")
        measure.compare({"xen-analyze": self.analyze(OUT + "/small")}, 9)

    def tar(self, copies):
        """Hosts of 272 MB each, one after another, without compression."""
        path = OUT + "/large.tar"
        with tarfile.open(path, "w") as tar:
            for host in range(copies):
                for name in sorted(os.listdir(LOGS + "/var/log")):
                    if not name.endswith(".gz"):
                        tar.add(LOGS + "/var/log/" + name, "pool/bug-report-host%02d/var/log/%s" % (host, name))
        print("\nA tar of %.1f GB" % (os.path.getsize(path) / 1e9))
        argv = [self.programs + "/xen-analyze", path, "--format", "json", "--output", OUT + "/findings.json"]
        measure.compare({"xen-analyze": (argv, FINE)}, 1)
        os.unlink(path)

    def large(self):
        self.tar(9)

    def huge(self):
        self.tar(37)


def main():
    words = sys.argv[1:]
    programs = words.pop(0) if words and "/" in words[0] else os.path.join(HERE, "../../build/release/bin")
    bench = Bench(programs)
    for part in words or ["logs", "rules", "small"]:
        getattr(bench, part)()
    shutil.rmtree(OUT)


if __name__ == "__main__":
    main()
