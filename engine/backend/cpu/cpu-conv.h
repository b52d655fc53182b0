/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What the two directions of CONV and DECONV share. The gradient of a convolution's input is a
 * transposed convolution of the gradient of its output, and the other way round ("adjoint"), so
 * that one function does both.
 */
#ifndef PIX_CPU_CONV_H
#define PIX_CPU_CONV_H

#include <string.h>

#include "cpu-weights.h"

/**
 * CpuUnits: of a convolution in reduced precision, whose x and weights are units of @product, each
 * counted as one channel.
 */
typedef struct {
    CpuProduct product;
    uint8_t padding;      /* each byte of what pads */
    const int32_t *zeros; /* INT8: what a sum has too much for each run: (phase, run, column) */
    int runs, columns;    /* of @zeros: runs of CPU_KC units, of a phase; columns of all panels */
    const float *factors; /* INT8: of each sample, for its sums */
} CpuUnits;

/** CpuConv: y = f(x * weights * scale + shift) for the views that it joins. */
typedef struct {
    PixOp op; /* CONV or DECONV */
    CpuView x, y;
    const float *weights;       /* as cpu-weights.h packs them for op, or: */
    bool transposes;            /* for the op whose adjoint op is */
    const float *scale, *shift; /* (oc), or NULL; a scale has a shift */
    bool adds;                  /* to y, before the activation; else y is overwritten */
    bool rectifies;             /* takes max(x, 0) for x */
    const CpuUnits *units;      /* NULL: floats */
    double
        *parts; /* NULL, or (part, 2, oc): sums of y and of its squares, for cpu_conv_parts() parts
                      of it, cut in a way that depends on shapes alone */
} CpuConv;

/**
 * cpu_conv_cost:
 * An estimate of how long it takes, in multiplications of float32.  @gain: how many products are made
 * in the time of one of those.  @share: of float32's bytes that weights have.
 */
double cpu_conv_cost(const CpuMicro *micro, const CpuConv *conv, double gain, double share);

/** cpu_conv_run: @scratch: of cpu_conv_run_floats() floats. */
void cpu_conv_run(const PixDevice *device, const CpuConv *conv, float *scratch);
size_t cpu_conv_run_floats(const PixDevice *device, const CpuConv *conv);

/** cpu_conv_parts: How many parts there are; 0: it does not sum them. */
int cpu_conv_parts(const PixDevice *device, const CpuConv *conv);

/** CPU_CUT_THREADS: for how many threads work is cut, however many there are: see CpuConv.parts. */
#define CPU_CUT_THREADS 4

/** cpu_conv_run_narrow: What cpu_conv_run() calls where it is faster. */
bool cpu_conv_is_narrow(const CpuConv *conv);
void cpu_conv_run_narrow(const PixDevice *device, const CpuConv *conv, float *scratch);
size_t cpu_conv_run_narrow_floats(const PixDevice *device, const CpuConv *conv);

/** cpu_conv_finish_of: What becomes of sums of channels from @first on. */
CpuFinish cpu_conv_finish_of(const CpuConv *conv, int first);

/** cpu_conv_finish: From the sums of channels @first .. @first + @count - 1 of a pixel to the output. */
void cpu_conv_finish(const CpuMicro *micro, const CpuConv *conv, int first, int count,
                     const float *sum, float *out);

/** CpuPixel: an output pixel: the input position of tap (0, 0), its floats from the start of the
 * input, and the pixel's channels. */
typedef struct {
    int n, y, x;
    ptrdiff_t in;
    float *out;
} CpuPixel;

/** CpuPixelBlock: some output pixels of one phase. */
typedef struct {
    const CpuConv *conv;
    CpuPhase row, column;
    int count;
    CpuPixel pixels[CPU_PIXELS];
} CpuPixelBlock;

/** cpu_phase_pixels: How many output pixels the phase of @block has. */
size_t cpu_phase_pixels(const CpuPixelBlock *block);

/** cpu_find_pixels: Fills @block with pixels @first .. @last - 1 of its phase. */
void cpu_find_pixels(CpuPixelBlock *block, size_t first, size_t last);

/**
 * cpu_meet: @from: for each pixel of @block the input pixel that it meets with tap (@ty, @tx), NULL
 * for zero padding.  Returns: how many are not NULL.
 */
int cpu_meet(const CpuPixelBlock *block, int ty, int tx, const float **from);

/**
 * cpu_gather_taps: Copies for each pixel of @block all channels of all taps of the phase, one after
 * the other, to a row of @to; zeros for padding.  @pitch: floats from row to row.
 */
void cpu_gather_taps(const CpuPixelBlock *block, float *to, int pitch);

/** cpu_copy_floats: memcpy() for what is often a few floats. */
static inline void cpu_copy_floats(float *to, const float *from, int count)
{
    if (count >= 32) {
        memcpy(to, from, (size_t)count * sizeof *to);
    } else if (count >= 4) { /* in fours, of which the last two may overlap */
        for (int i = 0; i < count - 4; i += 4)
            memcpy(to + i, from + i, 4 * sizeof *to);
        memcpy(to + count - 4, from + count - 4, 4 * sizeof *to);
    } else {
        for (int i = 0; i < count; i++)
            to[i] = from[i];
    }
}

/** cpu_copy_input: Channels of a pixel of conv->x. */
static inline void cpu_copy_input(const CpuConv *conv, float *to, const float *from, int count)
{
    if (!conv->rectifies) {
        cpu_copy_floats(to, from, count);
        return;
    }
    for (int i = 0; i < count; i++)
        to[i] = from[i] < 0 ? 0 : from[i];
}

/** CPU_FEW_CHANNELS: of fewer input channels all taps are gathered at once. */
#define CPU_FEW_CHANNELS 16

/**
 * cpu_conv_weight_gradient:
 * The gradient of @conv's weights, where conv->y holds that of its output; its weights, scale, shift
 * and adds play no part.  @gradient: packed as the weights, channels that do not exist zero;
 * overwritten, or with @adds added to.  @scratch: of cpu_conv_weight_gradient_floats() floats.
 */
void cpu_conv_weight_gradient(const PixDevice *device, const CpuConv *conv, float *gradient,
                              bool adds, float *scratch);
size_t cpu_conv_weight_gradient_floats(const PixDevice *device, const CpuConv *conv);

#endif
