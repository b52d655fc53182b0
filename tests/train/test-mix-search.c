/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The search for the fastest mix of precisions, on layers of made-up times and errors. */
#include "mix-search.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define N 6

static const MixLayer layers[N] = {
    {{10, 9, 8}, {0, 1e-6, 9e-3}},     /* the first: little to win, much to lose */
    {{10, 6, 3}, {0, 1e-6, 1e-5}},     /* int8 pays */
    {{10, 4, 3.9}, {0, 1e-6, 5e-5}},   /* int8 is hardly faster than bf16, and worse */
    {{10, 12, 5}, {0, 1e-7, 2e-5}},    /* bf16 is slower than fp32 */
    {{10, 9.9, 9.8}, {0, 1e-9, 1e-9}}, /* nothing to win */
    {{10, 5, 2}, {0, INFINITY, 4e-5}}, /* bf16 cannot be used */
};

/* @expected: a letter for each layer. */
static void assert_mix(const PixPrecision *mix, const char *expected)
{
    static const char letters[] = {
        [PIX_PRECISION_FP32] = 'f', [PIX_PRECISION_BF16] = 'b', [PIX_PRECISION_INT8] = 'i'};
    char found[N + 1] = "";

    for (int i = 0; i < N; i++)
        found[i] = letters[mix[i]];
    assert_string_equal(found, expected);
}

static void assert_chosen(double budget, const char *expected)
{
    PixPrecision mix[N];

    mix_choose(layers, N, budget, mix);
    assert_mix(mix, expected);
}

static void test_choose(void **state)
{
    assert_chosen(0, "ffffff");
    assert_chosen(0.9e-6, "ffffff");
    assert_chosen(1e-6, "ffbfff");    /* 6 ms for 1e-6 is the best there is */
    assert_chosen(2e-6, "fbbfff");    /* then 4 ms */
    assert_chosen(3e-6, "bbbfff");    /* then 1 ms */
    assert_chosen(12.1e-6, "bibfff"); /* 3 ms more for 9e-6 */
    assert_chosen(32.1e-6, "bibiff"); /* 5 ms for 2e-5 */
    assert_chosen(52.1e-6, "bibiff"); /* 8 ms for 4e-5 do not fit behind it */
    assert_chosen(72.1e-6, "bibifi");
    assert_chosen(1e-3, "bibifi");
    assert_chosen(1, "iibifi");
}

static void test_ms(void **state)
{
    const PixPrecision mix[] = {PIX_PRECISION_FP32, PIX_PRECISION_INT8, PIX_PRECISION_BF16};

    assert_true(mix_get_ms(layers, 3, mix) == 17);
    assert_true(mix_get_ms(layers, 0, mix) == 0);
}

/** World: what a picture loses in truth. */
typedef struct {
    double factor; /* of the sum of errors */
    double bound;
    int trials;
    double fastest; /* of all mixes that held */
} World;

static gboolean try_mix(gpointer data, const PixPrecision *mix, double bound, double *worst,
                        GError **error)
{
    World *world = data;

    *worst = 0;
    for (int i = 0; i < N; i++)
        *worst += world->factor * layers[i].error[mix[i] == PIX_PRECISION_INT8   ? 2
                                                  : mix[i] == PIX_PRECISION_BF16 ? 1
                                                                                 : 0];
    world->trials++;
    assert_true(bound == world->bound);
    if (*worst < bound)
        world->fastest = MIN(world->fastest, mix_get_ms(layers, N, mix));
    return TRUE;
}

static void assert_found(double factor, double bound, const char *expected)
{
    World world = {factor, bound, 0, 10 * N};
    PixPrecision mix[N];
    double worst = NAN, again;

    assert_true(mix_search(layers, N, bound, try_mix, &world, mix, &worst, NULL));
    assert_mix(mix, expected);
    assert_true(worst < bound);
    assert_true(world.trials <= 12);
    assert_true(mix_get_ms(layers, N, mix) == world.fastest);
    try_mix(&world, mix, bound, &again, NULL);
    assert_true(worst == again);
}

/* Errors are what their sum says, more, or less: what holds is found in each case. */
static void test_search(void **state)
{
    assert_found(1, 1e-3, "bibifi");
    assert_found(10, 1e-3, "bibifi");
    assert_found(100, 1e-3, "bbbfff");
    assert_found(100, 4e-3, "bibiff");
    assert_found(1e6, 1e-3, "ffffff");
    assert_found(0.01, 1e-3, "iibifi");
    assert_found(1, 1, "iibifi");
    assert_found(1, 1e-9, "ffffff");
}

static gboolean fail_to_try(gpointer data, const PixPrecision *mix, double bound, double *worst,
                            GError **error)
{
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "no such picture");
    return FALSE;
}

static void test_failure(void **state)
{
    g_autoptr(GError) error = NULL;
    PixPrecision mix[N];
    double worst;

    assert_false(mix_search(layers, N, 1e-3, fail_to_try, NULL, mix, &worst, &error));
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_IO));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_ms),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_failure),
    };
    return cmocka_run_group_tests_name("mix-search", tests, NULL, NULL);
}
