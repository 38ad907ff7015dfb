# SPDX-License-Identifier: LGPL-2.1-only
"""Which outputs of a report become tables: a list to be read beside the commands that old and new releases collect."""

import os
import pathlib
import re
import subprocess

import pytest

BIN = pathlib.Path(os.environ["XENHEALTH_BIN"])
TABLES = pathlib.Path(os.environ["XENHEALTH_SOURCE"]) / "rules/tables"

# A member as a release names it, and a table that reads it.
COVERED = {
    "xl-info.out": "xl_info", "xen-ucode-show-cpu-info.out": "microcode", "xen-microcode-show-cpu-info.out": "microcode",
    "xen-livepatch-list.out": "livepatches", "etc/xensource-inventory": "xensource_inventory", "etc/xensource/pool.conf": "pool_conf",
    "etc/xensource/network.conf": "network_conf", "proc/cmdline": "kernel_cmdline", "proc/version": "kernel",
    "efibootmgr-v.out": "efi_boot", "rpm-qa.out": "packages", "dmidecode.out": "dmi_bios", "lspci-nnm.out": "lspci",
    "driver-tool-l.out": "drivers", "proc/scsi/scsi": "scsi_devices", "proc/cpuinfo": "cpuinfo", "proc/meminfo": "meminfo",
    "df-alT.out": "df", "df-alTi.out": "df_inodes", "proc/mounts": "mounts", "pvs.out": "pvs", "vgs.out": "vgs", "lvs.out": "lvs",
    "multipathd_topology.out": "multipath_paths", "iscsiadm-m-session-P-3.out": "iscsi_sessions", "proc/mdstat": "mdstat",
    "ethtool-i-eth0.out": "nic_driver", "ethtool-i-eth0.42": "nic_driver", "ethtool-eth0.out": "nic_link",
    "ethtool-S-eth0.out": "nic_counters", "ovs-appctl-bond%show-bond0.out": "bonds", "ovs-appctl-bond%show-bond0.10": "bonds",
    "chronyc-tracking.out": "chrony_tracking", "chronyc-sources-v.out": "chrony_sources", "ntpq-c-peers.out": "ntp_peers",
    "process-tree.out": "processes", "systemctl-status.out": "systemctl_status", "proc/modules": "kernel_modules",
    "xapi-db.xml": "xapi", "xapi-db-dumped.xml": "xapi", "var/xapi/blobs/messages/1494952200.12345": "xapi_messages",
    "var/xapi/blobs/messages/Host/44444444-ac29/1494952200.12345": "xapi_messages",
    "var/crash/20250614-091502-UTC/xen.log": "crash_dumps", "smartctl-H-i-A-sda.out": "smart_health",
    "nvme-smart-log-nvme0.out": "nvme_smart", "ipmitool-sel-elist.out": "ipmi_sel", "ipmitool-mc-info.out": "bmc",
}


def declared():
    """Table or family -> path patterns."""
    found = {}
    for path in TABLES.glob("*.yaml"):
        text = path.read_text()
        name = re.search(r"^(?:table|family): (\w+)", text, re.M)[1]
        files = re.search(r"^files: \[(.*)\]", text, re.M)[1]
        found[name] = [item.strip().strip("'") for item in files.split(",")]
    return found


def fits(pattern, member):
    expression = re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", expression), member) is not None


@pytest.mark.parametrize("member", COVERED)
def test_an_output_becomes_a_table(member):
    patterns = declared()[COVERED[member]]
    assert any(fits(pattern, member) for pattern in patterns), patterns


def test_every_table_is_in_the_list_or_reads_what_another_one_reads():
    listed = {name for name in COVERED.values()}
    sources = {pattern for name in listed for pattern in declared()[name]}
    others = {name: files for name, files in declared().items() if name not in listed and not set(files) & sources}
    assert set(others) <= {"os_release", "failed_units"}, others  # these read what only our collector takes


def test_every_table_is_tested_and_described():
    for path in TABLES.glob("*.yaml"):
        text = path.read_text()
        assert re.search(r"^tests:\n", text, re.M), path
        assert re.search(r"^description: ", text, re.M) or "family:" in text, path


def test_the_capability_of_a_table_is_one_of_the_collector():
    named = {path.name: re.search(r"^capability: (\S+)", path.read_text(), re.M) for path in TABLES.glob("*.yaml")}
    assert {name for name, found in named.items() if not found} == {"os_release.yaml"}
    assert {found[1] for found in named.values() if found} <= {path.stem for path in (TABLES.parents[1] / "collector/capabilities").glob("*.yaml")}


def test_the_program_knows_the_tables():
    done = subprocess.run([BIN / "xen-analyze", "tables"], capture_output=True, text=True, timeout=60, check=True)
    for name in declared():
        assert name == "xapi" or re.search(rf"^\s*{name}\b", done.stdout, re.M), name
