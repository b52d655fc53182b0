/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the work of direct convolutions is cut. */
#include "cpu-conv-task.h"

/* What ranges are cut for: fewer tasks would leave threads idle at the end. */
#define TASKS_PER_THREAD 2
/* Gathering a run, in the time that it takes to multiply it by one panel. */
#define GATHER_COST 0.5

static size_t largest_phase(const CpuConv *of, int phases_y, int phases_x)
{
    size_t rows = 0, columns = 0;
    for (int i = 0; i < phases_y; i++)
        rows = MAX(rows, (size_t)cpu_phase_row(&of->op, i, of->y.h).count);
    for (int i = 0; i < phases_x; i++)
        columns = MAX(columns, (size_t)cpu_phase_column(&of->op, i, of->y.w).count);
    return (size_t)of->y.n * rows * columns;
}

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

double cpu_conv_cost(const CpuMicro *micro, const CpuConv *of, double gain, double share)
{
    const PixConvOp *o = &of->op.conv;
    double weights = (double)o->kh * o->kw * of->x.c * o->oc;
    double pixels = (double)of->y.n * of->y.h * of->y.w;
    double taps = (double)(o->kh * o->kw) / (of->op.kind == PIX_OP_CONV ? 1 : o->sh * o->sw);
    return pixels * taps * of->x.c * o->oc / gain + weights * share * micro->read_cost;
}

/* Ranges and groups, for @threads. */
static void cut(CpuConvRun *conv, int threads)
{
    int panels = cpu_panels(conv->of.op.conv.oc);
    for (;;) {
        conv->ranges = divide_up(conv->blocks, conv->task_blocks);
        conv->groups = divide_up(panels, conv->group_panels);
        bool enough =
            conv->phases * conv->groups >= divide_up(threads * TASKS_PER_THREAD, conv->ranges);
        if (enough || (conv->task_blocks == 1 && conv->group_panels == 1))
            break;
        if (conv->group_panels >= conv->task_blocks)
            conv->group_panels = divide_up(conv->group_panels, 2);
        else
            conv->task_blocks = divide_up(conv->task_blocks, 2);
    }
}

static int groups_of(const CpuConvRun *conv, int group_panels)
{
    return divide_up(cpu_panels(conv->of.op.conv.oc), group_panels);
}

/* How long the slowest of @threads takes, by a task's products of one panel. */
static double time_of(const CpuConvRun *conv, int group_panels, int threads)
{
    int tasks = conv->phases * conv->ranges * groups_of(conv, group_panels);
    return divide_up(tasks, threads) * (group_panels + GATHER_COST);
}

/* Each group gathers all pixels anew. */
static void cut_groups(CpuConvRun *conv, int threads)
{
    int most = MIN(cpu_panels(conv->of.op.conv.oc), CPU_MAX_PANELS);
    conv->group_panels = most;
    for (int panels = most - 1; panels > 0; panels--)
        if (time_of(conv, panels, threads) < time_of(conv, conv->group_panels, threads))
            conv->group_panels = panels;
    conv->groups = groups_of(conv, conv->group_panels);
}

static void find_blocks(CpuConvRun *conv)
{
    int phases_y;
    cpu_phases(&conv->of.op, &phases_y, &conv->phases_x);
    conv->phases = phases_y * conv->phases_x;
    size_t pixels = MAX(largest_phase(&conv->of, phases_y, conv->phases_x), 1);
    conv->blocks = (int)((pixels + CPU_MC - 1) / CPU_MC);
    conv->block_pixels = (int)((pixels + (size_t)conv->blocks - 1) / (size_t)conv->blocks);
    conv->task_blocks = MIN(conv->blocks, CPU_MAX_BLOCKS);
    conv->group_panels = MIN(cpu_panels(conv->of.op.conv.oc), CPU_MAX_PANELS);
}

CpuConvRun cpu_conv_cut(const PixDevice *device, const CpuConv *of)
{
    const CpuDevice *cpu = cpu_device(device);
    CpuConvRun conv = {
        .of = *of, .micro = cpu->micro, .columns = cpu_weights_columns(of->op.conv.oc)};
    conv.product = of->units ? of->units->product : conv.micro->product;
    find_blocks(&conv);
    cut(&conv, CPU_CUT_THREADS);
    cut_groups(&conv, cpu_pool_threads(cpu->pool));
    conv.ldc = conv.group_panels * CPU_NR;
    conv.worker_floats = (size_t)conv.task_blocks * CPU_MC * (CPU_PITCH + (size_t)conv.ldc) +
                         (of->transposes ? (size_t)conv.ldc * CPU_KC : 0);
    return conv;
}

size_t cpu_conv_run_floats(const PixDevice *device, const CpuConv *of)
{
    if (cpu_conv_is_narrow(of))
        return cpu_conv_run_narrow_floats(device, of);
    CpuConvRun conv = cpu_conv_cut(device, of);
    return conv.worker_floats * (size_t)cpu_pool_threads(cpu_device(device)->pool);
}

int cpu_conv_parts(const PixDevice *device, const CpuConv *of)
{
    if (cpu_conv_is_narrow(of))
        return 0;
    CpuConvRun conv = cpu_conv_cut(device, of);
    return conv.phases * conv.ranges;
}
