/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The chain: each filter's output is the next one's input, in pieces small enough that nothing
 * grows with the stream. Once something failed nothing comes out any more.
 */
#include "collector/redact/redact.h"

#include "collector/redact/filter.h"
#include "collector/redact/generic.h"
#include "collector/redact/packed.h"
#include "common/io.h"

#define MAX_CHAIN   8
#define PIECE_BYTES ((size_t)64 * 1024)

struct link {
    const struct filter_ops *ops;
    void *filter;
    struct filter_output out;
};

struct redactor {
    struct link links[MAX_CHAIN];
    size_t count;
    redact_sink sink;
    void *context;
    int failed;
};

static const struct filter_ops *find(const char *name)
{
    for (const struct filter_ops *ops = filters; ops->name; ops++)
        if (strcmp(ops->name, name) == 0)
            return ops;
    return NULL;
}

bool redact_filter_exists(const char *name)
{
    return find(name) != NULL;
}

static int add(struct redactor *redactor, const char *name, struct err *err)
{
    const struct filter_ops *ops = find(name);
    if (!ops)
        return err_set(err, ERR_NOTFOUND, "there is no redaction filter '%s'", name);
    if (redactor->count == MAX_CHAIN)
        return err_set(err, ERR_LIMIT, "more than %d redaction filters for one entry", MAX_CHAIN);
    struct link *link = &redactor->links[redactor->count];
    int r = ops->open(&link->filter, err);
    if (r < 0)
        return r;
    link->ops = ops;
    link->out.bytes = (struct strbuf)STRBUF_INIT;
    redactor->count++;
    return 0;
}

int redactor_new(const char *const *names, redact_sink sink, void *context, struct redactor **ret,
                 struct err *err)
{
    struct redactor *redactor = calloc(1, sizeof *redactor);
    if (!redactor)
        return err_nomem(err);
    redactor->sink = sink;
    redactor->context = context;
    for (; names && *names; names++) {
        int r = add(redactor, *names, err);
        if (r < 0) {
            redactor_free(redactor);
            return r;
        }
    }
    int r = add(redactor, REDACT_SECRETS, err);
    if (r < 0) {
        redactor_free(redactor);
        return r;
    }
    *ret = redactor;
    return 0;
}

static void *last_filter(const struct redactor *redactor)
{
    return redactor->links[redactor->count - 1].filter;
}

void redactor_rewrite(struct redactor *redactor)
{
    packed_rewrite(last_filter(redactor));
}

bool redactor_wants_rewrite(const struct redactor *redactor)
{
    return packed_wants_rewrite(last_filter(redactor));
}

int64_t redact_text(const char *text, size_t length, struct strbuf *out)
{
    struct filter_output output = {.bytes = STRBUF_INIT};
    struct generic *generic = NULL;
    bool ok = generic_new(&generic, NULL) == 0 &&
              generic_write(generic, text, length, &output, NULL) == 0 &&
              generic_finish(generic, &output, NULL) == 0 && strbuf_ok(&output.bytes);
    if (ok)
        strbuf_add(out, output.bytes.data, output.bytes.length);
    else
        strbuf_adds(out, REMOVED); /* no memory to tell what may be seen */
    generic_free(generic);
    strbuf_release(&output.bytes);
    return output.replaced;
}

void *redactor_free(struct redactor *redactor)
{
    for (size_t i = 0; redactor && i < redactor->count; i++) {
        redactor->links[i].ops->free(redactor->links[i].filter);
        strbuf_release(&redactor->links[i].out.bytes);
    }
    free(redactor);
    return NULL;
}

static int push(struct redactor *redactor, size_t at, const char *bytes, size_t length,
                struct err *err);

/* Hands on what link `at` has put out. */
static int pass_on(struct redactor *redactor, size_t at, struct err *err)
{
    struct strbuf *out = &redactor->links[at].out.bytes;
    if (!strbuf_ok(out))
        return err_nomem(err);
    int r = push(redactor, at + 1, out->data, out->length, err);
    strbuf_clear(out);
    return r;
}

static int push(struct redactor *redactor, size_t at, const char *bytes, size_t length,
                struct err *err)
{
    if (length > 0 && at == redactor->count)
        return redactor->sink(redactor->context, bytes, length, err);
    while (length > 0) {
        size_t n = length < PIECE_BYTES ? length : PIECE_BYTES;
        struct link *link = &redactor->links[at];
        int r = link->ops->write(link->filter, bytes, n, &link->out, err);
        if (r == 0)
            r = pass_on(redactor, at, err);
        if (r < 0)
            return r;
        bytes += n;
        length -= n;
    }
    return 0;
}

static int finish_all(struct redactor *redactor, struct err *err)
{
    for (size_t i = 0; i < redactor->count; i++) {
        struct link *link = &redactor->links[i];
        int r = link->ops->finish(link->filter, &link->out, err);
        if (r == 0)
            r = pass_on(redactor, i, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int redactor_write(struct redactor *redactor, const void *bytes, size_t length, struct err *err)
{
    if (redactor->failed)
        return err_set(err, redactor->failed, "redaction failed before");
    redactor->failed = push(redactor, 0, bytes, length, err);
    return redactor->failed;
}

int redactor_finish(struct redactor *redactor, struct err *err)
{
    if (redactor->failed)
        return err_set(err, redactor->failed, "redaction failed before");
    redactor->failed = finish_all(redactor, err);
    return redactor->failed;
}

int64_t redactor_count(const struct redactor *redactor)
{
    int64_t count = 0;
    for (size_t i = 0; i < redactor->count; i++)
        count += redactor->links[i].out.replaced;
    return count;
}
