/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xen-bugtool: takes a server status report of this host.
 */
#include "collector/cli/collector.h"

int main(int argc, char **argv)
{
    return collector_main(argc, argv);
}
