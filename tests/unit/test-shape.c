/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "op.h"

/* Output sides as PyTorch gives them. */
static void test_sides(void **state)
{
    assert_int_equal(pix_conv_side(256, 4, 2, 1, 1), 128);
    assert_int_equal(pix_conv_side(255, 4, 2, 1, 1), 127);
    assert_int_equal(pix_conv_side(2, 4, 2, 1, 1), 1);
    assert_int_equal(pix_conv_side(31, 4, 1, 1, 1), 30);
    assert_int_equal(pix_conv_side(1, 4, 2, 1, 1), 0);
    assert_int_equal(pix_conv_side(5, 1, 3, 0, 0), 2);
    assert_int_equal(pix_deconv_side(1, 4, 2, 1, 1, 0), 2);
    assert_int_equal(pix_deconv_side(64, 3, 2, 1, 1, 1), 128);
    assert_int_equal(pix_deconv_side(7, 5, 3, 2, 2, 2), 21);
    assert_int_equal(pix_deconv_side(1, 1, 2, 1, 1, 0), 0);
}

static void test_padding_indices(void **state)
{
    const int reflected[] = {2, 1, 0, 1, 2, 3, 2, 1}, replicated[] = {0, 0, 0, 1, 2, 3, 3, 3};
    for (int i = -2; i < 6; i++) {
        assert_int_equal(pix_reflect_index(i, 4), reflected[i + 2]);
        assert_int_equal(pix_replicate_index(i, 4), replicated[i + 2]);
    }
}

static void test_overflow(void **state)
{
    assert_true(pix_shape_valid((PixShape){1, 1, 1, 1}));
    assert_true(pix_shape_valid((PixShape){1, 1, 1 << 15, 1 << 15}));
    assert_false(pix_shape_valid((PixShape){2, 1, 1 << 15, 1 << 15}));
    assert_false(pix_shape_valid((PixShape){1, 0, 1, 1}));
    assert_false(pix_shape_valid((PixShape){1, 1, 1, -4}));
    assert_false(pix_shape_valid((PixShape){1 << 16, 1 << 16, 1 << 16, 1 << 16}));
    assert_false(pix_shape_valid((PixShape){1, 1 << 20, 1 << 20, 1 << 20}));
    assert_false(pix_shape_valid((PixShape){1, 1, 1, PIX_MAX_SIDE + 1}));
}

static double met(PixOpKind kind, PixPadMode mode, int side, int out)
{
    PixOp op = {.kind = kind,
                .conv = {.oc = 1, .kh = 4, .kw = 4, .sh = 2, .sw = 2, .pad = {mode, 1, 1, 1, 1}}};
    return pix_op_weights_met(&op, (PixShape){1, 1, side, side}, (PixShape){1, 1, out, out});
}

/* Of a kernel of 4 in steps of 2, beside a border of 1. */
static void test_weights_met(void **state)
{
    assert_true(met(PIX_OP_CONV, PIX_PAD_ZERO, 2, 1) == 0.25);
    assert_true(met(PIX_OP_CONV, PIX_PAD_REFLECT, 2, 1) == 1);
    assert_true(met(PIX_OP_CONV, PIX_PAD_ZERO, 4, 2) == 1);
    assert_true(met(PIX_OP_DECONV, PIX_PAD_ZERO, 1, 2) == 0.25);
    assert_true(met(PIX_OP_DECONV, PIX_PAD_ZERO, 2, 4) == 1);
}

static void refuse(PixOp op, PixShape x0, PixShape x1, const char *text)
{
    GError *error = NULL;
    PixShape out, in[2] = {x0, x1};
    assert_false(pix_op_infer(&op, in, &out, &error));
    assert_int_equal(error->code, PIX_ERROR_BAD_SHAPE);
    if (!strstr(error->message, text))
        fail_msg("\"%s\" does not say \"%s\"", error->message, text);
    g_error_free(error);
}

static void test_refusals(void **state)
{
    const PixOp conv = {.kind = PIX_OP_CONV, .conv = {.oc = 1, .kh = 4, .kw = 4, .sh = 2, .sw = 2}};
    const PixOp pad = {.kind = PIX_OP_PAD, .pad = {PIX_PAD_REFLECT, 3, 3, 3, 3}};
    const PixOp up = {.kind = PIX_OP_UPSAMPLE, .factor = 2};
    refuse(conv, (PixShape){1, 3, 3, 9}, (PixShape){0}, "9x3 map is too small for a 4x4 kernel");
    refuse(pad, (PixShape){1, 3, 9, 3}, (PixShape){0}, "3x9 map is too small");
    refuse(up, (PixShape){1, 3, 1 << 20, 1}, (PixShape){0}, "too large");
    refuse((PixOp){.kind = PIX_OP_ADD}, (PixShape){1, 3, 4, 4}, (PixShape){1, 4, 4, 4}, "added");
    refuse((PixOp){.kind = PIX_OP_CONCAT}, (PixShape){1, 3, 4, 4}, (PixShape){1, 4, 4, 6},
           "4x4 and 6x4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sides),    cmocka_unit_test(test_padding_indices),
        cmocka_unit_test(test_overflow), cmocka_unit_test(test_weights_met),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
