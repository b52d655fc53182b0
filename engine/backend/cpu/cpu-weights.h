/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * How convolution weights lie in memory, and which of them an output pixel meets.
 *
 * A transposed convolution of stride s is s*s ordinary ones ("phases"), one for each remainder of
 * the output position: phase r meets the kernel's rows r, r + s, r + 2s ... An ordinary
 * convolution has one phase with all rows. What a pixel sums, in the order
 *   [phase][row][column][input channel],
 * is cut into runs of CPU_KC, of a phase or what is left of it, and weights are stored as
 *   [run][panel of CPU_NR output channels][place in the run][output channel of panel],
 * so that what is multiplied one after the other lies so; the last panel may have CPU_NR / 2 columns,
 * and channels that do not exist have weight zero. Below, a row is one place for all output channels.
 */
#ifndef PIX_CPU_WEIGHTS_H
#define PIX_CPU_WEIGHTS_H

#include <stddef.h>

#include "cpu-private.h"

/** CpuPhase: one axis of one phase: output first + i*step meets input i*in_step + in_first +
 * t*in_tap with tap t. */
typedef struct {
    int taps;                      /* kernel positions on this axis */
    int kernel_first, kernel_step; /* tap t is kernel position kernel_first + t*kernel_step */
    int first, step, count;        /* output positions */
    int in_first, in_step, in_tap;
} CpuPhase;

/** cpu_phases: How many phases @op has on each axis: *rows times *columns in all. */
void cpu_phases(const PixOp *op, int *rows, int *columns);

/** cpu_phase_row, cpu_phase_column: Phase @r of an axis whose output has @side positions. */
CpuPhase cpu_phase_row(const PixOp *op, int r, int side);
CpuPhase cpu_phase_column(const PixOp *op, int r, int side);

/** cpu_first_tap: How many taps the phases before (@row, @column) have. */
int cpu_first_tap(const PixOp *op, int row, int column);

/** cpu_tap: Where kernel position (@ky, @kx) lies among all taps, in the order above. */
int cpu_tap(const PixOp *op, int ky, int kx);

/** cpu_tap_position: The other way round. */
void cpu_tap_position(const PixOp *op, int tap, int *ky, int *kx);

/** cpu_panel_width: CPU_NR, or half of it for the last panel if that is enough. */
int cpu_panel_width(int oc, int panel);
int cpu_panels(int oc);

/** cpu_weights_columns: Of all panels. */
int cpu_weights_columns(int oc);

/**
 * cpu_weights_in_phase: Where row @k of a phase lies in @panel. @first, @rows: the phase's first row,
 * among all, and how many it has.
 */
static inline size_t cpu_weights_in_phase(int columns, int panel, int first, int rows, int k)
{
    int run = k / CPU_KC * CPU_KC, before = panel * CPU_NR;
    return (size_t)(first + run) * (size_t)columns +
           (size_t)before * (size_t)MIN(CPU_KC, rows - run) +
           (size_t)(k - run) * (size_t)MIN(CPU_NR, columns - before);
}

/**
 * cpu_weights_at: Where row @row of @panel lies, for @c input channels.  @count: (inout): how many rows
 * from there on are wanted, and how many of them lie one after the other.
 */
size_t cpu_weights_at(const PixOp *op, int c, int panel, int row, int *count);

size_t cpu_weight_bytes(const PixDevice *device, const PixOp *op, const int dims[4],
                        PixDtype dtype);
void cpu_weights_pack(const PixOp *op, const int dims[4], const float *values, float *packed);
void cpu_weights_unpack(const PixOp *op, const int dims[4], const float *packed, float *values);

/**
 * cpu_adjoint: The op whose forward is the data gradient of @op, which has @c input channels: its
 * weights are those of @op with the channels' roles exchanged. Padded with zeros or not at all.
 */
PixOp cpu_adjoint(const PixOp *op, int c);

/** cpu_weights_floats: How many floats packed weights are, for @c input channels. */
size_t cpu_weights_floats(const PixOp *op, int c);

/**
 * cpu_weights_adjoint: A part of the weights of @op, which has @c input channels, made from those of
 * the op whose adjoint it is: of @panel, @count rows from the @k-th on.  @to: dense.
 */
void cpu_weights_adjoint(const CpuMicro *micro, const PixOp *op, int c, const float *packed,
                         int panel, int k, int count, float *to);

/** cpu_weights_transpose: All of them, in all panels; with @adds they are added to what is there. */
void cpu_weights_transpose(const PixDevice *device, const PixOp *op, int c, const float *packed,
                           float *to, bool adds);

#endif
