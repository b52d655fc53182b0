/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which convolutions are done by minimal filtering, and their weights. */
#include "cpu-winograd.h"

/* The most on one axis, and channels that are transformed at a time. */
#define MAX_TAPS 4
#define SLICE 16
/* What the smaller matrices of the points lose, in parts of 16. */
#define PRODUCT_COST 17

/* ---- the choice ---- */

static const struct {
    CpuTile tile;
    int taps;
    const char *name;
} variants[] = {
    {{3, 2}, 2, "winograd-2x2"}, {{4, 3}, 2, "winograd-3x3"}, {{4, 2}, 3, "winograd-2x2"},
    {{6, 4}, 3, "winograd-4x4"}, {{6, 3}, 4, "winograd-3x3"},
};

/* Tiles start where the first output of any phase wants it. */
static int first_of(const CpuWinograd *w, CpuPhase (*phase)(const PixOp *, int, int), int phases,
                    int side, int pad, int *positions)
{
    const PixOp *op = &w->of.op;
    if (op->kind == PIX_OP_CONV) {
        *positions = side;
        return -pad;
    }
    int first = G_MAXINT, last = G_MININT;
    for (int i = 0; i < phases; i++) {
        CpuPhase axis = phase(op, i, side);
        int start = axis.in_first - (axis.taps - 1);
        first = MIN(first, start);
        last = MAX(last, start + axis.count);
    }
    *positions = last - first;
    return first;
}

static CpuWinograd shape_of(const PixDevice *device, const CpuConv *of, size_t variant)
{
    const PixConvOp *o = &of->op.conv;
    bool conv = of->op.kind == PIX_OP_CONV;
    CpuWinograd w = {.of = *of,
                     .micro = cpu_device(device)->micro,
                     .name = variants[variant].name,
                     .tile = variants[variant].tile,
                     .taps = variants[variant].taps,
                     .inputs_x = conv ? o->sw : 1,
                     .inputs = conv ? o->sh * o->sw : 1,
                     .outputs_x = conv ? 1 : o->sw,
                     .outputs = conv ? 1 : o->sh * o->sw};
    int rows, columns, m = w.tile.outputs;
    w.k = w.inputs * of->x.c;
    w.run = w.tile.points <= 4 ? CPU_KC / 2 : CPU_KC / 4;
    w.joins = w.outputs > 1 && w.outputs * o->oc <= CPU_NR;
    w.phase_panels = w.joins ? 1 : cpu_panels(o->oc);
    w.panels = w.joins ? 1 : w.outputs * w.phase_panels;
    w.first_y = first_of(&w, cpu_phase_row, o->sh, of->y.h, o->pad.top, &rows);
    w.first_x = first_of(&w, cpu_phase_column, o->sw, of->y.w, o->pad.left, &columns);
    w.tiles_y = (rows + m - 1) / m;
    w.tiles_x = (columns + m - 1) / m;
    return w;
}

static bool fits(const CpuConv *of, int taps)
{
    const PixConvOp *o = &of->op.conv;
    return o->kh == taps * o->sh && o->kw == taps * o->sw && of->x.c % CPU_TILE_LANES == 0 &&
           (of->op.kind == PIX_OP_CONV || o->pad.mode == PIX_PAD_ZERO) &&
           !(of->adds && o->activation.kind != PIX_ACTIVATION_NONE);
}

static double cost_of(const CpuWinograd *w, bool prepares)
{
    double points = w->tile.points * w->tile.points;
    double tiles = (double)w->of.y.n * w->tiles_y * w->tiles_x;
    double weights = (double)cpu_winograd_weight_floats(w), n = weights / points / w->k;
    double products = tiles * weights;
    return products * PRODUCT_COST / 16 +
           weights * (w->micro->read_cost + (prepares ? 4 * w->micro->transform_cost : 0)) +
           points * tiles * (w->k + n) * w->micro->transform_cost;
}

bool cpu_winograd_of(const PixDevice *device, const CpuConv *of, bool prepares,
                     CpuWinograd *winograd)
{
    const char *wanted = cpu_device(device)->convolution;
    *winograd = (CpuWinograd){.cost = G_MAXDOUBLE};
    double direct = cpu_conv_cost(cpu_device(device)->micro, of, 1, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(variants); i++) {
        if (!fits(of, variants[i].taps) || (wanted && !g_str_has_prefix(variants[i].name, wanted)))
            continue;
        CpuWinograd w = shape_of(device, of, i);
        w.cost = cost_of(&w, prepares) / direct;
        if (w.cost < winograd->cost)
            *winograd = w;
    }
    if (winograd->cost < G_MAXDOUBLE)
        cpu_winograd_cut(device, winograd);
    return winograd->cost < (wanted ? G_MAXDOUBLE : 1);
}

/* ---- the weights ---- */

int cpu_winograd_width(const CpuWinograd *w, int panel)
{
    int oc = w->of.op.conv.oc;
    if (w->joins)
        return cpu_panel_width(w->outputs * oc, 0);
    return cpu_panel_width(oc, panel % w->phase_panels);
}

static int columns_before(const CpuWinograd *w, int panel)
{
    int oc = w->of.op.conv.oc, columns = cpu_weights_columns(w->joins ? w->outputs * oc : oc);
    return panel / w->phase_panels * columns + panel % w->phase_panels * CPU_NR;
}

static int points_of(const CpuWinograd *w)
{
    return w->tile.points * w->tile.points;
}

size_t cpu_winograd_weight_floats(const CpuWinograd *w)
{
    return (size_t)columns_before(w, w->panels) * (size_t)points_of(w) * (size_t)w->k;
}

/* Where, among the columns of all points of the group of panels from @first on, those of @panel at
 * @point start. */
static int column_of(const CpuWinograd *w, int first, int panel, int point)
{
    int before = columns_before(w, panel) - columns_before(w, first);
    int all = columns_before(w, MIN(first + w->cut.panels, w->panels)) - columns_before(w, first);
    return w->cut.by_point ? point * all + before
                           : before * points_of(w) + point * cpu_winograd_width(w, panel);
}

const float *cpu_winograd_weights(const CpuWinograd *w, const float *prepared, int panel, int point,
                                  int k)
{
    int first = panel / w->cut.panels * w->cut.panels, next = MIN(first + w->cut.panels, w->panels);
    ptrdiff_t groups = (ptrdiff_t)columns_before(w, first) * points_of(w) * w->k;
    ptrdiff_t runs =
        (ptrdiff_t)(columns_before(w, next) - columns_before(w, first)) * points_of(w) * k;
    return prepared + groups + runs +
           (ptrdiff_t)column_of(w, first, panel, point) * MIN(w->run, w->k - k);
}

typedef struct {
    const CpuWinograd *w;
    float *to;
    int runs; /* of w->run channels each */
} Preparation;

/* Where the kernel has tap @u of a phase. */
static int kernel_position(CpuPhase phase, int stride, int u, bool conv, int input)
{
    return conv ? stride * u + input
                : phase.kernel_first + (phase.taps - 1 - u) * phase.kernel_step;
}

/* Where tap @tap of a phase of outputs and of inputs lies among those of the kernel. */
static int place_of(const CpuWinograd *w, int output, int input, int tap)
{
    const PixOp *op = &w->of.op;
    bool conv = op->kind == PIX_OP_CONV;
    int ky = kernel_position(cpu_phase_row(op, output / w->outputs_x, w->of.y.h), op->conv.sh,
                             tap / w->taps, conv, input / w->inputs_x);
    int kx = kernel_position(cpu_phase_column(op, output % w->outputs_x, w->of.y.w), op->conv.sw,
                             tap % w->taps, conv, input % w->inputs_x);
    return cpu_tap(op, ky, kx);
}

/* @count channels from @k on, of one phase of inputs, of tap @tap for @panel of a phase of outputs. */
static void fetch(const CpuWinograd *w, int output, int panel, int tap, int k, int count, float *to)
{
    const PixOp *op = &w->of.op;
    int c = w->of.x.c, width = cpu_panel_width(op->conv.oc, panel);
    int row = place_of(w, output, k / c, tap) * c + k % c;
    if (w->of.transposes) {
        cpu_weights_adjoint(w->micro, op, c, w->of.weights, panel, row, count, to);
        return;
    }
    for (int last = row + count; row < last; row += count, to += count * width) {
        count = last - row;
        const float *from = w->of.weights + cpu_weights_at(op, c, panel, row, &count);
        memcpy(to, from, (size_t)(count * width) * sizeof *to);
    }
}

/* The same for the panel of all phases of outputs. */
static void fetch_joined(const CpuWinograd *w, int tap, int k, int count, float *to)
{
    int oc = w->of.op.conv.oc, from_width = cpu_panel_width(oc, 0);
    int width = cpu_winograd_width(w, 0);
    float from[SLICE * CPU_NR];
    memset(to, 0, (size_t)(count * width) * sizeof *to);
    for (int output = 0; output < w->outputs; output++) {
        fetch(w, output, 0, tap, k, count, from);
        for (int i = 0; i < count; i++)
            memcpy(to + i * width + output * oc, from + i * from_width, (size_t)oc * sizeof *to);
    }
}

/* Channels @k .. @k + @count - 1 for the columns of @panel. @to: those of the first point. */
static void prepare_slice(const CpuWinograd *w, int panel, int k, int count, float *to,
                          ptrdiff_t plane)
{
    float taps[MAX_TAPS * MAX_TAPS * SLICE * CPU_NR];
    int panels = w->phase_panels, run = count * cpu_winograd_width(w, panel);
    for (int tap = 0; tap < w->taps * w->taps; tap++) {
        if (w->joins)
            fetch_joined(w, tap, k, count, taps + tap * run);
        else
            fetch(w, panel / panels, panel % panels, tap, k, count, taps + tap * run);
    }
    w->micro->tile_weights(w->tile, taps, run, run, to, plane);
}

static void prepare_run(void *data, int task, int worker)
{
    const Preparation *p = data;
    const CpuWinograd *w = p->w;
    int panel = task / p->runs, first = task % p->runs * w->run;
    int width = cpu_winograd_width(w, panel), last = MIN(first + w->run, w->k);
    float *to = (float *)cpu_winograd_weights(w, p->to, panel, 0, first);
    ptrdiff_t plane = cpu_winograd_weights(w, p->to, panel, 1, first) - to;
    for (int k = first, count; k < last; k += count, to += count * width) {
        count = MIN(MIN(SLICE, last - k), w->of.x.c - k % w->of.x.c);
        prepare_slice(w, panel, k, count, to, plane);
    }
}

void cpu_winograd_prepare(const PixDevice *device, const CpuWinograd *w, float *to)
{
    Preparation p = {w, to, (w->k + w->run - 1) / w->run};
    cpu_parallel(cpu_device(device)->pool, w->panels * p.runs, prepare_run, &p);
}
