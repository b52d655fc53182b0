/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "self-check.h"

#include <math.h>

#include "cache-file.h"
#include "error.h"
#include "rng.h"

#define KIND "checked"
/* The largest error for the largest value: half precision has less, a bug more. */
#define MOST_ERROR 0.02f
#define MEMORY_BYTES ((size_t)1 << 20)

#define BY_TWO .kh = 4, .kw = 4, .sh = 2, .sw = 2, .pad = {PIX_PAD_ZERO, 1, 1, 1, 1}

/* Down and up again as a U-Net does, its ops joined as for frames, then one by one as in training;
 * with channels for the wide and for the narrow kernels. */
static const PixShape input = {1, 3, 32, 32};
static const PixOp ops[] = {
    {.kind = PIX_OP_CONV,
     .conv = {.oc = 32,
              BY_TWO,
              .norm = {.kind = PIX_NORM_BATCH, .eps = 1e-5f},
              .activation = {PIX_ACTIVATION_LEAKY_RELU, 0.2f},
              .dropout = {.rate = 0.5f}}},
    {.kind = PIX_OP_NORM, .norm = {.kind = PIX_NORM_INSTANCE, .eps = 1e-5f}},
    {.kind = PIX_OP_ACTIVATION, .activation = {PIX_ACTIVATION_RELU}},
    {.kind = PIX_OP_DROPOUT, .dropout = {.rate = 0.5f, .layer = 1}},
    {.kind = PIX_OP_DECONV, .conv = {.oc = 3, BY_TWO, .activation = {PIX_ACTIVATION_TANH}}},
};

/** A device's copy of the network; all its tensors lie in one buffer. */
typedef struct {
    PixDevice *device;
    PixFormat format;
    PixBuffer *buffer, *scratch;
    size_t used_bytes;
    PixFrame frame;
    PixCall calls[G_N_ELEMENTS(ops)];
} Trial;

/* ---- making ---- */

/* Of [-scale, scale), the same on every device. */
static float *noise(size_t count, float scale, uint64_t seed)
{
    const PixMaskKey key = {.seed = seed};
    float *values = g_new(float, count);
    for (size_t i = 0; i < count; i++)
        values[i] = scale * ((float)pix_rng_word(&key, i) * 0x1p-31f - 1);
    return values;
}

static PixTensor take(Trial *trial, PixShape shape, PixDtype dtype, size_t bytes)
{
    size_t alignment = trial->device->backend->alignment;
    PixTensor tensor = {shape, trial->buffer, trial->used_bytes, 0, shape.c, dtype};
    trial->used_bytes += (bytes + alignment - 1) / alignment * alignment;
    g_assert(trial->used_bytes <= MEMORY_BYTES);
    return tensor;
}

static PixTensor take_map(Trial *trial, PixShape shape, PixDtype dtype)
{
    return take(trial, shape, dtype,
                trial->device->backend->activation_bytes(trial->device, shape, dtype));
}

/* A map, or a vector. */
static bool give_map(Trial *trial, PixTensor *map, PixShape shape, PixDtype dtype, uint64_t seed,
                     GError **error)
{
    g_autofree float *values = noise(pix_shape_count(shape), 1, seed);
    *map = take_map(trial, shape, dtype);
    return trial->device->backend->write(trial->device, map, values, error);
}

static bool give_weight(Trial *trial, PixCall *call, uint64_t seed, GError **error)
{
    const PixConvOp *conv = &call->op->conv;
    const PixBackend *backend = trial->device->backend;
    int c = call->in[0].shape.c;
    const int dims[4] = {call->op->kind == PIX_OP_CONV ? conv->oc : c,
                         call->op->kind == PIX_OP_CONV ? c : conv->oc, conv->kh, conv->kw};
    size_t count = (size_t)dims[0] * dims[1] * dims[2] * dims[3];
    g_autofree float *values = noise(count, sqrtf(3.f / c / (conv->sh * conv->sw)), seed);
    PixTensor *weight = &call->param[PIX_SLOT_WEIGHT];
    PixDtype dtype = trial->format.weights;
    *weight = take(trial, (PixShape){dims[0], dims[1], dims[2], dims[3]}, dtype,
                   backend->weight_bytes(trial->device, call->op, dims, dtype));
    return backend->write_weight(trial->device, weight, call->op, dims, values, error);
}

static bool has_norm(const PixOp *op)
{
    return op->kind == PIX_OP_NORM ||
           (op->kind == PIX_OP_CONV && op->conv.norm.kind != PIX_NORM_NONE);
}

static bool give_vector(Trial *trial, PixCall *call, PixSlot slot, uint64_t seed, GError **error)
{
    const PixShape shape = {1, call->out.shape.c, 1, 1};
    return give_map(trial, &call->param[slot], shape, PIX_DTYPE_F32, seed, error);
}

static bool give_params(Trial *trial, PixCall *call, uint64_t seed, GError **error)
{
    bool sums = call->op->kind == PIX_OP_CONV || call->op->kind == PIX_OP_DECONV;
    return (!sums || (give_weight(trial, call, seed, error) &&
                      give_vector(trial, call, PIX_SLOT_BIAS, seed + 1, error))) &&
           (!has_norm(call->op) || (give_vector(trial, call, PIX_SLOT_GAMMA, seed + 2, error) &&
                                    give_vector(trial, call, PIX_SLOT_BETA, seed + 3, error)));
}

static bool make(Trial *trial, GError **error)
{
    const PixBackend *backend = trial->device->backend;
    size_t scratch_bytes = 0;
    PixTensor x;
    trial->buffer = backend->buffer_new(trial->device, MEMORY_BYTES, error);
    if (!trial->buffer || !give_map(trial, &x, input, trial->format.maps, 0, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
        PixCall *call = &trial->calls[i];
        PixShape shape;
        *call = (PixCall){.op = &ops[i], .in = {x}, .frame = &trial->frame};
        pix_op_infer(&ops[i], &x.shape, &shape, NULL);
        call->out = x = take_map(trial, shape, trial->format.maps);
        if (!give_params(trial, call, 4 * i + 1, error))
            return false;
        scratch_bytes = MAX(scratch_bytes, pix_backend_scratch(trial->device, call, false));
    }
    trial->scratch = backend->buffer_new(trial->device, scratch_bytes, error);
    return trial->scratch != NULL;
}

static void clear(Trial *trial)
{
    trial->device->backend->buffer_free(trial->device, trial->scratch);
    trial->device->backend->buffer_free(trial->device, trial->buffer);
}

/* ---- comparing ---- */

static void run(Trial *trial)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
        trial->calls[i].scratch = trial->scratch;
        pix_backend_forward(trial->device, &trial->calls[i]);
    }
}

static float *read_out(Trial *trial, size_t i, GError **error)
{
    const PixTensor *out = &trial->calls[i].out;
    g_autofree float *values = g_new(float, pix_shape_count(out->shape));
    bool done = trial->device->backend->read(trial->device, out, values, error);
    return done ? g_steal_pointer(&values) : NULL;
}

static bool is_close(const float *values, const float *wanted, size_t count)
{
    float largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = MAX(largest, fabsf(wanted[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(values[i] - wanted[i]) <= MOST_ERROR * largest)) /* NaN is not close */
            return false;
    return true;
}

static bool fail(const PixDeviceInfo *info, PixPrecision precision, const PixOp *op, GError **error)
{
    if (precision == PIX_PRECISION_FP32)
        return pix_fail(error, PIX_ERROR_NO_DEVICE,
                        "%s (%s) computes \"%s\" wrongly; another version of its driver may do "
                        "better, until then use device=cpu",
                        info->name, info->driver, pix_op_name(op->kind));
    return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                    "%s (%s) computes \"%s\" wrongly in %s; another version of its driver may do "
                    "better, until then use precision=fp32",
                    info->name, info->driver, pix_op_name(op->kind), pix_precision_name(precision));
}

static bool compare(Trial *trial, Trial *cpu, PixPrecision precision, size_t i, GError **error)
{
    g_autofree float *values = read_out(trial, i, error), *wanted = read_out(cpu, i, NULL);
    if (!values)
        return false;
    return is_close(values, wanted, pix_shape_count(cpu->calls[i].out.shape)) ||
           fail(&trial->device->info, precision, &ops[i], error);
}

static bool agree(PixDevice *device, PixDevice *cpu, PixPrecision precision, GError **error)
{
    Trial trials[] = {{.device = device}, {.device = cpu}};
    if (precision != PIX_PRECISION_FP32)
        device->backend->format(device, precision, &trials[0].format);
    bool same = make(&trials[0], error) && make(&trials[1], error);
    if (same) {
        run(&trials[0]);
        run(&trials[1]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(ops) && same; i++)
        same = compare(&trials[0], &trials[1], precision, i, error);
    clear(&trials[0]);
    clear(&trials[1]);
    return same;
}

bool pix_self_check(PixDevice *device, PixPrecision precision, GError **error)
{
    g_autofree char *code = device->backend->identity(device);
    g_autofree char *identity = g_strconcat(code, " in ", pix_precision_name(precision), NULL);
    gsize bytes;
    g_autofree char *passed = pix_cache_read(KIND, identity, &bytes);
    if (passed)
        return true;
    g_autoptr(PixDevice) cpu = pix_backend_cpu.open(NULL, false, 1, error);
    if (!cpu || !agree(device, cpu, precision, error))
        return false;
    pix_cache_write(KIND, identity, "", 0);
    return true;
}
