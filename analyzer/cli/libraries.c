/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The libraries that see what a report holds, in the versions that are loaded now.
 *
 * A library only knows its upstream number. A distribution mends holes under the old number
 * (Debian: "3.6.2-1+deb12u5"), which only its package manager can tell, so what is checked here is
 * a lower bound: below it there are holes that a report can reach, unless they were mended.
 * SECURITY.md names the packages.
 */
#include <archive.h>
#include <expat.h>
#include <hs.h>
#include <jansson.h>
#include <openssl/crypto.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <sqlite3.h>
#include <yaml.h>
#include <zlib.h>

#include "analyzer/cli/commands.h"
#include "analyzer/sandbox/sandbox.h"
#include "common/version.h"
#include "common/version_compare.h"

static const char *libarchive(void)
{
    return archive_version_string(); /* "libarchive 3.6.2" */
}

static const char *expat(void)
{
    return XML_ExpatVersion(); /* "expat_2.5.0" */
}

static const char *pcre2(void)
{
    static char version[64];
    return pcre2_config(PCRE2_CONFIG_VERSION, NULL) < (int)sizeof version &&
                   pcre2_config(PCRE2_CONFIG_VERSION, version) > 0
               ? version
               : "";
}

static const char *jansson(void)
{
#if JANSSON_VERSION_HEX >= 0x020d00
    return jansson_version_str();
#else
    return JANSSON_VERSION;
#endif
}

static const char *crypto(void)
{
    return OpenSSL_version(OPENSSL_VERSION); /* "OpenSSL 3.0.17 1 Jul 2025" */
}

static const struct library {
    const char *name;
    const char *(*version)(void);
    const char *minimum, *why; /* NULL: we know of no hole that a report could reach */
} libraries[] = {
    {"libarchive", libarchive, "3.6.2", "CVE-2022-36227"},
    {"zlib", zlibVersion, NULL, NULL},
    {"bzip2", archive_bzlib_version, NULL, NULL},
    {"liblzma", archive_liblzma_version, NULL, NULL},
    {"zstd", archive_libzstd_version, NULL, NULL},
    {"expat", expat, "2.5.0", "CVE-2022-40674, CVE-2022-43680"},
    {"jansson", jansson, NULL, NULL},
    {"libyaml", yaml_get_version_string, NULL, NULL},
    {"SQLite", sqlite3_libversion, "3.39.2", "CVE-2022-35737"},
    {"PCRE2", pcre2, "10.40", "CVE-2022-1586, CVE-2022-1587"},
    {"Hyperscan", hs_version, NULL, NULL},
    {"libcrypto", crypto, NULL, NULL},
};

/* The first number in a text: libraries decorate it. */
static size_t number_in(const char **text)
{
    *text += strcspn(*text, "0123456789");
    return strcspn(*text, " ,");
}

/* Its version's number; "" when it is not there. */
static const char *version_of(const struct library *library, size_t *ret_length)
{
    const char *version = library->version();
    version = version ? version : "";
    *ret_length = number_in(&version);
    return version;
}

static bool is_old(const struct library *library)
{
    size_t length;
    const char *version = version_of(library, &length);
    return library->minimum && length &&
           version_compare(version, length, library->minimum, strlen(library->minimum)) < 0;
}

int command_version(struct options *options, struct err *err)
{
    (void)options;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_adds(&text, "xen-analyze " XENHEALTH_VERSION "\nlibraries:");
    for (size_t i = 0; i < ARRAY_SIZE(libraries); i++) {
        size_t length;
        const char *version = version_of(&libraries[i], &length);
        strbuf_addf(&text, "%s %s %.*s%s", i ? "," : "", libraries[i].name, (int)length, version,
                    is_old(&libraries[i]) ? " (old)" : "");
    }
    strbuf_adds(&text, "\nsandbox: ");
    sandbox_describe(&text);
    if (!strbuf_ok(&text))
        return err_nomem(err);
    puts(text.data);
    libraries_warn();
    return 0;
}

void libraries_warn(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(libraries); i++) {
        if (!is_old(&libraries[i]))
            continue;
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        strbuf_addf(&line,
                    "warning: %s is older than %s and has known holes (%s), unless your "
                    "distribution has mended them: see the changelog of its package",
                    libraries[i].name, libraries[i].minimum, libraries[i].why);
        say_error(line.data);
    }
}
