# SPDX-License-Identifier: LGPL-2.1-only
"""Packs a made-up host as the tools of old releases did: a list of what was taken (inventory.xml) and their own log,
but no manifest; commands first, then files; what is below /etc/systemd in an archive of its own, behind everything else.
"""

import calendar
import fnmatch
import hashlib
import io
import tarfile
import time
import zipfile
from xml.sax.saxutils import quoteattr

# Which capability took a member; the first pattern that fits counts.
CAPABILITIES = [
    ("xenserver-logs", ["var/log/xensource.log*", "var/log/SMlog*", "var/log/audit.log*", "var/log/xenstored-access.log*",
                        "var/log/xha.log*", "var/log/squeezed.log*", "var/log/openvswitch/*"]),
    ("host-crashdump-logs", ["var/crash/*"]),
    ("system-load", ["sar-A.out", "var/log/sa/*"]),
    ("system-logs", ["var/log/*", "dmesg.out"]),
    ("blobs", ["var/xapi/blobs/*"]),
    ("xenserver-databases", ["xapi-db.xml", "xenstore-ls-f.out", "etc/xensource/db.conf"]),
    ("xenserver-domains", ["list_domains.out", "xl-vcpu-list.out"]),
    ("high-availability", ["etc/xensource/xhad.conf"]),
    ("network-config", ["etc/ntp.conf", "etc/xensource/network.conf", "etc/resolv.conf", "etc/hosts", "etc/sysconfig/network*", "etc/chrony.conf"]),
    ("yum", ["rpm-qa.out", "etc/yum.repos.d/*"]),
    ("multipath", ["multipathd_topology.out", "dmsetup-*", "etc/multipath.conf"]),
    ("disk-info", ["df-*", "fdisk-*", "pvs.out", "vgs.out", "lvs.out", "mdadm-*", "iscsiadm-*", "proc/partitions", "proc/mounts",
                   "proc/mdstat", "etc/fstab", "etc/iscsi/*", "scsi-hosts.out"]),
    ("block-scheduler", ["lsblk.out"]),
    ("network-status", ["ethtool-*", "ifconfig-*", "ip-*", "route-*", "arp-*", "ntpq-*", "chronyc-*", "ovs-*", "netstat-*", "ss-*",
                        "proc/net/*"]),
    ("xen-info", ["xl-*", "xen-*"]),
    ("hardware-info", ["dmidecode.out", "lspci-*", "proc/cpuinfo", "proc/meminfo", "proc/interrupts", "proc/scsi/*"]),
    ("kernel-info", ["proc/version", "proc/cmdline", "proc/modules", "modinfo.out", "sysctl-A.out"]),
    ("boot-loader", ["efibootmgr-v.out", "ls-lR-%boot.out", "boot/*"]),
    ("process-list", ["process-tree.out", "fd_usage.out"]),
    ("system-services", ["systemctl-status.out", "chkconfig--list.out"]),
    ("xenserver-config", ["etc/*"]),
]
ABOUT = ("hostname", "uname", "uptime", "date")  # in .commands, for the inventory


def capability(name):
    for key, patterns in CAPABILITIES:
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            return key
    raise ValueError(f"{name}: no capability of the original tool takes this; see CAPABILITIES in as_original.py")


def taken_at(root):
    return time.strptime((root / ".commands/date").read_text().strip(), "%Y-%m-%dT%H:%M:%S")


def contents(root):
    """Names and bytes of all members but the tool's own, commands first."""
    commands = {p.name: p.read_bytes() for p in sorted((root / ".commands").iterdir()) if p.name not in ABOUT}
    files = {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*"))
             if p.is_file() and ".commands" not in p.relative_to(root).parts}
    return commands | files


def inventory(root, top, taken):
    """Python's minidom wrote attributes in alphabetical order then, and tabs in front."""
    about = {key: (root / ".commands" / key).read_text().strip("\n") for key in ABOUT}
    date = time.strftime("%a %b ", taken_at(root)) + f"{taken_at(root).tm_mday:2}" + time.strftime(" %H:%M:%S %Y", taken_at(root))
    uptime = quoteattr(about["uptime"] + "\n").replace("\n", "&#10;")
    lines = ['<?xml version="1.0" ?>', "<system-status-inventory>",
             f'\t<system-summary date="{date}" hostname={quoteattr(about["hostname"])} uname={quoteattr(about["uname"] + " ")} '
             f'uptime={uptime} user="root"/>']
    for name, data in taken.items():
        lines.append(f'\t<inventory-entry capability="{capability(name)}" filename={quoteattr(f"{top}/{name}")} '
                     f'md5sum="{hashlib.md5(data).hexdigest()}"/>')
    return ("\n".join(lines) + "\n</system-status-inventory>\n").encode()


def header(name, size, when):
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode, member.uname, member.gname = size, when, 0o644, "root", "root"
    return member


def systemd_archive(top, files, when):
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in files.items():
            archive.addfile(header(f"{top}/{name}", len(data), when), io.BytesIO(data))
    return inner.getvalue()


def report(root):
    """The top folder and all members of the report, in the order of the archive."""
    top = time.strftime("bug-report-%Y%m%d%H%M%S", taken_at(root))
    taken = contents(root)
    systemd = {name: data for name, data in taken.items() if name.startswith("etc/systemd/")}
    members = {name: data for name, data in taken.items() if name not in systemd}
    members["xen-bugtool.log"] = (b"/usr/sbin/xen-bugtool --entries=all --silent --yestoall --output=tar\n"
                                  b"PATH=/opt/xensource/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/root/bin\n")
    members["inventory.xml"] = inventory(root, top, taken)
    if systemd:
        members["etc/systemd.tar"] = systemd_archive(top, systemd, seconds(root))
    return top, members


def seconds(root):
    return calendar.timegm(taken_at(root))


def write_tar(root, path, form):
    """A tar as the original's; `form` is "", "bz2" or another that tarfile knows."""
    top, members = report(root)
    with tarfile.open(path, f"w:{form}", format=tarfile.GNU_FORMAT) as archive:
        for name, data in members.items():
            archive.addfile(header(f"{top}/{name}", len(data), seconds(root)), io.BytesIO(data))


def write_zip(root, path):
    top, members = report(root)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(f"{top}/{name}", taken_at(root)[:6])
            entry.compress_type = zipfile.ZIP_STORED if len(data) < 50 else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
