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

/** StepMove: how a network moves. */
typedef struct {
    guint parts; /* of the step, over which gradients are averaged */
    double learning_rate;
    PixFigures *figures; /* nothing moves where one is not finite */
    guint squares;       /* which of them becomes that of the gradients, where they are clipped */
} StepMove;

/** step_move: Moves the weights of @network. Gradients are clipped as @settings say. */
void step_move(PixNetwork *network, const Settings *settings, const StepMove *move);

/**
 * step_check_move:
 * @squares: the figure of that name. Errors: where it is not finite, %STEP_ERROR_NOT_FINITE, naming
 * the tensor; nothing has moved then.
 */
gboolean step_check_move(PixNetwork *network, double squares, GError **error);

/**
 * step_describe_weights:
 * Returns: (transfer full): what is wrong with the weights, to explain a loss that is not finite:
 * "model.0.weight of D holds NaN", or which one has the largest value.
 */
char *step_describe_weights(const Step *step);

#endif
