/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-trace.h"

#include <string.h>

#include "vk-error.h"

#define TRACES 512 /* kept */
#define LONGEST 64 /* pieces of work in one submission: drivers stop what takes seconds */
G_STATIC_ASSERT(LONGEST <= VK_VARYING_SLOTS);

/** Step: work that has been recorded. What its push and varying point to is kept beside it. */
typedef struct {
    VulkanWork work;
    char push[VK_PUSH_BYTES], varying[VK_VARYING_BYTES];
} Step;

typedef struct {
    PixCommands *commands;
    GArray *steps; /* of Step */
    guint64 used;  /* when */
    bool pending;  /* submitted, and not waited for since */
} Trace;

struct VulkanTraces {
    VulkanGpu *gpu;
    GPtrArray *all;     /* of Trace */
    GPtrArray *pending; /* of them, in the order of submission */
    guint64 clock;
    Trace *now;  /* what is being asked for, recorded or compared; NULL: nothing yet */
    guint done;  /* of its steps */
    guint slots; /* of those, with something that varies */
    VulkanTraceCounts counts;
    GError *error;
};

/* ---- making ---- */

static void trace_free(gpointer data)
{
    Trace *trace = data;
    vk_commands_free(trace->commands);
    g_array_unref(trace->steps);
    g_free(trace);
}

VulkanTraces *vk_traces_new(VulkanGpu *gpu)
{
    VulkanTraces *traces = g_new0(VulkanTraces, 1);
    traces->gpu = gpu;
    traces->all = g_ptr_array_new_with_free_func(trace_free);
    traces->pending = g_ptr_array_new();
    return traces;
}

void vk_traces_free(VulkanTraces *traces)
{
    if (!traces)
        return;
    g_ptr_array_unref(traces->pending);
    g_ptr_array_unref(traces->all);
    g_clear_error(&traces->error);
    g_free(traces);
}

/* Until all that was submitted is done. */
static void settle(VulkanTraces *traces)
{
    for (guint i = 0; i < traces->pending->len; i++) {
        Trace *trace = traces->pending->pdata[i];
        trace->pending = false;
        vk_commands_wait(trace->commands, traces->error ? NULL : &traces->error);
    }
    traces->counts.waits += traces->pending->len > 0;
    g_ptr_array_set_size(traces->pending, 0);
}

static Trace *trace_new(VulkanTraces *traces)
{
    PixCommands *commands = vk_commands_new(traces->gpu, true, &traces->error);
    if (!commands)
        return NULL;
    Trace *trace = g_new0(Trace, 1);
    trace->commands = commands;
    trace->steps = g_array_new(FALSE, FALSE, sizeof(Step));
    g_ptr_array_add(traces->all, trace);
    return trace;
}

/* One to be recorded: new, or that which has not been used for longest. */
static Trace *trace_take(VulkanTraces *traces)
{
    Trace *oldest = NULL;
    if (traces->all->len < TRACES)
        return trace_new(traces);
    if (traces->pending->len + 1 >= TRACES)
        settle(traces);
    if (traces->error)
        return NULL;
    for (guint i = 0; i < traces->all->len; i++) {
        Trace *trace = traces->all->pdata[i];
        if (trace != traces->now && !trace->pending && (!oldest || trace->used < oldest->used))
            oldest = trace;
    }
    g_array_set_size(oldest->steps, 0);
    return oldest;
}

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

static bool same_work(const Step *step, const VulkanWork *work, const void *push)
{
    const VulkanWork *a = &step->work;
    return a->kind == work->kind && a->word == work->word && same_binding(&a->from, &work->from) &&
           same_binding(&a->to, &work->to) && same_dispatch(&a->dispatch, &work->dispatch) &&
           memcmp(step->push, push, work->dispatch.push_bytes) == 0;
}

static Step *step_of(const Trace *trace, guint index)
{
    return &g_array_index(trace->steps, Step, index);
}

/* Whether @trace can be submitted, begins like @traces->now so far, and goes on with @work. */
static bool fits(const VulkanTraces *traces, const Trace *trace, const VulkanWork *work)
{
    if (trace->pending || trace->steps->len <= traces->done ||
        !same_work(step_of(trace, traces->done), work, work->dispatch.push))
        return false;
    for (guint i = 0; i < traces->done && trace != traces->now; i++) {
        const Step *step = step_of(traces->now, i);
        if (!same_work(step_of(trace, i), &step->work, step->push))
            return false;
    }
    return true;
}

/* The one that was asked for last, of several. */
static Trace *find(const VulkanTraces *traces, const VulkanWork *work)
{
    Trace *found = NULL;
    if (traces->now &&
        (vk_commands_is_open(traces->now->commands) || fits(traces, traces->now, work)))
        return traces->now;
    for (guint i = 0; i < traces->all->len; i++) {
        Trace *trace = traces->all->pdata[i];
        if (trace != traces->now && fits(traces, trace, work) &&
            (!found || trace->used > found->used))
            found = trace;
    }
    return found;
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

static void record(Trace *trace, const VulkanWork *work)
{
    const VulkanDispatch *dispatch = &work->dispatch;
    Step step = {.work = *work};
    if (dispatch->push_bytes > 0)
        memcpy(step.push, dispatch->push, dispatch->push_bytes);
    if (dispatch->varying)
        memcpy(step.varying, dispatch->varying, dispatch->varying_bytes);
    g_array_append_val(trace->steps, step);
    vk_work_record(trace->commands, work);
}

static void keep_varying(Trace *trace, guint index, guint slot, const void *varying)
{
    Step *step = step_of(trace, index);
    size_t bytes = step->work.dispatch.varying_bytes;
    memcpy(step->varying, varying, bytes);
    vk_commands_vary(trace->commands, slot, varying, bytes);
}

/* @trace takes the place of traces->now, which has begun like it. */
static void replace(VulkanTraces *traces, Trace *trace)
{
    guint slot = 0;
    for (guint i = 0; i < traces->done; i++) {
        const Step *step = step_of(traces->now, i);
        if (step->work.dispatch.varying_bytes > 0)
            keep_varying(trace, i, slot++, step->varying);
    }
    traces->now = trace;
}

/* A new one takes the place of traces->now, and records what has been asked for so far. */
static bool branch(VulkanTraces *traces)
{
    Trace *trace = trace_take(traces);
    if (!trace || !vk_commands_begin(trace->commands, &traces->error))
        return false;
    for (guint i = 0; i < traces->done; i++) {
        Step *step = step_of(traces->now, i);
        VulkanWork work = step->work;
        work.dispatch.push = step->push;
        work.dispatch.varying = work.dispatch.varying_bytes > 0 ? step->varying : NULL;
        record(trace, &work);
    }
    traces->now = trace;
    traces->counts.recordings++;
    return true;
}

/* ---- asking ---- */

static bool submit(VulkanTraces *traces)
{
    Trace *trace = traces->now;
    PixCommands *commands = trace->commands;
    trace->used = ++traces->clock;
    traces->now = NULL;
    traces->done = traces->slots = 0;
    if ((vk_commands_is_open(commands) && !vk_commands_end(commands, &traces->error)) ||
        !vk_commands_submit(commands, &traces->error))
        return false;
    trace->pending = true;
    g_ptr_array_add(traces->pending, trace);
    traces->counts.submissions++;
    return true;
}

static void add(VulkanTraces *traces, const VulkanWork *work)
{
    Trace *trace = find(traces, work);
    if (trace && trace != traces->now)
        replace(traces, trace);
    if (!trace && !branch(traces))
        return;
    trace = traces->now;
    bool varies = work->dispatch.varying_bytes > 0;
    if (vk_commands_is_open(trace->commands))
        record(trace, work);
    else if (varies)
        keep_varying(trace, traces->done, traces->slots, work->dispatch.varying);
    traces->done++;
    traces->slots += varies;
}

void vk_traces_add(VulkanTraces *traces, const VulkanWork *work)
{
    if (traces->error || (traces->done == LONGEST && !submit(traces)))
        return;
    add(traces, work);
}

/* Whether traces->now is what has been asked for, and no more. */
static bool is_whole(const VulkanTraces *traces)
{
    return vk_commands_is_open(traces->now->commands) || traces->now->steps->len == traces->done;
}

static bool is_beginning(const VulkanTraces *traces, const Trace *trace)
{
    if (trace->pending || trace->steps->len != traces->done || vk_commands_is_open(trace->commands))
        return false;
    for (guint i = 0; i < traces->done; i++) {
        const Step *step = step_of(traces->now, i);
        if (!same_work(step_of(trace, i), &step->work, step->push))
            return false;
    }
    return true;
}

/* Less was asked for than the last time. */
static bool shorten(VulkanTraces *traces)
{
    for (guint i = 0; i < traces->all->len; i++)
        if (is_beginning(traces, traces->all->pdata[i])) {
            replace(traces, traces->all->pdata[i]);
            return true;
        }
    return branch(traces);
}

bool vk_traces_flush(VulkanTraces *traces, GError **error)
{
    if (!traces->error && traces->now && (is_whole(traces) || shorten(traces)))
        submit(traces);
    traces->now = NULL;
    traces->done = traces->slots = 0;
    settle(traces);
    if (!traces->error)
        return true;
    g_ptr_array_set_size(traces->all, 0); /* some may be half recorded */
    if (error)
        *error = g_steal_pointer(&traces->error);
    return false;
}

void vk_traces_fail(VulkanTraces *traces, GError *error)
{
    if (traces->error)
        g_error_free(error);
    else
        traces->error = error;
}

static bool has_buffer(const VulkanWork *work, const PixBuffer *buffer)
{
    const VulkanDispatch *dispatch = &work->dispatch;
    bool found = work->from.buffer == buffer || work->to.buffer == buffer ||
                 dispatch->uniform.buffer == buffer;
    for (int i = 0; i < VK_BINDINGS; i++)
        found = found || dispatch->bindings[i].buffer == buffer;
    return found;
}

static bool trace_has(const Trace *trace, const PixBuffer *buffer)
{
    for (guint i = 0; i < trace->steps->len; i++)
        if (has_buffer(&step_of(trace, i)->work, buffer))
            return true;
    return false;
}

void vk_traces_forget(VulkanTraces *traces, const PixBuffer *buffer)
{
    g_assert(!traces->now);
    for (guint i = traces->all->len; i-- > 0;)
        if (trace_has(traces->all->pdata[i], buffer))
            g_ptr_array_remove_index_fast(traces->all, i);
}

VulkanTraceCounts vk_traces_count(const VulkanTraces *traces)
{
    return traces->counts;
}
