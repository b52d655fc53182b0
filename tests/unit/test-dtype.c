/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtype.h"

#include <math.h>
#include <string.h>

static guint32 bits_of(float value)
{
    guint32 bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(guint32 bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A half-precision number by its definition. */
static double half_value(guint16 half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    double sign = half & 0x8000 ? -1 : 1;
    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static guint16 to_16(PixDtype dtype, float value)
{
    guint16 bits;
    pix_dtype_from_floats(dtype, &value, &bits, 1);
    return GUINT16_FROM_LE(bits);
}

static float of_16(PixDtype dtype, guint16 bits)
{
    float value;
    bits = GUINT16_TO_LE(bits);
    pix_dtype_to_floats(dtype, &bits, &value, 1);
    return value;
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        size_t bytes;
    } wanted[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I8", 1},
                  {"U8", 1},  {"I16", 2}, {"I32", 4},  {"I64", 8}, {"BOOL", 1}};
    assert_int_equal(G_N_ELEMENTS(wanted), PIX_DTYPE_COUNT);
    for (int i = 0; i < PIX_DTYPE_COUNT; i++) {
        assert_string_equal(pix_dtype_name((PixDtype)i), wanted[i].name);
        assert_int_equal(pix_dtype_bytes((PixDtype)i), wanted[i].bytes);
    }
}

static void test_every_half(void **state)
{
    for (guint half = 0; half < 65536; half++) {
        float value = of_16(PIX_DTYPE_F16, (guint16)half);
        double wanted = half_value((guint16)half);
        assert_true(isnan(wanted) ? isnan(value) : value == wanted);
        assert_int_equal(signbit(value) != 0, half >> 15);
        if (!isnan(wanted))
            assert_int_equal(to_16(PIX_DTYPE_F16, value), half);
    }
}

/* Between two neighbours, the nearer one, and at the middle the even one. */
static void test_half_rounding(void **state)
{
    for (guint16 half = 0; half < 0x7bff; half++) {
        double low = half_value(half), high = half_value((guint16)(half + 1));
        float middle = (float)((low + high) / 2);
        guint16 even = half & 1 ? (guint16)(half + 1) : half;
        assert_int_equal(to_16(PIX_DTYPE_F16, middle), even);
        assert_int_equal(to_16(PIX_DTYPE_F16, nextafterf(middle, 0)), half);
        assert_int_equal(to_16(PIX_DTYPE_F16, nextafterf(middle, INFINITY)), half + 1);
        assert_int_equal(to_16(PIX_DTYPE_F16, -middle), even | 0x8000);
    }
    assert_int_equal(to_16(PIX_DTYPE_F16, nextafterf(65520, 0)), 0x7bff);
    assert_int_equal(to_16(PIX_DTYPE_F16, 65520), 0x7c00);
    assert_int_equal(to_16(PIX_DTYPE_F16, 1e30f), 0x7c00);
    assert_int_equal(to_16(PIX_DTYPE_F16, -INFINITY), 0xfc00);
    assert_int_equal(to_16(PIX_DTYPE_F16, float_of(1)), 0);
    assert_true(isnan(of_16(PIX_DTYPE_F16, to_16(PIX_DTYPE_F16, float_of(0x7f800001)))));
    assert_true(isnan(of_16(PIX_DTYPE_F16, to_16(PIX_DTYPE_F16, NAN))));
}

static void test_every_bfloat(void **state)
{
    for (guint bits = 0; bits < 65536; bits++) {
        float value = of_16(PIX_DTYPE_BF16, (guint16)bits);
        assert_int_equal(bits_of(value), bits << 16);
        if (!isnan(value))
            assert_int_equal(to_16(PIX_DTYPE_BF16, value), bits);
    }
}

static void test_bfloat_rounding(void **state)
{
    for (guint32 bits = 0; bits < 0x7f80; bits++) {
        guint32 low = bits << 16;
        guint even = bits & 1 ? bits + 1 : bits;
        assert_int_equal(to_16(PIX_DTYPE_BF16, float_of(low | 0x7fff)), bits);
        assert_int_equal(to_16(PIX_DTYPE_BF16, float_of(low | 0x8000)), even);
        assert_int_equal(to_16(PIX_DTYPE_BF16, float_of(low | 0x8001)), bits + 1);
    }
    assert_int_equal(to_16(PIX_DTYPE_BF16, float_of(0xff7fffff)), 0xff80);
    assert_true(isnan(of_16(PIX_DTYPE_BF16, to_16(PIX_DTYPE_BF16, float_of(0x7f800001)))));
    assert_true(isnan(of_16(PIX_DTYPE_BF16, to_16(PIX_DTYPE_BF16, float_of(0xffffffff)))));
}

static void test_float_is_copied(void **state)
{
    static const guint32 patterns[] = {0, 0x80000000, 1, 0x7f800000, 0x7fc00001, 0x3f9d70a4};
    float values[6], back[6];
    memcpy(values, patterns, sizeof values);
    pix_dtype_from_floats(PIX_DTYPE_F32, values, back, 6);
    assert_memory_equal(back, patterns, sizeof patterns);
    pix_dtype_to_floats(PIX_DTYPE_F32, patterns, back, 6);
    assert_memory_equal(back, patterns, sizeof patterns);
}

/* @source: little-endian bytes at an odd address. */
static void check(PixDtype dtype, const void *source, const float *wanted, size_t n)
{
    size_t bytes = n * pix_dtype_bytes(dtype);
    g_autofree guint8 *block = g_malloc(bytes + 1);
    float values[8];
    memcpy(block + 1, source, bytes);
    assert_true(pix_dtype_to_floats(dtype, block + 1, values, n));
    assert_memory_equal(values, wanted, n * sizeof(float));
}

static void test_others(void **state)
{
    check(PIX_DTYPE_I8, "\x80\xff\x00\x7f", (float[]){-128, -1, 0, 127}, 4);
    check(PIX_DTYPE_U8, "\x80\xff\x00\x7f", (float[]){128, 255, 0, 127}, 4);
    check(PIX_DTYPE_BOOL, "\x00\x01\x02\xff", (float[]){0, 1, 1, 1}, 4);
    check(PIX_DTYPE_I16, "\x00\x80\xff\xff\x01\x02", (float[]){-32768, -1, 513}, 3);
    check(PIX_DTYPE_I32, "\x00\x00\x00\x80\x01\x00\x00\x01", (float[]){-2147483648.f, 16777216}, 2);
    check(PIX_DTYPE_I64, "\x00\x00\x00\x00\x00\x00\x00\x80\xfe\xff\xff\xff\xff\xff\xff\xff",
          (float[]){-0x1p63f, -2}, 2);
    check(PIX_DTYPE_F64, "\x9a\x99\x99\x99\x99\x99\xb9\x3f\x00\x00\x00\x00\x00\x00\xf0\xff",
          (float[]){0.1f, -INFINITY}, 2);
    /* 1e300, and the smallest number that rounds to infinity; the one before it. */
    float value;
    assert_false(pix_dtype_to_floats(PIX_DTYPE_F64, "\x9c\x75\x00\x88\x3c\xe4\x37\x7e", &value, 1));
    assert_false(pix_dtype_to_floats(PIX_DTYPE_F64, "\0\0\0\xf0\xff\xff\xef\xc7", &value, 1));
    check(PIX_DTYPE_F64, "\xff\xff\xff\xef\xff\xff\xef\xc7", (float[]){-0x1.fffffep127f}, 1);
    check(PIX_DTYPE_F32, "\x00\x00\x80\x3f", (float[]){1}, 1);
    check(PIX_DTYPE_F16, "\x00\x3c\x00\xc0", (float[]){1, -2}, 2);
    check(PIX_DTYPE_BF16, "\x80\x3f\x00\xc0", (float[]){1, -2}, 2);
}

static void test_none(void **state)
{
    for (int i = 0; i < PIX_DTYPE_COUNT; i++)
        pix_dtype_to_floats((PixDtype)i, NULL, NULL, 0);
    pix_dtype_from_floats(PIX_DTYPE_F16, NULL, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),           cmocka_unit_test(test_every_half),
        cmocka_unit_test(test_half_rounding),   cmocka_unit_test(test_every_bfloat),
        cmocka_unit_test(test_bfloat_rounding), cmocka_unit_test(test_float_is_copied),
        cmocka_unit_test(test_others),          cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests_name("dtype", tests, NULL, NULL);
}
