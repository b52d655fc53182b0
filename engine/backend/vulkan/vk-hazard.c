/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-hazard.h"

void vk_hazards_init(VulkanHazards *hazards)
{
    hazards->accesses = g_array_new(FALSE, FALSE, sizeof(VulkanAccess));
}

void vk_hazards_clear(VulkanHazards *hazards)
{
    g_clear_pointer(&hazards->accesses, g_array_unref);
}

void vk_hazards_forget(VulkanHazards *hazards)
{
    g_array_set_size(hazards->accesses, 0);
}

static bool conflicts(const VulkanAccess *a, const VulkanAccess *b)
{
    return a->buffer == b->buffer && (a->writes || b->writes) && a->offset < b->offset + b->bytes &&
           b->offset < a->offset + a->bytes;
}

static bool conflicts_with_any(const VulkanHazards *hazards, const VulkanAccess *access)
{
    for (guint i = 0; i < hazards->accesses->len; i++)
        if (conflicts(access, &g_array_index(hazards->accesses, VulkanAccess, i)))
            return true;
    return false;
}

bool vk_hazards_add(VulkanHazards *hazards, const VulkanAccess *accesses, size_t n)
{
    bool barrier = false;
    for (size_t i = 0; i < n && !barrier; i++)
        barrier = conflicts_with_any(hazards, &accesses[i]);
    if (barrier)
        vk_hazards_forget(hazards);
    g_array_append_vals(hazards->accesses, accesses, (guint)n);
    return barrier;
}
