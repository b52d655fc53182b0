/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The layer of faults as the loader sees it: which calls it takes, and what it passes on. */
#include <string.h>

#include <vulkan/vk_layer.h>

#include "fault-calls.h"
#include "fault-layer.h"

#define EXPORT __attribute__((visibility("default")))
#define MOST_COPIES 8

/* ---- the next in the chain ---- */

static VkInstance instance;
static PFN_vkGetInstanceProcAddr next_instance;

/* Those of the instance have to be asked for while it is made. */
#define INSTANCE_FUNCTIONS(X)                                                                      \
    X(DestroyInstance)                                                                             \
    X(EnumeratePhysicalDevices)                                                                    \
    X(GetPhysicalDeviceProperties)                                                                 \
    X(GetPhysicalDeviceProperties2)                                                                \
    X(GetPhysicalDeviceMemoryProperties)                                                           \
    X(GetPhysicalDeviceMemoryProperties2)                                                          \
    X(GetPhysicalDeviceFeatures2)                                                                  \
    X(GetPhysicalDeviceQueueFamilyProperties)                                                      \
    X(EnumerateDeviceExtensionProperties)                                                          \
    X(CreateDevice)

static struct {
#define MEMBER(name) PFN_vk##name name;
    INSTANCE_FUNCTIONS(MEMBER)
} next;

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
    fault_make_instance();
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
    fault_open_window(memory);
    fault_shrink_heaps(memory);
}

static VKAPI_ATTR void VKAPI_CALL hook_GetPhysicalDeviceMemoryProperties2(
    VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties2 *memory)
{
    next.GetPhysicalDeviceMemoryProperties2(physical, memory);
    fault_open_window(&memory->memoryProperties);
    fault_shrink_heaps(&memory->memoryProperties);
}

static VKAPI_ATTR void VKAPI_CALL
hook_GetPhysicalDeviceFeatures2(VkPhysicalDevice physical, VkPhysicalDeviceFeatures2 *features)
{
    next.GetPhysicalDeviceFeatures2(physical, features);
    if (!fault_is_plain())
        return;
    memset(&features->features, 0, sizeof features->features);
    for (VkBaseOutStructure *s = features->pNext; s; s = s->pNext)
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES)
            ((VkPhysicalDevice16BitStorageFeatures *)s)->storageBuffer16BitAccess = VK_FALSE;
}

static VKAPI_ATTR void VKAPI_CALL hook_GetPhysicalDeviceQueueFamilyProperties(
    VkPhysicalDevice physical, uint32_t *n, VkQueueFamilyProperties *families)
{
    next.GetPhysicalDeviceQueueFamilyProperties(physical, n, families);
    for (uint32_t i = 0; fault_is_plain() && families && i < *n; i++)
        families[i].timestampValidBits = 0;
}

static VKAPI_ATTR VkResult VKAPI_CALL hook_EnumerateDeviceExtensionProperties(
    VkPhysicalDevice physical, const char *layer, uint32_t *n, VkExtensionProperties *extensions)
{
    if (!fault_is_plain())
        return next.EnumerateDeviceExtensionProperties(physical, layer, n, extensions);
    *n = 0;
    return VK_SUCCESS;
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
    fault_next = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    if (fault_is_robust())
        features_of(&info, &features)->robustBufferAccess = VK_TRUE;
    result = next.CreateDevice(physical, &info, callbacks, out);
    if (result == VK_SUCCESS) {
        fault_device = *out;
        fault_find_device();
    }
    return result;
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

static const Hook hooks[] = {{"vkGetInstanceProcAddr", (PFN_vkVoidFunction)get_instance_function},
                             {"vkGetDeviceProcAddr", (PFN_vkVoidFunction)get_device_function},
                             HOOK(CreateInstance) INSTANCE_FUNCTIONS(HOOK)};

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device_function(VkDevice device,
                                                                    const char *name)
{
    if (strcmp(name, "vkGetDeviceProcAddr") == 0)
        return (PFN_vkVoidFunction)get_device_function;
    PFN_vkVoidFunction next_call = fault_next(device, name), call = fault_find_call(name);
    return next_call && call ? call : next_call;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_instance_function(VkInstance of,
                                                                      const char *name)
{
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        if (strcmp(hooks[i].name, name) == 0)
            return hooks[i].hook;
    PFN_vkVoidFunction call = fault_find_call(name);
    return call ? call : of ? next_instance(of, name) : NULL;
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
