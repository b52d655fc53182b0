/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A Vulkan layer for tests, which stands between a program and the driver and makes trouble, as the
 * environment says:
 *   FAULT_FAIL=NAME:K:RESULT  the K-th call of NAME, or of all that can fail where NAME is "any", or of
 *                             those of them, but for waits, that are made by other threads than the one
 *                             that made the instance where NAME is "other", gives that VkResult, and
 *                             its output is rubbish
 *   FAULT_LOSE=K              the device is lost with the K-th vkQueueSubmit, until one is made anew
 *   FAULT_HANG=1              no wait ever ends
 *   FAULT_DROP=NAME:K         the K-th call of NAME, which cannot fail, is not made; with K 0, none is
 *   FAULT_LIMITS=1            the least limits that Vulkan 1.1 allows
 *   FAULT_HEAP=MIB            heaps are no larger than that, and there is no more
 *   FAULT_OBJECTS=N           so many allocations of memory can be alive
 *   FAULT_WINDOW=1            the device has memory of its own that the processor sees, and a host's beside
 *                             it; none of the former is to be had. For drivers with memory of one type
 *   FAULT_DEVICES=N           every physical device is there N times
 *   FAULT_ROBUST=1            robustBufferAccess is on
 *   FAULT_PLAIN=1             the device has nothing that Vulkan 1.1 leaves open
 *   FAULT_WIDE=1              what is bound of a storage buffer reaches to the buffer's end
 *   FAULT_COUNTS=FILE         gets, at vkDestroyInstance, a line "NAME CALLS" for each function, "any",
 *                             "other", "window", of what was refused, and "bytes", the most that were
 *                             allocated at a time
 * Calls are counted from the start of the process. One instance at a time; the driver's functions are
 * the same for all its devices.
 */
#include "fault-layer.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define NAME(name) "vk" #name,
    FAULT_FUNCTIONS(NAME)
#undef NAME
};

static atomic_long counts[FAULT_COUNT], n_fallible, n_other, n_refused;
static _Thread_local bool made_instance;
static atomic_bool lost;
static atomic_int n_objects;
static atomic_uint_fast64_t n_bytes, most_bytes;

/* ---- what the environment says ---- */

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text ? atol(text) : 0;
}

/* @text: "NAME:K" and what follows. Returns: K where it is about @name, else -1. */
static long split(const char *text, const char *name, const char **rest)
{
    size_t length = strlen(name);
    if (!text || strncmp(text, name, length) != 0 || text[length] != ':')
        return -1;
    char *end;
    long k = strtol(text + length + 1, &end, 10);
    *rest = *end ? end + 1 : end;
    return k;
}

/* Whether this is the call that FAULT_FAIL is about. */
static bool is_chosen(const char *name, long count, VkResult *result)
{
    const char *rest = "";
    if (split(getenv("FAULT_FAIL"), name, &rest) != count)
        return false;
    *result = (VkResult)atoi(rest);
    return true;
}

bool fault_fails(FaultFunction function, VkResult *result)
{
    long count = atomic_fetch_add(&counts[function], 1) + 1;
    long all = atomic_fetch_add(&n_fallible, 1) + 1;
    bool is_other = !made_instance && function != FAULT_WaitForFences;
    long other = is_other ? atomic_fetch_add(&n_other, 1) + 1 : 0;
    if (is_chosen(names[function], count, result) || is_chosen("any", all, result) ||
        (is_other && is_chosen("other", other, result)))
        return true;
    *result = VK_ERROR_DEVICE_LOST;
    return lost && function != FAULT_CreateDevice && function != FAULT_CreateInstance &&
           function != FAULT_EnumeratePhysicalDevices;
}

bool fault_drops(FaultFunction function)
{
    long count = atomic_fetch_add(&counts[function], 1) + 1;
    const char *rest = "";
    long k = split(getenv("FAULT_DROP"), names[function], &rest);
    return k == 0 || k == count;
}

bool fault_hangs(void)
{
    return number_of("FAULT_HANG") != 0;
}

bool fault_loses(void)
{
    if (counts[FAULT_QueueSubmit] == number_of("FAULT_LOSE"))
        lost = true;
    return lost;
}

void fault_make_instance(void)
{
    made_instance = true;
}

void fault_find_device(void)
{
    lost = false;
}

void fault_write_counts(void)
{
    const char *file = getenv("FAULT_COUNTS");
    FILE *out = file ? fopen(file, "a") : NULL;
    if (!out)
        return;
    for (int i = 0; i < FAULT_COUNT; i++)
        fprintf(out, "%s %ld\n", names[i], counts[i]);
    fprintf(out, "any %ld\nother %ld\nwindow %ld\nbytes %" PRIuFAST64 "\n", n_fallible, n_other,
            n_refused, most_bytes);
    fclose(out);
}

/* ---- memory ---- */

static uint64_t heap_bytes(void)
{
    return (uint64_t)number_of("FAULT_HEAP") << 20;
}

VkResult fault_take_memory(uint64_t bytes)
{
    long most = number_of("FAULT_OBJECTS");
    if (most > 0 && n_objects >= most)
        return VK_ERROR_TOO_MANY_OBJECTS;
    if (heap_bytes() > 0 && n_bytes + bytes > heap_bytes())
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    n_objects++;
    n_bytes += bytes;
    if (n_bytes > most_bytes)
        most_bytes = n_bytes;
    return VK_SUCCESS;
}

void fault_give_memory(uint64_t bytes)
{
    n_objects--;
    n_bytes -= bytes;
}

void fault_shrink_heaps(VkPhysicalDeviceMemoryProperties *memory)
{
    for (uint32_t i = 0; i < memory->memoryHeapCount && heap_bytes() > 0; i++)
        if (memory->memoryHeaps[i].size > heap_bytes())
            memory->memoryHeaps[i].size = heap_bytes();
}

/* ---- a window into the device's memory ---- */

#define SHARED (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)

enum { OWN, WINDOW, HOST, TYPES };

static bool has_window(void)
{
    return number_of("FAULT_WINDOW") != 0;
}

void fault_open_window(VkPhysicalDeviceMemoryProperties *memory)
{
    if (!has_window())
        return;
    memory->memoryHeapCount = 2;
    memory->memoryHeaps[1] = (VkMemoryHeap){memory->memoryHeaps[0].size, 0};
    memory->memoryTypeCount = TYPES;
    memory->memoryTypes[OWN] = (VkMemoryType){VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
    memory->memoryTypes[WINDOW] = (VkMemoryType){SHARED | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
    memory->memoryTypes[HOST] = (VkMemoryType){SHARED | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 1};
}

void fault_allow_types(VkMemoryRequirements *needs)
{
    if (has_window())
        needs->memoryTypeBits = (1u << TYPES) - 1;
}

bool fault_choose_type(VkMemoryAllocateInfo *info)
{
    if (!has_window())
        return true;
    n_refused += info->memoryTypeIndex == WINDOW;
    bool had = info->memoryTypeIndex != WINDOW;
    info->memoryTypeIndex = 0;
    return had;
}

/* ---- limits ---- */

static void lower(uint32_t *limit, uint32_t least)
{
    *limit = *limit < least ? *limit : least;
}

/* Source: Vulkan 1.1, table "Required Limits". */
void fault_lower_limits(VkPhysicalDeviceLimits *limits)
{
    long objects = number_of("FAULT_OBJECTS");
    if (objects > 0)
        limits->maxMemoryAllocationCount = (uint32_t)objects;
    if (!number_of("FAULT_LIMITS"))
        return;
    lower(&limits->maxStorageBufferRange, 1u << 27);
    lower(&limits->maxUniformBufferRange, 16384);
    lower(&limits->maxPushConstantsSize, 128);
    lower(&limits->maxMemoryAllocationCount, 4096);
    lower(&limits->maxBoundDescriptorSets, 4);
    lower(&limits->maxPerStageDescriptorUniformBuffers, 12);
    lower(&limits->maxPerStageDescriptorStorageBuffers, 4);
    lower(&limits->maxPerStageResources, 128);
    lower(&limits->maxComputeSharedMemorySize, 16384);
    lower(&limits->maxComputeWorkGroupInvocations, 128);
    for (int i = 0; i < 3; i++) {
        lower(&limits->maxComputeWorkGroupCount[i], 65535);
        lower(&limits->maxComputeWorkGroupSize[i], i < 2 ? 128 : 64);
    }
    limits->minStorageBufferOffsetAlignment = limits->minUniformBufferOffsetAlignment = 256;
}

void fault_lower_allocation(VkPhysicalDeviceMaintenance3Properties *properties)
{
    const VkDeviceSize least = 1u << 30;
    if (number_of("FAULT_LIMITS") && properties->maxMemoryAllocationSize > least)
        properties->maxMemoryAllocationSize = least;
}

uint32_t fault_device_copies(void)
{
    long n = number_of("FAULT_DEVICES");
    return n > 0 ? (uint32_t)n : 1;
}

bool fault_is_robust(void)
{
    return number_of("FAULT_ROBUST") != 0;
}

bool fault_is_wide(void)
{
    return number_of("FAULT_WIDE") != 0;
}

bool fault_is_plain(void)
{
    return number_of("FAULT_PLAIN") != 0;
}
