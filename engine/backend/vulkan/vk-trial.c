/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How fast a GPU is with each of the tiles. */
#include "clock.h"
#include "vk-conv.h"
#include "vk-tune.h"

#define LONG_ENOUGH_MS 2
#define BUDGET_MS 1000
#define ROUNDS 5 /* times are the best of them */

/* What is measured: a layer of LEAST_SIDE by LEAST_SIDE pixels, or as many more as it takes. */
#define LEAST_SIDE 16
#define MOST_SIDE 256
#define CHANNELS 64
#define OUT_CHANNELS 128
#define KERNEL 3
#define CHUNKS (KERNEL * KERNEL * CHANNELS / 16)

static const PixOp op = {.kind = PIX_OP_CONV,
                         .conv = {.oc = OUT_CHANNELS,
                                  .kh = KERNEL,
                                  .kw = KERNEL,
                                  .sh = 1,
                                  .sw = 1,
                                  .pad = {PIX_PAD_ZERO, 1, 1, 1, 1}}};

/** Trial: a layer of side by side pixels, cut into one of the tiles. */
typedef struct {
    PixDevice *device;
    PixBuffer *buffer; /* of zeros: all of the tensors */
    PixDtype dtype;
    int side;
    const VulkanTile *tile;
    bool alone; /* only the first group */
} Trial;

/* ---- the work ---- */

static PixTensor map(const Trial *trial, int c, size_t offset)
{
    return (PixTensor){{1, c, trial->side, trial->side}, trial->buffer, offset, 0, c, trial->dtype};
}

/* In bytes; every tensor begins at a multiple of VK_ALIGNMENT. */
static size_t weight_offset(PixDtype dtype, int side)
{
    return (size_t)side * (size_t)side * (CHANNELS + OUT_CHANNELS) * pix_dtype_bytes(dtype);
}

static size_t all_bytes(PixDtype dtype)
{
    return weight_offset(dtype, MOST_SIDE) +
           (size_t)KERNEL * KERNEL * CHANNELS * OUT_CHANNELS * pix_dtype_bytes(dtype);
}

static VulkanMatrices matrices_of(const Trial *trial)
{
    return (VulkanMatrices){.m = (size_t)trial->side * (size_t)trial->side,
                            .n = OUT_CHANNELS,
                            .depth = (size_t)KERNEL * KERNEL * CHANNELS,
                            .phases = 1,
                            .chunk = CHANNELS};
}

static void ask(PixDevice *device, void *data)
{
    const Trial *trial = data;
    const PixTensor in = map(trial, CHANNELS, 0);
    const PixTensor out =
        map(trial, OUT_CHANNELS, pix_shape_count(in.shape) * pix_dtype_bytes(trial->dtype));
    const PixTensor weight = {{OUT_CHANNELS, CHANNELS, KERNEL, KERNEL},
                              trial->buffer,
                              weight_offset(trial->dtype, trial->side),
                              0,
                              CHANNELS,
                              trial->dtype};
    const VulkanMatrices matrices = matrices_of(trial);
    VulkanConv conv = vk_conv_plain(&op.conv, &in, &weight, &out);
    vk_conv_cut_as(&conv, &matrices, trial->tile);
    for (int i = 0; i < 3 && trial->alone; i++)
        conv.dispatch.groups[i] = 1;
    vk_conv_run(device, &conv);
}

/* ---- its time ---- */

static double processor_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* A processor that plays a GPU has other things to do as well. NULL: the GPU has a clock. */
static double (*clock_of(const Trial *trial))(void)
{
    return vk_gpu_is_slow(vk_device(trial->device)->gpu) ? processor_ms : NULL;
}

/* Milliseconds; negative: failed. */
static double time_of(Trial *trial, bool alone)
{
    trial->alone = alone;
    return vk_time_of(trial->device, ask, trial, clock_of(trial), NULL);
}

/* Lowers what @time is to what it is now; 0 is nothing yet. */
static void lower(uint64_t *time, double ps)
{
    uint64_t now = (uint64_t)CLAMP(ps, 1, VK_TUNE_MOST_PS);
    *time = *time ? MIN(*time, now) : now;
}

static bool measure(Trial *trial, const VulkanTile *tile, VulkanTileTime *time)
{
    const VulkanMatrices matrices = matrices_of(trial);
    const double ps = 1e9 / CHUNKS;
    trial->tile = tile;
    double full_ms = time_of(trial, false), alone_ms = time_of(trial, true);
    if (full_ms < 0 || alone_ms < 0)
        return false;
    lower(&time->full, full_ms * ps / (double)vk_tile_groups(tile, &matrices));
    lower(&time->alone, alone_ms * ps);
    return true;
}

/* A layer that keeps the GPU busy for long enough. */
static bool choose_side(Trial *trial, const VulkanTile *tile)
{
    double ms = 0;
    trial->tile = tile;
    for (trial->side = LEAST_SIDE; trial->side < MOST_SIDE; trial->side *= 2) {
        ms = time_of(trial, false);
        if (ms < 0 || ms >= LONG_ENOUGH_MS)
            break;
    }
    return ms >= 0;
}

/* Returns: whether there are any; false: failed, or none is left. */
static bool measure_some(Trial *trial, VulkanTileTimes *times, bool measured[VK_TILES])
{
    const VulkanGpu *gpu = vk_device(trial->device)->gpu;
    const double before = pix_clock_ms();
    for (int i = 0; i < VK_TILES; i++) {
        if (times->of[i].full > 0 || !vk_tile_fits(gpu, &vk_tiles[i]))
            continue;
        if (trial->side > 0 && pix_clock_ms() - before > BUDGET_MS)
            break;
        if ((trial->side == 0 && !choose_side(trial, &vk_tiles[i])) ||
            !measure(trial, &vk_tiles[i], &times->of[i]))
            return false;
        measured[i] = true;
    }
    return trial->side > 0;
}

static bool measure_again(Trial *trial, VulkanTileTimes *times, const bool measured[VK_TILES])
{
    for (int i = 0; i < VK_TILES; i++)
        if (measured[i] && !measure(trial, &vk_tiles[i], &times->of[i]))
            return false;
    return true;
}

static bool measure_all(PixDevice *device, PixDtype dtype, VulkanTileTimes *times)
{
    const size_t bytes = all_bytes(dtype);
    Trial trial = {.device = device, .dtype = dtype};
    bool measured[VK_TILES] = {false};
    trial.buffer = vk_device_buffer_new(device, bytes, NULL);
    if (!trial.buffer)
        return false;
    vk_fill(device, (PixRange){trial.buffer, 0, bytes}, 0);
    bool done = measure_some(&trial, times, measured);
    for (int i = 1; i < ROUNDS && done; i++)
        done = measure_again(&trial, times, measured);
    vk_device_buffer_free(device, trial.buffer);
    return done;
}

/* By a device of its own: nobody waits for what is asked of another. */
bool vk_tune_measure(const VulkanGpu *gpu, PixDtype dtype, VulkanTileTimes *times)
{
    g_autofree char *name = g_strdup_printf("%u", gpu->index);
    PixDevice *device = vk_device_open(name, false, 0, NULL);
    bool done = device && measure_all(device, dtype, times);
    if (device)
        vk_device_close(device);
    return done;
}
