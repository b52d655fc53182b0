/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files.h"
#include "sanitized.h"

#include "pickle.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

static void test_cut_and_changed(void **state)
{
    static const char *const files[] = {"plain-zip.pth",    "newest.pth",         "wide.pth",
                                        "plain-legacy.pth", "strides-legacy.pth", "python2.pth"};
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GBytes) bytes = golden_file(files[i]);
        check_cut_and_changed(bytes);
    }
}

/* A wrong storage is wrong every time, and the others are fine. */
static void test_one_bad_storage(void **state)
{
    g_autoptr(GBytes) bytes = golden_file("plain-zip.pth");
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    g_autofree guint8 *changed = g_memdup2(data, size);
    /* The first storage's data follow its padded header. */
    const guint8 *header = memmem(data, size, "/data/0FB", 9);
    assert_non_null(header);
    size_t at = (size_t)(header - data) + 9;
    at += 2 + (size_t)(data[at] | data[at + 1] << 8);
    changed[at] ^= 1;

    g_autoptr(GError) error = NULL;
    PixContainer *container = open_data(changed, size, &error);
    assert_non_null(container);
    const PixEntry *entry = pix_container_find(container, "", "conv.weight");
    g_autofree float *values = g_new(float, entry->count);
    for (int i = 0; i < 2; i++) {
        assert_false(pix_container_read(container, entry, values, &error));
        check_error(&error, PIX_ERROR_BAD_CHECKPOINT,
                    "file: tensor conv.weight has a wrong checksum");
    }
    entry = pix_container_find(container, "", "norm.running_mean");
    assert_true(pix_container_read(container, entry, values, NULL));
    assert_true(pix_container_read(container, entry, values, NULL));
    pix_container_free(container);
}

static void check_named(const char *golden, const char *name, const char *format)
{
    g_autofree char *folder = g_dir_make_tmp("pix-pth-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GBytes) bytes = golden_file(golden);
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
    PixContainer *container = pix_container_open(path, NULL);
    assert_non_null(container);
    assert_string_equal(pix_container_get_format(container), format);
    pix_container_free(container);
    g_remove(path);
    g_rmdir(folder);
}

/* The content says what a file is, whatever its name says. */
static void test_names_do_not_count(void **state)
{
    check_named("plain-zip.pth", "model.safetensors", "pytorch-zip");
    check_named("plain-legacy.pth", "model.pict", "pytorch-legacy");
    check_named("plain-zip.expected.safetensors", "model.pth", "safetensors");
    check_named("affinelayer.pict", "model", "pict");
}

static void test_explain(void **state)
{
    g_autoptr(GBytes) zip = golden_file("long-text.pth");
    PixContainer *container = pix_container_open_bytes(zip, "file", NULL);
    assert_non_null(container);
    assert_int_equal(pix_container_get_n_others(container), 1);
    const PixOther *other = pix_container_get_other(container, 0);
    assert_string_equal(other->group, "");
    assert_string_equal(other->name, "config");
    assert_string_equal(other->what, "a long string");
    pix_container_free(container);
}

/* ---- bounds ---- */

/* A literal with NUL in it. */
#define APPEND(string, text) g_string_append_len(string, text, sizeof(text) - 1)

/* A PyTorch legacy file of @object, without storages. */
static GBytes *make_legacy(const GString *object)
{
    static const char start[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
                                "\x80\x02M\xe9\x03.\x80\x02}U\x0dlittle_endian\x88s.";
    GByteArray *file = g_byte_array_new();
    g_byte_array_append(file, (const guint8 *)start, sizeof start - 1);
    g_byte_array_append(file, (const guint8 *)object->str, (guint)object->len);
    g_byte_array_append(file, (const guint8 *)"\x80\x02].", 4);
    return g_byte_array_free_to_bytes(file);
}

static void refuse_object(GString *object, int code, const char *text)
{
    g_autoptr(GBytes) file = make_legacy(object);
    gsize size;
    const void *data = g_bytes_get_data(file, &size);
    gint64 before = g_get_monotonic_time();
    refuse_data(data, size, code, text);
    assert_true(is_sanitized() || g_get_monotonic_time() - before < 5 * G_USEC_PER_SEC);
    g_string_free(object, TRUE);
}

/* Peak resident memory of this process, in KiB. */
static guint64 peak_memory(void)
{
    g_autofree char *status = NULL;
    g_file_get_contents("/proc/self/status", &status, NULL, NULL);
    const char *line = status ? strstr(status, "VmHWM:") : NULL;
    return line ? g_ascii_strtoull(line + 6, NULL, 10) : 0;
}

/* A dict of ten times the same dict of ten times the same dict ... */
static void test_billion_laughs(void **state)
{
    GString *object = g_string_new("\x80\x02}");
    for (guint depth = 0; depth < 50; depth++) {
        /* Puts the dict on top into a new one, ten times. */
        g_string_append_printf(object, "r%c", (int)depth);
        APPEND(object, "\0\0\0"
                       "0}(");
        for (guint i = 0; i < 10; i++) {
            g_string_append_printf(object, "U\x01%cj%c", 'a' + (int)i, (int)depth);
            APPEND(object, "\0\0\0");
        }
        g_string_append_c(object, 'u');
    }
    g_string_append_c(object, '.');
    guint64 before = peak_memory();
    refuse_object(object, PIX_ERROR_BAD_CHECKPOINT, "too many Python objects");
    assert_true(is_sanitized() || peak_memory() - before < 64 * 1024);
    assert_true(before > 0);
}

static void append_storage(GString *object, const char *key, guint32 numel)
{
    g_string_append(object, "(U\x07storagectorch\nByteStorage\nX");
    guint32 le = GUINT32_TO_LE((guint32)strlen(key));
    g_string_append_len(object, (const char *)&le, 4);
    g_string_append(object, key);
    le = GUINT32_TO_LE(numel);
    g_string_append(object, "U\x03"
                            "cpuJ");
    g_string_append_len(object, (const char *)&le, 4);
    g_string_append(object, "tQ");
}

/* ---- names: few bytes that lead to many places ---- */

static void append_text(GString *object, const char *text)
{
    guint32 le = GUINT32_TO_LE((guint32)strlen(text));
    g_string_append_c(object, 'X');
    g_string_append_len(object, (const char *)&le, 4);
    g_string_append(object, text);
}

/* The value on top, @copies times in a dict, whose keys are @length bytes long. */
static void wrap(GString *object, guint copies, guint length)
{
    APPEND(object, "r\0\0\0\0"
                   "0}(");
    for (guint i = 0; i < copies; i++) {
        g_autofree char *key = g_strdup_printf("%0*u", (int)length, i);
        append_text(object, key);
        APPEND(object, "j\0\0\0\0");
    }
    g_string_append_c(object, 'u');
}

/* Opens @object, which is cleared, and looks at what that took. Returns: (nullable). */
static PixContainer *open_within_bounds(GString *object, const char *storages, size_t n,
                                        GError **error)
{
    g_string_append_c(object, '.');
    g_autoptr(GBytes) legacy = make_legacy(object);
    g_string_free(object, TRUE);
    gsize size;
    const guint8 *data = g_bytes_get_data(legacy, &size);
    /* What follows the object says that there are no storages: perhaps there are. */
    g_autofree guint8 *whole = g_malloc(size + n);
    memcpy(whole, data, size);
    if (n > 0)
        memcpy(whole + size - 1, storages, n);
    guint64 before = peak_memory();
    gint64 start = g_get_monotonic_time();
    PixContainer *container = open_data(whole, n > 0 ? size - 1 + n : size, error);
    assert_true(is_sanitized() || g_get_monotonic_time() - start < 2 * G_USEC_PER_SEC);
    assert_true(is_sanitized() || peak_memory() - before < 64 * 1024);
    return container;
}

/* Long keys that lead to half a million things that are no tensors. */
static void test_many_others(void **state)
{
    static const struct {
        guint copies[3], length;
    } shapes[] = {{{1, 700, 700}, 200}, {{900, 1, 700}, 240}, {{800, 800, 1}, 250}};
    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
        GString *object = g_string_new("\x80\x02"
                                       "cbuiltins\ncomplex\n)R");
        for (guint j = 0; j < 3; j++)
            wrap(object, shapes[i].copies[j], shapes[i].length);
        wrap(object, 1, 250);
        GError *error = NULL;
        PixContainer *container = open_within_bounds(object, NULL, 0, &error);
        if (container) {
            assert_true(pix_container_get_n_others(container) > 0);
            assert_true(pix_container_get_n_others(container) <= PIX_MAX_OTHERS);
        } else
            check_error(&error, PIX_ERROR_BAD_CHECKPOINT, "too many Python objects");
        pix_container_free(container);
    }
}

/* The same with one tensor at all the places. */
static void test_many_places(void **state)
{
    GString *object = g_string_new("\x80\x02"
                                   "ctorch._utils\n_rebuild_tensor\n(");
    append_storage(object, "0", 0);
    APPEND(object, "K\0(K\0t(K\x01ttR");
    wrap(object, 1, 200);
    wrap(object, 250, 200);
    wrap(object, 250, 200);
    wrap(object, 1, 250);
    static const char storages[] = "U\x01"
                                   "0a.\0\0\0\0\0\0\0";
    GError *error = NULL;
    assert_null(open_within_bounds(object, storages, sizeof storages, &error));
    check_error(&error, PIX_ERROR_BAD_CHECKPOINT, "too many Python objects");
}

/* Things beside the weights that have no name that a weight could have. */
static void test_unnamed(void **state)
{
    GString *object = g_string_new("\x80\x02"
                                   "ctorch._utils\n_rebuild_tensor\n(");
    append_storage(object, "0", 0);
    APPEND(object, "K\0(K\0t(K\x01ttRr\0\0\0\0"
                   "0}("
                   "U\x01"
                   "aj\0\0\0\0" /* the only good one */
                   "K\x07j\0\0\0\0"
                   "K\x01K\x02\x86j\0\0\0\0" /* (1, 2) */
                   "Nj\0\0\0\0"
                   "G\0\0\0\0\0\0\0\0j\0\0\0\0"
                   "U\x03"
                   "a\nbj\0\0\0\0"
                   "U\x01\xffj\0\0\0\0");
    g_autofree char *longer = g_strnfill(PIX_MAX_NAME + 1, 'k');
    append_text(object, longer);
    APPEND(object, "j\0\0\0\0u");
    static const char storages[] = "U\x01"
                                   "0a.\0\0\0\0\0\0\0";
    PixContainer *container = open_within_bounds(object, storages, sizeof storages, NULL);
    assert_non_null(container);
    assert_int_equal(pix_container_get_n_entries(container), 2);
    assert_non_null(pix_container_find(container, "", "a"));
    assert_non_null(pix_container_find(container, "", "7"));
    pix_container_free(container);
}

static void test_many_storages(void **state)
{
    GString *object = g_string_new("\x80\x02");
    for (guint i = 0; i < 65537; i++) {
        g_autofree char *key = g_strdup_printf("%u", i);
        append_storage(object, key, 0);
        g_string_append_c(object, '0');
    }
    g_string_append(object, "}.");
    refuse_object(object, PIX_ERROR_BAD_CHECKPOINT, "too many storages");
}

static void test_many_tensors(void **state)
{
    GString *object = g_string_new("\x80\x02"
                                   "ctorch._utils\n_rebuild_tensor\n(");
    append_storage(object, "0", 0);
    APPEND(object, "K\x00(K\x00t(K\x01ttRq\x00"
                   "0}(");
    for (guint i = 0; i < 65537; i++) {
        gint32 le = (gint32)GUINT32_TO_LE(i);
        g_string_append_c(object, 'J');
        g_string_append_len(object, (const char *)&le, 4);
        APPEND(object, "h\x00");
    }
    g_string_append(object, "u.");
    g_autoptr(GBytes) file = make_legacy(object);
    g_string_free(object, TRUE);
    /* The list of keys names the one storage, which has no elements. */
    gsize size;
    const guint8 *data = g_bytes_get_data(file, &size);
    g_autofree guint8 *whole = g_malloc(size + 12);
    memcpy(whole, data, size);
    memcpy(whole + size - 1,
           "U\x01"
           "0a.\0\0\0\0\0\0\0\0",
           13);
    refuse_data(whole, size + 12, PIX_ERROR_BAD_CHECKPOINT, "more than 65536 tensors");
}

/* A zip archive of one stored entry without data, which lie in a hole of the file. */
static void write_sparse_zip(const char *path, const char *name, guint32 size)
{
    size_t n = strlen(name);
    guint32 le = GUINT32_TO_LE(size);
    guint8 local[30] = "PK\3\4", central[46] = "PK\1\2", end[22] = "PK\5\6";
    memcpy(local + 18, &le, 4);
    memcpy(local + 22, &le, 4);
    memcpy(central + 20, &le, 4);
    memcpy(central + 24, &le, 4);
    local[26] = central[28] = (guint8)n;
    end[8] = end[10] = 1;
    end[12] = (guint8)(46 + n);
    le = GUINT32_TO_LE((guint32)(30 + n + size));
    memcpy(end + 16, &le, 4);

    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, local, 30, 0), 30);
    assert_int_equal(pwrite(fd, name, n, 30), n);
    off_t at = (off_t)(30 + n + size);
    assert_int_equal(pwrite(fd, central, 46, at), 46);
    assert_int_equal(pwrite(fd, name, n, at + 46), n);
    assert_int_equal(pwrite(fd, end, 22, at + 46 + (off_t)n), 22);
    close(fd);
}

static void test_large_parts(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("pix-pth-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autoptr(GError) error = NULL;

    write_sparse_zip(path, "a/data.pkl", PICKLE_MAX_BYTES + 1);
    assert_null(pix_container_open(path, &error));
    check_error(&error, PIX_ERROR_BAD_CHECKPOINT, "a pickle of 16777217 bytes");
    write_sparse_zip(path, "a/data.pkl", PICKLE_MAX_BYTES);
    assert_null(pix_container_open(path, &error));
    check_error(&error, PIX_ERROR_BAD_CHECKPOINT, "checksum");

    /* A directory of 64 MiB and a byte: mostly a hole of the file. */
    guint8 end[22] = "PK\5\6\0\0\0\0\1\0\1\0\1\0\0\4\0\0\0";
    enum { DIRECTORY = 64 * 1024 * 1024 + 1 };
    int fd = open(path, O_WRONLY | O_TRUNC, 0600);
    assert_int_equal(pwrite(fd, "PK\3\4", 4, 0), 4);
    guint32 le = GUINT32_TO_LE(4);
    memcpy(end + 16, &le, 4);
    assert_int_equal(pwrite(fd, end, 22, 4 + DIRECTORY), 22);
    close(fd);
    assert_null(pix_container_open(path, &error));
    check_error(&error, PIX_ERROR_BAD_CHECKPOINT, "a directory of 67108865 bytes");

    /* A legacy file whose object goes on for more than may be read. */
    GString *object = g_string_new("\x80\x02X");
    le = GUINT32_TO_LE(20 * 1024 * 1024);
    g_string_append_len(object, (const char *)&le, 4);
    g_autoptr(GBytes) file = make_legacy(object);
    g_string_free(object, TRUE);
    gsize size;
    const char *data = g_bytes_get_data(file, &size);
    assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
    assert_int_equal(truncate(path, 21 * 1024 * 1024), 0);
    assert_null(pix_container_open(path, &error));
    check_error(&error, PIX_ERROR_BAD_CHECKPOINT, "a pickle of more than 16777216 bytes");
    g_remove(path);
    g_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_and_changed),
        cmocka_unit_test(test_one_bad_storage),
        cmocka_unit_test(test_names_do_not_count),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_billion_laughs),
        cmocka_unit_test(test_many_storages),
        cmocka_unit_test(test_many_tensors),
        cmocka_unit_test(test_large_parts),
        cmocka_unit_test(test_many_others),
        cmocka_unit_test(test_many_places),
        cmocka_unit_test(test_unnamed),
    };
    return cmocka_run_group_tests_name("pth", tests, NULL, NULL);
}
