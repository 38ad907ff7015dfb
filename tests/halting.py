#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only
"""
Looks for tests that pass by luck: runs them while their processes are halted at random moments.

    tests/halting.py BUILD [--runs N] [--seed N] [CTEST-ARGUMENT...]
    tests/halting.py build/dev --runs 5 -R integration.healthcheck

A busy machine may take the processor away between any two steps of a test, of a program under test or of a server. Here
that happens on purpose and often: every process below ctest is halted now and then, for up to half a second. A test
that fails so, and passes alone, counts on something that happens in time. Some do on purpose, where time is what they
are about (CONTRIBUTING.md says which); all others are to be mended.

Root halts by a control group that is frozen, which nobody can see. Where there is none, SIGSTOP and SIGCONT do it; but those
are seen: a shell that controls jobs tells of them, and SIGCONT wakes what a test has stopped itself.
"""
import argparse
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import threading
import time

LANES = 2  # halted at the same time, so that two halves of a conversation may be
PAUSES = (0.02, 0.1, 0.5)  # seconds
REST = 0.15  # seconds, at most, between one halt and the next: the test has to go on, too


def state_and_parent(process):
    """From /proc/PID/stat, whose second field may hold anything."""
    try:
        state, parent = pathlib.Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(") ")[2].split()[:2]
    except (OSError, ValueError):
        return None, None
    return state, int(parent)


def descendants(top):
    """What runs below a process; not what is a corpse, or was stopped by somebody else."""
    known = {int(name): state_and_parent(name) for name in os.listdir("/proc") if name.isdigit()}
    below, grown = {top}, True
    while grown:
        more = {process for process, (_, parent) in known.items() if parent in below} - below
        below, grown = below | more, bool(more)
    return [process for process in below - {top} if known[process][0] in ("R", "S", "D")]


def halt_by_signal(process, seconds):
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(process, signal.SIGCONT)


class Freezer:
    """A frozen control group: who is moved into it stands still until moved out again."""

    # Version 2, which may be mounted in two places. (Version 1 will not do: its frozen look stuck, and not even KILL ends them.)
    PLACES = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")

    def __init__(self, place):
        _, found, path = pathlib.Path("/proc/self/cgroup").read_text().rpartition("0::/")
        if not found:
            raise FileNotFoundError
        self.usual = pathlib.Path(place, path.split("\n")[0])
        self.frozen = pathlib.Path(tempfile.mkdtemp(prefix="halting-", dir=self.usual))
        try:
            with (self.frozen / "cgroup.freeze").open("r+") as switch:  # there is none where nothing is mounted
                switch.write("1")
        except OSError:
            self.frozen.rmdir()
            raise

    def halt(self, process, seconds):
        with contextlib.suppress(ProcessLookupError):
            (self.frozen / "cgroup.procs").write_text(str(process))
            time.sleep(seconds)
        while members := (self.frozen / "cgroup.procs").read_text().split():  # what it forked just then is among them
            for member in members:
                with contextlib.suppress(ProcessLookupError):
                    (self.usual / "cgroup.procs").write_text(member)

    def close(self):
        self.frozen.rmdir()


@contextlib.contextmanager
def halter():
    """The way to halt a process that there is on this machine."""
    for place in Freezer.PLACES:
        with contextlib.suppress(OSError):
            freezer = Freezer(place)
            break
    else:
        yield halt_by_signal
        return
    try:
        yield freezer.halt
    finally:
        freezer.close()


def disturb(top, over, luck):
    with halter() as halt:
        while not over.wait(luck.random() * REST):
            if processes := descendants(top):
                halt(luck.choice(processes), luck.choice(PAUSES))


def run(build, arguments, luck):
    """One run of ctest under disturbance; its exit status."""
    over = threading.Event()
    with subprocess.Popen(["ctest", "--test-dir", build, "--output-on-failure", *arguments]) as ctest:
        lanes = [threading.Thread(target=disturb, args=(ctest.pid, over, random.Random(luck.random()))) for _ in range(LANES)]
        for lane in lanes:
            lane.start()
        try:
            return ctest.wait()
        finally:
            over.set()
            for lane in lanes:
                lane.join()


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s BUILD [--runs N] [--seed N] [CTEST-ARGUMENT...]")
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options, arguments = parser.parse_known_args()
    luck = random.Random(options.seed)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who is told to stop leaves nobody halted
    failed = sum(run(options.build, arguments, luck) != 0 for _ in range(options.runs))
    print(f"{failed} of {options.runs} runs failed (seed {options.seed}: the halts, not the moments they meet)")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
