# SPDX-License-Identifier: LGPL-2.1-only
"""How often a finding of a query says that something was seen, and how often it takes."""
from test_language import analyze, findings, remarks, verdict, write

COUNTING = """id: tries
title: Someone tries {user}
component: security
severity: warning
logs:
  failed: {files: [var/log/secure], match: 'Failed password for (?<user>\\w+)'@NUMBER@}
query: @QUERY@
explanation: e
advice: a
links: [https://docs.xcp-ng.org/]
tests:
  - {log: 'Nov  2 10:00:00 h sshd[1]: Failed password for root', expect: @EXPECT@}
  - {log: 'Nov  2 10:00:00 h sshd[1]: Accepted password for root', expect: none}
"""


def tries(folder, query, number="", expect="{}"):
    return write(folder / "tries.yaml", COUNTING.replace("@QUERY@", query).replace("@NUMBER@", number).replace("@EXPECT@", expect))


def tried(root, rules):
    return findings("--no-default-rules", "--rules", rules, root)["tries"]


def test_a_row_stands_for_as_many_events_as_it_says_or_its_line_does(tmp_path):
    root = tmp_path / "host"
    write(root / "var/log/secure", "Nov  2 10:00:00 h sshd[1]: Failed password for root\n"
                                   "Nov  2 10:00:09 h sshd[1]: message repeated 20 times: [ Failed password for root]\n"
                                   "Nov  2 10:00:10 h sshd[1]: Failed password for admin\n")
    lines = tried(root, tries(tmp_path, "SELECT host, path, line, time, text, user FROM failed WHERE user = 'root'"))
    assert lines["count"] == 21 and lines["values"] == {"user": "root"}
    total = tried(root, tries(tmp_path, "SELECT host, path, min(line) AS line, user, sum(count) AS count FROM failed GROUP BY host"))
    assert total["count"] == 22 and total["values"] == {"user": "root"}
    no_number = "(VALUES (NULL), (0), (-3), ('many'), (9e14), (1e300)) AS v"
    rules = tries(tmp_path, f"SELECT host, path, line, user, v.column1 AS count FROM failed, {no_number} WHERE line = 2")
    assert tried(root, rules)["count"] == 6 * 20


def test_lines_of_a_query_can_be_those_that_came_so_often_in_so_long(tmp_path):
    root = tmp_path / "host"
    burst = "".join(f"Nov  2 10:0{i // 60}:{i % 60:02} h sshd[1]: Failed password for root\n" for i in range(500))
    alone = "Nov  2 08:00:00 h sshd[1]: Failed password for alice\n"
    query, number = "SELECT host, path, line, time, text, user, count FROM failed", ", at_least: 3, within: 1m"
    rules = tries(tmp_path, query, number)
    write(root / "var/log/secure", alone + burst[:4 * len(burst) // 500])
    finding = tried(root, rules)
    assert finding["title"] == "Someone tries root" and finding["count"] == 4
    write(root / "var/log/secure", burst)                               # more than is kept of them
    assert tried(root, rules)["count"] == 500
    write(root / "var/log/secure", alone + alone.replace("08:", "09:") + alone.replace("08:", "10:"))
    assert findings("--no-default-rules", "--rules", rules, root) == {}
    assert "it takes 3 of them within 1m" in analyze("explain", "tries", "--rules", rules, root).stdout
    assert "at least 3 times within 1m" in analyze("rules", "show", "tries", "--rules", rules).stdout


def test_a_host_is_not_passed_over_because_another_had_many_rows(tmp_path):
    for name in ("host1", "host2"):
        write(tmp_path / name / "var/log/secure", f"Nov  2 10:00:00 {name} sshd[1]: Failed password for root\n")
    rules = tries(tmp_path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)"
                            " SELECT host, path, line, user FROM failed, n ORDER BY host\nby: host")
    found = verdict("--no-default-rules", "--rules", rules, tmp_path / "host1", tmp_path / "host2")["findings"]
    assert sorted((*f["hosts"], f["count"]) for f in found) == [("host1", 6000), ("host2", 6000)]


def test_a_test_of_a_rule_that_counts_otherwise_is_told_how_often(tmp_path):
    rules = tries(tmp_path, "SELECT host, path, line, user, 7 AS count FROM failed", expect="{count: 8}")
    assert "got:      1 finding: 'Someone tries root' (user=root) 7 times\n" in analyze("rules", "test", rules).stdout


def test_lint_says_that_a_count_is_no_value(tmp_path):
    query = "SELECT host, path, line, user, sum(count) AS count FROM failed GROUP BY host"
    path = tries(tmp_path, query)
    path.write_text(path.read_text().replace("explanation: e", "explanation: '{count} times'"))
    assert [text for _, text in remarks(path)] == [
        "'count' says how often it was seen and is no value; give the query a column of another name, 'count AS its_count'"]
