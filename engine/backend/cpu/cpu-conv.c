/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Convolution and transposed convolution as products of gathered pixels and packed weights.
 *
 * A task is a block of output pixels of one phase times a group of weight panels. It gathers up to
 * CPU_KC input values of every pixel of the block into rows (padding, reflection and stride happen
 * here), multiplies them by each panel of the group, and goes on until all taps are summed; then
 * scale, shift and activation are applied on the way to the output. A tap that only meets padding
 * is left out, so that its weights are never read: on 2x2 maps that is most of a 4x4 kernel.
 *
 * Every output is the sum of the same products in the same order whatever the blocks, groups and
 * threads.
 */
#include <string.h>

#include "cpu-conv.h"
#include "cpu-weights.h"

/* A group's weights, in floats: about half of a core's L2, so that blocks of pixels reuse them. */
#define GROUP_FLOATS (192 * 1024)
/* Fewer tasks than this for each thread leave threads idle at the end. */
#define TASKS_PER_THREAD 4

typedef struct {
    CpuConv of;
    const CpuMicro *micro;
    int taps; /* of the whole kernel */
    int phases_x, phases;
    int blocks;       /* of the largest phase */
    int group_panels; /* panels in a group */
    int groups;
    float *scratch; /* of worker 0 */
    size_t worker_floats;
} Conv;

/* What one task works on. */
typedef struct {
    const Conv *conv;
    CpuPixelBlock pixels;
    int first_panel, last_panel;
    size_t phase_tap; /* taps of earlier phases */
    float *a, *c;     /* gathered pixels; sums */
    int ldc;
    int filled; /* values gathered in each row of a */
    size_t k;   /* where they start in the panel's run of weights */
    bool started;
} Block;

/* ---- geometry ---- */

static int group_width(const Conv *conv)
{
    int oc = conv->of.op.conv.oc;
    int width = conv->group_panels * CPU_NR;
    return MIN(width, (cpu_panels(oc) - 1) * CPU_NR + cpu_panel_width(oc, cpu_panels(oc) - 1));
}

static size_t largest_phase(const Conv *conv)
{
    size_t rows = (size_t)cpu_phase_row(&conv->of.op, 0, conv->of.y.h).count;
    size_t columns = (size_t)cpu_phase_column(&conv->of.op, 0, conv->of.y.w).count;
    int phases_y = conv->phases / conv->phases_x;
    for (int i = 1; i < phases_y; i++)
        rows = MAX(rows, (size_t)cpu_phase_row(&conv->of.op, i, conv->of.y.h).count);
    for (int i = 1; i < conv->phases_x; i++)
        columns = MAX(columns, (size_t)cpu_phase_column(&conv->of.op, i, conv->of.y.w).count);
    return (size_t)conv->of.y.n * rows * columns;
}

/* How the work is cut. Depends on the layer and the number of threads; the results do not. */
static void cut(Conv *conv, int threads)
{
    const PixOp *op = &conv->of.op;
    int panels = cpu_panels(op->conv.oc), phases_y;
    cpu_phases(op, &phases_y, &conv->phases_x);
    conv->phases = phases_y * conv->phases_x;
    size_t panel_floats = (size_t)conv->taps * (size_t)conv->of.x.c * CPU_NR / (size_t)conv->phases;
    conv->blocks = (int)((largest_phase(conv) + CPU_MC - 1) / CPU_MC);
    if (conv->blocks == 1) {
        int wanted = threads * TASKS_PER_THREAD / conv->phases;
        conv->group_panels = (panels + MAX(wanted, 1) - 1) / MAX(wanted, 1);
    } else {
        conv->group_panels = (int)(GROUP_FLOATS / MAX(panel_floats, 1));
    }
    conv->group_panels = CLAMP(conv->group_panels, 1, panels);
    conv->groups = (panels + conv->group_panels - 1) / conv->group_panels;
}

static Conv conv_of(const PixDevice *device, const CpuConv *of)
{
    Conv conv = {
        .of = *of, .micro = cpu_device(device)->micro, .taps = of->op.conv.kh * of->op.conv.kw};
    cut(&conv, cpu_pool_threads(cpu_device(device)->pool));
    conv.worker_floats = CPU_MC * CPU_PITCH + CPU_MC * (size_t)group_width(&conv);
    return conv;
}

size_t cpu_conv_run_floats(const PixDevice *device, const CpuConv *of)
{
    Conv conv = conv_of(device, of);
    return conv.worker_floats * (size_t)cpu_pool_threads(cpu_device(device)->pool);
}

const char *cpu_conv_algorithm(const PixDevice *device, const PixCall *call)
{
    return cpu_device(device)->micro->algorithm;
}

/* ---- one task ---- */

static const float *panel_weights(const Block *b, int panel)
{
    const Conv *conv = b->conv;
    int width = cpu_panel_width(conv->of.op.conv.oc, panel);
    size_t k = (size_t)conv->taps * (size_t)conv->of.x.c;
    return conv->of.weights + k * CPU_NR * (size_t)panel + b->k * (size_t)width;
}

/* Multiplies what has been gathered by all panels of the group. */
static void flush(Block *b)
{
    if (b->filled == 0)
        return;
    for (int p = b->first_panel; p < b->last_panel; p++)
        b->conv->micro->product(b->pixels.count, cpu_panel_width(b->conv->of.op.conv.oc, p),
                                b->filled, b->a, panel_weights(b, p),
                                b->c + (p - b->first_panel) * CPU_NR, b->ldc, b->started);
    b->started = true;
    b->filled = 0;
}

/* Appends @count channels from @c on of one tap to every row; @from: one pointer a row. */
static void gather(Block *b, const float *const *from, int c, int count)
{
    for (int i = 0; i < b->pixels.count; i++) {
        float *to = b->a + i * CPU_PITCH + b->filled;
        if (from[i])
            cpu_copy_floats(to, from[i] + c, count);
        else
            memset(to, 0, (size_t)count * sizeof *to);
    }
    b->filled += count;
}

static void sum_tap(Block *b, int ty, int tx)
{
    const float *from[CPU_MC];
    int channels = b->conv->of.x.c;
    if (cpu_meet(&b->pixels, ty, tx, from) == 0)
        return;
    size_t k = (b->phase_tap + (size_t)(ty * b->pixels.column.taps + tx)) * (size_t)channels;
    for (int c = 0; c < channels;) {
        if (b->filled == CPU_KC || (b->filled && b->k + (size_t)b->filled != k + (size_t)c))
            flush(b);
        if (b->filled == 0)
            b->k = k + (size_t)c;
        int count = MIN(channels - c, CPU_KC - b->filled);
        gather(b, from, c, count);
        c += count;
    }
}

/* Bias, norm and activation on the way from the sums to the output. */
static void store(const Block *b)
{
    const Conv *conv = b->conv;
    int first = b->first_panel * CPU_NR;
    int count = MIN(b->last_panel * CPU_NR, conv->of.y.c) - first;
    const float *scale = conv->of.scale ? conv->of.scale + first : NULL;
    const float *shift = conv->of.shift ? conv->of.shift + first : NULL;
    for (int i = 0; i < b->pixels.count; i++) {
        float *sum = b->c + (ptrdiff_t)i * b->ldc, *out = b->pixels.pixels[i].out + first;
        if (scale)
            for (int j = 0; j < count; j++)
                sum[j] = sum[j] * scale[j] + shift[j];
        else if (shift)
            for (int j = 0; j < count; j++)
                sum[j] += shift[j];
        if (conv->of.adds)
            for (int j = 0; j < count; j++)
                sum[j] += out[j];
        cpu_activate(conv->of.op.conv.activation, sum, out, (size_t)count);
    }
}

static void run_block(void *data, int task, int worker)
{
    const Conv *conv = data;
    const PixOp *op = &conv->of.op;
    int block = task % conv->blocks, phase = task / conv->blocks % conv->phases;
    int group = task / conv->blocks / conv->phases;
    int py = phase / conv->phases_x, px = phase % conv->phases_x;
    Block b = {.conv = conv,
               .pixels = {.conv = &conv->of,
                          .row = cpu_phase_row(op, py, conv->of.y.h),
                          .column = cpu_phase_column(op, px, conv->of.y.w)},
               .first_panel = group * conv->group_panels,
               .last_panel = MIN((group + 1) * conv->group_panels, cpu_panels(op->conv.oc)),
               .phase_tap = (size_t)cpu_first_tap(op, py, px),
               .a = conv->scratch + conv->worker_floats * (size_t)worker,
               .ldc = group_width(conv)};
    b.c = b.a + CPU_MC * CPU_PITCH;
    size_t first = (size_t)block * CPU_MC;
    size_t last = MIN(first + CPU_MC, cpu_phase_pixels(&b.pixels));
    if (first >= last)
        return;
    cpu_find_pixels(&b.pixels, first, last);
    for (int ty = 0; ty < b.pixels.row.taps; ty++)
        for (int tx = 0; tx < b.pixels.column.taps; tx++)
            sum_tap(&b, ty, tx);
    flush(&b);
    if (!b.started) /* all padding */
        memset(b.c, 0, (size_t)b.pixels.count * (size_t)b.ldc * sizeof *b.c);
    store(&b);
}

void cpu_conv_run(const PixDevice *device, const CpuConv *of, float *scratch)
{
    Conv conv = conv_of(device, of);
    conv.scratch = scratch;
    cpu_parallel(cpu_device(device)->pool, conv.groups * conv.phases * conv.blocks, run_block,
                 &conv);
}

/* ---- the row ---- */

/* y = (sum + bias - mean) * rstd * gamma + beta as y = sum * scale + shift. */
static void fold_norm(const PixCall *call, float *scale, float *shift)
{
    const PixTensor *param = call->param;
    const float *bias = cpu_vector(&param[PIX_SLOT_BIAS]);
    const float *gamma = cpu_vector(&param[PIX_SLOT_GAMMA]);
    const float *beta = cpu_vector(&param[PIX_SLOT_BETA]);
    const float *mean = cpu_vector(&param[PIX_SLOT_MEAN]);
    const float *variance = cpu_vector(&param[PIX_SLOT_VARIANCE]);
    for (int i = 0; i < call->out.shape.c; i++) {
        scale[i] = (gamma ? gamma[i] : 1) / __builtin_sqrtf(variance[i] + call->op->conv.eps);
        shift[i] = ((bias ? bias[i] : 0) - mean[i]) * scale[i] + (beta ? beta[i] : 0);
    }
}

static CpuConv forward_of(const PixCall *call)
{
    return (CpuConv){.op = *call->op,
                     .x = cpu_view(&call->in[0]),
                     .y = cpu_view(&call->out),
                     .weights = cpu_vector(&call->param[PIX_SLOT_WEIGHT]),
                     .shift = cpu_vector(&call->param[PIX_SLOT_BIAS])};
}

/* Room for scale and shift, each (oc), before that of the workers. */
static size_t vector_floats(const PixCall *call)
{
    return (2 * (size_t)call->out.shape.c + 15) / 16 * 16;
}

size_t cpu_conv_scratch(const PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    return (vector_floats(call) + cpu_conv_run_floats(device, &conv)) * sizeof(float);
}

void cpu_conv_forward(PixDevice *device, const PixCall *call)
{
    CpuConv conv = forward_of(call);
    float *scale = call->scratch->data, *shift = scale + conv.y.c;
    if (call->op->conv.running_norm) {
        fold_norm(call, scale, shift);
        conv.scale = scale;
        conv.shift = shift;
    }
    cpu_conv_run(device, &conv, call->scratch->data + vector_floats(call));
}
