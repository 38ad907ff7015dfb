/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xen-healthcheck: checks of a host or a pool on a schedule.
 */
#include "healthcheck/cli/cli.h"

int main(int argc, char **argv)
{
    return healthcheck_main(argc, argv);
}
