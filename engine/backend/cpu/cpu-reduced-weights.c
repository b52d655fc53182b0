/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-reduced-weights.h"

/* ---- shape ---- */

int cpu_reduced_columns(const CpuReduced *r)
{
    int last = cpu_panels(r->of.op.conv.oc) - 1;
    return last * CPU_NR + cpu_panel_width(r->of.op.conv.oc, last);
}

int cpu_reduced_units(const CpuReduced *r)
{
    return r->of.x.c / r->per;
}

int cpu_reduced_phases(const CpuReduced *r)
{
    int rows, columns;
    cpu_phases(&r->of.op, &rows, &columns);
    return rows * columns;
}

int cpu_reduced_taps(const CpuReduced *r, int phase, int *first)
{
    int rows, columns;
    cpu_phases(&r->of.op, &rows, &columns);
    *first = cpu_first_tap(&r->of.op, phase / columns, phase % columns);
    return cpu_phase_row(&r->of.op, phase / columns, 1).taps *
           cpu_phase_column(&r->of.op, phase % columns, 1).taps;
}

/* ---- what is prepared ---- */

static size_t zeros_of(const CpuReduced *r)
{
    return r->ints
               ? (size_t)cpu_reduced_phases(r) * (size_t)r->runs * (size_t)cpu_reduced_columns(r)
               : 0;
}

CpuReducedWeights cpu_reduced_weights(const CpuReduced *r, float *prepared)
{
    CpuReducedWeights p = {.scales = prepared};
    p.zeros = (int32_t *)(prepared + (r->ints ? cpu_reduced_columns(r) : 0));
    p.units = (float *)(p.zeros + zeros_of(r));
    return p;
}

size_t cpu_reduced_prepared_floats(const CpuReduced *r)
{
    return (r->ints ? (size_t)cpu_reduced_columns(r) : 0) + zeros_of(r) +
           cpu_weights_floats(&r->of.op, cpu_reduced_units(r));
}

typedef struct {
    const CpuReduced *reduced;
    CpuReducedWeights to;
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
                   .to = p->to.units + before * taps * (size_t)cpu_reduced_units(r)};
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
        inverse[j] = scales[j] > 0 ? CPU_INT8_LARGEST / scales[j] : 0;
        scales[j] /= CPU_INT8_LARGEST;
    }
    for (int k = 0; k < panel.rows; k++)
        for (int j = 0; j < panel.width; j++) {
            uint8_t *at = to + ((ptrdiff_t)(k / 4) * panel.width + j) * 4 + k % 4;
            cpu_to_int8(panel.from + (ptrdiff_t)k * panel.width + j, false, inverse[j], at, 1);
            *at ^= CPU_INT8_ZERO; /* these have their sign */
        }
}

/* What CPU_INT8_ZERO at each number of the input adds to a sum, run by run. */
static void sum_zeros(const CpuReduced *r, Panel panel, int32_t *zeros)
{
    for (int phase = 0; phase < cpu_reduced_phases(r); phase++) {
        int first, units = cpu_reduced_taps(r, phase, &first) * cpu_reduced_units(r);
        const int8_t *from =
            (const int8_t *)panel.to + (ptrdiff_t)first * cpu_reduced_units(r) * panel.width * 4;
        for (int k = 0; k < units; k++) {
            int32_t *to =
                zeros + ((ptrdiff_t)phase * r->runs + k / CPU_KC) * cpu_reduced_columns(r);
            for (int i = 0; i < panel.width * 4; i++)
                to[i / 4] += CPU_INT8_ZERO * from[(ptrdiff_t)k * panel.width * 4 + i];
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
    Preparation p = {r, cpu_reduced_weights(r, to)};
    memset(p.to.zeros, 0, zeros_of(r) * sizeof *p.to.zeros);
    cpu_parallel(cpu_device(device)->pool, cpu_panels(r->of.op.conv.oc), prepare_panel, &p);
}
