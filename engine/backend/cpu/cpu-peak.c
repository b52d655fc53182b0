/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the CPU can do at most, measured: the yardstick of `pix2pix bench`. Other work disturbs, so that
 * the best of several rounds counts, each a loop of all threads.
 */
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cpu-private.h"

#define CHAINS 12        /* a multiply-add takes 4 cycles on 2 units: 8 would do, 12 are safe */
#define STEPS 20000      /* multiply-adds of a chain in one task */
#define TASKS 64         /* of each thread: some milliseconds */
#define ARITHMETIC_MS 80 /* until the clock of the processor is where it will stay */
#define READS 8          /* registers that are read at a time */
#define AHEAD 256        /* integers: processors fetch too little by themselves */
#define PIECE ((size_t)1 << 20)
#define LEAST_BYTES ((size_t)64 << 20)
#define MOST_BYTES ((size_t)512 << 20)
#define READ_ROUNDS 5

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* ---- the loops, for one width of registers each ---- */

typedef struct {
    const char *level; /* of CpuMicro */
    int lanes;
    void (*multiply_add)(float *values); /* CHAINS * STEPS of them; three values in and out */
    int (*read)(const int *from, size_t count);
} Loops;

/* Compilers contract a * b + c to one instruction where the target has it. */
#define DEFINE_LOOPS(name, lanes, attributes)                                                      \
    attributes static void multiply_add_##name(float *values)                                      \
    {                                                                                              \
        typedef float Vector __attribute__((vector_size((lanes)*4)));                              \
        Vector sum[CHAINS], a = {0}, b = {0};                                                      \
        a += values[0];                                                                            \
        b += values[1];                                                                            \
        for (int i = 0; i < CHAINS; i++)                                                           \
            sum[i] = b * (float)i;                                                                 \
        for (int step = 0; step < STEPS; step++) {                                                 \
            UNROLL                                                                                 \
            for (int i = 0; i < CHAINS; i++)                                                       \
                sum[i] = sum[i] * a + b;                                                           \
        }                                                                                          \
        for (int i = 0; i < CHAINS; i++)                                                           \
            values[2] += sum[i][0];                                                                \
    }                                                                                              \
                                                                                                   \
    attributes static int read_##name(const int *from, size_t count)                               \
    {                                                                                              \
        typedef int Vector __attribute__((vector_size((lanes)*4), may_alias));                     \
        Vector sum[READS] = {{0}};                                                                 \
        for (size_t at = 0; at < count; at += READS * (lanes)) {                                   \
            UNROLL                                                                                 \
            for (int i = 0; i < READS; i++) {                                                      \
                __builtin_prefetch(from + at + AHEAD + i * (lanes));                               \
                sum[i] ^= *(const Vector *)(from + at + i * (lanes));                              \
            }                                                                                      \
        }                                                                                          \
        for (int i = 1; i < READS; i++)                                                            \
            sum[0] ^= sum[i];                                                                      \
        return sum[0][0];                                                                          \
    }

DEFINE_LOOPS(plain, 4, )
#ifdef __x86_64__
DEFINE_LOOPS(avx2, 8, __attribute__((target("avx2,fma"))))
DEFINE_LOOPS(avx512, 16, __attribute__((target("avx512f"))))
#endif

static const Loops all_loops[] = {
#ifdef __x86_64__
    {"amx", 16, multiply_add_avx512, read_avx512},
    {"avx512dot", 16, multiply_add_avx512, read_avx512},
    {"avx512vnni", 16, multiply_add_avx512, read_avx512},
    {"avx512", 16, multiply_add_avx512, read_avx512},
    {"avx2vnni", 8, multiply_add_avx2, read_avx2},
    {"avx2", 8, multiply_add_avx2, read_avx2},
#endif
    {"", 4, multiply_add_plain, read_plain}, /* what is left */
};

static const Loops *loops_of(const char *level)
{
    const Loops *loops = all_loops;
    while (*loops->level && strcmp(loops->level, level) != 0)
        loops++;
    return loops;
}

/* That of the device; for the levels whose code may use any instructions, the best of this CPU. */
static const char *level_of(const PixDevice *device)
{
    const char *level = device->info.level;
    CpuMicro best;
    bool any = strcmp(level, "c") == 0 || strcmp(level, "openblas") == 0;
    return any && cpu_micro_select(NULL, &best, NULL) ? best.name : level;
}

/* ---- arithmetic ---- */

typedef struct {
    const Loops *loops;
    const int *data;
    size_t bytes;
} Work;

static void multiply_add(void *data, int task, int worker)
{
    const Work *work = data;
    float values[3] = {0.999f, 0.001f, 0};
    work->loops->multiply_add(values);
    __asm__ volatile("" : : "r"(values) : "memory");
}

static double measure_arithmetic(CpuPool *pool, Work *work)
{
    int tasks = TASKS * cpu_pool_threads(pool);
    double operations = 2.0 * work->loops->lanes * CHAINS * STEPS * tasks, best_ms = 0;
    double end = pix_clock_ms() + ARITHMETIC_MS;
    for (double before = pix_clock_ms(), now; before < end; before = now) {
        cpu_parallel(pool, tasks, multiply_add, work);
        now = pix_clock_ms();
        best_ms = best_ms > 0 ? MIN(best_ms, now - before) : now - before;
    }
    return operations / best_ms / 1e6;
}

/* ---- memory ---- */

/* G_MAXUINT64: there is no such file, or it names no limit. */
static guint64 number_in(const char *file, const char *before)
{
    g_autofree char *text = NULL;
    const char *at = g_file_get_contents(file, &text, NULL, NULL) ? strstr(text, before) : NULL;
    guint64 number = at ? g_ascii_strtoull(at + strlen(before), NULL, 10) : 0;
    return number > 0 ? number : G_MAXUINT64;
}

/* A quarter of the memory that is free, or of a container's, which ends what takes more. */
static guint64 spare_bytes(void)
{
    guint64 kib = number_in("/proc/meminfo", "MemAvailable:");
    guint64 bytes = kib < G_MAXUINT64 ? kib * 1024 : kib;
    bytes = MIN(bytes, number_in("/sys/fs/cgroup/memory.max", ""));
    bytes = MIN(bytes, number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", ""));
    return bytes / 4;
}

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
    int sum =
        work->loops->read(work->data + (size_t)task * (PIECE / sizeof(int)), PIECE / sizeof(int));
    __asm__ volatile("" : : "r"(sum));
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
    PixBuffer *buffer = work->bytes <= spare_bytes()
                            ? device->backend->buffer_new(device, work->bytes, NULL)
                            : NULL;
    if (!buffer)
        return 0;
    work->data = (const int *)buffer->data;
    double gbytes = measure_reads(cpu_device(device)->pool, work);
    device->backend->buffer_free(device, buffer);
    return gbytes;
}

bool cpu_measure(PixDevice *device, PixPeak *peak, GError **error)
{
    const char *level = level_of(device);
    Work work = {.loops = loops_of(level)};
    *peak = (PixPeak){.gflops = measure_arithmetic(cpu_device(device)->pool, &work),
                      .gbytes = measure_memory(device, &work),
                      .level = level};
    return true;
}
