"""Times commands in turn (A B A B ...), so that a machine whose speed drifts does not favour one of them."""
import os
import resource
import statistics
import subprocess
import time


def run(command, stdout=subprocess.DEVNULL):
    """Wall and CPU seconds and peak memory (MiB) of one command."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=stdout, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return {"wall": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss / 1024, "status": child.returncode}


def compare(commands, rounds=3):
    """commands: name -> (argv, set of exit statuses that are right). Prints medians and the ratio to the first."""
    results = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (argv, good) in commands.items():
            result = run(argv)
            if result["status"] not in good:
                raise SystemExit("%s: exit status %d" % (name, result["status"]))
            results[name].append(result)
    medians = {name: {key: statistics.median(r[key] for r in runs) for key in ("wall", "cpu", "peak")}
               for name, runs in results.items()}
    first = next(iter(medians))
    print("%-34s %9s %9s %9s   %s" % ("", "wall s", "cpu s", "peak MiB", "time of %s / this" % first))
    for name, m in medians.items():
        print("%-34s %9.2f %9.2f %9.1f   %.2f" % (name, m["wall"], m["cpu"], m["peak"], medians[first]["wall"] / m["wall"]))
    return medians


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
