/* SPDX-License-Identifier: LGPL-2.1-only */
#include "common/strbuf.h"

char strbuf_empty[1];

bool strbuf_reserve(struct strbuf *buffer, size_t extra)
{
    size_t needed;
    if (buffer->failed)
        return false;
    if (__builtin_add_overflow(buffer->length, extra, &needed) || needed > buffer->maximum ||
        __builtin_add_overflow(needed, (size_t)1, &needed)) {
        buffer->failed = true;
        return false;
    }
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    while (capacity < needed)
        capacity = capacity > (size_t)-1 / 2 ? needed : capacity * 2;
    char *data = realloc(buffer->capacity ? buffer->data : NULL, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    buffer->data[buffer->length] = '\0';
    return true;
}

void strbuf_add(struct strbuf *buffer, const void *bytes, size_t length)
{
    if (length == 0 || !strbuf_reserve(buffer, length))
        return;
    memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void strbuf_adds(struct strbuf *buffer, const char *text)
{
    strbuf_add(buffer, text, strlen(text));
}

void strbuf_addc(struct strbuf *buffer, char c)
{
    /* Texts are often made character by character: nearly always there is room. */
    if (buffer->failed || buffer->length >= buffer->maximum ||
        buffer->capacity - buffer->length < 2 || buffer->capacity == 0) {
        strbuf_add(buffer, &c, 1);
        return;
    }
    buffer->data[buffer->length++] = c;
    buffer->data[buffer->length] = '\0';
}

void strbuf_vaddf(struct strbuf *buffer, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int needed = vsnprintf(NULL, 0, format, arguments);
    if (needed < 0)
        buffer->failed = true;
    else if (strbuf_reserve(buffer, (size_t)needed)) {
        vsnprintf(buffer->data + buffer->length, (size_t)needed + 1, format, again);
        buffer->length += (size_t)needed;
    }
    va_end(again);
}

void strbuf_addf(struct strbuf *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    strbuf_vaddf(buffer, format, arguments);
    va_end(arguments);
}

void strbuf_consume(struct strbuf *buffer, size_t count)
{
    if (count == 0)
        return;
    if (count > buffer->length)
        count = buffer->length;
    buffer->length -= count;
    memmove(buffer->data, buffer->data + count, buffer->length);
    buffer->data[buffer->length] = '\0';
}

void strbuf_truncate(struct strbuf *buffer, size_t length)
{
    if (length >= buffer->length)
        return;
    buffer->length = length;
    buffer->data[length] = '\0';
}

void strbuf_clear(struct strbuf *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->capacity)
        buffer->data[0] = '\0';
}

bool strbuf_ok(const struct strbuf *buffer)
{
    return !buffer->failed;
}

char *strbuf_take(struct strbuf *buffer)
{
    char *data = NULL;
    if (!buffer->failed && strbuf_reserve(buffer, 0)) {
        data = buffer->data;
        buffer->data = strbuf_empty;
        buffer->length = 0;
        buffer->capacity = 0;
    }
    strbuf_release(buffer);
    return data;
}

void strbuf_release(struct strbuf *buffer)
{
    if (buffer->capacity)
        free(buffer->data);
    buffer->data = strbuf_empty;
    buffer->length = 0;
    buffer->capacity = 0;
    buffer->failed = false;
}
