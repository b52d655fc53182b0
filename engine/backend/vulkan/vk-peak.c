/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the GPU can do at most, measured: the yardstick of `pix2pix bench`. */
#include "clock.h"
#include "vk-ops.h"

#define CHAINS 16 /* of shaders/peak.comp */
#define GROUPS 4096
#define LONG_ENOUGH_MS 5
#define MAX_ROUNDS (1u << 16)
#define STREAM_BYTES ((size_t)64 << 20) /* more than caches hold */
#define TRIES 5

double vk_time_of(PixDevice *device, void (*ask)(PixDevice *device, void *data), void *data,
                  double (*clock_ms)(void), GError **error)
{
    double ms = -1;
    if (!vk_device_record(device, error))
        return -1;
    vk_device_mark(device);
    ask(device, data);
    vk_device_mark(device);
    PixCommands *commands = vk_device_finish(device, error);
    if (!commands)
        return -1;
    double before = clock_ms ? clock_ms() : pix_clock_ms();
    if (vk_device_submit(device, commands, error) && vk_device_wait(device, commands, error) &&
        (clock_ms || !vk_device_read_marks(device, commands, &ms, 1)))
        ms = (clock_ms ? clock_ms() : pix_clock_ms()) - before;
    vk_device_commands_free(device, commands);
    return ms;
}

/* ---- arithmetic ---- */

/** Arithmetic: */
typedef struct {
    PixBuffer *out;
    uint32_t rounds;
} Arithmetic;

static void ask_arithmetic(PixDevice *device, void *data)
{
    const Arithmetic *work = data;
    const struct {
        uint32_t rounds;
        float factor, term;
    } push = {work->rounds, 0.75f, 0.125f};
    VulkanDispatch dispatch = {.shader = VK_SHADER_PEAK,
                               .n_constants = 3,
                               .push = &push,
                               .push_bytes = sizeof push,
                               .bindings = {{work->out, 0, sizeof(float), true}}};
    vk_spread(&dispatch, (size_t)GROUPS * VK_GROUP);
    vk_dispatch(device, &dispatch);
}

static bool measure_arithmetic(PixDevice *device, PixBuffer *out, double *gflops, GError **error)
{
    Arithmetic work = {out, 8};
    double ms = 0;
    while (ms < LONG_ENOUGH_MS && work.rounds < MAX_ROUNDS) {
        work.rounds *= 2;
        ms = vk_time_of(device, ask_arithmetic, &work, NULL, error);
        if (ms < 0)
            return false;
    }
    *gflops = 2.0 * CHAINS * GROUPS * VK_GROUP * work.rounds / ms / 1e6;
    return true;
}

/* ---- memory ---- */

/* y += share (x - y): two are read and one is written. */
static void ask_memory(PixDevice *device, void *data)
{
    PixBuffer *buffer = data;
    PixRange to = {buffer, 0, STREAM_BYTES / 2},
             from = {buffer, STREAM_BYTES / 2, STREAM_BYTES / 2};
    vk_approach(device, to, from, 0.5f);
}

static bool measure_memory(PixDevice *device, PixBuffer *buffer, double *gbytes, GError **error)
{
    double best = 0;
    vk_fill(device, (PixRange){buffer, 0, STREAM_BYTES}, 0);
    for (int i = 0; i < TRIES; i++) {
        double ms = vk_time_of(device, ask_memory, buffer, NULL, error);
        if (ms < 0)
            return false;
        best = MAX(best, STREAM_BYTES * 1.5 / ms / 1e6);
    }
    *gbytes = best;
    return true;
}

bool vk_measure(PixDevice *device, PixPeak *peak, GError **error)
{
    PixBuffer *buffer = vk_device_buffer_new(device, STREAM_BYTES, error);
    bool done = buffer && measure_arithmetic(device, buffer, &peak->gflops, error) &&
                measure_memory(device, buffer, &peak->gbytes, error);
    vk_device_buffer_free(device, buffer);
    return done;
}
