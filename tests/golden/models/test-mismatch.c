/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What does not fit is refused as a whole, and the error names every tensor and key that is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model-cases.h"

#define INNER "model.model.1.model."
#define LARGEST (G_GUINT64_CONSTANT(1) << 47) /* that the container lets through */

/** Writes @edit, which no import may accept. Returns: (transfer full): what it is told. */
static char *refuse(Edit *edit, PixError code)
{
    g_autofree char *path = edit_write(edit, "refused.safetensors");
    g_autoptr(GError) error = fail_to_open(path, NULL);
    assert_int_equal(error->code, code);
    return g_strdup(error->message);
}

/* One of each kind in one file: all are named, with what was expected and what is there. */
static void test_all_named(void **state)
{
    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    edit_remove(edit, INNER "1.weight");
    edit_find(edit, INNER "4.bias")->dims[0] = 1;
    edit_find(edit, INNER "4.bias")->rank = 2;
    edit_find(edit, INNER "4.bias")->dims[1] = 2;
    edit_find(edit, INNER "4.weight")->dtype = PIX_DTYPE_I32;
    edit_add(edit, "model.model.9.weight", PIX_DTYPE_F32, 5);
    edit_add(edit, "extra", PIX_DTYPE_F16, 0);
    g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
    assert_mentions(text, INNER "1.weight is missing, expected [4, 2, 4, 4]");
    assert_mentions(text, INNER "4.bias is F32 [1, 2], expected [2]");
    assert_mentions(text, INNER "4.weight is I32 [2], expected floating-point numbers");
    assert_mentions(text, "model.model.9.weight F32 [5] is unexpected");
    assert_mentions(text, "extra F16 [0] is unexpected");
    assert_mentions(text, "5 tensors do not fit a unet_4 of layout junyanz");
}

/* Every single tensor is needed: without it, or with another shape or type, nothing is loaded. */
static void test_each_needed(void **state)
{
    static const char *const models[] = {"wrapped.safetensors", "resnet2.safetensors",
                                         "patchgan.safetensors"};
    for (size_t m = 0; m < G_N_ELEMENTS(models); m++) {
        g_autoptr(Edit) whole = edit_new(models[m]);
        for (guint i = 0; i < whole->tensors->len; i++) {
            const char *name = ((EditTensor *)g_ptr_array_index(whole->tensors, i))->name;
            for (int change = 0; change < 4; change++) {
                g_autoptr(Edit) edit = edit_new(models[m]);
                EditTensor *tensor = edit_find(edit, name);
                if (change == 0)
                    edit_remove(edit, name);
                if (change == 1)
                    tensor->dims[0] = 0;
                if (change == 2)
                    tensor->dtype = PIX_DTYPE_I64;
                if (change == 3) {
                    g_free(tensor->name);
                    tensor->name = g_strdup_printf("%sx", name);
                }
                g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
                assert_mentions(text, name);
            }
        }
    }
}

static void test_foreign_names(void **state)
{
    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    for (guint i = 0; i < edit->tensors->len; i++) {
        EditTensor *tensor = g_ptr_array_index(edit->tensors, i);
        char *name = g_strconcat("netG.module.", tensor->name, NULL);
        g_free(tensor->name);
        tensor->name = name;
    }
    edit_remove(edit, "netG.module.model.model.3.bias");
    g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
    assert_mentions(text, "netG.model.model.3.bias is missing, expected [3]");
}

static void test_there_twice(void **state)
{
    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    edit_add(edit, "module.model.model.3.bias", PIX_DTYPE_F32, 3);
    g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
    assert_mentions(text, "1 tensor does not fit");
    assert_mentions(text, "module.model.model.3.bias is there twice, also as model.model.3.bias");
    /* All of them: the cause is said once. */
    g_autoptr(Edit) all = edit_new("wrapped.safetensors");
    guint n = all->tensors->len;
    for (guint i = 0; i < n; i++) {
        EditTensor *tensor = g_ptr_array_index(all->tensors, i);
        g_autofree char *name = g_strconcat("module.", tensor->name, NULL);
        EditTensor *copy = edit_add(all, name, PIX_DTYPE_F32, 0);
        copy->rank = tensor->rank;
        memcpy(copy->dims, tensor->dims, sizeof copy->dims);
        guint64 count = 1;
        for (int j = 0; j < copy->rank; j++)
            count *= copy->dims[j];
        g_free(copy->values);
        copy->values = g_new0(float, count);
    }
    g_autofree char *once = refuse(all, PIX_ERROR_BAD_CHECKPOINT);
    g_autofree char *more = g_strdup_printf(", and so are %u more", n - 1);
    g_autofree char *counted = g_strdup_printf("%u tensors do not fit", n);
    assert_mentions(once, more);
    assert_mentions(once, counted);
    assert_null(strstr(strstr(once, "there twice") + 1, "there twice"));
}

/* What stands where a weight should be is said under its own name in the file, wrappers and all. */
static void test_not_a_tensor(void **state)
{
    static const struct {
        const char *file, *text;
    } rows[] = {
        {"numpy", "a numpy array (use torch.from_numpy)"},
        {"none", "None"},
        {"list", "a list"},
        {"number", "a number"},
        {"complex", "a tensor of complex or other numbers that are not read"},
        {"sparse", "a sparse tensor (use .to_dense())"},
        {"expanded", "an expanded tensor (use .clone())"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strdup_printf("not_a_tensor_%s.pth", rows[i].file);
        g_autofree char *path = model_path(name);
        g_autoptr(GError) error = fail_to_open(path, NULL);
        g_autofree char *text = g_strdup_printf(
            "module.model.model.1.model.1.weight is %s, expected a tensor [4, 2, 4, 4]",
            rows[i].text);
        assert_int_equal(error->code, PIX_ERROR_BAD_CHECKPOINT);
        assert_mentions(error->message, text);
    }
    g_autofree char *first = model_path("not_a_tensor_first.pth");
    g_autoptr(GError) unknown_size = fail_to_open(first, NULL);
    assert_mentions(unknown_size->message,
                    "module.model.model.0.weight is a numpy array (use torch.from_numpy), expected "
                    "a tensor, without which the network's size is unknown");
    g_autofree char *path = model_path("not_a_tensor_all.pth");
    g_autoptr(GError) error = fail_to_open(path, NULL);
    assert_mentions(error->message,
                    "holds no tensors at all; what it holds most (10) is a numpy array (use "
                    "torch.from_numpy), such as 'state_dict/model.model.0.weight'");
}

/* The text is bounded, whatever the file says. */
static void test_bounded(void **state)
{
    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    for (int i = 0; i < 2000; i++) {
        g_autofree char *name = g_strdup_printf("model.model.%d.weight", i + 10);
        edit_add(edit, name, PIX_DTYPE_F32, 1);
    }
    g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
    assert_mentions(text, "2000 tensors");
    assert_mentions(text, "model.model.10.weight F32 [1] is unexpected");
    assert_mentions(text, " more");
    assert_true(strlen(text) < 5000);
}

static void test_unknown(void **state)
{
    g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
    g_ptr_array_set_size(edit->tensors, 0);
    g_autofree char *empty = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
    assert_mentions(empty, "no tensors");
    edit_add(edit, "fc.weight", PIX_DTYPE_F32, 10);
    g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
    assert_mentions(text, "not a network that is known here, which are the U-Net");
    assert_mentions(text, "it has 1 tensor, starting with fc.weight F32 [10]");
}

/* Other people's networks that share a name or two with those that are known. */
static void test_strangers(void **state)
{
    static const struct {
        const char *name;
        guint64 dims[4];
    } tensors[][3] = {
        {{"model.0.weight", {64, 3, 3, 3}}, {"model.2.weight", {64, 64, 3, 3}}},
        {{"model.1.weight", {64, 3, 7, 7}},
         {"model.4.weight", {128, 64, 3, 3}},
         {"model.16.conv_block.1.weight", {8, 8, 3, 3}}}, /* pix2pixHD */
        {{"net.0.weight", {8, 3, 3, 3}}, {"net.2.weight", {8, 8, 3, 3}}},
        {{"model.0.conv.weight", {8, 3, 3, 3}}, {"model.9.block.0.conv.weight", {8, 8, 3, 3}}},
        {{"model.0.weight", {8, 3, 3, 3}}, {"model.12.weight", {8, 8, 3, 3}}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(tensors); i++) {
        g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
        g_ptr_array_set_size(edit->tensors, 0);
        for (int j = 0; j < 3 && tensors[i][j].name; j++) {
            const guint64 *dims = tensors[i][j].dims;
            EditTensor *tensor = edit_add(edit, tensors[i][j].name, PIX_DTYPE_F32,
                                          dims[0] * dims[1] * dims[2] * dims[3]);
            tensor->rank = 4;
            memcpy(tensor->dims, dims, 4 * sizeof *dims);
        }
        g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
        assert_mentions(text, "not a network that is known here");
        assert_mentions(text, tensors[i][0].name);
    }
}

/* Sizes that no arithmetic may overflow on. */
static void test_absurd(void **state)
{
    static const struct {
        const char *tensor;
        guint64 dims[4];
    } rows[] = {
        {"model.model.0.weight", {0, LARGEST, 4, 4}},
        {"model.model.0.weight", {LARGEST, 0, 4, 4}},
        {"model.model.0.weight", {G_GUINT64_CONSTANT(1) << 40, 3, 0, 4}},
        {"model.model.0.weight", {1 << 20, 3, 0, 4}},
        {"model.model.3.weight", {0, 3, 4, 4}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Edit) edit = edit_new("wrapped.safetensors");
        memcpy(edit_find(edit, rows[i].tensor)->dims, rows[i].dims, sizeof rows[i].dims);
        g_autofree char *path = edit_write(edit, "absurd.safetensors");
        g_autoptr(GError) error = fail_to_open(path, NULL);
        assert_null(strchr(error->message, '\n'));
    }
    static const char *const deep[] = {"model.999999999999.conv_block.1.weight",
                                       "model.1000.weight", "model.-3.weight",
                                       "model.999.conv_block.1.weight"};
    for (size_t i = 0; i < G_N_ELEMENTS(deep); i++) {
        g_autoptr(Edit) edit = edit_new("resnet2.safetensors");
        g_hash_table_remove_all(edit->metadata);
        EditTensor *tensor = edit_add(edit, deep[i], PIX_DTYPE_F32, 1);
        tensor->rank = 4;
        tensor->dims[1] = tensor->dims[2] = tensor->dims[3] = 1;
        g_autofree char *path = edit_write(edit, "deep.safetensors");
        g_autoptr(GError) error = fail_to_open(path, NULL);
        assert_null(strchr(error->message, '\n'));
    }
}

/* Metadata that contradicts itself or the tensors; the tensors stay as they are. */
static void test_metadata(void **state)
{
    static const struct {
        const char *key, *value; /* NULL removes it */
        PixError code;
        const char *part;
    } rows[] = {
        {"format", "2.0", PIX_ERROR_UNSUPPORTED, "version 2.0"},
        {"format", "18446744073709551617.0", PIX_ERROR_UNSUPPORTED, "version 1844"},
        {"format", "0.9", PIX_ERROR_BAD_CHECKPOINT, "pix2pix.format"},
        {"format", "one", PIX_ERROR_BAD_CHECKPOINT, "pix2pix.format is \"one\""},
        {"architecture", "vae", PIX_ERROR_BAD_CHECKPOINT, "\"vae\", expected one of: unet, resnet"},
        {"architecture", "resnet", PIX_ERROR_BAD_CHECKPOINT, "model.1.weight is missing"},
        {"architecture", NULL, PIX_ERROR_BAD_CHECKPOINT, "pix2pix.architecture is missing"},
        {"in_channels", "1", PIX_ERROR_BAD_CHECKPOINT, "expected [4, 1, 4, 4]"},
        {"out_channels", "0", PIX_ERROR_UNSUPPORTED, "output channels 0"},
        {"filters", "8", PIX_ERROR_BAD_CHECKPOINT, "F32 [4, 3, 4, 4], expected [8, 3, 4, 4]"},
        {"filters", "-4", PIX_ERROR_BAD_CHECKPOINT, "pix2pix.filters is \"-4\""},
        {"filters", "99999999999999999999", PIX_ERROR_BAD_CHECKPOINT, "expected a number"},
        {"depth", "4", PIX_ERROR_BAD_CHECKPOINT, "unexpected"},
        {"depth", "30", PIX_ERROR_UNSUPPORTED, "depth 30"},
        {"norm", "instance", PIX_ERROR_BAD_CHECKPOINT, "only batch norm"},
        {"norm", "none", PIX_ERROR_BAD_CHECKPOINT, "only batch norm"},
        {"running", "false", PIX_ERROR_BAD_CHECKPOINT, "running_mean"},
        {"affine", "yes", PIX_ERROR_BAD_CHECKPOINT, "expected true or false"},
        {"bias", "true", PIX_ERROR_BAD_CHECKPOINT, "model.model.0.bias is missing"},
        {"skips", "false", PIX_ERROR_BAD_CHECKPOINT, "model.model.3.weight is F32 [8, 3, 4, 4]"},
        {"inner_norm", "true", PIX_ERROR_BAD_CHECKPOINT, "missing"},
        {"statistics", "", PIX_ERROR_BAD_CHECKPOINT, "expected one of: frame, running"},
        {"width", "33", PIX_ERROR_BAD_CHECKPOINT, "33x32"},
        {"height", "0", PIX_ERROR_BAD_CHECKPOINT, "32x0"},
        {"width", "1048576", PIX_ERROR_BAD_CHECKPOINT, "1048576x32"},
        {"height", "16416", PIX_ERROR_BAD_CHECKPOINT, "multiples of 32 from 32 to 16384"},
        {"colours", "bgr", PIX_ERROR_BAD_CHECKPOINT, "expected one of: rgb"},
        {"precision", "fp16", PIX_ERROR_BAD_CHECKPOINT, "contradicts the precision"},
        {"precision", "int8", PIX_ERROR_BAD_CHECKPOINT, "contradicts the precision"},
        {"precision", "int4", PIX_ERROR_BAD_CHECKPOINT, "\"int4\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Edit) edit = edit_new("unet32.safetensors");
        g_autofree char *key = g_strconcat("pix2pix.", rows[i].key, NULL);
        assert_true(g_hash_table_contains(edit->metadata, key));
        if (rows[i].value)
            edit_set(edit, key, rows[i].value);
        else
            g_hash_table_remove(edit->metadata, key);
        g_autofree char *text = refuse(edit, rows[i].code);
        assert_mentions(text, rows[i].part);
    }
    static const char *const flat[] = {"cryer-unet", "cryer-patchgan", "pixelgan"};
    for (size_t i = 0; i < G_N_ELEMENTS(flat); i++) {
        g_autoptr(Edit) edit = edit_new("unet32.safetensors");
        edit_set(edit, "pix2pix.architecture", flat[i]);
        g_autofree char *wanted = g_strdup_printf(
            "metadata pix2pix.depth is \"5\", but a %s has no depth: expected 0", flat[i]);
        g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
        assert_mentions(text, wanted);
    }
    g_autoptr(Edit) edit = edit_new("resnet2.safetensors");
    edit_set(edit, "pix2pix.statistics", "running");
    g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
    assert_mentions(text, "running statistics");
}

/* The mix of precisions: both keys or none, each written in one way. A unet_32 has ten convolutions. */
static void test_mix(void **state)
{
#define NINE "fp32 bf16 int8 int8 int8 int8 int8 bf16 fp32"
    static const struct {
        const char *mix, *psnr, *part;
    } rows[] = {
        {NINE " int8", NULL, "pix2pix.mix_psnr is missing"},
        {NULL, "41.50 100", "pix2pix.mix is missing"},
        {NINE, "41.50 100", "pix2pix.mix is \"fp32"},
        {NINE, "41.50 100", "expected 10 words"},
        {NINE " int8 int8", "41.50 100", "expected 10 words"},
        {NINE " fp16", "41.50 100", "fp32, bf16 or int8"},
        {NINE " auto", "41.50 100", "expected 10 words"},
        {NINE "  int8", "41.50 100", "expected 10 words"},
        {NINE " int8 ", "41.50 100", "expected 10 words"},
        {"", "41.50 100", "expected 10 words"},
        {NINE " int8", "", "pix2pix.mix_psnr is \"\""},
        {NINE " int8", "41.50", "pix2pix.mix_psnr is \"41.50\""},
        {NINE " int8", "41.5 100", "decibels"},
        {NINE " int8", "041.50 100", "decibels"},
        {NINE " int8", "-1.00 100", "decibels"},
        {NINE " int8", "nan 100", "decibels"},
        {NINE " int8", "inf 100", "decibels"},
        {NINE " int8", "1000.00 100", "decibels"},
        {NINE " int8", "41.50 0", "decibels"},
        {NINE " int8", "41.50 -1", "decibels"},
        {NINE " int8", "41.50 4294967297", "decibels"},
        {NINE " int8", "41.50 100 ", "decibels"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Edit) edit = edit_new("unet32.safetensors");
        if (rows[i].mix)
            edit_set(edit, "pix2pix.mix", rows[i].mix);
        if (rows[i].psnr)
            edit_set(edit, "pix2pix.mix_psnr", rows[i].psnr);
        g_autofree char *text = refuse(edit, PIX_ERROR_BAD_CHECKPOINT);
        assert_mentions(text, rows[i].part);
    }
}

/* What a file may say: a later minor version, unknown keys, sizes and statistics of its own. */
static void test_metadata_accepted(void **state)
{
    g_autoptr(Edit) edit = edit_new("unet32.safetensors");
    edit_set(edit, "pix2pix.format", "1.7");
    edit_set(edit, "pix2pix.future", "anything");
    edit_set(edit, "author", "somebody");
    edit_set(edit, "pix2pix.width", "96");
    edit_set(edit, "pix2pix.height", "64");
    edit_set(edit, "pix2pix.statistics", "running");
    g_autofree char *path = edit_write(edit, "accepted.safetensors");
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(path, NULL, NULL);
    assert_non_null(checkpoint);
    const PixModelInfo *info = pix_checkpoint_get_info(checkpoint);
    assert_int_equal(info->width, 96);
    assert_int_equal(info->height, 64);
    assert_int_equal(info->statistics, PIX_STATISTICS_RUNNING);
    assert_string_equal(g_hash_table_lookup(pix_checkpoint_get_metadata(checkpoint), "author"),
                        "somebody");
    g_autofree char *saved = temporary_path("saved.safetensors");
    assert_true(pix_checkpoint_save(checkpoint, saved, PIX_PRECISION_FP32, NULL));
    g_autoptr(PixCheckpoint) again = pix_checkpoint_open(saved, NULL, NULL);
    assert_int_equal(pix_checkpoint_get_info(again)->width, 96);
    assert_int_equal(pix_checkpoint_get_info(again)->statistics, PIX_STATISTICS_RUNNING);
    assert_false(g_hash_table_contains(pix_checkpoint_get_metadata(again), "author"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_named),     cmocka_unit_test(test_each_needed),
        cmocka_unit_test(test_foreign_names), cmocka_unit_test(test_there_twice),
        cmocka_unit_test(test_bounded),       cmocka_unit_test(test_not_a_tensor),
        cmocka_unit_test(test_unknown),       cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_absurd),        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_mix),           cmocka_unit_test(test_metadata_accepted),
    };
    return cmocka_run_group_tests_name("mismatch", tests, NULL, NULL);
}
