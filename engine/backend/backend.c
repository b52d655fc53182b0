/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend.h"

#include <string.h>

#include "error.h"

static const PixBackend *const backends[] = {
    &pix_backend_cpu,
#ifdef HAVE_VULKAN
    &pix_backend_vulkan,
#endif
};

/* Where a name starts with "NAME" or "NAME:", what follows; else NULL. */
static const char *match(const char *spec, const char *name)
{
    size_t length = strlen(name);
    if (g_ascii_strncasecmp(spec, name, length) != 0)
        return NULL;
    return spec[length] == '\0' ? spec + length : spec[length] == ':' ? spec + length + 1 : NULL;
}

static void fail_unknown(const char *spec, GError **error)
{
    g_autoptr(GString) known = g_string_new("auto");
    for (size_t i = 0; i < G_N_ELEMENTS(backends); i++)
        g_string_append_printf(known, ", %s", backends[i]->name);
    pix_fail(error, PIX_ERROR_NO_DEVICE, "no device is called \"%s\"; this build knows: %s", spec,
             known->str);
}

PixDevice *pix_device_open(const char *spec, unsigned threads, GError **error)
{
    if (!spec || !*spec)
        spec = g_getenv("PIX2PIX_DEVICE");
    if (!spec || !*spec || g_ascii_strcasecmp(spec, "auto") == 0)
        return pix_backend_cpu.open(NULL, threads, error);
    for (size_t i = 0; i < G_N_ELEMENTS(backends); i++) {
        const char *name = match(spec, backends[i]->name);
        if (name)
            return backends[i]->open(*name ? name : NULL, threads, error);
    }
    fail_unknown(spec, error);
    return NULL;
}

static void add_devices(GPtrArray *list, const PixBackend *backend)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    if (!backend->list) {
        g_ptr_array_add(list, g_strdup(backend->name));
        return;
    }
    backend->list(names);
    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(list, g_strconcat(backend->name, ":", names->pdata[i], NULL));
}

char **pix_device_list(void)
{
    GPtrArray *list = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(backends); i++)
        add_devices(list, backends[i]);
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

PixDevice *pix_device_ref(PixDevice *device)
{
    g_return_val_if_fail(device, NULL);
    g_atomic_ref_count_inc(&device->references);
    return device;
}

void pix_device_unref(PixDevice *device)
{
    if (device && g_atomic_ref_count_dec(&device->references))
        device->backend->close(device);
}

const PixDeviceInfo *pix_device_get_info(const PixDevice *device)
{
    g_return_val_if_fail(device, NULL);
    return &device->info;
}

bool pix_backend_supports(const PixDevice *device, PixOpKind op, bool training)
{
    const PixRow *row = &device->backend->rows[op];
    return op == PIX_OP_INPUT || (row->forward && (!training || row->backward));
}

static void check_call(const PixDevice *device, const PixCall *call)
{
    PixShape in[PIX_MAX_INPUTS] = {{0}}, out;
    for (int i = 0; i < pix_op_n_inputs(call->op->kind); i++) {
        g_assert(call->in[i].buffer);
        g_assert(call->in[i].c_first + call->in[i].shape.c <= call->in[i].c_whole);
        in[i] = call->in[i].shape;
    }
    g_assert(pix_op_infer(call->op, in, &out, NULL));
    g_assert(call->out.buffer && pix_shape_equal(out, call->out.shape));
    g_assert(device->backend->rows[call->op->kind].forward);
}

void pix_backend_forward(PixDevice *device, const PixCall *call)
{
    check_call(device, call);
    device->backend->rows[call->op->kind].forward(device, call);
}

static void check_gradient(PixTensor gradient, PixShape shape)
{
    g_assert(!gradient.buffer || pix_shape_equal(gradient.shape, shape));
}

void pix_backend_backward(PixDevice *device, const PixCall *call)
{
    const PixRow *row = &device->backend->rows[call->op->kind];
    g_assert(call->dout.buffer && pix_shape_equal(call->dout.shape, call->out.shape));
    for (int i = 0; i < pix_op_n_inputs(call->op->kind); i++) {
        g_assert(call->in[i].buffer || !pix_op_keeps_input(call->op, i));
        check_gradient(call->din[i], call->in[i].shape);
    }
    g_assert(call->out.buffer || !pix_op_keeps_output(call->op));
    for (int i = 0; i < PIX_SLOT_COUNT; i++)
        check_gradient(call->dparam[i], call->param[i].shape);
    g_assert(row->backward);
    row->backward(device, call);
}

size_t pix_backend_scratch(const PixDevice *device, const PixCall *call, bool backward)
{
    const PixRow *row = &device->backend->rows[call->op->kind];
    size_t (*bytes)(const PixDevice *, const PixCall *) =
        backward ? row->backward_scratch_bytes : row->scratch_bytes;
    return bytes ? bytes(device, call) : 0;
}
