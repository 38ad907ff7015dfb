/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Getting rid of inherited descriptors. A copy of the wrong one in a child that cannot be killed
 * would keep the other end (the client of --outfd, a keeper) waiting for ever.
 */
#pragma once

/* Closes every descriptor from `first` on. */
void descriptors_close_from(int first);

/* Closes every descriptor from `first` on that is no directory; `keep` (or -1) stays too. */
void descriptors_keep_directories(int first, int keep);

/* Points 0, 1 and 2 at /dev/null, or where there is none at an empty file. */
void descriptors_null_stdio(void);
