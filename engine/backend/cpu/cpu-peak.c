/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the CPU can do at most, measured: the yardstick of `pix2pix bench`. Other work disturbs, so that
 * the best of several rounds counts, each a loop of all threads.
 */
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cpu-peak-memory.h"
#include "cpu-private.h"

#define TASKS 64         /* of each thread: some milliseconds */
#define ARITHMETIC_MS 80 /* until the clock of the processor is where it will stay */
#define PIECE ((size_t)1 << 20)
#define LEAST_BYTES ((size_t)64 << 20)
#define MOST_BYTES ((size_t)512 << 20)
#define READ_ROUNDS 5

/* The device's level; for those whose code may use any instructions, the best of this CPU. */
static CpuMicro level_of(const PixDevice *device)
{
    CpuMicro level = *cpu_device(device)->micro, best;
    bool any = strcmp(level.name, "c") == 0 || strcmp(level.name, "openblas") == 0;
    return any && cpu_micro_select(NULL, &best, NULL) ? best : level;
}

/* ---- arithmetic ---- */

typedef struct {
    CpuMicro level;
    const int32_t *data;
    size_t bytes;
} Work;

static void multiply_add(void *data, int task, int worker)
{
    const Work *work = data;
    float last;
    work->level.multiply_add(0.999f, 0.001f, &last);
}

static double measure_arithmetic(CpuPool *pool, Work *work)
{
    int tasks = TASKS * cpu_pool_threads(pool);
    double best_ms = 0, end = pix_clock_ms() + ARITHMETIC_MS;
    float last;
    double count = work->level.multiply_add(0, 0, &last) * tasks;
    for (double before = pix_clock_ms(), now; before < end; before = now) {
        cpu_parallel(pool, tasks, multiply_add, work);
        now = pix_clock_ms();
        best_ms = best_ms > 0 ? MIN(best_ms, now - before) : now - before;
    }
    return 2 * count / best_ms / 1e6;
}

/* ---- memory ---- */

/* Twice what the caches hold. */
static size_t memory_bytes(void)
{
    long cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
    cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    size_t bytes = CLAMP((size_t)MAX(cache, 0) * 2, LEAST_BYTES, MOST_BYTES);
    return bytes / PIECE * PIECE;
}

/* Memory that nobody has written is one page of zeros. */
static void touch(void *data, int task, int worker)
{
    const Work *work = data;
    memset((char *)work->data + (size_t)task * PIECE, 1, PIECE);
}

static void read_piece(void *data, int task, int worker)
{
    const Work *work = data;
    work->level.read_ints(work->data + (size_t)task * (PIECE / sizeof(int32_t)),
                          PIECE / sizeof(int32_t));
}

static double measure_reads(CpuPool *pool, Work *work)
{
    int pieces = (int)(work->bytes / PIECE);
    double best_ms = 0;
    cpu_parallel(pool, pieces, touch, work);
    for (int i = 0; i < READ_ROUNDS; i++) {
        double before = pix_clock_ms();
        cpu_parallel(pool, pieces, read_piece, work);
        double ms = pix_clock_ms() - before;
        best_ms = i > 0 ? MIN(best_ms, ms) : ms;
    }
    return (double)work->bytes / best_ms / 1e6;
}

/* 0: there is too little. */
static double measure_memory(PixDevice *device, Work *work)
{
    work->bytes = memory_bytes();
    PixBuffer *buffer = work->bytes <= cpu_spare_bytes("")
                            ? device->backend->buffer_new(device, work->bytes, NULL)
                            : NULL;
    if (!buffer)
        return 0;
    work->data = (const int32_t *)buffer->data;
    double gbytes = measure_reads(cpu_device(device)->pool, work);
    device->backend->buffer_free(device, buffer);
    return gbytes;
}

bool cpu_measure(PixDevice *device, PixPeak *peak, GError **error)
{
    Work work = {.level = level_of(device)};
    *peak = (PixPeak){.gflops = measure_arithmetic(cpu_device(device)->pool, &work),
                      .gbytes = measure_memory(device, &work),
                      .level = work.level.name};
    return true;
}
