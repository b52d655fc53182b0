/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Converting to the native format: float32 is exact, narrower kernels are within half a step, and
 * the bytes depend on nothing but the network.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "checkpoint.h"
#include "model-cases.h"

static guint64 count_of(const PixTensorInfo *tensor)
{
    guint64 count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= (guint64)tensor->dims[i];
    return count;
}

/** Returns: (transfer full): the values of parameter @index. */
static float *read_param(PixCheckpoint *checkpoint, guint index)
{
    float *values = g_new(float, count_of(pix_checkpoint_get_tensor(checkpoint, index)));
    assert_true(pix_checkpoint_read_param(checkpoint, index, values, NULL));
    return values;
}

/** Half a step of the type in which @value is stored; @largest: of its output channel. */
static double half_step(const char *dtype, double value, double largest)
{
    if (!strcmp(dtype, "F16"))
        return fmax(fabs(value) / 2048, 0x1p-25);
    if (!strcmp(dtype, "BF16"))
        return fabs(value) / 256 + 0x1p-134;
    if (!strcmp(dtype, "I8"))
        return largest / 127 / 2 * 1.0001;
    return 0;
}

/** The output channel that element @i of a kernel belongs to. */
static guint64 channel_of(const PixParam *param, guint64 i)
{
    guint64 taps = (guint64)param->dims[2] * (guint64)param->dims[3];
    guint64 inner = taps * (guint64)param->dims[1];
    return param->op.kind == PIX_OP_DECONV ? i / taps % (guint64)param->dims[1] : i / inner;
}

static void compare_param(PixCheckpoint *from, PixCheckpoint *to, guint index)
{
    const PixParam *param = pix_graph_param(pix_checkpoint_get_graph(from), (int)index);
    const PixTensorInfo *tensor = pix_checkpoint_get_tensor(to, index);
    g_autofree float *x = read_param(from, index);
    g_autofree float *y = read_param(to, index);
    g_autofree double *largest = g_new0(double, param->rank == 4 ? (gsize)param->op.conv.oc : 1);
    bool narrow = param->rank == 4;
    for (guint64 i = 0; narrow && i < count_of(tensor); i++)
        largest[channel_of(param, i)] = fmax(largest[channel_of(param, i)], fabsf(x[i]));
    for (guint64 i = 0; i < count_of(tensor); i++) {
        double limit = narrow ? half_step(tensor->dtype, x[i], largest[channel_of(param, i)]) : 0;
        if (!(fabs((double)x[i] - y[i]) <= limit))
            fail_msg("%s %s [%u]: %.9g became %.9g", tensor->name, tensor->dtype, (guint)i, x[i],
                     y[i]);
    }
}

static void assert_same_bytes(const char *path0, const char *path1)
{
    g_autofree char *a = NULL, *b = NULL;
    gsize n0, n1;
    assert_true(g_file_get_contents(path0, &a, &n0, NULL));
    assert_true(g_file_get_contents(path1, &b, &n1, NULL));
    assert_int_equal(n0, n1);
    assert_memory_equal(a, b, n0);
}

static void convert(const ModelCase *c, PixPrecision precision, const char *kernel_dtype)
{
    g_autofree char *path = temporary_path("converted.safetensors");
    g_autofree char *second = temporary_path("second.safetensors");
    g_autoptr(PixCheckpoint) from = open_model(c->file, c->domain);
    assert_true(pix_checkpoint_save(from, path, precision, NULL));
    g_autoptr(PixCheckpoint) to = pix_checkpoint_open(path, NULL, NULL);
    assert_non_null(to);
    const PixModelInfo *before = pix_checkpoint_get_info(from);
    const PixModelInfo *after = pix_checkpoint_get_info(to);
    assert_string_equal(after->layout, "native");
    assert_string_equal(after->architecture, before->architecture);
    assert_int_equal(after->has_dropout, before->has_dropout);
    assert_int_equal(after->width, before->width);
    assert_int_equal(after->statistics, before->statistics);
    assert_memory_equal(pix_checkpoint_get_arch(from), pix_checkpoint_get_arch(to),
                        sizeof(PixArch));
    guint n = pix_checkpoint_get_n_tensors(from);
    assert_int_equal(pix_checkpoint_get_n_tensors(to), n);
    guint64 n_kernel_values = 0;
    for (guint i = 0; i < n; i++) {
        const PixTensorInfo *tensor = pix_checkpoint_get_tensor(to, i);
        n_kernel_values += tensor->rank == 4 ? count_of(tensor) : 0;
    }
    for (guint i = 0; i < n; i++) {
        const PixTensorInfo *tensor = pix_checkpoint_get_tensor(to, i);
        bool small = count_of(tensor) < n_kernel_values / 50;
        compare_param(from, to, i);
        assert_string_equal(tensor->dtype, tensor->rank != 4 ? "F32"
                                           : precision == PIX_PRECISION_INT8 && small
                                               ? "F16"
                                               : kernel_dtype);
    }
    assert_true(pix_checkpoint_save(to, second, precision, NULL));
    assert_same_bytes(path, second);
}

static void test_case(void **state)
{
    const ModelCase *c = *state;
    convert(c, PIX_PRECISION_FP32, "F32");
    convert(c, PIX_PRECISION_FP16, "F16");
    convert(c, PIX_PRECISION_BF16, "BF16");
    convert(c, PIX_PRECISION_INT8, "I8");
}

/* The native files of this folder were written by another program after the specification. */
static void test_specification(void **state)
{
    static const char *const files[] = {"unet32.safetensors", "unet32_1to3.safetensors",
                                        "resnet2.safetensors", "resnet_replicate.safetensors",
                                        "patchgan.safetensors"};
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *original = model_path(files[i]);
        g_autofree char *path = temporary_path("again.safetensors");
        g_autoptr(PixCheckpoint) checkpoint = open_model(files[i], NULL);
        assert_true(pix_checkpoint_save(checkpoint, path, PIX_PRECISION_FP32, NULL));
        assert_same_bytes(original, path);
    }
}

static PixCheckpoint *open_edited(Edit *edit)
{
    g_autofree char *path = edit_write(edit, "edited.safetensors");
    PixCheckpoint *checkpoint = pix_checkpoint_open(path, NULL, NULL);
    assert_non_null(checkpoint);
    return checkpoint;
}

/** Returns: (transfer full): the mix of a file, and its figure. */
static char *describe_mix(const PixModelInfo *info)
{
    return g_strdup_printf("%s: %.2f dB, %u", info->mix ? info->mix : "none", info->mix_psnr,
                           info->mix_pictures);
}

/** Saves @from in @precision; what is in the file must be @expected. Returns: (transfer full). */
static PixCheckpoint *assert_saved_mix(PixCheckpoint *from, PixPrecision precision,
                                       const char *expected)
{
    g_autofree char *path = temporary_path("mix.safetensors");
    assert_true(pix_checkpoint_save(from, path, precision, NULL));
    PixCheckpoint *to = pix_checkpoint_open(path, NULL, NULL);
    assert_non_null(to);
    g_autofree char *found = describe_mix(pix_checkpoint_get_info(to));
    assert_string_equal(found, expected);
    assert_int_equal(pix_checkpoint_get_info(to)->precision, precision);
    return to;
}

/* The mix goes where the weights go as they are, and nowhere else. */
static void test_mix(void **state)
{
    static const PixPrecision mix[10] = {PIX_PRECISION_FP32, PIX_PRECISION_BF16, PIX_PRECISION_INT8,
                                         PIX_PRECISION_INT8, PIX_PRECISION_INT8, PIX_PRECISION_INT8,
                                         PIX_PRECISION_INT8, PIX_PRECISION_INT8, PIX_PRECISION_BF16,
                                         PIX_PRECISION_FP32};
    const char *set = "fp32 bf16 int8 int8 int8 int8 int8 int8 bf16 fp32: 40.25 dB, 7";
    const char *none = "none: 0.00 dB, 0";
    g_autoptr(PixCheckpoint) plain = open_model("unet32.safetensors", NULL);
    g_autofree char *before = describe_mix(pix_checkpoint_get_info(plain));
    assert_string_equal(before, none);
    g_autoptr(PixCheckpoint) narrow = assert_saved_mix(plain, PIX_PRECISION_INT8, none);
    pix_checkpoint_set_mix(narrow, mix, 40.2468, 7);
    g_autofree char *after = describe_mix(pix_checkpoint_get_info(narrow));
    assert_string_equal(after, set);
    g_autoptr(PixCheckpoint) same = assert_saved_mix(narrow, PIX_PRECISION_INT8, set);
    assert_string_equal(g_hash_table_lookup(pix_checkpoint_get_metadata(same), "pix2pix.format"),
                        "1.1");
    g_autoptr(PixCheckpoint) wide = assert_saved_mix(same, PIX_PRECISION_FP32, set);
    g_autoptr(PixCheckpoint) rounded = assert_saved_mix(wide, PIX_PRECISION_FP16, none);
    assert_string_equal(g_hash_table_lookup(pix_checkpoint_get_metadata(rounded), "pix2pix.format"),
                        "1.0");
    g_autofree char *first = temporary_path("first.safetensors");
    g_autofree char *second = temporary_path("again.safetensors");
    assert_true(pix_checkpoint_save(narrow, first, PIX_PRECISION_INT8, NULL));
    assert_true(pix_checkpoint_save(same, second, PIX_PRECISION_INT8, NULL));
    assert_same_bytes(first, second);
    pix_checkpoint_set_mix(same, NULL, 0, 0);
    g_autoptr(PixCheckpoint) bare = assert_saved_mix(same, PIX_PRECISION_INT8, none);
    assert_string_equal(g_hash_table_lookup(pix_checkpoint_get_metadata(bare), "pix2pix.format"),
                        "1.0");
}

/* A mix names convolutions in the order of their kernels, whatever the network. */
static void test_mix_order(void **state)
{
    for (guint m = 0; m < n_model_cases; m++) {
        g_autoptr(PixCheckpoint) checkpoint =
            open_model(model_cases[m].file, model_cases[m].domain);
        const PixGraph *graph = pix_checkpoint_get_graph(checkpoint);
        int last = -1;
        for (guint i = 0; i < graph->nodes->len; i++) {
            int kernel = pix_graph_node(graph, (int)i)->param[PIX_SLOT_WEIGHT];
            if (kernel < 0)
                continue;
            assert_true(kernel > last);
            last = kernel;
        }
        assert_true(last >= 0);
    }
}

/* NaN and infinity are legal in a file, are counted, and survive where a type can hold them. */
static void test_bad_values(void **state)
{
    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    edit_find(edit, "model.model.0.weight")->values[5] = NAN;
    edit_find(edit, "model.model.3.bias")->values[1] = INFINITY;
    edit_find(edit, "model.model.1.model.4.running_var")->values[0] = -INFINITY;
    edit_find(edit, "model.model.1.model.4.running_var")->values[1] = -0.5f; /* no variance is */
    edit_find(edit, "model.model.1.model.4.running_mean")->values[1] = -0.5f;
    g_autoptr(PixCheckpoint) checkpoint = open_edited(edit);
    guint64 bad = 0;
    assert_true(pix_checkpoint_count_bad_values(checkpoint, &bad, NULL));
    assert_int_equal(bad, 4);
    g_autofree char *path = temporary_path("bad.safetensors");
    assert_true(pix_checkpoint_save(checkpoint, path, PIX_PRECISION_BF16, NULL));
    g_autoptr(PixCheckpoint) again = pix_checkpoint_open(path, NULL, NULL);
    assert_true(pix_checkpoint_count_bad_values(again, &bad, NULL));
    assert_int_equal(bad, 4);
}

static void assert_not_saved(PixCheckpoint *checkpoint, PixPrecision precision, const char *part)
{
    g_autofree char *path = temporary_path("unsaved.safetensors");
    g_autoptr(GError) error = NULL;
    assert_false(pix_checkpoint_save(checkpoint, path, precision, &error));
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED));
    assert_mentions(error->message, "model.model.1.model.1.weight");
    assert_mentions(error->message, part);
    assert_mentions(error->message, path);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* What a narrower type cannot hold is said, not turned into something else. */
static void test_out_of_range(void **state)
{
    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    float *value = edit_find(edit, "model.model.1.model.1.weight")->values;
    *value = 7e4f;
    g_autoptr(PixCheckpoint) large = open_edited(edit);
    assert_not_saved(large, PIX_PRECISION_FP16, "70000");
    *value = NAN;
    g_autoptr(PixCheckpoint) nan = open_edited(edit);
    assert_not_saved(nan, PIX_PRECISION_INT8, "not finite");
}

/* A channel of zeros has no largest magnitude to divide by. */
static void test_zero_channel(void **state)
{
    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    EditTensor *kernel = edit_find(edit, "model.model.1.model.1.weight");
    memset(kernel->values, 0, 32 * sizeof(float));
    kernel->values[40] = 1e-44f;
    g_autoptr(PixCheckpoint) checkpoint = open_edited(edit);
    g_autofree char *path = temporary_path("zero.safetensors");
    assert_true(pix_checkpoint_save(checkpoint, path, PIX_PRECISION_INT8, NULL));
    g_autoptr(PixCheckpoint) again = pix_checkpoint_open(path, NULL, NULL);
    guint64 bad = 1;
    assert_true(pix_checkpoint_count_bad_values(again, &bad, NULL));
    assert_int_equal(bad, 0);
    g_autofree float *values = read_param(again, 1);
    for (int i = 0; i < 32; i++)
        assert_true(values[i] == 0 && !signbit(values[i]));
}

/* Half-precision and double-precision weights of others are read as what they are. */
static void test_other_floats(void **state)
{
    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    EditTensor *kernel = edit_find(edit, "model.model.0.weight");
    kernel->dtype = PIX_DTYPE_BF16;
    kernel->values[7] = 1.5f;
    edit_find(edit, "model.model.3.bias")->dtype = PIX_DTYPE_F64;
    g_autoptr(PixCheckpoint) checkpoint = open_edited(edit);
    g_autofree float *values = read_param(checkpoint, 0);
    assert_true(values[7] == 1.5f);
    assert_string_equal(pix_checkpoint_get_tensor(checkpoint, 0)->dtype, "BF16");
}

static void test_tensor_files(void **state)
{
    const int dims[4] = {2, 3, 1, 2};
    const float values[12] = {1, -2, 3.5f, 0, 1e-40f, -0.0f, 7, 8, 9, 10, 11, 12};
    g_autofree char *path = temporary_path("tensor.safetensors");
    int found[4];
    assert_true(pix_tensor_write(path, "y", values, dims, NULL));
    g_autofree float *again = pix_tensor_read(path, "y", found, NULL);
    assert_non_null(again);
    assert_memory_equal(found, dims, sizeof dims);
    assert_memory_equal(again, values, sizeof values);

    g_autoptr(GError) missing = NULL, format = NULL, shape = NULL, nothing = NULL;
    assert_null(pix_tensor_read(path, "x", found, &missing));
    assert_true(g_error_matches(missing, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT));
    assert_mentions(missing->message, "has no tensor x");
    g_autofree char *pth = model_path("wrapped_mine.pth");
    assert_null(pix_tensor_read(pth, "x", found, &format));
    assert_true(g_error_matches(format, PIX_ERROR, PIX_ERROR_UNSUPPORTED));
    assert_null(pix_tensor_read("/nowhere/at-all", "x", found, &nothing));
    assert_true(g_error_matches(nothing, PIX_ERROR, PIX_ERROR_NOT_FOUND));

    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    EditTensor *tensor = edit_add(edit, "five", PIX_DTYPE_F32, 1);
    tensor->rank = 5;
    tensor->dims[1] = tensor->dims[2] = tensor->dims[3] = tensor->dims[4] = 1;
    edit_add(edit, "vector", PIX_DTYPE_F16, 3)->values[2] = 0.25f;
    edit_add(edit, "empty", PIX_DTYPE_F32, 0);
    g_autofree char *edited = edit_write(edit, "tensors.safetensors");
    g_autofree float *vector = pix_tensor_read(edited, "vector", found, NULL);
    assert_memory_equal(found, ((int[]){1, 1, 1, 3}), sizeof found);
    assert_true(vector[2] == 0.25f);
    assert_null(pix_tensor_read(edited, "five", found, &shape));
    assert_true(g_error_matches(shape, PIX_ERROR, PIX_ERROR_BAD_SHAPE));
    assert_null(pix_tensor_read(edited, "empty", found, NULL));
}

int main(void)
{
    g_autoptr(GArray) tests = g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));
    for (guint i = 0; i < n_model_cases; i++) {
        const struct CMUnitTest test = {.name = model_cases[i].io,
                                        .test_func = test_case,
                                        .initial_state = (void *)&model_cases[i]};
        g_array_append_val(tests, test);
    }
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_specification), cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_out_of_range),  cmocka_unit_test(test_zero_channel),
        cmocka_unit_test(test_other_floats),  cmocka_unit_test(test_tensor_files),
        cmocka_unit_test(test_mix),           cmocka_unit_test(test_mix_order),
    };
    g_array_append_vals(tests, others, G_N_ELEMENTS(others));
    return _cmocka_run_group_tests("convert", (const struct CMUnitTest *)tests->data, tests->len,
                                   NULL, NULL);
}
