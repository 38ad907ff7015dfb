/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The headers of a request, and among them those that say who we are.
 */
#pragma once

#include "upload/net/session.h"
#include "upload/net/url.h"

/*
 * All headers of `request` in a list that authorize_forget() wipes and frees. `expects`: the server
 * shall say whether it wants the body. ERR_USAGE: no keys for signing, or a header that could
 * become two.
 */
int authorize_headers(const struct net *net, const struct net_request *request,
                      const struct url *url, bool expects, struct curl_slist **ret,
                      struct err *err);
/* That there is what `auth` cannot do without; as net_check(). */
int authorize_check(const struct net *net, enum net_auth auth, struct err *err);

void authorize_forget(struct curl_slist **list);
