/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Each function of the micro-kernel table, of each level that this CPU has, against the plain C row:
 * random shapes and pitches, and nothing may change around an output. Every second trial is of small
 * whole numbers, where no sum is rounded and all levels must agree; the others are of noise, where
 * they may differ by rounding.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cpu-features.h"
#include "trial.h"

#define TRIALS 200

/* ---- products ---- */

static int draw_width(Trial *t)
{
    return trial_draw(t, 1, 2) * CPU_NR / 2;
}

/* Two sums of @count products up to 1 and one number more, each rounded as often. */
static double sum_bound(int count)
{
    return 2. * (count + 1) * (count + 1) * TRIAL_ROUNDING;
}

/* @numbers: in a float of a and of b.  @fill_sums: of what is added to. */
static void multiply(Trial *t, CpuProduct plain_product, CpuProduct product, int numbers,
                     TrialFill fill, TrialFill fill_sums)
{
    int m = trial_draw(t, 1, CPU_MC), nr = draw_width(t), k = trial_draw(t, 1, CPU_KC);
    int ldc = trial_draw(t, nr, 3 * nr);
    bool adds = trial_draw(t, 0, 1);
    g_auto(Area) a = trial_input(t, m, k, CPU_PITCH);
    g_auto(Area) b = trial_input(t, k, nr, nr);
    g_auto(Area) c = trial_output(t, m, nr, ldc, trial_draw(t, 0, 15), adds);
    fill(t, &a);
    fill(t, &b);
    if (adds)
        fill_sums(t, &c);
    g_auto(Area) plain = area_copy(&c);
    CpuNext next = {b.data, trial_draw(t, 0, k * nr / CPU_LINE) * CPU_LINE};
    plain_product(m, nr, k, a.data, b.data, plain.data, ldc, adds, (CpuNext){0});
    product(m, nr, k, a.data, b.data, c.data, ldc, adds, next);
    if (fill_sums == trial_fill_ints)
        trial_expect_bits(t, &c, &plain);
    else
        trial_expect(t, &c, &plain, sum_bound(numbers * k));
}

static void try_product(Trial *t)
{
    multiply(t, cpu_micro_c.product, t->level.product, 1, trial_fill, trial_fill);
}

static void try_product_bf16(Trial *t)
{
    multiply(t, cpu_micro_c.product_bf16, t->level.product_bf16, 2, trial_fill_bf16, trial_fill);
}

static void try_product_int8(Trial *t)
{
    multiply(t, cpu_micro_c.product_int8, t->level.product_int8, 4, trial_fill_bits,
             trial_fill_ints);
}

/* A row's sums do not depend on how many are multiplied with it. OpenBLAS promises no such thing. */
static void try_row(Trial *t)
{
    int m = trial_draw(t, 1, CPU_MC), nr = draw_width(t), k = trial_draw(t, 1, CPU_KC),
        row = trial_draw(t, 0, m - 1);
    g_auto(Area) a = trial_input(t, m, k, CPU_PITCH);
    g_auto(Area) b = trial_input(t, k, nr, nr);
    g_auto(Area) c = trial_output(t, m, nr, nr, 0, false);
    g_auto(Area) alone = trial_output(t, 1, nr, nr, 0, false);
    t->level.product(m, nr, k, a.data, b.data, c.data, nr, false, (CpuNext){0});
    t->level.product(1, nr, k, area_at(&a, row, 0), b.data, alone.data, nr, false, (CpuNext){0});
    assert_memory_equal(area_at(&c, row, 0), alone.data, (size_t)nr * sizeof(float));
}

static void try_outer(Trial *t)
{
    int m = trial_draw(t, 1, 150), nr = draw_width(t), k = trial_draw(t, 0, CPU_PIXELS);
    CpuResult result = (CpuResult)trial_draw(t, CPU_SET, CPU_STREAM);
    int ldc = result == CPU_STREAM ? nr * trial_draw(t, 1, 2) : trial_draw(t, nr, 3 * nr);
    g_auto(Area) a = trial_input(t, CPU_PIXELS, m, trial_draw(t, m, m + 40));
    g_auto(Area) b = trial_input(t, CPU_PIXELS, nr, trial_draw(t, nr, 2 * nr));
    g_auto(Area) c = trial_output(t, m, nr, ldc, result == CPU_STREAM ? 0 : trial_draw(t, 0, 15),
                                  result == CPU_ADD);
    g_auto(Area) plain = area_copy(&c);
    g_autofree const float **a_list = trial_list(t, &a, k), **b_list = trial_list(t, &b, k);
    cpu_micro_c.outer(m, nr, k, a_list, b_list, plain.data, ldc, result);
    t->level.outer(m, nr, k, a_list, b_list, c.data, ldc, result);
    trial_expect(t, &c, &plain, sum_bound(k));
}

/* ---- elements ---- */

static void try_transpose(Trial *t)
{
    int unit = trial_draw(t, 0, 1) ? 16 : 1, rows = trial_draw(t, 1, 5) * unit,
        columns = trial_draw(t, 1, 5) * unit;
    g_auto(Area) from = trial_input(t, rows, columns, trial_draw(t, columns, 2 * columns));
    g_auto(Area) to =
        trial_output(t, columns, rows, trial_draw(t, rows, 2 * rows), trial_draw(t, 0, 15), false);
    g_auto(Area) plain = area_copy(&to);
    cpu_micro_c.transpose(rows, columns, from.data, from.pitch, plain.data, plain.pitch);
    t->level.transpose(rows, columns, from.data, from.pitch, to.data, to.pitch);
    trial_expect_bits(t, &to, &plain);
}

static void try_finish(Trial *t)
{
    int count = trial_draw(t, 1, 100), shifts = trial_draw(t, 0, 2);
    bool adds = trial_draw(t, 0, 1), ints = trial_draw(t, 0, 1);
    bool in_place = trial_draw(t, 0, 1) && !(adds && ints); /* y is both, of one type */
    g_auto(Area) scale = trial_input(t, 1, count, count);
    g_auto(Area) shift = trial_input(t, 1, count, count);
    g_auto(Area) zeros = trial_input(t, 1, count, count);
    g_auto(Area) x = trial_input(t, 1, count, count);
    CpuFinish f = {shifts > 1 ? scale.data : NULL,
                   shifts > 0 ? shift.data : NULL,
                   ints ? zeros.data : NULL,
                   t->whole ? 2 : 1e-3f,
                   adds,
                   {(PixActivationKind)trial_draw(t, 0, PIX_ACTIVATION_TANH), 0.2f}};
    g_auto(Area) y = trial_output(t, 1, count, count, trial_draw(t, 0, 15), adds || in_place);
    trial_fill_ints(t, &zeros);
    if (ints)
        trial_fill_ints(t, in_place ? &y : &x);
    g_auto(Area) plain = area_copy(&y);
    cpu_micro_c.finish(&f, in_place ? plain.data : x.data, plain.data, count);
    t->level.finish(&f, in_place ? y.data : x.data, y.data, count);
    /* Four roundings of up to four, and what cpu_activate() says of tanh. */
    trial_expect(t, &y, &plain, 2 * 4 * 4 * TRIAL_ROUNDING + 2 * 3e-7);
}

static void try_sum(Trial *t)
{
    int pixels = trial_draw(t, 0, 100), count = trial_draw(t, 1, 100);
    g_auto(Area) v = trial_input(t, MAX(pixels, 1), count, trial_draw(t, count, 2 * count));
    g_auto(Area) x = trial_input(t, MAX(pixels, 1), count, trial_draw(t, count, 2 * count));
    g_auto(Area) sums = area_new(sizeof(CpuSum), 1, count, count, 0, AREA_OUT);
    for (int i = 0; i < count; i++)
        *(CpuSum *)area_at(&sums, 0, i) = (CpuSum){trial_draw_value(t), trial_draw_value(t)};
    g_auto(Area) plain = area_copy(&sums);
    cpu_micro_c.sum(v.data, v.pitch, x.data, x.pitch, pixels, count, plain.data);
    t->level.sum(v.data, v.pitch, x.data, x.pitch, pixels, count, sums.data);
    trial_expect_bits(t, &sums, &plain);
}

/* ---- to reduced precision ---- */

/* Floats of any kind but NaNs that signal, which become others when they are only moved. */
static void fill_floats(Trial *t, const Area *area)
{
    trial_fill_bits(t, area);
    for (int j = 0; j < area->columns; j++)
        *(guint32 *)area_at(area, 0, j) |= 0x400000;
}

static void try_largest(Trial *t)
{
    int count = trial_draw(t, 1, 100);
    bool rectifies = trial_draw(t, 0, 1);
    g_auto(Area) x = trial_input(t, 1, count, count);
    if (!t->whole)
        fill_floats(t, &x);
    assert_int_equal(t->level.largest(x.data, rectifies, count),
                     cpu_micro_c.largest(x.data, rectifies, count));
}

static void try_to_bf16(Trial *t)
{
    int count = trial_draw(t, 1, 100);
    bool rectifies = trial_draw(t, 0, 1);
    g_auto(Area) x = trial_input(t, 1, count, count);
    g_auto(Area) y = area_new(sizeof(uint16_t), 1, count, count, trial_draw(t, 0, 31), AREA_OUT);
    g_auto(Area) plain = area_copy(&y);
    if (!t->whole)
        fill_floats(t, &x);
    for (int i = 0; i < count; i += 3) /* halfway */
        memcpy(area_at(&x, 0, i), &(uint16_t){0x8000}, sizeof(uint16_t));
    cpu_micro_c.to_bf16(x.data, rectifies, plain.data, count);
    t->level.to_bf16(x.data, rectifies, y.data, count);
    trial_expect_bits(t, &y, &plain);
}

/* Powers of two multiply to exact products; halves of whole numbers are halfway. */
static void try_to_int8(Trial *t)
{
    int count = trial_draw(t, 1, 100);
    bool rectifies = trial_draw(t, 0, 1);
    float inverse = ldexpf(1, trial_draw(t, -1, t->whole ? 3 : 6));
    g_auto(Area) x = trial_input(t, 1, count, count);
    g_auto(Area) y = area_new(sizeof(uint8_t), 1, count, count, trial_draw(t, 0, 63), AREA_OUT);
    g_auto(Area) plain = area_copy(&y);
    cpu_micro_c.to_int8(x.data, rectifies, inverse, plain.data, count);
    t->level.to_int8(x.data, rectifies, inverse, y.data, count);
    trial_expect_bits(t, &y, &plain);
}

/* ---- loads ---- */

static void try_multiply_add(Trial *t)
{
    float a = t->whole ? 1 : (float)trial_draw_value(t) / 2, b = (float)trial_draw_value(t);
    g_auto(Area) last = trial_output(t, 1, 1, 1, trial_draw(t, 0, 15), false);
    g_auto(Area) plain = area_copy(&last);
    cpu_micro_c.multiply_add(a, b, plain.data);
    double count = t->level.multiply_add(a, b, last.data);
    assert_true(count >= CPU_CHAINS * CPU_STEPS && fmod(count, CPU_CHAINS * CPU_STEPS) == 0);
    /* Of numbers up to two, half of whose error goes on to the next step. */
    trial_expect(t, &last, &plain, 2. * CPU_CHAINS * 4 * 2 * TRIAL_ROUNDING);
}

static void try_read_ints(Trial *t)
{
    int count = trial_draw(t, 0, 5) * CPU_READ;
    g_auto(Area) from = trial_input(t, 1, MAX(count, 1), MAX(count, 1));
    trial_fill_bits(t, &from);
    assert_int_equal(t->level.read_ints(from.data, (size_t)count),
                     cpu_micro_c.read_ints(from.data, (size_t)count));
}

/* ---- tiles ---- */

static CpuTile draw_tile(Trial *t)
{
    static const CpuTile tiles[] = {{3, 2}, {4, 2}, {4, 3}, {6, 3}, {6, 4}};
    return tiles[trial_draw(t, 0, G_N_ELEMENTS(tiles) - 1)];
}

/* Two axes, on each of which values up to 1 become sums of @points terms up to @gain. */
static double tile_bound(int points, double gain)
{
    return 2. * 2 * points * gain * gain * TRIAL_ROUNDING;
}

static void try_tile_in(Trial *t)
{
    CpuTile tile = draw_tile(t);
    int squared = tile.points * tile.points, count = trial_draw(t, 1, 5) * CPU_TILE_LANES;
    bool rectifies = trial_draw(t, 0, 1);
    g_auto(Area) from = trial_input(t, squared, count, trial_draw(t, count, 2 * count));
    g_auto(Area) to = trial_output(t, squared, count, trial_draw(t, count, 2 * count),
                                   trial_draw(t, 0, 15), false);
    g_auto(Area) plain = area_copy(&to);
    g_autofree const float **pixels = trial_list(t, &from, squared);
    cpu_micro_c.tile_in(tile, rectifies, pixels, count, plain.data, plain.pitch);
    t->level.tile_in(tile, rectifies, pixels, count, to.data, to.pitch);
    trial_expect(t, &to, &plain, tile_bound(tile.points, 4 + 5 + 1));
}

#define MAX_PIXELS (4 * 4)
#define MAX_CHANNELS (5 * CPU_TILE_LANES)

/* The pixels of @to, but for those that are not wanted. */
static void list_pixels(const Area *to, unsigned wanted, float **pixels)
{
    for (int i = 0; i < to->rows; i++)
        pixels[i] = wanted >> i & 1 ? area_at(to, i, 0) : NULL;
}

/* @count sums and, @squares behind them, as many of squares; what lies between is not touched. */
static void expect_parts(const Trial *t, const double *found, const double *plain, int count,
                         int squares, double bound)
{
    for (int i = 0; i < squares + MAX_CHANNELS; i++) {
        bool sum = i < count || (i >= squares && i < squares + count);
        double most = t->whole ? MAX_PIXELS * 0x1p-53 * ABS(plain[i]) : bound * MAX_PIXELS * 64;
        if (!sum)
            most = 0;
        if (!(ABS(found[i] - plain[i]) <= most))
            fail_msg("%s, trial %d: part %d is %g instead of %g", t->name, t->number, i, found[i],
                     plain[i]);
    }
}

static void try_tile_out(Trial *t)
{
    CpuTile tile = draw_tile(t);
    int squared = tile.points * tile.points, count = trial_draw(t, 1, 5) * CPU_TILE_LANES;
    int squares = trial_draw(t, count, MAX_CHANNELS);
    unsigned wanted = g_rand_int(t->rand);
    bool counts = trial_draw(t, 0, 1), adds = trial_draw(t, 0, 1);
    int shifts = trial_draw(t, 0, 2); /* 2: and scales */
    /* Two more roundings of as much by a scale and a shift of up to 1, and what was there. */
    double bound = 3 * tile_bound(tile.points, 1 + 1 + 8 + 8 + 1) + 2 * 3e-7;
    float *pixels[MAX_PIXELS], *plain_pixels[MAX_PIXELS];
    double parts[2][2 * MAX_CHANNELS];
    g_auto(Area) from = trial_input(t, squared, count, trial_draw(t, count, 2 * count));
    g_auto(Area) scale = trial_input(t, 1, count, count);
    g_auto(Area) shift = trial_input(t, 1, count, count);
    CpuFinish f = {.scale = shifts > 1 ? scale.data : NULL,
                   .shift = shifts > 0 ? shift.data : NULL,
                   .adds = adds,
                   .activation = {(PixActivationKind)trial_draw(t, 0, PIX_ACTIVATION_TANH), 0.2f}};
    g_auto(Area) to = trial_output(t, tile.outputs * tile.outputs, count,
                                   trial_draw(t, count, 2 * count), trial_draw(t, 0, 15), adds);
    g_auto(Area) plain = area_copy(&to);
    list_pixels(&to, wanted, pixels);
    list_pixels(&plain, wanted, plain_pixels);
    for (int i = 0; i < 2 * MAX_CHANNELS; i++)
        parts[0][i] = parts[1][i] = t->number + i;
    cpu_micro_c.tile_out(tile, &f, from.data, from.pitch, count, plain_pixels,
                         counts ? parts[0] : NULL, squares);
    t->level.tile_out(tile, &f, from.data, from.pitch, count, pixels, counts ? parts[1] : NULL,
                      squares);
    for (int i = 0; i < to.rows;
         i++) /* what was not wanted has been left alone: now it is a number */
        if (!pixels[i])
            for (int c = 0; c < count; c++)
                *(float *)area_at(&to, i, c) = *(float *)area_at(&plain, i, c) = 0;
    trial_expect(t, &to, &plain, bound);
    expect_parts(t, parts[1], parts[0], count, squares, bound);
}

static void try_tile_weights(Trial *t)
{
    CpuTile tile = draw_tile(t);
    int taps = tile.points - tile.outputs + 1, count = trial_draw(t, 1, 5) * CPU_TILE_LANES;
    g_auto(Area) from = trial_input(t, taps * taps, count, trial_draw(t, count, 2 * count));
    g_auto(Area) to = trial_output(t, tile.points * tile.points, count,
                                   trial_draw(t, count, 2 * count), trial_draw(t, 0, 15), false);
    g_auto(Area) plain = area_copy(&to);
    cpu_micro_c.tile_weights(tile, from.data, from.pitch, count, plain.data, plain.pitch);
    t->level.tile_weights(tile, from.data, from.pitch, count, to.data, to.pitch);
    t->whole = false; /* sixths are rounded */
    trial_expect(t, &to, &plain, TRIAL_WHOLE * tile_bound(taps, 1));
}

/* ---- all of them ---- */

typedef struct {
    const char *name, *level;
    void (*run)(Trial *trial);
} Row;

static void test_row(void **state)
{
    const Row *row = *state;
    Trial t = {.name = row->name};
    assert_true(cpu_micro_select(row->level, &t.level, NULL));
    for (t.number = 0; t.number < TRIALS; t.number++) {
        t.whole = t.number % 2 == 0;
        t.rand = g_rand_new_with_seed((guint32)t.number);
        row->run(&t);
        g_rand_free(t.rand);
    }
}

#define ROW(level, function, run)                                                                  \
    {                                                                                              \
        level ": " function, level, run                                                            \
    }
#define LEVEL(level)                                                                               \
    ROW(level, "product", try_product), ROW(level, "product_bf16", try_product_bf16),              \
        ROW(level, "product_int8", try_product_int8), ROW(level, "outer", try_outer),              \
        ROW(level, "transpose", try_transpose), ROW(level, "finish", try_finish),                  \
        ROW(level, "sum", try_sum), ROW(level, "largest", try_largest),                            \
        ROW(level, "to_bf16", try_to_bf16), ROW(level, "to_int8", try_to_int8),                    \
        ROW(level, "multiply_add", try_multiply_add), ROW(level, "read_ints", try_read_ints),      \
        ROW(level, "tile_in", try_tile_in), ROW(level, "tile_out", try_tile_out),                  \
        ROW(level, "tile_weights", try_tile_weights)

/* Those whose products are ours. */
#define OWN_LEVEL(level) LEVEL(level), ROW(level, "product, row by row", try_row)

static bool has(const char *level)
{
    CpuMicro micro;
    return cpu_micro_select(level, &micro, NULL) && g_str_equal(micro.name, level) &&
           (!micro.tiles || cpu_may_use_tiles());
}

/* What a level has not is taken from the one below, and its gains with it. */
static void test_gains(void **state)
{
    static const char *const levels[] = {"openblas",   "avx2",      "avx2vnni", "avx512",
                                         "avx512vnni", "avx512dot", "amx",      "neon"};
    CpuMicro below, micro;
    assert_true(cpu_micro_select("c", &below, NULL));
    assert_true(below.gain_bf16 > 0 && below.gain_int8 > 0);
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++, below = micro) {
        assert_true(cpu_micro_select(levels[i], &micro, NULL));
        bool same = micro.product == below.product;
        assert_int_equal(same && micro.product_bf16 == below.product_bf16,
                         micro.gain_bf16 == below.gain_bf16);
        assert_int_equal(same && micro.product_int8 == below.product_int8,
                         micro.gain_int8 == below.gain_int8);
    }
}

/* Dot products of bf16 are faster than multiplications on AMD's processors, and slower on Intel's. */
static void test_gain_of_maker(void **state)
{
    g_autofree char *cpu = NULL;
    CpuMicro micro;
    if (!has("avx512dot") || !g_file_get_contents("/proc/cpuinfo", &cpu, NULL, NULL))
        return;
    assert_true(cpu_micro_select("avx512dot", &micro, NULL));
    assert_int_equal(micro.gain_bf16 > 1, strstr(cpu, "AuthenticAMD") != NULL);
}

int main(void)
{
    static const Row rows[] = {OWN_LEVEL("c"),         LEVEL("openblas"),   OWN_LEVEL("avx2"),
                               OWN_LEVEL("avx2vnni"),  OWN_LEVEL("avx512"), OWN_LEVEL("avx512vnni"),
                               OWN_LEVEL("avx512dot"), OWN_LEVEL("amx"),    OWN_LEVEL("neon")};
    struct CMUnitTest tests[G_N_ELEMENTS(rows) + 2] = {cmocka_unit_test(test_gains),
                                                       cmocka_unit_test(test_gain_of_maker)};
    size_t n = 2;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (has(rows[i].level))
            tests[n++] = (struct CMUnitTest){rows[i].name, test_row, NULL, NULL, (void *)&rows[i]};
    return _cmocka_run_group_tests("micro", tests, n, NULL, NULL);
}
