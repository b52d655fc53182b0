/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The table that a processor fills to run networks: memory and time as named members, one row for
 * each op. Nothing above knows which processor runs; a new op is an enum value, a row and a kernel.
 *
 * A backend works in one of two ways. IMMEDIATE: a row does its work when it is called, and
 * `begin` to `wait` are NULL. RECORDED: a row called between `begin` and `submit` only records;
 * the recording is submitted once for each frame, so that a row runs once for each session.
 */
#ifndef PIX_BACKEND_H
#define PIX_BACKEND_H

#include <pix2pix/pix.h>
#include <stdbool.h>
#include <stdint.h>

#include "op.h"
#include "tensor.h"

typedef struct PixBackend PixBackend;
typedef struct PixCommands PixCommands; /* a recording; only its backend looks inside */

/** PixDevice: first member of every backend's own device. Counted. */
struct PixDevice {
    const PixBackend *backend;
    gatomicrefcount references;
    PixDeviceInfo info;
};

/** PixFrame: what changes from frame to frame. A RECORDED backend keeps it in a small buffer. */
typedef struct {
    uint64_t seed;   /* of the dropout masks */
    uint64_t number; /* 0 for frozen masks */
} PixFrame;

/**
 * PixCall: one op on its tensors. Tensors that an op does not have, or that a direction does not
 * need, have no buffer.
 */
typedef struct {
    const PixOp *op;
    PixTensor in[PIX_MAX_INPUTS];
    PixTensor param[PIX_SLOT_COUNT];
    PixTensor out;
    PixTensor saved[2]; /* training: what forward keeps for backward (NORM: mean and rstd) */
    /* Backward reads dout, overwrites din and adds to dparam. */
    PixTensor dout, din[PIX_MAX_INPUTS], dparam[PIX_SLOT_COUNT];
    PixBuffer *scratch; /* of at least the row's scratch_bytes, shared by all rows of a run */
    const PixFrame *frame;
    PixCommands *commands; /* NULL for an IMMEDIATE backend */
} PixCall;

/** PixRow: how a backend does one op. Shapes have been checked; a kernel cannot fail. */
typedef struct {
    void (*forward)(PixDevice *device, const PixCall *call);  /* NULL: the op is not supported */
    void (*backward)(PixDevice *device, const PixCall *call); /* optional; NULL: cannot train */
    size_t (*scratch_bytes)(const PixDevice *device,
                            const PixCall *call); /* optional; NULL: none */
    const char *(*algorithm)(const PixDevice *device, const PixCall *call); /* for people */
    bool in_place; /* inference: out may be the very memory of in[0] */
} PixRow;

struct PixBackend {
    const char *name;

    /** open: @name: what followed "backend:" in the device's name, or NULL. (transfer full) */
    PixDevice *(*open)(const char *name, unsigned threads, GError **error);
    void (*close)(PixDevice *device);

    /** Memory. Bytes that a tensor takes; buffers are aligned for any tensor at offset 0. */
    size_t alignment; /* of tensors within a buffer, in bytes */
    size_t (*activation_bytes)(const PixDevice *device, PixShape shape);
    size_t (*weight_bytes)(const PixDevice *device, const PixOp *op, const int dims[4]);
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
     * Pixels. write_image fills sample 0 of @tensor: @image at @content, its border replicated
     * outside. read_image takes @content out again.
     * Errors: BAD_CHECKPOINT where a value to be read is NaN.
     */
    bool (*write_image)(PixDevice *device, const PixTensor *tensor, const PixImage *image,
                        PixRect content, GError **error);
    bool (*read_image)(PixDevice *device, const PixTensor *tensor, PixImage *image, PixRect content,
                       GError **error);

    /** Time. All optional, see above. wait returns when the recording's work is done. */
    PixCommands *(*begin)(PixDevice *device, GError **error);
    bool (*submit)(PixDevice *device, PixCommands *commands, const PixFrame *frame, GError **error);
    bool (*wait)(PixDevice *device, PixCommands *commands, GError **error);
    void (*commands_free)(PixDevice *device, PixCommands *commands);
    bool (*is_lost)(const PixDevice *device); /* optional; NULL: never */

    PixRow rows[PIX_OP_COUNT];
};

/**
 * pix_backend_supports:
 * Whether @device can run @op forward (and, with @training, backward).
 */
bool pix_backend_supports(const PixDevice *device, PixOpKind op, bool training);

/** pix_backend_forward: Calls the row of call->op, after checking the call. */
void pix_backend_forward(PixDevice *device, const PixCall *call);

/** pix_backend_scratch: Bytes of scratch that the row wants for this call. */
size_t pix_backend_scratch(const PixDevice *device, const PixCall *call);

/** The tables that exist. */
extern const PixBackend pix_backend_cpu;

#endif
