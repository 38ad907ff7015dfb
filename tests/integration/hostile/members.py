# SPDX-License-Identifier: LGPL-2.1-only
"""Good archives with hostile files of the kinds that are parsed: XML, JSON, XAPI's database, tables, logs."""
from hostile_archives import TOP, good_tar, tar_member

from .case import Case

INVENTORY_HEAD = b'<?xml version="1.0"?><system-status-inventory>'
DB_HEAD = b'<?xml version="1.0"?><database><manifest><pair key="schema_major_vsn" value="5"/></manifest><table name="host">'
MIB = 1 << 20


def laughs(element):
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    return b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">%s]><%s>&l9;</%s>' % (entities, element, element)


def quadratic_blowup(element):
    return b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "%s">]><%s>%s</%s>' % (b"a" * 50000, element, b"&a;" * 50000, element)


def xml_bombs(head, tail, element):
    return {
        "laughs": laughs(element),
        "quadratic blow-up": lambda: quadratic_blowup(element),
        "outer entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><%s>&a;</%s>' % (element, element),
        "parameter entity": b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1/x">%a;]><x/>',
        "million levels": lambda: head + b"<a>" * 1000000,
        "million attributes": lambda: head + b"<row " + b" ".join(b'a%d="x"' % n for n in range(300000)) + b"/>" + tail,
        "attribute of 8 MB": lambda: head + b'<row ref="' + b"x" * (8 * MIB) + b'"/>' + tail,
        "name of 8 MB": lambda: head + b"<" + b"x" * (8 * MIB) + b"/>" + tail,
        "text of 20 MB": lambda: head + b"x" * (20 * MIB) + tail,
        "comment of 20 MB": lambda: head + b"<!--" + b"x" * (20 * MIB) + b"-->" + tail,
        "CDATA of brackets": lambda: head + b"<![CDATA[" + b"]" * (8 * MIB) + b"]]>" + tail,
        "namespaces": lambda: head + b"<a " + b" ".join(b'xmlns:n%d="x"' % n for n in range(100000)) + b"/>" + tail,
        "million elements": lambda: head + b"<row/>" * 1000000 + tail,
        "UTF-16": (head + tail).decode().encode("utf-16"),
        "UTF-7 declared": (head + tail).replace(b'"1.0"', b'"1.0" encoding="UTF-7"'),
        "NULs": head + b"\0" * 1000 + tail,
        "unfinished": head,
        "no XML": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100,
        "empty": b"",
    }


def json_bombs():
    return {
        "brackets": lambda: b"[" * 1000000,
        "braces": lambda: b'{"a":' * 500000,
        "million objects": lambda: b"[" + b"{}," * 2000000 + b"{}]",
        "million keys": lambda: b'{"schema": "x"' + b"".join(b',"k%d":1' % n for n in range(500000)) + b"}",
        "one key a million times": lambda: b'{"a":0' + b',"a":0' * 1000000 + b"}",
        "text of 40 MB": lambda: b'{"schema": "' + b"x" * (40 * MIB) + b'"}',
        "text of escapes": lambda: b'{"schema": "' + b"\\u0041" * 2000000 + b'"}',
        "NUL in a text": b'{"schema": "a\\u0000b"}',
        "lone surrogate": b'{"schema": "\\ud800"}',
        "huge number": b'{"schema": ' + b"9" * 100000 + b"}",
        "number without end": b'{"schema": 1e999999}',
        "white space of 20 MB": lambda: b" " * (20 * MIB) + b"{}",
        "not UTF-8": b'{"schema": "\xff\xfe"}',
        "an array": b"[1, 2, 3]",
        "a word": b"nullnull",
        "empty": b"",
    }


def text_bombs():
    """For files that become tables: whatever stands in them, it is text."""
    return {
        "a line of 5 MB": lambda: b"a" * (5 * MIB),
        "a million short lines": lambda: b"a b c d e f\n" * 1000000,
        "a million columns": lambda: b"x " * 1000000 + b"\n",
        "NULs": b"\0" * 100000,
        "every byte": bytes(range(256)) * 400,
        "escape sequences": b"\x1b[2J\x1b]0;evil\x07" * 1000,
        "only line ends": lambda: b"\n" * 1000000,
        "carriage returns": b"a\rb\r" * 10000,
        "colons": lambda: b":" * 100000 + b"\n" + b"a:b:c:" * 50000,
        "half a character in each line": b"\xe2\x82\n" * 10000,
        "quotes and markup": b"'\"<script>&;--DROP TABLE host;\n" * 1000,
    }


TABLE_FILES = ("df-alT.out", "proc/meminfo", "lvs.out", "driver-tool-l.out", "xl-list-all.out", "multipathd_topology.out",
               "smartctl-H-i-A-{sda}.out", "chronyc-tracking.out")


def report_with(path, data):
    def build():
        text = data() if callable(data) else data
        return good_tar(tar_member(TOP + path, text))
    return build


def manifest(data):
    return lambda: tar_member(TOP + "manifest.json", data() if callable(data) else data) + good_tar()


def inventory(data):
    return lambda: good_tar(inventory=data() if callable(data) else data)


# A row is a row, and queries read all of them.
ROWS = {"million elements": {"cpu": 10, "peak": 256 * MIB}}

CASES = {
    **{"inventory: " + what: Case(inventory(data)) for what, data in
       xml_bombs(INVENTORY_HEAD, b"</system-status-inventory>", b"system-status-inventory").items()},
    **{"database: " + what: Case(report_with("xapi-db.xml", data), **ROWS.get(what, {})) for what, data in
       xml_bombs(DB_HEAD, b"</table></database>", b"database").items()},
    **{"manifest: " + what: Case(manifest(data)) for what, data in json_bombs().items()},
    **{"JSON table: " + what: Case(report_with("driver-tool-l.out", data)) for what, data in json_bombs().items()},
    **{"%s: %s" % (path, what): Case(report_with(path, data)) for path in TABLE_FILES for what, data in text_bombs().items()},
}
