/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The tiles of convolutions and what was measured of them: whichever is the fastest by the cache, it
 * is taken where it may be, and results have the same bits. What else there is in the cache is not
 * believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "backend.h"
#include "cache-file.h"
#include "compare.h"
#include "levels.h"
#include "vk-tune.h"

#define FAST 1000
#define SLOW 100000000

/* ---- texts ---- */

static void test_text(void **state)
{
    VulkanTileTimes times = {0}, found;
    for (int i = 0; i < VK_TILES; i++)
        times.of[i] = (VulkanTileTime){(uint64_t)i * 12345, (uint64_t)i * VK_TUNE_MOST_PS / 5};
    g_autofree char *text = vk_tune_print(&times);
    assert_true(vk_tune_parse(text, strlen(text), &found));
    assert_memory_equal(&times, &found, sizeof times);
}

static void test_odd_text(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "1 1 1 1 1 1 1 1 1 1 1 1",
        " 1 1 1 1 1 1 1 1 1 1 1",
        " 1 1 1 1 1 1 1 1 1 1 1 1 1",
        " 1 1 1 1 1 1 1 1 1 1 1 1 ",
        " 1 1 1 1 1  1 1 1 1 1 1 1",
        " 1 1 1 1 1 1 1 1 1 1 1 -1",
        " 1 1 1 1 1 1 1 1 1 1 1 +1",
        " 1 1 1 1 1 1 1 1 1 1 1 1.5",
        " 1 1 1 1 1 1 1 1 1 1 1 1e3",
        " 1 1 1 1 1 1 1 1 1 1 1 nan",
        " 1 1 1 1 1 1 1 1 1 1 1 1\n",
        " 0 1 1 1 1 1 1 1 1 1 1 1",
        " 1 1 1 1 1 1 1 1 1 1 1 0",
        " 1 1 1 1 1 1 1 1 1 1 1 1000000000001",
        " 1 1 1 1 1 1 1 1 1 1 1 18446744073709551617",
    };
    VulkanTileTimes found;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (vk_tune_parse(texts[i], strlen(texts[i]), &found))
            fail_msg("\"%s\" was taken for times", texts[i]);
    assert_false(vk_tune_parse(" 1 1 1 1 1 1 1 1 1 1 1 1\0", 25, &found));
}

/* ---- what convolutions give ---- */

#define BY_TWO .kh = 4, .kw = 4, .sh = 2, .sw = 2, .pad = {PIX_PAD_ZERO, 1, 1, 1, 1}

/* Of channels in fours, so that they share pipelines; whole tiles and parts, few pixels and many. */
static const struct {
    PixOp op;
    PixShape in;
} cases[] = {
    {{.kind = PIX_OP_CONV, .conv = {.oc = 64, BY_TWO}}, {2, 32, 26, 22}},
    {{.kind = PIX_OP_CONV, .conv = {.oc = 36, BY_TWO}}, {1, 320, 4, 4}},
    {{.kind = PIX_OP_DECONV, .conv = {.oc = 72, BY_TWO}}, {1, 160, 5, 3}},
};

/** Results: of all cases, and by which tiles. */
typedef struct {
    GArray *values;
    GString *tiles;
} Results;

static PixTensor map_new(PixDevice *device, PixShape shape, guint32 seed)
{
    size_t count = pix_shape_count(shape);
    size_t bytes = device->backend->activation_bytes(device, shape, PIX_DTYPE_F32);
    PixTensor map = {shape, device->backend->buffer_new(device, bytes, NULL), 0, 0, shape.c};
    g_autofree float *values = g_new(float, count);
    compare_fill(values, count, 1, seed);
    assert_true(device->backend->write(device, &map, values, NULL));
    return map;
}

/* All that is wanted of a case; its tensors are maps of as many values. */
static PixCall call_new(PixDevice *device, size_t i)
{
    const PixOp *op = &cases[i].op;
    PixShape in = cases[i].in, out, weight = {op->conv.oc, in.c, op->conv.kh, op->conv.kw};
    assert_true(pix_op_infer(op, &in, &out, NULL));
    PixCall call = {.op = op, .in = {map_new(device, in, 1)}, .out = map_new(device, out, 2)};
    call.dout = map_new(device, out, 3);
    call.param[PIX_SLOT_WEIGHT] = map_new(device, weight, 4);
    call.din[0] = map_new(device, in, 5);
    call.dparam[PIX_SLOT_WEIGHT] = map_new(device, weight, 6);
    size_t bytes =
        MAX(pix_backend_scratch(device, &call, false), pix_backend_scratch(device, &call, true));
    call.scratch = device->backend->buffer_new(device, MAX(bytes, 4), NULL);
    return call;
}

static void append(PixDevice *device, Results *results, const PixTensor *map)
{
    size_t count = pix_shape_count(map->shape);
    g_autofree float *values = g_new(float, count);
    assert_true(device->backend->read(device, map, values, NULL));
    g_array_append_vals(results->values, values, (guint)count);
}

static void run(PixDevice *device, Results *results, size_t i)
{
    PixCall call = call_new(device, i);
    const PixTensor *outputs[] = {&call.out, &call.din[0], &call.dparam[PIX_SLOT_WEIGHT]};
    const PixTensor *inputs[] = {&call.in[0], &call.dout, &call.param[PIX_SLOT_WEIGHT]};
    pix_backend_forward(device, &call);
    pix_backend_backward(device, &call);
    g_string_append_printf(results->tiles, "%s, ",
                           device->backend->rows[call.op->kind].algorithm(device, &call));
    for (size_t j = 0; j < G_N_ELEMENTS(outputs); j++)
        append(device, results, outputs[j]);
    device->backend->buffer_free(device, call.scratch);
    for (size_t j = 0; j < G_N_ELEMENTS(outputs); j++) {
        device->backend->buffer_free(device, outputs[j]->buffer);
        device->backend->buffer_free(device, inputs[j]->buffer);
    }
}

/* A whole network forward. */
static void run_network(PixDevice *device, Results *results)
{
    g_autofree char *file =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "unet32.safetensors", NULL);
    g_autoptr(PixModel) model = pix_model_load(device, file, NULL, PIX_PRECISION_FP32, NULL);
    assert_non_null(model);
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    g_autoptr(PixSession) session = pix_session_new(model, &options, NULL);
    assert_non_null(session);
    const PixModelInfo *info = pix_model_get_info(model);
    size_t pixels = (size_t)options.width * (size_t)options.height;
    guint count = (guint)(pixels * (size_t)info->out_channels);
    g_autofree float *x = g_new(float, pixels *(size_t)info->in_channels), *y = g_new(float, count);
    compare_fill(x, pixels * (size_t)info->in_channels, 1, 7);
    assert_true(pix_session_forward(session, x, y, NULL));
    g_array_append_vals(results->values, y, count);
}

/* @words: PIX2PIX_VULKAN's. */
static Results results_of(const char *words)
{
    Results results = {g_array_new(FALSE, FALSE, sizeof(float)), g_string_new(NULL)};
    g_setenv("PIX2PIX_VULKAN", words, TRUE);
    g_autoptr(PixDevice) device = level_open("vulkan");
    g_unsetenv("PIX2PIX_VULKAN");
    assert_non_null(device);
    run_network(device, &results); /* which also fetches the times */
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        run(device, &results, i);
    return results;
}

static void results_clear(Results *results)
{
    g_array_unref(results->values);
    g_string_free(results->tiles, TRUE);
}

/* ---- the cache ---- */

static char *identity(void)
{
    g_autoptr(PixDevice) device = level_open("vulkan");
    assert_non_null(device);
    return vk_tune_identity(device, PIX_PRECISION_FP32);
}

static void forge(int fastest)
{
    g_autofree char *of = identity(), *text = NULL;
    VulkanTileTimes times;
    for (int i = 0; i < VK_TILES; i++)
        times.of[i] = i == fastest ? (VulkanTileTime){FAST, FAST} : (VulkanTileTime){SLOW, SLOW};
    text = vk_tune_print(&times);
    pix_cache_write(VK_TUNE_KIND, of, text, strlen(text));
}

static void test_same_bits(void **state)
{
    Results usual = results_of("unmeasured");
    for (int i = 0; i < VK_TILES; i++) {
        forge(i);
        Results results = results_of("");
        bool taken = strstr(results.tiles->str, vk_tiles[i].name);
        if (taken != (vk_tiles[i].k == 16)) /* the rule's */
            fail_msg("%s is fast, %s was taken", vk_tiles[i].name, results.tiles->str);
        assert_int_equal(results.values->len, usual.values->len);
        if (memcmp(results.values->data, usual.values->data, usual.values->len * sizeof(float)))
            fail_msg("other bits by %s", vk_tiles[i].name);
        results_clear(&results);
    }
    results_clear(&usual);
}

/* What is no list of times is measured again, as far as there is time for that. */
static void test_damaged(void **state)
{
    g_autofree char *of = identity(), *text = NULL;
    VulkanTileTimes times;
    gsize bytes = 0;
    pix_cache_write(VK_TUNE_KIND, of, "fast", 4);
    g_autoptr(PixDevice) device = level_open("vulkan");
    vk_tune(device, PIX_PRECISION_FP32);
    text = pix_cache_read(VK_TUNE_KIND, of, &bytes);
    assert_true(text && vk_tune_parse(text, bytes, &times));
    assert_true(times.of[0].full > 0 && times.of[0].alone >= times.of[0].full / 2);
    assert_non_null(vk_tune_times((const VulkanDevice *)device, false));
}

/* ---- main ---- */

static char *folder;

static int clean(void **state)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *file = g_build_filename(folder, name, NULL);
        g_unlink(file);
    }
    g_rmdir(folder);
    g_free(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest texts[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_odd_text),
    };
    const struct CMUnitTest tiles[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_odd_text),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_damaged),
    };
    folder = g_dir_make_tmp("pix2pix-tiles-XXXXXX", NULL);
    g_setenv("PIX2PIX_CACHE_DIR", folder, TRUE);
    g_unsetenv("PIX2PIX_VULKAN");
    if (!has_level("vulkan"))
        return cmocka_run_group_tests_name("tiles", texts, NULL, clean);
    return cmocka_run_group_tests_name("tiles", tiles, NULL, clean);
}
