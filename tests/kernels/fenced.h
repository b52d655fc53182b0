/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Tensors on a device that lie between other channels and between two other tensors, all full of
 * one number, which a kernel must leave alone.
 */
#ifndef FENCED_H
#define FENCED_H

#include "backend.h"
#include "levels.h"

typedef struct {
    PixTensor tensor;
    size_t count;
    size_t bytes; /* of the whole tensor, and of each of its neighbours */
    bool owns;    /* the buffer */
} Fenced;

/** fenced_new: @beside: channels of others before and after; 0 for parameters. All values are NaN. */
Fenced fenced_new(PixDevice *device, PixShape shape, int beside);
/**
 * fenced_new_row: As many parameters in one buffer, each between its own neighbours.
 * @row: (out): @n of them; those of shapes with n = 0 are zeros. Are cleared together.
 */
void fenced_new_row(PixDevice *device, const PixShape *shapes, size_t n, Fenced *row);
void fenced_clear(PixDevice *device, Fenced *fenced); /* accepts one of zeros */

void fenced_write(PixDevice *device, const Fenced *fenced, const float *values);

/** fenced_read: (transfer full): the values. Fails the test where the fence was written to. */
float *fenced_read(PixDevice *device, const Fenced *fenced);

/** open_level: A test's setup: *state, a level as of level_open(), becomes its device. */
int open_level(void **state);
int close_device(void **state);

#endif
