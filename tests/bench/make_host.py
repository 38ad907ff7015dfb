"""What else is collected in the benchmark: a database of XAPI of 300 MB, and catalogs of commands."""
import os
import random

from make_logs import MB

DATABASE = 300 * MB
SLEEPERS, SLEEP = 100, 0.2
FLOOD = 1000 * MB

# A virtual machine as XAPI stores it: many attributes, maps in brackets, now and then a secret.
ROW = (
    '<row ref="OpaqueRef:{x}" __ctime="{n}" __mtime="{n}" _ref="OpaqueRef:{x}" uuid="{x}" name__label="web server {n}" '
    'name__description="" power_state="Running" VCPUs__max="4" memory__static_max="4294967296" '
    'other_config="((\'base_template_name\'%.\'Debian Bullseye 11\')%.(\'mac_seed\'%.\'{x}\')%.(\'install-methods\'%.\'cdrom,http,ftp\'))" '
    'xenstore_data="((\'vm-data\'%.\'\')%.(\'vm-data/admin_password\'%.\'s3cr-et! {n}\'))" '
    'platform="((\'timeoffset\'%.\'0\')%.(\'nx\'%.\'true\')%.(\'acpi\'%.\'1\')%.(\'apic\'%.\'true\')%.(\'pae\'%.\'true\')%.(\'viridian\'%.\'false\'))" '
    'last_boot_CPU_flags="((\'vendor\'%.\'GenuineIntel\')%.(\'features\'%.\'{x}\'))" tags="()" blobs="()" '
    'PV__args="-- quiet console=hvc0 password={n}" HVM__boot_params="((\'order\'%.\'cd\'))"/>\n')


def database(root):
    path = os.path.join(root, "var/xapi/state.db")
    if os.path.exists(path) and os.path.getsize(path) >= DATABASE:
        return
    rng = random.Random(2)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.makedirs(os.path.join(root, "etc/xensource"), exist_ok=True)
    with open(os.path.join(root, "etc/xensource/db.conf"), "w") as file:
        file.write("[/var/xapi/state.db]\nmode:no_limit\nformat:xml\ncompress:false\n")
    rows = ["".join(ROW.format(x="%032x" % rng.getrandbits(128), n=rng.randrange(10**9)) for _ in range(200)) for _ in range(50)]
    with open(path, "w") as file:
        size = file.write('<?xml version="1.0" encoding="UTF-8"?>\n<database><manifest>'
                          '<pair key="schema_major_vsn" value="5"/></manifest><table name="VM">\n')
        while size < DATABASE:
            size += file.write(rng.choice(rows))
        file.write("</table></database>\n")


def catalog(folder, name, lines):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + ".yaml"), "w") as file:
        file.write("capability: %s\ndescription: for the benchmark\npii: no\nsize: {min: -1, max: -1}\ntime: {min: -1, max: 100}\n"
                   "collect:\n%s" % (name, "".join("  - %s\n" % line for line in lines)))
    return folder


def sleepers(folder):
    return catalog(folder, "sleepers", ["command: [sleep, %s]\n    as: sleep-%d" % (SLEEP, i) for i in range(SLEEPERS)])


def flood(folder):
    return catalog(folder, "flood", ["shell: yes 'Nov 21 22:47:36 host1 xapi - a line of a log that goes on for ever' | head -c %d\n"
                                     "    as: flood\n    limit: 4G" % FLOOD])
