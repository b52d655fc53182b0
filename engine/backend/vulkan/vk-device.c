/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-device.h"

#include <string.h>

#include "error.h"
#include "vk-cache.h"

#define STAGING_BYTES ((size_t)16 << 20)

/* ---- opening ---- */

/* @words: PIX2PIX_VULKAN's: what tests force upon the device. */
static void configure(VulkanDevice *device, const char *words)
{
    g_auto(GStrv) each = g_strsplit(words ? words : "", ",", -1);
    const char *const *all = (const char *const *)each;
    device->simple = g_strv_contains(all, "simple");
    device->half = device->gpu->features.half && !g_strv_contains(all, "nofp16");
    device->tunes = !device->simple && !g_strv_contains(all, "unmeasured");
    device->matrix = g_strv_contains(all, "matrix");
    device->tensor = device->gpu->features.tensor && device->half && !device->simple &&
                     !device->matrix && !g_strv_contains(all, "nomatrix");
}

static void describe(VulkanDevice *device)
{
    const VulkanGpu *gpu = device->gpu;
    device->id = g_strdup_printf("vulkan:%u", gpu->index);
    device->features = g_strconcat(
        "fp32", device->half ? ", fp16" : "", device->tensor ? ", tensor cores" : "",
        device->matrix ? ", matrices" : "", device->simple ? ", simple shaders" : "", NULL);
    device->base.info = (PixDeviceInfo){.id = device->id,
                                        .name = gpu->name,
                                        .driver = gpu->driver,
                                        .features = device->features,
                                        .uuid = gpu->uuid,
                                        .level = "vulkan",
                                        .memory_bytes = vk_gpu_memory_bytes(gpu)};
}

static bool make_buffers(VulkanDevice *device, GError **error)
{
    VulkanGpu *gpu = device->gpu;
    return (device->staging = vk_buffer_new(gpu, STAGING_BYTES, VK_MEMORY_SHARED, error)) &&
           (device->sums = vk_buffer_new(gpu, VK_SUM_BYTES, VK_MEMORY_OWN, error)) &&
           (device->scalars = vk_buffer_new(gpu, VK_ALIGNMENT, VK_MEMORY_OWN, error));
}

PixDevice *vk_device_open(const char *name, bool real, unsigned threads, GError **error)
{
    VulkanGpu *gpu = vk_gpu_open(name, real, error);
    if (!gpu)
        return NULL;
    VulkanDevice *device = g_new0(VulkanDevice, 1);
    device->base.backend = &pix_backend_vulkan;
    device->base.references = 1;
    device->gpu = gpu;
    configure(device, g_getenv("PIX2PIX_VULKAN"));
    g_rec_mutex_init(&device->lock);
    describe(device);
    device->once = vk_traces_new(gpu);
    if (!make_buffers(device, error)) {
        vk_device_close(&device->base);
        return NULL;
    }
    return &device->base;
}

void vk_device_close(PixDevice *base)
{
    VulkanDevice *device = vk_device(base);
    vk_traces_free(device->once);
    vk_buffer_free(device->gpu, device->staging);
    vk_buffer_free(device->gpu, device->sums);
    vk_buffer_free(device->gpu, device->scalars);
    vk_gpu_close(device->gpu);
    g_rec_mutex_clear(&device->lock);
    g_free(device->id);
    g_free(device->features);
    g_free(device);
}

char *vk_device_identity(const PixDevice *base)
{
    const VulkanDevice *device = (const VulkanDevice *)base;
    g_autofree char *code = vk_cache_identity(device->gpu);
    return g_strconcat(code, " ", device->features, NULL);
}

bool vk_device_format(const PixDevice *device, PixPrecision precision, PixFormat *format)
{
    *format = (PixFormat){PIX_DTYPE_F16, PIX_DTYPE_F16};
    return precision == PIX_PRECISION_FP16 && ((const VulkanDevice *)device)->half;
}

/* ---- work ---- */

static void count_binding(PixWork *work, const VulkanBinding *binding)
{
    size_t bytes = binding->used ? binding->used : binding->bytes;
    if (binding->buffer && binding->writes)
        work->written_bytes += bytes;
    else if (binding->buffer)
        work->read_bytes += bytes;
}

/* A shader that does not want a buffer may be given another once more. */
static bool is_repeated(const VulkanDispatch *dispatch, int index)
{
    const VulkanBinding *b = dispatch->bindings;
    for (int i = 0; i < index; i++)
        if (b[i].buffer == b[index].buffer && b[i].offset == b[index].offset &&
            b[i].writes == b[index].writes)
            return true;
    return false;
}

static void count(PixWork *all, const VulkanWork *work)
{
    all->dispatches++;
    for (int i = 0; i < VK_BINDINGS; i++)
        if (!is_repeated(&work->dispatch, i))
            count_binding(all, &work->dispatch.bindings[i]);
    count_binding(all, &work->from);
    count_binding(all, &work->to);
}

static void add(VulkanDevice *device, const VulkanWork *work)
{
    g_rec_mutex_lock(&device->lock);
    count(&device->work, work);
    if (device->recording)
        vk_work_record(device->recording, work);
    else
        vk_traces_add(device->once, work);
    g_rec_mutex_unlock(&device->lock);
}

static bool sees_halves(const VulkanDispatch *dispatch)
{
    bool halves = false;
    for (int i = 0; i < VK_BINDINGS; i++)
        halves = halves || dispatch->bindings[i].halves;
    return halves;
}

void vk_dispatch(PixDevice *device, const VulkanDispatch *dispatch)
{
    VulkanWork work = {.kind = VK_WORK_DISPATCH, .dispatch = *dispatch};
    if (sees_halves(dispatch))
        work.dispatch.shader = vk_shader_half(dispatch->shader);
    add(vk_device(device), &work);
}

void vk_copy_bytes(PixDevice *device, PixBuffer *from, size_t from_offset, PixBuffer *to,
                   size_t to_offset, size_t bytes)
{
    add(vk_device(device), &(VulkanWork){.kind = VK_WORK_COPY,
                                         .from = {from, from_offset, bytes, false},
                                         .to = {to, to_offset, bytes, true}});
}

void vk_fill_bytes(PixDevice *device, PixBuffer *buffer, size_t offset, size_t bytes, uint32_t word)
{
    add(vk_device(device),
        &(VulkanWork){.kind = VK_WORK_FILL, .to = {buffer, offset, bytes, true}, .word = word});
}

/* Returns when all work that was for once is done, but for what failed. Errors: DEVICE_LOST. */
static bool flush(VulkanDevice *device, GError **error)
{
    bool done = vk_traces_flush(device->once, error);
    device->staged = 0;
    return done;
}

bool vk_device_settle(PixDevice *base, const PixBuffer *buffer, GError **error)
{
    VulkanDevice *device = vk_device(base);
    g_rec_mutex_lock(&device->lock);
    bool done = flush(device, error);
    g_rec_mutex_unlock(&device->lock);
    return done && (!buffer || vk_buffer_check(device->gpu, buffer, error));
}

/* Sequences of work may lie within each other. */
void vk_device_hold(PixDevice *base)
{
    VulkanDevice *device = vk_device(base);
    g_rec_mutex_lock(&device->lock);
    if (device->holds++ > 0)
        return;
    vk_buffer_mend(device->gpu, device->sums, 0, device->sums->bytes);
    vk_buffer_mend(device->gpu, device->scalars, 0, device->scalars->bytes);
}

void vk_device_release(PixDevice *base)
{
    VulkanDevice *device = vk_device(base);
    device->holds--;
    g_rec_mutex_unlock(&device->lock);
}

/* ---- to and fro ---- */

/* @at: (out): where in the staging buffer there are @bytes until the next flush. */
static bool stage(VulkanDevice *device, size_t bytes, size_t *at, GError **error)
{
    g_assert(!device->recording && bytes <= STAGING_BYTES);
    if (bytes > STAGING_BYTES - device->staged && !flush(device, error))
        return false;
    *at = device->staged;
    device->staged += (bytes + VK_ALIGNMENT - 1) / VK_ALIGNMENT * VK_ALIGNMENT;
    return true;
}

static bool upload_part(VulkanDevice *device, PixBuffer *buffer, size_t offset, const void *data,
                        size_t bytes, GError **error)
{
    size_t at;
    if (!stage(device, bytes, &at, error))
        return false;
    memcpy((char *)device->staging->data + at, data, bytes);
    vk_copy_bytes(&device->base, device->staging, at, buffer, offset, bytes);
    return true;
}

static bool download_part(VulkanDevice *device, PixBuffer *buffer, size_t offset, void *data,
                          size_t bytes, GError **error)
{
    size_t at;
    if (!stage(device, bytes, &at, error))
        return false;
    vk_copy_bytes(&device->base, buffer, offset, device->staging, at, bytes);
    bool done = flush(device, error) && vk_buffer_check(device->gpu, device->staging, error);
    vk_buffer_mend(device->gpu, device->staging, 0, STAGING_BYTES);
    if (!done)
        return false;
    memcpy(data, (const char *)device->staging->data + at, bytes);
    return true;
}

bool vk_upload(PixDevice *base, PixBuffer *buffer, size_t offset, const void *data, size_t bytes,
               GError **error)
{
    VulkanDevice *device = vk_device(base);
    bool done = true;
    g_rec_mutex_lock(&device->lock);
    vk_buffer_mend(device->gpu, buffer, offset, bytes); /* all of it is written anew, in parts */
    for (size_t at = 0; at < bytes && done; at += STAGING_BYTES)
        done = upload_part(device, buffer, offset + at, (const char *)data + at,
                           MIN(bytes - at, STAGING_BYTES), error);
    g_rec_mutex_unlock(&device->lock);
    return done;
}

bool vk_download(PixDevice *base, PixBuffer *buffer, size_t offset, void *data, size_t bytes,
                 GError **error)
{
    VulkanDevice *device = vk_device(base);
    bool done = true;
    g_rec_mutex_lock(&device->lock);
    for (size_t at = 0; at < bytes && done; at += STAGING_BYTES)
        done = download_part(device, buffer, offset + at, (char *)data + at,
                             MIN(bytes - at, STAGING_BYTES), error);
    g_rec_mutex_unlock(&device->lock);
    return done;
}

/* ---- memory ---- */

PixBuffer *vk_device_buffer_new(PixDevice *device, size_t bytes, GError **error)
{
    return vk_buffer_new(vk_device(device)->gpu, bytes, VK_MEMORY_OWN, error);
}

void vk_device_buffer_free(PixDevice *device, PixBuffer *buffer)
{
    if (!buffer)
        return;
    VulkanDevice *vulkan = vk_device(device);
    g_rec_mutex_lock(&vulkan->lock);
    flush(vulkan, NULL); /* what is still to be done may need it */
    vk_traces_forget(vulkan->once, buffer);
    g_rec_mutex_unlock(&vulkan->lock);
    vk_buffer_free(vulkan->gpu, buffer);
}

/* ---- recordings ---- */

bool vk_device_record(PixDevice *base, GError **error)
{
    VulkanDevice *device = vk_device(base);
    g_rec_mutex_lock(&device->lock);
    g_assert(!device->recording);
    vk_traces_submit(device->once); /* nobody has to wait for the lock to submit it */
    device->recording = vk_commands_new(device->gpu, false, error);
    if (device->recording && vk_commands_begin(device->recording, error))
        return true;
    g_clear_pointer(&device->recording, vk_commands_free);
    g_rec_mutex_unlock(&device->lock);
    return false;
}

PixCommands *vk_device_finish(PixDevice *base, GError **error)
{
    VulkanDevice *device = vk_device(base);
    PixCommands *commands = g_steal_pointer(&device->recording);
    bool done = vk_commands_end(commands, error);
    g_rec_mutex_unlock(&device->lock);
    if (done)
        return commands;
    vk_commands_free(commands);
    return NULL;
}

bool vk_device_submit(PixDevice *base, PixCommands *commands, GError **error)
{
    VulkanDevice *device = vk_device(base);
    if (vk_commands_has_waiting(commands)) {
        g_rec_mutex_lock(&device->lock);
        vk_traces_submit(device->once);
        g_rec_mutex_unlock(&device->lock);
    }
    return vk_commands_check_buffers(commands, error) && vk_commands_submit(commands, error);
}

bool vk_device_wait(PixDevice *device, PixCommands *commands, GError **error)
{
    return vk_commands_wait(commands, error);
}

void vk_device_commands_free(PixDevice *device, PixCommands *commands)
{
    vk_commands_free(commands);
}

/* ---- figures ---- */

PixWork vk_device_work(PixDevice *base)
{
    VulkanDevice *device = vk_device(base);
    g_rec_mutex_lock(&device->lock);
    VulkanTraceCounts counts = vk_traces_count(device->once);
    PixWork work = device->work;
    work.submissions = counts.submissions;
    work.waits = counts.waits;
    g_rec_mutex_unlock(&device->lock);
    return work;
}

void vk_device_mark(PixDevice *base)
{
    VulkanDevice *device = vk_device(base);
    g_rec_mutex_lock(&device->lock);
    g_assert(device->recording);
    vk_commands_mark(device->recording);
    g_rec_mutex_unlock(&device->lock);
}

bool vk_device_read_marks(PixDevice *device, PixCommands *commands, double *ms, guint n)
{
    return vk_commands_read_marks(commands, ms, n);
}
