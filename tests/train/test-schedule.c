/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The learning rate over whole runs, step by step. */
#include "schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PER_EPOCH 7 /* steps */

static double factor_at(const Schedule *schedule, int step)
{
    return schedule_get_factor(schedule, (double)step / PER_EPOCH, 0);
}

static void test_linear(void **state)
{
    const Schedule schedule = {SCHEDULE_LINEAR, 10, 5, 50};
    const int steps = 15 * PER_EPOCH;

    for (int i = 0; i <= 10 * PER_EPOCH; i++)
        assert_true(factor_at(&schedule, i) == 1); /* never early */
    for (int i = 10 * PER_EPOCH + 1; i < steps; i++) {
        double step = factor_at(&schedule, i - 1) - factor_at(&schedule, i);
        assert_float_equal(step, 1.0 / (5 * PER_EPOCH), 1e-12);
    }
    assert_true(factor_at(&schedule, 14 * PER_EPOCH) > 0.19); /* the last epoch begins */
    assert_float_equal(factor_at(&schedule, steps - 1), 1.0 / (5 * PER_EPOCH), 1e-12);
    assert_true(factor_at(&schedule, steps) == 0);
    assert_true(factor_at(&schedule, steps + 100) == 0);
}

/* As a loop over steps says it: constant for one half of them, then a line to zero. */
static void test_linear_by_step(void **state)
{
    const Schedule schedule = {SCHEDULE_LINEAR, 10, 10, 50};
    const int steps = 20 * PER_EPOCH;

    for (int i = 0; i < steps; i++)
        assert_float_equal(factor_at(&schedule, i), fmin(1, 2 * (1 - (double)i / steps)), 1e-12);
}

static void test_linear_without_decay(void **state)
{
    const Schedule schedule = {SCHEDULE_LINEAR, 10, 0, 50};

    for (int i = 0; i < 10 * PER_EPOCH; i++)
        assert_true(factor_at(&schedule, i) == 1);
}

static void test_linear_with_decay_alone(void **state)
{
    const Schedule schedule = {SCHEDULE_LINEAR, 0, 4, 50};

    assert_true(factor_at(&schedule, 0) == 1);
    assert_float_equal(factor_at(&schedule, 2 * PER_EPOCH), 0.5, 1e-12);
}

static void test_cosine(void **state)
{
    const Schedule schedule = {SCHEDULE_COSINE, 6, 4, 50};
    const int steps = 10 * PER_EPOCH;

    assert_true(factor_at(&schedule, 0) == 1);
    assert_float_equal(factor_at(&schedule, steps / 2), 0.5, 1e-12);
    for (int i = 1; i < steps; i++) {
        assert_true(factor_at(&schedule, i) < factor_at(&schedule, i - 1));
        assert_true(factor_at(&schedule, i) > 0);
    }
    for (int i = steps; i < 3 * steps; i++) /* it never climbs again */
        assert_true(factor_at(&schedule, i) == 0);
}

static void test_step(void **state)
{
    const Schedule schedule = {SCHEDULE_STEP, 100, 100, 3};

    for (int i = 0; i < 10 * PER_EPOCH; i++)
        assert_float_equal(factor_at(&schedule, i), pow(0.1, i / (3 * PER_EPOCH)), 1e-12);
}

static void test_constant(void **state)
{
    const Schedule schedule = {SCHEDULE_CONSTANT, 1, 1, 50};

    for (int i = 0; i < 10 * PER_EPOCH; i++)
        assert_true(factor_at(&schedule, i) == 1);
}

static guint64 reductions_after(const double *values, int n, gboolean higher)
{
    SchedulePlateau plateau = {0};

    for (int i = 0; i < n; i++)
        schedule_observe(&plateau, values[i], higher);
    return plateau.reductions;
}

/* The numbers of torch.optim.lr_scheduler.ReduceLROnPlateau, as counted by hand. */
static void test_plateau(void **state)
{
    const Schedule schedule = {SCHEDULE_PLATEAU, 100, 100, 50};
    const double flat[] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
    const double falling[] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    const double slowly[] = {100, 99.5, 99.4, 99.3, 99.2, 99.1, 99.05};
    const double late[] = {5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4};
    const double rising[] = {1, 2, 3, 4, 5, 6, 7};
    const double nothing[] = {NAN, 5, NAN, NAN, NAN, NAN, NAN, NAN};

    assert_int_equal(reductions_after(flat, 6, FALSE), 0);
    assert_int_equal(reductions_after(flat, 7, FALSE), 1);
    assert_int_equal(reductions_after(flat, 12, FALSE), 1);
    assert_int_equal(reductions_after(flat, 13, FALSE), 2);
    assert_int_equal(reductions_after(falling, 9, FALSE), 0);
    assert_int_equal(reductions_after(falling, 9, TRUE), 1);
    assert_int_equal(reductions_after(slowly, 7, FALSE), 1); /* less than 1 % is no better */
    assert_int_equal(reductions_after(late, 12, FALSE), 0);
    assert_int_equal(reductions_after(rising, 7, TRUE), 0);
    assert_int_equal(reductions_after(rising, 7, FALSE), 1);
    assert_int_equal(reductions_after(nothing, 7, FALSE), 0);
    assert_int_equal(reductions_after(nothing, 8, FALSE), 1);
    assert_float_equal(schedule_get_factor(&schedule, 50, 2), 0.04, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_linear_by_step),
        cmocka_unit_test(test_linear_without_decay),
        cmocka_unit_test(test_linear_with_decay_alone),
        cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_plateau),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
