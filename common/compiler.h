/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The few compiler extensions the project uses, under names that read well.
 */
#pragma once

#include <stddef.h>

/* The caller must look at the result: losing it loses an error or leaks memory. */
#define MUST_USE __attribute__((warn_unused_result))

/* Argument `position` is a printf format for the arguments from `first` on (both count from 1). */
#define PRINTF_LIKE(position, first) __attribute__((format(printf, position, first)))

/* Calls fn(&variable) when the variable goes out of scope, on every path. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Moves a pointer out of a variable that has a cleanup: the variable is NULL afterwards. */
#define TAKE(pointer)                                                                              \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

/* Defines `name`, a cleanup for a variable of type `type` that is released by `release`. */
#define DEFINE_CLEANUP(name, type, release)                                                        \
    static inline void name(type *variable)                                                        \
    {                                                                                              \
        if (*variable)                                                                             \
            release(*variable);                                                                    \
    }
