/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every layout is recognised for what it is, wherever in a file the network lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "checkpoint.h"
#include "model-cases.h"

static bool has_note(const PixCheckpoint *checkpoint, const char *part)
{
    for (const char *const *note = pix_checkpoint_get_notes(checkpoint); *note; note++)
        if (strstr(*note, part))
            return true;
    return false;
}

static void test_case(void **state)
{
    const ModelCase *c = *state;
    g_autoptr(PixCheckpoint) checkpoint = open_model(c->file, c->domain);
    const PixModelInfo *info = pix_checkpoint_get_info(checkpoint);
    assert_string_equal(info->architecture, c->architecture);
    assert_string_equal(info->layout, c->layout);
    assert_string_equal(info->container, c->container);
    assert_string_equal(info->norm, c->norm);
    assert_int_equal(info->is_generator, c->is_generator);
    assert_int_equal(info->in_channels, c->in_channels);
    assert_int_equal(info->out_channels, c->out_channels);
    assert_int_equal(info->width, c->side);
    assert_int_equal(info->height, c->side);
    assert_int_equal(info->multiple, c->multiple);
    assert_int_equal(info->has_dropout, c->has_dropout);
    assert_int_equal(info->has_running_statistics, c->has_running);
    assert_int_equal(info->statistics, PIX_STATISTICS_FRAME);
    assert_int_equal(info->parameters, c->parameters);
    guint64 bad = 1;
    assert_true(pix_checkpoint_count_bad_values(checkpoint, &bad, NULL));
    assert_int_equal(bad, 0);
    if (c->note && !has_note(checkpoint, c->note))
        fail_msg("no note says \"%s\"", c->note);
}

/* Every parameter has a name of our own, the name in the file, and its shape. */
static void test_tensors(void **state)
{
    g_autoptr(PixCheckpoint) checkpoint = open_model("mm_cyclegan.pth", "horse");
    assert_int_equal(pix_checkpoint_get_n_tensors(checkpoint), 20);
    const PixTensorInfo *first = pix_checkpoint_get_tensor(checkpoint, 0);
    assert_string_equal(first->name, "model.1.weight");
    assert_string_equal(first->source, "generators.module.horse.model.0.conv.weight");
    assert_string_equal(first->dtype, "F32");
    assert_int_equal(first->rank, 4);
    assert_int_equal(first->dims[0], 2);
    assert_int_equal(first->dims[3], 7);
    g_autoptr(PixCheckpoint) pict = open_model("affinelayer.pict", NULL);
    first = pix_checkpoint_get_tensor(pict, 0);
    assert_string_equal(first->source, "generator/encoder_1/conv2d/kernel");
    assert_int_equal(first->dims[1], 3);
    assert_int_equal(first->dims[2], 4);
}

static float *read_all(PixCheckpoint *checkpoint, guint64 *count)
{
    const PixGraph *graph = pix_checkpoint_get_graph(checkpoint);
    GArray *values = g_array_new(FALSE, TRUE, sizeof(float));
    for (guint i = 0; i < graph->params->len; i++) {
        const PixParam *param = pix_graph_param(graph, (int)i);
        guint at = values->len;
        g_array_set_size(values, at + (guint)(param->dims[0] * param->dims[1] * param->dims[2] *
                                              param->dims[3]));
        assert_true(
            pix_checkpoint_read_param(checkpoint, i, &g_array_index(values, float, at), NULL));
    }
    *count = values->len;
    return (float *)g_array_free(values, FALSE);
}

static bool same_weights(const char *name0, const char *domain0, const char *name1,
                         const char *domain1)
{
    g_autoptr(PixCheckpoint) a = open_model(name0, domain0);
    g_autoptr(PixCheckpoint) b = open_model(name1, domain1);
    guint64 n0, n1;
    g_autofree float *x = read_all(a, &n0);
    g_autofree float *y = read_all(b, &n1);
    return n0 == n1 && !memcmp(x, y, n0 * sizeof(float));
}

/* What wraps a network does not change its weights. */
static void test_wrappers(void **state)
{
    for (guint i = 0; i < n_model_cases; i++)
        if (!strcmp(model_cases[i].io, "wrapped"))
            assert_true(same_weights("wrapped.safetensors", NULL, model_cases[i].file,
                                     model_cases[i].domain));
    assert_false(same_weights("wrapped.safetensors", NULL, "wrapped_two.pth", "netG_B"));
    assert_false(same_weights("mm_cyclegan.pth", "horse", "mm_cyclegan.pth", "zebra"));
}

/* The first layer's input and the last layer's output channels are turned, nothing else. */
static void test_bgr(void **state)
{
    g_autofree char *path = model_path("mm_cyclegan.pth");
    g_autoptr(PixCheckpoint) checkpoint = open_model("mm_cyclegan.pth", "horse");
    PixContainer *container = pix_container_open(path, NULL);
    for (guint i = 0; i < pix_checkpoint_get_n_tensors(checkpoint); i++) {
        const PixTensorInfo *tensor = pix_checkpoint_get_tensor(checkpoint, i);
        const PixEntry *entry = pix_container_find(container, "state_dict", tensor->source);
        assert_non_null(entry);
        g_autofree float *file = g_new(float, entry->count);
        g_autofree float *turned = g_new(float, entry->count);
        assert_true(pix_container_read(container, entry, file, NULL));
        assert_true(pix_checkpoint_read_param(checkpoint, i, turned, NULL));
        bool last = i >= pix_checkpoint_get_n_tensors(checkpoint) - 2;
        guint64 step = i == 0 ? 49 : last ? entry->count / 3 : 0;
        for (guint64 j = 0; j < entry->count; j++) {
            guint64 channel = step ? j / step % 3 : 0;
            guint64 k = step ? j - channel * step + (2 - channel) * step : j;
            assert_true(turned[j] == file[k]);
        }
    }
    pix_container_free(container);
}

static void test_domains(void **state)
{
    static const struct {
        const char *file, *domain;
        PixError code;
        const char *parts[3];
    } rows[] = {
        {"mm_cyclegan.pth", NULL, PIX_ERROR_UNSUPPORTED, {"2 networks", "horse, zebra", "domain"}},
        {"mm_cyclegan.pth", "cat", PIX_ERROR_NOT_FOUND, {"\"cat\"", "horse, zebra", "discrim"}},
        {"mm_cyclegan.pth", "", PIX_ERROR_NOT_FOUND, {"\"\"", "horse", "zebra"}},
        {"mm_pix2pix.pth", "mask", PIX_ERROR_NOT_FOUND, {"\"mask\"", "photo", "photo"}},
        {"wrapped_two.pth", NULL, PIX_ERROR_UNSUPPORTED, {"netG_A, netG_B", "2", "domain"}},
        {"wrapped_average.pth", NULL, PIX_ERROR_UNSUPPORTED, {"netG, average/netG", "2", "choose"}},
        {"wrapped_two.pth", "netG", PIX_ERROR_NOT_FOUND, {"netG_A", "netG_B", "\"netG\""}},
        {"unet_none.pth", "horse", PIX_ERROR_NOT_FOUND, {"no domains", "\"horse\"", "leave"}},
        {"unet32.safetensors", "horse", PIX_ERROR_NOT_FOUND, {"no domains", "leave", "out"}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = model_path(rows[i].file);
        g_autoptr(GError) error = fail_to_open(path, rows[i].domain);
        assert_int_equal(error->code, rows[i].code);
        for (size_t j = 0; j < G_N_ELEMENTS(rows[i].parts); j++)
            assert_mentions(error->message, rows[i].parts[j]);
    }
    static const struct {
        const char *file, *domain, *architecture;
    } good[] = {
        {"wrapped_pair.pth", "D", "patchgan_1"},
        {"prefixed_pair.pth", "D", "patchgan_1"},
        {"prefixed_resnet.pth", "model", "resnet_0blocks"}, /* not a U-Net's "model.model" */
        {"prefixed_resnet.pth", "model.D", "patchgan_1"},
        {"prefixed_resnet.pth", NULL, "resnet_0blocks"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(PixCheckpoint) checkpoint = open_model(good[i].file, good[i].domain);
        assert_string_equal(pix_checkpoint_get_info(checkpoint)->architecture,
                            good[i].architecture);
    }
}

/* Of channels that are not whole pictures nothing is turned, and nothing is said. */
static void test_bgr_note(void **state)
{
    static const struct {
        const char *domain, *file, *note;
    } rows[] = {
        {NULL, "mm_pix2pix.pth", "its first and last layer are turned"},
        {"discriminators.photo", "mm_pix2pix.pth", "its first layer are turned"},
        {NULL, "mm_unet_instance.pth", "its last layer are turned"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PixCheckpoint) checkpoint = open_model(rows[i].file, rows[i].domain);
        assert_true(has_note(checkpoint, rows[i].note));
    }
}

/* Opening from memory is the same. */
static void test_bytes(void **state)
{
    g_autofree char *path = model_path("mm_pix2pix.pth");
    g_autofree char *data = NULL;
    gsize n;
    assert_true(g_file_get_contents(path, &data, &n, NULL));
    g_autoptr(GBytes) bytes = g_bytes_new(data, n);
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open_bytes(bytes, "inside", NULL, NULL);
    assert_non_null(checkpoint);
    assert_string_equal(pix_checkpoint_get_label(checkpoint), "inside");
    assert_int_equal(pix_checkpoint_get_arch(checkpoint)->kind, PIX_ARCH_UNET);
    assert_int_equal(pix_checkpoint_get_settings(checkpoint)->statistics, PIX_STATISTICS_FRAME);
    g_autoptr(GError) error = NULL;
    assert_null(pix_checkpoint_open_bytes(bytes, "inside", "mask", &error));
    assert_mentions(error->message, "inside: ");
}

int main(void)
{
    g_autoptr(GArray) tests = g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));
    for (guint i = 0; i < n_model_cases; i++) {
        const struct CMUnitTest test = {.name = model_cases[i].file,
                                        .test_func = test_case,
                                        .initial_state = (void *)&model_cases[i]};
        g_array_append_val(tests, test);
    }
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_tensors), cmocka_unit_test(test_wrappers),
        cmocka_unit_test(test_bgr),     cmocka_unit_test(test_domains),
        cmocka_unit_test(test_bytes),   cmocka_unit_test(test_bgr_note),
    };
    g_array_append_vals(tests, others, G_N_ELEMENTS(others));
    return _cmocka_run_group_tests("import", (const struct CMUnitTest *)tests->data, tests->len,
                                   NULL, NULL);
}
