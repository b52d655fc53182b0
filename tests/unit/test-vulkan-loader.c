/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The choice of a GPU, from a loader and devices that are made up here: by the driver's number, part
 * of the name, vendor and device, and UUID; and one that is enumerated twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"
#include "vk-loader.h"

typedef struct {
    const char *name;
    VkPhysicalDeviceType type;
    uint32_t vendor, device, api;
    uint8_t uuid; /* every byte of it */
    VkQueueFlags queue;
} Made;

#define NEW VK_API_VERSION_1_3
#define BOTH (VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT)

static const Made all[] = {
    {"llvmpipe", VK_PHYSICAL_DEVICE_TYPE_CPU, 0x10005, 0, NEW, 0xaa, BOTH},
    {"Radeon RX", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 0x1002, 0x744c, NEW, 0xbb, BOTH},
    {"Radeon RX", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 0x1002, 0x744c, NEW, 0xbb, BOTH},
    {"GeForce RTX", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 0x10de, 0x2684, NEW, 0xcc, BOTH},
    {"Iris 6100", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, 0x8086, 0x9a49, VK_API_VERSION_1_1, 0xdd,
     BOTH},
    {"GeForce 8", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 0x10de, 1, VK_API_VERSION_1_0, 0, BOTH},
    {"Painter", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 1, 1, NEW, 0xee, VK_QUEUE_GRAPHICS_BIT},
    {"Virtio", VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU, 2, 2, NEW, 0xff, BOTH},
    {"GeForce RTX", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 0x10de, 0x2684, NEW, 0xc1, BOTH},
};
static const Made *made;
static uint32_t n_made;
static VkResult answer; /* to vkEnumeratePhysicalDevices() */
static int instances;

/* ---- the loader ---- */

static VKAPI_ATTR VkResult VKAPI_CALL create(const VkInstanceCreateInfo *info,
                                             const VkAllocationCallbacks *callbacks,
                                             VkInstance *instance)
{
    *instance = (VkInstance)&instances;
    instances++;
    return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL destroy(VkInstance instance,
                                          const VkAllocationCallbacks *callbacks)
{
    instances--;
}

static VKAPI_ATTR VkResult VKAPI_CALL enumerate(VkInstance instance, uint32_t *n,
                                                VkPhysicalDevice *devices)
{
    for (uint32_t i = 0; devices && i < n_made; i++)
        devices[i] = (VkPhysicalDevice)&made[i];
    *n = n_made;
    return answer;
}

static VKAPI_ATTR void VKAPI_CALL get_properties(VkPhysicalDevice device,
                                                 VkPhysicalDeviceProperties *properties)
{
    const Made *this = (const Made *)device;
    *properties = (VkPhysicalDeviceProperties){.apiVersion = this->api,
                                               .vendorID = this->vendor,
                                               .deviceID = this->device,
                                               .deviceType = this->type};
    g_strlcpy(properties->deviceName, this->name, sizeof properties->deviceName);
}

static VKAPI_ATTR void VKAPI_CALL get_more(VkPhysicalDevice device,
                                           VkPhysicalDeviceProperties2 *properties)
{
    VkPhysicalDeviceIDProperties *id = properties->pNext;
    get_properties(device, &properties->properties);
    memset(id->deviceUUID, ((const Made *)device)->uuid, VK_UUID_SIZE);
}

static VKAPI_ATTR void VKAPI_CALL get_families(VkPhysicalDevice device, uint32_t *n,
                                               VkQueueFamilyProperties *families)
{
    *n = 1;
    if (families)
        families[0] = (VkQueueFamilyProperties){((const Made *)device)->queue, 1, 0, {1, 1, 1}};
}

/* The linker puts these in the place of volk's. */
VkResult __wrap_volkInitialize(void);
void __wrap_volkLoadInstanceOnly(VkInstance instance);

VkResult __wrap_volkInitialize(void)
{
    vkCreateInstance = create;
    return VK_SUCCESS;
}

void __wrap_volkLoadInstanceOnly(VkInstance instance)
{
    vkDestroyInstance = destroy;
    vkEnumeratePhysicalDevices = enumerate;
    vkGetPhysicalDeviceProperties = get_properties;
    vkGetPhysicalDeviceProperties2 = get_more;
    vkGetPhysicalDeviceQueueFamilyProperties = get_families;
}

/* ---- tests ---- */

static int begin(void **state)
{
    made = all;
    n_made = G_N_ELEMENTS(all);
    answer = VK_SUCCESS;
    return vk_loader_ref(NULL) ? 0 : -1;
}

static int end(void **state)
{
    vk_loader_unref();
    return instances;
}

static char *listed(bool real)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    vk_loader_list(names, real);
    g_ptr_array_add(names, NULL);
    return g_strjoinv(" ", (char **)names->pdata);
}

static void expect_list(bool real, const char *wanted)
{
    g_autofree char *list = listed(real);
    assert_string_equal(list, wanted);
}

/* Returns: the number of the one chosen; -1 for none. */
static int choose(const char *name, bool real)
{
    VulkanChoice choice;
    g_autoptr(GError) error = NULL;
    if (vk_loader_choose(name, real, &choice, &error))
        return (int)choice.index;
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_NO_DEVICE));
    return -1;
}

/* The best first. Numbers are the driver's own: what cannot compute or comes twice leaves a gap. */
static void test_list(void **state)
{
    expect_list(false, "1 3 8 7 4 0");
    expect_list(true, "1 3 8 7 4");
    n_made = 1;
    expect_list(false, "0");
    expect_list(true, "");
    n_made = 0;
    expect_list(false, "");
    n_made = G_N_ELEMENTS(all);
    answer = VK_ERROR_OUT_OF_HOST_MEMORY;
    expect_list(false, "");
}

static void test_best(void **state)
{
    assert_int_equal(choose(NULL, false), 1);
    assert_int_equal(choose(NULL, true), 1);
    made = &all[4]; /* from the integrated one on, without discrete ones that can compute */
    n_made = 4;
    assert_int_equal(choose(NULL, true), 3);
    n_made = 3;
    assert_int_equal(choose(NULL, true), 0);
    made = all;
    n_made = 1;
    assert_int_equal(choose(NULL, false), 0);
    assert_int_equal(choose(NULL, true), -1);
    n_made = 0;
    assert_int_equal(choose(NULL, false), -1);
}

static void test_by_name(void **state)
{
    assert_int_equal(choose("0", false), 0);
    assert_int_equal(choose("2", false), 2);
    assert_int_equal(choose("8", false), 8);
    assert_int_equal(choose("5", false), -1); /* cannot */
    assert_int_equal(choose("6", false), -1);
    assert_int_equal(choose("9", false), -1);
    assert_int_equal(choose("6100", false), 4);
    assert_int_equal(choose("llvmpipe", false), 0);
    assert_int_equal(choose("geforce", false), 3);
    assert_int_equal(choose("IRIS", false), 4);
    assert_int_equal(choose("10de:2684", false), 3);
    assert_int_equal(choose("1002:744C", false), 1);
    assert_int_equal(choose("10de:0001", false), -1);
    assert_int_equal(choose("cccccccc-cccc-cccc-cccc-cccccccccccc", false), 3);
    assert_int_equal(choose("C1C1C1C1-C1C1-C1C1-C1C1-C1C1C1C1C1C1", false), 8);
    assert_int_equal(choose("abacus", false), -1);
}

/* The error tells what there is. */
static void test_error(void **state)
{
    VulkanChoice choice;
    GError *error = NULL;
    assert_false(vk_loader_choose("abacus", false, &choice, &error));
    assert_non_null(strstr(error->message, "\"abacus\""));
    assert_non_null(strstr(error->message, "7 \"Virtio\""));
    g_error_free(error);
}

static void test_uuid(void **state)
{
    g_autofree char *uuid = vk_loader_uuid((VkPhysicalDevice)&all[3]);
    assert_string_equal(uuid, "cccccccc-cccc-cccc-cccc-cccccccccccc");
    g_autofree char *none = vk_loader_uuid((VkPhysicalDevice)&all[5]);
    assert_string_equal(none, "00000000-0000-0000-0000-000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_list, begin, end),
        cmocka_unit_test_setup_teardown(test_best, begin, end),
        cmocka_unit_test_setup_teardown(test_by_name, begin, end),
        cmocka_unit_test_setup_teardown(test_error, begin, end),
        cmocka_unit_test_setup_teardown(test_uuid, begin, end),
    };
    return cmocka_run_group_tests_name("vulkan-loader", tests, NULL, NULL);
}
