/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libcurl has cut the head into lines and undone chunking; what a line may hold is decided here,
 * because texts of it go into files, other requests and terminals. Trailers are dropped: they come
 * after what they could change has been looked at.
 */
#include "upload/net/answer.h"

#include <curl/curl.h>

#include "common/units.h"

#define LONGEST_WAIT_S (24 * 3600)

static bool refuse(struct answer_reader *reader, const char *what)
{
    err_set(&reader->err, ERR_PARSE, "the server's answer %s", what);
    return false;
}

static void forget_headers(struct net_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        free(answer->headers[i].name);
    answer->count = 0;
}

static bool is_token(const char *text, size_t length)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return length > 0 && strspn(text, token) >= length;
}

static bool is_value(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && strchr(" \t\r\n", (*text)[*length - 1]))
        (*length)--;
}

/* "HTTP/1.1 204 No Content" */
static bool status_line(struct answer_reader *reader, const char *line, size_t length)
{
    struct net_answer *answer = reader->answer;
    const char *space = memchr(line, ' ', length);
    const char *end = line + length;
    int status = 0, digits = 0;
    for (const char *p = space ? space + 1 : end; p < end && *p >= '0' && *p <= '9'; p++) {
        status = status * 10 + (*p - '0');
        if (++digits > 3)
            break;
    }
    if (digits != 3 || status < 100)
        return refuse(reader, "has no status");
    forget_headers(answer);
    strbuf_clear(&answer->body);
    answer->status = status;
    reader->continued = reader->continued || status == 100;
    reader->head_done = false;
    return true;
}

static bool header_line(struct answer_reader *reader, const char *line, size_t length)
{
    struct net_answer *answer = reader->answer;
    const char *colon = memchr(line, ':', length);
    if (!colon || !is_token(line, (size_t)(colon - line)))
        return refuse(reader, "has a line in its head that is no header");
    size_t name_length = (size_t)(colon - line);
    const char *value = colon + 1;
    size_t value_length = length - name_length - 1;
    trim(&value, &value_length);
    if (!is_value(value, value_length))
        return refuse(reader, "has control characters in its head");
    if (answer->count == NET_MAX_HEADERS)
        return refuse(reader, "has more headers than any we know");
    /* Both in one piece of memory: name, NUL, value, NUL. */
    char *text = malloc(name_length + value_length + 2);
    if (!text) {
        err_nomem(&reader->err);
        return false;
    }
    memcpy(text, line, name_length);
    text[name_length] = '\0';
    memcpy(text + name_length + 1, value, value_length);
    text[name_length + 1 + value_length] = '\0';
    answer->headers[answer->count++] = (struct net_header){text, text + name_length + 1};
    return true;
}

static bool end_of_head(struct answer_reader *reader)
{
    reader->head_done = true;
    const char *after = net_header(reader->answer, "Retry-After");
    reader->answer->retry_after_s = after ? answer_retry_after(after, time(NULL)) : -1;
    return true;
}

bool answer_line(struct answer_reader *reader, const char *line, size_t length)
{
    reader->head_bytes += length;
    if (reader->head_bytes > NET_MAX_HEAD)
        return refuse(reader, "has a head without end");
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
        return status_line(reader, line, length);
    if (reader->head_done)
        return true;
    if (reader->answer->status == 0)
        return refuse(reader, "does not begin with a status");
    if ((length == 2 && line[0] == '\r' && line[1] == '\n') || (length == 1 && line[0] == '\n'))
        return end_of_head(reader);
    return header_line(reader, line, length);
}

bool answer_body(struct answer_reader *reader, const char *bytes, size_t length)
{
    struct net_answer *answer = reader->answer;
    bool success = answer->status >= 200 && answer->status <= 299;
    size_t room = NET_MAX_ANSWER - answer->body.length;
    if (length > room && success)
        return refuse(reader, "is larger than any we know");
    strbuf_add(&answer->body, bytes, length > room ? room : length);
    if (!strbuf_ok(&answer->body)) {
        err_nomem(&reader->err);
        return false;
    }
    reader->cut = length > room;
    return !reader->cut;
}

bool answer_is_whole(const struct answer_reader *reader)
{
    const struct net_answer *answer = reader->answer;
    if (!reader->head_done || answer->status < 200)
        return false;
    int64_t length = net_header_number(answer, "Content-Length");
    return answer->status == 204 || (length >= 0 && (int64_t)answer->body.length >= length);
}

void net_answer_release(struct net_answer *answer)
{
    forget_headers(answer);
    strbuf_release(&answer->body);
}

const char *net_header(const struct net_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->count; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

int64_t net_header_number(const struct net_answer *answer, const char *name)
{
    const char *value = net_header(answer, name);
    int64_t number;
    if (!value || value[0] < '0' || value[0] > '9' || !units_integer(value, &number))
        return -1;
    for (size_t i = 0; i < answer->count; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0 &&
            strcmp(answer->headers[i].value, value) != 0)
            return -1;
    return number;
}

int64_t answer_retry_after(const char *value, time_t now)
{
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && value[digits] == '\0') {
        int64_t seconds;
        bool fits = units_integer(value, &seconds);
        return fits && seconds < LONGEST_WAIT_S ? seconds : LONGEST_WAIT_S;
    }
    if (strlen(value) < sizeof "Sun, 06 Nov 1994 08:49:37 GMT" - 1)
        return -1;
    time_t date = curl_getdate(value, NULL);
    if (date < 0)
        return -1;
    int64_t seconds = (int64_t)date - (int64_t)now;
    return seconds < 0 ? 0 : seconds < LONGEST_WAIT_S ? seconds : LONGEST_WAIT_S;
}
