/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vk-trace.h"

#include <string.h>

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
    g_free(traces);
}

/* Until all that was submitted is done. Errors: DEVICE_LOST. */
static bool settle(VulkanTraces *traces, GError **error)
{
    bool good = true;
    for (guint i = 0; i < traces->pending->len; i++) {
        Trace *trace = traces->pending->pdata[i];
        trace->pending = false;
        good = vk_commands_wait(trace->commands, good ? error : NULL) && good;
    }
    traces->counts.waits += traces->pending->len > 0;
    g_ptr_array_set_size(traces->pending, 0);
    return good && vk_gpu_check_alive(traces->gpu, good ? error : NULL);
}

static Trace *trace_new(VulkanTraces *traces, GError **error)
{
    PixCommands *commands = vk_commands_new(traces->gpu, true, error);
    if (!commands)
        return NULL;
    Trace *trace = g_new0(Trace, 1);
    trace->commands = commands;
    trace->steps = g_array_new(FALSE, FALSE, sizeof(Step));
    g_ptr_array_add(traces->all, trace);
    return trace;
}

/* One to be recorded: new, or that which has not been used for longest. */
static Trace *trace_take(VulkanTraces *traces, GError **error)
{
    Trace *oldest = NULL;
    if (traces->all->len < TRACES)
        return trace_new(traces, error);
    if (traces->pending->len + 1 >= TRACES && !settle(traces, error))
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

static Step *step_of(const Trace *trace, guint index)
{
    return &g_array_index(trace->steps, Step, index);
}

static bool matches(const Trace *trace, guint index, const VulkanWork *work, const void *push)
{
    const Step *step = step_of(trace, index);
    return vk_work_same(&step->work, step->push, work, push);
}

/* Whether @trace can be submitted, begins like @traces->now so far, and goes on with @work. */
static bool fits(const VulkanTraces *traces, const Trace *trace, const VulkanWork *work)
{
    if (trace->pending || trace->steps->len <= traces->done ||
        !matches(trace, traces->done, work, work->dispatch.push))
        return false;
    for (guint i = 0; i < traces->done && trace != traces->now; i++) {
        const Step *step = step_of(traces->now, i);
        if (!matches(trace, i, &step->work, step->push))
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

static bool record(Trace *trace, const VulkanWork *work, GError **error)
{
    const VulkanDispatch *dispatch = &work->dispatch;
    Step step = {.work = *work};
    vk_work_record(trace->commands, work);
    if (!vk_commands_check(trace->commands, error))
        return false;
    if (dispatch->push_bytes > 0)
        memcpy(step.push, dispatch->push, dispatch->push_bytes);
    if (dispatch->varying)
        memcpy(step.varying, dispatch->varying, dispatch->varying_bytes);
    g_array_append_val(trace->steps, step);
    return true;
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

/* What has been asked for so far, once more. */
static bool record_again(const VulkanTraces *traces, Trace *trace, GError **error)
{
    for (guint i = 0; i < traces->done; i++) {
        Step *step = step_of(traces->now, i);
        VulkanWork work = step->work;
        work.dispatch.push = step->push;
        work.dispatch.varying = work.dispatch.varying_bytes > 0 ? step->varying : NULL;
        if (!record(trace, &work, error))
            return false;
    }
    return true;
}

/* A new one takes the place of traces->now. Where it cannot, that stays. */
static bool branch(VulkanTraces *traces, GError **error)
{
    Trace *trace = trace_take(traces, error);
    if (!trace)
        return false;
    if (!vk_commands_begin(trace->commands, error) || !record_again(traces, trace, error)) {
        g_ptr_array_remove_fast(traces->all, trace);
        return false;
    }
    traces->now = trace;
    traces->counts.recordings++;
    return true;
}

/* ---- submitting ---- */

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
        if (!matches(trace, i, &step->work, step->push))
            return false;
    }
    return true;
}

/* Less was asked for than the last time. */
static bool shorten(VulkanTraces *traces, GError **error)
{
    for (guint i = 0; i < traces->all->len; i++)
        if (is_beginning(traces, traces->all->pdata[i])) {
            replace(traces, traces->all->pdata[i]);
            return true;
        }
    return branch(traces, error);
}

static bool submit(VulkanTraces *traces, GError **error)
{
    if (!is_whole(traces) && !shorten(traces, error))
        return false;
    Trace *trace = traces->now;
    PixCommands *commands = trace->commands;
    if ((vk_commands_is_open(commands) && !vk_commands_end(commands, error)) ||
        !vk_commands_submit(commands, error))
        return false;
    trace->used = ++traces->clock;
    trace->pending = true;
    g_ptr_array_add(traces->pending, trace);
    traces->counts.submissions++;
    return true;
}

void vk_traces_submit(VulkanTraces *traces)
{
    g_autoptr(GError) error = NULL;
    if (!traces->now)
        return;
    bool done = submit(traces, &error);
    Trace *trace = traces->now;
    for (guint i = 0; i < traces->done; i++) {
        if (!done)
            vk_work_spoil(traces->gpu, &step_of(trace, i)->work, error);
        vk_work_set_waiting(&step_of(trace, i)->work, false);
    }
    if (!done)
        g_ptr_array_remove_fast(traces->all, trace);
    traces->now = NULL;
    traces->done = traces->slots = 0;
}

bool vk_traces_flush(VulkanTraces *traces, GError **error)
{
    vk_traces_submit(traces);
    return settle(traces, error);
}

/* ---- asking ---- */

static bool place(VulkanTraces *traces, const VulkanWork *work, GError **error)
{
    Trace *trace = find(traces, work);
    if (trace && trace != traces->now)
        replace(traces, trace);
    if (!trace && !branch(traces, error))
        return false;
    trace = traces->now;
    bool varies = work->dispatch.varying_bytes > 0;
    if (vk_commands_is_open(trace->commands)) {
        if (!record(trace, work, error))
            return false;
    } else if (varies) {
        keep_varying(trace, traces->done, traces->slots, work->dispatch.varying);
    }
    traces->done++;
    traces->slots += varies;
    return true;
}

void vk_traces_add(VulkanTraces *traces, const VulkanWork *work)
{
    g_autoptr(GError) error = NULL;
    if (traces->done == LONGEST)
        vk_traces_submit(traces);
    if (vk_gpu_check_alive(traces->gpu, &error) && vk_work_check(traces->gpu, work, &error) &&
        place(traces, work, &error)) {
        vk_work_set_waiting(work, true);
        vk_work_mend(traces->gpu, work);
    } else {
        vk_work_spoil(traces->gpu, work, error);
    }
}

/* ---- the rest ---- */

static bool trace_has(const Trace *trace, const PixBuffer *buffer)
{
    for (guint i = 0; i < trace->steps->len; i++)
        if (vk_work_has(&step_of(trace, i)->work, buffer))
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
