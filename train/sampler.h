/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What a generator makes of the pairs of a data set, at the size that it was trained on. */
#ifndef SAMPLER_H
#define SAMPLER_H

#include "augment.h"
#include "dataset.h"

#include <pix2pix/pix.h>

typedef struct Sampler Sampler;

/**
 * sampler_new:
 * @model: (transfer none): may change between two calls.  @augment: how pictures become the
 * network's input, without chance.  @options: statistics, dropout and seed; sizes are not used.
 */
Sampler *sampler_new(PixModel *model, const AugmentOptions *augment,
                     const PixSessionOptions *options);
void sampler_free(Sampler *sampler); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sampler, sampler_free)

/** sampler_use: Another copy of the model from here on, on another device. */
void sampler_use(Sampler *sampler, PixModel *model);

/** Sample: a pair and what the generator made of it, as 8-bit pictures of the network's size. */
typedef struct {
    Picture *input, *output, *target;
} Sample;

void sample_clear(Sample *sample);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sample, sample_clear)

/**
 * sampler_run:
 * @sample: (out): of pair @index.  Errors, one line: the pair cannot be read; it has a size that
 * neither augmentation nor network can take; %PIX_ERROR_DEVICE_LOST, after which there is no use in
 * going on.
 */
gboolean sampler_run(Sampler *sampler, const Dataset *dataset, guint index, Sample *sample,
                     GError **error);

/** sampler_get_ms: What the network took for the last sample. */
double sampler_get_ms(Sampler *sampler);

#endif
