/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * One call of a function of the micro-kernel table, as a level has it and as plain C has it: what is
 * drawn for it, and the verdict. Whatever is drawn follows from the trial's number.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "area.h"
#include "cpu-micro.h"

/** TRIAL_WHOLE: No sum of 512 products of two whole numbers up to this leaves the 24 bits of a float. */
#define TRIAL_WHOLE 8
/** TRIAL_ROUNDING: The most that rounding to float32 changes a number by, of numbers up to 1. */
#define TRIAL_ROUNDING (1. / (1 << 24))

typedef struct {
    const char *name; /* of the level and the function */
    CpuMicro level;
    int number;
    bool whole; /* values are whole numbers, so that nothing is rounded; else noise in [-1, 1] */
    GRand *rand;
} Trial;

/** trial_draw: @least .. @most; the ends more often. */
int trial_draw(Trial *trial, int least, int most);
double trial_draw_value(Trial *trial);

/** trial_fill: With values.  trial_fill_bf16: With two of them in each float.  trial_fill_ints: With int32.
 * trial_fill_bits: With any numbers, four int8 in each float. */
typedef void (*TrialFill)(Trial *trial, const Area *area);
void trial_fill(Trial *trial, const Area *area);
void trial_fill_bf16(Trial *trial, const Area *area);
void trial_fill_ints(Trial *trial, const Area *area);
void trial_fill_bits(Trial *trial, const Area *area);

/** trial_input: Floats. */
Area trial_input(Trial *trial, int rows, int columns, ptrdiff_t pitch);

/** trial_output: Floats: with values where they are @added to, else without. @offset: as of area_new(). */
Area trial_output(Trial *trial, int rows, int columns, ptrdiff_t pitch, int offset, bool added);

/** trial_list: (transfer full): @count rows of @area, in any order. */
const float **trial_list(Trial *trial, const Area *area, int count);

/**
 * trial_expect: Fails the test where floats differ by more than @bound, whole numbers at all, or where
 * memory around @found was written to.
 */
void trial_expect(const Trial *trial, const Area *found, const Area *expected, double bound);

/** trial_expect_bits: The same of elements of any type, which must be the same bits. */
void trial_expect_bits(const Trial *trial, const Area *found, const Area *expected);

#endif
