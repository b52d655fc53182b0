/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "levels.h"

#include <stdlib.h>
#include <string.h>

static bool is_vulkan(const char *level)
{
    return strcmp(level, "vulkan") == 0;
}

PixDevice *level_open(const char *level)
{
    g_auto(GStrv) parts = g_strsplit(level, ":", 2);
    if (!is_vulkan(level))
        g_setenv("PIX2PIX_CPU", parts[0], TRUE);
    PixDevice *device = pix_device_open(is_vulkan(level) ? "vulkan" : "cpu",
                                        parts[1] ? (unsigned)atoi(parts[1]) : 1, NULL);
    g_unsetenv("PIX2PIX_CPU");
    parts[0][strcspn(parts[0], ",")] = '\0';
    if (device && strcmp(pix_device_get_info(device)->level, parts[0]) != 0)
        g_clear_pointer(&device, pix_device_unref);
    return device;
}

bool has_level(const char *level)
{
    bool on_gpu = g_strcmp0(g_getenv("PIX2PIX_DEVICE"), "vulkan") == 0;
    if (on_gpu || is_vulkan(level))
        return on_gpu && is_vulkan(level); /* without one, opening it fails the test */
    PixDevice *device = level_open(level);
    pix_device_unref(device);
    return device != NULL;
}
