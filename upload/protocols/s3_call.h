/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One request to an S3 server, signed with what it carries, and what an error of it means.
 */
#pragma once

#include "upload/protocols/s3_place.h"
#include "upload/protocols/s3_xml.h"

struct s3 {
    struct transfer *transfer;
    struct s3_place place;
    /* Of the last error. */
    bool upload_is_gone; /* the upload's id means nothing to the server any more */
    bool part_is_lost;   /* the server does not have the parts that it confirmed */
};

struct s3_call {
    const char *what; /* for the text of an error: "part 3" */
    const char *method;
    const char *query;  /* encoded, sorted by name, "name=" where there is no value; or NULL */
    const char *header; /* one more, or NULL */
    bool sends_source;  /* the range of the source below, else `body`, which may be NULL */
    int64_t offset, length;
    const struct strbuf *body;
};

/*
 * 0: a 2xx answer. Its body is signed and goes with both of its digests, so that a server takes
 * exactly what was meant. Errors as net_ask() and net_judge() have them, with S3's own codes put
 * into words; ERR_UNSUPPORTED names the region when the bucket is elsewhere. `answer` is to be
 * released in any case.
 */
int s3_ask(struct s3 *s3, const struct s3_call *call, struct net_answer *answer, struct err *err);

/* An error that came as XML, also with status 200. */
int s3_judge(struct s3 *s3, const struct net_answer *answer, const struct s3_reply *reply,
             const char *what, struct err *err);
