/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * "Did you mean ...?": the word that a mistyped one was probably meant to be.
 */
#pragma once

/* The nearest of `known` (NULL-ended), or NULL when none is near enough to be worth a guess. */
const char *suggest_nearest(const char *word, const char *const *known);
