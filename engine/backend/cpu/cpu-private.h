/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What the files of the CPU backend share. Activations lie channels-last (n, h, w, c), so that the
 * channels of a pixel are one run of memory; weights in panels, see cpu-weights.h.
 */
#ifndef PIX_CPU_PRIVATE_H
#define PIX_CPU_PRIVATE_H

#include <stddef.h>
#include <string.h>

#include "backend.h"
#include "cpu-micro.h"
#include "cpu-threads.h"

struct PixBuffer {
    float *data;
    size_t bytes;
};

typedef struct {
    PixDevice base;
    CpuPool *pool;
    CpuMicro level;
    const CpuMicro *micro; /* that */
    size_t cache_bytes;    /* of a thread's own */
    char *name, *features; /* of base.info */
    char *convolution; /* what tests ask for: how its algorithm's name begins; NULL: the fastest */
} CpuDevice;

static inline const CpuDevice *cpu_device(const PixDevice *device)
{
    return (const CpuDevice *)device;
}

/** CpuView: a tensor as memory. Element (n,c,y,x) is data[((n*h + y)*w + x)*pixel + c]; data is NULL
 * where the tensor has no buffer. */
typedef struct {
    float *data;
    int n, c, h, w;
    ptrdiff_t pixel; /* floats from pixel to pixel */
} CpuView;

static inline CpuView cpu_view(const PixTensor *t)
{
    return (CpuView){t->buffer ? t->buffer->data + t->offset / sizeof(float) + t->c_first : NULL,
                     t->shape.n,
                     t->shape.c,
                     t->shape.h,
                     t->shape.w,
                     t->c_whole};
}

/** cpu_vector: A parameter with one dimension; NULL where there is none. */
static inline const float *cpu_vector(const PixTensor *t)
{
    return t->buffer ? t->buffer->data + t->offset / sizeof(float) : NULL;
}

/** cpu_rounded: @floats, and as many more that what comes after them starts with a line of the cache. */
static inline size_t cpu_rounded(size_t floats)
{
    return (floats + CPU_LINE - 1) / CPU_LINE * CPU_LINE;
}

/** cpu_padded_index: Where row or column @i of a padded map comes from; -1: it is zero. */
static inline int cpu_padded_index(int i, int side, PixPadMode mode)
{
    if (i >= 0 && i < side)
        return i;
    return mode == PIX_PAD_REFLECT     ? pix_reflect_index(i, side)
           : mode == PIX_PAD_REPLICATE ? pix_replicate_index(i, side)
                                       : -1;
}

/**
 * cpu_pixels: Runs @run on all pixels of @view in pieces: calls of about the same size, whose cut does
 * not depend on the number of threads. @first, @last: pixels, counted over n, h and w.
 */
typedef void (*CpuPixels)(const void *data, int first, int last);
void cpu_pixels(const PixDevice *device, CpuView view, CpuPixels run, const void *data);

/** cpu_put: @to = @from, or @to += @from. Where both are the very same memory nothing needs doing. */
void cpu_put(const PixDevice *device, CpuView from, CpuView to, bool adds);

/** cpu_put_pixel: The same for the @c channels of a pixel. */
static inline void cpu_put_pixel(const float *from, float *to, int c, bool adds)
{
    if (adds)
        for (int i = 0; i < c; i++)
            to[i] += from[i];
    else
        memmove(to, from, (size_t)c * sizeof *to);
}

/** cpu_clear: @to = 0. */
void cpu_clear(const PixDevice *device, CpuView to);

/* The rows of the table. */
void *cpu_conv_choose(const PixDevice *device, const PixCall *call);
void cpu_conv_forward(PixDevice *device, const PixCall *call);
size_t cpu_conv_scratch(const PixDevice *device, const PixCall *call);
size_t cpu_conv_prepared(const PixDevice *device, const PixCall *call);
void cpu_conv_prepare(PixDevice *device, const PixCall *call);
void cpu_conv_backward(PixDevice *device, const PixCall *call);
size_t cpu_conv_backward_scratch(const PixDevice *device, const PixCall *call);
const char *cpu_conv_algorithm(const PixDevice *device, const PixCall *call);
PixPrecision cpu_conv_precision(const PixDevice *device, const PixCall *call);
char *cpu_conv_reason(const PixDevice *device, const PixCall *call);
size_t cpu_norm_scratch(const PixDevice *device, const PixCall *call);
void cpu_norm_forward(PixDevice *device, const PixCall *call);
void cpu_norm_backward(PixDevice *device, const PixCall *call);
void cpu_norm_tangent_forward(PixDevice *device, const PixCall *call);
void cpu_norm_tangent_backward(PixDevice *device, const PixCall *call);
void cpu_activation_forward(PixDevice *device, const PixCall *call);
void cpu_activation_backward(PixDevice *device, const PixCall *call);
void cpu_activation_tangent_forward(PixDevice *device, const PixCall *call);
void cpu_activation_tangent_backward(PixDevice *device, const PixCall *call);
void cpu_dropout_forward(PixDevice *device, const PixCall *call);
void cpu_dropout_backward(PixDevice *device, const PixCall *call);
void cpu_pad_forward(PixDevice *device, const PixCall *call);
void cpu_pad_backward(PixDevice *device, const PixCall *call);
void cpu_concat_forward(PixDevice *device, const PixCall *call);
void cpu_concat_backward(PixDevice *device, const PixCall *call);
void cpu_add_forward(PixDevice *device, const PixCall *call);
void cpu_add_backward(PixDevice *device, const PixCall *call);
void cpu_upsample_forward(PixDevice *device, const PixCall *call);
void cpu_upsample_backward(PixDevice *device, const PixCall *call);

/* Learning. */
void cpu_copy(PixDevice *device, const PixTensor *from, const PixTensor *to);
void cpu_fill(PixDevice *device, PixRange range, float value);
void cpu_sum_squares(PixDevice *device, PixRange range, PixRange figure);
void cpu_approach(PixDevice *device, PixRange to, PixRange from, float share);
void cpu_adam(PixDevice *device, const PixAdamCall *call);
void cpu_loss(PixDevice *device, const PixLossCall *call);
void cpu_mix(PixDevice *device, const PixTensor *to, const PixTensor *from, const PixMaskKey *key);
void cpu_penalty(PixDevice *device, const PixTensor *g, double weight, PixRange value);
bool cpu_read_figures(PixDevice *device, PixRange figures, double *values, GError **error);

/** cpu_measure: See pix_device_measure(). */
bool cpu_measure(PixDevice *device, PixPeak *peak, GError **error);

/** cpu_figure: The first of @figures: a double. */
double *cpu_figure(PixRange figures);

/* Pixels. */
bool cpu_write_image(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                     PixRect content, GError **error);
bool cpu_read_image(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                    PixRect content, GError **error);
bool cpu_takes(const PixDevice *device, const PixVideo *video, PixRect content);

#endif
