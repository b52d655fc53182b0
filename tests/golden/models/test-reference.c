/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The same comparisons on a folder of larger networks that is no part of the source: every
 * NAME.pth with a NAME.io.safetensors, and a trained generator with pictures that it translated.
 * The folder is that of the environment's PIX2PIX_REFERENCE, or lies beside the source.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "forward-check.h"
#include "model-cases.h"

#ifdef HAVE_GDK_PIXBUF
#include <gdk-pixbuf/gdk-pixbuf.h>
#endif

#define GENERATOR "facades32_G.pth"
#define PICTURES "facades32_val"
#define LARGEST_INT8_BYTES 15000000
#define LEAST_INT8_PSNR 50.0 /* dB, of its float32 output against that of the float32 weights */

static char *folder;
static PixDevice *device;

static PixModel *load(const char *path)
{
    GError *error = NULL;
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(path, NULL, &error);
    PixModel *model =
        checkpoint ? pix_model_new(device, checkpoint, PIX_PRECISION_AUTO, &error) : NULL;
    if (!model)
        fail_msg("%s", error->message);
    return model;
}

static void test_case(void **state)
{
    g_autofree char *file = g_strconcat(*state, ".pth", NULL);
    g_autofree char *io = g_strconcat(*state, ".io.safetensors", NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *io_path = g_build_filename(folder, io, NULL);
    g_autoptr(PixModel) model = load(path);
    forward_check(model, io_path);
}

#ifdef HAVE_GDK_PIXBUF

static PixImage view(GdkPixbuf *pixbuf)
{
    return (PixImage){.data = gdk_pixbuf_get_pixels(pixbuf),
                      .stride = gdk_pixbuf_get_rowstride(pixbuf),
                      .width = gdk_pixbuf_get_width(pixbuf),
                      .height = gdk_pixbuf_get_height(pixbuf),
                      .pixel_bytes = gdk_pixbuf_get_n_channels(pixbuf),
                      .channels = 3,
                      .offset = {0, 1, 2}};
}

/** Returns: (transfer full): (1,3,h,w), as the network takes it. */
static float *tensor_of(const PixImage *image)
{
    gsize plane = (gsize)image->width * (gsize)image->height;
    float *x = g_new(float, 3 * plane);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < image->height; i++)
            for (int j = 0; j < image->width; j++)
                x[(gsize)c * plane + (gsize)(i * image->width + j)] =
                    image->data[i * image->stride + j * image->pixel_bytes + image->offset[c]] /
                        127.5f -
                    1;
    return x;
}

static PixSession *open_session(PixModel *model)
{
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    options.statistics = PIX_STATISTICS_FRAME;
    options.dropout = PIX_DROPOUT_OFF;
    PixSession *session = pix_session_new(model, &options, NULL);
    assert_non_null(session);
    return session;
}

/** One picture: 8 bits within one level of PyTorch's, and the 8-bit weights near the float ones. */
static void check_picture(PixSession *exact, PixSession *narrow, const char *in, const char *out)
{
    g_autoptr(GdkPixbuf) source = gdk_pixbuf_new_from_file(in, NULL);
    g_autoptr(GdkPixbuf) expected = gdk_pixbuf_new_from_file(out, NULL);
    assert_non_null(source);
    assert_non_null(expected);
    g_autoptr(GdkPixbuf) result = gdk_pixbuf_copy(source);
    PixImage from = view(source), to = view(result), wanted = view(expected);
    assert_true(pix_session_translate(exact, &from, &to, NULL));
    for (int i = 0; i < to.height; i++)
        for (int j = 0; j < to.width; j++)
            for (int c = 0; c < 3; c++)
                assert_in_range(to.data[i * to.stride + j * to.pixel_bytes + c] + 1 -
                                    wanted.data[i * wanted.stride + j * wanted.pixel_bytes + c],
                                0, 2);

    gsize n = (gsize)from.width * (gsize)from.height * 3;
    g_autofree float *x = tensor_of(&from), *y = g_new(float, n), *z = g_new(float, n);
    assert_true(pix_session_forward(exact, x, y, NULL));
    assert_true(pix_session_forward(narrow, x, z, NULL));
    double squares = 0;
    for (gsize i = 0; i < n; i++)
        squares += ((double)y[i] - z[i]) * ((double)y[i] - z[i]);
    double psnr = 10 * log10(4 * (double)n / squares);
    printf("# %s: int8 %.2f dB\n", strrchr(in, '/') + 1, psnr);
    if (psnr < LEAST_INT8_PSNR)
        fail_msg("%s: 8-bit weights give %.2f dB", in, psnr);
}

static void test_generator(void **state)
{
    g_autofree char *path = g_build_filename(folder, GENERATOR, NULL);
    g_autofree char *pictures = g_build_filename(folder, PICTURES, NULL);
    g_autofree char *narrow_path = temporary_path("narrow.safetensors");
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(path, NULL, NULL);
    assert_non_null(checkpoint);
    assert_true(pix_checkpoint_save(checkpoint, narrow_path, PIX_PRECISION_INT8, NULL));
    g_autofree char *bytes = NULL;
    gsize n_bytes;
    assert_true(g_file_get_contents(narrow_path, &bytes, &n_bytes, NULL));
    assert_true(n_bytes < LARGEST_INT8_BYTES);

    g_autoptr(PixModel) exact = load(path);
    g_autoptr(PixModel) narrow = load(narrow_path);
    g_autoptr(PixSession) session = open_session(exact);
    g_autoptr(PixSession) narrow_session = open_session(narrow);
    g_autoptr(GDir) dir = g_dir_open(pictures, 0, NULL);
    assert_non_null(dir);
    int n = 0;
    for (const char *name; (name = g_dir_read_name(dir));) {
        if (!g_str_has_suffix(name, "-in.png"))
            continue;
        g_autofree char *in = g_build_filename(pictures, name, NULL);
        g_autofree char *stem = g_strndup(in, strlen(in) - strlen("in.png"));
        g_autofree char *out = g_strconcat(stem, "out.png", NULL);
        check_picture(session, narrow_session, in, out);
        n++;
    }
    assert_true(n > 0);
}

#endif

int main(void)
{
    const char *named = g_getenv("PIX2PIX_REFERENCE");
    folder = named ? g_strdup(named) : g_build_filename(BESIDE_SOURCE, "shared", "reference", NULL);
    g_autoptr(GArray) tests = g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        if (!g_str_has_suffix(name, ".io.safetensors"))
            continue;
        char *stem = g_strndup(name, strlen(name) - strlen(".io.safetensors"));
        g_ptr_array_add(names, stem);
        const struct CMUnitTest test = {
            .name = stem, .test_func = test_case, .initial_state = stem};
        g_array_append_val(tests, test);
    }
#ifdef HAVE_GDK_PIXBUF
    g_autofree char *generator = g_build_filename(folder, GENERATOR, NULL);
    const struct CMUnitTest others[] = {cmocka_unit_test(test_generator)};
    if (g_file_test(generator, G_FILE_TEST_EXISTS))
        g_array_append_val(tests, others[0]);
#endif
    if (!tests->len) {
        printf("1..0 # SKIP no networks in %s: set PIX2PIX_REFERENCE\n", folder);
        return 0;
    }
    device = pix_device_open(NULL, 2, NULL);
    int failures = _cmocka_run_group_tests("reference", (const struct CMUnitTest *)tests->data,
                                           tests->len, NULL, NULL);
    pix_device_unref(device);
    g_free(folder);
    return failures;
}
