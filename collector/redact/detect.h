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
    const char *done; /* NULL, or: what begins before it was found already (detect_command()) */
};

struct finding {
    const char *from, *to;
};

/*
 * `at` is where the anchor begins. True when [from, to) is a secret; from is not before `at`. What
 * stands between `at` and `from` may hold secrets of others.
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
bool detect_web_hook(const struct passage *line, const char *at, struct finding *ret);
bool detect_encoded_key(const struct passage *line, const char *at, struct finding *ret);
/* "PASS x" and "AUTH PLAIN x", and whether the answers to come are a login (follow.h). */
bool detect_login(const struct passage *line, const char *at, struct finding *ret);
bool detect_login_begins(const struct passage *line, const char *at);

/* "chpasswd <<< x"; and the word that ends a here-document which begins on the line. */
bool detect_input(const struct passage *line, const char *at, struct finding *ret);
bool detect_here_word(const struct passage *line, const char *at, struct finding *ret);

/* Whether Base64 of "user:password", or of what SASL's PLAIN and XOAUTH2 send. */
bool shape_is_user_and_password(const char *from, const char *to);
bool shape_is_plain_login(const char *from, const char *to);

bool detect_directive(const struct passage *line, const char *at, struct finding *ret);

/*
 * "-----BEGIN ... PRIVATE KEY-----": what follows it on the line, up to the end marker if that is
 * there. "Private-Lines: N": nothing on the line itself. *ret_lines: how many lines at most may
 * follow that belong to the key.
 */
bool detect_private_key(const struct passage *line, const char *at, struct finding *ret,
                        unsigned *ret_lines);
