/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-commands.h"

#include <string.h>

#include "error.h"
#include "vk-descriptors.h"
#include "vk-error.h"
#include "vk-marks.h"

#define SLOTS VK_VARYING_SLOTS
#define SLOT VK_VARYING_BYTES /* no device wants a larger alignment */
#define SECOND_NS 1000000000ull

typedef struct {
    const void *host;
    size_t bytes;
} Varying;

struct PixCommands {
    VulkanGpu *gpu;
    VkCommandPool pool;
    VkCommandBuffer buffer;
    VkFence fence;
    bool fixed, open, pending;
    VulkanDescriptors descriptors;
    PixBuffer *varying; /* SLOTS slots */
    GArray *slots;      /* of Varying */
    GArray *errands;    /* of VulkanErrand */
    GPtrArray *buffers; /* PixBuffer that it uses, each once; none where it is fixed */
    VulkanHazards hazards;
    VulkanMarks marks;
    GError *error; /* of the recording */
};

/* ---- making ---- */

static bool make_objects(PixCommands *commands, GError **error)
{
    VulkanGpu *gpu = commands->gpu;
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = gpu->family};
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    if (!VK_MAKE(gpu, vkCreateCommandPool, &pool, &commands->pool, error) ||
        !VK_MAKE(gpu, vkCreateFence, &fence, &commands->fence, error))
        return false;
    const VkCommandBufferAllocateInfo buffer = {.sType =
                                                    VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                                .commandPool = commands->pool,
                                                .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                                .commandBufferCount = 1};
    return vk_gpu_check(gpu,
                        gpu->vk.vkAllocateCommandBuffers(gpu->device, &buffer, &commands->buffer),
                        "vkAllocateCommandBuffers", error);
}

PixCommands *vk_commands_new(VulkanGpu *gpu, bool fixed, GError **error)
{
    PixCommands *commands = g_new0(PixCommands, 1);
    commands->gpu = gpu;
    commands->fixed = fixed;
    vk_descriptors_init(&commands->descriptors, gpu);
    commands->buffers = g_ptr_array_new();
    commands->slots = g_array_new(FALSE, FALSE, sizeof(Varying));
    commands->errands = g_array_new(FALSE, FALSE, sizeof(VulkanErrand));
    vk_hazards_init(&commands->hazards);
    commands->varying = vk_buffer_new(gpu, SLOTS * SLOT, VK_MEMORY_SHARED, error);
    if (!commands->varying || !make_objects(commands, error)) {
        vk_commands_free(commands);
        return NULL;
    }
    return commands;
}

/*
 * A recording is a step at most; a processor that plays a GPU takes minutes for some. What a device
 * that is lost still does has had its time.
 */
static uint64_t longest_wait(const VulkanGpu *gpu)
{
    return (!vk_gpu_check_alive(gpu, NULL) ? 1 : vk_gpu_is_slow(gpu) ? 600 : 10) * SECOND_NS;
}

static bool wait_for_fence(PixCommands *commands, GError **error)
{
    VulkanGpu *gpu = commands->gpu;
    if (!commands->pending)
        return true;
    VkResult result =
        gpu->vk.vkWaitForFences(gpu->device, 1, &commands->fence, VK_TRUE, longest_wait(gpu));
    /* Lost, it uses nothing any more; after other failures nobody knows. */
    commands->pending = result != VK_SUCCESS && result != VK_ERROR_DEVICE_LOST;
    return vk_gpu_check(gpu, commands->pending ? VK_TIMEOUT : result, "vkWaitForFences", error);
}

static void free_errands(PixCommands *commands)
{
    for (guint i = 0; i < commands->errands->len; i++) {
        const VulkanErrand *errand = &g_array_index(commands->errands, VulkanErrand, i);
        errand->free(errand->data);
    }
    g_array_set_size(commands->errands, 0);
}

static void destroy_objects(PixCommands *commands)
{
    VulkanGpu *gpu = commands->gpu;
    vk_marks_clear(&commands->marks, gpu);
    gpu->vk.vkDestroyFence(gpu->device, commands->fence, NULL);
    gpu->vk.vkDestroyCommandPool(gpu->device, commands->pool, NULL);
}

void vk_commands_free(PixCommands *commands)
{
    if (!commands)
        return;
    wait_for_fence(commands, NULL);
    if (commands->pending)
        vk_gpu_abandon(commands->gpu);
    else
        destroy_objects(commands);
    free_errands(commands);
    vk_buffer_free(commands->gpu, commands->varying);
    vk_hazards_clear(&commands->hazards);
    vk_descriptors_clear(&commands->descriptors);
    g_ptr_array_unref(commands->buffers);
    g_array_unref(commands->slots);
    g_array_unref(commands->errands);
    g_clear_error(&commands->error);
    g_free(commands);
}

bool vk_commands_is_open(const PixCommands *commands)
{
    return commands->open;
}

/* ---- what dispatches see ---- */

/* Returns: where in the buffer of what varies this dispatch's part is; 0 where nothing does. */
static size_t new_slot(PixCommands *commands, const VulkanDispatch *dispatch)
{
    if (!dispatch->varying)
        return 0;
    g_assert(commands->slots->len < SLOTS && dispatch->varying_bytes <= VK_VARYING_BYTES);
    Varying slot = {dispatch->varying, dispatch->varying_bytes};
    size_t offset = (size_t)commands->slots->len * SLOT;
    g_array_append_val(commands->slots, slot);
    if (commands->fixed)
        vk_commands_vary(commands, commands->slots->len - 1, slot.host, slot.bytes);
    return offset;
}

void vk_commands_vary(PixCommands *commands, unsigned slot, const void *data, size_t bytes)
{
    memcpy((char *)commands->varying->data + (size_t)slot * SLOT, data, bytes);
}

static bool bind(PixCommands *commands, const VulkanDispatch *dispatch, GError **error)
{
    VkDescriptorBufferInfo infos[VK_BINDINGS + 1];
    VkDescriptorSet set = vk_descriptors_take(&commands->descriptors, error);
    if (!set)
        return false;
    for (int i = 0; i <= VK_BINDINGS; i++) {
        const VulkanBinding *b = i < VK_BINDINGS ? &dispatch->bindings[i] : &dispatch->uniform;
        infos[i] = b->buffer ? (VkDescriptorBufferInfo){b->buffer->buffer, b->offset,
                                                        (b->bytes + 3) / 4 * 4}
                             : (VkDescriptorBufferInfo){commands->varying->buffer, 0, SLOT};
    }
    if (!dispatch->uniform.buffer)
        infos[VK_BINDINGS].offset = new_slot(commands, dispatch);
    vk_descriptors_bind(&commands->descriptors, commands->buffer, set, infos);
    return true;
}

/* ---- barriers ---- */

#define STAGES (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)
#define READS (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_UNIFORM_READ_BIT)
#define WRITES (VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT)

static void barrier(PixCommands *commands, VkPipelineStageFlags from, VkPipelineStageFlags to,
                    VkAccessFlags made, VkAccessFlags seen)
{
    const VkMemoryBarrier memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = made, .dstAccessMask = seen};
    commands->gpu->vk.vkCmdPipelineBarrier(commands->buffer, from, to, 0, 1, &memory, 0, NULL, 0,
                                           NULL);
}

static void take_turn(PixCommands *commands, const VulkanAccess *accesses, size_t n)
{
    for (size_t i = 0; i < n && !commands->fixed; i++)
        if (!g_ptr_array_find(commands->buffers, accesses[i].buffer, NULL))
            g_ptr_array_add(commands->buffers, (void *)accesses[i].buffer);
    if (vk_hazards_add(&commands->hazards, accesses, n))
        barrier(commands, STAGES, STAGES, WRITES, READS | WRITES);
}

/* ---- recording ---- */

bool vk_commands_begin(PixCommands *commands, GError **error)
{
    VulkanGpu *gpu = commands->gpu;
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    g_assert(!commands->open && !commands->pending);
    vk_descriptors_forget(&commands->descriptors);
    g_ptr_array_set_size(commands->buffers, 0);
    g_array_set_size(commands->slots, 0);
    free_errands(commands);
    vk_hazards_forget(&commands->hazards);
    g_clear_error(&commands->error);
    if (!vk_gpu_check(gpu, gpu->vk.vkResetCommandPool(gpu->device, commands->pool, 0),
                      "vkResetCommandPool", error) ||
        !vk_gpu_check(gpu, gpu->vk.vkBeginCommandBuffer(commands->buffer, &info),
                      "vkBeginCommandBuffer", error))
        return false;
    commands->open = true;
    /* Whatever was submitted before. */
    barrier(commands, STAGES, STAGES, WRITES, READS | WRITES);
    return true;
}

static bool check_groups(const VulkanGpu *gpu, const VulkanDispatch *dispatch, GError **error)
{
    const VkPhysicalDeviceLimits *limits = &gpu->properties.limits;
    const uint32_t *size = dispatch->constants; /* those with ids 0 to 2 */
    bool fits = size[0] * size[1] * size[2] <= limits->maxComputeWorkGroupInvocations;
    for (int i = 0; i < 3; i++) {
        fits = fits && size[i] <= limits->maxComputeWorkGroupSize[i];
        if (dispatch->groups[i] > limits->maxComputeWorkGroupCount[i])
            return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                            "%s: a map is too large for it; use a smaller size or device=cpu",
                            gpu->name);
    }
    return fits || pix_fail(error, PIX_ERROR_UNSUPPORTED,
                            "%s: its groups are too small for a shader; use device=cpu", gpu->name);
}

static bool check_dispatch(const PixCommands *commands, const VulkanDispatch *dispatch,
                           GError **error)
{
    const VkPhysicalDeviceLimits *limits = &commands->gpu->properties.limits;
    g_assert(dispatch->push_bytes <= VK_PUSH_BYTES && dispatch->push_bytes % 4 == 0);
    if (dispatch->varying && commands->slots->len == SLOTS)
        return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                        "%s: a network has more than %d dropout layers; use device=cpu",
                        commands->gpu->name, SLOTS);
    if (!check_groups(commands->gpu, dispatch, error))
        return false;
    for (int i = 0; i < VK_BINDINGS; i++)
        if (dispatch->bindings[i].bytes > limits->maxStorageBufferRange)
            return pix_fail(error, PIX_ERROR_NO_MEMORY,
                            "%s: a map or a layer's weights take %zu MiB, it sees at most %u at a "
                            "time; use a smaller size or device=cpu",
                            commands->gpu->name, dispatch->bindings[i].bytes >> 20,
                            limits->maxStorageBufferRange >> 20);
    return true;
}

static void note_accesses(PixCommands *commands, const VulkanDispatch *dispatch)
{
    VulkanAccess accesses[VK_BINDINGS + 1];
    size_t n = 0;
    for (int i = 0; i <= VK_BINDINGS; i++) {
        const VulkanBinding *b = i < VK_BINDINGS ? &dispatch->bindings[i] : &dispatch->uniform;
        if (b->buffer)
            accesses[n++] = (VulkanAccess){b->buffer, b->offset, b->bytes, b->writes};
    }
    take_turn(commands, accesses, n);
}

static bool record_dispatch(PixCommands *commands, const VulkanDispatch *dispatch, GError **error)
{
    VulkanGpu *gpu = commands->gpu;
    if (!check_dispatch(commands, dispatch, error))
        return false;
    VkPipeline pipeline =
        vk_pipeline_get(gpu, dispatch->shader, dispatch->constants, dispatch->n_constants, error);
    if (!pipeline || !bind(commands, dispatch, error))
        return false;
    note_accesses(commands, dispatch);
    gpu->vk.vkCmdBindPipeline(commands->buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    if (dispatch->push_bytes > 0)
        gpu->vk.vkCmdPushConstants(commands->buffer, gpu->pipeline_layout,
                                   VK_SHADER_STAGE_COMPUTE_BIT, 0, (uint32_t)dispatch->push_bytes,
                                   dispatch->push);
    gpu->vk.vkCmdDispatch(commands->buffer, dispatch->groups[0], dispatch->groups[1],
                          dispatch->groups[2]);
    return true;
}

void vk_commands_dispatch(PixCommands *commands, const VulkanDispatch *dispatch)
{
    if (!commands->error)
        record_dispatch(commands, dispatch, &commands->error);
}

void vk_commands_copy(PixCommands *commands, PixBuffer *from, size_t from_offset, PixBuffer *to,
                      size_t to_offset, size_t bytes)
{
    const VulkanAccess accesses[] = {{from, from_offset, bytes, false},
                                     {to, to_offset, bytes, true}};
    const VkBufferCopy region = {from_offset, to_offset, bytes};
    if (bytes == 0)
        return;
    take_turn(commands, accesses, G_N_ELEMENTS(accesses));
    commands->gpu->vk.vkCmdCopyBuffer(commands->buffer, from->buffer, to->buffer, 1, &region);
}

void vk_commands_fill(PixCommands *commands, PixBuffer *buffer, size_t offset, size_t bytes,
                      uint32_t word)
{
    const VulkanAccess access = {buffer, offset, bytes, true};
    if (bytes == 0)
        return;
    take_turn(commands, &access, 1);
    commands->gpu->vk.vkCmdFillBuffer(commands->buffer, buffer->buffer, offset, bytes, word);
}

bool vk_commands_check(PixCommands *commands, GError **error)
{
    if (!commands->error)
        return true;
    g_propagate_error(error, g_steal_pointer(&commands->error));
    return false;
}

void vk_commands_add_errand(PixCommands *commands, const VulkanErrand *errand)
{
    g_array_append_vals(commands->errands, errand, 1);
}

size_t vk_commands_bytes(const PixCommands *commands)
{
    size_t bytes = 0;
    for (guint i = 0; i < commands->errands->len; i++)
        bytes += g_array_index(commands->errands, VulkanErrand, i).bytes;
    return bytes;
}

void vk_commands_mark(PixCommands *commands)
{
    vk_marks_add(&commands->marks, commands->gpu, commands->buffer);
}

bool vk_commands_read_marks(const PixCommands *commands, double *ms, uint32_t n)
{
    return vk_marks_read(&commands->marks, commands->gpu, ms, n);
}

bool vk_commands_end(PixCommands *commands, GError **error)
{
    VulkanGpu *gpu = commands->gpu;
    g_assert(commands->open);
    barrier(commands, STAGES, VK_PIPELINE_STAGE_HOST_BIT, WRITES, VK_ACCESS_HOST_READ_BIT);
    commands->open = false;
    VkResult result = gpu->vk.vkEndCommandBuffer(commands->buffer);
    return vk_commands_check(commands, error) &&
           vk_gpu_check(gpu, result, "vkEndCommandBuffer", error);
}

/* ---- running ---- */

static void refresh(PixCommands *commands)
{
    for (guint i = 0; i < commands->slots->len && !commands->fixed; i++) {
        const Varying *slot = &g_array_index(commands->slots, Varying, i);
        vk_commands_vary(commands, i, slot->host, slot->bytes);
    }
}

static void run_errands(PixCommands *commands)
{
    for (guint i = 0; i < commands->errands->len; i++) {
        const VulkanErrand *errand = &g_array_index(commands->errands, VulkanErrand, i);
        if (errand->before)
            errand->before(errand->data);
    }
}

bool vk_commands_has_waiting(const PixCommands *commands)
{
    bool waiting = false;
    for (guint i = 0; i < commands->buffers->len && !waiting; i++)
        waiting = g_atomic_int_get(&((PixBuffer *)commands->buffers->pdata[i])->waiting);
    return waiting;
}

bool vk_commands_check_buffers(const PixCommands *commands, GError **error)
{
    for (guint i = 0; i < commands->buffers->len; i++)
        if (!vk_buffer_check(commands->gpu, commands->buffers->pdata[i], error))
            return false;
    return true;
}

bool vk_commands_submit(PixCommands *commands, GError **error)
{
    VulkanGpu *gpu = commands->gpu;
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &commands->buffer};
    g_assert(!commands->open);
    if (!vk_gpu_check_alive(gpu, error))
        return false;
    g_assert(!commands->pending);
    if (!vk_gpu_check(gpu, gpu->vk.vkResetFences(gpu->device, 1, &commands->fence), "vkResetFences",
                      error))
        return false;
    refresh(commands);
    run_errands(commands);
    g_mutex_lock(&gpu->queue_lock);
    VkResult result = gpu->vk.vkQueueSubmit(gpu->queue, 1, &info, commands->fence);
    g_mutex_unlock(&gpu->queue_lock);
    commands->pending = vk_gpu_check(gpu, result, "vkQueueSubmit", error);
    return commands->pending;
}

bool vk_commands_wait(PixCommands *commands, GError **error)
{
    bool good = true;
    if (!commands->pending)
        return true;
    if (!wait_for_fence(commands, error))
        return false;
    for (guint i = 0; i < commands->errands->len && good; i++) {
        const VulkanErrand *errand = &g_array_index(commands->errands, VulkanErrand, i);
        good = !errand->after || errand->after(errand->data, error);
    }
    return good;
}
