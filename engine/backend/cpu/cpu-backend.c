/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpu-pools.h"
#include "cpu-private.h"
#include "cpu-weights.h"
#include "error.h"

#define ALIGNMENT 64
/* Weights of hundreds of megabytes are walked once a step: fewer pages, fewer misses. */
#define HUGE_PAGE ((size_t)2 << 20)

/* ---- the device ---- */

static char *processor_name(void)
{
    g_autofree char *text = NULL;
    if (g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL)) {
        const char *line = strstr(text, "model name");
        const char *colon = line ? strchr(line, ':') : NULL;
        if (colon)
            return g_strstrip(g_strndup(colon + 1, strcspn(colon + 1, "\n")));
    }
    return g_strdup("CPU");
}

static guint64 memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
    return pages > 0 && page > 0 ? (guint64)pages * (guint64)page : 0;
}

/* Of the cache that a core has for itself. */
static size_t cache_bytes(void)
{
    long bytes = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
    bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return bytes > 0 ? (size_t)bytes : (size_t)1 << 20;
}

/* How the name of a convolution's algorithm begins that tests ask for. */
static bool check_convolution(const char *wanted, GError **error)
{
    static const char *const known[] = {"direct",       "winograd",     "winograd-2x2",
                                        "winograd-3x3", "winograd-4x4", NULL};
    if (!wanted || g_strv_contains(known, wanted))
        return true;
    g_autofree char *list = g_strjoinv(", ", (char **)known);
    return pix_fail(error, PIX_ERROR_NO_DEVICE,
                    "PIX2PIX_CPU asks for convolutions by \"%s\"; it can be one of %s", wanted,
                    list);
}

static PixDevice *cpu_open(const char *name, bool real, unsigned threads, GError **error)
{
    if (name) {
        pix_fail(error, PIX_ERROR_NO_DEVICE, "there is one CPU device: \"cpu\", not \"cpu:%s\"",
                 name);
        return NULL;
    }
    const char *words = g_getenv("PIX2PIX_CPU");
    g_auto(GStrv) each = g_strsplit(words ? words : "", ",", 2);
    const char *convolution = each[0] ? each[1] : NULL;
    CpuMicro level;
    if (!cpu_micro_select(each[0], &level, error) || !check_convolution(convolution, error))
        return NULL;
    CpuDevice *device = g_new0(CpuDevice, 1);
    device->convolution = g_strdup(convolution);
    int available = cpu_available();
    device->base.backend = &pix_backend_cpu;
    device->base.references = 1;
    device->level = level;
    device->cache_bytes = cache_bytes();
    device->micro = &device->level;
    device->pool = cpu_pools_get(threads == 0 ? available : (int)MIN(threads, 1024));
    device->name = processor_name();
    device->features = g_strdup_printf("%s, %d %s", level.name, cpu_pool_threads(device->pool),
                                       cpu_pool_threads(device->pool) == 1 ? "thread" : "threads");
    device->base.info = (PixDeviceInfo){.id = "cpu",
                                        .name = device->name,
                                        .features = device->features,
                                        .level = level.name,
                                        .threads = (unsigned)cpu_pool_threads(device->pool),
                                        .memory_bytes = memory_bytes()};
    return &device->base;
}

static void cpu_close(PixDevice *base)
{
    CpuDevice *device = (CpuDevice *)base;
    cpu_pools_release(device->pool);
    g_free(device->name);
    g_free(device->features);
    g_free(device->convolution);
    g_free(device);
}

/* ---- memory ---- */

static PixBuffer *cpu_buffer_new(PixDevice *device, size_t bytes, GError **error)
{
    size_t alignment = bytes < HUGE_PAGE ? ALIGNMENT : HUGE_PAGE;
    size_t rounded = (MAX(bytes, 1) + alignment - 1) / alignment * alignment;
    void *data = rounded < bytes ? NULL : aligned_alloc(alignment, rounded);
    if (!data) {
        pix_fail(error, PIX_ERROR_NO_MEMORY,
                 "%zu MiB of memory are not to be had; use a smaller size or a smaller network",
                 bytes >> 20);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (alignment == HUGE_PAGE)
        madvise(data, rounded, MADV_HUGEPAGE); /* a wish */
#endif
    PixBuffer *buffer = g_new(PixBuffer, 1);
    *buffer = (PixBuffer){data, bytes};
    return buffer;
}

static void cpu_buffer_free(PixDevice *device, PixBuffer *buffer)
{
    if (buffer) {
        free(buffer->data);
        g_free(buffer);
    }
}

/* Maps and weights are float32 always: only products are made in another precision. */
static bool cpu_format(const PixDevice *device, PixPrecision precision, PixFormat *format)
{
    return precision == PIX_PRECISION_BF16 || precision == PIX_PRECISION_INT8;
}

static size_t cpu_activation_bytes(const PixDevice *device, PixShape shape, PixDtype dtype)
{
    return pix_shape_count(shape) * sizeof(float);
}

static void transpose(const CpuView *v, float *values, bool write)
{
    for (int n = 0; n < v->n; n++)
        for (int c = 0; c < v->c; c++)
            for (ptrdiff_t i = 0; i < (ptrdiff_t)v->h * v->w; i++, values++) {
                float *at = v->data + (n * (ptrdiff_t)v->h * v->w + i) * v->pixel + c;
                if (write)
                    *at = *values;
                else
                    *values = *at;
            }
}

static bool cpu_write(PixDevice *device, const PixTensor *tensor, const float *values,
                      GError **error)
{
    CpuView view = cpu_view(tensor);
    transpose(&view, (float *)values, true);
    return true;
}

static bool cpu_read(PixDevice *device, const PixTensor *tensor, float *values, GError **error)
{
    CpuView view = cpu_view(tensor);
    transpose(&view, values, false);
    return true;
}

static bool cpu_write_weight(PixDevice *device, const PixTensor *tensor, const PixOp *op,
                             const int dims[4], const float *values, GError **error)
{
    cpu_weights_pack(op, dims, values, tensor->buffer->data + tensor->offset / sizeof(float));
    return true;
}

static bool cpu_read_weight(PixDevice *device, const PixTensor *tensor, const PixOp *op,
                            const int dims[4], float *values, GError **error)
{
    cpu_weights_unpack(op, dims, tensor->buffer->data + tensor->offset / sizeof(float), values);
    return true;
}

/* ---- the table ---- */

static const char *plain_algorithm(const PixDevice *device, const PixCall *call)
{
    return "loop";
}

#define CONVOLUTION                                                                                \
    {                                                                                              \
        .choose = cpu_conv_choose, .forward = cpu_conv_forward, .backward = cpu_conv_backward,     \
        .scratch_bytes = cpu_conv_scratch, .backward_scratch_bytes = cpu_conv_backward_scratch,    \
        .prepared_bytes = cpu_conv_prepared, .prepare = cpu_conv_prepare,                          \
        .algorithm = cpu_conv_algorithm, .precision = cpu_conv_precision,                          \
        .reason = cpu_conv_reason, .rectifies = true                                               \
    }

const PixBackend pix_backend_cpu = {
    .name = "cpu",
    .open = cpu_open,
    .close = cpu_close,
    .alignment = ALIGNMENT,
    .format = cpu_format,
    .mixes = true,
    .activation_bytes = cpu_activation_bytes,
    .weight_bytes = cpu_weight_bytes,
    .buffer_new = cpu_buffer_new,
    .buffer_free = cpu_buffer_free,
    .write = cpu_write,
    .read = cpu_read,
    .write_weight = cpu_write_weight,
    .read_weight = cpu_read_weight,
    .write_image = cpu_write_image,
    .read_image = cpu_read_image,
    .takes = cpu_takes,
    .copy = cpu_copy,
    .fill = cpu_fill,
    .sum_squares = cpu_sum_squares,
    .approach = cpu_approach,
    .adam = cpu_adam,
    .loss = cpu_loss,
    .mix = cpu_mix,
    .penalty = cpu_penalty,
    .read_figures = cpu_read_figures,
    .measure = cpu_measure,
    .rows =
        {
            [PIX_OP_CONV] = CONVOLUTION,
            [PIX_OP_DECONV] = CONVOLUTION,
            [PIX_OP_NORM] = {.forward = cpu_norm_forward,
                             .backward = cpu_norm_backward,
                             .scratch_bytes = cpu_norm_scratch,
                             .backward_scratch_bytes = cpu_norm_scratch,
                             .algorithm = plain_algorithm,
                             .in_place = true,
                             .backward_in_place = true},
            [PIX_OP_ACTIVATION] = {.forward = cpu_activation_forward,
                                   .backward = cpu_activation_backward,
                                   .algorithm = plain_algorithm,
                                   .in_place = true,
                                   .backward_in_place = true},
            [PIX_OP_DROPOUT] = {.forward = cpu_dropout_forward,
                                .backward = cpu_dropout_backward,
                                .algorithm = plain_algorithm,
                                .in_place = true,
                                .backward_in_place = true},
            [PIX_OP_PAD] = {.forward = cpu_pad_forward,
                            .backward = cpu_pad_backward,
                            .algorithm = plain_algorithm},
            [PIX_OP_CONCAT] = {.forward = cpu_concat_forward,
                               .backward = cpu_concat_backward,
                               .algorithm = plain_algorithm},
            [PIX_OP_ADD] = {.forward = cpu_add_forward,
                            .backward = cpu_add_backward,
                            .algorithm = plain_algorithm,
                            .in_place = true,
                            .backward_in_place = true},
            [PIX_OP_UPSAMPLE] = {.forward = cpu_upsample_forward,
                                 .backward = cpu_upsample_backward,
                                 .algorithm = plain_algorithm},
            [PIX_OP_ACTIVATION_TANGENT] = {.forward = cpu_activation_tangent_forward,
                                           .backward = cpu_activation_tangent_backward,
                                           .algorithm = plain_algorithm,
                                           .in_place = true,
                                           .backward_in_place = true},
            [PIX_OP_NORM_TANGENT] = {.forward = cpu_norm_tangent_forward,
                                     .backward = cpu_norm_tangent_backward,
                                     .scratch_bytes = cpu_norm_scratch,
                                     .backward_scratch_bytes = cpu_norm_scratch,
                                     .algorithm = plain_algorithm,
                                     .in_place = true,
                                     .backward_in_place = true},
        },
};
