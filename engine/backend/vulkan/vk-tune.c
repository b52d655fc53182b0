/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-tune.h"

#include <string.h>

#include "cache-file.h"

/* ---- the file ---- */

char *vk_tune_identity(const PixDevice *device, PixPrecision precision)
{
    g_autofree char *code = vk_device_identity(device);
    GString *text = g_string_new(code);
    g_string_append_printf(text, " in %s", pix_precision_name(precision));
    for (int i = 0; i < VK_TILES; i++)
        g_string_append_printf(text, " %s", vk_tiles[i].name);
    return g_string_free(text, FALSE);
}

char *vk_tune_print(const VulkanTileTimes *times)
{
    GString *text = g_string_new(NULL);
    for (int i = 0; i < VK_TILES; i++)
        g_string_append_printf(text, " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, times->of[i].full,
                               times->of[i].alone);
    return g_string_free(text, FALSE);
}

bool vk_tune_parse(const char *text, size_t length, VulkanTileTimes *times)
{
    g_autofree char *line = g_strndup(text, length);
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    if (strlen(line) != length || g_strv_length(words) != 2 * VK_TILES + 1 || *words[0])
        return false;
    for (int i = 0; i < 2 * VK_TILES; i++) {
        VulkanTileTime *time = &times->of[i / 2];
        guint64 value;
        if (!g_ascii_string_to_unsigned(words[i + 1], 10, 0, VK_TUNE_MOST_PS, &value, NULL))
            return false;
        *(i % 2 ? &time->alone : &time->full) = value;
        if (i % 2 && (time->full > 0) != (time->alone > 0))
            return false;
    }
    return true;
}

static VulkanTileTimes recall(const char *identity)
{
    VulkanTileTimes times = {0};
    gsize bytes = 0;
    g_autofree char *text = pix_cache_read(VK_TUNE_KIND, identity, &bytes);
    return text && vk_tune_parse(text, bytes, &times) ? times : (VulkanTileTimes){0};
}

static void keep(const char *identity, const VulkanTileTimes *times)
{
    g_autofree char *text = vk_tune_print(times);
    pix_cache_write(VK_TUNE_KIND, identity, text, strlen(text));
}

/* ---- the entry ---- */

static bool is_complete(const VulkanGpu *gpu, const VulkanTileTimes *times)
{
    for (int i = 0; i < VK_TILES; i++)
        if (times->of[i].full == 0 && vk_tile_fits(gpu, &vk_tiles[i]))
            return false;
    return true;
}

/* What is not known is as the rule has it, by a tile that is. Returns: whether there is one. */
static bool complete(VulkanTileTimes *times)
{
    int known = 0;
    while (known < VK_TILES && times->of[known].full == 0)
        known++;
    if (known == VK_TILES)
        return false;
    const VulkanTileTime by = times->of[known];
    for (int i = 0; i < VK_TILES; i++) {
        size_t weight = vk_tile_weight(&vk_tiles[i]), whole = vk_tile_weight(&vk_tiles[known]);
        if (times->of[i].full == 0)
            times->of[i] = (VulkanTileTime){by.full * weight / whole, by.alone * weight / whole};
    }
    return true;
}

static VulkanTileTimes *find(const PixDevice *device, PixPrecision precision, PixDtype dtype)
{
    const VulkanGpu *gpu = ((const VulkanDevice *)device)->gpu;
    g_autofree char *identity = vk_tune_identity(device, precision);
    VulkanTileTimes times = recall(identity), more = times;
    if (!is_complete(gpu, &times) && vk_tune_measure(gpu, dtype, &more)) {
        times = more;
        keep(identity, &times);
    }
    return complete(&times) ? g_memdup2(&times, sizeof times) : NULL;
}

void vk_tune(PixDevice *base, PixPrecision precision)
{
    const VulkanDevice *device = vk_device(base);
    VulkanGpu *gpu = device->gpu;
    PixFormat format = {0};
    if (!device->tunes ||
        (precision != PIX_PRECISION_FP32 && !vk_device_format(base, precision, &format)))
        return;
    gpointer *place = &gpu->tile_times[format.maps == PIX_DTYPE_F16];
    g_mutex_lock(&gpu->tiles_lock);
    if (!g_atomic_pointer_get(place))
        g_atomic_pointer_set(place, find(base, precision, format.maps));
    g_mutex_unlock(&gpu->tiles_lock);
}

const VulkanTileTimes *vk_tune_times(const VulkanDevice *device, bool halves)
{
    return device->tunes ? g_atomic_pointer_get(&device->gpu->tile_times[halves]) : NULL;
}
