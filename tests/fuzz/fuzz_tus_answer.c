/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Headers of a tus server, one "Name: value" a line: an offset that is taken lies within the file,
 * and an error holds nothing that moves a cursor.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "upload/protocols/tus_answer.h"

#define LENGTH 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_answer answer = {.status = 200, .body = STRBUF_INIT};
    struct err errors[2] = {ERR_INIT, ERR_INIT};
    struct tus_offer offer;
    int64_t offset = 0;
    const char *next = (const char *)data, *end = next + size;
    while (next < end && answer.count < NET_MAX_HEADERS) {
        const char *line = memchr(next, '\n', (size_t)(end - next)), *stop = line ? line : end;
        const char *colon = memchr(next, ':', (size_t)(stop - next));
        if (colon) {
            answer.headers[answer.count].name = strndup(next, (size_t)(colon - next));
            answer.headers[answer.count++].value = strndup(colon + 1, (size_t)(stop - colon - 1));
        }
        next = stop + 1;
    }
    int r = tus_read_offset(&answer, LENGTH, &offset, &errors[0]);
    assert(r < 0 || (offset >= 0 && offset <= LENGTH));
    tus_read_offer(&answer, &offer, &errors[1]);
    for (int i = 0; i < 2; i++)
        for (const char *p = errors[i].text; *p; p++)
            assert((unsigned char)*p >= ' ' && *p != 0x7f);
    net_answer_release(&answer);
    return 0;
}
