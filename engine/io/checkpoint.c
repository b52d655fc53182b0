/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint.h"

#include <math.h>

#include "checkpoint-write.h"
#include "import.h"
#include "mix.h"
#include "model-info.h"
#include "reader.h"

struct PixCheckpoint {
    PixContainer *container;
    PixImport *import;
    PixModelInfo info;
    char *architecture; /* of @info */
    GArray *tensors;    /* of PixTensorInfo */
};

static void describe_tensors(PixCheckpoint *checkpoint)
{
    const PixImport *import = checkpoint->import;
    checkpoint->tensors = g_array_new(FALSE, TRUE, sizeof(PixTensorInfo));
    for (guint i = 0; i < import->graph->params->len; i++) {
        const PixParam *param = pix_graph_param(import->graph, (int)i);
        const PixEntry *entry = g_array_index(import->sources, PixSource, i).entry;
        PixTensorInfo tensor = {.name = param->name,
                                .source = entry->name,
                                .dtype = pix_dtype_name(entry->dtype),
                                .rank = param->rank};
        for (int j = 0; j < 4; j++)
            tensor.dims[j] = param->dims[j];
        g_array_append_val(checkpoint->tensors, tensor);
    }
}

static void describe_mix(PixCheckpoint *checkpoint)
{
    const PixMeasured *measured = &checkpoint->import->measured;
    checkpoint->info.mix = measured->mix;
    checkpoint->info.mix_psnr = measured->psnr;
    checkpoint->info.mix_pictures = measured->pictures;
}

static void describe(PixCheckpoint *checkpoint)
{
    const PixImport *import = checkpoint->import;
    checkpoint->architecture = pix_arch_name(&import->arch);
    pix_model_info_init(&checkpoint->info, &import->arch, import->graph, &import->settings,
                        checkpoint->architecture);
    checkpoint->info.layout = pix_layout_name(import->layout);
    checkpoint->info.container = pix_container_get_format(checkpoint->container);
    describe_mix(checkpoint);
}

/** @container: (transfer full) (nullable): NULL with @error set already. */
static PixCheckpoint *checkpoint_new(PixContainer *container, const char *domain, GError **error)
{
    if (!container)
        return NULL;
    PixImport *import = pix_import_new(container, domain, error);
    if (!import) {
        pix_container_free(container);
        return NULL;
    }
    PixCheckpoint *checkpoint = g_new0(PixCheckpoint, 1);
    checkpoint->container = container;
    checkpoint->import = import;
    describe(checkpoint);
    describe_tensors(checkpoint);
    return checkpoint;
}

PixCheckpoint *pix_checkpoint_open(const char *file, const char *domain, GError **error)
{
    g_return_val_if_fail(file, NULL);
    g_return_val_if_fail(!error || !*error, NULL);
    return checkpoint_new(pix_container_open(file, error), domain, error);
}

PixCheckpoint *pix_checkpoint_open_bytes(GBytes *bytes, const char *label, const char *domain,
                                         GError **error)
{
    return checkpoint_new(pix_container_open_bytes(bytes, label, error), domain, error);
}

void pix_checkpoint_free(PixCheckpoint *checkpoint)
{
    if (!checkpoint)
        return;
    pix_import_free(checkpoint->import);
    pix_container_free(checkpoint->container);
    g_array_unref(checkpoint->tensors);
    g_free(checkpoint->architecture);
    g_free(checkpoint);
}

const char *pix_checkpoint_get_label(const PixCheckpoint *checkpoint)
{
    return pix_container_get_label(checkpoint->container);
}

const PixArch *pix_checkpoint_get_arch(const PixCheckpoint *checkpoint)
{
    return &checkpoint->import->arch;
}

const PixGraph *pix_checkpoint_get_graph(const PixCheckpoint *checkpoint)
{
    return checkpoint->import->graph;
}

const PixSettings *pix_checkpoint_get_settings(const PixCheckpoint *checkpoint)
{
    return &checkpoint->import->settings;
}

bool pix_checkpoint_read_param(PixCheckpoint *checkpoint, guint index, float *values,
                               GError **error)
{
    return pix_import_read(checkpoint->import, checkpoint->container, index, values, error);
}

const PixModelInfo *pix_checkpoint_get_info(const PixCheckpoint *checkpoint)
{
    g_return_val_if_fail(checkpoint, NULL);
    return &checkpoint->info;
}

guint pix_checkpoint_get_n_tensors(const PixCheckpoint *checkpoint)
{
    g_return_val_if_fail(checkpoint, 0);
    return checkpoint->tensors->len;
}

const PixTensorInfo *pix_checkpoint_get_tensor(const PixCheckpoint *checkpoint, guint index)
{
    g_return_val_if_fail(checkpoint, NULL);
    g_return_val_if_fail(index < checkpoint->tensors->len, NULL);
    return &g_array_index(checkpoint->tensors, PixTensorInfo, index);
}

gboolean pix_checkpoint_count_bad_values(PixCheckpoint *checkpoint, guint64 *count, GError **error)
{
    g_return_val_if_fail(checkpoint && count, FALSE);
    g_return_val_if_fail(!error || !*error, FALSE);
    const PixGraph *graph = checkpoint->import->graph;
    guint64 largest = 0, n_bad = 0;
    for (guint i = 0; i < graph->params->len; i++)
        largest = MAX(largest, pix_param_count(pix_graph_param(graph, (int)i)));
    g_autofree float *values = pix_try_alloc(largest, sizeof(float), error);
    if (!values) {
        g_prefix_error(error, "%s: ", pix_checkpoint_get_label(checkpoint));
        return FALSE;
    }
    for (guint i = 0; i < graph->params->len; i++) {
        const PixParam *param = pix_graph_param(graph, (int)i);
        guint64 n = pix_param_count(param);
        bool variance = param->slot == PIX_SLOT_VARIANCE;
        if (!pix_checkpoint_read_param(checkpoint, i, values, error))
            return FALSE;
        for (guint64 j = 0; j < n; j++)
            n_bad += !isfinite(values[j]) || (variance && values[j] < 0);
    }
    *count = n_bad;
    return TRUE;
}

GHashTable *pix_checkpoint_get_metadata(const PixCheckpoint *checkpoint)
{
    g_return_val_if_fail(checkpoint, NULL);
    return pix_container_get_metadata(checkpoint->container);
}

const char *const *pix_checkpoint_get_notes(const PixCheckpoint *checkpoint)
{
    g_return_val_if_fail(checkpoint, NULL);
    return (const char *const *)checkpoint->import->notes->pdata;
}

void pix_checkpoint_set_mix(PixCheckpoint *checkpoint, const PixPrecision *mix, double psnr,
                            guint pictures)
{
    g_return_if_fail(checkpoint && (!mix || pictures > 0));
    g_return_if_fail(psnr >= 0 && psnr <= PIX_MAX_PSNR);
    PixImport *import = checkpoint->import;
    g_return_if_fail(!mix || pix_mix_is_valid(mix, pix_graph_convolutions(import->graph)));
    g_free(import->measured.mix);
    import->measured = (PixMeasured){0};
    if (mix)
        import->measured = (PixMeasured){
            .mix = pix_mix_print(mix, pix_graph_convolutions(import->graph)),
            .psnr = psnr,
            .pictures = pictures,
        };
    describe_mix(checkpoint);
}

static bool read_for_save(gpointer user_data, guint index, float *values, GError **error)
{
    return pix_checkpoint_read_param(user_data, index, values, error);
}

gboolean pix_checkpoint_save(PixCheckpoint *checkpoint, const char *file, PixPrecision precision,
                             GError **error)
{
    g_return_val_if_fail(checkpoint && file, FALSE);
    g_return_val_if_fail(precision != PIX_PRECISION_AUTO, FALSE);
    g_return_val_if_fail((guint)precision <= PIX_PRECISION_INT8, FALSE);
    g_return_val_if_fail(!error || !*error, FALSE);
    const PixImport *import = checkpoint->import;
    PixSettings settings = import->settings;
    settings.precision = precision;
    bool same = precision == PIX_PRECISION_FP32 || precision == import->settings.precision;
    return pix_checkpoint_write(file, &import->arch, import->graph, &settings,
                                same ? &import->measured : NULL, read_for_save, checkpoint, error);
}
