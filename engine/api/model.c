/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model.h"

#include <math.h>
#include <string.h>

#include "checkpoint.h"
#include "error.h"
#include "mix.h"

#define DEFAULT_NAME "facades"

/* ---- finding ---- */

static char *try_file(const char *folder, const char *name)
{
    static const char *const suffixes[] = {"", ".safetensors"};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(name, suffixes[i], NULL);
        g_autofree char *path = folder ? g_build_filename(folder, file, NULL) : g_strdup(file);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&path);
    }
    return NULL;
}

static char *try_path_variable(const char *name)
{
    const char *folders = g_getenv("PIX2PIX_MODEL_PATH");
    g_auto(GStrv) each = g_strsplit(folders ? folders : "", G_SEARCHPATH_SEPARATOR_S, -1);
    char *found = NULL;
    for (char **folder = each; *folder && !found; folder++)
        if (**folder)
            found = try_file(*folder, name);
    return found;
}

static char *try_data_folders(const char *name)
{
    g_autofree char *own = g_build_filename(g_get_user_data_dir(), "pix2pix", "models", NULL);
    char *found = try_file(own, name);
    for (const char *const *data = g_get_system_data_dirs(); *data && !found; data++) {
        g_autofree char *folder = g_build_filename(*data, "pix2pix", "models", NULL);
        found = try_file(folder, name);
    }
    return found;
}

char *pix_model_find(const char *name, GError **error)
{
    g_return_val_if_fail(name, NULL);
    bool is_path = strchr(name, G_DIR_SEPARATOR) != NULL;
    char *found = NULL;
    if (*name) {
        found = is_path ? NULL : try_path_variable(name);
        if (!found && !is_path && strcmp(name, DEFAULT_NAME) == 0)
            return g_strdup("");
        if (!found && !is_path)
            found = try_data_folders(name);
        if (!found && g_file_test(name, G_FILE_TEST_EXISTS))
            found = g_strdup(name);
    }
    if (!found)
        pix_fail(error, PIX_ERROR_NOT_FOUND, "%s: there is no such file%s",
                 *name ? name : "(empty name)",
                 is_path ? "; give the path of a checkpoint, or the name of a model"
                         : " or model; models are looked up in PIX2PIX_MODEL_PATH and in "
                           "pix2pix/models of the XDG data folders");
    return found;
}

/* ---- loading ---- */

static bool check_finite(const PixModel *model, const PixParam *param, const float *values,
                         size_t count, GError **error)
{
    for (size_t i = 0; i < count; i++) {
        if (param->slot == PIX_SLOT_VARIANCE && values[i] < 0)
            return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                            "%s: %s holds negative variances; use an earlier checkpoint",
                            model->name, param->name);
        if (!isfinite(values[i]))
            return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                            "%s: %s holds NaN or infinite values; its training went wrong, use an "
                            "earlier checkpoint",
                            model->name, param->name);
    }
    return true;
}

static bool load_param(PixModel *model, PixCheckpoint *checkpoint, int index, float *values,
                       GError **error)
{
    const PixParam *param = pix_graph_param(model->graph, index);
    return pix_checkpoint_read_param(checkpoint, index, values, error) &&
           check_finite(model, param, values, pix_param_count(param), error) &&
           pix_params_write(model->params, model->graph, index, values, error);
}

/* One parameter at a time, so that the weights never lie in memory twice. */
static bool load_params(PixModel *model, PixCheckpoint *checkpoint, GError **error)
{
    size_t largest = pix_params_largest(model->graph);
    g_autofree float *values = g_try_new(float, largest);
    if (!values)
        return pix_fail(error, PIX_ERROR_NO_MEMORY, "%s: %zu MiB of memory are not to be had",
                        model->name, largest * sizeof *values >> 20);
    for (guint i = 0; i < model->graph->params->len; i++)
        if (!load_param(model, checkpoint, (int)i, values, error))
            return false;
    return pix_params_settle(model->params, error);
}

static void copy_info(PixModelInfo *to, const PixModelInfo *from)
{
    *to = *from;
    to->architecture = g_strdup(from->architecture);
    to->layout = g_strdup(from->layout);
    to->container = g_strdup(from->container);
    to->norm = g_strdup(from->norm);
    to->mix = g_strdup(from->mix);
}

/* @asked: may be AUTO, when model->precision already is what that stands for without a mix. */
static void make_mix(PixModel *model, PixPrecision asked)
{
    guint n = pix_graph_convolutions(model->graph);
    bool own = asked == PIX_PRECISION_AUTO && model->info.mix;
    if (!model->device->backend->mixes || (!own && model->precision == PIX_PRECISION_FP32))
        return;
    model->mix = g_new(PixPrecision, n);
    pix_mix_whole(model->precision, model->mix, n);
    if (own) { /* the words were checked when they were read */
        pix_mix_parse(model->info.mix, model->mix, n);
        model->precision = PIX_PRECISION_AUTO;
    }
}

PixModel *pix_model_empty(PixDevice *device, PixGraph *graph, const PixModelInfo *info,
                          const char *name, PixPrecision precision, GError **error)
{
    PixModel *model = g_new0(PixModel, 1);
    model->references = 1;
    model->device = pix_device_ref(device);
    model->name = g_strdup(name);
    model->graph = graph;
    copy_info(&model->info, info);
    model->precision = precision;
    if (pix_backend_format(device, &model->precision, &model->format, error))
        model->params = pix_params_new(graph, device, model->format.weights, false, error);
    if (!model->params) {
        pix_model_unref(model);
        return NULL;
    }
    make_mix(model, precision);
    model->info.weight_bytes = pix_params_value_bytes(model->params, graph);
    return model;
}

PixModel *pix_model_new(PixDevice *device, PixCheckpoint *checkpoint, PixPrecision precision,
                        GError **error)
{
    g_return_val_if_fail(device && checkpoint, NULL);
    PixGraph *graph = pix_graph_copy(pix_checkpoint_get_graph(checkpoint));
    PixModel *model = pix_model_empty(device, graph, pix_checkpoint_get_info(checkpoint),
                                      pix_checkpoint_get_label(checkpoint), precision, error);
    if (model && !load_params(model, checkpoint, error)) {
        pix_model_unref(model);
        return NULL;
    }
    return model;
}

PixModel *pix_model_load(PixDevice *device, const char *name, const char *domain,
                         PixPrecision precision, GError **error)
{
    g_return_val_if_fail(device && name, NULL);
    g_autofree char *file = pix_model_find(name, error);
    if (!file)
        return NULL;
    g_autoptr(PixCheckpoint) checkpoint = NULL;
    if (*file) {
        checkpoint = pix_checkpoint_open(file, domain, error);
    } else {
        g_autoptr(GBytes) bytes = pix_default_model();
        checkpoint = pix_checkpoint_open_bytes(bytes, name, domain, error);
    }
    if (!checkpoint)
        return NULL;
    const PixModelInfo *info = pix_checkpoint_get_info(checkpoint);
    if (!info->is_generator) {
        pix_fail(error, PIX_ERROR_UNSUPPORTED,
                 "%s: this is a discriminator (%s); translating needs a generator", name,
                 info->architecture);
        return NULL;
    }
    return pix_model_new(device, checkpoint, precision, error);
}

PixModel *pix_model_ref(PixModel *model)
{
    g_return_val_if_fail(model, NULL);
    g_atomic_int_inc(&model->references);
    return model;
}

void pix_model_unref(PixModel *model)
{
    if (!model || !g_atomic_int_dec_and_test(&model->references))
        return;
    pix_params_free(model->params);
    pix_graph_free(model->graph);
    g_free(model->mix);
    g_free((char *)model->info.architecture);
    g_free((char *)model->info.layout);
    g_free((char *)model->info.container);
    g_free((char *)model->info.norm);
    g_free((char *)model->info.mix);
    g_free(model->name);
    pix_device_unref(model->device);
    g_free(model);
}

const PixModelInfo *pix_model_get_info(const PixModel *model)
{
    g_return_val_if_fail(model, NULL);
    return &model->info;
}

PixDevice *pix_model_get_device(PixModel *model)
{
    g_return_val_if_fail(model, NULL);
    return model->device;
}

PixPrecision pix_model_get_precision(const PixModel *model)
{
    g_return_val_if_fail(model, PIX_PRECISION_AUTO);
    return model->precision;
}

guint pix_model_get_n_convolutions(const PixModel *model)
{
    g_return_val_if_fail(model, 0);
    return pix_graph_convolutions(model->graph);
}

gboolean pix_model_check_size(const PixModel *model, int width, int height, GError **error)
{
    g_return_val_if_fail(model, FALSE);
    const PixModelInfo *info = &model->info;
    if (width < info->minimum || height < info->minimum || width % info->multiple ||
        height % info->multiple)
        return pix_fail(error, PIX_ERROR_BAD_SHAPE,
                        "%s (%s) takes sides that are multiples of %d and at least %d, not %dx%d",
                        model->name, info->architecture, info->multiple, info->minimum, width,
                        height);
    g_autoptr(PixGraph) graph = pix_graph_copy(model->graph);
    return pix_graph_infer(graph, 1, height, width, error);
}
