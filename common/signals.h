/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The signals that a person, a shell or systemd ends a program with. What the caller ignores stays
 * ignored: a program started with nohup must not end when its terminal goes away, nor one in the
 * background of a script when that is interrupted.
 */
#pragma once

/* Calls `handler` on SIGINT, SIGTERM and SIGHUP, with these SA_ flags. SIGPIPE becomes an error of
 * the write. */
void signals_catch_ends(void (*handler)(int number), int flags);
