/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The layer of faults as the loader sees it: which calls it takes, and what it passes on. */
#include <pthread.h>
#include <string.h>

#include <vulkan/vk_layer.h>

#include "fault-layer.h"

#define EXPORT __attribute__((visibility("default")))
#define MOST_COPIES 8
#define MOST_MEMORIES 4096

/* ---- the next in the chain ---- */

static VkInstance instance;
static PFN_vkGetInstanceProcAddr next_instance;
static PFN_vkGetDeviceProcAddr next_device;

/* Those of the instance have to be asked for while it is made. */
#define INSTANCE_FUNCTIONS(X)                                                                      \
    X(DestroyInstance)                                                                             \
    X(EnumeratePhysicalDevices)                                                                    \
    X(GetPhysicalDeviceProperties)                                                                 \
    X(GetPhysicalDeviceProperties2)                                                                \
    X(GetPhysicalDeviceMemoryProperties)                                                           \
    X(GetPhysicalDeviceMemoryProperties2)                                                          \
    X(CreateDevice)

static struct {
#define MEMBER(name) PFN_vk##name name;
    INSTANCE_FUNCTIONS(MEMBER)
} next;

#define NEXT(device, name) ((PFN_vk##name)next_device(device, "vk" #name))

/* The device of functions that are given a queue or a command buffer. */
static VkDevice last_device;

/* ---- instances ---- */

static VkLayerInstanceCreateInfo *link_of_instance(const VkInstanceCreateInfo *info)
{
    VkLayerInstanceCreateInfo *chain = (VkLayerInstanceCreateInfo *)info->pNext;
    while (chain && !(chain->sType == VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO &&
                      chain->function == VK_LAYER_LINK_INFO))
        chain = (VkLayerInstanceCreateInfo *)chain->pNext;
    return chain;
}

static VKAPI_ATTR VkResult VKAPI_CALL hook_CreateInstance(const VkInstanceCreateInfo *info,
                                                          const VkAllocationCallbacks *callbacks,
                                                          VkInstance *out)
{
    VkLayerInstanceCreateInfo *link = link_of_instance(info);
    VkResult result;
    if (fault_fails(FAULT_CreateInstance, &result))
        return result;
    next_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    result = ((PFN_vkCreateInstance)next_instance(NULL, "vkCreateInstance"))(info, callbacks, out);
    if (result != VK_SUCCESS)
        return result;
    instance = *out;
#define FETCH(name) next.name = (PFN_vk##name)next_instance(instance, "vk" #name);
    INSTANCE_FUNCTIONS(FETCH)
    return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL hook_DestroyInstance(VkInstance old,
                                                       const VkAllocationCallbacks *callbacks)
{
    fault_write_counts();
    next.DestroyInstance(old, callbacks);
}

static VKAPI_ATTR VkResult VKAPI_CALL hook_EnumeratePhysicalDevices(VkInstance of, uint32_t *n,
                                                                    VkPhysicalDevice *devices)
{
    VkPhysicalDevice own[MOST_COPIES];
    uint32_t n_own = MOST_COPIES, copies = fault_device_copies(), room = *n;
    VkResult result;
    if (fault_fails(FAULT_EnumeratePhysicalDevices, &result))
        return result;
    if (copies == 1)
        return next.EnumeratePhysicalDevices(of, n, devices);
    result = next.EnumeratePhysicalDevices(of, &n_own, own);
    *n = devices && room < n_own * copies ? room : n_own * copies;
    for (uint32_t i = 0; devices && i < *n; i++)
        devices[i] = own[i / copies];
    return result < 0 ? result : devices && *n < n_own * copies ? VK_INCOMPLETE : VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL
hook_GetPhysicalDeviceProperties(VkPhysicalDevice physical, VkPhysicalDeviceProperties *properties)
{
    next.GetPhysicalDeviceProperties(physical, properties);
    fault_lower_limits(&properties->limits);
}

static VKAPI_ATTR void VKAPI_CALL hook_GetPhysicalDeviceProperties2(
    VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *properties)
{
    next.GetPhysicalDeviceProperties2(physical, properties);
    fault_lower_limits(&properties->properties.limits);
    for (VkBaseOutStructure *s = properties->pNext; s; s = s->pNext)
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES)
            fault_lower_allocation((VkPhysicalDeviceMaintenance3Properties *)s);
}

static VKAPI_ATTR void VKAPI_CALL hook_GetPhysicalDeviceMemoryProperties(
    VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties *memory)
{
    next.GetPhysicalDeviceMemoryProperties(physical, memory);
    fault_shrink_heaps(memory);
}

static VKAPI_ATTR void VKAPI_CALL hook_GetPhysicalDeviceMemoryProperties2(
    VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties2 *memory)
{
    next.GetPhysicalDeviceMemoryProperties2(physical, memory);
    fault_shrink_heaps(&memory->memoryProperties);
}

/* ---- devices ---- */

static VkLayerDeviceCreateInfo *link_of_device(const VkDeviceCreateInfo *info)
{
    VkLayerDeviceCreateInfo *chain = (VkLayerDeviceCreateInfo *)info->pNext;
    while (chain && !(chain->sType == VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO &&
                      chain->function == VK_LAYER_LINK_INFO))
        chain = (VkLayerDeviceCreateInfo *)chain->pNext;
    return chain;
}

/* Features are asked for in one of two places. Returns: where; @own is for when it is neither. */
static VkPhysicalDeviceFeatures *features_of(VkDeviceCreateInfo *info,
                                             VkPhysicalDeviceFeatures *own)
{
    for (VkBaseOutStructure *s = (VkBaseOutStructure *)info->pNext; s; s = s->pNext)
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2)
            return &((VkPhysicalDeviceFeatures2 *)s)->features;
    if (info->pEnabledFeatures)
        *own = *info->pEnabledFeatures;
    info->pEnabledFeatures = own;
    return own;
}

static VKAPI_ATTR VkResult VKAPI_CALL hook_CreateDevice(VkPhysicalDevice physical,
                                                        const VkDeviceCreateInfo *wanted,
                                                        const VkAllocationCallbacks *callbacks,
                                                        VkDevice *out)
{
    VkLayerDeviceCreateInfo *link = link_of_device(wanted);
    VkDeviceCreateInfo info = *wanted;
    VkPhysicalDeviceFeatures features = {0};
    VkResult result;
    if (fault_fails(FAULT_CreateDevice, &result)) {
        memset(out, 0xdb, sizeof *out);
        return result;
    }
    next_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    if (fault_is_robust())
        features_of(&info, &features)->robustBufferAccess = VK_TRUE;
    result = next.CreateDevice(physical, &info, callbacks, out);
    if (result == VK_SUCCESS) {
        last_device = *out;
        fault_find_device();
    }
    return result;
}

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
FALLIBLE(BeginCommandBuffer, last_device,
         (VkCommandBuffer buffer, const VkCommandBufferBeginInfo *info), (buffer, info))
FALLIBLE(EndCommandBuffer, last_device, (VkCommandBuffer buffer), (buffer))
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
    result = NEXT(last_device, QueueSubmit)(queue, n, infos, fence);
    if (fault_loses())
        NEXT(last_device, DeviceWaitIdle)(last_device);
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
        NEXT(last_device, CmdPipelineBarrier)
    (buffer, from, to, flags, n_memory, memory, n_buffers, buffers, n_images, images);
}

static VKAPI_ATTR void VKAPI_CALL hook_CmdDispatch(VkCommandBuffer buffer, uint32_t x, uint32_t y,
                                                   uint32_t z)
{
    if (!fault_drops(FAULT_CmdDispatch))
        NEXT(last_device, CmdDispatch)(buffer, x, y, z);
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
                                                          const VkMemoryAllocateInfo *info,
                                                          const VkAllocationCallbacks *callbacks,
                                                          VkDeviceMemory *out)
{
    VkResult result;
    memset(out, 0xdb, sizeof *out);
    if (fault_fails(FAULT_AllocateMemory, &result))
        return result;
    result = fault_take_memory(info->allocationSize);
    if (result != VK_SUCCESS)
        return result;
    result = NEXT(device, AllocateMemory)(device, info, callbacks, out);
    if (result != VK_SUCCESS) {
        fault_give_memory(info->allocationSize);
        return result;
    }
    replace_memory(VK_NULL_HANDLE, *out, info->allocationSize);
    return result;
}

static VKAPI_ATTR void VKAPI_CALL hook_FreeMemory(VkDevice device, VkDeviceMemory memory,
                                                  const VkAllocationCallbacks *callbacks)
{
    if (memory)
        fault_give_memory(replace_memory(memory, VK_NULL_HANDLE, 0));
    NEXT(device, FreeMemory)(device, memory, callbacks);
}

/* ---- the table ---- */

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_instance_function(VkInstance of,
                                                                      const char *name);
static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device_function(VkDevice device,
                                                                    const char *name);

typedef struct {
    const char *name;
    PFN_vkVoidFunction hook;
} Hook;

#define HOOK(name) {"vk" #name, (PFN_vkVoidFunction)hook_##name},

static const Hook instance_hooks[] = {
    {"vkGetInstanceProcAddr", (PFN_vkVoidFunction)get_instance_function},
    HOOK(CreateInstance) INSTANCE_FUNCTIONS(HOOK)};

static const Hook device_hooks[] = {
    {"vkGetDeviceProcAddr", (PFN_vkVoidFunction)get_device_function},
#define CREATOR_HOOK(function, handle) HOOK(function)
    FAULT_CREATORS(CREATOR_HOOK) HOOK(BindBufferMemory) HOOK(MapMemory) HOOK(AllocateCommandBuffers)
        HOOK(AllocateDescriptorSets) HOOK(ResetCommandPool) HOOK(BeginCommandBuffer)
            HOOK(EndCommandBuffer) HOOK(ResetFences) HOOK(GetFenceStatus) HOOK(GetQueryPoolResults)
                HOOK(GetPipelineCacheData) HOOK(DeviceWaitIdle) HOOK(CreateComputePipelines)
                    HOOK(QueueSubmit) HOOK(WaitForFences) HOOK(WaitSemaphores)
                        HOOK(CmdPipelineBarrier) HOOK(CmdDispatch) HOOK(AllocateMemory)
                            HOOK(FreeMemory)};

static PFN_vkVoidFunction find(const Hook *hooks, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(hooks[i].name, name) == 0)
            return hooks[i].hook;
    return NULL;
}

#define FIND(hooks, name) find(hooks, sizeof hooks / sizeof *hooks, name)

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device_function(VkDevice device,
                                                                    const char *name)
{
    PFN_vkVoidFunction other = next_device(device, name), hook = FIND(device_hooks, name);
    return other && hook ? hook : other;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_instance_function(VkInstance of,
                                                                      const char *name)
{
    PFN_vkVoidFunction hook = FIND(instance_hooks, name);
    if (!hook)
        hook = FIND(device_hooks, name);
    return hook ? hook : of ? next_instance(of, name) : NULL;
}

EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *interface)
{
    interface->loaderLayerInterfaceVersion = 2;
    interface->pfnGetInstanceProcAddr = get_instance_function;
    interface->pfnGetDeviceProcAddr = get_device_function;
    interface->pfnGetPhysicalDeviceProcAddr = NULL;
    return VK_SUCCESS;
}
