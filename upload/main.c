/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xen-upload: sends a file to a server.
 */
#include "upload/cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
