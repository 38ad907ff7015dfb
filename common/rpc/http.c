/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI sends its headers before it starts the tool whose output is the body, in the manner of
 * HTTP/1.0: status 200 promises nothing, and the end of the connection is the end of the body. So
 * nothing here can say whether such a body is complete; who reads it has to.
 */
#include "common/rpc/http.h"

#include <ctype.h>
#include <strings.h>

#include "common/io.h"
#include "common/secret.h"
#include "common/units.h"
#include "common/version.h"

#define USUAL_HEAD     4096 /* of a request */
#define MAX_INTERIM    4    /* 1xx answers before the real one */
#define MAX_CHUNK_LINE 256  /* size and extensions of a chunk */

static int malformed(const struct http_answer *answer, const char *what, struct err *err)
{
    return err_set(err, ERR_PARSE, "what %s sends is no HTTP: %s", answer->stream->peer, what);
}

static int fill(struct http_answer *answer, struct err *err)
{
    size_t n;
    if (answer->begin == answer->end)
        answer->begin = answer->end = 0;
    if (answer->end == sizeof answer->buffer && answer->begin > 0) {
        memmove(answer->buffer, answer->buffer + answer->begin, answer->end - answer->begin);
        answer->end -= answer->begin;
        answer->begin = 0;
    }
    int r = stream_read(answer->stream, answer->buffer + answer->end,
                        sizeof answer->buffer - answer->end, &n, err);
    if (r == 0 && n == 0)
        return err_set(err, ERR_IO, "%s ended the connection in the middle of its answer",
                       answer->stream->peer);
    if (r == 0)
        answer->end += n;
    return r;
}

/* One line without its end, NUL-terminated, in the buffer; good until the next read. */
static int read_line(struct http_answer *answer, size_t maximum, char **ret, struct err *err)
{
    for (size_t seen = 0;;) {
        char *line = answer->buffer + answer->begin;
        size_t length = answer->end - answer->begin;
        char *newline = memchr(line + seen, '\n', length - seen);
        if (newline && newline > line && newline[-1] == '\r' && newline - line <= (long)maximum) {
            newline[-1] = '\0';
            answer->begin += (size_t)(newline - line) + 1;
            for (const char *c = line; c < newline - 1; c++)
                if ((unsigned char)*c < 0x20 && *c != '\t')
                    return malformed(answer, "a control character in a header", err);
            *ret = line;
            return 0;
        }
        if (newline)
            return malformed(answer, "a line that is too long or ends badly", err);
        if (length >= maximum)
            return malformed(answer, "a line without end", err);
        seen = length;
        int r = fill(answer, err);
        if (r < 0)
            return r;
    }
}

static int take_status(struct http_answer *answer, const char *line, struct err *err)
{
    bool good = strncmp(line, "HTTP/1.", 7) == 0 && isdigit((unsigned char)line[7]) &&
                line[8] == ' ' && isdigit((unsigned char)line[9]) &&
                isdigit((unsigned char)line[10]) && isdigit((unsigned char)line[11]) &&
                (line[12] == ' ' || line[12] == '\0');
    if (!good)
        return malformed(answer, "no status line", err);
    answer->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    return 0;
}

static int take_header(struct http_answer *answer, char *line, struct err *err)
{
    char *colon = strchr(line, ':');
    if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
        return malformed(answer, "a header without name", err);
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t length = strlen(value); length && strchr(" \t", value[length - 1]); length--)
        value[length - 1] = '\0';
    if (strcasecmp(line, "content-length") == 0) {
        int64_t length;
        if (answer->has_length || answer->chunked || !units_integer(value, &length) || length < 0)
            return malformed(answer, "no clear length", err);
        answer->has_length = true;
        answer->left = length;
    } else if (strcasecmp(line, "transfer-encoding") == 0) {
        if (answer->has_length || answer->chunked || strcasecmp(value, "chunked") != 0)
            return malformed(answer, "an encoding that was not asked for", err);
        answer->chunked = true;
        answer->left = -1;
    }
    return 0;
}

static int read_head(struct http_answer *answer, struct err *err)
{
    char *line;
    size_t room = sizeof answer->buffer - 1;
    int r = read_line(answer, room, &line, err);
    if (r == 0)
        r = take_status(answer, line, err);
    while (r == 0) {
        r = read_line(answer, room, &line, err);
        if (r < 0 || !*line)
            break;
        size_t length = strlen(line) + 2;
        if (length >= room)
            return malformed(answer, "too many headers", err);
        room -= length;
        r = take_header(answer, line, err);
    }
    return r;
}

static int send_request(struct stream *stream, const struct http_request *request, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    strbuf_reserve(&text, USUAL_HEAD); /* it holds a session: growing would leave copies */
    strbuf_addf(&text,
                "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s/" XENHEALTH_VERSION
                "\r\nConnection: close\r\n",
                request->method, request->target, request->host, request->program);
    if (request->session)
        strbuf_addf(&text, "Cookie: session_id=%s\r\n", request->session);
    if (request->body)
        strbuf_addf(&text, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                    request->body_length);
    strbuf_adds(&text, "\r\n");
    int r = strbuf_ok(&text) ? stream_write(stream, text.data, text.length, err) : err_nomem(err);
    if (r == 0 && request->body)
        r = stream_write(stream, request->body, request->body_length, err);
    secret_release(&text);
    return r;
}

int http_ask(struct stream *stream, const struct http_request *request, struct http_answer *ret,
             struct err *err)
{
    ret->stream = stream;
    ret->begin = ret->end = 0;
    int r = send_request(stream, request, err);
    for (int i = 0; r == 0 && i <= MAX_INTERIM; i++) {
        ret->chunked = ret->has_length = ret->ended = false;
        ret->left = 0;
        r = read_head(ret, err);
        if (r < 0 || ret->status >= 200)
            return r;
    }
    return r == 0 ? malformed(ret, "an endless row of interim answers", err) : r;
}

/* The line in front of a chunk; after the last one the trailers are read too. */
static int next_chunk(struct http_answer *answer, struct err *err)
{
    char *line = NULL, *rest;
    int r = 0;
    if (answer->left == 0) /* the end of the chunk before */
        r = read_line(answer, 2, &line, err);
    if (r == 0 && answer->left == 0 && *line)
        return malformed(answer, "a chunk that is longer than it said", err);
    if (r == 0)
        r = read_line(answer, MAX_CHUNK_LINE, &line, err);
    if (r < 0)
        return r;
    size_t digits = strspn(line, "0123456789abcdefABCDEF");
    answer->left = (int64_t)strtoull(line, &rest, 16);
    if (digits == 0 || digits > 15 || (*rest && *rest != ';' && *rest != ' '))
        return malformed(answer, "a chunk without size", err);
    answer->ended = answer->left == 0;
    for (size_t room = HTTP_BUFFER_BYTES / 2; answer->ended;) {
        r = read_line(answer, room, &line, err);
        if (r < 0 || !*line)
            return r;
        size_t length = strlen(line) + 2;
        if (length >= room)
            return malformed(answer, "too many trailers", err);
        room -= length;
    }
    return 0;
}

int http_read(struct http_answer *answer, void *buffer, size_t size, size_t *ret, struct err *err)
{
    int r = 0;
    if (answer->chunked && answer->left <= 0 && !answer->ended)
        r = next_chunk(answer, err);
    if (r < 0)
        return r;
    bool bounded = answer->chunked || answer->has_length;
    if (answer->ended || (bounded && answer->left == 0)) {
        *ret = 0;
        return 0;
    }
    if (bounded && (int64_t)size > answer->left)
        size = (size_t)answer->left;
    size_t n = answer->end - answer->begin;
    if (n > 0) {
        n = n < size ? n : size;
        memcpy(buffer, answer->buffer + answer->begin, n);
        answer->begin += n;
    } else {
        r = stream_read(answer->stream, buffer, size, &n, err);
        if (r < 0)
            return r;
        if (n == 0 && bounded)
            return err_set(err, ERR_IO, "%s ended the connection in the middle of its answer",
                           answer->stream->peer);
        answer->ended = n == 0;
    }
    answer->left -= bounded ? (int64_t)n : 0;
    *ret = n;
    return 0;
}

int http_read_all(struct http_answer *answer, size_t maximum, struct strbuf *body, struct err *err)
{
    char chunk[HTTP_BUFFER_BYTES];
    for (;;) {
        size_t n;
        int r = http_read(answer, chunk, sizeof chunk, &n, err);
        if (r < 0 || n == 0)
            return r;
        if (body->length + n > maximum)
            return err_set(err, ERR_LIMIT, "the answer of %s is too long", answer->stream->peer);
        strbuf_add(body, chunk, n);
        if (!strbuf_ok(body))
            return err_nomem(err);
    }
}
