/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-loader.h"

#include <string.h>

#include "error.h"
#include "vk-error.h"

static GMutex lock; /* of both: volk's pointers and the instance are the process's */
static int references;
static VkInstance instance;

/* ---- the instance ---- */

static bool make_instance(GError **error)
{
    if (volkInitialize() != VK_SUCCESS)
        return pix_fail(error, PIX_ERROR_NO_DEVICE,
                        "Vulkan: there is no loader; install libvulkan1 and a driver");
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .pEngineName = "pix2pix",
                                           .apiVersion = VK_API_WANTED};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &application};
    if (!vk_check(vkCreateInstance(&info, NULL, &instance), "vkCreateInstance", error))
        return false;
    volkLoadInstanceOnly(instance);
    return true;
}

bool vk_loader_ref(GError **error)
{
    g_mutex_lock(&lock);
    bool ok = references > 0 || make_instance(error);
    references += ok;
    g_mutex_unlock(&lock);
    return ok;
}

void vk_loader_unref(void)
{
    g_mutex_lock(&lock);
    if (--references == 0) {
        vkDestroyInstance(instance, NULL);
        instance = VK_NULL_HANDLE;
    }
    g_mutex_unlock(&lock);
}

/* ---- choosing ---- */

typedef struct {
    VkPhysicalDevice physical;
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceIDProperties id;
} Candidate;

void vk_loader_properties(VkPhysicalDevice physical, void *properties)
{
    VkPhysicalDeviceProperties2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                       .pNext = properties};
    vkGetPhysicalDeviceProperties2(physical, &all);
}

/* All zero where the device's Vulkan has none. */
static VkPhysicalDeviceIDProperties identify(VkPhysicalDevice physical,
                                             const VkPhysicalDeviceProperties *plain)
{
    VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
    if (plain->apiVersion >= VK_API_WANTED)
        vk_loader_properties(physical, &id);
    return id;
}

/* Errors: those of the driver; none where it has no device. */
static GArray *list_candidates(GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(Candidate));
    uint32_t n = 0;
    if (!vk_check(vkEnumeratePhysicalDevices(instance, &n, NULL), "vkEnumeratePhysicalDevices",
                  error))
        return NULL;
    g_autofree VkPhysicalDevice *physical = g_new0(VkPhysicalDevice, MAX(n, 1));
    VkResult result = n > 0 ? vkEnumeratePhysicalDevices(instance, &n, physical) : VK_SUCCESS;
    if (result < 0 && !vk_check(result, "vkEnumeratePhysicalDevices", error)) /* or incomplete */
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        Candidate candidate = {.physical = physical[i]};
        vkGetPhysicalDeviceProperties(physical[i], &candidate.properties);
        candidate.id = identify(physical[i], &candidate.properties);
        g_array_append_val(list, candidate);
    }
    return g_steal_pointer(&list);
}

#define FAMILIES 16

/* Returns: how many there are. */
static uint32_t list_families(VkPhysicalDevice physical, VkQueueFamilyProperties families[FAMILIES])
{
    uint32_t n = FAMILIES;
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &n, families);
    return n;
}

uint32_t vk_loader_timestamp_bits(VkPhysicalDevice physical, uint32_t family)
{
    VkQueueFamilyProperties families[FAMILIES];
    return family < list_families(physical, families) ? families[family].timestampValidBits : 0;
}

int vk_loader_queue_family(VkPhysicalDevice physical)
{
    VkQueueFamilyProperties families[FAMILIES];
    uint32_t n = list_families(physical, families);
    for (uint32_t i = 0; i < n; i++)
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
            return (int)i;
    return -1;
}

static bool can_compute(const Candidate *candidate)
{
    return candidate->properties.apiVersion >= VK_API_WANTED &&
           vk_loader_queue_family(candidate->physical) >= 0;
}

#define BEST_RANK 4

static int rank(const Candidate *candidate)
{
    switch (candidate->properties.deviceType) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return BEST_RANK;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return 3;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return 2;
    case VK_PHYSICAL_DEVICE_TYPE_OTHER:
        return 1;
    default:
        return 0;
    }
}

static char *print_uuid(const uint8_t uuid[VK_UUID_SIZE])
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < VK_UUID_SIZE; i++)
        g_string_append_printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               uuid[i]);
    return g_string_free(text, FALSE);
}

char *vk_loader_uuid(VkPhysicalDevice physical)
{
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(physical, &properties);
    return print_uuid(identify(physical, &properties).deviceUUID);
}

static bool contains(const char *text, const char *part)
{
    g_autofree char *low_text = g_ascii_strdown(text, -1), *low_part = g_ascii_strdown(part, -1);
    return strstr(low_text, low_part) != NULL;
}

/* Whether @name means this device, the @index-th of @n. A number above them is part of a name. */
static bool is_called(const Candidate *candidate, guint index, guint n, const char *name)
{
    guint64 number;
    if (g_ascii_string_to_unsigned(name, 10, 0, G_MAXUINT32, &number, NULL) && number < n)
        return number == index;
    g_autofree char *uuid = print_uuid(candidate->id.deviceUUID);
    g_autofree char *ids = g_strdup_printf("%04x:%04x", candidate->properties.vendorID,
                                           candidate->properties.deviceID);
    return g_ascii_strcasecmp(name, uuid) == 0 || g_ascii_strcasecmp(name, ids) == 0 ||
           contains(candidate->properties.deviceName, name);
}

static bool fail_to_choose(const GArray *list, const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (guint i = 0; i < list->len; i++)
        g_string_append_printf(known, "%s%u \"%s\"", i ? ", " : "", i,
                               g_array_index(list, Candidate, i).properties.deviceName);
    if (list->len == 0)
        return pix_fail(error, PIX_ERROR_NO_DEVICE, "Vulkan: the driver has no device");
    if (name)
        return pix_fail(error, PIX_ERROR_NO_DEVICE,
                        "no Vulkan device that can compute is called \"%s\"; there are: %s", name,
                        known->str);
    return pix_fail(error, PIX_ERROR_NO_DEVICE,
                    "no GPU with Vulkan 1.1 that can compute; there are: %s", known->str);
}

bool vk_loader_choose(const char *name, bool real, VulkanChoice *choice, GError **error)
{
    g_autoptr(GArray) list = list_candidates(error);
    int best = -1;
    if (!list)
        return false;
    for (guint i = 0; i < list->len; i++) {
        const Candidate *candidate = &g_array_index(list, Candidate, i);
        if (!can_compute(candidate) || (name && !is_called(candidate, i, list->len, name)) ||
            (real && rank(candidate) == 0) || rank(candidate) <= best)
            continue;
        best = rank(candidate);
        *choice = (VulkanChoice){candidate->physical, i};
    }
    return best >= 0 || fail_to_choose(list, name, error);
}

/* Drivers do not always keep UUIDs apart, so that the names must agree too. */
static bool is_same(const Candidate *a, const Candidate *b)
{
    return memcmp(a->id.deviceUUID, b->id.deviceUUID, VK_UUID_SIZE) == 0 &&
           memcmp(a->id.driverUUID, b->id.driverUUID, VK_UUID_SIZE) == 0 &&
           strcmp(a->properties.deviceName, b->properties.deviceName) == 0;
}

static bool is_repeated(const GArray *list, guint index)
{
    for (guint i = 0; i < index; i++)
        if (is_same(&g_array_index(list, Candidate, i), &g_array_index(list, Candidate, index)))
            return true;
    return false;
}

static void add_ranked(GPtrArray *names, const GArray *list, int wanted)
{
    for (guint i = 0; i < list->len; i++) {
        const Candidate *candidate = &g_array_index(list, Candidate, i);
        if (rank(candidate) == wanted && can_compute(candidate) && !is_repeated(list, i))
            g_ptr_array_add(names, g_strdup_printf("%u", i));
    }
}

void vk_loader_list(GPtrArray *names, bool real)
{
    if (!vk_loader_ref(NULL))
        return;
    g_autoptr(GArray) list = list_candidates(NULL);
    for (int wanted = BEST_RANK; list && wanted >= (real ? 1 : 0); wanted--)
        add_ranked(names, list, wanted);
    vk_loader_unref();
}
