/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a convolution is done, by what the CPU's level says that things cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cpu-conv-choice.h"

/* Of unet_256: one that is all weights, and one that is all products. */
static const PixShape deep = {1, 512, 4, 4}, wide = {1, 64, 128, 128};

static CpuWay way_of(PixDevice *device, PixShape in, bool fixed, bool optional)
{
    PixOp op = {.kind = PIX_OP_CONV,
                .conv = {.oc = 2 * in.c,
                         .kh = 4,
                         .kw = 4,
                         .sh = 2,
                         .sw = 2,
                         .pad = {PIX_PAD_ZERO, 1, 1, 1, 1},
                         .precision = PIX_PRECISION_INT8,
                         .precision_optional = optional}};
    PixCall call = {.op = &op, .fixed = fixed, .in = {{.shape = in, .c_whole = in.c}}};
    assert_true(pix_op_infer(&op, &in, &call.out.shape, NULL));
    call.out.c_whole = call.out.shape.c;
    return cpu_choose(device, &call).way;
}

/* A device of plain C, whose int8 makes @gain products in the time of one of float32. */
static PixDevice *device_of(double gain)
{
    g_setenv("PIX2PIX_CPU", "c", TRUE);
    PixDevice *device = pix_device_open("cpu", 1, NULL);
    g_unsetenv("PIX2PIX_CPU");
    CpuMicro *level = &((CpuDevice *)device)->level;
    level->gain_int8 = gain;
    level->read_cost = 24;
    level->transform_cost = 3;
    return device;
}

static void test_optional(void **state)
{
    g_autoptr(PixDevice) fast = device_of(100), slow = device_of(0.01), little = device_of(1.2);
    assert_int_equal(way_of(fast, deep, true, true), CPU_REDUCED);
    assert_int_equal(way_of(fast, wide, true, true), CPU_REDUCED);
    assert_int_equal(way_of(slow, deep, true, true), CPU_DIRECT);
    assert_int_equal(way_of(slow, wide, true, true), CPU_WINOGRAD);
    assert_int_equal(way_of(little, deep, true, true), CPU_REDUCED); /* a quarter of the weights */
    assert_int_equal(way_of(little, wide, true, true), CPU_WINOGRAD);
}

static void test_asked_for(void **state)
{
    g_autoptr(PixDevice) slow = device_of(0.01);
    assert_int_equal(way_of(slow, deep, true, false), CPU_REDUCED);
    assert_int_equal(way_of(slow, wide, true, false), CPU_REDUCED);
    assert_int_equal(way_of(slow, wide, false, false), CPU_WINOGRAD); /* weights that change */
}

static void test_costs(void **state)
{
    g_autoptr(PixDevice) device = device_of(0.01);
    ((CpuDevice *)device)->level.transform_cost = 300;
    assert_int_equal(way_of(device, wide, true, true), CPU_DIRECT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optional),
        cmocka_unit_test(test_asked_for),
        cmocka_unit_test(test_costs),
    };
    return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
