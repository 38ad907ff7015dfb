# SPDX-License-Identifier: LGPL-2.1-only
"""Pools of any size with many troubles, as folders: what the tests of the web page look at."""
import datetime
import pathlib
import random

NOW = datetime.datetime(2026, 11, 20, 10, 0, 0)


def kernel_line(when, name, uptime, text):
    return f"{when:%b %e %H:%M:%S} {name} kernel: [{uptime:12.6f}] {text}\n"


def troubles(dice, hours):
    """Moments and texts, in order; what they mean to rules is the rules' matter."""
    texts = [
        "sd 2:0:0:0: [sdc] tag#3 Sense Key : Medium Error [current]",
        "print_req_error: I/O error, dev sdc, sector 976759568",
        "Out of memory: Kill process 18733 (backup-agent) score 611 or sacrifice child",
        "i40e 0000:17:00.1 eth1: NIC Link is Down",
        "i40e 0000:17:00.1 eth1: NIC Link is Up, 10 Gbps Full Duplex, Flow Control: None",
        "nfs: server 192.0.2.40 not responding, timed out",
        "connection1:0: detected conn error (1022)",
        "EXT4-fs error (device dm-2): ext4_find_entry:1455: inode #2: comm tapdisk: reading directory lblock 0",
        "BUG: unable to handle kernel NULL pointer dereference at 0000000000000008",
        "INFO: task tapdisk:4711 blocked for more than 120 seconds.",
    ]
    moments = sorted(dice.uniform(0, hours * 3600) for _ in range(40))
    return [(NOW - datetime.timedelta(seconds=s), dice.choice(texts)) for s in reversed(moments)]


def make_host(folder, name, dice, hours, version):
    log = folder / "var" / "log"
    log.mkdir(parents=True)
    (folder / "etc").mkdir()
    (folder / "proc").mkdir()
    (folder / "etc" / "xensource-inventory").write_text(
        f"PRODUCT_BRAND='XCP-ng'\nPRODUCT_VERSION='{version}'\nPRODUCT_VERSION_TEXT='{version[:3]}'\n"
        f"INSTALLATION_UUID='00000000-0000-4000-8000-{dice.getrandbits(48):012x}'\nBUILD_NUMBER='cloud'\n")
    (folder / "proc" / "version").write_text("Linux version 4.19.0+1 (mockbuild@buildhost) (gcc) #1 SMP\n")
    (folder / "proc" / "meminfo").write_text(f"MemTotal: {dice.choice([8104672, 4052336])} kB\nMemFree: 1000000 kB\n")
    (folder / "date.out").write_text(f"{NOW:%a %b %e %H:%M:%S} UTC {NOW:%Y}\n")
    lines, daemon, uptime = [], [], 500000.0
    for when, text in troubles(dice, hours):
        if dice.random() < 0.08:
            lines.append(kernel_line(when, name, 0, "Linux version 4.19.0+1 (mockbuild@buildhost) (gcc version 11.2.1)"))
            uptime = 100.0
        uptime += dice.uniform(1, 50)
        lines.append(kernel_line(when, name, uptime, text))
    silent = range(int(hours * 0.4), int(hours * 0.6)) if hours > 30 else ()
    for hour in range(int(hours), -1, -1):
        if hour not in silent:
            when = NOW - datetime.timedelta(hours=hour)
            daemon += [f"{when:%b %e %H:%M:%S} {name} squeezed: [debug] nothing to do, and here is why: {n}\n" for n in range(6)]
    (log / "kern.log").write_text("".join(lines))
    (log / "daemon.log").write_text("".join(daemon))
    (log / "xha.log").write_text(
        f"{NOW - datetime.timedelta(hours=hours / 3):%b %d %H:%M:%S UTC %Y} [err] Survival rule failed (1905) FH: Self-Fence.\n"
        if dice.random() < 0.3 else "")


def make_pool(folder, hosts, hours):
    """Returns the folders of the hosts. The same arguments give the same pool."""
    dice = random.Random(f"{hosts} {hours}")
    made = []
    for number in range(hosts):
        name = f"xen-rack{number // 8:02}-host{number % 8:02}.dc1.example.net" if hosts > 1 else "host1"
        make_host(pathlib.Path(folder) / name, name, dice, hours, "8.2.1" if number == hosts // 2 else "8.3.0")
        made.append(pathlib.Path(folder) / name)
    return made
