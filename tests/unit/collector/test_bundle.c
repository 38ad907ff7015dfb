/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Archives as other programs read them, and what is on the disk when things go wrong.
 *
 * A Python script compares the archive with a list of names, sizes, digests and times made here;
 * unzip and bsdtar must accept it too.
 */
#include "collector/bundle/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "collector/bundle/publish.h"
#include "common/io.h"

static char directory[] = "/tmp/test-bundle-XXXXXX";
static struct compressor *compressor;
static const char *const kinds[] = {"zip", "tar", "tar.bz2", "tar.gz", "tar.zst"};

static int make_directory(void **state)
{
    (void)state;
    if (compressor_new(COMPRESSION_BALANCED, 2, &compressor, NULL) < 0)
        return -1;
    return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    compressor = compressor_free(compressor);
    return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1; /* each test leaves it empty */
}

static unsigned count_files(const char *path)
{
    unsigned count = 0;
    DIR *list = opendir(path);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(list);
    return count;
}

static void write_text(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, length), 0);
    close(fd);
}

static void assert_runs(const char *const *argv)
{
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ) != 0)
        fail_msg("the test needs '%s'", argv[0]);
    waitpid(pid, &status, 0);
    if (status != 0)
        fail_msg("'%s %s %s': status %d", argv[0], argv[1], argv[2], status);
}

static const char checker[] =
    "import hashlib, io, subprocess, sys, tarfile, time, zipfile\n"
    "kind, path, listing = sys.argv[1:]\n"
    "want = open(listing, 'rb').read().split(b'\\0')[:-1]\n"
    "have = []\n"
    "def row(name, data, seconds):\n"
    "    digest = hashlib.sha256(data).hexdigest().encode()\n"
    "    have.append(b'%s %d %s %d' % (name, len(data), digest, seconds))\n"
    "if kind == 'zip':\n"
    "    with zipfile.ZipFile(path) as z:\n"
    "        assert z.testzip() is None\n"
    "        for i in z.infolist():\n"
    "            utf8 = i.flag_bits & 0x800\n"
    "            assert i.external_attr >> 16 == 0o100644, oct(i.external_attr)\n"
    "            assert i.compress_type == (0 if i.file_size < 50 else 8)\n"
    "            assert bool(utf8) == ('\\u00fc' in i.filename), i.filename\n"
    "            row(i.filename.encode('utf-8' if utf8 else 'cp437'), z.read(i),\n"
    "                time.mktime(i.date_time + (0, 0, -1)))\n"
    "def read(path, mode, file=None):\n"
    "    have.clear()\n"
    "    with tarfile.open(path, mode, file) as t:\n"
    "        for m in t:\n"
    "            assert m.isreg() and m.mode == 0o644 and (m.uid, m.gid) == (0, 0), m\n"
    "            assert (m.uname, m.gname) == ('root', 'root')\n"
    "            row(m.name.encode('utf-8', 'surrogateescape'), t.extractfile(m).read(), m.mtime)\n"
    "    assert have == want, (mode, have, want)\n"
    "if kind == 'tar.zst':\n"
    "    read(None, 'r:', io.BytesIO(subprocess.check_output(['zstd', '-dcq', path])))\n"
    "elif kind != 'zip':\n"
    "    for mode in 'r:', 'r|': # all at once, and forward only: that reads one stream and no "
    "more\n"
    "        read(path, mode + kind[4:])\n"
    "assert have == want, (have, want)\n";

struct member {
    const char *name;
    size_t size;
};

static const struct member members[] = {
    {"top/etc/hosts", 40},
    {"top/empty", 0},
    {"top/var/log/big", 3000000},
    {"top/just-over-tiny", 50},
    {"top/m\xc3\xbcller.txt", 1000},
    {"top/bad-\xff-byte", 1000},
    {"top/new\nline", 60},
    {"top/-leading-dash: blanks and 'quotes'", 70},
    {"top/"
     "very-long-very-long-very-long-very-long-very-long-very-long-very-long-very-long-very-long/"
     "very-long-very-long-very-long-very-long-very-long-very-long-very-long-very-long-very-long/"
     "very-long-very-long-very-long-very-long-very-long-very-long-very-long-very-long-very-long",
     200},
};

#define MODIFIED 1700000000 /* even: zip counts in two seconds */

static struct stage *make_stage(const struct bundle_format *format, size_t size)
{
    const struct stage_options options = {.encoding = format->encoding,
                                          .compressor = compressor,
                                          .memory_bytes = 1 << 16,
                                          .spool_dirfd = -1};
    struct stage *stage;
    assert_int_equal(stage_new(&options, &stage, NULL), 0);
    uint32_t random = 12345;
    char block[1000];
    for (size_t left = size; left > 0;) {
        size_t n = left < sizeof block ? left : sizeof block;
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525 + 1013904223;
            block[i] = (char)('a' + (random >> 24) % 20);
        }
        assert_int_equal(stage_write(stage, block, n, NULL), 0);
        left -= n;
    }
    assert_int_equal(stage_finish(stage, NULL), 0);
    return stage;
}

static void add_members(const struct bundle_format *format, struct bundle *bundle,
                        struct strbuf *listing)
{
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        struct stage *stage = make_stage(format, members[i].size);
        struct err err = ERR_INIT;
        if (bundle_add(bundle, members[i].name, MODIFIED, stage, &err) < 0)
            fail_msg("%s", err.text);
        strbuf_addf(listing, "%s %zu %s %d", members[i].name, members[i].size, stage_sha256(stage),
                    MODIFIED);
        strbuf_addc(listing, '\0');
        stage_free(stage);
    }
}

static void assert_readers_agree(const char *kind, const char *path, const struct strbuf *listing)
{
    write_text("listing", listing->data, listing->length);
    assert_runs((const char *[]){"python3", "-c", checker, kind, path, "listing", NULL});
    if (strcmp(kind, "zip") == 0)
        assert_runs((const char *[]){"unzip", "-tqq", path, NULL});
    if (strcmp(kind, "tar.bz2") == 0)
        assert_runs((const char *[]){"bzip2", "-t", path, NULL});
    if (strcmp(kind, "tar.gz") == 0)
        assert_runs((const char *[]){"gzip", "-t", path, NULL});
    assert_runs((const char *[]){"sh", "-c", "bsdtar -tf \"$0\" >/dev/null", path, NULL});
    assert_int_equal(unlink("listing"), 0);
}

static void every_reader_accepts_every_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct bundle_format *format = bundle_format_find(kinds[i]);
        struct bundle *bundle;
        struct err err = ERR_INIT;
        assert_int_equal(bundle_open_file(format, compressor, directory, kinds[i], &bundle, &err),
                         0);
        struct strbuf listing = STRBUF_INIT;
        add_members(format, bundle, &listing);
        assert_int_equal(count_files("."), 1); /* what reserves the name */
        if (bundle_close(bundle, &err) < 0)
            fail_msg("%s", err.text);
        struct stat status;
        assert_int_equal(stat(kinds[i], &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_int_equal(status.st_nlink, 1);
        assert_readers_agree(kinds[i], kinds[i], &listing);
        strbuf_release(&listing);
        assert_int_equal(unlink(kinds[i]), 0);
    }
}

static void assert_streams_through(const int ends[2])
{
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[0], 0);
        close(ends[1]);
        execlp("sh", "sh", "-c", "cat > streamed", NULL);
        _exit(127);
    }
    close(ends[0]);
    const struct bundle_format *format = bundle_format_find("tar");
    struct bundle *bundle;
    struct strbuf listing = STRBUF_INIT;
    assert_int_equal(bundle_open_fd(format, compressor, ends[1], &bundle, NULL), 0);
    add_members(format, bundle, &listing);
    assert_int_equal(bundle_close(bundle, NULL), 0);
    close(ends[1]);
    waitpid(pid, NULL, 0);
    assert_readers_agree("tar", "streamed", &listing);
    strbuf_release(&listing);
    assert_int_equal(unlink("streamed"), 0);
}

/* Whoever gave them to us may have made them non-blocking; tests of the whole program use others. */
static void a_tar_can_be_streamed_through_pipes_and_sockets(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    assert_streams_through(ends);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    assert_streams_through(ends);
}

static void waiting_for_a_reader_can_be_given_up(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    atomic_bool cancelled = true;
    struct bundle *bundle;
    struct err err = ERR_INIT;
    assert_int_equal(bundle_open_fd(bundle_format_find("tar"), compressor, ends[1], &bundle, NULL), 0);
    bundle_heed(bundle, &cancelled);
    assert_int_equal(bundle_close(bundle, &err), ERR_CANCELLED);
    close(ends[0]);
    close(ends[1]);
}

static void a_zip_cannot_be_streamed(void **state)
{
    (void)state;
    struct bundle *bundle;
    assert_int_equal(bundle_open_fd(bundle_format_find("zip"), compressor, 1, &bundle, NULL),
                     ERR_UNSUPPORTED);
    assert_null(bundle_format_find("rar"));
}

static void an_empty_archive_is_an_archive(void **state)
{
    (void)state;
    struct bundle *bundle;
    struct strbuf listing = STRBUF_INIT;
    assert_int_equal(
        bundle_open_file(bundle_format_find("tar"), compressor, ".", "empty", &bundle, NULL), 0);
    assert_int_equal(bundle_close(bundle, NULL), 0);
    assert_readers_agree("tar", "empty", &listing);
    assert_int_equal(unlink("empty"), 0);
}

static void times_that_zip_cannot_hold_are_clamped(void **state)
{
    (void)state;
    const struct bundle_format *format = bundle_format_find("zip");
    struct bundle *bundle;
    assert_int_equal(bundle_open_file(format, compressor, ".", "old.zip", &bundle, NULL), 0);
    static const int64_t times[] = {0, -1, INT64_MIN, 4354819200 /* 2108 */, INT64_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        char name[16];
        snprintf(name, sizeof name, "%zu", i);
        struct stage *stage = make_stage(format, 10);
        assert_int_equal(bundle_add(bundle, name, times[i], stage, NULL), 0);
        stage_free(stage);
    }
    assert_int_equal(bundle_close(bundle, NULL), 0);
    assert_runs(
        (const char *[]){"python3", "-c",
                         "import zipfile\n"
                         "years = [i.date_time[0] for i in zipfile.ZipFile('old.zip').infolist()]\n"
                         "assert years[0] == years[1] == 1980 and years[3] == 2107, years\n"
                         "assert all(1980 <= y <= 2107 for y in years), years\n",
                         NULL});
    assert_int_equal(unlink("old.zip"), 0);
}

/* More than 65 535 members are counted in zip64's fields. */
static void a_zip_may_have_more_members_than_its_first_format_could_count(void **state)
{
    (void)state;
    const struct bundle_format *format = bundle_format_find("zip");
    struct bundle *bundle;
    assert_int_equal(bundle_open_file(format, compressor, ".", "many.zip", &bundle, NULL), 0);
    struct stage *stage = make_stage(format, 10);
    for (int i = 0; i < 70000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(bundle_add(bundle, name, MODIFIED, stage, NULL), 0);
    }
    stage_free(stage);
    assert_int_equal(bundle_close(bundle, NULL), 0);
    assert_runs((const char *[]){"python3", "-c",
                                 "import zipfile\n"
                                 "z = zipfile.ZipFile('many.zip')\n"
                                 "assert len(z.namelist()) == 70000, len(z.namelist())\n"
                                 "assert len(z.read('69999')) == 10\n",
                                 NULL});
    assert_runs((const char *[]){"unzip", "-tqq", "many.zip", NULL});
    assert_int_equal(unlink("many.zip"), 0);
}

static void names_that_lead_out_of_the_archive_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "/etc/passwd", "top/../../x", "..", "top/"};
    const struct bundle_format *format = bundle_format_find("tar");
    struct bundle *bundle;
    assert_int_equal(bundle_open_file(format, compressor, ".", "a.tar", &bundle, NULL), 0);
    struct stage *stage = make_stage(format, 10);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(bundle_add(bundle, names[i], 0, stage, NULL), ERR_USAGE);
    assert_int_equal(bundle_add(bundle, "top/..name", 0, stage, NULL), 0);
    stage_free(stage);
    bundle_discard(bundle);
}

static void a_discarded_archive_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct bundle_format *format = bundle_format_find(kinds[i]);
        struct bundle *bundle;
        assert_int_equal(bundle_open_file(format, compressor, ".", "a", &bundle, NULL), 0);
        struct stage *stage = make_stage(format, 100000);
        assert_int_equal(bundle_add(bundle, "a", 0, stage, NULL), 0);
        stage_free(stage);
        assert_null(bundle_discard(bundle));
        assert_int_equal(count_files("."), 0);
    }
    assert_null(bundle_discard(NULL));
}

static void an_existing_file_is_never_replaced(void **state)
{
    (void)state;
    struct bundle *bundle;
    struct err err = ERR_INIT;
    write_text("taken", "mine", 4);
    const struct bundle_format *format = bundle_format_find("tar");
    assert_int_equal(bundle_open_file(format, compressor, ".", "taken", &bundle, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "exists already"));
    assert_int_equal(unlink("taken"), 0);
    /* The name is taken while the archive is written. */
    assert_int_equal(bundle_open_file(format, compressor, ".", "taken", &bundle, NULL), 0);
    write_text("taken", "mine", 4);
    assert_true(bundle_close(bundle, NULL) < 0);
    struct strbuf text = STRBUF_INIT;
    assert_int_equal(io_read_file(AT_FDCWD, "taken", 100, &text, NULL), 0);
    assert_string_equal(text.data, "mine");
    strbuf_release(&text);
    assert_int_equal(unlink("taken"), 0);
    assert_int_equal(count_files("."), 0);
}

static void a_directory_others_can_write_to_is_refused(void **state)
{
    (void)state;
    struct bundle *bundle;
    const struct bundle_format *format = bundle_format_find("tar");
    static const struct {
        mode_t mode;
        int expected;
    } cases[] = {{0777, ERR_DENIED}, {0770, ERR_DENIED}, {01777, 0}, {0755, 0}, {0700, 0}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(chmod(directory, cases[i].mode), 0);
        int r = bundle_open_file(format, compressor, directory, "a", &bundle, NULL);
        assert_int_equal(r, cases[i].expected);
        if (r == 0)
            bundle_discard(bundle);
    }
    assert_int_equal(bundle_open_file(format, compressor, "missing", "a", &bundle, NULL),
                     ERR_NOTFOUND);
    assert_int_equal(bundle_open_file(format, compressor, directory, "../a", &bundle, NULL),
                     ERR_USAGE);
    if (geteuid() == 0) {
        assert_int_equal(mkdir("strangers", 0700), 0);
        assert_int_equal(chown("strangers", 65534, 65534), 0);
        assert_int_equal(bundle_open_file(format, compressor, "strangers", "a", &bundle, NULL),
                         ERR_DENIED);
        assert_int_equal(rmdir("strangers"), 0);
    }
}

/* Without O_TMPFILE: a hidden name until the end, private, and swept up after a killed run. */
static void a_file_system_without_unnamed_files_will_do(void **state)
{
    (void)state;
    struct publication *publication;
    write_text(".xen-bugtool-part-0123456789abcdef", "left by a killed run", 20);
    assert_int_equal(publication_open(".", "a", false, &publication, NULL), 0);
    assert_int_equal(count_files("."), 2); /* the part, and what reserves the name */
    /* A second run at the same time keeps its hands off the first's part. */
    struct publication *other;
    assert_int_equal(publication_open(".", "b", false, &other, NULL), 0);
    assert_int_equal(count_files("."), 4);
    publication_discard(other);
    assert_int_equal(count_files("."), 2);
    assert_int_equal(io_write_all(publication_fd(publication), "x", 1), 0);
    assert_int_equal(publication_commit(publication, NULL), 0);
    struct stat status;
    assert_int_equal(stat("a", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(publication_open(".", "b", false, &publication, NULL), 0);
    write_text("b", "mine", 4);
    assert_true(publication_commit(publication, NULL) < 0);
    assert_int_equal(count_files("."), 2);
    assert_int_equal(unlink("a"), 0);
    assert_int_equal(unlink("b"), 0);
}

/* Fills an archive until it fails; the error and what is left are the same for every cause. */
static void assert_fails_cleanly(const char *kind, const char *path, const char *expected_text)
{
    const struct bundle_format *format = bundle_format_find(kind);
    struct bundle *bundle;
    struct err err = ERR_INIT;
    assert_int_equal(bundle_open_file(format, compressor, path, "a", &bundle, NULL), 0);
    int r = 0;
    for (int i = 0; i < 10 && r == 0; i++) {
        char name[16];
        snprintf(name, sizeof name, "member-%d", i);
        struct stage *stage = make_stage(format, 1000000);
        r = bundle_add(bundle, name, 0, stage, &err);
        if (r < 0)
            assert_int_equal(bundle_add(bundle, "one-more", 0, stage, NULL), r);
        stage_free(stage);
    }
    int closed = bundle_close(bundle, &err);
    assert_true(closed < 0);
    if (!strstr(err.text, expected_text))
        fail_msg("%s: '%s' does not say '%s'", kind, err.text, expected_text);
    assert_int_equal(count_files(path), 0);
}

/* A small file system of our own where that is allowed, a limit on file sizes elsewhere. */
static void a_full_disk_is_a_clear_error_and_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(mkdir("small", 0700), 0);
    bool mounted = unshare(CLONE_NEWNS) == 0 &&
                   mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
                   mount("none", "small", "tmpfs", 0, "size=1m,mode=0700") == 0;
    for (size_t i = 0; mounted && i < ARRAY_SIZE(kinds); i++)
        assert_fails_cleanly(kinds[i], "small", "no space left in 'small'");
    if (mounted)
        assert_int_equal(umount("small"), 0);
    struct rlimit old;
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000000, old.rlim_max});
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        assert_fails_cleanly(kinds[i], "small",
                             "cannot write the archive in 'small': File too large");
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(rmdir("small"), 0);
}

static void a_descriptor_that_fails_is_told(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    struct bundle *bundle;
    struct err err = ERR_INIT;
    assert_int_equal(bundle_open_fd(bundle_format_find("tar"), compressor, full, &bundle, NULL), 0);
    assert_int_equal(bundle_close(bundle, &err), ERR_IO);
    assert_non_null(strstr(err.text, "cannot write the archive to descriptor"));
    assert_int_equal(err.sysno, ENOSPC);
    close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reader_accepts_every_format),
        cmocka_unit_test(a_tar_can_be_streamed_through_pipes_and_sockets),
        cmocka_unit_test(waiting_for_a_reader_can_be_given_up),
        cmocka_unit_test(a_zip_cannot_be_streamed),
        cmocka_unit_test(an_empty_archive_is_an_archive),
        cmocka_unit_test(times_that_zip_cannot_hold_are_clamped),
        cmocka_unit_test(a_zip_may_have_more_members_than_its_first_format_could_count),
        cmocka_unit_test(names_that_lead_out_of_the_archive_are_refused),
        cmocka_unit_test(a_discarded_archive_leaves_nothing),
        cmocka_unit_test(an_existing_file_is_never_replaced),
        cmocka_unit_test(a_directory_others_can_write_to_is_refused),
        cmocka_unit_test(a_file_system_without_unnamed_files_will_do),
        cmocka_unit_test(a_full_disk_is_a_clear_error_and_leaves_nothing),
        cmocka_unit_test(a_descriptor_that_fails_is_told),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
