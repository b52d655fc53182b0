/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-work.h"

#include <string.h>

/* ---- comparing ---- */

static bool same_binding(const VulkanBinding *a, const VulkanBinding *b)
{
    return a->buffer == b->buffer && a->offset == b->offset && a->bytes == b->bytes &&
           a->writes == b->writes;
}

static bool same_dispatch(const VulkanDispatch *a, const VulkanDispatch *b)
{
    for (int i = 0; i < VK_BINDINGS; i++)
        if (!same_binding(&a->bindings[i], &b->bindings[i]))
            return false;
    return a->shader == b->shader && a->n_constants == b->n_constants &&
           memcmp(a->constants, b->constants, (size_t)a->n_constants * sizeof(uint32_t)) == 0 &&
           memcmp(a->groups, b->groups, sizeof a->groups) == 0 && a->push_bytes == b->push_bytes &&
           a->varying_bytes == b->varying_bytes && same_binding(&a->uniform, &b->uniform);
}

bool vk_work_same(const VulkanWork *a, const void *a_push, const VulkanWork *b, const void *b_push)
{
    return a->kind == b->kind && a->word == b->word && same_binding(&a->from, &b->from) &&
           same_binding(&a->to, &b->to) && same_dispatch(&a->dispatch, &b->dispatch) &&
           memcmp(a_push, b_push, b->dispatch.push_bytes) == 0;
}

/* ---- buffers ---- */

#define MOST_BINDINGS 7
G_STATIC_ASSERT(MOST_BINDINGS == VK_BINDINGS + 3);

/* @list: (out): those with a buffer. Returns: how many. */
static int list_bindings(const VulkanWork *work, const VulkanBinding *list[MOST_BINDINGS])
{
    const VulkanBinding *b = work->dispatch.bindings;
    const VulkanBinding *all[] = {&b[0],       &b[1],    &b[2], &b[3], &work->dispatch.uniform,
                                  &work->from, &work->to};
    int n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        if (all[i]->buffer)
            list[n++] = all[i];
    return n;
}

bool vk_work_has(const VulkanWork *work, const PixBuffer *buffer)
{
    const VulkanBinding *list[MOST_BINDINGS];
    for (int n = list_bindings(work, list); n-- > 0;)
        if (list[n]->buffer == buffer)
            return true;
    return false;
}

/* A copy and a fill overwrite; a dispatch may read what it writes. */
bool vk_work_check(VulkanGpu *gpu, const VulkanWork *work, GError **error)
{
    const VulkanBinding *list[MOST_BINDINGS];
    for (int n = list_bindings(work, list); n-- > 0;)
        if (list[n] != &work->to && !vk_buffer_check(gpu, list[n]->buffer, error))
            return false;
    return true;
}

void vk_work_mend(VulkanGpu *gpu, const VulkanWork *work)
{
    if (work->to.buffer)
        vk_buffer_mend(gpu, work->to.buffer, work->to.offset, work->to.bytes);
}

void vk_work_spoil(VulkanGpu *gpu, const VulkanWork *work, const GError *error)
{
    const VulkanBinding *list[MOST_BINDINGS];
    for (int n = list_bindings(work, list); n-- > 0;)
        if (list[n]->writes)
            vk_buffer_spoil(gpu, list[n]->buffer, list[n]->offset, list[n]->bytes, error);
}

void vk_work_set_waiting(const VulkanWork *work, bool waiting)
{
    const VulkanBinding *list[MOST_BINDINGS];
    for (int n = list_bindings(work, list); n-- > 0;)
        g_atomic_int_set(&list[n]->buffer->waiting, waiting);
}

/* ---- recording ---- */

void vk_work_record(PixCommands *commands, const VulkanWork *work)
{
    const VulkanBinding *from = &work->from, *to = &work->to;
    switch (work->kind) {
    case VK_WORK_DISPATCH:
        vk_commands_dispatch(commands, &work->dispatch);
        break;
    case VK_WORK_COPY:
        vk_commands_copy(commands, from->buffer, from->offset, to->buffer, to->offset, to->bytes);
        break;
    case VK_WORK_FILL:
        vk_commands_fill(commands, to->buffer, to->offset, to->bytes, work->word);
        break;
    }
}
