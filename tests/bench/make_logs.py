"""A host's logs, made up: 272 MB of live logs and 56 MB of compressed rotations, the same bytes every time.

The lines have the shapes of a XenServer host (kernel, xapi, storage manager, hypervisor) with the parts that vary in
real logs (times, identifiers, addresses) random, so that they deflate about as real logs do (some 5.6 : 1).
"""
import gzip
import os
import random
import sys

SHAPES = [
    ("var/log/xensource.log", 100, [
        "xapi: [debug||{n} HTTPS 192.0.2.{b}->:::80|VM.get_record D:{x12}|audit] trackid={x32} ok in {n} ms",
        "xapi: [ info||{n} ||xapi_event] processing event {x8}-{x4}-{x4}-{x4}-{x12}",
        "xenopsd-xc: [debug||{n} |Async.VM.start R:{x12}|xenops_server] Queue.pop returned VM_{x8} in {n}",
        "xcp-rrdd: [ info||9 ||rrdd_main] memfree has changed to {n} in domain {b}",
    ]),
    ("var/log/SMlog", 60, [
        "SM: [{n}] ['/usr/bin/vhd-util', 'query', '--debug', '-vsf', '-n', '/dev/VG_XenStorage-{x8}-{x4}/VHD-{x32}']",
        "SM: [{n}]   pread SUCCESS",
        "SM: [{n}] lock: released /var/lock/sm/{x8}-{x4}-{x4}-{x4}-{x12}/sr",
    ]),
    ("var/log/daemon.log", 60, [
        "tapdisk[{n}]: received 'stats' message (uuid = {b})",
        "ovs-vsctl: ovs|00001|vsctl|INFO|Called as ovs-vsctl --timeout=20 -- --if-exists del-port vif{b}.0",
        "systemd[1]: Started Session {n} of user root.",
    ]),
    ("var/log/kern.log", 40, [
        "kernel: [{n}.{n6}] vif vif-{b}-0 vif{b}.0: Guest Rx ready",
        "kernel: [{n}.{n6}] device vif{b}.0 entered promiscuous mode",
        "kernel: [{n}.{n6}] block tdb: sector-size: 512/512 capacity: {n}",
    ]),
    ("var/log/audit.log", 12, [
        "xapi: [20261101T{hms}.{n3}Z|audit||{n} |VM.get_all D:{x12}|audit] ('trackid={x32}' 'LOCAL_SUPERUSER' '' 'ALLOWED' 'OK' 'API' 'VM.get_all' ())",
    ]),
]
ROTATIONS = 12  # compressed, 4 MB each
MB = 1000 * 1000


def lines(rng, shapes, count):
    """`count` lines; identifiers come from pools, as a host has a few hundred objects and not millions."""
    pool = ["%032x" % rng.getrandbits(128) for _ in range(20000)]
    second = 0
    out = []
    for _ in range(count):
        second += rng.random() < 0.3
        hms = "%02d:%02d:%02d" % (second // 3600 % 24, second // 60 % 60, second % 60)
        x = pool[rng.randrange(len(pool))]
        text = rng.choice(shapes).format(
            n=rng.randrange(100000), n6="%06d" % rng.randrange(1000000), n3="%03d" % rng.randrange(1000),
            b=rng.randrange(250), x4=x[:4], x8=x[4:12], x12=x[12:24], x32=x, hms=hms)
        out.append("Nov %2d %s host1 %s\n" % (1 + second // 86400 % 28, hms, text))
    return "".join(out).encode()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def main(root):
    if os.path.exists(os.path.join(root, ".complete")):
        return
    rng = random.Random(1)
    for name, megabytes, shapes in SHAPES:
        # A megabyte of lines repeated in pieces of varying order: random enough, and made in seconds.
        pieces = [lines(rng, shapes, 2000) for _ in range(60)]
        data, size = [], 0
        while size < megabytes * MB:
            piece = rng.choice(pieces)
            data.append(piece)
            size += len(piece)
        write(os.path.join(root, name), b"".join(data))
    for number in range(2, 2 + ROTATIONS):
        # Hexadecimal digits deflate to half, so 8 MB of "log" make 4 MB.
        log = b"\n".join(rng.randbytes(60).hex().encode() for _ in range(4 * MB // 60))
        write(os.path.join(root, "var/log/xensource.log.%d.gz" % number), gzip.compress(log, 6, mtime=0))
    write(os.path.join(root, "etc/hostname"), b"host1\n")
    write(os.path.join(root, ".complete"), b"")


if __name__ == "__main__":
    main(sys.argv[1])
