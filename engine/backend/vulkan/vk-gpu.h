/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The GPUs of this process: a driver's logical devices, one for each GPU in use, shared by all that
 * runs on it.
 */
#ifndef PIX_VK_GPU_H
#define PIX_VK_GPU_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "vk-features.h"

/** VK_BINDINGS: storage buffers of a shader; no device has fewer. */
#define VK_BINDINGS 4

/** VulkanGpu: Counted. Thread-safety: any thread; the queue and the pipelines have their locks. */
typedef struct {
    int references; /* under the lock of the list */
    uint32_t index; /* among the instance's physical devices */
    VkPhysicalDevice physical;
    VkDevice device;
    struct VolkDeviceTable vk;
    uint32_t family;
    VkQueue queue;
    GMutex queue_lock;
    GMutex spoiled_lock; /* of what is the matter with buffers */
    gint lost;           /* atomic: no more work is taken */
    gint stuck; /* atomic: what it was given does not end, and may need its memory for ever */
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceMemoryProperties memory;
    VulkanFeatures features;
    VkDeviceSize largest_bytes;           /* of one allocation */
    gsize allocated[VK_MAX_MEMORY_HEAPS]; /* bytes; atomic */
    gint n_allocations;                   /* atomic */
    char *name, *driver, *uuid;

    VkDescriptorSetLayout set_layout;
    VkPipelineLayout pipeline_layout;
    GMutex pipelines_lock;
    GHashTable *pipelines; /* of vk-pipeline.c */
    VkPipelineCache cache;

    GMutex tiles_lock;      /* of who measures them */
    gpointer tile_times[2]; /* of vk-tune.c, for floats and for halves; atomic; NULL: nobody has */
} VulkanGpu;

/**
 * vk_gpu_open:
 * @name: (nullable): an index, part of a name, "vendor:device" in hexadecimal or a UUID; NULL: the
 * best.  @real: no processor that plays a GPU.  Errors: NO_DEVICE, NO_MEMORY.
 */
VulkanGpu *vk_gpu_open(const char *name, bool real, GError **error);
void vk_gpu_close(VulkanGpu *gpu);

/** vk_gpu_abandon: Loses it, and leaves it and all its objects to the end of the process. */
void vk_gpu_abandon(VulkanGpu *gpu);
/** vk_gpu_is_abandoned: Whether its objects must not be destroyed. */
bool vk_gpu_is_abandoned(const VulkanGpu *gpu);
/** vk_gpu_check: As vk_check(); latches a loss. */
bool vk_gpu_check(VulkanGpu *gpu, VkResult result, const char *what, GError **error);
/** vk_gpu_check_alive: Errors: DEVICE_LOST, once it has been lost. */
bool vk_gpu_check_alive(const VulkanGpu *gpu, GError **error);
/** VK_MAKE: Makes an object with one of its vkCreate functions. @handle: (out): none on failure. */
#define VK_MAKE(gpu, create, info, handle, error)                                                  \
    (vk_gpu_check(gpu, (gpu)->vk.create((gpu)->device, info, NULL, handle), #create, error) ||     \
     (*(handle) = VK_NULL_HANDLE, false))
/** vk_gpu_is_slow: Whether it is a processor that plays a GPU. */
bool vk_gpu_is_slow(const VulkanGpu *gpu);
/** vk_gpu_memory_bytes: Of its largest heap of its own. */
uint64_t vk_gpu_memory_bytes(const VulkanGpu *gpu);
/** vk_gpu_find_memory: Returns: a type among the bits @types that has @wanted; -1 for none. */
int vk_gpu_find_memory(const VulkanGpu *gpu, uint32_t types, VkMemoryPropertyFlags wanted);

#endif
