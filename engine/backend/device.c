/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which device, and what comes of it. */
#include <string.h>

#include "backend.h"
#include "error.h"
#include "self-check.h"

static const PixBackend *const backends[] = {
    &pix_backend_cpu,
#ifdef HAVE_VULKAN
    &pix_backend_vulkan,
#endif
};

/* ---- opening ---- */

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

static PixDevice *open_checked(const PixBackend *backend, const char *name, bool real,
                               unsigned threads, GError **error)
{
    PixDevice *device = backend->open(name, real, threads, error);
    if (device && backend->identity && !pix_self_check(device, PIX_PRECISION_FP32, error))
        g_clear_pointer(&device, pix_device_unref);
    return device;
}

/* Why @device, which may be NULL, is not the best. */
static void explain(PixDevice *device, const char *note, bool refused)
{
    if (!device)
        return;
    device->note = g_strdup(note);
    device->info.note = device->note;
    device->info.refused = refused;
}

/* The best that works. @refused: (out): whether there is one at all.  @error: why it is not the best. */
static PixDevice *open_best(const PixBackend *backend, unsigned threads, bool *refused,
                            GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    PixDevice *device = open_checked(backend, NULL, true, threads, error);
    *refused = false;
    if (device)
        return device;
    backend->list(names, true);
    for (guint i = 1; i < names->len && !device; i++) /* the first has been tried */
        device = open_checked(backend, names->pdata[i], true, threads, NULL);
    *refused = names->len > 0;
    return device;
}

static PixDevice *open_auto(unsigned threads, GError **error)
{
    g_autoptr(GError) reason = NULL;
    PixDevice *device = NULL;
    bool refused = false;
    for (size_t i = 1; i < G_N_ELEMENTS(backends) && !device; i++) {
        g_clear_error(&reason);
        device = open_best(backends[i], threads, &refused, &reason);
    }
    if (device) {
        device->automatic = true;
        explain(device, reason ? reason->message : NULL, refused);
        return device;
    }
    device = pix_backend_cpu.open(NULL, false, threads, error);
    explain(device, reason ? reason->message : "this build knows no GPU", refused);
    return device;
}

static PixDevice *open_named(const char *spec, unsigned threads, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(backends); i++) {
        const char *name = match(spec, backends[i]->name);
        if (name)
            return open_checked(backends[i], *name ? name : NULL, false, threads, error);
    }
    fail_unknown(spec, error);
    return NULL;
}

PixDevice *pix_device_open(const char *spec, unsigned threads, GError **error)
{
    if (!spec || !*spec)
        spec = g_getenv("PIX2PIX_DEVICE");
    bool automatic = !spec || !*spec || g_ascii_strcasecmp(spec, "auto") == 0;
    PixDevice *device = automatic ? open_auto(threads, error) : open_named(spec, threads, error);
    if (device)
        device->threads = threads;
    return device;
}

PixDevice *pix_device_reopen(PixDevice *device, GError **error)
{
    g_return_val_if_fail(device, NULL);
    if (device->backend == &pix_backend_cpu) {
        pix_fail(error, PIX_ERROR_UNSUPPORTED, "the CPU is never lost");
        return NULL;
    }
    PixDevice *again = open_named(device->info.id, device->threads, error);
    if (!again)
        return NULL;
    if (g_strcmp0(again->info.uuid, device->info.uuid) != 0 ||
        g_strcmp0(again->info.name, device->info.name) != 0) {
        pix_fail(error, PIX_ERROR_NO_DEVICE, "%s is gone; %s is %s now", device->info.name,
                 device->info.id, again->info.name);
        pix_device_unref(again);
        return NULL;
    }
    again->automatic = device->automatic;
    again->threads = device->threads;
    return again;
}

PixDevice *pix_device_fallback(PixDevice *device, const GError *reason)
{
    PixDevice *cpu;
    g_return_val_if_fail(device && reason, NULL);
    if (!device->automatic || reason->domain != PIX_ERROR)
        return NULL;
    switch ((PixError)reason->code) {
    case PIX_ERROR_NO_MEMORY:
    case PIX_ERROR_UNSUPPORTED:
    case PIX_ERROR_DEVICE_LOST:
        cpu = pix_backend_cpu.open(NULL, false, device->threads, NULL);
        explain(cpu, reason->message, true);
        return cpu;
    default:
        return NULL;
    }
}

/* ---- listing ---- */

static void add_devices(GPtrArray *list, const PixBackend *backend)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    if (!backend->list) {
        g_ptr_array_add(list, g_strdup(backend->name));
        return;
    }
    backend->list(names, false);
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

/* ---- the device ---- */

PixDevice *pix_device_ref(PixDevice *device)
{
    g_return_val_if_fail(device, NULL);
    g_atomic_int_inc(&device->references);
    return device;
}

void pix_device_unref(PixDevice *device)
{
    if (!device || !g_atomic_int_dec_and_test(&device->references))
        return;
    g_free(device->note);
    device->backend->close(device);
}

const PixDeviceInfo *pix_device_get_info(const PixDevice *device)
{
    g_return_val_if_fail(device, NULL);
    return &device->info;
}

gboolean pix_device_measure(PixDevice *device, PixPeak *peak, GError **error)
{
    g_return_val_if_fail(device && peak, FALSE);
    if (!device->backend->measure)
        return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                        "%s: what it can do at most is not known here", device->info.name);
    peak->level = device->info.level;
    return device->backend->measure(device, peak, error);
}
