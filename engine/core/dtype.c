/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dtype.h"

#include <math.h>
#include <pix2pix/pix-types.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} dtypes[PIX_DTYPE_COUNT] = {
    [PIX_DTYPE_F32] = {"F32", 4},   [PIX_DTYPE_F16] = {"F16", 2}, [PIX_DTYPE_BF16] = {"BF16", 2},
    [PIX_DTYPE_F64] = {"F64", 8},   [PIX_DTYPE_I8] = {"I8", 1},   [PIX_DTYPE_U8] = {"U8", 1},
    [PIX_DTYPE_I16] = {"I16", 2},   [PIX_DTYPE_I32] = {"I32", 4}, [PIX_DTYPE_I64] = {"I64", 8},
    [PIX_DTYPE_BOOL] = {"BOOL", 1},
};

const char *pix_dtype_name(PixDtype dtype)
{
    g_assert((unsigned)dtype < PIX_DTYPE_COUNT);
    return dtypes[dtype].name;
}

size_t pix_dtype_bytes(PixDtype dtype)
{
    g_assert((unsigned)dtype < PIX_DTYPE_COUNT);
    return dtypes[dtype].bytes;
}

const char *pix_precision_name(PixPrecision precision)
{
    static const char *const names[] = {[PIX_PRECISION_AUTO] = "auto",
                                        [PIX_PRECISION_FP32] = "fp32",
                                        [PIX_PRECISION_FP16] = "fp16",
                                        [PIX_PRECISION_BF16] = "bf16",
                                        [PIX_PRECISION_INT8] = "int8"};
    g_return_val_if_fail((guint)precision < G_N_ELEMENTS(names), NULL);
    return names[precision];
}

/* Bytes of any alignment, read as little-endian integers. */
static inline guint16 load16(const guint8 *bytes)
{
    guint16 value;
    memcpy(&value, bytes, sizeof value);
    return GUINT16_FROM_LE(value);
}

static inline guint32 load32(const guint8 *bytes)
{
    guint32 value;
    memcpy(&value, bytes, sizeof value);
    return GUINT32_FROM_LE(value);
}

static inline guint64 load64(const guint8 *bytes)
{
    guint64 value;
    memcpy(&value, bytes, sizeof value);
    return GUINT64_FROM_LE(value);
}

static inline float float_of_bits(guint32 bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline guint32 bits_of_float(float value)
{
    guint32 bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Denormals go through normal numbers only, so that a host that flushes denormals to zero (audio
 * programs do) gets the same weights. */
static inline float float_of_half(guint16 half)
{
    guint32 sign = (guint32)(half & 0x8000) << 16;
    guint32 magnitude = (guint32)(half & 0x7fff) << 13;
    guint32 exponent = magnitude & 0x0f800000;
    guint32 normal = magnitude + (112u << 23);
    guint32 special = magnitude + (224u << 23); /* infinite, or not a number */
    float denormal = float_of_bits(magnitude + (113u << 23)) - float_of_bits(113u << 23);
    guint32 bits = exponent == 0x0f800000 ? special : exponent ? normal : bits_of_float(denormal);
    return float_of_bits(bits | sign);
}

static inline guint16 half_of_float(float value)
{
    guint32 bits = bits_of_float(value);
    guint32 sign = (bits >> 16) & 0x8000;
    bits &= 0x7fffffff;
    if (bits > 0x7f800000)
        return (guint16)(sign | 0x7e00);
    if (bits >= 0x477ff000) /* 65520, halfway between the largest half and the next power of two */
        return (guint16)(sign | 0x7c00);
    if (bits < 0x38800000) /* 2^-14: a sum with 0.5 rounds the wanted bits to the lowest ones */
        return (guint16)(sign | (bits_of_float(float_of_bits(bits) + 0.5f) - 0x3f000000));
    guint32 odd = (bits >> 13) & 1;
    return (guint16)(sign | ((bits - (112u << 23) + 0xfff + odd) >> 13));
}

static inline guint16 bfloat_of_float(float value)
{
    guint32 bits = bits_of_float(value);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (guint16)((bits >> 16) | 0x40); /* rounding must not carry a NaN over to infinity */
    guint32 odd = (bits >> 16) & 1;
    return (guint16)(((guint64)bits + 0x7fff + odd) >> 16);
}

bool pix_dtype_to_floats(PixDtype dtype, const void *source, float *target, size_t count)
{
    const guint8 *bytes = source;
    bool fits = true;
    switch (dtype) {
    case PIX_DTYPE_F32:
        for (size_t i = 0; i < count; i++)
            target[i] = float_of_bits(load32(bytes + 4 * i));
        return fits;
    case PIX_DTYPE_F16:
        for (size_t i = 0; i < count; i++)
            target[i] = float_of_half(load16(bytes + 2 * i));
        return fits;
    case PIX_DTYPE_BF16:
        for (size_t i = 0; i < count; i++)
            target[i] = float_of_bits((guint32)load16(bytes + 2 * i) << 16);
        return fits;
    case PIX_DTYPE_F64:
        for (size_t i = 0; i < count; i++) {
            guint64 bits = load64(bytes + 8 * i);
            double value;
            memcpy(&value, &bits, sizeof value);
            target[i] = (float)value;
            fits &= isfinite(target[i]) || !isfinite(value);
        }
        return fits;
    case PIX_DTYPE_I8:
        for (size_t i = 0; i < count; i++)
            target[i] = (gint8)bytes[i];
        return fits;
    case PIX_DTYPE_U8:
        for (size_t i = 0; i < count; i++)
            target[i] = bytes[i];
        return fits;
    case PIX_DTYPE_I16:
        for (size_t i = 0; i < count; i++)
            target[i] = (gint16)load16(bytes + 2 * i);
        return fits;
    case PIX_DTYPE_I32:
        for (size_t i = 0; i < count; i++)
            target[i] = (float)(gint32)load32(bytes + 4 * i);
        return fits;
    case PIX_DTYPE_I64:
        for (size_t i = 0; i < count; i++)
            target[i] = (float)(gint64)load64(bytes + 8 * i);
        return fits;
    case PIX_DTYPE_BOOL:
        for (size_t i = 0; i < count; i++)
            target[i] = bytes[i] != 0;
        return fits;
    case PIX_DTYPE_COUNT:
        break;
    }
    g_assert_not_reached();
}

void pix_dtype_from_floats(PixDtype dtype, const float *source, void *target, size_t count)
{
    guint8 *bytes = target;
    g_assert(dtype == PIX_DTYPE_F32 || dtype == PIX_DTYPE_F16 || dtype == PIX_DTYPE_BF16);
    if (dtype == PIX_DTYPE_F32) {
        for (size_t i = 0; i < count; i++) {
            guint32 bits = GUINT32_TO_LE(bits_of_float(source[i]));
            memcpy(bytes + 4 * i, &bits, sizeof bits);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        guint16 bits =
            dtype == PIX_DTYPE_F16 ? half_of_float(source[i]) : bfloat_of_float(source[i]);
        bits = GUINT16_TO_LE(bits);
        memcpy(bytes + 2 * i, &bits, sizeof bits);
    }
}
