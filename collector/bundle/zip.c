/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * zip by minizip in its raw mode: members come deflated from their stages, so this thread only
 * copies. minizip writes through our functions, because its own lose the reason of a failure.
 *
 * Names that are not UTF-8 are written as they are, without the flag that calls them UTF-8.
 */
#include <minizip/zip.h>
#include <sys/stat.h>

#include "collector/bundle/writer.h"
#include "common/escape.h"

#define MADE_BY_UNIX   (3 << 8) /* makes readers honour the mode in the external attributes */
#define VERSION_NEEDED 20       /* deflate; minizip raises it to 45 for zip64 */
#define FLAG_UTF8      (1 << 11)
#define ZIP64_FROM     0xfffffffe /* 32-bit fields end here; one more means "see zip64" */
#define DOS_FIRST_YEAR 1980
#define DOS_LAST_YEAR  2107

struct zip {
    zipFile file;
    struct output *output;
};

static voidpf open_output(voidpf opaque, const void *name, int mode)
{
    (void)name, (void)mode;
    return opaque;
}

static uLong read_nothing(voidpf opaque, voidpf stream, void *bytes, uLong size)
{
    (void)opaque, (void)stream, (void)bytes, (void)size;
    return 0;
}

static uLong write_bytes(voidpf opaque, voidpf stream, const void *bytes, uLong size)
{
    (void)stream;
    return output_write(opaque, bytes, size) == 0 ? size : 0;
}

static ZPOS64_T tell(voidpf opaque, voidpf stream)
{
    (void)stream;
    return (ZPOS64_T)((struct output *)opaque)->position;
}

static long seek(voidpf opaque, voidpf stream, ZPOS64_T offset, int origin)
{
    (void)stream;
    struct output *output = opaque;
    int64_t from = origin == ZLIB_FILEFUNC_SEEK_END   ? output->end
                   : origin == ZLIB_FILEFUNC_SEEK_CUR ? output->position
                                                      : 0;
    return output_seek(output, from + (int64_t)offset) == 0 ? 0 : -1;
}

static int close_nothing(voidpf opaque, voidpf stream)
{
    (void)opaque, (void)stream;
    return 0;
}

static int has_failed(voidpf opaque, voidpf stream)
{
    (void)stream;
    return ((struct output *)opaque)->failure.code != 0;
}

static int zip_fail(const struct zip *zip, int result, struct err *err)
{
    int r = output_failure(zip->output, err);
    if (r < 0)
        return r;
    return result == ZIP_INTERNALERROR
               ? err_nomem(err)
               : err_set(err, ERR_IO, "cannot write the archive: minizip's error %d", result);
}

static int zip_open(struct output *output, struct compressor *compressor, void **ret,
                    struct err *err)
{
    (void)compressor; /* members are deflated already */
    struct zip *zip = calloc(1, sizeof *zip);
    if (!zip)
        return err_nomem(err);
    zlib_filefunc64_def functions = {
        .zopen64_file = open_output,
        .zread_file = read_nothing,
        .zwrite_file = write_bytes,
        .ztell64_file = tell,
        .zseek64_file = seek,
        .zclose_file = close_nothing,
        .zerror_file = has_failed,
        .opaque = output,
    };
    zip->output = output;
    zip->file = zipOpen2_64("", APPEND_STATUS_CREATE, NULL, &functions);
    if (!zip->file) {
        free(zip);
        return err_nomem(err);
    }
    *ret = zip;
    return 0;
}

/*
 * Local time, as zip has it, in steps of two seconds; what its seven bits for the year cannot hold
 * is clamped.
 */
static uLong dos_date(int64_t modified)
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
    return (uLong)date << 16 | time_of_day;
}

static uLong name_flags(const char *name)
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

static int write_data(void *context, const void *bytes, size_t length, struct err *err)
{
    struct zip *zip = context;
    int r = zipWriteInFileInZip(zip->file, bytes, (unsigned)length);
    return r == ZIP_OK ? 0 : zip_fail(zip, r, err);
}

static int zip_add(void *writer, const char *name, int64_t modified, struct stage *stage,
                   struct err *err)
{
    struct zip *zip = writer;
    const zip_fileinfo info = {
        .dosDate = dos_date(modified),
        .external_fa = (uLong)(S_IFREG | 0644) << 16,
    };
    bool zip64 = stage_size(stage) >= ZIP64_FROM || stage_encoded_size(stage) >= ZIP64_FROM;
    int method = stage_is_deflated(stage) ? Z_DEFLATED : 0;
    int r = zipOpenNewFileInZip4_64(zip->file, name, &info, NULL, 0, NULL, 0, NULL, method,
                                    Z_DEFAULT_COMPRESSION, 1 /* raw */, -MAX_WBITS, DEF_MEM_LEVEL,
                                    Z_DEFAULT_STRATEGY, NULL, 0, MADE_BY_UNIX | VERSION_NEEDED,
                                    name_flags(name), zip64);
    if (r != ZIP_OK)
        return zip_fail(zip, r, err);
    int failure = stage_read(stage, write_data, zip, err);
    if (failure < 0)
        return failure;
    r = zipCloseFileInZipRaw64(zip->file, (ZPOS64_T)stage_size(stage), stage_crc32(stage));
    return r == ZIP_OK ? 0 : zip_fail(zip, r, err);
}

static int zip_finish(void *writer, struct err *err)
{
    struct zip *zip = writer;
    int r = zipClose(zip->file, NULL);
    zip->file = NULL;
    return r == ZIP_OK ? 0 : zip_fail(zip, r, err);
}

static void zip_free(void *writer)
{
    struct zip *zip = writer;
    if (zip->file)
        zipClose(zip->file, NULL);
    free(zip);
}

const struct writer_ops writer_zip = {
    .open = zip_open,
    .add = zip_add,
    .finish = zip_finish,
    .free = zip_free,
};
