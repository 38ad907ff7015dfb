/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names are judged by the words in them. Values are judged only where their name leaves a doubt: a
 * value that looks harmless may still be somebody's password.
 */
#include "collector/redact/secrets.h"

#include <ctype.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "collector/redact/detect.h"
#include "collector/redact/filter.h"
#include "common/compiler.h"

enum place {
    ANYWHERE, /* in the name */
    AT_END,
    A_WORD, /* between underscores, dashes, or the ends of the name */
    WHOLE,
};

/* A name that ends in one of these words tells something about a secret, not the secret. */
static const char *const harmless_endings[] = {
    "timeout",  "length",  "len",      "count",          "size",       "age",      "days",
    "expiry",   "expires", "policy",   "type",           "file",       "path",     "dir",
    "required", "enabled", "prompt",   "attempts",       "retries",    "history",  "changed",
    "name",     "ref",     "uuid",     "authentication", "expiration", "lifetime", "status",
    "min",      "max",     "interval", "algorithm",      "identity",
};

static const struct {
    const char *text;
    enum place place;
    enum secret_kind kind;
} names[] = {
    /* About the token of a cluster's heartbeat, which is no secret; support needs these. And calls.
     */
    {"token_timeout", ANYWHERE, SECRET_NONE},
    {"token_coefficient", ANYWHERE, SECRET_NONE},
    {"token_retransmit", ANYWHERE, SECRET_NONE},
    {"token_warning", ANYWHERE, SECRET_NONE},
    {"with_password", ANYWHERE, SECRET_NONE},
    {"change_password", ANYWHERE, SECRET_NONE},
    {"bypass", ANYWHERE, SECRET_NONE},
    {"compass", ANYWHERE, SECRET_NONE},
    {"multipass", ANYWHERE, SECRET_NONE},
    {"encompass", ANYWHERE, SECRET_NONE},
    {"password", ANYWHERE, SECRET_ANY},
    {"passwd", ANYWHERE, SECRET_ANY},
    {"passphrase", ANYWHERE, SECRET_ANY},
    {"passcode", ANYWHERE, SECRET_ANY},
    {"passwort", ANYWHERE, SECRET_ANY},
    {"kennwort", ANYWHERE, SECRET_ANY},
    {"mot_de_passe", ANYWHERE, SECRET_ANY},
    {"authtok", AT_END, SECRET_ANY},
    {"secret", ANYWHERE, SECRET_ANY},
    {"tokens", WHOLE, SECRET_UNLESS_SHORT_NUMBER},
    {"token", ANYWHERE, SECRET_ANY},
    {"EFI-variables", ANYWHERE, SECRET_ANY},
    {"private_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"private-key", ANYWHERE, SECRET_UNLESS_PATH},
    {"privatekey", ANYWHERE, SECRET_UNLESS_PATH},
    {"priv_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"privkey", ANYWHERE, SECRET_UNLESS_PATH},
    {"api_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"api-key", ANYWHERE, SECRET_UNLESS_PATH},
    {"apikey", ANYWHERE, SECRET_UNLESS_PATH},
    {"access_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"accesskey", ANYWHERE, SECRET_UNLESS_PATH},
    {"account_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"accountkey", ANYWHERE, SECRET_UNLESS_PATH},
    {"auth_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"authkey", ANYWHERE, SECRET_UNLESS_PATH},
    {"auth-key", ANYWHERE, SECRET_UNLESS_PATH},
    {"shared_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"sharedkey", ANYWHERE, SECRET_UNLESS_PATH},
    {"encryption_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"encryptionkey", ANYWHERE, SECRET_UNLESS_PATH},
    {"encryption-key", ANYWHERE, SECRET_UNLESS_PATH},
    {"recovery_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"recoverykey", ANYWHERE, SECRET_UNLESS_PATH},
    {"master_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"signing_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"hmac_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"fastopen_key", ANYWHERE, SECRET_ANY},
    {"authentication_key", AT_END, SECRET_UNLESS_PATH},
    {"privacy_key", AT_END, SECRET_UNLESS_PATH},
    {"preshared_key", AT_END, SECRET_UNLESS_PATH},
    {"license_key", AT_END, SECRET_UNLESS_PATH},
    {"wep_key", ANYWHERE, SECRET_UNLESS_PATH},
    {"key-data", AT_END, SECRET_UNLESS_PATH},
    {"credential", ANYWHERE, SECRET_UNLESS_PATH},
    {"session_id", AT_END, SECRET_SESSION},
    {"sessionid", AT_END, SECRET_SESSION},
    {"session-id", AT_END, SECRET_SESSION},
    {"session_ref", AT_END, SECRET_SESSION},
    {"session", WHOLE, SECRET_SESSION},
    {"authorization", AT_END, SECRET_HEADER},
    {"cookie", WHOLE, SECRET_HEADER},
    {"set-cookie", WHOLE, SECRET_HEADER},
    {"community", A_WORD, SECRET_ANY},
    {"community_name", WHOLE, SECRET_ANY},
    {"communityname", WHOLE, SECRET_ANY},
    {"rocommunity", WHOLE, SECRET_ANY},
    {"rwcommunity", WHOLE, SECRET_ANY},
    {"trapcommunity", WHOLE, SECRET_ANY},
    {"pass", WHOLE, SECRET_UNLESS_SHORT_NUMBER},
    {"pass", AT_END, SECRET_UNLESS_PATH}, /* AuthPass, SSHPASS, db_pass */
    {"new_ps", WHOLE, SECRET_ANY},        /* XAPI's, when the pool's secret changes */
    {"old_ps", WHOLE, SECRET_ANY},
    {"x-xapi-session", WHOLE, SECRET_ANY},
    {"creds", WHOLE, SECRET_UNLESS_PATH},
    {"psw", WHOLE, SECRET_UNLESS_PATH},
    {"pswd", AT_END, SECRET_UNLESS_PATH},
    {"securitykey", AT_END, SECRET_UNLESS_PATH},
    {"tlspskvalue", WHOLE, SECRET_ANY},
    {"masterauth", WHOLE, SECRET_ANY},
    {"requirepass", WHOLE, SECRET_ANY},
    {"pwd", A_WORD, SECRET_UNLESS_PATH},
    {"userpwd", AT_END, SECRET_UNLESS_PATH},
    {"pw", WHOLE, SECRET_UNLESS_PATH},
    {"bindpw", AT_END, SECRET_ANY},
    {"rootpw", AT_END, SECRET_ANY},
    {"unicodepwd", AT_END, SECRET_ANY},
    {"user-data", WHOLE, SECRET_UNLESS_PATH}, /* cloud-init's: a script, passwords and all */
    {"user_data", WHOLE, SECRET_UNLESS_PATH},
    {"userdata", WHOLE, SECRET_UNLESS_PATH},
    {"sig", WHOLE, SECRET_QUERY},
    {"signature", AT_END, SECRET_QUERY},
    {"auth", WHOLE, SECRET_SHAPED}, /* of Docker's config.json */
    {"_auth", AT_END, SECRET_SHAPED},
    {"key", WHOLE, SECRET_SHAPED}, /* of a keyring of Ceph */
    {"private-mac", WHOLE, SECRET_ANY},
    {"psk", A_WORD, SECRET_UNLESS_PATH},
    {"tlspsk", AT_END, SECRET_UNLESS_PATH},
};

/* A switch or a statement about a secret, or what other programs put in its place. */
static const char *const harmless_values[] = {
    "yes",        "no",         "true",     "false",    "on",     "off",
    "none",       "null",       "nil",      "(null)",   "(none)", "<none>",
    "NULL",       "undefined",  "enabled",  "disabled", "set",    "unset",
    "not set",    "empty",      "<empty>",  "-",        "%s",     "<filtered for security>",
    "[redacted]", "<redacted>", "(hidden)", "<hidden>",
};

/* Sources of users and stacks of PAM, which stand behind "passwd:". */
static const char *const user_sources[] = {
    "files", "sss",    "winbind",  "compat", "systemd",    "ldap", "nis",
    "db",    "hesiod", "altfiles", "lsass",  "lwidentity", "dns",
};

static const char *const pam_stacks[] = {"chauthtok", "auth)", "account)", "session)", "setcred"};

static const char *const top_folders[] = {"/etc/", "/var/", "/root",  "/opt/", "/usr/", "/home/",
                                          "/run/", "/tmp/", "/mnt/",  "/srv/", "/dev/", "/boot/",
                                          "/lib/", "/bin/", "/sbin/", "/proc/"};

#define NO_ROW        UCHAR_MAX
#define SMALL         0x20 /* the bit that makes a letter small */
#define UUID_LENGTH   36
#define REFERENCE     "OpaqueRef:"
#define CEPH_KEY      40 /* bytes of Base64 */
#define SHORT_NUMBER  6  /* digits; identifiers of logins are not longer */
#define SESSION_BYTES 16 /* a shorter one could be guessed, so nobody makes them */

static bool equals(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

static bool begins(const char *text, size_t length, const char *word)
{
    size_t n = strlen(word);
    return length >= n && strncasecmp(text, word, n) == 0;
}

static bool ends(const char *text, size_t length, const char *word)
{
    size_t n = strlen(word);
    return length >= n && strncasecmp(text + length - n, word, n) == 0;
}

static bool is_boundary(char c)
{
    return c == '_' || c == '-';
}

/* Whether a text of `n` bytes at `at` of a name stands where it should. */
static bool is_placed(enum place place, const char *name, size_t length, size_t at, size_t n)
{
    bool last = at + n == length;
    switch (place) {
    case ANYWHERE:
        return true;
    case AT_END:
        return last;
    case A_WORD:
        return (at == 0 || is_boundary(name[at - 1])) && (last || is_boundary(name[at + n]));
    case WHOLE:
        return at == 0 && last;
    }
    return false;
}

/* password_file, passwordFile, token-path; but not "profile". */
static bool has_harmless_ending(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(harmless_endings); i++) {
        size_t n = strlen(harmless_endings[i]);
        if (length <= n || strncasecmp(name + length - n, harmless_endings[i], n) != 0)
            continue;
        char before = name[length - n - 1];
        bool new_word = isupper((unsigned char)name[length - n]) && islower((unsigned char)before);
        if (before == '_' || before == '-' || new_word)
            return true;
    }
    return false;
}

/* Rows of names[] by the first letter of their texts, in their order. */
static struct {
    unsigned char next, length;
} rows[ARRAY_SIZE(names)];
static unsigned char first_row[UCHAR_MAX + 1];
static pthread_once_t rows_known = PTHREAD_ONCE_INIT;
_Static_assert(ARRAY_SIZE(names) < NO_ROW, "numbers of rows are bytes");

static void sort_rows(void)
{
    memset(first_row, NO_ROW, sizeof first_row);
    for (size_t i = ARRAY_SIZE(names); i-- > 0;) {
        int letter = tolower((unsigned char)*names[i].text);
        rows[i].next = first_row[letter];
        rows[i].length = (unsigned char)strlen(names[i].text);
        first_row[letter] = first_row[toupper(letter)] = (unsigned char)i;
    }
}

/* Most are not, which shows in the first letters: no call to the library before that is known. */
static bool may_be(const char *name, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((name[i] ^ text[i]) & ~SMALL)
            return false;
    return true;
}

/*
 * The first row that says something about the name, or NO_ROW. One pass for all rows: a name may be
 * long, and a line may be full of names.
 */
static size_t find_row(const char *name, size_t length)
{
    size_t found = NO_ROW;
    pthread_once(&rows_known, sort_rows);
    for (size_t at = 0; at < length; at++)
        for (size_t i = first_row[(unsigned char)name[at]]; i < found; i = rows[i].next) {
            size_t n = rows[i].length;
            if (n <= length - at && may_be(name + at, names[i].text, n) &&
                is_placed(names[i].place, name, length, at, n) &&
                strncasecmp(name + at, names[i].text, n) == 0)
                found = i;
        }
    return found;
}

enum secret_kind secret_kind(const char *name, size_t length)
{
    const char *dot = length ? memrchr(name, '.', length) : NULL;
    if (dot) {
        length -= (size_t)(dot + 1 - name);
        name = dot + 1;
    }
    size_t row = find_row(name, length);
    if (row == NO_ROW)
        return SECRET_NONE;
    bool certain = names[row].place == WHOLE || names[row].kind == SECRET_SESSION;
    return !certain && has_harmless_ending(name, length) ? SECRET_NONE : names[row].kind;
}

bool secret_name(const char *name, size_t length)
{
    enum secret_kind kind = secret_kind(name, length);
    return kind == SECRET_ANY || kind == SECRET_UNLESS_PATH;
}

static bool is_uuid(const char *value, size_t length)
{
    if (length != UUID_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? value[i] != '-' : !isxdigit((unsigned char)value[i]))
            return false;
    }
    return true;
}

bool secret_is_reference(const char *value, size_t length)
{
    size_t prefix = strlen(REFERENCE);
    if (length > prefix && memcmp(value, REFERENCE, prefix) == 0) {
        value += prefix;
        length -= prefix;
    }
    return is_uuid(value, length) || (length == 4 && memcmp(value, "NULL", length) == 0);
}

/* REMOVED, as often as it takes: in binary data it fills the place of the secret. */
static bool is_mask(const char *value, size_t length)
{
    size_t stars = 0, removed = 0;
    while (stars < length && value[stars] == '*')
        stars++;
    while (removed < length && value[removed] == REMOVED[removed % strlen(REMOVED)])
        removed++;
    return stars == length || removed == length;
}

static bool is_number(const char *value, size_t length)
{
    size_t digits = 0;
    while (digits < length && isdigit((unsigned char)value[digits]))
        digits++;
    return digits == length;
}

static bool begins_with_one_of(const char *value, size_t length, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (begins(value, length, list[i]))
            return true;
    return false;
}

/* "files sss", as nsswitch.conf has it. */
static bool are_user_sources(const char *value, size_t length)
{
    const char *p = value, *end = value + length;
    while (p < end) {
        const char *word = p;
        bool known = false;
        while (p < end && !isblank((unsigned char)*p))
            p++;
        for (size_t i = 0; i < ARRAY_SIZE(user_sources); i++)
            known |= equals(word, (size_t)(p - word), user_sources[i]);
        if (!known && *word != '[')
            return false;
        while (p < end && isblank((unsigned char)*p))
            p++;
    }
    return true;
}

static bool is_session(const char *value, size_t length)
{
    return length >= SESSION_BYTES && !equals(value, length, REFERENCE "NULL");
}

/* 28 bytes in Base64 that begin with their type, a 1 in two bytes. */
static bool is_ceph_key(const char *value, size_t length)
{
    size_t n = 0;
    while (n < length && n < CEPH_KEY &&
           (isalnum((unsigned char)value[n]) || strchr("+/=", value[n])))
        n++;
    return n == CEPH_KEY && memcmp(value, "AQ", 2) == 0 && memcmp(value + n - 2, "==", 2) == 0;
}

/* ('user', 'password'), what Python's requests take. */
static bool is_user_and_password(const char *value, size_t length)
{
    return length > 2 && *value == '(' && (value[1] == '\'' || value[1] == '"') &&
           value[length - 1] == ')' && memchr(value, ',', length);
}

bool secret_begins_path(const char *value, const char *end)
{
    while (value < end && isblank((unsigned char)*value))
        value++;
    return begins_with_one_of(value, (size_t)(end - value), top_folders, ARRAY_SIZE(top_folders));
}

bool secret_value_is_harmless(enum secret_kind kind, const char *name, size_t name_length,
                              const char *value, size_t length)
{
    if (length == 0 || is_mask(value, length) || (length == 1 && is_number(value, length)))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(harmless_values); i++)
        if (equals(value, length, harmless_values[i]))
            return true;
    if (equals(name, name_length, "passwd") &&
        (are_user_sources(value, length) ||
         begins_with_one_of(value, length, pam_stacks, ARRAY_SIZE(pam_stacks))))
        return true;
    switch (kind) {
    case SECRET_SESSION:
        return !is_session(value, length);
    case SECRET_UNLESS_PATH:
        return begins_with_one_of(value, length, top_folders, ARRAY_SIZE(top_folders)) ||
               (name_length >= 3 && memcmp(name + name_length - 3, "PWD", 3) == 0 && *value == '/');
    case SECRET_UNLESS_SHORT_NUMBER:
        return length <= SHORT_NUMBER && is_number(value, length);
    case SECRET_SHAPED:
        return !is_ceph_key(value, length) && !shape_is_user_and_password(value, value + length) &&
               !is_user_and_password(value, length);
    case SECRET_NONE:
    case SECRET_ANY:
    case SECRET_HEADER:
    case SECRET_QUERY:
        break;
    }
    bool opaque = begins(value, length, REFERENCE);
    bool names_reference = ends(name, name_length, "_secret") || opaque;
    return names_reference && secret_is_reference(value, length);
}
