/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Memory on a device that lies between other memory, and tensors there that lie between other
 * channels. All around them every other number is NaN, so that a kernel that reads it is seen, and a
 * kernel must leave it alone.
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
/** fenced_new_map: The same of values of @dtype. */
Fenced fenced_new_map(PixDevice *device, PixShape shape, int beside, PixDtype dtype);
/** fenced_new_weight: Weights of @op. Are written and read by the backend alone. */
Fenced fenced_new_weight(PixDevice *device, const PixOp *op, const int dims[4], PixDtype dtype);
/**
 * fenced_new_row: As many parameters in one buffer, each between its own neighbours.
 * @row: (out): @n of them; those of shapes with n = 0 are zeros. Are cleared together.
 */
void fenced_new_row(PixDevice *device, const PixShape *shapes, size_t n, Fenced *row);
/** fenced_new_scratch: Floats from the start of a buffer on: nothing comes before them. */
Fenced fenced_new_scratch(PixDevice *device, size_t bytes);
void fenced_clear(PixDevice *device, Fenced *fenced); /* accepts one of zeros */

void fenced_write(PixDevice *device, const Fenced *fenced, const float *values);

/** fenced_read: (transfer full): the values. Fails the test where the fence was written to. */
float *fenced_read(PixDevice *device, const Fenced *fenced);

/** fenced_end: Clears it. Fails the test where the fence was written to. */
void fenced_end(PixDevice *device, Fenced *fenced);

/** open_level: A test's setup: *state, a level as of level_open(), becomes its device. */
int open_level(void **state);
int close_device(void **state);

#endif
