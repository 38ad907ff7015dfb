# SPDX-License-Identifier: LGPL-2.1-only
"""The sample pool with problems in the shapes that reports reach support in: bundled by XenCenter without one of the
hosts, a zip of tars, and archives that were cut off on the way. What must be found in each stands in bundles/EXPECTED.yaml.
"""

import io
import tarfile
import time
import zipfile

STAMP = "2026-11-20-10-11-05"
LOG = (b"/usr/sbin/xen-bugtool --entries=xenserver-logs,xenserver-databases,client-logs --silent --yestoall --output=tar --outfd=15\n"
       b"PATH=/opt/xensource/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/root/bin\n")
OMITTED = b"Omitting /var/log/xensource.log.14.gz, size constraint of xenserver-logs exceeded\n"
XENCENTER_LOG = ("2026-11-20 10:10:58,204 INFO  XenAdmin.Program [Main program thread] - Application starting\r\n"
                 "2026-11-20 10:12:31,877 ERROR XenAdmin.Actions.SingleHostStatusAction [BugTool] - Failed to retrieve system status "
                 "report from host3\r\n")
CUT_IN = "var/log/SMlog.1"  # of host3: its logs from here on are lost
CUT_AT = 0.6                # of the bytes of the single host's archive


def members(report):
    """Names, bytes and times of a tar's members; the manifest, which only our collector writes, is left out."""
    with tarfile.open(report) as archive:
        for member in archive:
            if member.name.endswith("/manifest.json"):
                continue
            content = archive.extractfile(member).read()
            yield member.name, LOG if member.name.endswith("/xen-bugtool.log") else content, member.mtime


def roles(hosts, words):
    first, rest = words
    return "".join(f"Server '{host}' is a {rest if number else first} of pool 'example'\r\n" for number, host in enumerate(hosts))


def add(bundle, name, content, when, system=3):
    entry = zipfile.ZipInfo(name, time.gmtime(when)[:6])
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(".gz") else zipfile.ZIP_DEFLATED
    entry.create_system, entry.external_attr = system, 0o100644 << 16 if system == 3 else 0
    bundle.writestr(entry, content)


def write_xencenter(path, hosts, reports):
    """As XenCenter makes them on Windows: names changed to fit, sorted; the last host did not answer."""
    with zipfile.ZipFile(path, "w") as bundle:
        for number, (host, report) in enumerate(list(zip(hosts, reports))[:-1], 1):
            for name, content, when in sorted(members(report)):
                if name.endswith("/xen-bugtool.log") and number == 2:
                    content += OMITTED
                add(bundle, f"{STAMP}-{number}-bugtool-{host}/{name}".replace(":", "_"), content, when, system=0)
        add(bundle, f"{STAMP}-Masters.txt", roles(hosts, ("master", "slave")), when, system=0)
        add(bundle, f"{STAMP}-XenCenter.log", XENCENTER_LOG, when, system=0)


def repacked(report, form, level):
    """The same report as another tar, as an original tool's: without our manifest."""
    packed = io.BytesIO()
    options = {"compresslevel": level} if form else {}
    with tarfile.open(fileobj=packed, mode=f"w:{form}", format=tarfile.GNU_FORMAT, **options) as archive:
        for name, content, when in members(report):
            header = tarfile.TarInfo(name)
            header.size, header.mtime, header.mode = len(content), when, 0o644
            archive.addfile(header, io.BytesIO(content))
    return packed.getvalue()


def write_tars(path, hosts, reports):
    """What is left when XenCenter could not unpack what it had downloaded."""
    with zipfile.ZipFile(path, "w") as bundle:
        for number, (host, report) in enumerate(zip(hosts, reports), 1):
            with tarfile.open(report) as archive:
                when = max(member.mtime for member in archive)
            add(bundle, f"{STAMP}-{number}-bugtool-{host}.tar", repacked(report, "", None), when)
        add(bundle, f"{STAMP}-Coordinators.txt", roles(hosts, ("coordinator", "supporter")), when)


def write_cut_pool(path, whole):
    """The front of a pool's zip: its list of files stood at the end and is lost, too."""
    with zipfile.ZipFile(whole) as bundle:
        lost = next(entry for entry in bundle.infolist() if "-bugtool-host3/" in entry.filename and entry.filename.endswith(CUT_IN))
    path.write_bytes(whole.read_bytes()[:lost.header_offset + 40])


def write_cut_host(path, report):
    """Blocks of 100 kB (bzip2 -1), so that there is something in front of the cut."""
    packed = repacked(report, "bz2", 1)
    path.write_bytes(packed[:int(len(packed) * CUT_AT)])
