# SPDX-License-Identifier: LGPL-2.1-only
"""What a hostile REPORT is, and what the analyzer must say about it."""
from collections import namedtuple

READ = (0,)          # something could be used
REFUSED = (3,)       # nothing could
EITHER = (0, 3)      # nobody can say how much survives; it must end by itself, though

# data: bytes or a function that returns them; file: the REPORT's name; says: regular expression that the problems or
# the error must match; ends: exit statuses; cpu, peak: seconds and bytes, where more is due than to the rest of its set
Case = namedtuple("Case", "data file says ends cpu peak", defaults=("a.tar", "", READ, 0, 0))


def bytes_of(case):
    return case.data() if callable(case.data) else case.data
