/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Training with the engine of pix.h: networks whose weights can change, passes forward and backward
 * through them, losses, Adam, and files that keep all of it.
 *
 *   PixNetwork  weights, their gradients and Adam's moments, on one device
 *   PixPass     one network at one batch size, with the memory to go forward and back
 *   PixMap      a batch of maps on the device: inputs, outputs and their gradients
 *
 * A step of a GAN is a few lines of these; see train/step-pix2pix.c of the source. On the CPU every
 * result is the same bits whatever the number of threads. The library never prints or exits.
 */
#ifndef PIX2PIX_PIX_TRAIN_H
#define PIX2PIX_PIX_TRAIN_H

#include <pix2pix/pix.h>

G_BEGIN_DECLS

/* ---- maps ---- */

/**
 * PixMap: a batch of maps in a device's memory: float32, (n,c,h,w). Thread-safety: one thread at a
 * time.
 */
typedef struct PixMap PixMap;

/** pix_map_new: Errors: %PIX_ERROR_BAD_SHAPE, %PIX_ERROR_NO_MEMORY. */
PIX_API PixMap *pix_map_new(PixDevice *device, const int dims[4], GError **error);
PIX_API void pix_map_free(PixMap *map); /* accepts NULL; not for maps that belong to a pass */
/** pix_map_get_dims: @dims: (out): n, c, h, w. */
PIX_API void pix_map_get_dims(const PixMap *map, int dims[4]);
/** pix_map_write, pix_map_read: All values, row-major, NCHW. Errors: %PIX_ERROR_DEVICE_LOST. */
PIX_API gboolean pix_map_write(PixMap *map, const float *values, GError **error);
PIX_API gboolean pix_map_read(const PixMap *map, float *values, GError **error);
/**
 * pix_map_copy:
 * Copies @channels channels, from @from_first on, to those from @to_first on. Both maps have the same
 * n, h and w and are on one device.
 */
PIX_API void pix_map_copy(const PixMap *from, int from_first, PixMap *to, int to_first,
                          int channels);

/* ---- networks ---- */

/**
 * PixNetwork: a generator or discriminator that can be trained. Thread-safety: one thread at a time.
 */
typedef struct PixNetwork PixNetwork;

typedef struct {
    const char *architecture;      /* "unet_256" (any power of two), "encoder_decoder_256" (without
                                 skips), "resnet_9blocks" (any number), "patchgan_3" (1 to 16
                                 layers), "pixelgan" */
    const char *norm;              /* "batch", "instance", "none" */
    int in_channels, out_channels; /* a discriminator has one channel out */
    int filters;                   /* of the first layer: ngf or ndf */
    gboolean dropout;              /* the generator's layers of it, where it is deep enough */
} PixNetworkOptions;

/**
 * pix_network_new:
 * A network as published, its weights not set yet: pix_network_init() or pix_state_load() does that.
 * Memory is reserved, not yet touched. Errors: %PIX_ERROR_UNSUPPORTED, %PIX_ERROR_NO_MEMORY.
 */
PIX_API PixNetwork *pix_network_new(PixDevice *device, const PixNetworkOptions *options,
                                    GError **error);
/** pix_network_open: The network of @checkpoint, with its weights. Errors: as pix_model_new(). */
PIX_API PixNetwork *pix_network_open(PixDevice *device, PixCheckpoint *checkpoint, GError **error);
PIX_API void pix_network_free(PixNetwork *network); /* accepts NULL */

/**
 * pix_network_set_dropout:
 * A generator with or without its dropout layers, which have no weights; it is saved as one, too.
 * Before its first pass and the first session of its model.
 */
PIX_API void pix_network_set_dropout(PixNetwork *network, gboolean dropout);

/** pix_network_get_info: Strings belong to the network. */
PIX_API const PixModelInfo *pix_network_get_info(const PixNetwork *network);
/** pix_network_get_options: What pix_network_new() would be given for one like it. */
PIX_API const PixNetworkOptions *pix_network_get_options(const PixNetwork *network);

/**
 * pix_network_get_model:
 * Returns: (transfer none): the network as a model, with the weights that it has at any moment;
 * sessions of it may run between two steps.
 */
PIX_API PixModel *pix_network_get_model(PixNetwork *network);

/** PixInit: how kernels are drawn; as init_weights() of junyanz/pytorch-CycleGAN-and-pix2pix. */
typedef enum {
    PIX_INIT_NORMAL,     /* N(0, gain) */
    PIX_INIT_XAVIER,     /* torch.nn.init.xavier_normal_ with @gain */
    PIX_INIT_KAIMING,    /* torch.nn.init.kaiming_normal_ (a = 0, fan_in); @gain is not used */
    PIX_INIT_ORTHOGONAL, /* torch.nn.init.orthogonal_ with @gain */
} PixInit;

/**
 * pix_network_init:
 * Kernels by @init; biases 0; gamma from N(1, gain), beta 0; running mean 0 and variance 1. A pure
 * function of the arguments. @gain: 0.02 as published.
 */
PIX_API gboolean pix_network_init(PixNetwork *network, PixInit init, double gain, guint64 seed,
                                  GError **error);

/** pix_network_get_bytes: Memory of weights, gradients, moments and moving average. */
PIX_API guint64 pix_network_get_bytes(const PixNetwork *network);

/**
 * pix_network_save:
 * Writes the weights as a native checkpoint, as pix_checkpoint_save() does. @width, @height: of the
 * frames that it was trained on.  @statistics: what AUTO shall mean for it, FRAME or RUNNING.
 * @average: the moving average of the weights instead, where there is one.
 * Errors: %PIX_ERROR_IO; %PIX_ERROR_BAD_CHECKPOINT where a weight is not finite, naming it.
 */
PIX_API gboolean pix_network_save(PixNetwork *network, const char *file, int width, int height,
                                  PixStatistics statistics, gboolean average, GError **error);

/* ---- figures ---- */

/**
 * PixFigures: numbers that a device finds: losses, lengths of gradients. A device may do later what
 * it is asked for, so a step asks for everything first, and then reads them all at once.
 * Thread-safety: one thread at a time.
 */
typedef struct PixFigures PixFigures;
/** pix_figures_new: @count of them, all 0. Errors: %PIX_ERROR_NO_MEMORY. */
PIX_API PixFigures *pix_figures_new(PixDevice *device, guint count, GError **error);
/** pix_figures_free: Drops what is still to be found. Accepts NULL. */
PIX_API void pix_figures_free(PixFigures *figures);
/** pix_figures_clear: Makes all of them 0. */
PIX_API void pix_figures_clear(PixFigures *figures);
/**
 * pix_figures_read:
 * Returns when all is done that the device was asked for. @values: (out): one for each.
 * Errors: %PIX_ERROR_DEVICE_LOST and what else went wrong on the way.
 */
PIX_API gboolean pix_figures_read(PixFigures *figures, double *values, GError **error);

/**
 * pix_device_get_work:
 * @submissions, @waits: (out): how often training has handed work to @device so far, and has waited
 * for it; 0 for one that does at once what it is asked for.
 */
PIX_API void pix_device_get_work(PixDevice *device, guint64 *submissions, guint64 *waits);

/* ---- gradients and the optimiser ---- */

/** pix_network_clear_gradients: The next backward pass overwrites them instead of adding. */
PIX_API void pix_network_clear_gradients(PixNetwork *network);

/**
 * pix_network_get_gradient_norm:
 * The Euclidean norm of all gradients. Errors: %PIX_ERROR_BAD_CHECKPOINT where it is not finite,
 * naming the tensor and the layer.
 */
PIX_API gboolean pix_network_get_gradient_norm(PixNetwork *network, double *norm, GError **error);
/** pix_network_sum_squares: Puts the square of that norm into @figures, without waiting. */
PIX_API void pix_network_sum_squares(PixNetwork *network, PixFigures *figures, guint index);

/** PixAdam: torch.optim.Adam without weight decay (Kingma and Ba 2015). */
typedef struct {
    double learning_rate;  /* 2e-4 as published */
    double beta1, beta2;   /* 0.5, 0.999 as published */
    double epsilon;        /* 1e-8 */
    double gradient_scale; /* gradients are multiplied by this first; 1, or less to clip or to
                              average over several batches */
    PixFigures *figures;   /* (nullable): unless all of them are finite nothing moves */
    double longest;        /* not 0: the scale is lowered where gradients would be longer; their sum
                              of squares is among figures, */
    guint squares;         /* which of them */
} PixAdam;

/** pix_network_adam: One step with the gradients as they are. */
PIX_API void pix_network_adam(PixNetwork *network, const PixAdam *adam);
/** pix_network_get_steps: How many steps it has had, resumed ones included. */
PIX_API guint64 pix_network_get_steps(const PixNetwork *network);

/**
 * pix_network_average:
 * Moves an exponential moving average of the weights: average += (1 - decay) (weights - average);
 * the first call makes it, equal to the weights. @decay: [0, 1). Errors: %PIX_ERROR_NO_MEMORY.
 */
PIX_API gboolean pix_network_average(PixNetwork *network, double decay, GError **error);

/**
 * Reading and writing one tensor at a time, for comparing with other software. @index: below the
 * number of tensors.
 */
typedef enum {
    PIX_VALUES_WEIGHTS,
    PIX_VALUES_GRADIENTS, /* zeros for running statistics */
} PixValues;

PIX_API guint pix_network_get_n_tensors(const PixNetwork *network);
/** pix_network_get_tensor: @rank, @dims: (out).  Returns: (transfer none): its name. */
PIX_API const char *pix_network_get_tensor(const PixNetwork *network, guint index, int *rank,
                                           int dims[4]);
PIX_API gboolean pix_network_read(PixNetwork *network, PixValues what, guint index, float *values,
                                  GError **error);

/* ---- passes ---- */

/** PixPass: Thread-safety: one thread at a time. */
typedef struct PixPass PixPass;

typedef enum {
    PIX_PASS_DROPOUT = 1 << 0,        /* dropout layers drop */
    PIX_PASS_INPUT_GRADIENT = 1 << 1, /* there is an input gradient to ask for */
} PixPassFlags;

/**
 * pix_pass_new:
 * @network: outlives the pass.  @n, @height, @width: of the input. Norms use the batch's statistics
 * and move the running ones by 0.1, as torch.nn.BatchNorm2d in training mode. Memory is reserved,
 * not yet touched. Errors: %PIX_ERROR_BAD_SHAPE, %PIX_ERROR_NO_MEMORY, and %PIX_ERROR_UNSUPPORTED
 * where the device cannot train.
 */
PIX_API PixPass *pix_pass_new(PixNetwork *network, int n, int height, int width, PixPassFlags flags,
                              GError **error);
PIX_API void pix_pass_free(PixPass *pass); /* accepts NULL */
PIX_API guint64 pix_pass_get_bytes(const PixPass *pass);

/** The maps of a pass; they belong to it. The input gradient is NULL without its flag. */
PIX_API PixMap *pix_pass_get_input(PixPass *pass);
PIX_API PixMap *pix_pass_get_output(PixPass *pass);
PIX_API PixMap *pix_pass_get_input_gradient(PixPass *pass);
PIX_API PixMap *pix_pass_get_output_gradient(PixPass *pass);

/**
 * pix_pass_forward:
 * Computes the output from the input. @seed, @number: of the dropout masks: another number is
 * another mask.
 */
PIX_API gboolean pix_pass_forward(PixPass *pass, guint64 seed, guint64 number, GError **error);

typedef enum {
    PIX_BACKWARD_PARAMETERS = 1 << 0, /* add to (or, after clearing, set) the network's gradients */
    PIX_BACKWARD_INPUT = 1 << 1,      /* set the input gradient */
} PixBackwardFlags;

/**
 * pix_pass_backward:
 * Goes back from the output gradient, which the caller has set and which is destroyed. Once for each
 * forward pass.
 */
PIX_API gboolean pix_pass_backward(PixPass *pass, PixBackwardFlags what, GError **error);

/**
 * pix_pass_get_layers:
 * Where the time went: sums over all forward or @backward passes since pix_pass_clear_layers(), of
 * operations and bytes too. Belong to the pass. A device that queues work tells the time of asking,
 * unless pix_pass_time_layers() was called.
 */
PIX_API const PixLayerTime *pix_pass_get_layers(PixPass *pass, gboolean backward, guint *n_layers);
PIX_API void pix_pass_clear_layers(PixPass *pass);
/** pix_pass_time_layers: With @each, waits for each layer, so that it has a time of its own. */
PIX_API void pix_pass_time_layers(PixPass *pass, gboolean each);

/* ---- losses: value and gradient together ---- */

/** PixGanMode: what a discriminator's logits are judged by. */
typedef enum {
    PIX_GAN_VANILLA, /* cross entropy with logits (Goodfellow et al. 2014, non-saturating) */
    PIX_GAN_LSGAN,   /* squared distance to 1 and 0 (Mao et al. 2017) */
    PIX_GAN_HINGE,   /* (Lim and Ye 2017) */
    PIX_GAN_WGANGP,  /* means (Gulrajani et al. 2017); see pix_gradient_penalty() */
} PixGanMode;

typedef enum {
    PIX_GAN_FAKE,      /* D on an image that it shall reject */
    PIX_GAN_REAL,      /* D on an image that it shall accept */
    PIX_GAN_GENERATOR, /* G, whose image D shall accept */
} PixGanSide;

/**
 * pix_loss_gan:
 * @logits: any shape.  @weight: of the gradient; the value is without it.  @gradient: (nullable): of
 * the same shape, overwritten or, with @add, added to.  Figure @index becomes the mean over all
 * elements.
 */
PIX_API void pix_loss_gan(PixGanMode mode, PixGanSide side, const PixMap *logits, double weight,
                          PixMap *gradient, gboolean add, PixFigures *figures, guint index);
/** pix_loss_l1, pix_loss_l2: Means of |x - target| and (x - target)^2; arguments as above. */
PIX_API void pix_loss_l1(const PixMap *x, const PixMap *target, double weight, PixMap *gradient,
                         gboolean add, PixFigures *figures, guint index);
PIX_API void pix_loss_l2(const PixMap *x, const PixMap *target, double weight, PixMap *gradient,
                         gboolean add, PixFigures *figures, guint index);

/**
 * PixPenalty: the gradient penalty of WGAN-GP on one discriminator, with the memory for a derivative
 * of a derivative: mean over samples of (|dD(x)/dx| - 1)^2 at a random x between @real and @fake,
 * where D(x) is the sum of the map of logits.
 * Source: Gulrajani et al. 2017, section 4; cal_gradient_penalty() of
 * junyanz/pytorch-CycleGAN-and-pix2pix, type "mixed", constant 1.
 */
typedef struct PixPenalty PixPenalty;
PIX_API PixPenalty *pix_penalty_new(PixNetwork *discriminator, int n, int height, int width,
                                    GError **error);
PIX_API void pix_penalty_free(PixPenalty *penalty); /* accepts NULL */
PIX_API guint64 pix_penalty_get_bytes(const PixPenalty *penalty);
/**
 * pix_penalty_backward:
 * Adds the gradient of @weight times the penalty to the discriminator's. @seed, @number: of the
 * points between the two.  Figure @index becomes the penalty, without @weight.
 */
PIX_API gboolean pix_penalty_backward(PixPenalty *penalty, const PixMap *real, const PixMap *fake,
                                      double weight, guint64 seed, guint64 number,
                                      PixFigures *figures, guint index, GError **error);

/* ---- the whole state in a file ---- */

/** PixStateNetwork: a network and what its tensors are called in the file: "G", "D", "G_A". */
typedef struct {
    const char *name;
    PixNetwork *network;
} PixStateNetwork;

/**
 * pix_state_save:
 * Writes weights, moments, moving averages and numbers of steps of all @networks, and @metadata
 * (string to string), as one safetensors file with a checksum over everything, in place of @file as
 * a whole: written beside it, flushed, read back, renamed. Errors: %PIX_ERROR_IO, with the bytes
 * that are needed; %PIX_ERROR_BAD_CHECKPOINT where a weight is not finite: @file stays as it was.
 */
PIX_API gboolean pix_state_save(const char *file, const PixStateNetwork *networks, guint n_networks,
                                GHashTable *metadata, GError **error);
/**
 * pix_state_open:
 * Returns: (transfer full): the metadata of a whole file. Errors: %PIX_ERROR_NOT_FOUND,
 * %PIX_ERROR_IO, %PIX_ERROR_BAD_CHECKPOINT for one that is cut short or whose checksum is wrong.
 */
PIX_API GHashTable *pix_state_open(const char *file, GError **error);
/**
 * pix_state_load:
 * Puts the tensors of @file into @networks. Errors: as pix_state_open(), and
 * %PIX_ERROR_BAD_CHECKPOINT naming the first tensor that is missing or of another shape.
 */
PIX_API gboolean pix_state_load(const char *file, const PixStateNetwork *networks, guint n_networks,
                                GError **error);
/** pix_state_get_bytes: How large the file will be, metadata aside. */
PIX_API guint64 pix_state_get_bytes(const PixStateNetwork *networks, guint n_networks);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixFigures, pix_figures_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixMap, pix_map_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixNetwork, pix_network_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixPass, pix_pass_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixPenalty, pix_penalty_free)

G_END_DECLS

#endif
