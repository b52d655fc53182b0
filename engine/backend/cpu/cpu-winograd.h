/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Winograd's minimal filtering: a tile of outputs from fewer products than outputs times taps. F(m, r)
 * takes r taps of m + r - 1 inputs to m outputs with as many products as inputs, on each axis:
 *   y = A^T [(G g) * (B^T d)],  in two dimensions  Y = A^T [(G g G^T) * (B^T d B)] A,
 * where * is element by element. Source: Winograd 1980; Lavin and Gray 2016, section 4.
 * With one value of G g and of B^T d for each point, summing over channels makes each point a product
 * of matrices: (tiles, channels) times (channels, output channels).
 *
 * A convolution of stride s with a kernel of s*r is one of stride 1 with r taps of all its s*s phases
 * of inputs together; a transposed one is s*s of those, which see the same tiles of inputs.
 */
#ifndef PIX_CPU_WINOGRAD_H
#define PIX_CPU_WINOGRAD_H

#include "cpu-conv.h"

/**
 * CpuWinogradCut: blocks of tiles times groups of weight panels. Blocks depend on shapes and the CPU's
 * cache alone, so that sums over them do; groups on the number of threads, too.
 */
typedef struct {
    int tiles;          /* of all samples */
    int rows, blocks;   /* tiles in a block */
    int panels, groups; /* panels in a group */
    bool by_point;      /* multiplies a point by all panels, not a panel by all points */
    size_t worker_floats;
} CpuWinogradCut;

/** CpuWinograd: how a convolution is done so. A kernel's row is s*u + p, of tap u and phase p. */
typedef struct {
    CpuConv of;
    const CpuMicro *micro;
    const char *name;
    double cost; /* estimated, in that of a direct one */
    CpuTile tile;
    int taps;               /* on each axis */
    int inputs_x, inputs;   /* phases of inputs, on one axis and in all; 1 where transposed */
    int outputs_x, outputs; /* of outputs; 1 where not */
    int k;                  /* channels of all phases of inputs */
    int run;                /* so many of them are transformed and multiplied at a time */
    bool joins;             /* the channels of all phases of outputs make up one panel; else */
    int panels;             /* those of one phase come after those of another */
    int phase_panels;       /* of a phase; 1 where they are joined */
    int tiles_y, tiles_x;   /* of a sample */
    int first_y, first_x;   /* where the first tile starts in the input */
    CpuWinogradCut cut;
} CpuWinograd;

/**
 * cpu_winograd_of:
 * Returns: whether the forward of @conv, whose data may be NULL, is faster so.  @prepares: its weights
 * are transformed each time.  @winograd: (out): the best way to do so, or where there is none, only an
 * endless cost.
 */
bool cpu_winograd_of(const PixDevice *device, const CpuConv *conv, bool prepares,
                     CpuWinograd *winograd);

/** cpu_winograd_prepare: conv->weights transformed. @to: cpu_winograd_weight_floats() floats. */
void cpu_winograd_prepare(const PixDevice *device, const CpuWinograd *winograd, float *to);
size_t cpu_winograd_weight_floats(const CpuWinograd *winograd);

/** cpu_winograd_cut: Fills winograd->cut. */
void cpu_winograd_cut(const PixDevice *device, CpuWinograd *winograd);

/** cpu_winograd_width: Columns of @panel. */
int cpu_winograd_width(const CpuWinograd *winograd, int panel);

/**
 * cpu_winograd_weights:
 * Those of @panel at @point for a run of channels from @k on, or as many as are left: (channel, column).
 * They lie in the order in which tasks multiply by them: (group, run, panel, point), or by_point
 * (group, run, point, panel).
 */
const float *cpu_winograd_weights(const CpuWinograd *winograd, const float *prepared, int panel,
                                  int point, int k);

/** cpu_winograd_run: As cpu_conv_run(). @prepared: weights. */
void cpu_winograd_run(const PixDevice *device, const CpuWinograd *winograd, const float *prepared,
                      float *scratch);
/** cpu_winograd_parts: As cpu_conv_parts(). */
int cpu_winograd_parts(const CpuWinograd *winograd);
size_t cpu_winograd_run_floats(const PixDevice *device, const CpuWinograd *winograd);

/**
 * cpu_winograd_run_once, cpu_winograd_run_once_floats: As cpu_conv_run(), by minimal filtering where
 * that is faster with weights that are transformed on the way.
 */
void cpu_winograd_run_once(const PixDevice *device, const CpuConv *conv, float *scratch);
size_t cpu_winograd_run_once_floats(const PixDevice *device, const CpuConv *conv);

#endif
