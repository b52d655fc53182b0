/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "resample.h"

#include <math.h>

/* A sum of weighted bytes has 8 bits before the point and, for the filter's overshoot, 2 more. */
#define PRECISION_BITS (32 - 8 - 2)
#define SUPPORT 2.0

/* How the new pixels of one axis are made of the old ones. */
typedef struct {
    int size;
    int taps;           /* at most, of one new pixel */
    int *first, *count; /* (size): the old pixels that it takes */
    int *weights;       /* (size, taps), with PRECISION_BITS behind the point */
} Filter;

static void filter_clear(Filter *filter)
{
    g_free(filter->first);
    g_free(filter->count);
    g_free(filter->weights);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, filter_clear)

/* Keys' cubic with a = -0.5, in the reference's order of operations: its roundings matter. */
static double cubic(double x)
{
    const double a = -0.5;

    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

static int to_fixed(double weight)
{
    return (int)(weight * (1 << PRECISION_BITS) + (weight < 0 ? -0.5 : 0.5));
}

static void filter_init(Filter *filter, int from, int to)
{
    double scale = (double)from / to, stretch = MAX(scale, 1), support = SUPPORT * stretch;
    int taps = (int)ceil(support) * 2 + 1;
    g_autofree double *exact = g_new(double, taps);

    *filter = (Filter){.size = to,
                       .taps = taps,
                       .first = g_new(int, to),
                       .count = g_new(int, to),
                       .weights = g_new(int, (gsize)to *taps)};
    for (int i = 0; i < to; i++) {
        double centre = (i + 0.5) * scale, sum = 0;
        int first = MAX((int)(centre - support + 0.5), 0);
        int count = MIN((int)(centre + support + 0.5), from) - first;
        for (int k = 0; k < count; k++)
            sum += exact[k] = cubic((k + first - centre + 0.5) * (1 / stretch));
        for (int k = 0; k < count; k++)
            filter->weights[(gsize)i * taps + k] = to_fixed(exact[k] / sum);
        filter->first[i] = first;
        filter->count[i] = count;
    }
}

static guint8 to_byte(int sum)
{
    return CLAMP(sum >> PRECISION_BITS, 0, 255);
}

/* Inlined with a constant number of channels. */
static inline void filter_row(const Filter *filter, const guint8 *from, guint8 *to, int channels)
{
    for (int i = 0; i < filter->size; i++, to += channels) {
        const int *weights = filter->weights + (gsize)i * filter->taps;
        const guint8 *p = from + filter->first[i] * channels;
        int sums[4] = {1 << (PRECISION_BITS - 1), 1 << (PRECISION_BITS - 1),
                       1 << (PRECISION_BITS - 1), 1 << (PRECISION_BITS - 1)};

        for (int k = 0; k < filter->count[i]; k++, p += channels) {
            for (int c = 0; c < channels; c++)
                sums[c] += p[c] * weights[k];
        }
        for (int c = 0; c < channels; c++)
            to[c] = to_byte(sums[c]);
    }
}

static Picture *filter_rows(const Picture *picture, int width)
{
    int channels = picture->channels;
    Picture *result = picture_new(width, picture->height, channels);
    g_auto(Filter) filter = {0};

    filter_init(&filter, picture->width, width);
    for (int y = 0; y < picture->height; y++) {
        const guint8 *from = picture->data + (gsize)y * picture->width * channels;
        guint8 *to = result->data + (gsize)y * width * channels;
        if (channels == 1)
            filter_row(&filter, from, to, 1);
        else if (channels == 3)
            filter_row(&filter, from, to, 3);
        else
            filter_row(&filter, from, to, 4);
    }
    return result;
}

static Picture *filter_columns(const Picture *picture, int height)
{
    gsize row_bytes = (gsize)picture->width * picture->channels;
    Picture *result = picture_new(picture->width, height, picture->channels);
    g_autofree int *sums = g_new(int, row_bytes);
    g_auto(Filter) filter = {0};

    filter_init(&filter, picture->height, height);
    for (int y = 0; y < height; y++) {
        const guint8 *from = picture->data + filter.first[y] * row_bytes;
        for (gsize x = 0; x < row_bytes; x++)
            sums[x] = 1 << (PRECISION_BITS - 1);
        for (int k = 0; k < filter.count[y]; k++, from += row_bytes) {
            int weight = filter.weights[(gsize)y * filter.taps + k];
            for (gsize x = 0; x < row_bytes; x++)
                sums[x] += from[x] * weight;
        }
        for (gsize x = 0; x < row_bytes; x++)
            result->data[y * row_bytes + x] = to_byte(sums[x]);
    }
    return result;
}

/* Of RGBA, so that what cannot be seen does not bleed into what can. */
static void multiply_alpha(Picture *picture)
{
    guint8 *end = picture->data + (gsize)picture->width * picture->height * 4;

    for (guint8 *p = picture->data; p < end; p += 4) {
        for (int c = 0; c < 3; c++) {
            int product = p[c] * p[3] + 128;
            p[c] = ((product >> 8) + product) >> 8;
        }
    }
}

static void divide_alpha(Picture *picture)
{
    guint8 *end = picture->data + (gsize)picture->width * picture->height * 4;

    for (guint8 *p = picture->data; p < end; p += 4) {
        for (int c = 0; c < 3 && p[3] != 0 && p[3] != 255; c++)
            p[c] = MIN(255 * p[c] / p[3], 255);
    }
}

Picture *picture_resize_bicubic(const Picture *picture, int width, int height)
{
    g_autoptr(Picture) work = picture_convert(picture, picture->channels);
    gboolean wider = width != picture->width, higher = height != picture->height;
    gboolean has_alpha = picture->channels == 4 && (wider || higher);

    if (has_alpha)
        multiply_alpha(work);
    if (wider) {
        Picture *rows = filter_rows(work, width);
        picture_free(work);
        work = rows;
    }
    if (higher) {
        Picture *columns = filter_columns(work, height);
        picture_free(work);
        work = columns;
    }
    if (has_alpha)
        divide_alpha(work);
    return g_steal_pointer(&work);
}
