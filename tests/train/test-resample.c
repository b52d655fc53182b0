/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Resizing and converting pictures gives the bytes that PIL gives: resample.inc, which
 * make-resample.py wrote. With --bench: how long the resizing of a training step takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "resample.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

typedef struct {
    int channels, width, height, to_channels, to_width, to_height;
    guint32 crc;
} Case;

static const Case cases[] = {
#include "resample.inc"
};

/* make-resample.py's draw(). */
static Picture *draw(int width, int height, int channels)
{
    Picture *picture = picture_new(width, height, channels);
    guint8 *p = picture->data;

    for (guint32 y = 0; y < (guint32)height; y++) {
        for (guint32 x = 0; x < (guint32)width; x++) {
            for (guint32 c = 0; c < (guint32)channels; c++) {
                guint32 noise = (x * 73 + y * 15101 + c * 199 + 1) * 2654435761u;
                noise = (noise ^ noise >> 15) * 2246822519u >> 13;
                *p++ = ((x / 7 + y / 5) & 1) ? noise : ((x / 3 + c) & 1) * 255;
            }
        }
    }
    return picture;
}

static guint32 get_crc(const Picture *picture)
{
    return crc32(0, picture->data, picture->width * picture->height * picture->channels);
}

static void test_bytes_are_pils(void **state)
{
    int differing = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        g_autoptr(Picture) from = draw(c->width, c->height, c->channels);
        guint32 before = get_crc(from);
        g_autoptr(Picture) to = c->channels == c->to_channels
                                    ? picture_resize_bicubic(from, c->to_width, c->to_height)
                                    : picture_convert(from, c->to_channels);
        assert_int_equal(to->width, c->to_width);
        assert_int_equal(to->height, c->to_height);
        assert_int_equal(to->channels, c->to_channels);
        assert_int_equal(get_crc(from), before);
        if (get_crc(to) != c->crc) {
            print_message("# %d channels, %d x %d to %d channels, %d x %d: other bytes\n",
                          c->channels, c->width, c->height, c->to_channels, c->to_width,
                          c->to_height);
            differing++;
        }
    }
    assert_int_equal(differing, 0);
}

static void test_same_size_is_a_copy(void **state)
{
    g_autoptr(Picture) from = draw(20, 10, 4);
    g_autoptr(Picture) to = picture_resize_bicubic(from, 20, 10);

    assert_ptr_not_equal(from->data, to->data);
    assert_memory_equal(from->data, to->data, 20 * 10 * 4);
}

static void test_crop(void **state)
{
    for (int channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1) {
        g_autoptr(Picture) from = draw(13, 9, channels);
        g_autoptr(Picture) part = picture_crop(from, 3, 2, 10, 7);
        assert_int_equal(part->channels, channels);
        for (int y = 0; y < 7; y++)
            assert_memory_equal(part->data + y * 10 * channels,
                                from->data + ((y + 2) * 13 + 3) * channels, 10 * channels);
    }
}

static void bench(int channels, int from_side, int to_side)
{
    const int runs = 100;
    g_autoptr(Picture) from = draw(from_side, from_side, channels);
    gint64 start = g_get_monotonic_time();

    for (int i = 0; i < runs; i++)
        picture_free(picture_resize_bicubic(from, to_side, to_side));
    printf("%d channels, %d to %d: %.3f ms\n", channels, from_side, to_side,
           (g_get_monotonic_time() - start) / 1000.0 / runs);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_pils),
        cmocka_unit_test(test_same_size_is_a_copy),
        cmocka_unit_test(test_crop),
    };

    if (argc > 1 && !strcmp(argv[1], "--bench")) {
        bench(1, 256, 286);
        bench(3, 256, 286);
        bench(4, 256, 286);
        bench(3, 600, 286);
        return 0;
    }
    return cmocka_run_group_tests_name("resample", tests, NULL, NULL);
}
