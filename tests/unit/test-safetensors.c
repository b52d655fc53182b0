/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files.h"

#include "safetensors.h"

#include <glib/gstdio.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder; /* of each test, empty at its start */

static int make_folder(void **state)
{
    folder = g_dir_make_tmp("pix-safetensors-XXXXXX", NULL);
    return folder ? 0 : 1;
}

static guint count_files(void)
{
    GDir *listing = g_dir_open(folder, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(listing))
        n++;
    g_dir_close(listing);
    return n;
}

static int remove_folder(void **state)
{
    GDir *listing = g_dir_open(folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(listing))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_remove(path);
    }
    g_dir_close(listing);
    g_rmdir(folder);
    g_clear_pointer(&folder, g_free);
    return 0;
}

static GBytes *make(const char *header, size_t data_bytes)
{
    guint64 length = GUINT64_TO_LE(strlen(header));
    GByteArray *file = g_byte_array_new();
    g_byte_array_append(file, (const guint8 *)&length, sizeof length);
    g_byte_array_append(file, (const guint8 *)header, (guint)strlen(header));
    for (size_t i = 0; i < data_bytes; i++)
        g_byte_array_append(file, (guint8[]){(guint8)i}, 1);
    return g_byte_array_free_to_bytes(file);
}

static PixContainer *open_header(const char *header, size_t data_bytes, GError **error)
{
    g_autoptr(GBytes) file = make(header, data_bytes);
    return pix_container_open_bytes(file, "file", error);
}

static void refuse(const char *header, size_t data_bytes, int code, const char *text)
{
    GError *error = NULL;
    assert_null(open_header(header, data_bytes, &error));
    check_error(&error, code, text);
}

/* The headers that the reference implementation's tests accept. */
static void test_accepted(void **state)
{
    static const struct {
        const char *header;
        size_t data_bytes;
        guint n;
    } cases[] = {
        {"{}", 0, 0},
        {"\n{}\r \t", 0, 0},
        {"   {}", 0, 0},
        {"{\"test\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 16, 1},
        {"{\"test\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}       ", 16, 1},
        {"{\"test\":{\"dtype\":\"I32\",\"shape\":[2,0],\"data_offsets\":[0, 0]}}", 0, 1},
        {"{\"test\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, 1},
        {"{\"__metadata__\":{\"framework\":\"pt\"},\"t\":{\"data_offsets\":[0,2],\"shape\":[1],"
         "\"dtype\":\"BF16\"}}",
         2, 1},
        {"{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[5,8]},\"a\":{\"dtype\":\"U8\","
         "\"shape\":[5],\"data_offsets\":[0,5]},\"e\":{\"dtype\":\"F64\",\"shape\":[0],"
         "\"data_offsets\":[5,5]}}",
         8, 3},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        PixContainer *container = open_header(cases[i].header, cases[i].data_bytes, &error);
        if (!container)
            fail_msg("%s: %s", cases[i].header, error->message);
        assert_int_equal(pix_container_get_n_entries(container), cases[i].n);
        assert_string_equal(pix_container_get_format(container), "safetensors");
        pix_container_free(container);
    }
}

static void test_names(void **state)
{
    PixContainer *container = open_header(
        "{\"__metadata__\":{\"k\\n\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\","
        "\"\":\"\"},"
        "\"\\u0061.\xc3\xa9 \\ud83d\\ude00\":{\"dtype\":\"I8\",\"shape\":[1,2],"
        "\"data_offsets\":[0,2]}}",
        2, NULL);
    assert_non_null(container);
    const PixEntry *entry = pix_container_find(container, "", "a.\xc3\xa9 \xf0\x9f\x98\x80");
    assert_non_null(entry);
    assert_int_equal(entry->rank, 2);
    assert_int_equal(entry->dims[1], 2);
    assert_null(pix_container_find(container, "x", entry->name));
    assert_null(pix_container_find(container, "", "a"));
    assert_int_equal(pix_container_get_n_others(container), 0);
    GHashTable *metadata = pix_container_get_metadata(container);
    assert_int_equal(g_hash_table_size(metadata), 2);
    assert_string_equal(g_hash_table_lookup(metadata, "k\n"),
                        "\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80");
    float values[2];
    assert_true(pix_container_read(container, entry, values, NULL));
    assert_true(values[0] == 0 && values[1] == 1);
    pix_container_free(container);
}

static void test_limits(void **state)
{
    g_autofree char *name = g_strnfill(256, 'n');
    g_autofree char *longest =
        g_strdup_printf("{\"%s\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,281474976710655,0],"
                        "\"data_offsets\":[0,0]}}",
                        name);
    refuse(longest, 0, PIX_ERROR_BAD_CHECKPOINT, "more than 8 integers");
    char *nine = strstr(longest, "1,1,");
    memcpy(nine, "  1,", 4);
    PixContainer *container = open_header(longest, 0, NULL);
    assert_non_null(container);
    assert_int_equal(pix_container_get_entry(container, 0)->rank, 8);
    pix_container_free(container);

    for (guint n = 65536; n <= 65537; n++) {
        GString *header = g_string_new("{");
        for (guint i = 0; i < n; i++)
            g_string_append_printf(
                header, "%s\"%u\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
                i ? "," : "", i);
        g_string_append_c(header, '}');
        if (n > 65536)
            refuse(header->str, 0, PIX_ERROR_BAD_CHECKPOINT, "more than 65536 tensors");
        else {
            container = open_header(header->str, 0, NULL);
            assert_int_equal(pix_container_get_n_entries(container), n);
            pix_container_free(container);
        }
        g_string_free(header, TRUE);
    }
    GString *header = g_string_new("{\"__metadata__\":{");
    for (guint i = 0; i < 65537; i++)
        g_string_append_printf(header, "%s\"%u\":\"\"", i ? "," : "", i);
    g_string_append(header, "}}");
    refuse(header->str, 0, PIX_ERROR_BAD_CHECKPOINT, "more than 65536 entries in __metadata__");
    g_string_free(header, TRUE);
}

/* The largest header that the file says it has is never allocated before the file is that long. */
static void test_header_length(void **state)
{
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autoptr(GError) error = NULL;
    assert_true(g_file_set_contents(path, "\x00\xe1\xf5\x05\0\0\0\0{", 9, NULL)); /* 100 million */
    assert_null(pix_container_open(path, &error));
    check_error(&error, PIX_ERROR_BAD_CHECKPOINT, "cut off");
    assert_true(g_file_set_contents(path, "\x01\xe1\xf5\x05\0\0\0\0{", 9, NULL));
    assert_null(pix_container_open(path, &error));
    check_error(&error, PIX_ERROR_BAD_CHECKPOINT, "at most 100000000");
}

static void test_cut_and_changed(void **state)
{
    g_autoptr(GBytes) file = make("{\"__metadata__\":{\"a\":\"\\u00e9\"},\"t\":{\"dtype\":\"F16\","
                                  "\"shape\":[2,3],\"data_offsets\":[0,12]},\"u\":{\"dtype\":"
                                  "\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}",
                                  16);
    check_cut_and_changed(file);
}

/* Values need not be numbers; only who runs a model cares. */
static void test_nan_is_legal(void **state)
{
    static const char header[] = "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    g_autofree char *file = g_strdup_printf("%c%7s%s1234", (int)strlen(header), "", header);
    memset(file + 1, 0, 7);
    memcpy(file + 8 + strlen(header), "\0\0\xc0\x7f", 4);
    PixContainer *container = open_data(file, 12 + strlen(header), NULL);
    float value = 0;
    assert_true(pix_container_read(container, pix_container_get_entry(container, 0), &value, NULL));
    assert_true(isnan(value));
    pix_container_free(container);
}

/* ---- files on a disk ---- */

static void test_not_files(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = g_build_filename(folder, "missing", NULL);
    assert_null(pix_container_open(missing, &error));
    assert_true(g_str_has_prefix(error->message, missing));
    check_error(&error, PIX_ERROR_NOT_FOUND, ": cannot be opened");
    assert_null(pix_container_open(folder, &error));
    check_error(&error, PIX_ERROR_IO, "is a folder");
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_null(pix_container_open(fifo, &error));
    check_error(&error, PIX_ERROR_IO, "is a pipe or device");
    assert_null(pix_container_open("/dev/null", &error));
    check_error(&error, PIX_ERROR_IO, "is a pipe or device");
    assert_int_equal(g_chmod(folder, 0), 0);
    g_autofree char *inside = g_build_filename(folder, "inside", NULL);
    assert_null(pix_container_open(inside, &error));
    assert_true(error->code == PIX_ERROR_IO ||
                (geteuid() == 0 && error->code == PIX_ERROR_NOT_FOUND));
    g_chmod(folder, 0700);
}

/* Somebody truncates the file while it is open: an error, not a crash. */
static void test_shrinking_file(void **state)
{
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autoptr(GBytes) file =
        make("{\"t\":{\"dtype\":\"U8\",\"shape\":[100000],\"data_offsets\":[0,100000]}}", 100000);
    gsize size;
    const char *data = g_bytes_get_data(file, &size);
    assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
    PixContainer *container = pix_container_open(path, NULL);
    assert_int_equal(truncate(path, 50000), 0);
    g_autofree float *values = g_new(float, 100000);
    g_autoptr(GError) error = NULL;
    assert_false(
        pix_container_read(container, pix_container_get_entry(container, 0), values, &error));
    check_error(&error, PIX_ERROR_IO, "tensor t became shorter");
    pix_container_free(container);
}

/* ---- writing ---- */

static const PixTensorSource two[] = {
    {.name = "model.weight", .dtype = PIX_DTYPE_F32, .rank = 2, .dims = {1, 2}},
    {.name = "a \"b\" \\ \xc3\xa9", .dtype = PIX_DTYPE_I8, .rank = 1, .dims = {3}},
};

typedef struct {
    guint calls, fail_at;
} Filler;

static bool fill(gpointer user_data, guint index, void *bytes, GError **error)
{
    Filler *filler = user_data;
    assert_int_equal(filler->calls, index);
    if (++filler->calls == filler->fail_at) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE, "no values");
        return false;
    }
    if (index == 0)
        memcpy(bytes, "\0\0\x80\x3f\0\0\0\xc0", 8);
    else
        memcpy(bytes, "\1\2\3", 3);
    return true;
}

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void test_written_bytes(void **state)
{
    static const char header[] =
        "{\"__metadata__\":{\"a\":\"tab\\u0009\",\"b\":\"\\\"\\\\\"},"
        "\"model.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
        "\"a \\\"b\\\" \\\\ \xc3\xa9\":{\"dtype\":\"I8\",\"shape\":[3],\"data_offsets\":[8,11]}}";
    g_autofree char *path = path_of("file");
    g_autofree char *contents = NULL;
    g_autoptr(GHashTable) metadata = g_hash_table_new(g_str_hash, g_str_equal);
    Filler filler = {0};
    gsize size;
    g_hash_table_insert(metadata, (gpointer) "b", (gpointer) "\"\\");
    g_hash_table_insert(metadata, (gpointer) "a", (gpointer) "tab\t");
    assert_true(pix_safetensors_write(path, two, 2, metadata, fill, &filler, NULL));
    assert_int_equal(filler.calls, 2);
    assert_int_equal(count_files(), 1);

    size_t padded = (strlen(header) + 7) / 8 * 8;
    assert_true(g_file_get_contents(path, &contents, &size, NULL));
    assert_int_equal(size, 8 + padded + 11);
    guint64 length;
    memcpy(&length, contents, 8);
    assert_int_equal(GUINT64_FROM_LE(length), padded);
    assert_memory_equal(contents + 8, header, strlen(header));
    for (size_t i = strlen(header); i < padded; i++)
        assert_int_equal(contents[8 + i], ' ');
    assert_memory_equal(contents + 8 + padded, "\0\0\x80\x3f\0\0\0\xc0\1\2\3", 11);

    PixContainer *container = pix_container_open(path, NULL);
    assert_string_equal(g_hash_table_lookup(pix_container_get_metadata(container), "a"), "tab\t");
    float values[2];
    assert_true(pix_container_read(container, pix_container_find(container, "", "model.weight"),
                                   values, NULL));
    assert_true(values[0] == 1 && values[1] == -2);
    pix_container_free(container);
}

static void test_nothing_to_write(void **state)
{
    g_autofree char *path = path_of("file");
    g_autofree char *contents = NULL;
    gsize size;
    assert_true(pix_safetensors_write(path, NULL, 0, NULL, NULL, NULL, NULL));
    assert_true(g_file_get_contents(path, &contents, &size, NULL));
    assert_int_equal(size, 16);
    assert_memory_equal(contents, "\x08\0\0\0\0\0\0\0{}      ", 16);
}

static void test_mode_follows_umask(void **state)
{
    g_autofree char *path = path_of("file");
    struct stat info;
    mode_t old = umask(027);
    assert_true(pix_safetensors_write(path, NULL, 0, NULL, NULL, NULL, NULL));
    assert_int_equal(umask(old), 027);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

/* The file stays what it was, and nothing is left beside it. */
static void test_failing_fill(void **state)
{
    g_autofree char *path = path_of("file");
    for (guint fail_at = 1; fail_at <= 2; fail_at++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *contents = NULL;
        Filler filler = {.fail_at = fail_at};
        assert_true(g_file_set_contents(path, "before", -1, NULL));
        assert_false(pix_safetensors_write(path, two, 2, NULL, fill, &filler, &error));
        check_error(&error, PIX_ERROR_BAD_SHAPE, "no values");
        assert_true(g_file_get_contents(path, &contents, NULL, NULL));
        assert_string_equal(contents, "before");
        assert_int_equal(count_files(), 1);
    }
}

static void test_links_and_devices(void **state)
{
    g_autofree char *path = path_of("file"), *link_ = path_of("link");
    g_autoptr(GError) error = NULL;
    assert_true(g_file_set_contents(path, "before", -1, NULL));
    assert_int_equal(symlink("file", link_), 0);
    assert_true(pix_safetensors_write(link_, NULL, 0, NULL, NULL, NULL, NULL));
    assert_true(g_file_test(link_, G_FILE_TEST_IS_SYMLINK));
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 16);

    assert_false(pix_safetensors_write("/dev/null", NULL, 0, NULL, NULL, NULL, &error));
    check_error(&error, PIX_ERROR_IO, "/dev/null: is a pipe or device");
    assert_false(pix_safetensors_write(folder, NULL, 0, NULL, NULL, NULL, &error));
    check_error(&error, PIX_ERROR_IO, "is a folder");
    g_autofree char *nowhere = g_build_filename(folder, "missing", "file", NULL);
    assert_false(pix_safetensors_write(nowhere, NULL, 0, NULL, NULL, NULL, &error));
    assert_true(g_str_has_prefix(error->message, nowhere));
    check_error(&error, PIX_ERROR_IO, "16 bytes cannot be written: No such file");
}

/* What our own reader would refuse is not written. */
static void test_unreadable(void **state)
{
    g_autofree char *path = path_of("file");
    g_autoptr(GError) error = NULL;
    PixTensorSource same[] = {two[0], two[0]};
    assert_false(pix_safetensors_write(path, same, 2, NULL, fill, NULL, &error));
    check_error(&error, PIX_ERROR_BAD_CHECKPOINT, "'model.weight' is there twice");
    PixTensorSource large = {
        .name = "t", .dtype = PIX_DTYPE_F32, .rank = 2, .dims = {G_MAXUINT32, G_MAXUINT32}};
    assert_false(pix_safetensors_write(path, &large, 1, NULL, fill, NULL, &error));
    check_error(&error, PIX_ERROR_IO, "too large");
    assert_int_equal(count_files(), 0);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_limits),
        IN_FOLDER(test_header_length),
        cmocka_unit_test(test_cut_and_changed),
        cmocka_unit_test(test_nan_is_legal),
        IN_FOLDER(test_not_files),
        IN_FOLDER(test_shrinking_file),
        IN_FOLDER(test_written_bytes),
        IN_FOLDER(test_nothing_to_write),
        IN_FOLDER(test_mode_follows_umask),
        IN_FOLDER(test_failing_fill),
        IN_FOLDER(test_links_and_devices),
        IN_FOLDER(test_unreadable),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
