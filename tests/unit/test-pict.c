/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files.h"

/* A file of these chunks; the codebook's value i is i / 4. */
static GBytes *make(const char *list, size_t n_codes)
{
    GByteArray *file = g_byte_array_new();
    guint32 lengths[] = {GUINT32_TO_BE((guint32)strlen(list)), GUINT32_TO_BE(1024),
                         GUINT32_TO_BE((guint32)n_codes)};
    g_byte_array_append(file, (guint8 *)&lengths[0], 4);
    g_byte_array_append(file, (const guint8 *)list, (guint)strlen(list));
    g_byte_array_append(file, (guint8 *)&lengths[1], 4);
    for (int i = 0; i < 256; i++) {
        float value = (float)i / 4;
        guint32 bits;
        memcpy(&bits, &value, sizeof bits);
        bits = GUINT32_TO_LE(bits);
        g_byte_array_append(file, (guint8 *)&bits, 4);
    }
    g_byte_array_append(file, (guint8 *)&lengths[2], 4);
    for (size_t i = 0; i < n_codes; i++)
        g_byte_array_append(file, (guint8[]){(guint8)(i * 7)}, 1);
    return g_byte_array_free_to_bytes(file);
}

static void test_values(void **state)
{
    g_autoptr(GBytes) file =
        make("[{\"name\": \"generator/encoder_1/conv2d/kernel\", \"shape\": [2, "
             "3, 1, 2]},\n {\"shape\": [], \"name\": \"b\"},"
             "{\"shape\": [9000], \"name\": \"c\"}]",
             9013);
    PixContainer *container = pix_container_open_bytes(file, "file", NULL);
    assert_non_null(container);
    assert_string_equal(pix_container_get_format(container), "pict");
    assert_int_equal(pix_container_get_n_entries(container), 3);
    const PixEntry *entry = pix_container_get_entry(container, 0);
    assert_string_equal(entry->name, "generator/encoder_1/conv2d/kernel");
    assert_string_equal(entry->group, "");
    assert_int_equal(entry->dtype, PIX_DTYPE_F32);
    assert_int_equal(entry->rank, 4);
    assert_int_equal(entry->dims[1], 3);
    g_autofree float *values = g_new(float, 9000);
    for (guint e = 0, at = 0; e < 3; e++) {
        entry = pix_container_get_entry(container, e);
        assert_true(pix_container_read(container, entry, values, NULL));
        for (guint i = 0; i < entry->count; i++, at++)
            assert_true(values[i] == (float)(guint8)(at * 7) / 4);
    }
    pix_container_free(container);
}

static void test_empty(void **state)
{
    g_autoptr(GBytes) file = make(" []", 0);
    gsize size;
    const void *data = g_bytes_get_data(file, &size);
    /* Not recognised: the list must start with its bracket. */
    refuse_data(data, size, PIX_ERROR_BAD_CHECKPOINT, "is no file of weights");
    g_autoptr(GBytes) good = make("[]", 0);
    data = g_bytes_get_data(good, &size);
    PixContainer *container = open_data(data, size, NULL);
    assert_non_null(container);
    assert_int_equal(pix_container_get_n_entries(container), 0);
    pix_container_free(container);
}

static void test_large_list(void **state)
{
    GString *list = g_string_new("[");
    for (guint i = 0; i < 65537; i++)
        g_string_append_printf(list, "%s{\"name\":\"%u\",\"shape\":[0]}", i ? "," : "", i);
    g_string_append_c(list, ']');
    g_autoptr(GBytes) file = make(list->str, 0);
    gsize size;
    const void *data = g_bytes_get_data(file, &size);
    refuse_data(data, size, PIX_ERROR_BAD_CHECKPOINT, "more than 65536 tensors");
    g_string_truncate(list, 1);
    while (list->len <= 16 * 1024 * 1024)
        g_string_append(list, "                                ");
    g_autoptr(GBytes) spaces = make(list->str, 0);
    data = g_bytes_get_data(spaces, &size);
    refuse_data(data, size, PIX_ERROR_BAD_CHECKPOINT, "a list of tensors of");
    g_string_free(list, TRUE);
}

static void test_cut_and_changed(void **state)
{
    g_autoptr(GBytes) file =
        make("[{\"name\":\"a\",\"shape\":[2,3]},{\"name\":\"b\",\"shape\":[5]}]", 11);
    check_cut_and_changed(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_large_list),
        cmocka_unit_test(test_cut_and_changed),
    };
    return cmocka_run_group_tests_name("pict", tests, NULL, NULL);
}
