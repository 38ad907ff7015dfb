/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * zip, strictly forward: members come deflated from their stages, with sizes and checksums, so
 * there is nothing to go back for, and this thread only copies. (Format: PKWARE's APPNOTE.TXT 6.3;
 * the numbers in comments are its sections.)
 *
 * Names that are not UTF-8 are written as they are, without the flag that calls them UTF-8. Fields
 * of zip64 are there only where a number does not fit otherwise, since some readers lack them.
 */
#include <endian.h>
#include <sys/stat.h>

#include "collector/bundle/writer.h"
#include "common/escape.h"

#define SIGNATURE_MEMBER    0x04034b50 /* 4.3.7 */
#define SIGNATURE_ENTRY     0x02014b50 /* 4.3.12 */
#define SIGNATURE_END64     0x06064b50 /* 4.3.14 */
#define SIGNATURE_LOCATOR64 0x07064b50 /* 4.3.15 */
#define SIGNATURE_END       0x06054b50 /* 4.3.16 */

#define MADE_BY_UNIX      (3 << 8) /* makes readers honour the mode in the external attributes */
#define VERSION           20       /* deflate */
#define VERSION_ZIP64     45
#define FLAG_UTF8         (1 << 11)
#define STORED            0
#define DEFLATED          8
#define EXTRA_ZIP64       1          /* 4.5.3 */
#define SEE_ZIP64         0xffffffff /* in a field of 32 bits; a number must be smaller */
#define COUNT_SEE_ZIP64   0xffff
#define END64_BYTES       56
#define END64_BYTES_AFTER (END64_BYTES - 12) /* behind its signature and this number */
#define END_BYTES_MAX     128 /* of all that stands behind the directory */
#define DOS_FIRST_YEAR    1980
#define DOS_LAST_YEAR     2107

struct zip {
    struct output *output;
    struct strbuf header;    /* of one member at a time */
    struct strbuf directory; /* written last */
    uint64_t count;
};

/* What is said of a member in both places. */
struct member {
    const char *name;
    uint64_t size, packed_size, offset;
    uint32_t crc, date;
    bool deflated;
};

static void put16(struct strbuf *out, unsigned number)
{
    const uint16_t bytes = htole16((uint16_t)number);
    strbuf_add(out, &bytes, sizeof bytes);
}

static void put32(struct strbuf *out, uint64_t number)
{
    const uint32_t bytes = htole32((uint32_t)number);
    strbuf_add(out, &bytes, sizeof bytes);
}

static void put64(struct strbuf *out, uint64_t number)
{
    const uint64_t bytes = htole64(number);
    strbuf_add(out, &bytes, sizeof bytes);
}

static int zip_open(struct output *output, struct compressor *compressor, void **ret,
                    struct err *err)
{
    (void)compressor; /* members are deflated already */
    struct zip *zip = calloc(1, sizeof *zip);
    if (!zip)
        return err_nomem(err);
    zip->output = output;
    zip->header = zip->directory = (struct strbuf)STRBUF_INIT;
    *ret = zip;
    return 0;
}

static void zip_free(void *writer)
{
    struct zip *zip = writer;
    strbuf_release(&zip->header);
    strbuf_release(&zip->directory);
    free(zip);
}

static int write_buffer(struct zip *zip, const struct strbuf *bytes, struct err *err)
{
    if (!strbuf_ok(bytes))
        return err_nomem(err);
    output_write(zip->output, bytes->data, bytes->length);
    return output_failure(zip->output, err);
}

/*
 * Local time, as zip has it, in steps of two seconds; what its seven bits for the year cannot hold
 * is clamped.
 */
static uint32_t dos_date(int64_t modified)
{
    const time_t seconds = (time_t)modified;
    struct tm tm;
    if (!localtime_r(&seconds, &tm) || tm.tm_year + 1900 < DOS_FIRST_YEAR)
        tm = (struct tm){.tm_year = DOS_FIRST_YEAR - 1900, .tm_mday = 1};
    else if (tm.tm_year + 1900 > DOS_LAST_YEAR)
        tm = (struct tm){.tm_year = DOS_LAST_YEAR - 1900, .tm_mon = 11, .tm_mday = 31};
    unsigned date = (unsigned)(tm.tm_year + 1900 - DOS_FIRST_YEAR) << 9 |
                    (unsigned)(tm.tm_mon + 1) << 5 | (unsigned)tm.tm_mday;
    unsigned time_of_day =
        (unsigned)tm.tm_hour << 11 | (unsigned)tm.tm_min << 5 | (unsigned)tm.tm_sec / 2;
    return date << 16 | time_of_day;
}

static unsigned name_flags(const char *name)
{
    bool ascii = true;
    for (size_t length = strlen(name); length > 0;) {
        unsigned code;
        unsigned n = escape_utf8_length(name, length, &code);
        if (n == 0)
            return 0;
        ascii &= n == 1;
        name += n;
        length -= n;
    }
    return ascii ? 0 : FLAG_UTF8;
}

/* A header must have both sizes in zip64's way, or none (4.5.3). */
static bool is_large(const struct member *member)
{
    return member->size >= SEE_ZIP64 || member->packed_size >= SEE_ZIP64;
}

/* From the version that a reader needs to the length of the name: the same in both headers. */
static void put_common(struct strbuf *out, const struct member *member, bool zip64)
{
    bool large = is_large(member);
    put16(out, zip64 ? VERSION_ZIP64 : VERSION);
    put16(out, name_flags(member->name));
    put16(out, member->deflated ? DEFLATED : STORED);
    put32(out, member->date);
    put32(out, member->crc);
    put32(out, large ? SEE_ZIP64 : member->packed_size);
    put32(out, large ? SEE_ZIP64 : member->size);
    put16(out, (unsigned)strlen(member->name));
}

static void put_sizes(struct strbuf *out, const struct member *member)
{
    put64(out, member->size);
    put64(out, member->packed_size);
}

static void put_header(struct strbuf *out, const struct member *member)
{
    bool large = is_large(member);
    put32(out, SIGNATURE_MEMBER);
    put_common(out, member, large);
    put16(out, large ? 20 : 0);
    strbuf_adds(out, member->name);
    if (!large)
        return;
    put16(out, EXTRA_ZIP64);
    put16(out, 16);
    put_sizes(out, member);
}

static void put_entry(struct strbuf *out, const struct member *member)
{
    bool large = is_large(member), far = member->offset >= SEE_ZIP64;
    unsigned extra = (large ? 16 : 0) + (far ? 8 : 0);
    put32(out, SIGNATURE_ENTRY);
    put16(out, MADE_BY_UNIX | (extra ? VERSION_ZIP64 : VERSION));
    put_common(out, member, extra > 0);
    put16(out, extra ? extra + 4 : 0);
    put16(out, 0); /* no comment */
    put16(out, 0); /* the first disk */
    put16(out, 0); /* nothing about the content */
    put32(out, (uint32_t)(S_IFREG | 0644) << 16);
    put32(out, far ? SEE_ZIP64 : member->offset);
    strbuf_adds(out, member->name);
    if (extra) {
        put16(out, EXTRA_ZIP64);
        put16(out, extra);
    }
    if (large)
        put_sizes(out, member);
    if (far)
        put64(out, member->offset);
}

static int write_data(void *context, const void *bytes, size_t length, struct err *err)
{
    struct zip *zip = context;
    output_write(zip->output, bytes, length);
    return output_failure(zip->output, err);
}

static int zip_add(void *writer, const char *name, int64_t modified, struct stage *stage,
                   struct err *err)
{
    struct zip *zip = writer;
    const struct member member = {.name = name,
                                  .size = (uint64_t)stage_size(stage),
                                  .packed_size = (uint64_t)stage_encoded_size(stage),
                                  .offset = (uint64_t)zip->output->written,
                                  .crc = stage_crc32(stage),
                                  .date = dos_date(modified),
                                  .deflated = stage_is_deflated(stage)};
    strbuf_clear(&zip->header);
    put_header(&zip->header, &member);
    put_entry(&zip->directory, &member);
    zip->count++;
    int r = write_buffer(zip, &zip->header, err);
    return r < 0 ? r : stage_read(stage, write_data, zip, err);
}

static int zip_held(void *writer, bool settle, int64_t *ret, struct err *err)
{
    (void)settle;
    (void)err;
    const struct zip *zip = writer;
    *ret = (int64_t)zip->directory.length + END_BYTES_MAX;
    return 0;
}

/* 4.3.14 and 4.3.15: the numbers that the end has no room for, and where they are. */
static void put_end64(struct strbuf *out, const struct zip *zip, uint64_t offset)
{
    put32(out, SIGNATURE_END64);
    put64(out, END64_BYTES_AFTER);
    put16(out, MADE_BY_UNIX | VERSION_ZIP64);
    put16(out, VERSION_ZIP64);
    put32(out, 0); /* this disk */
    put32(out, 0); /* the directory's disk */
    put64(out, zip->count);
    put64(out, zip->count);
    put64(out, zip->directory.length);
    put64(out, offset);

    put32(out, SIGNATURE_LOCATOR64);
    put32(out, 0);
    put64(out, offset + zip->directory.length);
    put32(out, 1); /* disks */
}

static void put_end(struct strbuf *out, const struct zip *zip, uint64_t offset)
{
    bool many = zip->count >= COUNT_SEE_ZIP64;
    bool far = offset >= SEE_ZIP64 || zip->directory.length >= SEE_ZIP64;
    if (many || far)
        put_end64(out, zip, offset);
    put32(out, SIGNATURE_END);
    put16(out, 0); /* this disk */
    put16(out, 0); /* the directory's disk */
    put16(out, many ? COUNT_SEE_ZIP64 : (unsigned)zip->count);
    put16(out, many ? COUNT_SEE_ZIP64 : (unsigned)zip->count);
    put32(out, far ? SEE_ZIP64 : zip->directory.length);
    put32(out, far ? SEE_ZIP64 : offset);
    put16(out, 0); /* no comment */
}

static int zip_finish(void *writer, struct err *err)
{
    struct zip *zip = writer;
    uint64_t offset = (uint64_t)zip->output->written;
    int r = write_buffer(zip, &zip->directory, err);
    if (r < 0)
        return r;
    strbuf_clear(&zip->header);
    put_end(&zip->header, zip, offset);
    return write_buffer(zip, &zip->header, err);
}

const struct writer_ops writer_zip = {
    .open = zip_open,
    .add = zip_add,
    .held = zip_held,
    .finish = zip_finish,
    .free = zip_free,
};
