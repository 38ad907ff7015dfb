# SPDX-License-Identifier: LGPL-2.1-only
"""
Lines made from a regular expression: those it matches, and those it nearly matches after as much work as possible.

Python's own parser of regular expressions reads the pattern; every repetition is stretched to `stretch` characters.
"""
import re
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import sre_constants as kinds
    import sre_parse

FILL = "a1 :/.-_[]()=,'\"#"


def lines_for(pattern, stretch):
    """Texts for a PCRE pattern; none if Python does not take it."""
    try:
        tree = sre_parse.parse(re.sub(r"\(\?<(?![=!])", "(?P<", pattern))
    except (re.error, OverflowError):
        return []
    whole = render(tree, stretch)
    return [whole, whole[:-1] + "\x01", whole * 2, whole[: len(whole) // 2] * 3, "a" + whole[1:] + "!", whole.upper()]


def render(tree, stretch):
    return "".join(render_one(kind, value, stretch) for kind, value in tree)


def render_one(kind, value, stretch):
    if kind is kinds.LITERAL:
        return chr(value)
    if kind is kinds.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    if kind is kinds.ANY:
        return "a"
    if kind is kinds.IN:
        return pick(value)
    if kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT):
        low, high, body = value
        one = render(body, max(1, stretch // 50))
        return one * max(low, min(int(high), stretch // max(1, len(one))))
    if kind is kinds.SUBPATTERN:
        return render(value[3], stretch)
    if kind is kinds.BRANCH:
        return render(max(value[1], key=len), stretch)
    return ""  # anchors, look-around, references


def pick(items):
    """A character of a set: the first of FILL that is in it, or the set's own first one."""
    for candidate in FILL:
        if any(contains(item, candidate) for item in items) != (items[0][0] is kinds.NEGATE):
            return candidate
    kind, value = items[0]
    return chr(value if kind is kinds.LITERAL else value[0]) if kind in (kinds.LITERAL, kinds.RANGE) else "\x7f"


CLASSES = {kinds.CATEGORY_DIGIT: str.isdigit, kinds.CATEGORY_SPACE: str.isspace,
           kinds.CATEGORY_WORD: lambda c: c.isalnum() or c == "_"}
OPPOSITES = {kinds.CATEGORY_NOT_DIGIT: kinds.CATEGORY_DIGIT, kinds.CATEGORY_NOT_SPACE: kinds.CATEGORY_SPACE,
             kinds.CATEGORY_NOT_WORD: kinds.CATEGORY_WORD}


def contains(item, character):
    kind, value = item
    if kind is kinds.LITERAL:
        return ord(character) == value
    if kind is kinds.RANGE:
        return value[0] <= ord(character) <= value[1]
    if kind is kinds.CATEGORY:
        return not CLASSES[OPPOSITES[value]](character) if value in OPPOSITES else CLASSES[value](character)
    return False
