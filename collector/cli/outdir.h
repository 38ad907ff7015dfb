/* SPDX-License-Identifier: LGPL-2.1-only */
#pragma once

#define DEFAULT_OUTDIR "/var/opt/xen/bug-report" /* the original's; xapi looks nowhere else */

/*
 * The folder for the archive: `wanted`, unless that is the default and lies on a file system that
 * is mounted read-only. A root that the kernel closed after an error is when a report matters most,
 * so then it is a folder of /run (in memory, and guarded against filling it up like any other).
 */
const char *outdir_usable(const char *wanted);
