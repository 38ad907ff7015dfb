#!/usr/bin/python3
"""What the query of each rule costs in a large pool where everything that it asks about has happened, again and again.

    tests/bench/queries.py [BIN] [--hosts N] [--above SECONDS] [RULE ...]   BIN: folder of the programs (default build/release/bin)

For each rule with a query a pool of its own is made (make_triggers.py), 64 hosts whose log lines fill what is kept of a pattern, in
four arrangements in time, as what is fast when lines come all at once may be slow when they do not. It prints the most processor
time that the query took in one of them, slowest first, and what the whole run took; then the facts' queries. A rule may have
ten seconds (RULE_QUERY_LIMIT_MS); above half a second it is worth mending.
Needs cc and the header of SQLite (query_times.c is built), and python3-yaml. On one core it takes some minutes.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import make_rules
import make_triggers

RULES = os.path.join(HERE, "../../rules")
ROOT = os.environ.get("XENHEALTH_BENCH", "/tmp/xenhealth-bench")
QUERY = re.compile(r"^@query ([\d.]+) (.*)$", re.MULTILINE)


def build():
    library = ROOT + "/query-times.so"
    os.makedirs(ROOT, exist_ok=True)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, HERE + "/query_times.c", "-ldl", "-lsqlite3"], check=True)
    return library


def words(sql):
    return re.sub(r"(?:\s|\\n)+", " ", sql).strip()


def template(rule):
    """A pattern for the rule's query with its parameters in place."""
    return re.compile(re.sub(r"\\\{\w+\\\}", ".*?", re.escape(words(rule["query"]))))


def run(programs, library, rule, pool):
    hosts = [os.path.join(pool, name) for name in sorted(os.listdir(pool))]
    start = time.monotonic()
    result = subprocess.run([programs + "/xen-analyze", *hosts, "--only", rule["id"], "--format", "json"], text=True,
                            capture_output=True, env={**os.environ, "LD_PRELOAD": library})
    wall = time.monotonic() - start
    if result.returncode not in (0, 1):
        raise SystemExit("%s: exit status %d: %s" % (rule["id"], result.returncode, result.stderr[-500:]))
    whole = template(rule)
    asked = [(float(seconds), words(sql)) for seconds, sql in QUERY.findall(result.stderr)]
    return {"seconds": max((s for s, sql in asked if whole.fullmatch(sql)), default=None), "wall": wall,
            "others": [(s, sql) for s, sql in asked if not whole.fullmatch(sql)], "verdict": json.loads(result.stdout)}


def outcome(rule, verdict):
    for unknown in verdict.get("unknown", []):
        if unknown.get("rule") == rule["id"]:
            return "unknown: " + unknown.get("reason", "")
    count = sum(1 for finding in verdict.get("findings", []) if finding.get("rule") == rule["id"])
    return "%d findings" % count


def measure(options, library, rule):
    """The worst of all arrangements."""
    worst, others = None, []
    for arrangement in make_triggers.ARRANGEMENTS if "logs" in rule or "log" in rule else ["dense"]:
        pool = ROOT + "/queries"
        without = make_triggers.main(RULES, pool, rule, arrangement, options.hosts)
        result = run(options.programs, library, rule, pool)
        print("%-10s %-32s %s" % (arrangement, rule["id"], result["seconds"]), file=sys.stderr, flush=True)
        result.update(arrangement=arrangement, without=without, outcome=outcome(rule, result["verdict"]))
        others += result["others"]
        if not worst or (result["seconds"] or 0) > (worst["seconds"] or 0):
            worst = result
    return worst, others


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", nargs="?", default=os.path.join(HERE, "../../build/release/bin"))
    parser.add_argument("rules", nargs="*")
    parser.add_argument("--hosts", type=int, default=64)
    parser.add_argument("--above", type=float, default=0.05, help="leave out what takes less")
    options = parser.parse_args()
    library = build()
    results, facts = [], {}
    known = set()
    for _, rule in make_rules.built_in(RULES):
        is_new = "query" in rule and rule["query"] not in known
        if rule["id"] in options.rules or (is_new and not options.rules):
            known.add(rule["query"])
            worst, others = measure(options, library, rule)
            results.append((worst["seconds"] or 0, rule["id"], worst))
            for seconds, sql in others:
                facts[sql] = max(seconds, facts.get(sql, 0))
    print("\n%9s %9s  %-8s %-36s %s" % ("query s", "run s", "", "rule", "outcome"))
    for seconds, name, worst in sorted(results, key=lambda item: item[:2], reverse=True):
        missing = "; no line for %s" % ", ".join(worst["without"]) if worst["without"] else ""
        if seconds >= options.above or options.rules or missing or worst["seconds"] is None:
            print("%9s %9.2f  %-8s %-36s %s%s" % ("not asked" if worst["seconds"] is None else "%.3f" % seconds, worst["wall"],
                                                 worst["arrangement"], name, worst["outcome"], missing))
    print("\nOther queries, of facts and timelines")
    for sql, seconds in sorted(facts.items(), key=lambda item: -item[1]):
        if seconds >= options.above:
            print("%9.3f  %s" % (seconds, sql[:120]))


if __name__ == "__main__":
    main()
