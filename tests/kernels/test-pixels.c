/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Images to maps and back: every byte where its offset says, the border replicated, and nothing
 * beside them touched.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "compare.h"
#include "fenced.h"

typedef struct {
    const char *name;
    PixShape shape;
    PixRect content; /* of the image's size */
    int pixel_bytes;
    int offset[4];
    int gap; /* bytes behind each row */
    bool bottom_up;
} Case;

static const Case cases[] = {
    {"rgb", {1, 3, 16, 16}, {0, 0, 16, 16}, 3, {0, 1, 2}},
    {"bgr within a border", {1, 3, 20, 24}, {3, 2, 17, 13}, 3, {2, 1, 0}, 5},
    {"rgbx", {1, 3, 48, 640}, {0, 0, 640, 48}, 4, {0, 1, 2}},
    {"xbgr, bottom up", {1, 3, 33, 31}, {1, 0, 29, 33}, 4, {3, 2, 1}, 8, true},
    {"argb", {1, 4, 9, 10}, {1, 1, 7, 5}, 4, {1, 2, 3, 0}},
    {"grey", {1, 1, 7, 5}, {2, 3, 3, 4}, 1, {0}},
    {"two channels of six bytes", {1, 2, 19, 211}, {3, 0, 203, 19}, 6, {4, 1}, 1},
    {"one pixel", {1, 3, 9, 8}, {4, 5, 1, 1}, 3, {0, 1, 2}},
    {"two samples", {2, 3, 9, 8}, {0, 0, 8, 9}, 3, {0, 1, 2}},
    /* 16 MiB and more. */
    {"large", {1, 1, 1470, 1460}, {5, 4, 1450, 1460}, 8, {6}},
};

/* ---- images ---- */

#define BESIDE 64 /* bytes before the first row and behind the last */

/* An image with memory around it, all of it noise. */
typedef struct {
    PixImage image;
    guint8 *bytes;
    size_t count;
} Picture;

static Picture picture_new(const Case *k, guint32 seed)
{
    size_t stride = (size_t)(k->content.width * k->pixel_bytes + k->gap);
    size_t rows = (size_t)k->content.height, count = rows * stride + 2 * BESIDE;
    guint8 *bytes = g_malloc(count);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (guint8)(seed >> 24);
    }
    PixImage image = {.data = bytes + BESIDE + (k->bottom_up ? (rows - 1) * stride : 0),
                      .stride = k->bottom_up ? -(gssize)stride : (gssize)stride,
                      .width = k->content.width,
                      .height = k->content.height,
                      .pixel_bytes = k->pixel_bytes,
                      .channels = k->shape.c};
    memcpy(image.offset, k->offset, sizeof image.offset);
    return (Picture){image, bytes, count};
}

static guint8 *byte_of(const PixImage *image, int c, int y, int x)
{
    return image->data + y * image->stride + x * image->pixel_bytes + image->offset[c];
}

/* ---- images to maps ---- */

static float *packed(PixDevice *device, const Case *k, const PixImage *image)
{
    Fenced f = fenced_new(device, k->shape, 2);
    PixVideo video;
    pix_video_from_image(image, &video);
    assert_true(device->backend->takes(device, &video, k->content));
    assert_true(device->backend->write_image(device, &f.tensor, &video, k->content, NULL));
    float *values = fenced_read(device, &f);
    fenced_clear(device, &f);
    return values;
}

static float expected_value(const Case *k, const PixImage *image, int c, int y, int x)
{
    int row = CLAMP(y - k->content.y, 0, image->height - 1);
    int column = CLAMP(x - k->content.x, 0, image->width - 1);
    return (float)*byte_of(image, c, row, column) * (2 / 255.f) - 1;
}

static void check_packed(const Case *k, const PixImage *image, const float *values)
{
    const PixShape *s = &k->shape;
    for (int c = 0; c < s->c; c++)
        for (int y = 0; y < s->h; y++)
            for (int x = 0; x < s->w; x++, values++) {
                float expected = expected_value(k, image, c, y, x);
                if (!(fabsf(*values - expected) < 1.2e-7f)) /* one rounding */
                    fail_msg("%s: channel %d at %d,%d is %.9g instead of %.9g", k->name, c, x, y,
                             (double)*values, (double)expected);
            }
}

static void test_write_image(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *k = &cases[i];
        Picture picture = picture_new(k, 1);
        g_autofree float *values = packed(*state, k, &picture.image);
        check_packed(k, &picture.image, values);
        size_t sample = pix_shape_count(k->shape) / (size_t)k->shape.n;
        for (size_t j = sample; j < sample * (size_t)k->shape.n; j++)
            assert_true(isnan(values[j])); /* other samples are left alone */
        g_free(picture.bytes);
    }
}

/* ---- maps to images ---- */

/* Noise that leaves [-1, 1], and what is far away. */
static float *output_of(const Case *k)
{
    static const float corners[] = {-1, 1, 0, -INFINITY, INFINITY, 1e30f, -1e30f, -0.f};
    size_t count = pix_shape_count(k->shape);
    float *values = g_new(float, count);
    compare_fill(values, count, 1.1f, 5);
    for (size_t i = 0; i < count; i += 7)
        values[i] = corners[i % G_N_ELEMENTS(corners)];
    return values;
}

static guint8 expected_byte(float value)
{
    float scaled = value * 127.5f + 128;
    return scaled <= 0 ? 0 : scaled >= 255 ? 255 : (guint8)scaled;
}

/* Reads @values as an image into @picture. */
static bool unpack(PixDevice *device, const Case *k, const float *values, Picture *picture,
                   GError **error)
{
    Fenced f = fenced_new(device, k->shape, 1);
    PixVideo video;
    pix_video_from_image(&picture->image, &video);
    fenced_write(device, &f, values);
    bool done = device->backend->read_image(device, &f.tensor, &video, k->content, error);
    g_autofree float *untouched = fenced_read(device, &f);
    assert_memory_equal(untouched, values, f.count * sizeof *values);
    fenced_clear(device, &f);
    return done;
}

static void expect(const Case *k, const float *values, Picture *picture)
{
    const PixShape *s = &k->shape;
    PixImage *image = &picture->image;
    for (int c = 0; c < s->c; c++)
        for (int y = 0; y < image->height; y++)
            for (int x = 0; x < image->width; x++)
                *byte_of(image, c, y, x) = expected_byte(
                    values[((size_t)c * s->h + y + k->content.y) * s->w + x + k->content.x]);
}

static void test_read_image(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *k = &cases[i];
        g_autofree float *values = output_of(k);
        Picture expected = picture_new(k, 1), found = picture_new(k, 1);
        expect(k, values, &expected);
        assert_true(unpack(*state, k, values, &found, NULL));
        for (size_t j = 0; j < found.count; j++)
            if (found.bytes[j] != expected.bytes[j])
                fail_msg("%s: byte %zu is %d instead of %d", k->name, j, found.bytes[j],
                         expected.bytes[j]);
        g_free(expected.bytes);
        g_free(found.bytes);
    }
}

/* An image is not made of what is no number; around it that does not matter. */
static void test_nan_is_no_pixel(void **state)
{
    const Case *k = &cases[1];
    const PixRect *r = &k->content;
    const struct {
        int x, y;
        bool inside;
    } places[] = {{r->x, r->y, true},
                  {r->x + r->width - 1, r->y + r->height - 1, true},
                  {r->x - 1, r->y, false},
                  {r->x, r->y + r->height, false}};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree float *values = output_of(k);
        g_autoptr(GError) error = NULL;
        Picture picture = picture_new(k, 1);
        /* Channel 2, of which the byte behind the last row would be. */
        values[(2 * (size_t)k->shape.h + places[i].y) * k->shape.w + places[i].x] = NAN;
        bool done = unpack(*state, k, values, &picture, &error);
        assert_int_equal(done, !places[i].inside);
        assert_true(done || g_error_matches(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT));
        g_free(picture.bytes);
    }
}

/* ---- two devices ---- */

static void test_gpu_is_as_cpu(void **state)
{
    g_autoptr(PixDevice) cpu = pix_device_open("cpu", 1, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *k = &cases[i];
        size_t sample = pix_shape_count(k->shape) / (size_t)k->shape.n;
        Picture a = picture_new(k, 1), b = picture_new(k, 1);
        g_autofree float *x = packed(cpu, k, &a.image), *y = packed(*state, k, &a.image);
        assert_memory_equal(x, y, sample * sizeof *x);
        g_autofree float *values = output_of(k);
        assert_true(unpack(cpu, k, values, &a, NULL) && unpack(*state, k, values, &b, NULL));
        assert_memory_equal(a.bytes, b.bytes, a.count);
        g_free(a.bytes);
        g_free(b.bytes);
    }
}

int main(void)
{
#define TEST(name, level)                                                                          \
    {                                                                                              \
#name ", " level, name, open_level, close_device, level                                    \
    }
#define TESTS(level)                                                                               \
    TEST(test_write_image, level), TEST(test_read_image, level), TEST(test_nan_is_no_pixel, level)
    const struct CMUnitTest tests[] = {TESTS("c:2"), TESTS("vulkan"),
                                       TEST(test_gpu_is_as_cpu, "vulkan")};
    return _cmocka_run_group_tests("pixels", tests, has_level("vulkan") ? G_N_ELEMENTS(tests) : 3,
                                   NULL, NULL);
}
