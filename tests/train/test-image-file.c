/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading and writing picture files: what comes out of each kind, and what is said of bad ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "image-file.h"
#include "sample-files.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether gdk-pixbuf has a loader for it. */
static gboolean is_installed(const char *type)
{
    GSList *formats = gdk_pixbuf_get_formats();
    gboolean found = FALSE;

    for (GSList *format = formats; format; format = format->next) {
        g_autofree char *name = gdk_pixbuf_format_get_name(format->data);
        found |= !strcmp(name, type);
    }
    g_slist_free(formats);
    return found;
}

static Picture *read_as(const char *file, int channels)
{
    GError *error = NULL;
    int width, height;
    Picture *picture = picture_read_as(file, channels, &error);

    if (!picture)
        fail_msg("%s", error->message);
    assert_int_equal(picture->channels, channels);
    assert_true(picture_check(file, &width, &height, &error));
    assert_int_equal(width, picture->width);
    assert_int_equal(height, picture->height);
    return picture;
}

static void assert_same(const Picture *a, const Picture *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    assert_memory_equal(a->data, b->data, (size_t)a->width * a->height * a->channels);
}

static void test_written_is_read(void **state)
{
    for (int channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1) {
        g_autoptr(Picture) picture = sample_draw(19, 11, channels, 3);
        assert_true(picture_write_png(picture, "a.png", NULL));
        g_autoptr(Picture) again = read_as("a.png", channels);
        assert_same(again, picture);
    }
}

static void test_channels(void **state)
{
    static const int all[] = {1, 3, 4};

    for (int i = 0; i < 3; i++) {
        g_autoptr(Picture) picture = sample_draw(19, 11, all[i], 3);
        assert_true(picture_write_png(picture, "a.png", NULL));
        for (int k = 0; k < 3; k++) {
            g_autoptr(Picture) read = read_as("a.png", all[k]);
            g_autoptr(Picture) converted = picture_convert(picture, all[k]);
            assert_same(read, converted);
        }
    }
}

static void test_scaling_keeps_channels(void **state)
{
    for (int channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1) {
        g_autoptr(Picture) picture = sample_draw(8, 8, channels, 0);
        memset(picture->data, 200, 8 * 8 * channels);
        g_autoptr(Picture) scaled = picture_scale(picture, 5, 13);
        assert_int_equal(scaled->channels, channels);
        assert_int_equal(scaled->data[5 * 6 * channels], 200);
    }
}

/* Bytes may differ by what JPEG does. */
static void assert_close(const guint8 *pixel, int red, int green, int blue)
{
    assert_in_range(pixel[0] + 8, red, red + 16);
    assert_in_range(pixel[1] + 8, green, green + 16);
    assert_in_range(pixel[2] + 8, blue, blue + 16);
}

static void test_kinds(void **state)
{
    g_autoptr(Picture) deep = read_as(PICTURES "/grey16.png", 1);
    assert_int_equal(deep->data[0], 0x12);
    assert_int_equal(deep->data[1], 0xab);

    g_autoptr(Picture) ink = read_as(PICTURES "/cmyk.jpg", 3);
    const guint8 *row = ink->data + 8 * 64 * 3;
    assert_close(row + 3 * 8, 255, 255, 255);
    assert_close(row + 3 * 24, 0, 255, 255);
    assert_close(row + 3 * 40, 255, 255, 0);
    assert_close(row + 3 * 56, 0, 0, 0);

    g_autoptr(Picture) turned = read_as(PICTURES "/turned.jpg", 3);
    assert_int_equal(turned->width, 16);
    assert_int_equal(turned->height, 32);
    assert_close(turned->data + (4 * 16 + 8) * 3, 255, 0, 0);
    assert_close(turned->data + (28 * 16 + 8) * 3, 0, 0, 255);
}

/* Both ways of looking at @file fail with the same words. */
static void assert_bad(const char *file, const char *text)
{
    GError *read = NULL, *check = NULL;
    int width, height;

    assert_null(picture_read_as(file, 3, &read));
    assert_false(picture_check(file, &width, &height, &check));
    assert_string_equal(read->message, check->message);
    assert_error(&read, file, text);
    g_clear_error(&check);
}

static void test_kinds_that_need_a_loader(void **state)
{
    static const struct {
        const char *type, *file, *without;
    } kinds[] = {
        {"tiff", PICTURES "/two.tiff", "of no type that can be read here"},
        {"webp", PICTURES "/two.webp", "install webp-pixbuf-loader"},
    };

    for (int i = 0; i < 2; i++) {
        if (!is_installed(kinds[i].type)) {
            assert_bad(kinds[i].file, kinds[i].without);
            continue;
        }
        g_autoptr(Picture) two = read_as(kinds[i].file, 3);
        assert_memory_equal(two->data, "\x0a\xc8\x1e\xff\x00\x80", 6);
    }
}

static void test_wrong_ending(void **state)
{
    sample_picture("a.jpg", 40, 30, 1);
    assert_return_code(rename("a.jpg", "a.png"), 0);
    g_autoptr(Picture) picture = read_as("a.png", 3);
    assert_int_equal(picture->width, 40);
}

/* Cameras write more behind the end. */
static void test_data_behind_the_end(void **state)
{
    static const char *const files[] = {"a.jpg", "a.png"};

    for (int i = 0; i < 2; i++) {
        sample_picture(files[i], 40, 30, 1);
        sample_cut(files[i], -5000);
        g_autoptr(Picture) picture = read_as(files[i], 3);
        assert_int_equal(picture->width, 40);
    }
}

static void test_cut_short(void **state)
{
    sample_picture("half.jpg", 200, 100, 1);
    sample_cut("half.jpg", 1500);
    assert_bad("half.jpg", "ends early");
    sample_picture("end.jpg", 200, 100, 1);
    sample_cut("end.jpg", 2);
    assert_bad("end.jpg", "ends early");
    sample_picture("end.png", 200, 100, 1);
    sample_cut("end.png", 12);
    assert_bad("end.png", "ends early");
    sample_bytes("empty.png", "", 0);
    assert_bad("empty.png", "it is empty");
    sample_bytes("stub.png", "\x89PNG\r\n\x1a\n", 8);
    assert_bad("stub.png", "cannot be decoded");
}

static void test_no_pictures(void **state)
{
    /* 65536 x 65536 pixels, and none of them. */
    static const guint8 huge[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\1\0\0\0\1\0\0\x08\x02\0\0\0"
                                 "\xe3\xe6\xa7\xb4\0\0\0\x08IDAT\0\0\0\0\0\0\0\0\0\0\0\0";

    assert_bad("missing.png", "No such file");
    sample_bytes("text.png", "this is no picture\n", 19);
    assert_bad("text.png", "of no type that can be read here");
    assert_return_code(mkdir("folder.png", 0777), 0);
    assert_bad("folder.png", "is a folder");
    assert_return_code(mkfifo("pipe.png", 0666), 0);
    assert_bad("pipe.png", "no regular file");
    assert_return_code(symlink("loop.png", "loop.png"), 0);
    assert_bad("loop.png", "symbolic links");
    sample_bytes("huge.png", huge, sizeof(huge) - 1);
    assert_bad("huge.png", "65536 x 65536 pixels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_is_read),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_scaling_keeps_channels),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_kinds_that_need_a_loader),
        cmocka_unit_test(test_wrong_ending),
        cmocka_unit_test(test_data_behind_the_end),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_no_pictures),
    };
    return cmocka_run_group_tests_name("image-file", tests, sample_setup, sample_teardown);
}
