/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-features.h"
#include "cpu-reduced-weights.h"

/* That int32 can sum. */
#define MOST_PRODUCTS (G_MAXINT32 / ((CPU_INT8_LARGEST + CPU_INT8_ZERO) * CPU_INT8_LARGEST))

static void take_product(const PixDevice *device, CpuReduced *r)
{
    CpuMicro level = *cpu_device(device)->micro;
    if (level.tiles && !cpu_may_use_tiles())
        cpu_micro_select("avx512dot", &level, NULL);
    r->name = r->ints ? level.algorithm_int8 : level.algorithm_bf16;
    r->product = r->ints ? level.product_int8 : level.product_bf16;
    r->gain = r->ints ? level.gain_int8 : level.gain_bf16;
}

bool cpu_reduced_of(const PixDevice *device, const CpuConv *of, CpuReduced *r)
{
    PixPrecision precision = of->op.conv.precision;
    bool ints = precision == PIX_PRECISION_INT8;
    *r = (CpuReduced){.of = *of, .ints = ints, .per = ints ? 4 : 2};
    if ((precision != PIX_PRECISION_BF16 && !ints) || of->x.c % r->per || of->transposes ||
        of->adds || cpu_conv_is_narrow(of))
        return false;
    int taps = 0;
    for (int phase = 0, first; phase < cpu_reduced_phases(r); phase++)
        taps = MAX(taps, cpu_reduced_taps(r, phase, &first));
    r->runs = (taps * cpu_reduced_units(r) + CPU_KC - 1) / CPU_KC;
    if (ints && (int64_t)taps * of->x.c > MOST_PRODUCTS)
        return false;
    take_product(device, r);
    return true;
}

/* ---- the input ---- */

typedef struct {
    const CpuReduced *reduced;
    const CpuMicro *micro;
    CpuView x;
    float *to;
    guint *largest; /* of each sample, as bits */
    const float *inverse;
} Input;

static int pixels_of(const CpuView *x)
{
    return x->h * x->w;
}

static void grow(guint *largest, guint bits)
{
    guint before = g_atomic_int_get(largest);
    while (bits > before && !g_atomic_int_compare_and_exchange(largest, before, bits))
        before = g_atomic_int_get(largest);
}

static void find_largest(const void *data, int first, int last)
{
    const Input *in = data;
    for (int i = first; i < last; i++)
        grow(&in->largest[i / pixels_of(&in->x)],
             in->micro->largest(in->x.data + i * in->x.pixel, in->reduced->of.rectifies, in->x.c));
}

static void narrow(const void *data, int first, int last)
{
    const Input *in = data;
    int c = in->x.c, units = cpu_reduced_units(in->reduced);
    for (ptrdiff_t i = first; i < last; i++) {
        const float *from = in->x.data + i * in->x.pixel;
        void *to = in->to + i * units;
        if (in->reduced->ints)
            in->micro->to_int8(from, in->reduced->of.rectifies, in->inverse[i / pixels_of(&in->x)],
                               to, c);
        else
            in->micro->to_bf16(from, in->reduced->of.rectifies, to, c);
    }
}

/* ---- forward ---- */

/* Scratch memory, in this order. int8 alone has the first five: (n), (n), (n), (columns), (columns). */
typedef struct {
    guint *largest;
    float *factors, *inverse, *scale, *shift, *input, *rest;
} Scratch;

static Scratch scratch_of(const CpuReduced *r, float *memory)
{
    size_t samples = r->ints ? cpu_rounded((size_t)r->of.x.n) : 0;
    size_t columns = r->ints ? cpu_rounded((size_t)cpu_weights_columns(r->of.op.conv.oc)) : 0;
    Scratch s = {.largest = (guint *)memory};
    s.factors = memory + samples;
    s.inverse = s.factors + samples;
    s.scale = s.inverse + samples;
    s.shift = s.scale + columns;
    s.input = s.shift + columns;
    s.rest = s.input + cpu_rounded((size_t)r->of.x.n * (size_t)pixels_of(&r->of.x) *
                                   (size_t)cpu_reduced_units(r));
    return s;
}

/* The convolution of units. */
static CpuConv conv_of(const CpuReduced *r, float *input, const float *weights,
                       const CpuUnits *units)
{
    CpuConv conv = r->of;
    conv.x.data = input;
    conv.x.c = cpu_reduced_units(r);
    conv.x.pixel = conv.x.c;
    conv.weights = weights;
    conv.rectifies = false;
    conv.units = units;
    return conv;
}

size_t cpu_reduced_run_floats(const PixDevice *device, const CpuReduced *r)
{
    CpuUnits units = {.product = NULL};
    CpuConv conv = conv_of(r, NULL, NULL, &units);
    float *none = NULL;
    return (size_t)(scratch_of(r, none).rest - none) + cpu_conv_run_floats(device, &conv);
}

int cpu_reduced_parts(const PixDevice *device, const CpuReduced *r)
{
    CpuUnits units = {.product = NULL};
    CpuConv conv = conv_of(r, NULL, NULL, &units);
    return cpu_conv_parts(device, &conv);
}

/* The factors of samples and of output channels that int8 wants. */
static void find_factors(const PixDevice *device, Input *in, const float *scales, Scratch s)
{
    const CpuConv *of = &in->reduced->of;
    memset(s.largest, 0, (size_t)of->x.n * sizeof *s.largest);
    cpu_pixels(device, in->x, find_largest, in);
    for (int n = 0; n < of->x.n; n++) {
        float largest;
        memcpy(&largest, &s.largest[n], sizeof largest);
        s.factors[n] = largest / CPU_INT8_LARGEST;
        s.inverse[n] = largest > 0 ? CPU_INT8_LARGEST / largest : 0;
    }
    for (int i = 0; i < of->y.c; i++) {
        s.scale[i] = scales[i] * (of->scale ? of->scale[i] : 1);
        s.shift[i] = of->shift ? of->shift[i] : 0;
    }
}

void cpu_reduced_run(const PixDevice *device, const CpuReduced *r, const float *prepared,
                     float *memory)
{
    const CpuMicro *micro = cpu_device(device)->micro;
    CpuReducedWeights p = cpu_reduced_weights(r, (float *)prepared);
    Scratch s = scratch_of(r, memory);
    CpuUnits units = {.product = r->product};
    CpuConv conv = conv_of(r, s.input, p.units, &units);
    Input in = {r, micro, r->of.x, s.input, s.largest, s.inverse};
    if (r->ints) {
        find_factors(device, &in, p.scales, s);
        units = (CpuUnits){.product = r->product,
                           .padding = CPU_INT8_ZERO,
                           .zeros = p.zeros,
                           .runs = r->runs,
                           .columns = cpu_weights_columns(r->of.op.conv.oc),
                           .factors = s.factors};
        conv.scale = s.scale;
        conv.shift = s.shift;
    }
    cpu_pixels(device, r->of.x, narrow, &in);
    cpu_conv_run(device, &conv, s.rest);
}
