/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The list is data and stays in the program: a catalog from elsewhere must not be able to leave it
 * out. Patterns are fnmatch(3) over the whole path; `*` crosses slashes.
 */
#include "collector/sources/deny.h"

#include <fnmatch.h>
#include <stddef.h>

#include "common/compiler.h"

static const struct {
    const char *pattern, *reason;
} denied[] = {
    {"/proc/kmsg", "reading it takes messages away from the system log"},
    {"/proc/kcore", "it is the memory of the machine"},
    {"/proc/vmcore", "it is the memory of the machine"},
    {"/proc/*/mem", "it is the memory of a process"},
    {"/proc/*/pagemap", "it is the memory map of a process"},
    {"/proc/*/environ", "environments hold passwords"},
    {"/proc/sysrq-trigger", "it acts on the machine"},
    {"/proc/acpi/event", "reading it takes events away from other programs"},
    {"/sys/kernel/debug/*rawmsg", "reading it talks to hardware"},
    {"/sys/kernel/debug/*trace_pipe*", "reading it takes trace data away and never ends"},
    {"/sys/kernel/tracing/*trace_pipe*", "reading it takes trace data away and never ends"},
    {"/sys/kernel/debug/*kmemleak", "reading it can take minutes"},
    {"/sys/bus/pci/*/rom", "reading it talks to hardware"},
    {"/sys/devices/*/rom", "reading it talks to hardware"},
    {"/sys/devices/*/resource[0-9]*", "reading it talks to hardware"},
    {"/etc/shadow*", "it holds password hashes"},
    {"/etc/gshadow*", "it holds password hashes"},
    {"/etc/ssh/ssh_host_*_key", "it is a private key"},
    {"*/.ssh/id_*", "it may be a private key"},
    {"/etc/xensource/xapi-ssl.pem", "it holds a private key"},
    {"/etc/xensource/xapi-pool-tls.pem", "it holds a private key"},
    {"/etc/xensource/ptoken", "it is the secret of the pool"},
    {"/var/lib/likewise/db/*", "it holds the keys of the machine's account"},
    {"/var/lib/likewise/krb5cc*", "it holds tickets of the machine's account"},
    {"*/secrets.tdb", "it holds the keys of the machine's account"},
    {"*/passdb.tdb", "it holds password hashes"},
    {"*/smbpasswd", "it holds password hashes"},
    {"*.keytab", "it holds the keys of the machine's account"},
    {"*/efivars/*[Pp]assw*", "it holds a password of the firmware"},
    {"*/efivars/*Pw-*", "it holds a password of the firmware"},
    {"*/efivars/MokPW*", "it holds a password of the firmware"},
    {"*/efivars/MokAuth*", "it holds a password of the firmware"},
    {"*/efivars/AMITSESetup*", "it holds the passwords of the firmware"},
    {"/var/opt/xen/bug-report/*", "it is an earlier report"},
};

const char *deny_reason(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
        if (fnmatch(denied[i].pattern, path, 0) == 0)
            return denied[i].reason;
    return NULL;
}
