/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "swd.h"

#include "numpy-random.h"
#include "pyramid.h"

#include <math.h>
#include <string.h>

#define CHANNELS 3
#define SIDE 7
#define AREA (SIDE * SIDE)
#define FEATURES (CHANNELS * AREA)
#define PATCHES 128 /* of a picture and level */
#define DIRECTIONS 512
#define BLOCK 32 /* directions at a time */
#define LANES 4
#define VECTORS (BLOCK / LANES)
#define BLOCKS (DIRECTIONS / BLOCK)
#define LAST_SIDE 16 /* a level that is no larger is the last */

/* What random numbers are for; swd_set_new() adds its number to the first. */
enum { STREAM_DIRECTIONS = 0, STREAM_PATCHES = 1 };

/* GCC does not find by itself that directions are what to do side by side. */
typedef float Lanes __attribute__((vector_size(LANES * sizeof(float))));

struct SwdSet {
    guint64 seed;
    guint which;
    guint n, room; /* pictures: that there are, and that there is memory for */
    int n_levels;
    GRand *places[SWD_MAX_LEVELS];
    float *patches[SWD_MAX_LEVELS]; /* (n * PATCHES, channel, y, x) */
};

/* What the threads share that work on one level. */
typedef struct {
    const SwdSet *sets[2];
    int level;
    float mean[2][CHANNELS], scale[2][CHANNELS];
    float *directions;       /* (FEATURES, DIRECTIONS) */
    double sums[DIRECTIONS]; /* of the differences along each */
    int next;                /* block; atomic */
} Comparison;

/* Each level has its own stream, so that pictures can be added one by one. */
static GRand *new_stream(guint64 seed, guint stream, guint level)
{
    const guint32 words[] = {seed, seed >> 32, stream, level};

    return g_rand_new_with_seed_array(words, G_N_ELEMENTS(words));
}

SwdSet *swd_set_new(guint64 seed, guint which)
{
    SwdSet *set = g_new0(SwdSet, 1);

    set->seed = seed;
    set->which = which;
    return set;
}

void swd_set_free(SwdSet *set)
{
    if (!set)
        return;
    for (int i = 0; i < set->n_levels; i++) {
        g_rand_free(set->places[i]);
        g_free(set->patches[i]);
    }
    g_free(set);
}

void swd_set_expect(SwdSet *set, guint pictures)
{
    set->room = pictures;
}

/* ---- patches ---- */

static int half(int side)
{
    return (side + 1) / 2;
}

static gboolean is_last(int width, int height)
{
    return MIN(width, height) <= LAST_SIDE;
}

static void take_patches(SwdSet *set, int level, float *const *planes, int width, int height)
{
    float *to = set->patches[level] + (gsize)set->n * PATCHES * FEATURES;
    int y[PATCHES], x[PATCHES];

    for (int i = 0; i < PATCHES; i++)
        y[i] = numpy_random_below(set->places[level], height - SIDE + 1);
    for (int i = 0; i < PATCHES; i++)
        x[i] = numpy_random_below(set->places[level], width - SIDE + 1);
    for (int i = 0; i < PATCHES; i++) {
        for (int c = 0; c < CHANNELS; c++) {
            const float *from = planes[c] + (gsize)y[i] * width + x[i];
            for (int row = 0; row < SIDE; row++, to += SIDE, from += width)
                memcpy(to, from, SIDE * sizeof(float));
        }
    }
}

/* Returns: @before, or what is new, with all the room. */
static float *new_patches(const SwdSet *set, float *before)
{
    const gsize picture = PATCHES * FEATURES;

    return g_renew(float, before, picture * set->room);
}

static void make_room(SwdSet *set)
{
    if (set->n < set->room)
        return;
    set->room = MAX(2 * set->n, 1);
    for (int level = 0; level < set->n_levels; level++)
        set->patches[level] = new_patches(set, set->patches[level]);
}

void swd_set_add(SwdSet *set, const float *pixels, int width, int height)
{
    gsize count = (gsize)width * height;
    float *planes[CHANNELS], *halves[CHANNELS];

    make_room(set);
    for (int c = 0; c < CHANNELS; c++)
        planes[c] = g_memdup2(pixels + c * count, count * sizeof(float));
    for (int level = 0;; level++) {
        gboolean last = is_last(width, height);
        for (int c = 0; c < CHANNELS && !last; c++) {
            halves[c] = pyramid_new_half(planes[c], width, height);
            pyramid_subtract_doubled(planes[c], width, height, halves[c]);
        }
        if (level == set->n_levels) {
            g_assert(level < SWD_MAX_LEVELS);
            set->places[level] = new_stream(set->seed, STREAM_PATCHES + set->which, level);
            set->patches[level] = new_patches(set, NULL);
            set->n_levels++;
        }
        take_patches(set, level, planes, width, height);
        for (int c = 0; c < CHANNELS; c++)
            g_free(planes[c]);
        if (last)
            break;
        memcpy(planes, halves, sizeof(planes));
        width = half(width);
        height = half(height);
    }
    set->n++;
}

/* ---- the distance ---- */

/* Unit vectors in all directions alike. */
static float *new_directions(guint64 seed, int level)
{
    float *directions = g_new(float, FEATURES *DIRECTIONS);
    GRand *random = new_stream(seed, STREAM_DIRECTIONS, level);

    for (int i = 0; i < FEATURES * DIRECTIONS; i += 2) {
        double pair[2];
        numpy_random_normal_pair(random, pair);
        directions[i] = pair[0];
        directions[i + 1] = pair[1];
    }
    g_rand_free(random);
    for (int d = 0; d < DIRECTIONS; d++) {
        double square = 0;
        for (int f = 0; f < FEATURES; f++)
            square += (double)directions[f * DIRECTIONS + d] * directions[f * DIRECTIONS + d];
        for (int f = 0; f < FEATURES; f++)
            directions[f * DIRECTIONS + d] /= sqrt(square);
    }
    return directions;
}

/* Mean and standard deviation of one channel over all patches. */
static void measure(const SwdSet *set, int level, int channel, float *mean, float *scale)
{
    const float *first = set->patches[level] + channel * AREA;
    guint n = set->n * PATCHES;
    double sum = 0, square = 0;

    for (guint i = 0; i < n; i++) {
        for (int j = 0; j < AREA; j++)
            sum += first[(gsize)i * FEATURES + j];
    }
    sum /= (double)n * AREA;
    for (guint i = 0; i < n; i++) {
        for (int j = 0; j < AREA; j++) {
            double d = first[(gsize)i * FEATURES + j] - sum;
            square += d * d;
        }
    }
    *mean = sum;
    *scale = 1 / (sqrt(square / ((double)n * AREA)) + 1e-8);
}

/* Integers in the order of the floats that they stand for, and back. */
static guint32 to_key(float value)
{
    guint32 bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u);
}

static float from_key(guint32 key)
{
    guint32 bits = key ^ (key >> 31 ? 0x80000000u : 0xffffffffu);
    float value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* By 11 bits at a time; a comparing sort takes longer than the projection. */
static void sort_keys(guint32 *keys, guint32 *scratch, guint n)
{
    for (int shift = 0; shift < 33; shift += 11) {
        guint places[2048] = {0}, place = 0;
        for (guint i = 0; i < n; i++)
            places[keys[i] >> shift & 2047]++;
        for (int i = 0; i < 2048; i++) {
            guint count = places[i];
            places[i] = place;
            place += count;
        }
        for (guint i = 0; i < n; i++)
            scratch[places[keys[i] >> shift & 2047]++] = keys[i];
        guint32 *sorted = scratch;
        scratch = keys;
        keys = sorted;
    }
}

/* Projects every patch of a set on BLOCK directions. @keys: (out): (BLOCK, n). */
static void project(const Comparison *comparison, int which, int first, guint32 *keys)
{
    const SwdSet *set = comparison->sets[which];
    const float *patch = set->patches[comparison->level];
    guint n = set->n * PATCHES;
    Lanes directions[FEATURES][VECTORS];

    for (int f = 0; f < FEATURES; f++) {
        for (int d = 0; d < BLOCK; d++)
            directions[f][d / LANES][d % LANES] =
                comparison->directions[f * DIRECTIONS + first + d] *
                comparison->scale[which][f / AREA];
    }
    for (guint i = 0; i < n; i++) {
        Lanes sums[VECTORS] = {0};
        for (int c = 0; c < CHANNELS; c++) {
            float mean = comparison->mean[which][c];
            for (int f = c * AREA; f < (c + 1) * AREA; f++) {
                float value = *patch++ - mean;
                for (int v = 0; v < VECTORS; v++)
                    sums[v] += value * directions[f][v];
            }
        }
        for (int d = 0; d < BLOCK; d++)
            keys[(gsize)d * n + i] = to_key(sums[d / LANES][d % LANES]);
    }
}

/* A thread: takes blocks of directions until none is left. */
static gpointer compare_blocks(gpointer data)
{
    Comparison *comparison = data;
    guint n = comparison->sets[0]->n * PATCHES;
    g_autofree guint32 *keys = g_new(guint32, (gsize)2 * BLOCK * n);
    g_autofree guint32 *scratch = g_new(guint32, 2 * n);
    int block;

    while ((block = g_atomic_int_add(&comparison->next, 1)) < BLOCKS) {
        for (int set = 0; set < 2; set++)
            project(comparison, set, block * BLOCK, keys + (gsize)set * BLOCK * n);
        for (int d = 0; d < BLOCK; d++) {
            guint32 *a = keys + (gsize)d * n, *b = a + (gsize)BLOCK * n;
            double sum = 0;
            sort_keys(a, scratch, n);
            sort_keys(b, scratch + n, n);
            for (guint i = 0; i < n; i++) /* after three passes the scratch is sorted */
                sum += fabsf(from_key(scratch[i]) - from_key(scratch[n + i]));
            comparison->sums[block * BLOCK + d] = sum;
        }
    }
    return NULL;
}

static double compare_level(Comparison *comparison, unsigned threads)
{
    GThread *others[BLOCKS];
    guint n_others = MIN(threads, BLOCKS) - 1;
    guint n = comparison->sets[0]->n * PATCHES;
    double sum = 0;

    for (int set = 0; set < 2; set++) {
        for (int c = 0; c < CHANNELS; c++)
            measure(comparison->sets[set], comparison->level, c, &comparison->mean[set][c],
                    &comparison->scale[set][c]);
    }
    for (guint i = 0; i < n_others; i++)
        others[i] = g_thread_new("swd", compare_blocks, comparison);
    compare_blocks(comparison);
    for (guint i = 0; i < n_others; i++)
        g_thread_join(others[i]);
    for (int d = 0; d < DIRECTIONS; d++)
        sum += comparison->sums[d];
    return 1000 * sum / n / DIRECTIONS;
}

int swd_compare(const SwdSet *a, const SwdSet *b, guint64 seed, unsigned threads, double *levels)
{
    g_assert(a->n_levels == b->n_levels && a->n_levels > 0);
    for (int level = 0; level < a->n_levels; level++) {
        g_autofree float *directions = new_directions(seed, level);
        Comparison comparison = {.sets = {a, b}, .level = level, .directions = directions};
        levels[level] = compare_level(&comparison, threads);
    }
    return a->n_levels;
}

guint64 swd_get_bytes(guint pictures, int width, int height, unsigned threads)
{
    guint64 patches = (guint64)PATCHES * pictures, levels = 1;

    for (; !is_last(width, height); levels++) {
        width = half(width);
        height = half(height);
    }
    return patches * (2 * levels * FEATURES * sizeof(float) +
                      MIN(threads, BLOCKS) * 2 * (BLOCK + 1) * sizeof(guint32));
}
