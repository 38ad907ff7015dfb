/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Detectors: each looks at one place of a line, where an anchor (anchors.h) was found, and says
 * what must go. They hold no state and look no further than the line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The line around the anchor, without its end; of a very long one the neighbourhood. */
struct passage {
    const char *begin, *end;
};

struct finding {
    const char *from, *to;
};

/*
 * `at` is where the anchor begins. True when [from, to) is a secret; from is not before `at`. The
 * bytes between `at` and `to` are not looked at again.
 */
typedef bool (*detector)(const struct passage *line, const char *at, struct finding *ret);

bool detect_assignment(const struct passage *line, const char *at, struct finding *ret);
/* A name that announces a secret, at `at`. */
struct announcement {
    const char *end; /* behind the name and what separates it from the value */
    bool quoted;
    bool element; /* the value is the text of an XML element */
};

bool detect_announcement(const struct passage *line, const char *at, struct announcement *ret);
bool detect_guest_data(const struct passage *line, const char *at, struct finding *ret);
bool detect_call(const struct passage *line, const char *at, struct finding *ret);
bool detect_url(const struct passage *line, const char *at, struct finding *ret);
bool detect_command(const struct passage *line, const char *at, struct finding *ret);
bool detect_hash(const struct passage *line, const char *at, struct finding *ret);
bool detect_web_token(const struct passage *line, const char *at, struct finding *ret);
bool detect_scheme(const struct passage *line, const char *at, struct finding *ret);
bool detect_vendor_key(const struct passage *line, const char *at, struct finding *ret);
bool detect_encoded_key(const struct passage *line, const char *at, struct finding *ret);
bool detect_directive(const struct passage *line, const char *at, struct finding *ret);

/*
 * "-----BEGIN ... PRIVATE KEY-----": what follows it on the line, up to the end marker if that is
 * there (*ret_closed).
 */
bool detect_private_key(const struct passage *line, const char *at, struct finding *ret,
                        bool *ret_closed);
