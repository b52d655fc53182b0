/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What happens to files and memory when the system fails. The linker puts the functions below in the
 * place of the system's, for the engine's calls alone. */
#include "files.h"

#include "safetensors.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

/* One function's orders. */
typedef struct {
    guint calls;
    guint fail_at; /* which call fails, from 1; 0 for none */
    int reason;    /* errno */
    bool pieces;   /* one byte a call, and every other call interrupted */
    bool lies;     /* says it is done and does nothing, or something else */
} Fault;

static Fault writing, reading, syncing, renaming, closing, allocating;

static void no_faults(void)
{
    writing = reading = syncing = renaming = closing = allocating = (Fault){0};
}

static bool fails(Fault *fault)
{
    fault->calls++;
    if (fault->calls == fault->fail_at)
        errno = fault->reason;
    else if (fault->pieces && fault->calls % 2)
        errno = EINTR;
    else
        return false;
    return true;
}

ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __real_pread(int fd, void *bytes, size_t n, off_t offset);
ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t offset);
ssize_t __wrap_pread64(int fd, void *bytes, size_t n, off_t offset);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *old, const char *new);
int __wrap_rename(const char *old, const char *new);
int __real_close(int fd);
int __wrap_close(int fd);
gpointer __real_g_try_malloc(gsize bytes);
gpointer __wrap_g_try_malloc(gsize bytes);

ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
    if (fails(&writing))
        return -1;
    if (writing.lies)
        return (ssize_t)n;
    return __real_write(fd, bytes, writing.pieces ? 1 : n);
}

ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t offset)
{
    if (fails(&reading))
        return -1;
    ssize_t got = __real_pread(fd, bytes, reading.pieces ? MIN(n, 3) : n, offset);
    if (reading.lies && got > 0)
        ((guint8 *)bytes)[got - 1] ^= 1;
    return got;
}

ssize_t __wrap_pread64(int fd, void *bytes, size_t n, off_t offset)
{
    return __wrap_pread(fd, bytes, n, offset);
}

int __wrap_fsync(int fd)
{
    return fails(&syncing) ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *old, const char *new)
{
    return fails(&renaming) ? -1 : __real_rename(old, new);
}

int __wrap_close(int fd)
{
    int result = __real_close(fd);
    return fails(&closing) ? -1 : result;
}

gpointer __wrap_g_try_malloc(gsize bytes)
{
    return fails(&allocating) ? NULL : __real_g_try_malloc(bytes);
}

/* ---- writing ---- */

static char *folder, *path;

static int make_folder(void **state)
{
    no_faults();
    folder = g_dir_make_tmp("pix-faults-XXXXXX", NULL);
    path = g_build_filename(folder, "file", NULL);
    return g_file_set_contents(path, "before", -1, NULL) ? 0 : 1;
}

static int remove_folder(void **state)
{
    no_faults();
    g_remove(path);
    g_rmdir(folder);
    g_clear_pointer(&path, g_free);
    g_clear_pointer(&folder, g_free);
    return 0;
}

static bool fill(gpointer user_data, guint index, void *bytes, GError **error)
{
    memset(bytes, (int)index + 1, 1000);
    return true;
}

static bool write_two(GError **error)
{
    static const PixTensorSource tensors[] = {
        {.name = "a", .dtype = PIX_DTYPE_U8, .rank = 1, .dims = {1000}},
        {.name = "b", .dtype = PIX_DTYPE_U8, .rank = 2, .dims = {10, 100}},
    };
    return pix_safetensors_write(path, tensors, 2, NULL, fill, NULL, error);
}

/* The file is as it was and there is nothing beside it. */
static void check_untouched(void)
{
    g_autofree char *contents = NULL;
    no_faults();
    assert_true(g_file_get_contents(path, &contents, NULL, NULL));
    assert_string_equal(contents, "before");
    GDir *listing = g_dir_open(folder, 0, NULL);
    assert_string_equal(g_dir_read_name(listing), "file");
    assert_null(g_dir_read_name(listing));
    g_dir_close(listing);
}

static void check_written(void)
{
    float values[1000];
    no_faults();
    PixContainer *container = pix_container_open(path, NULL);
    assert_non_null(container);
    assert_int_equal(pix_container_get_n_entries(container), 2);
    for (guint i = 0; i < 2; i++) {
        assert_true(
            pix_container_read(container, pix_container_get_entry(container, i), values, NULL));
        for (guint j = 0; j < 1000; j++)
            assert_true(values[j] == (float)i + 1);
    }
    pix_container_free(container);
}

static void check_refused(const char *text)
{
    g_autoptr(GError) error = NULL;
    assert_false(write_two(&error));
    assert_true(g_str_has_prefix(error->message, path));
    check_error(&error, PIX_ERROR_IO, text);
    check_untouched();
}

static void test_disk_full(void **state)
{
    for (guint k = 1; k <= 3; k++) {
        writing = (Fault){.fail_at = k, .reason = ENOSPC};
        check_refused(": 2136 bytes cannot be written: No space left on device");
    }
    writing = (Fault){.fail_at = 4, .reason = ENOSPC};
    assert_true(write_two(NULL));
    check_written();
}

static void test_pieces(void **state)
{
    writing = reading = (Fault){.pieces = true};
    syncing = (Fault){.fail_at = 1, .reason = EINTR};
    assert_true(write_two(NULL));
    assert_true(writing.calls > 4000);
    assert_int_equal(syncing.calls, 3);
    check_written();
}

static void test_full_within_a_tensor(void **state)
{
    writing = (Fault){.pieces = true, .fail_at = 2000, .reason = EDQUOT};
    check_refused("bytes cannot be written: Disk quota exceeded");
}

static void test_lost_writes(void **state)
{
    writing = (Fault){.lies = true};
    check_refused("bytes cannot be written");
}

static void test_flush(void **state)
{
    syncing = (Fault){.fail_at = 1, .reason = EIO};
    check_refused("bytes cannot be written: Input/output error");
    syncing = (Fault){.fail_at = 2, .reason = EINVAL}; /* a folder that cannot be flushed */
    assert_true(write_two(NULL));
    check_written();
    syncing = (Fault){.fail_at = 2, .reason = EIO};
    assert_false(write_two(NULL));
    check_written();
}

static void test_reads_back(void **state)
{
    reading = (Fault){.lies = true};
    check_refused("reads back other bytes");
    reading = (Fault){.fail_at = 1, .reason = EIO};
    check_refused("cannot be read: Input/output error");
}

static void test_rename(void **state)
{
    renaming = (Fault){.fail_at = 1, .reason = EACCES};
    check_refused("bytes cannot be written: Permission denied");
}

static void test_close(void **state)
{
    closing = (Fault){.fail_at = 1, .reason = EIO};
    check_refused("bytes cannot be written: Input/output error");
}

static void test_no_memory_to_write(void **state)
{
    guint failures = 0;
    for (guint k = 1;; k++) {
        g_autoptr(GError) error = NULL;
        allocating = (Fault){.fail_at = k};
        if (write_two(&error))
            break;
        assert_true(g_str_has_prefix(error->message, path));
        check_error(&error, PIX_ERROR_NO_MEMORY, "memory");
        check_untouched();
        failures++;
    }
    assert_int_equal(failures, 3); /* two tensors, and the header that is read back */
    check_written();
}

/* ---- reading ---- */

static const char *const files[] = {"nested-zip.pth",
                                    "nested-legacy.pth",
                                    "strides-zip.pth",
                                    "types-legacy.pth",
                                    "newest.pth",
                                    "affinelayer.pict",
                                    "nested-zip.expected.safetensors"};

/* Opens and reads a file with the faults that are set. Returns: its values, added up. */
static double use_file(const char *name, GError **error)
{
    g_autofree char *golden = g_build_filename(GOLDEN_CONTAINERS, name, NULL);
    PixContainer *container = pix_container_open(golden, error);
    double sum = 0;
    for (guint i = 0; container && !*error && i < pix_container_get_n_entries(container); i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        g_autofree float *values = g_new(float, entry->count);
        if (pix_container_read(container, entry, values, error))
            for (guint64 j = 0; j < entry->count; j++)
                if (values[j] > -1e6f && values[j] < 1e6f)
                    sum += values[j];
    }
    pix_container_free(container);
    return sum;
}

static void test_short_reads(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GError) error = NULL;
        no_faults();
        double wanted = use_file(files[i], &error);
        assert_null(error);
        reading.pieces = true;
        assert_true(use_file(files[i], &error) == wanted);
        assert_null(error);
    }
}

static void test_failing_reads(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        guint failures = 0;
        for (guint k = 1;; k++) {
            g_autoptr(GError) error = NULL;
            no_faults();
            reading = (Fault){.fail_at = k, .reason = EIO};
            use_file(files[i], &error);
            if (reading.calls < k)
                break;
            assert_non_null(error);
            assert_non_null(strstr(error->message, files[i]));
            failures++;
        }
        assert_true(failures > 3);
    }
}

/* libzip and small blocks go another way: GLib ends the program where those fail. */
static void test_no_memory_to_read(void **state)
{
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        guint failures = 0;
        for (guint k = 1;; k++) {
            g_autoptr(GError) error = NULL;
            no_faults();
            allocating.fail_at = k;
            use_file(files[i], &error);
            if (allocating.calls < k)
                break;
            assert_non_null(strstr(error->message, files[i]));
            check_error(&error, PIX_ERROR_NO_MEMORY, "memory");
            failures++;
        }
        assert_true(failures >= 2);
    }
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_disk_full),
        IN_FOLDER(test_pieces),
        IN_FOLDER(test_full_within_a_tensor),
        IN_FOLDER(test_lost_writes),
        IN_FOLDER(test_flush),
        IN_FOLDER(test_reads_back),
        IN_FOLDER(test_rename),
        IN_FOLDER(test_close),
        IN_FOLDER(test_no_memory_to_write),
        cmocka_unit_test(test_short_reads),
        cmocka_unit_test(test_failing_reads),
        cmocka_unit_test(test_no_memory_to_read),
    };
    return cmocka_run_group_tests_name("io-faults", tests, NULL, NULL);
}
