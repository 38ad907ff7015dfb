/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whom we believe to be who they are.
 */
#pragma once

#include "upload/net/session.h"

/* ERR_USAGE: a pin that is none, a proxy that cannot be. The client's key and the identity must be
 * ours alone: ERR_DENIED, ERR_NOTFOUND. */
int trust_check_options(const struct net_options *options, struct err *err);

/* Sets all about TLS for an exchange with net->host. False when libcurl cannot do it. */
bool trust_set_tls(struct net *net);
