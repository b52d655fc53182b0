/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-reduced.h"

#define LARGEST 127 /* of int8; -128 is not used */
#define ZERO 128    /* what is added to the input's, which have no sign then */
#define MOST_PRODUCTS (G_MAXINT32 / ((LARGEST + ZERO) * LARGEST)) /* that int32 can sum */

/* ---- shape ---- */

static int columns_of(const CpuReduced *r)
{
    int last = cpu_panels(r->of.op.conv.oc) - 1;
    return last * CPU_NR + cpu_panel_width(r->of.op.conv.oc, last);
}

static int units_of(const CpuReduced *r)
{
    return r->of.x.c / r->per;
}

static int phases_of(const CpuReduced *r)
{
    int rows, columns;
    cpu_phases(&r->of.op, &rows, &columns);
    return rows * columns;
}

/* The taps of a phase, and of those before it. */
static int taps_of(const CpuReduced *r, int phase, int *first)
{
    int rows, columns;
    cpu_phases(&r->of.op, &rows, &columns);
    *first = cpu_first_tap(&r->of.op, phase / columns, phase % columns);
    return cpu_phase_row(&r->of.op, phase / columns, 1).taps *
           cpu_phase_column(&r->of.op, phase % columns, 1).taps;
}

bool cpu_reduced_of(const PixDevice *device, const CpuConv *of, CpuReduced *r)
{
    const CpuMicro *micro = cpu_device(device)->micro;
    PixPrecision precision = of->op.conv.precision;
    bool ints = precision == PIX_PRECISION_INT8;
    *r = (CpuReduced){.of = *of,
                      .ints = ints,
                      .per = ints ? 4 : 2,
                      .name = ints ? micro->algorithm_int8 : micro->algorithm_bf16};
    if ((precision != PIX_PRECISION_BF16 && !ints) || of->x.c % r->per || of->transposes ||
        of->adds || cpu_conv_is_narrow(of))
        return false;
    int taps = 0;
    for (int phase = 0, first; phase < phases_of(r); phase++)
        taps = MAX(taps, taps_of(r, phase, &first));
    r->runs = (taps * units_of(r) + CPU_KC - 1) / CPU_KC;
    return !ints || (int64_t)taps * of->x.c <= MOST_PRODUCTS;
}

/* ---- weights ---- */

/* What is prepared, in this order. int8 alone has the first two: (columns), (phase, run, column). */
typedef struct {
    float *scales;
    int32_t *zeros;
    float *units;
} Prepared;

static size_t zeros_of(const CpuReduced *r)
{
    return r->ints ? (size_t)phases_of(r) * (size_t)r->runs * (size_t)columns_of(r) : 0;
}

static Prepared parts_of(const CpuReduced *r, float *prepared)
{
    Prepared p = {.scales = prepared};
    p.zeros = (int32_t *)(prepared + (r->ints ? columns_of(r) : 0));
    p.units = (float *)(p.zeros + zeros_of(r));
    return p;
}

size_t cpu_reduced_prepared_floats(const CpuReduced *r)
{
    return (r->ints ? (size_t)columns_of(r) : 0) + zeros_of(r) +
           cpu_weights_floats(&r->of.op, units_of(r));
}

typedef struct {
    const CpuReduced *reduced;
    Prepared to;
} Preparation;

/* All weights of a panel: @rows of @width. */
typedef struct {
    int width, rows;
    const float *from;
    float *to;
} Panel;

static Panel panel_of(const Preparation *p, int panel)
{
    const CpuReduced *r = p->reduced;
    size_t taps = (size_t)(r->of.op.conv.kh * r->of.op.conv.kw), before = (size_t)panel * CPU_NR;
    return (Panel){.width = cpu_panel_width(r->of.op.conv.oc, panel),
                   .rows = (int)taps * r->of.x.c,
                   .from = r->of.weights + before * taps * (size_t)r->of.x.c,
                   .to = p->to.units + before * taps * (size_t)units_of(r)};
}

static void to_bf16(Panel panel)
{
    uint16_t *to = (uint16_t *)panel.to;
    for (int k = 0; k < panel.rows; k++)
        for (int j = 0; j < panel.width; j++)
            cpu_to_bf16(panel.from + (ptrdiff_t)k * panel.width + j, false,
                        to + ((ptrdiff_t)(k / 2) * panel.width + j) * 2 + k % 2, 1);
}

static void find_largest_weights(Panel panel, float *largest)
{
    for (int j = 0; j < panel.width; j++)
        largest[j] = 0;
    for (int k = 0; k < panel.rows; k++)
        for (int j = 0; j < panel.width; j++)
            largest[j] =
                MAX(largest[j], __builtin_fabsf(panel.from[(ptrdiff_t)k * panel.width + j]));
}

/* @scales: (out). */
static void to_int8(Panel panel, float *scales)
{
    uint8_t *to = (uint8_t *)panel.to;
    float inverse[CPU_NR];
    find_largest_weights(panel, scales);
    for (int j = 0; j < panel.width; j++) {
        inverse[j] = scales[j] > 0 ? LARGEST / scales[j] : 0;
        scales[j] /= LARGEST;
    }
    for (int k = 0; k < panel.rows; k++)
        for (int j = 0; j < panel.width; j++) {
            uint8_t *at = to + ((ptrdiff_t)(k / 4) * panel.width + j) * 4 + k % 4;
            cpu_to_int8(panel.from + (ptrdiff_t)k * panel.width + j, false, inverse[j], at, 1);
            *at ^= ZERO; /* these have their sign */
        }
}

/* What ZERO at each number of the input adds to a sum, run by run. */
static void sum_zeros(const CpuReduced *r, Panel panel, int32_t *zeros)
{
    for (int phase = 0; phase < phases_of(r); phase++) {
        int first, units = taps_of(r, phase, &first) * units_of(r);
        const int8_t *from =
            (const int8_t *)panel.to + (ptrdiff_t)first * units_of(r) * panel.width * 4;
        for (int k = 0; k < units; k++) {
            int32_t *to = zeros + ((ptrdiff_t)phase * r->runs + k / CPU_KC) * columns_of(r);
            for (int i = 0; i < panel.width * 4; i++)
                to[i / 4] += ZERO * from[(ptrdiff_t)k * panel.width * 4 + i];
        }
    }
}

static void prepare_panel(void *data, int task, int worker)
{
    const Preparation *p = data;
    Panel panel = panel_of(p, task);
    if (!p->reduced->ints) {
        to_bf16(panel);
        return;
    }
    to_int8(panel, p->to.scales + task * CPU_NR);
    sum_zeros(p->reduced, panel, p->to.zeros + task * CPU_NR);
}

void cpu_reduced_prepare(const PixDevice *device, const CpuReduced *r, float *to)
{
    Preparation p = {r, parts_of(r, to)};
    memset(p.to.zeros, 0, zeros_of(r) * sizeof *p.to.zeros);
    cpu_parallel(cpu_device(device)->pool, cpu_panels(r->of.op.conv.oc), prepare_panel, &p);
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
    int c = in->x.c, units = units_of(in->reduced);
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
    size_t columns = r->ints ? cpu_rounded((size_t)columns_of(r)) : 0;
    Scratch s = {.largest = (guint *)memory};
    s.factors = memory + samples;
    s.inverse = s.factors + samples;
    s.scale = s.inverse + samples;
    s.shift = s.scale + columns;
    s.input = s.shift + columns;
    s.rest = s.input +
             cpu_rounded((size_t)r->of.x.n * (size_t)pixels_of(&r->of.x) * (size_t)units_of(r));
    return s;
}

/* The convolution of units. */
static CpuConv conv_of(const CpuReduced *r, float *input, const float *weights,
                       const CpuUnits *units)
{
    CpuConv conv = r->of;
    conv.x.data = input;
    conv.x.c = units_of(r);
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
        s.factors[n] = largest / LARGEST;
        s.inverse[n] = largest > 0 ? LARGEST / largest : 0;
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
    Prepared p = parts_of(r, (float *)prepared);
    Scratch s = scratch_of(r, memory);
    CpuUnits units = {.product = r->ints ? micro->product_int8 : micro->product_bf16};
    CpuConv conv = conv_of(r, s.input, p.units, &units);
    Input in = {r, micro, r->of.x, s.input, s.largest, s.inverse};
    if (r->ints) {
        find_factors(device, &in, p.scales, s);
        units = (CpuUnits){.product = micro->product_int8,
                           .padding = ZERO,
                           .zeros = p.zeros,
                           .runs = r->runs,
                           .columns = columns_of(r),
                           .factors = s.factors};
        conv.scale = s.scale;
        conv.shift = s.shift;
    }
    cpu_pixels(device, r->of.x, narrow, &in);
    cpu_conv_run(device, &conv, s.rest);
}
