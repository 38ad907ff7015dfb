/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which keys a host may have, from files as OpenSSH keeps them (sshd(8), "SSH_KNOWN_HOSTS FILE
 * FORMAT").
 *
 * libssh2 reads such files too, but one only, without patterns and without @revoked, and libcurl
 * asks a server for a key of the kind that stands in its first line. So the lines that are about
 * the host are chosen here, and libcurl gets a file with nothing else in it.
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"

#define KNOWN_HOSTS_MAX_BYTES (4 << 20) /* of a file; that of a large site has 1 MiB */

/*
 * Appends lines "NAME TYPE KEY" for the host, the best kinds of keys first: those that `text` (the
 * content of one file) has for it, without what it revokes. Lines that are not understood are
 * passed over, as ssh does. A key that @revoked names is taken out of `lines` also when it came
 * from another file.
 */
void known_hosts_choose(const char *text, size_t length, const char *host, int port,
                        struct strbuf *lines, struct strbuf *revoked);

/*
 * Opens a file in memory that holds the lines for the host: of `path`, or when it is NULL of the
 * user's ~/.ssh/known_hosts and of /etc/ssh/ssh_known_hosts. ERR_DENIED: there is none, so the host
 * is not known; ERR_NOTFOUND, ERR_IO: `path` cannot be read.
 */
int known_hosts_open(const char *path, const char *host, int port, int *ret_fd, struct err *err);
