/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What libcurl reports, as our errors.
 */
#pragma once

#include "upload/net/session.h"

/* 0 when the exchange came to an answer (over SFTP: to its end). */
int failure_of(struct exchange *exchange, CURLcode result, struct err *err);
