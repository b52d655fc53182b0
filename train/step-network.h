/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What steps of all kinds do with one of their networks. */
#ifndef STEP_NETWORK_H
#define STEP_NETWORK_H

#include "step.h"

/** step_norms: The words of the setting norm, for PixNetworkOptions. */
extern const char *const step_norms[];

/** step_get_layers: Of the PatchGAN that @settings ask for. */
int step_get_layers(const Settings *settings);

/**
 * step_network_make:
 * @file: (nullable): a checkpoint to take the network from, whatever @options say; else its weights
 * are drawn from @seed.
 */
PixNetwork *step_network_make(PixDevice *device, const char *file, const PixNetworkOptions *options,
                              const Settings *settings, guint64 seed, GError **error);

/**
 * step_take_generator, step_take_discriminator:
 * Put into @settings what @network is; a generator loses or gets its dropout layers where an option
 * says so. Errors: %G_OPTION_ERROR where an option of the command line
 * says something else; %PIX_ERROR_UNSUPPORTED where it is the other kind of network.
 */
gboolean step_take_generator(Settings *settings, PixNetwork *network, GError **error);
gboolean step_take_discriminator(Settings *settings, PixNetwork *network, GError **error);

/**
 * step_move:
 * Moves the weights of @network with gradients that are averaged over the parts of its step and
 * clipped as @settings say. Errors: where it clips,
 * %STEP_ERROR_NOT_FINITE, naming the tensor; nothing has moved then.
 */
gboolean step_move(PixNetwork *network, const Settings *settings, guint parts, double learning_rate,
                   GError **error);

/**
 * step_describe_weights:
 * Returns: (transfer full): what is wrong with the weights, to explain a loss that is not finite:
 * "model.0.weight of D holds NaN", or which one has the largest value.
 */
char *step_describe_weights(const Step *step);

#endif
