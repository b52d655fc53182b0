/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The functions of a device that the layer of faults stands in front of. */
#include "fault-calls.h"

#include <pthread.h>
#include <string.h>

#include "fault-layer.h"

#define MOST_MEMORIES 4096

PFN_vkGetDeviceProcAddr fault_next;
VkDevice fault_device;

#define NEXT(device, name) ((PFN_vk##name)fault_next(device, "vk" #name))

/* ---- functions that fail ---- */

/* The handle is rubbish then, as it may be. */
#define CREATOR(name, handle)                                                                      \
    static VKAPI_ATTR VkResult VKAPI_CALL hook_##name(                                             \
        VkDevice device, const Vk##handle##CreateInfo *info,                                       \
        const VkAllocationCallbacks *callbacks, Vk##handle *out)                                   \
    {                                                                                              \
        VkResult result;                                                                           \
        if (!fault_fails(FAULT_##name, &result))                                                   \
            return NEXT(device, name)(device, info, callbacks, out);                               \
        memset(out, 0xdb, sizeof *out);                                                            \
        return result;                                                                             \
    }
FAULT_CREATORS(CREATOR)

#define FALLIBLE(name, device, parameters, arguments)                                              \
    static VKAPI_ATTR VkResult VKAPI_CALL hook_##name parameters                                   \
    {                                                                                              \
        VkResult result;                                                                           \
        return fault_fails(FAULT_##name, &result) ? result : NEXT(device, name) arguments;         \
    }

FALLIBLE(BindBufferMemory, device,
         (VkDevice device, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset),
         (device, buffer, memory, offset))
FALLIBLE(MapMemory, device,
         (VkDevice device, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size,
          VkMemoryMapFlags flags, void **data),
         (device, memory, offset, size, flags, data))
FALLIBLE(AllocateCommandBuffers, device,
         (VkDevice device, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *buffers),
         (device, info, buffers))
FALLIBLE(AllocateDescriptorSets, device,
         (VkDevice device, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *sets),
         (device, info, sets))
FALLIBLE(ResetCommandPool, device,
         (VkDevice device, VkCommandPool pool, VkCommandPoolResetFlags flags),
         (device, pool, flags))
FALLIBLE(BeginCommandBuffer, fault_device,
         (VkCommandBuffer buffer, const VkCommandBufferBeginInfo *info), (buffer, info))
FALLIBLE(EndCommandBuffer, fault_device, (VkCommandBuffer buffer), (buffer))
FALLIBLE(ResetFences, device, (VkDevice device, uint32_t n, const VkFence *fences),
         (device, n, fences))
FALLIBLE(GetFenceStatus, device, (VkDevice device, VkFence fence), (device, fence))
FALLIBLE(GetQueryPoolResults, device,
         (VkDevice device, VkQueryPool pool, uint32_t first, uint32_t n, size_t size, void *data,
          VkDeviceSize stride, VkQueryResultFlags flags),
         (device, pool, first, n, size, data, stride, flags))
FALLIBLE(GetPipelineCacheData, device,
         (VkDevice device, VkPipelineCache cache, size_t *size, void *data),
         (device, cache, size, data))
FALLIBLE(DeviceWaitIdle, device, (VkDevice device), (device))

static VKAPI_ATTR VkResult VKAPI_CALL hook_CreateComputePipelines(
    VkDevice device, VkPipelineCache cache, uint32_t n, const VkComputePipelineCreateInfo *infos,
    const VkAllocationCallbacks *callbacks, VkPipeline *pipelines)
{
    VkResult result;
    if (!fault_fails(FAULT_CreateComputePipelines, &result))
        return NEXT(device, CreateComputePipelines)(device, cache, n, infos, callbacks, pipelines);
    memset(pipelines, 0, n * sizeof *pipelines); /* which these alone promise */
    return result;
}

/* ---- work ---- */

/* A device that is lost has ended all work: the driver does not go on in secret. */
static VKAPI_ATTR VkResult VKAPI_CALL hook_QueueSubmit(VkQueue queue, uint32_t n,
                                                       const VkSubmitInfo *infos, VkFence fence)
{
    VkResult result;
    if (fault_fails(FAULT_QueueSubmit, &result))
        return result;
    result = NEXT(fault_device, QueueSubmit)(queue, n, infos, fence);
    if (fault_loses())
        NEXT(fault_device, DeviceWaitIdle)(fault_device);
    return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL hook_WaitForFences(VkDevice device, uint32_t n,
                                                         const VkFence *fences, VkBool32 all,
                                                         uint64_t timeout)
{
    VkResult result;
    if (fault_fails(FAULT_WaitForFences, &result)) {
        if (result == VK_ERROR_DEVICE_LOST)
            NEXT(device, DeviceWaitIdle)(device);
        return result;
    }
    return fault_hangs() ? VK_TIMEOUT
                         : NEXT(device, WaitForFences)(device, n, fences, all, timeout);
}

static VKAPI_ATTR VkResult VKAPI_CALL hook_WaitSemaphores(VkDevice device,
                                                          const VkSemaphoreWaitInfo *info,
                                                          uint64_t timeout)
{
    VkResult result;
    if (fault_fails(FAULT_WaitSemaphores, &result))
        return result;
    return fault_hangs() ? VK_TIMEOUT : NEXT(device, WaitSemaphores)(device, info, timeout);
}

static VKAPI_ATTR void VKAPI_CALL hook_CmdPipelineBarrier(
    VkCommandBuffer buffer, VkPipelineStageFlags from, VkPipelineStageFlags to,
    VkDependencyFlags flags, uint32_t n_memory, const VkMemoryBarrier *memory, uint32_t n_buffers,
    const VkBufferMemoryBarrier *buffers, uint32_t n_images, const VkImageMemoryBarrier *images)
{
    if (!fault_drops(FAULT_CmdPipelineBarrier))
        NEXT(fault_device, CmdPipelineBarrier)
    (buffer, from, to, flags, n_memory, memory, n_buffers, buffers, n_images, images);
}

static VKAPI_ATTR void VKAPI_CALL hook_CmdDispatch(VkCommandBuffer buffer, uint32_t x, uint32_t y,
                                                   uint32_t z)
{
    if (!fault_drops(FAULT_CmdDispatch))
        NEXT(fault_device, CmdDispatch)(buffer, x, y, z);
}

/* ---- bindings ---- */

#define MOST_WRITES 16

/* What a driver keeps within a binding as a courtesy then reaches what lies behind it. */
static VKAPI_ATTR void VKAPI_CALL hook_UpdateDescriptorSets(VkDevice device, uint32_t n,
                                                            const VkWriteDescriptorSet *writes,
                                                            uint32_t n_copies,
                                                            const VkCopyDescriptorSet *copies)
{
    VkWriteDescriptorSet wide[MOST_WRITES];
    VkDescriptorBufferInfo infos[MOST_WRITES];
    bool widens = fault_is_wide() && n <= MOST_WRITES;
    for (uint32_t i = 0; widens && i < n; i++) {
        wide[i] = writes[i];
        if (writes[i].descriptorType != VK_DESCRIPTOR_TYPE_STORAGE_BUFFER)
            continue;
        infos[i] = *writes[i].pBufferInfo;
        infos[i].range = VK_WHOLE_SIZE;
        wide[i].pBufferInfo = &infos[i];
    }
    NEXT(device, UpdateDescriptorSets)(device, n, widens ? wide : writes, n_copies, copies);
}

/* ---- memory ---- */

static struct {
    VkDeviceMemory memory;
    uint64_t bytes;
} memories[MOST_MEMORIES];
static pthread_mutex_t memories_lock = PTHREAD_MUTEX_INITIALIZER;

/* Keeps @to in the place of @from. Returns: the bytes that were kept there. */
static uint64_t replace_memory(VkDeviceMemory from, VkDeviceMemory to, uint64_t bytes)
{
    uint64_t old = 0;
    pthread_mutex_lock(&memories_lock);
    for (int i = 0; i < MOST_MEMORIES; i++)
        if (memories[i].memory == from) {
            old = memories[i].bytes;
            memories[i].memory = to;
            memories[i].bytes = bytes;
            break;
        }
    pthread_mutex_unlock(&memories_lock);
    return old;
}

static VKAPI_ATTR VkResult VKAPI_CALL hook_AllocateMemory(VkDevice device,
                                                          const VkMemoryAllocateInfo *wanted,
                                                          const VkAllocationCallbacks *callbacks,
                                                          VkDeviceMemory *out)
{
    VkMemoryAllocateInfo info = *wanted;
    VkResult result;
    memset(out, 0xdb, sizeof *out);
    if (fault_fails(FAULT_AllocateMemory, &result))
        return result;
    if (!fault_choose_type(&info))
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    result = fault_take_memory(info.allocationSize);
    if (result != VK_SUCCESS)
        return result;
    result = NEXT(device, AllocateMemory)(device, &info, callbacks, out);
    if (result != VK_SUCCESS) {
        fault_give_memory(info.allocationSize);
        return result;
    }
    replace_memory(VK_NULL_HANDLE, *out, info.allocationSize);
    return result;
}

static VKAPI_ATTR void VKAPI_CALL hook_FreeMemory(VkDevice device, VkDeviceMemory memory,
                                                  const VkAllocationCallbacks *callbacks)
{
    if (memory)
        fault_give_memory(replace_memory(memory, VK_NULL_HANDLE, 0));
    NEXT(device, FreeMemory)(device, memory, callbacks);
}

static VKAPI_ATTR void VKAPI_CALL hook_GetBufferMemoryRequirements(VkDevice device, VkBuffer buffer,
                                                                   VkMemoryRequirements *needs)
{
    NEXT(device, GetBufferMemoryRequirements)(device, buffer, needs);
    fault_allow_types(needs);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    PFN_vkVoidFunction hook;
} hooks[] = {
#define HOOK(name)                                                                                 \
    {                                                                                              \
        "vk" #name, (PFN_vkVoidFunction)hook_##name                                                \
    }
#define CREATOR_HOOK(name, handle) HOOK(name),
    HOOK(BindBufferMemory),
    HOOK(MapMemory),
    HOOK(AllocateCommandBuffers),
    HOOK(AllocateDescriptorSets),
    HOOK(ResetCommandPool),
    HOOK(BeginCommandBuffer),
    HOOK(EndCommandBuffer),
    HOOK(ResetFences),
    HOOK(GetFenceStatus),
    HOOK(GetQueryPoolResults),
    HOOK(GetPipelineCacheData),
    HOOK(DeviceWaitIdle),
    HOOK(CreateComputePipelines),
    HOOK(QueueSubmit),
    HOOK(WaitForFences),
    HOOK(WaitSemaphores),
    HOOK(CmdPipelineBarrier),
    HOOK(CmdDispatch),
    HOOK(AllocateMemory),
    HOOK(FreeMemory),
    HOOK(GetBufferMemoryRequirements),
    HOOK(UpdateDescriptorSets),
    FAULT_CREATORS(CREATOR_HOOK)};

PFN_vkVoidFunction fault_find_call(const char *name)
{
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        if (strcmp(hooks[i].name, name) == 0)
            return hooks[i].hook;
    return NULL;
}
