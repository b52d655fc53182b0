/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "forward-check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Of the largest output. PyTorch's own float32 noise in these files is up to 4e-6 of it. */
#define TOLERANCE 5e-5
/* Each of up to 24 layers rounds to 11 bits, which is 5e-4. */
#define HALF_TOLERANCE 1e-2

/** Repeats every value of a plane @factor times in both directions. */
static float *enlarge(const float *x, int dims[4], int factor)
{
    int w = dims[3] * factor, h = dims[2] * factor, planes = dims[0] * dims[1];
    float *result = g_new(float, (gsize)planes *h *w);
    for (int p = 0; p < planes; p++)
        for (int i = 0; i < h; i++)
            for (int j = 0; j < w; j++)
                result[((gsize)p * h + i) * w + j] =
                    x[((gsize)p * dims[2] + i / factor) * dims[3] + j / factor];
    dims[2] = h;
    dims[3] = w;
    return result;
}

/** @expected: of @dims; may hold only every n-th row of what the network gives. */
static void check_output(const float *y, const int out[4], const float *expected, const int dims[4],
                         double tolerance)
{
    int step = out[2] / dims[2];
    assert_int_equal(out[0], dims[0]);
    assert_int_equal(out[1], dims[1]);
    assert_int_equal(out[2], dims[2] * step);
    assert_int_equal(out[3], dims[3]);
    double largest = 0, error = 0;
    for (int p = 0; p < out[0] * out[1]; p++)
        for (int i = 0; i < dims[2]; i++)
            for (int j = 0; j < out[3]; j++) {
                double e = *expected++;
                double f = y[((gsize)p * out[2] + i * step) * out[3] + j];
                assert_true(isfinite(f));
                largest = fmax(largest, fabs(e));
                error = fmax(error, fabs(e - f));
            }
    if (error > tolerance * largest)
        fail_msg("largest error %g of largest output %g", error, largest);
}

static void run_mode(PixModel *model, const float *x, const int dims[4], const char *io,
                     const char *name, PixStatistics statistics)
{
    int expected_dims[4], out[4];
    GError *error = NULL;
    g_autofree float *expected = pix_tensor_read(io, name, expected_dims, &error);
    if (!expected)
        fail_msg("%s", error->message);
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    options.n = dims[0];
    options.height = dims[2];
    options.width = dims[3];
    options.statistics = statistics;
    options.dropout = PIX_DROPOUT_OFF;
    g_autoptr(PixSession) session = pix_session_new(model, &options, &error);
    if (!session)
        fail_msg("%s", error->message);
    pix_session_get_output(session, out);
    g_autofree float *y = g_new(float, (gsize)out[0] * out[1] * out[2] * out[3]);
    if (!pix_session_forward(session, x, y, &error))
        fail_msg("%s", error->message);
    bool half = pix_model_get_precision(model) == PIX_PRECISION_FP16;
    check_output(y, out, expected, expected_dims, half ? HALF_TOLERANCE : TOLERANCE);
}

void forward_check(PixModel *model, const char *io)
{
    int dims[4];
    g_autofree float *x = pix_tensor_read(io, "x", dims, NULL);
    assert_non_null(x);
    const PixModelInfo *info = pix_model_get_info(model);
    if (dims[2] < info->minimum) {
        float *larger = enlarge(x, dims, info->minimum / dims[2]);
        g_free(x);
        x = larger;
    }
    run_mode(model, x, dims, io, "y_batch", PIX_STATISTICS_FRAME);
    if (info->has_running_statistics)
        run_mode(model, x, dims, io, "y_eval", PIX_STATISTICS_RUNNING);
}
