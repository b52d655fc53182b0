/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-reduced-weights.h"

/* ---- shape ---- */

static int columns_of(const CpuReduced *r)
{
    return cpu_weights_columns(r->of.op.conv.oc);
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
    return r->ints ? (size_t)cpu_reduced_phases(r) * (size_t)r->runs * (size_t)columns_of(r) : 0;
}

CpuReducedWeights cpu_reduced_weights(const CpuReduced *r, float *prepared)
{
    CpuReducedWeights p = {.scales = prepared};
    p.zeros = (int32_t *)(prepared + (r->ints ? columns_of(r) : 0));
    p.units = (float *)(p.zeros + zeros_of(r));
    return p;
}

size_t cpu_reduced_prepared_floats(const CpuReduced *r)
{
    return (r->ints ? (size_t)columns_of(r) : 0) + zeros_of(r) +
           cpu_weights_floats(&r->of.op, cpu_reduced_units(r));
}

typedef struct {
    const CpuReduced *reduced;
    CpuReducedWeights to;
} Preparation;

/* Rows of a panel that lie one after the other, and where their units do. */
typedef struct {
    int count, next; /* next: the row after them */
    const float *from;
    void *to;
} Rows;

static int rows_of(const CpuReduced *r)
{
    return r->of.op.conv.kh * r->of.op.conv.kw * r->of.x.c;
}

/* Those from @row on. A run of them is a part of one run of units. */
static Rows rows_from(const Preparation *p, int panel, int row)
{
    const CpuReduced *r = p->reduced;
    int count = rows_of(r) - row, units = count / r->per;
    Rows rows = {.from = r->of.weights + cpu_weights_at(&r->of.op, r->of.x.c, panel, row, &count),
                 .to = p->to.units + cpu_weights_at(&r->of.op, cpu_reduced_units(r), panel,
                                                    row / r->per, &units)};
    rows.count = count;
    rows.next = row + count;
    return rows;
}

static int width_of(const Preparation *p, int panel)
{
    return cpu_panel_width(p->reduced->of.op.conv.oc, panel);
}

static void to_bf16(const Preparation *p, int panel)
{
    int width = width_of(p, panel);
    Rows rows;
    for (int row = 0; row < rows_of(p->reduced); row = rows.next) {
        rows = rows_from(p, panel, row);
        uint16_t *to = rows.to;
        for (int k = 0; k < rows.count; k++)
            for (int j = 0; j < width; j++)
                cpu_to_bf16(rows.from + k * width + j, false, to + (k / 2 * width + j) * 2 + k % 2,
                            1);
    }
}

static void find_largest_weights(const Preparation *p, int panel, float *largest)
{
    int width = width_of(p, panel);
    Rows rows;
    for (int j = 0; j < width; j++)
        largest[j] = 0;
    for (int row = 0; row < rows_of(p->reduced); row = rows.next) {
        rows = rows_from(p, panel, row);
        for (int k = 0; k < rows.count; k++)
            for (int j = 0; j < width; j++)
                largest[j] = MAX(largest[j], __builtin_fabsf(rows.from[k * width + j]));
    }
}

/* @scales: (out). */
static void to_int8(const Preparation *p, int panel, float *scales)
{
    int width = width_of(p, panel);
    float inverse[CPU_NR];
    Rows rows;
    find_largest_weights(p, panel, scales);
    for (int j = 0; j < width; j++) {
        inverse[j] = scales[j] > 0 ? CPU_INT8_LARGEST / scales[j] : 0;
        scales[j] /= CPU_INT8_LARGEST;
    }
    for (int row = 0; row < rows_of(p->reduced); row = rows.next) {
        rows = rows_from(p, panel, row);
        uint8_t *to = rows.to;
        for (int k = 0; k < rows.count; k++)
            for (int j = 0; j < width; j++) {
                uint8_t *at = to + (k / 4 * width + j) * 4 + k % 4;
                cpu_to_int8(rows.from + k * width + j, false, inverse[j], at, 1);
                *at ^= CPU_INT8_ZERO; /* these have their sign */
            }
    }
}

/* What CPU_INT8_ZERO at each number of the input adds to a sum, run by run. */
static void sum_zeros(const Preparation *p, int panel)
{
    const CpuReduced *r = p->reduced;
    int units = cpu_reduced_units(r), columns = columns_of(r), width = width_of(p, panel);
    for (int phase = 0; phase < cpu_reduced_phases(r); phase++) {
        int first, rows = cpu_reduced_taps(r, phase, &first) * units;
        for (int k = 0; k < rows; k++) {
            const int8_t *from =
                (const int8_t *)(p->to.units +
                                 cpu_weights_in_phase(columns, panel, first * units, rows, k));
            int32_t *to =
                p->to.zeros + ((ptrdiff_t)phase * r->runs + k / CPU_KC) * columns + panel * CPU_NR;
            for (int i = 0; i < width * 4; i++)
                to[i / 4] += CPU_INT8_ZERO * from[i];
        }
    }
}

static void prepare_panel(void *data, int task, int worker)
{
    const Preparation *p = data;
    if (!p->reduced->ints) {
        to_bf16(p, task);
        return;
    }
    to_int8(p, task, p->to.scales + task * CPU_NR);
    sum_zeros(p, task);
}

void cpu_reduced_prepare(const PixDevice *device, const CpuReduced *r, float *to)
{
    Preparation p = {r, cpu_reduced_weights(r, to)};
    memset(p.to.zeros, 0, zeros_of(r) * sizeof *p.to.zeros);
    cpu_parallel(cpu_device(device)->pool, cpu_panels(r->of.op.conv.oc), prepare_panel, &p);
}
