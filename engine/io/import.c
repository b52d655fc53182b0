/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import.h"

#include <string.h>

#include "error.h"
#include "import-match.h"
#include "mix.h"
#include "reader.h"

void pix_import_free(PixImport *import)
{
    if (!import)
        return;
    pix_graph_free(import->graph);
    g_array_unref(import->sources);
    g_ptr_array_unref(import->notes);
    g_free(import->measured.mix);
    g_free(import);
}

static PixImport *import_new(void)
{
    PixImport *import = g_new0(PixImport, 1);
    import->sources = g_array_new(FALSE, TRUE, sizeof(PixSource));
    import->notes = g_ptr_array_new_with_free_func(g_free);
    return import;
}

/** Trained on BGR: the channels are turned where pictures come and go, if they are whole ones. */
static void arrange_bgr(PixImport *import, PixSource *sources, guint last)
{
    const PixArch *arch = &import->arch;
    bool first_layer = arch->in_channels % 3 == 0;
    bool last_layer = pix_arch_is_generator(arch) && arch->out_channels % 3 == 0;
    if (first_layer)
        sources[0].axis[1] = PIX_AXIS_BGR;
    for (guint i = last; last_layer && i < import->sources->len; i++) {
        const PixParam *param = pix_graph_param(import->graph, (int)i);
        bool second = param->op.kind == PIX_OP_DECONV && param->slot == PIX_SLOT_WEIGHT;
        sources[i].axis[second ? 1 : 0] = PIX_AXIS_BGR;
    }
    if (first_layer || last_layer)
        g_ptr_array_add(import->notes,
                        g_strdup_printf("trained on BGR: the channels of its %s turned to RGB",
                                        !last_layer    ? "first layer are"
                                        : !first_layer ? "last layer are"
                                                       : "first and last layer are"));
}

/** How the channels of a foreign layout must be turned, parameter by parameter. */
static void arrange(PixImport *import)
{
    PixSource *sources = (PixSource *)import->sources->data;
    guint n = import->sources->len, last = 0, n_deconvs = 0;
    while (n && pix_graph_param(import->graph, (int)(n - 1 - last))->slot != PIX_SLOT_WEIGHT)
        last++;
    last = n - 1 - last;
    for (guint i = 0; i < n; i++) {
        const PixParam *param = pix_graph_param(import->graph, (int)i);
        bool deconv = param->op.kind == PIX_OP_DECONV, weight = param->slot == PIX_SLOT_WEIGHT;
        if (import->layout == PIX_LAYOUT_AFFINELAYER && weight) {
            sources[i].kernel_first = true;
            /* Decoder first, then skip; the innermost has no skip. */
            if (deconv && n_deconvs++ > 0)
                sources[i].axis[0] = PIX_AXIS_HALVES;
        }
    }
    if (import->layout == PIX_LAYOUT_MM)
        arrange_bgr(import, sources, last);
}

/** Returns: (nullable) (transfer none): the tensors of a native file: all that it has. */
static const PixKeySet *identify_native(PixImport *import, GHashTable *metadata, GPtrArray *sets,
                                        const char *domain, GError **error)
{
    import->layout = PIX_LAYOUT_NATIVE;
    if (!pix_metadata_read(metadata, &import->arch, &import->settings, error))
        return NULL;
    if (sets->len && !domain)
        return g_ptr_array_index(sets, 0);
    if (domain)
        pix_fail(error, PIX_ERROR_NOT_FOUND,
                 "has one network and no domains: leave the domain out");
    else
        pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "has no tensors");
    return NULL;
}

/** Returns: (nullable) (transfer none): the tensors of the network meant. */
static const PixKeySet *identify_foreign(PixImport *import, const PixContainer *container,
                                         GPtrArray *sets, const char *domain, GError **error)
{
    PixArchKind kind;
    const PixKeySet *set = pix_import_choose(container, sets, domain, error);
    if (!set || !pix_recognise(set, &import->layout, &kind) ||
        !pix_recognise_arch(set, import->layout, kind, &import->arch, import->notes, error) ||
        !pix_arch_check(&import->arch, error))
        return NULL;
    int side = pix_arch_side(&import->arch);
    import->settings = (PixSettings){PIX_STATISTICS_FRAME, side, side, PIX_PRECISION_FP32};
    for (guint i = 0; i < sets->len; i++) {
        const PixKeySet *other = g_ptr_array_index(sets, i);
        PixLayout layout;
        if (other != set && pix_recognise(other, &layout, &kind))
            g_ptr_array_add(import->notes, g_strdup_printf("another network in the file: %s",
                                                           *other->label ? other->label : "(top)"));
    }
    return set;
}

/** Foreign files have no mix, whatever their metadata holds. */
static bool read_mix(PixImport *import, GHashTable *metadata, GError **error)
{
    return import->layout != PIX_LAYOUT_NATIVE ||
           pix_metadata_read_mix(metadata, pix_graph_convolutions(import->graph), &import->measured,
                                 error);
}

PixImport *pix_import_new(const PixContainer *container, const char *domain, GError **error)
{
    g_autoptr(PixImport) import = import_new();
    GHashTable *metadata = pix_container_get_metadata(container);
    bool native = pix_metadata_is_native(metadata);
    g_autoptr(GPtrArray) sets =
        native ? pix_key_sets_new_plain(container) : pix_key_sets_new(container);
    const PixKeySet *set = native ? identify_native(import, metadata, sets, domain, error)
                                  : identify_foreign(import, container, sets, domain, error);
    if (set)
        import->graph = pix_arch_build(&import->arch);
    if (!set || !pix_import_match(import, set, error) || !read_mix(import, metadata, error)) {
        g_prefix_error(error, "%s: ", pix_container_get_label(container));
        return NULL;
    }
    arrange(import);
    g_ptr_array_add(import->notes, NULL);
    return g_steal_pointer(&import);
}

/** Where channel @i of @n stands in the file. */
static guint64 file_index(PixAxisOrder order, guint64 i, guint64 n)
{
    switch (order) {
    case PIX_AXIS_SAME:
        return i;
    case PIX_AXIS_BGR:
        return i - i % 3 + (2 - i % 3);
    case PIX_AXIS_HALVES:
        return (i + n / 2) % n;
    }
    g_assert_not_reached();
}

static void rearrange(const PixSource *source, const PixParam *param, const float *from, float *to)
{
    const guint64 n0 = (guint64)param->dims[0], n1 = (guint64)param->dims[1];
    const guint64 taps = (guint64)param->dims[2] * (guint64)param->dims[3];
    for (guint64 i = 0; i < n0; i++) {
        guint64 fi = file_index(source->axis[0], i, n0);
        for (guint64 j = 0; j < n1; j++) {
            guint64 fj = file_index(source->axis[1], j, n1);
            for (guint64 k = 0; k < taps; k++)
                *to++ = from[source->kernel_first ? (k * n1 + fj) * n0 + fi
                                                  : (fi * n1 + fj) * taps + k];
        }
    }
}

/** An I8 kernel times its scales; both stand in the parameter's own order. */
static bool read_scaled(const PixSource *source, const PixParam *param, PixContainer *container,
                        float *values, GError **error)
{
    g_autofree float *scale = pix_try_alloc(source->scale->count, sizeof(float), error);
    if (!scale || !pix_container_read(container, source->entry, values, error) ||
        !pix_container_read(container, source->scale, scale, error))
        return false;
    const int oc_axis = param->op.kind == PIX_OP_DECONV ? 1 : 0;
    const int taps = param->dims[2] * param->dims[3];
    for (int i = 0; i < param->dims[0]; i++)
        for (int j = 0; j < param->dims[1]; j++)
            for (int k = 0; k < taps; k++)
                *values++ *= scale[oc_axis ? j : i];
    return true;
}

bool pix_import_read(const PixImport *import, PixContainer *container, guint index, float *values,
                     GError **error)
{
    const PixSource *source = &g_array_index(import->sources, PixSource, index);
    const PixParam *param = pix_graph_param(import->graph, (int)index);
    if (source->scale)
        return read_scaled(source, param, container, values, error);
    if (!source->kernel_first && !source->axis[0] && !source->axis[1])
        return pix_container_read(container, source->entry, values, error);
    g_autofree float *file_values = pix_try_alloc(source->entry->count, sizeof(float), error);
    if (!file_values || !pix_container_read(container, source->entry, file_values, error))
        return false;
    rearrange(source, param, file_values, values);
    return true;
}
