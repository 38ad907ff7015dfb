/* SPDX-License-Identifier: LGPL-2.1-only */
#pragma once

/* The whole program; returns its exit status. */
int healthcheck_main(int argc, char **argv);
