/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-gpu.h"

#include "error.h"
#include "vk-error.h"
#include "vk-loader.h"
#include "vk-pipeline.h"

static GMutex list_lock;
static GPtrArray *list; /* of VulkanGpu in use */

/* ---- one GPU ---- */

static bool make_device(VulkanGpu *gpu, GError **error)
{
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = gpu->family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    VulkanFeatureChain chain;
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue};
    vk_features_enable(gpu->features, &chain, &info);
    if (!vk_check(vkCreateDevice(gpu->physical, &info, NULL, &gpu->device), "vkCreateDevice",
                  error)) {
        gpu->device = VK_NULL_HANDLE;
        return false;
    }
    volkLoadDeviceTable(&gpu->vk, gpu->device);
    gpu->vk.vkGetDeviceQueue(gpu->device, gpu->family, 0, &gpu->queue);
    return true;
}

static VkDeviceSize largest_allocation(VkPhysicalDevice physical)
{
    VkPhysicalDeviceMaintenance3Properties limits = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
    vk_loader_properties(physical, &limits);
    return limits.maxMemoryAllocationSize;
}

static void describe(VulkanGpu *gpu)
{
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    vkGetPhysicalDeviceProperties(gpu->physical, &gpu->properties);
    vkGetPhysicalDeviceMemoryProperties(gpu->physical, &gpu->memory);
    gpu->largest_bytes = largest_allocation(gpu->physical);
    gpu->features = vk_features_find(gpu->physical);
    gpu->name = g_strdup(gpu->properties.deviceName);
    gpu->uuid = vk_loader_uuid(gpu->physical);
    if (gpu->properties.apiVersion < VK_API_VERSION_1_2) {
        gpu->driver = g_strdup_printf("driver %u", gpu->properties.driverVersion);
        return;
    }
    vk_loader_properties(gpu->physical, &driver);
    gpu->driver = g_strdup_printf("%s %s", driver.driverName, driver.driverInfo);
}

static void free_gpu(VulkanGpu *gpu)
{
    if (gpu->device) {
        vk_pipelines_clear(gpu);
        gpu->vk.vkDestroyDevice(gpu->device, NULL);
    }
    g_mutex_clear(&gpu->queue_lock);
    g_mutex_clear(&gpu->spoiled_lock);
    g_mutex_clear(&gpu->pipelines_lock);
    g_mutex_clear(&gpu->tiles_lock);
    for (size_t i = 0; i < G_N_ELEMENTS(gpu->tile_times); i++)
        g_free(gpu->tile_times[i]);
    g_free(gpu->name);
    g_free(gpu->driver);
    g_free(gpu->uuid);
    g_free(gpu);
}

static VulkanGpu *make_gpu(const VulkanChoice *choice, GError **error)
{
    VulkanGpu *gpu = g_new0(VulkanGpu, 1);
    gpu->index = choice->index;
    gpu->physical = choice->physical;
    gpu->family = (uint32_t)vk_loader_queue_family(choice->physical);
    g_mutex_init(&gpu->queue_lock);
    g_mutex_init(&gpu->spoiled_lock);
    g_mutex_init(&gpu->pipelines_lock);
    g_mutex_init(&gpu->tiles_lock);
    describe(gpu);
    if (!make_device(gpu, error) || !vk_pipelines_init(gpu, error)) {
        free_gpu(gpu);
        return NULL;
    }
    return gpu;
}

/* ---- the list ---- */

/* One that is lost is left to those who have it. */
static VulkanGpu *find(VkPhysicalDevice physical)
{
    for (guint i = 0; list && i < list->len; i++) {
        VulkanGpu *gpu = list->pdata[i];
        if (gpu->physical == physical && !g_atomic_int_get(&gpu->lost))
            return gpu;
    }
    return NULL;
}

static VulkanGpu *find_or_make(const char *name, bool real, GError **error)
{
    VulkanChoice choice;
    if (!vk_loader_choose(name, real, &choice, error))
        return NULL;
    VulkanGpu *gpu = find(choice.physical);
    if (!gpu) {
        gpu = make_gpu(&choice, error);
        if (!gpu)
            return NULL;
        if (!list)
            list = g_ptr_array_new();
        g_ptr_array_add(list, gpu);
    }
    gpu->references++;
    return gpu;
}

VulkanGpu *vk_gpu_open(const char *name, bool real, GError **error)
{
    if (!vk_loader_ref(error))
        return NULL;
    g_mutex_lock(&list_lock);
    VulkanGpu *gpu = find_or_make(name, real, error);
    g_mutex_unlock(&list_lock);
    if (!gpu)
        vk_loader_unref();
    return gpu;
}

void vk_gpu_close(VulkanGpu *gpu)
{
    g_mutex_lock(&list_lock);
    if (--gpu->references == 0 && vk_gpu_is_abandoned(gpu)) {
        g_mutex_unlock(&list_lock); /* it stays in the list, and the loader with it */
        return;
    }
    if (gpu->references == 0) {
        g_ptr_array_remove_fast(list, gpu);
        free_gpu(gpu);
        if (list->len == 0)
            g_clear_pointer(&list, g_ptr_array_unref);
    }
    g_mutex_unlock(&list_lock);
    vk_loader_unref();
}

/* ---- what others ask ---- */

static void lose(VulkanGpu *gpu)
{
    g_atomic_int_set(&gpu->lost, 1);
}

void vk_gpu_abandon(VulkanGpu *gpu)
{
    lose(gpu);
    g_atomic_int_set(&gpu->stuck, 1);
}

bool vk_gpu_is_abandoned(const VulkanGpu *gpu)
{
    return g_atomic_int_get(&gpu->stuck);
}

bool vk_gpu_check_alive(const VulkanGpu *gpu, GError **error)
{
    return !g_atomic_int_get(&gpu->lost) ||
           pix_fail(error, PIX_ERROR_DEVICE_LOST,
                    "%s: the device was lost before; open it again or use device=cpu", gpu->name);
}

bool vk_gpu_check(VulkanGpu *gpu, VkResult result, const char *what, GError **error)
{
    if (result == VK_ERROR_DEVICE_LOST || result == VK_TIMEOUT)
        lose(gpu);
    return vk_check(result, what, error);
}

bool vk_gpu_is_slow(const VulkanGpu *gpu)
{
    return gpu->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

uint64_t vk_gpu_memory_bytes(const VulkanGpu *gpu)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < gpu->memory.memoryHeapCount; i++)
        if (gpu->memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
            bytes = MAX(bytes, gpu->memory.memoryHeaps[i].size);
    return bytes;
}

int vk_gpu_find_memory(const VulkanGpu *gpu, uint32_t types, VkMemoryPropertyFlags wanted)
{
    for (uint32_t i = 0; i < gpu->memory.memoryTypeCount; i++)
        if ((types & 1u << i) && (gpu->memory.memoryTypes[i].propertyFlags & wanted) == wanted)
            return (int)i;
    return -1;
}
