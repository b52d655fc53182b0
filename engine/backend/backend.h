/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The table that a processor fills to run networks: memory and time as named members, one row for
 * each op. Nothing above knows which processor runs; a new op is an enum value, a row and a kernel.
 *
 * A backend works in one of two ways. IMMEDIATE: work is done when a function returns, and `record`
 * to `wait` are NULL. QUEUED: it is done in the order in which it was asked for, and before anything
 * is read back. Work asked for between `record` and `finish` is not done but kept, to be submitted
 * again and again; what the calls point to is read at each submission.
 *
 * Work that is queued and cannot be done spoils the buffers that it would have written, and so does
 * work that needs those. Why is told to whoever reads or settles such a buffer, or submits a recording
 * with it, until a write or a fill has put something else in the place of all that is spoiled. Others
 * who use the device are told nothing, unless it is lost.
 */
#ifndef PIX_BACKEND_H
#define PIX_BACKEND_H

#include <pix2pix/pix.h>
#include <stdbool.h>
#include <stdint.h>

#include "op.h"
#include "rng.h"
#include "tensor.h"

typedef struct PixBackend PixBackend;
typedef struct PixCommands PixCommands; /* a recording; only its backend looks inside */

/** PixDevice: first member of every backend's own device. Counted. */
struct PixDevice {
    const PixBackend *backend;
    gint references; /* atomic */
    PixDeviceInfo info;
    /* device.c's own */
    bool automatic;   /* `auto` chose it */
    unsigned threads; /* as asked for */
    char *note;       /* info's */
};

/** PixFormat: what a model's maps and weights are kept in; all zero is F32. Vectors always are. */
typedef struct {
    PixDtype maps, weights;
} PixFormat;

/** PixRange: some floats of a buffer, in the order in which the backend keeps them. */
typedef struct {
    PixBuffer *buffer;
    size_t offset, bytes;
} PixRange;

/** PixFrame: what changes from frame to frame. */
typedef struct {
    uint64_t seed;   /* of the dropout masks */
    uint64_t number; /* 0 for frozen masks */
} PixFrame;

/**
 * PixCall: one op on its tensors. Tensors that an op does not have, or that a direction does not
 * need, have no buffer. Those of param that are no WEIGHT lie in one buffer, and so do those of
 * dparam; likewise those of saved.
 */
typedef struct {
    const PixOp *op;
    PixTensor in[PIX_MAX_INPUTS];
    PixTensor param[PIX_SLOT_COUNT];
    PixTensor out;
    PixTensor saved[PIX_MAX_SAVED]; /* training: what forward keeps for backward, pix_op_saved() */
    /*
     * Backward reads what pix_op_keeps_input() and pix_op_keeps_output() say, saved, and dout, which
     * it may destroy. It overwrites each din and dparam or adds to it; those without a buffer are
     * not wanted. The running statistics have no dparam.
     */
    PixTensor dout, din[PIX_MAX_INPUTS], dparam[PIX_SLOT_COUNT];
    bool din_adds[PIX_MAX_INPUTS], dparam_adds;
    PixBuffer *scratch; /* of at least the row's scratch_bytes, shared by all rows of a run */
    bool fixed;         /* parameters stay as they are from run to run */
    const void *choice; /* what the row's choose has decided for this call; NULL: forward does */
    PixRange prepared;  /* with @fixed: what prepare has made for this call */
    const PixFrame *frame;
} PixCall;

/** PixRow: how a backend does one op. Shapes have been checked; a kernel cannot fail. */
typedef struct {
    /**
     * choose: optional; NULL: there is nothing to. Once, before a call is run again and again on the
     * same tensors: how forward will do it.  Returns: (transfer full): call->choice, for g_free().
     */
    void *(*choose)(const PixDevice *device, const PixCall *call);
    void (*forward)(PixDevice *device, const PixCall *call);  /* NULL: the op is not supported */
    void (*backward)(PixDevice *device, const PixCall *call); /* optional; NULL: cannot train */
    size_t (*scratch_bytes)(const PixDevice *device,
                            const PixCall *call); /* optional; NULL: none */
    size_t (*backward_scratch_bytes)(const PixDevice *device,
                                     const PixCall *call); /* optional; NULL: none */
    /**
     * prepare: optional; NULL: nothing. Once, where call->fixed: fills call->prepared, of
     * prepared_bytes, with what is better made of parameters once.
     */
    size_t (*prepared_bytes)(const PixDevice *device, const PixCall *call);
    void (*prepare)(PixDevice *device, const PixCall *call);
    const char *(*algorithm)(const PixDevice *device, const PixCall *call); /* for people */
    /** precision: of a convolution's products; NULL: that of its weights. */
    PixPrecision (*precision)(const PixDevice *device, const PixCall *call);
    /** reason: why that algorithm, for g_free(); NULL: there was no choice. Optional. */
    char *(*reason)(const PixDevice *device, const PixCall *call);
    bool in_place; /* out may be the very memory of in[0], where nothing reads that later */
    bool backward_in_place; /* din[0] may be the very memory of dout, where it does not add */
    bool rectifies;         /* CONV, DECONV: forward knows PixConvOp.rectifies */
} PixRow;

/** PixLossKind: losses of a map x, each the mean over all elements. Gradients are those of it. */
typedef enum {
    PIX_LOSS_L1,      /* |x - target|; torch.nn.L1Loss; the gradient at 0 is 0 */
    PIX_LOSS_SQUARED, /* (x - target)^2; torch.nn.MSELoss */
    PIX_LOSS_BCE,     /* torch.nn.BCEWithLogitsLoss; x are logits, target in [0, 1] */
    PIX_LOSS_HINGE,   /* max(0, 1 - target * x), target 1 or -1 */
    PIX_LOSS_LINEAR,  /* target * x */
} PixLossKind;

/**
 * PIX_FIGURE_BYTES: of a figure, a number that the device has found and that kernels can use before
 * anybody reads it. It lies in a buffer at a multiple of this, as the backend likes it; as floats
 * that are zero it is zero.
 */
#define PIX_FIGURE_BYTES 16

/** PixLossCall: one loss: its value, and its gradient times @weight. */
typedef struct {
    PixLossKind kind;
    PixTensor x;
    PixTensor target; /* of x's shape; without a buffer every element's is @label */
    float label;
    float weight;
    PixTensor dx; /* of x's shape; without a buffer only the value is wanted */
    bool dx_adds;
    PixRange value; /* a figure: without weight */
} PixLossCall;

/**
 * PixAdamCall: one step of Adam on every value of @weights; all ranges have one length.
 * m = beta1 m + share1 g and v = beta2 v + share2 g^2 with g = @scale times the gradient, where
 * share = 1 - beta, which a float of 0.999 no longer says to seven digits;
 * weights -= rate * m / (sqrt(v) * root + epsilon), where rate = learning rate / (1 - beta1^t) and
 * root = 1 / sqrt(1 - beta2^t) at step t. Values whose gradient has always been 0 do not change.
 * Nothing changes where one of @figures is not finite. Where @longest is not 0, figure @squares of
 * them is the sum of the squares of @gradients, and a scale that makes them longer than @longest is
 * lowered to what makes them as long.
 * Source: Kingma and Ba 2015, algorithm 1; torch.optim.Adam without weight decay and amsgrad.
 */
typedef struct {
    PixRange weights, gradients, m, v;
    PixRange figures; /* may have no buffer */
    size_t squares;
    double scale, longest;
    float beta1, share1, beta2, share2, rate, root, epsilon;
} PixAdamCall;

/** PixWork: what has been asked of a device; bytes of maps and parameters, as its kernels see them. */
typedef struct {
    guint64 dispatches, read_bytes, written_bytes;
    guint64 submissions, waits; /* of what was not recorded */
} PixWork;

struct PixBackend {
    const char *name;

    /**
     * open: @name: what followed "backend:" in the device's name, or NULL for the best.
     * @real: not if it is a processor that plays another. (transfer full)
     */
    PixDevice *(*open)(const char *name, bool real, unsigned threads, GError **error);
    void (*close)(PixDevice *device);
    /** list: Adds what follows "backend:" for each device, g_malloc()ed, the best first. NULL: there
     * is one, unnamed. */
    void (*list)(GPtrArray *names, bool real);
    /**
     * identity: Names all that the device's results depend on: itself, its driver, the kernels; for
     * g_free(). NULL: it is what the others are compared with.
     */
    char *(*identity)(const PixDevice *device);

    /**
     * format: How a model in @precision, which is not AUTO, lies in memory. Returns: whether it can;
     * the way back need not. NULL: it can FP32 alone.
     */
    bool (*format)(const PixDevice *device, PixPrecision precision, PixFormat *format);
    /** mixes: Whether convolutions go by PixConvOp.precision: FP32, BF16, INT8. */
    bool mixes;

    /**
     * tune: Before a model in @precision, which it can, is made: chooses between kernels of the same
     * results by their time. Optional.
     */
    void (*tune)(PixDevice *device, PixPrecision precision);

    /** Memory. Bytes that a tensor takes; buffers are aligned for any tensor at offset 0. */
    size_t alignment; /* of tensors within a buffer, in bytes */
    size_t (*activation_bytes)(const PixDevice *device, PixShape shape, PixDtype dtype);
    size_t (*weight_bytes)(const PixDevice *device, const PixOp *op, const int dims[4],
                           PixDtype dtype);
    PixBuffer *(*buffer_new)(PixDevice *device, size_t bytes, GError **error);
    void (*buffer_free)(PixDevice *device, PixBuffer *buffer); /* accepts NULL */

    /** Activations and single-dimension parameters, to and from float32 NCHW. */
    bool (*write)(PixDevice *device, const PixTensor *tensor, const float *values, GError **error);
    bool (*read)(PixDevice *device, const PixTensor *tensor, float *values, GError **error);

    /** Weights of @op, to and from PyTorch's order of @dims. */
    bool (*write_weight)(PixDevice *device, const PixTensor *tensor, const PixOp *op,
                         const int dims[4], const float *values, GError **error);
    bool (*read_weight)(PixDevice *device, const PixTensor *tensor, const PixOp *op,
                        const int dims[4], float *values, GError **error);

    /**
     * Pixels. write_image fills sample 0 of @tensor: @video, scaled to @content, its border
     * replicated outside. read_image takes @content out again. While recording they ask for that at
     * each submission: write_image reads the picture when it is submitted, read_image writes it when
     * it is waited for, and @video is what they find there then; only its data and strides may have
     * changed.
     * Errors: BAD_CHECKPOINT where a value to be read is NaN; NO_MEMORY.
     */
    bool (*write_image)(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                        PixRect content, GError **error);
    bool (*read_image)(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                       PixRect content, GError **error);
    /** takes: Whether the two above do pictures as @video, of which data does not matter. */
    bool (*takes)(const PixDevice *device, const PixVideo *video, PixRect content);

    /** Learning. Optional all together; NULL: cannot train. */
    void (*copy)(PixDevice *device, const PixTensor *from, const PixTensor *to); /* of one shape */
    void (*fill)(PixDevice *device, PixRange range, float value);
    void (*sum_squares)(PixDevice *device, PixRange range, PixRange figure);
    void (*approach)(PixDevice *device, PixRange to, PixRange from,
                     float share); /* to += share * (from - to) */
    void (*adam)(PixDevice *device, const PixAdamCall *call);
    void (*loss)(PixDevice *device, const PixLossCall *call);
    /**
     * mix: to = share * to + (1 - share) * from, of one shape. The share of sample i is word i of
     * @key over 2^32.
     */
    void (*mix)(PixDevice *device, const PixTensor *to, const PixTensor *from,
                const PixMaskKey *key);
    /**
     * penalty: @value: a figure: the mean over samples of (|g| - 1)^2.  @g: all channels of its
     * memory; becomes the gradient of that times @weight.
     */
    void (*penalty)(PixDevice *device, const PixTensor *g, double weight, PixRange value);
    /** read_figures: @values: one for each of @figures. Sums have been made in a fixed order. */
    bool (*read_figures)(PixDevice *device, PixRange figures, double *values, GError **error);

    /**
     * settle: Returns when all is done that was asked for. NULL: it always is. @buffer: (nullable):
     * whose contents matter. Errors: DEVICE_LOST, and what spoiled @buffer.
     */
    bool (*settle)(PixDevice *device, const PixBuffer *buffer, GError **error);

    /** Time. All optional, see above. One thread records; wait returns when the work is done. */
    bool (*record)(PixDevice *device, GError **error);
    PixCommands *(*finish)(PixDevice *device, GError **error);
    bool (*submit)(PixDevice *device, PixCommands *commands, GError **error);
    bool (*wait)(PixDevice *device, PixCommands *commands, GError **error);
    void (*commands_free)(PixDevice *device, PixCommands *commands);
    size_t (*commands_bytes)(const PixCommands *commands); /* memory of its pictures */
    bool (*is_lost)(const PixDevice *device);              /* optional; NULL: never */

    /**
     * Figures, all optional. work: all that was ever asked of the device. mark: into what is being
     * recorded: the moment when all before it is done. read_marks: milliseconds between each two of
     * the first @n + 1 marks, of a submission that was waited for; false where there are none.
     */
    PixWork (*work)(PixDevice *device);
    void (*mark)(PixDevice *device);
    bool (*read_marks)(PixDevice *device, PixCommands *commands, double *ms, guint n);
    /** measure: See pix_device_measure(). Optional. */
    bool (*measure)(PixDevice *device, PixPeak *peak, GError **error);

    PixRow rows[PIX_OP_COUNT];
};

/**
 * pix_backend_supports:
 * Whether @device can run @op forward (and, with @training, backward).
 */
bool pix_backend_supports(const PixDevice *device, PixOpKind op, bool training);

/**
 * pix_backend_format:
 * How a model in a precision lies on @device, which has to pass the check in it when it is first used
 * so. @precision: (inout): AUTO becomes what it stands for.  @format: (out).
 * Errors: UNSUPPORTED, naming what @device can do; those of pix_self_check().
 */
bool pix_backend_format(PixDevice *device, PixPrecision *precision, PixFormat *format,
                        GError **error);

/** pix_backend_forward: Calls the row of call->op, after checking the call. */
void pix_backend_forward(PixDevice *device, const PixCall *call);

/** pix_backend_backward: The same for the other direction. */
void pix_backend_backward(PixDevice *device, const PixCall *call);

/** pix_backend_choose: Returns: (transfer full) (nullable): what the row chooses for this call. */
void *pix_backend_choose(const PixDevice *device, const PixCall *call);

/** pix_backend_prepared: Bytes that the row wants to prepare for this call. */
size_t pix_backend_prepared(const PixDevice *device, const PixCall *call);

/** pix_backend_prepare: Fills call->prepared. */
void pix_backend_prepare(PixDevice *device, const PixCall *call);

/** pix_backend_scratch: Bytes of scratch that the row wants for this call, forward or @backward. */
size_t pix_backend_scratch(const PixDevice *device, const PixCall *call, bool backward);

/** The tables that exist; Vulkan's only where it was built. */
extern const PixBackend pix_backend_cpu;
extern const PixBackend pix_backend_vulkan;

#endif
