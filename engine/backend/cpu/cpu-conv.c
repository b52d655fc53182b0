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

#include "cpu-private.h"
#include "cpu-weights.h"

/* A group's weights, in floats: about half of a core's L2, so that blocks of pixels reuse them. */
#define GROUP_FLOATS (192 * 1024)
/* Fewer tasks than this for each thread leave threads idle at the end. */
#define TASKS_PER_THREAD 4

typedef struct {
    const PixCall *call;
    const CpuMicro *micro;
    CpuView x, y;
    const float *weights;
    const float *scale, *shift; /* (oc), or NULL */
    int taps;                   /* of the whole kernel */
    int phases_x, phases;
    int blocks;       /* of the largest phase */
    int group_panels; /* panels in a group */
    int groups;
    float *scratch; /* of worker 0 */
    size_t worker_floats;
} Conv;

/* One output pixel of a block: the input position of tap (0, 0), and where its result goes. */
typedef struct {
    const float *sample;
    int y, x;
    float *out;
} Pixel;

/* What one task works on. */
typedef struct {
    const Conv *conv;
    CpuPhase row, column;
    int n_pixels;
    Pixel pixels[CPU_MC];
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
    int oc = conv->call->op->conv.oc;
    int width = conv->group_panels * CPU_NR;
    return MIN(width, (cpu_panels(oc) - 1) * CPU_NR + cpu_panel_width(oc, cpu_panels(oc) - 1));
}

static size_t largest_phase(const Conv *conv)
{
    size_t rows = (size_t)cpu_phase_row(conv->call->op, 0, conv->y.h).count;
    size_t columns = (size_t)cpu_phase_column(conv->call->op, 0, conv->y.w).count;
    int phases_y = conv->phases / conv->phases_x;
    for (int i = 1; i < phases_y; i++)
        rows = MAX(rows, (size_t)cpu_phase_row(conv->call->op, i, conv->y.h).count);
    for (int i = 1; i < conv->phases_x; i++)
        columns = MAX(columns, (size_t)cpu_phase_column(conv->call->op, i, conv->y.w).count);
    return (size_t)conv->y.n * rows * columns;
}

/* How the work is cut. Depends on the layer and the number of threads; the results do not. */
static void cut(Conv *conv, int threads)
{
    const PixOp *op = conv->call->op;
    int panels = cpu_panels(op->conv.oc), phases_y;
    cpu_phases(op, &phases_y, &conv->phases_x);
    conv->phases = phases_y * conv->phases_x;
    size_t panel_floats = (size_t)conv->taps * (size_t)conv->x.c * CPU_NR / (size_t)conv->phases;
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

static Conv conv_of(const PixDevice *device, const PixCall *call)
{
    const PixConvOp *o = &call->op->conv;
    Conv conv = {.call = call, .micro = cpu_device(device)->micro, .taps = o->kh * o->kw};
    conv.x = (CpuView){NULL,
                       call->in[0].shape.n,
                       call->in[0].shape.c,
                       call->in[0].shape.h,
                       call->in[0].shape.w,
                       call->in[0].c_whole};
    conv.y = (CpuView){NULL,
                       call->out.shape.n,
                       call->out.shape.c,
                       call->out.shape.h,
                       call->out.shape.w,
                       call->out.c_whole};
    cut(&conv, cpu_pool_threads(cpu_device(device)->pool));
    conv.worker_floats = CPU_MC * CPU_PITCH + CPU_MC * (size_t)group_width(&conv);
    return conv;
}

size_t cpu_conv_scratch(const PixDevice *device, const PixCall *call)
{
    Conv conv = conv_of(device, call);
    size_t threads = (size_t)cpu_pool_threads(cpu_device(device)->pool);
    return (2 * (size_t)conv.y.c + 32 + conv.worker_floats * threads) * sizeof(float);
}

const char *cpu_conv_algorithm(const PixDevice *device, const PixCall *call)
{
    return cpu_device(device)->micro->algorithm;
}

/* ---- one task ---- */

/* The input pixel that @pixel meets with tap (ty, tx); NULL for zero padding. */
static const float *meet(const Block *b, const Pixel *pixel, int ty, int tx)
{
    const CpuView *x = &b->conv->x;
    PixPadMode mode = b->conv->call->op->conv.pad.mode;
    int iy = cpu_padded_index(pixel->y + ty * b->row.in_tap, x->h, mode);
    int ix = cpu_padded_index(pixel->x + tx * b->column.in_tap, x->w, mode);
    return iy < 0 || ix < 0 ? NULL : pixel->sample + ((ptrdiff_t)iy * x->w + ix) * x->pixel;
}

static const float *panel_weights(const Block *b, int panel)
{
    const Conv *conv = b->conv;
    int width = cpu_panel_width(conv->call->op->conv.oc, panel);
    size_t k = (size_t)conv->taps * (size_t)conv->x.c;
    return conv->weights + k * CPU_NR * (size_t)panel + b->k * (size_t)width;
}

/* Multiplies what has been gathered by all panels of the group. */
static void flush(Block *b)
{
    if (b->filled == 0)
        return;
    for (int p = b->first_panel; p < b->last_panel; p++)
        b->conv->micro->product(b->n_pixels, cpu_panel_width(b->conv->call->op->conv.oc, p),
                                b->filled, b->a, panel_weights(b, p),
                                b->c + (p - b->first_panel) * CPU_NR, b->ldc, b->started);
    b->started = true;
    b->filled = 0;
}

static inline void copy_floats(float *to, const float *from, int count)
{
    if (count >= 16) {
        memcpy(to, from, (size_t)count * sizeof *to);
    } else {
        for (int i = 0; i < count; i++)
            to[i] = from[i];
    }
}

/* Appends @count channels from @c on of one tap to every row; @from: one pointer a row. */
static void gather(Block *b, const float *const *from, int c, int count)
{
    for (int i = 0; i < b->n_pixels; i++) {
        float *to = b->a + i * CPU_PITCH + b->filled;
        if (from[i])
            copy_floats(to, from[i] + c, count);
        else
            memset(to, 0, (size_t)count * sizeof *to);
    }
    b->filled += count;
}

static void sum_tap(Block *b, int ty, int tx)
{
    const float *from[CPU_MC];
    bool any = false;
    int channels = b->conv->x.c;
    for (int i = 0; i < b->n_pixels; i++)
        any |= (from[i] = meet(b, &b->pixels[i], ty, tx)) != NULL;
    if (!any)
        return;
    size_t k = (b->phase_tap + (size_t)(ty * b->column.taps + tx)) * (size_t)channels;
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
    int count = MIN(b->last_panel * CPU_NR, conv->y.c) - first;
    const float *scale = conv->scale ? conv->scale + first : NULL;
    const float *shift = conv->shift ? conv->shift + first : NULL;
    for (int i = 0; i < b->n_pixels; i++) {
        float *sum = b->c + (ptrdiff_t)i * b->ldc, *out = b->pixels[i].out + first;
        if (scale)
            for (int j = 0; j < count; j++)
                sum[j] = sum[j] * scale[j] + shift[j];
        else if (shift)
            for (int j = 0; j < count; j++)
                sum[j] += shift[j];
        cpu_activate(conv->call->op->conv.activation, sum, out, (size_t)count);
    }
}

static void find_pixels(Block *b, size_t first, size_t last)
{
    const CpuView *x = &b->conv->x, *y = &b->conv->y;
    size_t columns = (size_t)b->column.count, each = (size_t)b->row.count * columns;
    b->n_pixels = 0;
    for (size_t i = first; i < last; i++) {
        int n = (int)(i / each), row = (int)(i % each / columns), column = (int)(i % columns);
        ptrdiff_t oy = b->row.first + row * b->row.step;
        ptrdiff_t ox = b->column.first + column * b->column.step;
        b->pixels[b->n_pixels++] =
            (Pixel){.sample = x->data + (ptrdiff_t)n * x->h * x->w * x->pixel,
                    .y = row * b->row.in_step + b->row.in_first,
                    .x = column * b->column.in_step + b->column.in_first,
                    .out = y->data + (((ptrdiff_t)n * y->h + oy) * y->w + ox) * y->pixel};
    }
}

static void run_block(void *data, int task, int worker)
{
    const Conv *conv = data;
    const PixOp *op = conv->call->op;
    int block = task % conv->blocks, phase = task / conv->blocks % conv->phases;
    int group = task / conv->blocks / conv->phases;
    int py = phase / conv->phases_x, px = phase % conv->phases_x;
    Block b = {.conv = conv,
               .row = cpu_phase_row(op, py, conv->y.h),
               .column = cpu_phase_column(op, px, conv->y.w),
               .first_panel = group * conv->group_panels,
               .last_panel = MIN((group + 1) * conv->group_panels, cpu_panels(op->conv.oc)),
               .phase_tap = (size_t)cpu_first_tap(op, py, px),
               .a = conv->scratch + conv->worker_floats * (size_t)worker,
               .ldc = group_width(conv)};
    b.c = b.a + CPU_MC * CPU_PITCH;
    size_t pixels = (size_t)conv->y.n * (size_t)b.row.count * (size_t)b.column.count;
    size_t first = (size_t)block * CPU_MC, last = MIN(first + CPU_MC, pixels);
    if (first >= last)
        return;
    find_pixels(&b, first, last);
    for (int ty = 0; ty < b.row.taps; ty++)
        for (int tx = 0; tx < b.column.taps; tx++)
            sum_tap(&b, ty, tx);
    flush(&b);
    if (!b.started) /* all padding */
        memset(b.c, 0, (size_t)b.n_pixels * (size_t)b.ldc * sizeof *b.c);
    store(&b);
}

/* ---- the row ---- */

/* y = (sum + bias - mean) * rstd * gamma + beta as y = sum * scale + shift. */
static void fold_norm(Conv *conv, float *scale, float *shift)
{
    const PixTensor *param = conv->call->param;
    const float *bias = cpu_vector(&param[PIX_SLOT_BIAS]);
    const float *gamma = cpu_vector(&param[PIX_SLOT_GAMMA]);
    const float *beta = cpu_vector(&param[PIX_SLOT_BETA]);
    const float *mean = cpu_vector(&param[PIX_SLOT_MEAN]);
    const float *variance = cpu_vector(&param[PIX_SLOT_VARIANCE]);
    conv->shift = bias;
    if (!conv->call->op->conv.running_norm)
        return;
    for (int i = 0; i < conv->y.c; i++) {
        scale[i] = (gamma ? gamma[i] : 1) / __builtin_sqrtf(variance[i] + conv->call->op->conv.eps);
        shift[i] = ((bias ? bias[i] : 0) - mean[i]) * scale[i] + (beta ? beta[i] : 0);
    }
    conv->scale = scale;
    conv->shift = shift;
}

void cpu_conv_forward(PixDevice *device, const PixCall *call)
{
    Conv conv = conv_of(device, call);
    float *scratch = call->scratch->data;
    size_t vectors = (2 * (size_t)conv.y.c + 15) / 16 * 16;
    conv.x = cpu_view(&call->in[0]);
    conv.y = cpu_view(&call->out);
    conv.weights = cpu_vector(&call->param[PIX_SLOT_WEIGHT]);
    conv.scratch = scratch + vectors;
    fold_norm(&conv, scratch, scratch + conv.y.c);
    cpu_parallel(cpu_device(device)->pool, conv.groups * conv.phases * conv.blocks, run_block,
                 &conv);
}
