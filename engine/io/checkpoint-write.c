/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint-write.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "reader.h"
#include "safetensors.h"

/* The largest finite value of IEEE 754 binary16. */
#define LARGEST_F16 65504.0f

/*
 * With INT8, a kernel with less than this share of all kernels' values stays F16. These are the
 * layers near the picture, whose errors nothing averages out. Measured on a facades generator with
 * 13.6 M values, smallest PSNR of its float32 output over 13 label maps: 54.9 dB with all kernels
 * in 8 bits, 65.5 dB so, for 3.6 % more bytes. Scales with the least squared error instead of the
 * largest magnitude changed that by -0.2 and +1.5 dB, but a file saved twice would differ.
 */
#define NARROW_SHARE 50

typedef struct {
    const char *file;
    const PixGraph *graph;
    PixReadParam read;
    gpointer user_data;
    GArray *tensors; /* of PixTensorSource */
    GArray *params;  /* of guint: which parameter each of them is; for scales that of the kernel */
    float *values;   /* room for the largest parameter */
    float *scales;   /* of the kernel written last */
} Writer;

static size_t count_kernels(const PixGraph *graph)
{
    size_t count = 0;
    for (guint i = 0; i < graph->params->len; i++) {
        const PixParam *param = pix_graph_param(graph, (int)i);
        count += param->slot == PIX_SLOT_WEIGHT ? pix_param_count(param) : 0;
    }
    return count;
}

static PixDtype dtype_for(const PixParam *param, PixPrecision precision, size_t n_kernel_values)
{
    if (param->slot != PIX_SLOT_WEIGHT)
        return PIX_DTYPE_F32;
    switch (precision) {
    case PIX_PRECISION_AUTO:
    case PIX_PRECISION_FP32:
        return PIX_DTYPE_F32;
    case PIX_PRECISION_FP16:
        return PIX_DTYPE_F16;
    case PIX_PRECISION_BF16:
        return PIX_DTYPE_BF16;
    case PIX_PRECISION_INT8:
        return pix_param_count(param) < n_kernel_values / NARROW_SHARE ? PIX_DTYPE_F16
                                                                       : PIX_DTYPE_I8;
    }
    g_assert_not_reached();
}

static void add_tensor(Writer *writer, guint index, const char *name, PixDtype dtype, int rank,
                       const int *dims)
{
    PixTensorSource tensor = {.name = name, .dtype = dtype, .rank = rank};
    for (int i = 0; i < rank; i++)
        tensor.dims[i] = (guint64)dims[i];
    g_array_append_val(writer->tensors, tensor);
    g_array_append_val(writer->params, index);
}

/** Lists all tensors in the order of the graph, scales behind their kernels. @names: owns names. */
static void list_tensors(Writer *writer, PixPrecision precision, GPtrArray *names)
{
    size_t n_kernel_values = count_kernels(writer->graph);
    for (guint i = 0; i < writer->graph->params->len; i++) {
        const PixParam *param = pix_graph_param(writer->graph, (int)i);
        PixDtype dtype = dtype_for(param, precision, n_kernel_values);
        add_tensor(writer, i, param->name, dtype, param->rank, param->dims);
        if (dtype == PIX_DTYPE_I8) {
            char *name = g_strconcat(param->name, ".scale", NULL);
            g_ptr_array_add(names, name);
            add_tensor(writer, i, name, PIX_DTYPE_F32, 1, &param->op.conv.oc);
        }
    }
}

/** Sets @scales, one for each output channel, to the largest magnitude over 127. */
static void find_scales(const PixParam *param, const float *values, float *scales)
{
    const int n0 = param->dims[0], n1 = param->dims[1], taps = param->dims[2] * param->dims[3];
    const bool deconv = param->op.kind == PIX_OP_DECONV;
    memset(scales, 0, sizeof(float) * (size_t)param->op.conv.oc);
    for (int i = 0; i < n0; i++)
        for (int j = 0; j < n1; j++)
            for (int k = 0; k < taps; k++) {
                float *scale = &scales[deconv ? j : i];
                *scale = fmaxf(*scale, fabsf(*values++));
            }
    for (int i = 0; i < param->op.conv.oc; i++)
        scales[i] /= 127.0f;
}

static void quantise(const PixParam *param, const float *values, const float *scales, gint8 *bytes)
{
    const int n0 = param->dims[0], n1 = param->dims[1], taps = param->dims[2] * param->dims[3];
    const bool deconv = param->op.kind == PIX_OP_DECONV;
    for (int i = 0; i < n0; i++)
        for (int j = 0; j < n1; j++)
            for (int k = 0; k < taps; k++) {
                float scale = scales[deconv ? j : i];
                /* A scale that is too small to divide by stands for a channel of zeros. */
                float level = scale > 0 ? rintf(*values / scale) : 0;
                values++;
                *bytes++ = (gint8)fminf(fmaxf(level, -127), 127);
            }
}

/** Whether @dtype can hold every value; what is not finite is legal in floating point only. */
static bool check_range(const Writer *writer, const PixParam *param, PixDtype dtype, GError **error)
{
    const float *values = writer->values;
    for (size_t i = 0; i < pix_param_count(param); i++) {
        if (dtype == PIX_DTYPE_F16 && isfinite(values[i]) && fabsf(values[i]) > LARGEST_F16)
            return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                            "%s: %s has the value %g, beyond the range of fp16: use bf16 or fp32",
                            writer->file, param->name, (double)values[i]);
        if (dtype == PIX_DTYPE_I8 && !isfinite(values[i]))
            return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                            "%s: %s has values that are not finite, which int8 cannot hold: use "
                            "fp32",
                            writer->file, param->name);
    }
    return true;
}

static bool fill(gpointer user_data, guint index, void *bytes, GError **error)
{
    Writer *writer = user_data;
    const PixTensorSource *tensor = &g_array_index(writer->tensors, PixTensorSource, index);
    guint at = g_array_index(writer->params, guint, index);
    const PixParam *param = pix_graph_param(writer->graph, (int)at);
    if (tensor->name != param->name) { /* the scales of the kernel before */
        pix_dtype_from_floats(PIX_DTYPE_F32, writer->scales, bytes, tensor->dims[0]);
        return true;
    }
    if (!writer->read(writer->user_data, at, writer->values, error) ||
        !check_range(writer, param, tensor->dtype, error))
        return false;
    if (tensor->dtype == PIX_DTYPE_I8) {
        find_scales(param, writer->values, writer->scales);
        quantise(param, writer->values, writer->scales, bytes);
    } else {
        pix_dtype_from_floats(tensor->dtype, writer->values, bytes, pix_param_count(param));
    }
    return true;
}

bool pix_checkpoint_write(const char *file, const PixArch *arch, const PixGraph *graph,
                          const PixSettings *settings, const PixMeasured *measured,
                          PixReadParam read, gpointer user_data, GError **error)
{
    g_autoptr(GHashTable) metadata = pix_metadata_new(arch, settings, measured);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) tensors = g_array_new(FALSE, FALSE, sizeof(PixTensorSource));
    g_autoptr(GArray) params = g_array_new(FALSE, FALSE, sizeof(guint));
    size_t largest = 0, most_channels = 0;
    for (guint i = 0; i < graph->params->len; i++) {
        const PixParam *param = pix_graph_param(graph, (int)i);
        largest = MAX(largest, pix_param_count(param));
        if (param->slot == PIX_SLOT_WEIGHT)
            most_channels = MAX(most_channels, (size_t)param->op.conv.oc);
    }
    g_autofree float *values = pix_try_alloc(largest, sizeof(float), error);
    g_autofree float *scales = values ? pix_try_alloc(most_channels, sizeof(float), error) : NULL;
    if (!scales) {
        g_prefix_error(error, "%s: ", file);
        return false;
    }
    Writer writer = {file, graph, read, user_data, tensors, params, values, scales};
    list_tensors(&writer, settings->precision, names);
    return pix_safetensors_write(file, (const PixTensorSource *)tensors->data, tensors->len,
                                 metadata, fill, &writer, error);
}
