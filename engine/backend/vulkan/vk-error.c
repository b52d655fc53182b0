/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-error.h"

#include "error.h"

typedef struct {
    VkResult result;
    PixError code;
    const char *text;
} Meaning;

static const Meaning meanings[] = {
    {VK_ERROR_DEVICE_LOST, PIX_ERROR_DEVICE_LOST, "the device is lost"},
    {VK_TIMEOUT, PIX_ERROR_DEVICE_LOST, "the device does not answer"},
    {VK_ERROR_OUT_OF_HOST_MEMORY, PIX_ERROR_NO_MEMORY, "the driver is out of memory"},
    {VK_ERROR_OUT_OF_DEVICE_MEMORY, PIX_ERROR_NO_MEMORY, "the device is out of memory"},
    {VK_ERROR_OUT_OF_POOL_MEMORY, PIX_ERROR_NO_MEMORY, "the driver is out of descriptors"},
    {VK_ERROR_TOO_MANY_OBJECTS, PIX_ERROR_NO_MEMORY, "the driver has too many objects"},
    {VK_ERROR_MEMORY_MAP_FAILED, PIX_ERROR_NO_MEMORY, "memory cannot be mapped"},
    {VK_ERROR_INITIALIZATION_FAILED, PIX_ERROR_NO_DEVICE, "the driver does not start"},
    {VK_ERROR_INCOMPATIBLE_DRIVER, PIX_ERROR_NO_DEVICE, "there is no driver that fits"},
    {VK_ERROR_LAYER_NOT_PRESENT, PIX_ERROR_NO_DEVICE, "a layer is missing"},
    {VK_ERROR_EXTENSION_NOT_PRESENT, PIX_ERROR_NO_DEVICE, "an extension is missing"},
    {VK_ERROR_FEATURE_NOT_PRESENT, PIX_ERROR_NO_DEVICE, "a feature is missing"},
};

bool vk_check(VkResult result, const char *what, GError **error)
{
    if (result == VK_SUCCESS)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (meanings[i].result == result)
            return pix_fail(error, meanings[i].code, "Vulkan: %s (%s)", meanings[i].text, what);
    return pix_fail(error, PIX_ERROR_UNSUPPORTED, "Vulkan: %s gave error %d", what, result);
}
