/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * One step of training, whatever it trains: a table of functions, as a backend is one of kernels.
 * The loop around it knows networks by their number and losses by their names only.
 */
#ifndef STEP_H
#define STEP_H

#include "batch.h"
#include "settings.h"

#include <pix2pix/pix-train.h>

#define STEP_MAX_NETWORKS 8
#define STEP_MAX_LOSSES 16
#define STEP_MAX_PASSES 16

/** StepNetwork: one that is trained and saved. */
typedef struct {
    const char *name;   /* in a state: "G" */
    const char *suffix; /* of its file: "" makes latest.safetensors, "-discriminator" the other */
    PixNetwork *network;
} StepNetwork;

/** StepTurn: which step it is, and with what it moves the weights. */
typedef struct {
    guint64 number;    /* of the step, from 1 */
    guint part, parts; /* a step of several batches: which one, from 0; the last one moves them */
    double learning_rate, learning_rate_d;
} StepTurn;

/** StepPass: a pass through one of its networks. */
typedef struct {
    const char *name; /* of the network */
    PixPass *pass;
} StepPass;

typedef struct Step Step;

typedef struct {
    const char *name; /* "pix2pix" */
    /**
     * @settings: (inout): where a network comes from a file, what it is.  @files: (nullable
     * elements): those, in the order of the step's networks; others are drawn by chance.
     * Errors: %G_OPTION_ERROR where an option contradicts a file.
     */
    Step *(*make)(PixDevice *device, Settings *settings, const char *const *files, GError **error);
    /** Prepares for batches of this size. Errors: %PIX_ERROR_BAD_SHAPE, %PIX_ERROR_NO_MEMORY. */
    gboolean (*reserve)(Step *step, int n, int width, int height, GError **error);
    /** Memory of what reserve() prepared. */
    guint64 (*get_bytes)(const Step *step);
    /**
     * @losses: (out): unweighted, in the order of their names; of a step of several batches, their
     * sum is meant: a part may leave its own to the last one.  Errors: %STEP_ERROR_NOT_FINITE;
     * the loss in question has moved nothing then.
     */
    gboolean (*run)(Step *step, const Batch *batch, const StepTurn *turn, double *losses,
                    GError **error);
    /** For benchmarks: what reserve() has made. @passes: (out).  Returns: how many. */
    int (*get_passes)(Step *step, StepPass passes[STEP_MAX_PASSES]);
    void (*free)(Step *step);
} StepKind;

/** Step: what every kind of step begins with. */
struct Step {
    const StepKind *kind;
    StepNetwork networks[STEP_MAX_NETWORKS]; /* the first is the generator from input to target */
    int n_networks;
    const char *losses[STEP_MAX_LOSSES];
    int n_losses;
};

extern const StepKind step_pix2pix;

typedef enum {
    STEP_ERROR_NOT_FINITE,
} StepError;
#define STEP_ERROR (step_error_quark())
GQuark step_error_quark(void);

/** step_check_loss: Whether @value is finite; the error names the loss. */
gboolean step_check_loss(const char *name, double value, GError **error);

#endif
