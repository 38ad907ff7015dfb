"""A pool in which one rule finds as much as a pool can have: what its query costs then.

Everything comes from the rule's own tests. Each of its log patterns gets as many lines a host as are kept; the rows of its tables
are repeated, those of XAPI's database as clones with references of their own. All hosts share their files as hard links, so a pool is
made in no time.
"""
import datetime
import os
import re
import shutil

import yaml

from make_rules import logs_of

LINES = 400           # of a pattern on a host: analyzer/judge/hits.h keeps no more
TABLE_ROWS = 1000     # of a table that is a file with lines
DATABASE_ROWS = 2000  # of a class of XAPI's database
DATABASE_HOSTS = 3    # with a copy of it
MESSAGE_FILES = 40    # that alerts, files of their own, are spread over
LAST = datetime.datetime(2026, 11, 20, 10, 0, 0)
MADE_ONCE = {"pool", "host", "host_metrics", "manifest"}
HOSTS_OF_POOL = 64
SYSLOG = re.compile(r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d")
ISO = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d")
UPTIME = re.compile(r"\[ *\d+\.\d+\]")
ROW = re.compile(r"<row\b.*?/>", re.DOTALL)
TABLE = re.compile(r'<table name="(\w+)">(.*?)</table>', re.DOTALL)
WORD = re.compile(r"[\w:.-]+")
OWN_REF = re.compile(r'[ "](?:_?ref|uuid)="([^"]*)"')

# Seconds before the end of line `n` of pattern `k` of `count`.
ARRANGEMENTS = {
    "dense": lambda n, k, count: 2 * n + k,                      # all at once, within a quarter of an hour
    "apart": lambda n, k, count: 2 * (n + LINES * k) + 1800 * k,  # one pattern after the other
    "turned": lambda n, k, count: 2 * (n + LINES * (count - k)) + 1800 * (count - k),
    "spread": lambda n, k, count: 1800 * n + k,                  # over eight days
}


def groups(rules):
    with open(os.path.join(rules, "logs.yaml")) as file:
        return yaml.safe_load(file)["groups"]


def files_of(log, names):
    return [path for file in log["files"] for path in (names[file[1:]] if file.startswith("$") else [file])]


def concrete(path):
    return path.replace("/**", "/1").replace("*", "1")


def tests_files(rule, names):
    """Path and content of every file in the rule's tests."""
    paths = [path for log in logs_of(rule) for path in files_of(log, names) if not re.search(r"[*?{]", path)]
    for test in rule.get("tests", []):
        for files in [test.get("files", {}), *test.get("hosts", {}).values()]:
            yield from ((path, str(text)) for path, text in files.items())
        if "log" in test and paths:
            yield paths[0], test["log"]


def pattern(text, rule):
    for name, param in rule.get("params", {}).items():
        text = text.replace("{%s}" % name, str(param["default"]))
    return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", text))


def is_of(path, files):
    return any(path == file or re.fullmatch(re.escape(file).replace(r"\*\*", ".*").replace(r"\*", "[^/]*"), path) for file in files)


def examples(rule, log, names):
    """Lines of the rule's tests that its pattern takes, with their path."""
    match = pattern(log["match"], rule)
    unless = pattern(log["unless"], rule) if "unless" in log else None
    files = files_of(log, names)
    found = [(path, line) for path, text in tests_files(rule, names) if is_of(path, files)
             for line in text.splitlines() if match.search(line) and not (unless and unless.search(line))]
    return list(dict.fromkeys(found))


def moved(line, when):
    """The line at another time, in whichever way it has one."""
    line = SYSLOG.sub(when.strftime("%b %e %H:%M:%S"), line, count=1)
    line = ISO.sub(lambda found: when.strftime("%Y-%m-%d" + found.group(1) + "%H:%M:%S"), line, count=1)
    return UPTIME.sub("[%12.6f]" % (2e6 - (LAST - when).total_seconds()), line, count=1)


def write_logs(folder, rule, names, arrangement):
    """Returns the paths that are logs, and the names of patterns that no test has a line for."""
    lines, without = {}, []
    logs = rule.get("logs") or {"log": rule["log"]} if "log" in rule or "logs" in rule else {}
    for k, (alias, log) in enumerate(logs.items()):
        found = examples(rule, log, names)
        if not found:
            without.append(alias)
        for n in range(LINES if found else 0):
            path, line = found[n % len(found)]
            when = LAST - datetime.timedelta(seconds=ARRANGEMENTS[arrangement](n, k, len(logs)))
            if "/messages/" in path:
                path = "%s/1494952%03d.1" % (os.path.dirname(path), n % MESSAGE_FILES)
            lines.setdefault(path, []).append((when, moved(line, when)))
    for path, dated in lines.items():
        write(folder, path, "".join(line + "\n" for _, line in sorted(dated, key=lambda item: item[0])))
    return {path for log in logs.values() for path in files_of(log, names)}, without


def clones(name, rows, own):
    """Rows of a class, so many that there are DATABASE_ROWS; `own` are references that become others in each clone."""
    rounds = 1 if name in MADE_ONCE - {"host", "host_metrics"} else HOSTS_OF_POOL if name in MADE_ONCE else DATABASE_ROWS
    rounds = max(1, rounds // len(rows))
    yield from rows
    for n in range(1, rounds):
        for row in rows:
            yield WORD.sub(lambda word: "%s-%d" % (word.group(), n) if word.group() in own else word.group(), row)


def database(texts):
    classes = {}
    for text in texts:
        for name, body in TABLE.findall(text):
            known = classes.setdefault(name, [])
            known += [row for row in ROW.findall(body) if row not in known and not (name == "pool" and known)]
    classes = {name: rows for name, rows in classes.items() if rows}
    own = {ref for name, rows in classes.items() if name != "pool" for row in rows for ref in OWN_REF.findall(row)}
    return '<?xml version="1.0"?><database>%s</database>\n' % "".join(
        '<table name="%s">%s</table>' % (name, "\n".join(clones(name, rows, own))) for name, rows in classes.items())


def write(folder, path, text):
    path = os.path.join(folder, concrete(path))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def write_tables(folder, rule, names, logs):
    contents = {}
    for path, text in tests_files(rule, names):
        if not is_of(path, logs):
            contents.setdefault(path, []).append(text if text.endswith("\n") else text + "\n")
    for path, texts in contents.items():
        unique = list(dict.fromkeys(texts))
        if path.startswith("xapi-db"):
            write(folder, path, database(unique))
        else:
            rounds = max(1, TABLE_ROWS // sum(text.count("\n") for text in unique))
            write(folder, path, "".join(unique) * (1 if "inventory" in path or "conf" in path else rounds))


def link(source, target, with_database):
    for folder, _, files in os.walk(source):
        place = os.path.join(target, os.path.relpath(folder, source))
        os.makedirs(place, exist_ok=True)
        for name in files:
            if with_database or not name.startswith("xapi-db"):
                os.link(os.path.join(folder, name), os.path.join(place, name))


def main(rules, folder, rule, arrangement, hosts):
    """Makes the folders of `hosts` hosts below `folder` for a rule. Returns the names of logs that no line was found for."""
    shutil.rmtree(folder, ignore_errors=True)
    first = os.path.join(folder, "host00")
    names = groups(rules)
    os.makedirs(first)
    write(first, "date.out", LAST.strftime("%a %b %e %H:%M:%S UTC %Y\n"))
    logs, without = write_logs(first, rule, names, arrangement)
    write_tables(first, rule, names, logs)
    for host in range(1, hosts):
        link(first, os.path.join(folder, "host%02d" % host), host < DATABASE_HOSTS)
    return without
