/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The program behind main(): options, plan, run, archive, and what is printed.
 */
#pragma once

/* Exit status (contract): 0 archive written, 1 no archive, 2 usage, 3 interrupted. */
int collector_main(int argc, char **argv);
