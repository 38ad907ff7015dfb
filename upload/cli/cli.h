/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xen-upload from its arguments to its exit status.
 */
#pragma once

int cli_main(int argc, char **argv);
