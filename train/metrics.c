/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "metrics.h"

#include "swd.h"

#include <math.h>
#include <pix2pix/pix.h>

#define WINDOW 11 /* of SSIM: pixels */
#define SIGMA 1.5

G_STATIC_ASSERT(METRICS_MAX_LEVELS == SWD_MAX_LEVELS);
G_STATIC_ASSERT(WINDOW >= SWD_MIN_SIDE);

struct Metrics {
    guint64 seed;
    unsigned threads;
    int n, width, height;      /* the size of the first pair */
    double l1, psnr, ssim;     /* sums */
    SwdSet *outputs, *targets; /* NULL once the pairs differ in size */
};

Metrics *metrics_new(guint64 seed, unsigned threads)
{
    Metrics *metrics = g_new0(Metrics, 1);

    metrics->seed = seed;
    metrics->threads = threads ? threads : g_get_num_processors();
    metrics->outputs = swd_set_new(seed, 0);
    metrics->targets = swd_set_new(seed, 1);
    return metrics;
}

void metrics_expect(Metrics *metrics, guint pairs)
{
    swd_set_expect(metrics->outputs, pairs);
    swd_set_expect(metrics->targets, pairs);
}

guint64 metrics_get_bytes(guint pairs, int width, int height, unsigned threads)
{
    return swd_get_bytes(pairs, width, height, threads ? threads : g_get_num_processors());
}

static void drop_sets(Metrics *metrics)
{
    g_clear_pointer(&metrics->outputs, swd_set_free);
    g_clear_pointer(&metrics->targets, swd_set_free);
}

void metrics_free(Metrics *metrics)
{
    if (!metrics)
        return;
    drop_sets(metrics);
    g_free(metrics);
}

/* Returns: (3,height,width) in [0, 255]. */
static float *new_planes(const Picture *picture)
{
    gsize count = (gsize)picture->width * picture->height;
    float *planes = g_new(float, 3 * count);

    for (gsize i = 0; i < count; i++) {
        for (int c = 0; c < 3; c++)
            planes[c * count + i] = picture->data[3 * i + c];
    }
    return planes;
}

static void add_differences(Metrics *metrics, const Picture *output, const Picture *target)
{
    gsize count = (gsize)3 * output->width * output->height;
    guint64 absolute = 0, square = 0;

    for (gsize i = 0; i < count; i++) {
        int d = output->data[i] - target->data[i];
        absolute += ABS(d);
        square += d * d;
    }
    metrics->l1 += absolute / 127.5 / count;
    metrics->psnr += 10 * log10(255 * 255 / MAX((double)square / count, 1e-12));
}

/* ---- SSIM ---- */

/* The Gaussian around every pixel that has a whole window, row by row and then column by column.
 * @scratch: height x (width - WINDOW + 1). */
static void smooth(const float *x, int width, int height, float *scratch, float *y)
{
    float weights[WINDOW], sum = 0;
    int w = width - WINDOW + 1, h = height - WINDOW + 1;

    for (int i = 0; i < WINDOW; i++)
        sum += weights[i] = expf(-(i - WINDOW / 2) * (i - WINDOW / 2) / (2 * SIGMA * SIGMA));
    for (int row = 0; row < height; row++) {
        for (int column = 0; column < w; column++) {
            const float *from = x + (gsize)row * width + column;
            float total = 0;
            for (int i = 0; i < WINDOW; i++)
                total += weights[i] * from[i];
            scratch[(gsize)row * w + column] = total / sum;
        }
    }
    for (int row = 0; row < h; row++) {
        for (int column = 0; column < w; column++) {
            const float *from = scratch + (gsize)row * w + column;
            float total = 0;
            for (int i = 0; i < WINDOW; i++)
                total += weights[i] * from[(gsize)i * w];
            y[(gsize)row * w + column] = total / sum;
        }
    }
}

/* Of one channel, in [0, 255]. */
static double plane_ssim(const float *a, const float *b, int width, int height)
{
    const float c1 = 0.01f * 255 * 0.01f * 255, c2 = 0.03f * 255 * 0.03f * 255;
    gsize count = (gsize)width * height;
    gsize inner = (gsize)(width - WINDOW + 1) * (height - WINDOW + 1);
    g_autofree float *product = g_new(float, count), *scratch = g_new(float, count);
    g_autofree float *means = g_new(float, 5 * inner);
    const float *factors[5][2] = {{a}, {b}, {a, a}, {b, b}, {a, b}};
    double sum = 0;

    for (int m = 0; m < 5; m++) {
        for (gsize i = 0; i < count; i++)
            product[i] = factors[m][1] ? factors[m][0][i] * factors[m][1][i] : factors[m][0][i];
        smooth(product, width, height, scratch, means + m * inner);
    }
    for (gsize i = 0; i < inner; i++) {
        float ma = means[i], mb = means[inner + i];
        float va = means[2 * inner + i] - ma * ma, vb = means[3 * inner + i] - mb * mb;
        float covariance = means[4 * inner + i] - ma * mb;
        sum += (2 * ma * mb + c1) * (2 * covariance + c2) /
               ((ma * ma + mb * mb + c1) * (va + vb + c2));
    }
    return sum / inner;
}

/* ---- pairs ---- */

static gboolean check_sizes(const Picture *output, const Picture *target, GError **error)
{
    if (output->width != target->width || output->height != target->height) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                    "has %d x %d pixels and its target %d x %d, make them equal", output->width,
                    output->height, target->width, target->height);
        return FALSE;
    }
    if (MIN(output->width, output->height) < WINDOW) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                    "has %d x %d pixels, and the metrics take at least %d x %d, leave it out",
                    output->width, output->height, WINDOW, WINDOW);
        return FALSE;
    }
    return TRUE;
}

gboolean metrics_add(Metrics *metrics, const Picture *output, const Picture *target, GError **error)
{
    int width = output->width, height = output->height;

    if (!check_sizes(output, target, error))
        return FALSE;
    g_autoptr(Picture) rgb_output = picture_convert(output, 3);
    g_autoptr(Picture) rgb_target = picture_convert(target, 3);
    if (metrics->n == 0) {
        metrics->width = width;
        metrics->height = height;
    } else if (width != metrics->width || height != metrics->height) {
        drop_sets(metrics);
    }
    g_autofree float *a = new_planes(rgb_output), *b = new_planes(rgb_target);
    add_differences(metrics, rgb_output, rgb_target);
    for (int c = 0; c < 3; c++) {
        gsize plane = (gsize)c * width * height;
        metrics->ssim += plane_ssim(a + plane, b + plane, width, height) / 3;
    }
    if (metrics->outputs) {
        swd_set_add(metrics->outputs, a, width, height);
        swd_set_add(metrics->targets, b, width, height);
    }
    metrics->n++;
    return TRUE;
}

void metrics_finish(const Metrics *metrics, MetricsResult *result)
{
    *result = (MetricsResult){
        .n = metrics->n,
        .l1 = metrics->l1 / metrics->n,
        .psnr = metrics->psnr / metrics->n,
        .ssim = metrics->ssim / metrics->n,
        .swd = NAN,
    };
    if (metrics->n == 0 || !metrics->outputs)
        return;
    result->n_levels = swd_compare(metrics->outputs, metrics->targets, metrics->seed,
                                   metrics->threads, result->swd_levels);
    result->swd = 0;
    for (int i = 0; i < result->n_levels; i++)
        result->swd += result->swd_levels[i] / result->n_levels;
}
