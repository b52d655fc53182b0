/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which device is taken, with a GPU that is made up here: it has the CPU's rows, and may be missing,
 * dead, or wrong in one op.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

/* The table that device.c finds is ours; it is filled in main(). */
#define pix_backend_vulkan declared_elsewhere
#include "backend.h"
#undef pix_backend_vulkan

extern PixBackend pix_backend_vulkan;
PixBackend pix_backend_vulkan;

typedef enum { GPU_GOOD, GPU_PLAYED, GPU_MISSING, GPU_DEAD } Gpu;

static Gpu gpu;
static int n_gpus, n_dead; /* how many there are, and how many of the best do not start */
static GString *tried;     /* what was asked for, each with a space behind it; "-" is the best */
static PixOpKind wrong_op; /* PIX_OP_COUNT for none */
static float wrong_by;
static int n_wrong; /* so many times */
static int calls;
static const char *driver;
static const PixOpKind checked[] = {PIX_OP_CONV, PIX_OP_DECONV, PIX_OP_NORM, PIX_OP_ACTIVATION,
                                    PIX_OP_DROPOUT};

/* ---- the GPU ---- */

static const char *uuid; /* of all of them */

static PixDevice *open_gpu(const char *name, bool real, unsigned threads, GError **error)
{
    g_string_append_printf(tried, "%s ", name ? name : "-");
    if (gpu == GPU_MISSING || (gpu == GPU_PLAYED && real)) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_NO_DEVICE, "there is nothing");
        return NULL;
    }
    if (gpu == GPU_DEAD || n_dead-- > 0) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_NO_MEMORY, "%s does not start",
                    name ? name : "the best");
        return NULL;
    }
    PixDevice *device = pix_backend_cpu.open(NULL, false, 1, error);
    device->backend = &pix_backend_vulkan;
    g_autofree char *id = g_strconcat("vulkan:", name ? name : "0", NULL);
    device->info.id = g_intern_string(id);
    device->info.driver = driver;
    device->info.uuid = uuid;
    return device;
}

static void list_gpus(GPtrArray *names, bool real)
{
    static const char *const best_first[] = {"0", "2", "1"};
    for (int i = 0; i < n_gpus && gpu != GPU_MISSING && !(gpu == GPU_PLAYED && real); i++)
        g_ptr_array_add(names, g_strdup(best_first[i]));
}

static char *identify(const PixDevice *device)
{
    return g_strdup(driver);
}

/* What it computes in is not what is tested here. */
static bool find_format(const PixDevice *device, PixPrecision precision, PixFormat *format)
{
    *format = (PixFormat){PIX_DTYPE_F32, PIX_DTYPE_F32};
    return precision == PIX_PRECISION_FP16;
}

static void forward(PixDevice *device, const PixCall *call)
{
    size_t count = pix_shape_count(call->out.shape);
    g_autofree float *values = g_new(float, count);
    calls++;
    pix_backend_cpu.rows[call->op->kind].forward(device, call);
    if (call->op->kind != wrong_op || n_wrong-- <= 0)
        return;
    pix_backend_cpu.read(device, &call->out, values, NULL);
    values[count / 2] += wrong_by;
    pix_backend_cpu.write(device, &call->out, values, NULL);
}

static void fill_table(void)
{
    pix_backend_vulkan = pix_backend_cpu;
    pix_backend_vulkan.name = "vulkan";
    pix_backend_vulkan.open = open_gpu;
    pix_backend_vulkan.list = list_gpus;
    pix_backend_vulkan.identity = identify;
    pix_backend_vulkan.format = find_format;
    for (int i = 0; i < PIX_OP_COUNT; i++)
        pix_backend_vulkan.rows[i].forward = forward;
}

/* ---- tests ---- */

/* Every test begins with a GPU that nobody has seen. */
static int begin(void **state)
{
    g_autofree char *file = NULL;
    const char *name, *folder = g_getenv("PIX2PIX_CACHE_DIR");
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    while (dir && (name = g_dir_read_name(dir))) {
        g_free(file);
        file = g_build_filename(folder, name, NULL);
        g_unlink(file);
    }
    gpu = GPU_GOOD;
    n_gpus = 1;
    n_dead = 0;
    g_string_truncate(tried, 0);
    wrong_op = PIX_OP_COUNT;
    n_wrong = G_MAXINT;
    calls = 0;
    driver = "made up 1.0";
    return 0;
}

static PixDeviceInfo open_info(const char *spec)
{
    g_autoptr(PixDevice) device = pix_device_open(spec, 1, NULL);
    assert_non_null(device);
    PixDeviceInfo info = *pix_device_get_info(device);
    info.note = g_intern_string(info.note); /* what ends with the device */
    info.name = info.features = NULL;
    return info;
}

static void expect_refusal(const char *spec, const char *text)
{
    g_autoptr(GError) error = NULL;
    assert_null(pix_device_open(spec, 1, &error));
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_NO_DEVICE));
    assert_non_null(strstr(error->message, text));
    assert_null(strchr(error->message, '\n'));
}

static void test_takes_gpu(void **state)
{
    static const char *const specs[] = {"auto", "AUTO", "", NULL, "vulkan", "vulkan:0"};
    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        PixDeviceInfo info = open_info(specs[i]);
        assert_string_equal(info.id, "vulkan:0");
        assert_null(info.note);
        assert_false(info.refused);
    }
    PixDeviceInfo cpu = open_info("cpu");
    assert_string_equal(cpu.id, "cpu");
    assert_null(cpu.note);
    g_auto(GStrv) list = pix_device_list();
    assert_int_equal(g_strv_length(list), 2);
    assert_string_equal(list[1], "vulkan:0");
}

/* No GPU is no cause for alarm; one that does not start is. */
static void test_takes_cpu(void **state)
{
    static const Gpu kinds[] = {GPU_MISSING, GPU_PLAYED, GPU_DEAD};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        gpu = kinds[i];
        PixDeviceInfo info = open_info("auto");
        assert_string_equal(info.id, "cpu");
        assert_non_null(info.note);
        assert_int_equal(info.refused, gpu == GPU_DEAD);
    }
    gpu = GPU_PLAYED;
    assert_string_equal(open_info("vulkan").id, "vulkan:0");
    gpu = GPU_MISSING;
    expect_refusal("vulkan", "nothing");
}

/* One GPU after the other, until one works; why the best does not is told. */
static void test_next_best(void **state)
{
    static const char *const trials[] = {"- ", "- 2 ", "- 2 1 ", "- 2 1 "};
    static const char *const taken[] = {"vulkan:0", "vulkan:2", "vulkan:1", "cpu"};
    for (int i = 0; i <= 3; i++) {
        begin(state);
        n_gpus = 3;
        n_dead = i;
        PixDeviceInfo info = open_info("auto");
        assert_string_equal(tried->str, trials[i]);
        assert_string_equal(info.id, taken[i]);
        assert_int_equal(info.refused, i > 0);
        if (i > 0)
            assert_string_equal(info.note, "the best does not start");
        else
            assert_null(info.note);
    }
}

/* Only the best is wrong. */
static void test_next_after_wrong(void **state)
{
    n_gpus = 2;
    wrong_op = PIX_OP_CONV;
    wrong_by = 0.5f;
    n_wrong = 1;
    PixDeviceInfo info = open_info("auto");
    assert_string_equal(info.id, "vulkan:2");
    assert_non_null(strstr(info.note, "computes \"conv\" wrongly"));
}

static void test_wrong(void **state)
{
    static const float errors[] = {0.5f, NAN};
    for (size_t i = 0; i < G_N_ELEMENTS(checked) * 2; i++) {
        wrong_op = checked[i / 2];
        wrong_by = errors[i % 2];
        g_autofree char *text = g_strdup_printf("computes \"%s\" wrongly", pix_op_name(wrong_op));
        expect_refusal("vulkan", text);
        expect_refusal("vulkan", text); /* what failed is not remembered */
        PixDeviceInfo info = open_info("auto");
        assert_string_equal(info.id, "cpu");
        assert_true(info.refused);
        assert_non_null(strstr(info.note, text));
    }
    wrong_by = 1e-5f; /* another order of sums */
    assert_string_equal(open_info("auto").id, "vulkan:0");
}

/* Whether the next device is checked before it is used. */
static bool is_checked(void)
{
    calls = 0;
    open_info("vulkan");
    return calls > 0;
}

static void test_remembered(void **state)
{
    assert_true(is_checked());
    assert_false(is_checked());
    driver = "made up 1.1";
    assert_true(is_checked());
    assert_false(is_checked());
    driver = "made up 1.0";
    assert_false(is_checked());
    begin(state);
    assert_true(is_checked());
}

/* Without a place to remember it, it is done each time. */
static void test_nowhere(void **state)
{
    g_autofree char *folder = g_strdup(g_getenv("PIX2PIX_CACHE_DIR"));
    g_setenv("PIX2PIX_CACHE_DIR", "/dev/null/nowhere", TRUE);
    assert_true(is_checked());
    assert_true(is_checked());
    g_setenv("PIX2PIX_CACHE_DIR", folder, TRUE);
}

static bool takes(PixDevice *device, PixPrecision precision, GError **error)
{
    PixFormat format;
    return pix_backend_format(device, &precision, &format, error);
}

/* What a GPU can do besides fp32 is checked when it is wanted. */
static void test_precision(void **state)
{
    g_autoptr(PixDevice) device = pix_device_open("vulkan", 1, NULL);
    calls = 0;
    assert_true(takes(device, PIX_PRECISION_AUTO, NULL));
    assert_true(takes(device, PIX_PRECISION_FP32, NULL));
    assert_int_equal(calls, 0);
    wrong_op = PIX_OP_DECONV;
    wrong_by = 0.5f;
    for (int i = 0; i < 2; i++) { /* what failed is not remembered */
        g_autoptr(GError) error = NULL;
        assert_false(takes(device, PIX_PRECISION_FP16, &error));
        assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED));
        assert_non_null(strstr(error->message, "\"deconv\" wrongly in fp16"));
    }
    assert_true(takes(device, PIX_PRECISION_FP32, NULL));
    wrong_op = PIX_OP_COUNT;
    assert_true(takes(device, PIX_PRECISION_FP16, NULL));
    calls = 0;
    assert_true(takes(device, PIX_PRECISION_FP16, NULL));
    assert_int_equal(calls, 0);
}

/* What a device cannot compute in is refused, and what it can is named. */
static void test_other_precisions(void **state)
{
    const PixPrecision others[] = {PIX_PRECISION_BF16, PIX_PRECISION_INT8};
    g_autoptr(PixDevice) device = pix_device_open("vulkan", 1, NULL);
    g_autoptr(PixDevice) cpu = pix_device_open("cpu", 1, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(takes(device, others[i], &error));
        assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED));
        assert_non_null(strstr(error->message, pix_precision_name(others[i])));
        assert_non_null(strstr(error->message, "one of auto, fp32, fp16"));
    }
    assert_true(takes(cpu, PIX_PRECISION_AUTO, NULL));
    assert_false(takes(cpu, PIX_PRECISION_FP16, NULL));
}

static PixDevice *fall_back(const char *spec, PixError code)
{
    g_autoptr(GError) reason = g_error_new_literal(PIX_ERROR, code, "it does not work");
    g_autoptr(PixDevice) device = pix_device_open(spec, 2, NULL);
    return pix_device_fallback(device, reason);
}

/* The CPU takes over where nobody named the device, and another device helps. */
static void test_fallback(void **state)
{
    static const PixError codes[] = {PIX_ERROR_NO_MEMORY, PIX_ERROR_UNSUPPORTED,
                                     PIX_ERROR_DEVICE_LOST};
    g_autoptr(GError) of_another = g_error_new_literal(G_FILE_ERROR, 0, "not ours");
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autoptr(PixDevice) device = fall_back("auto", codes[i]);
        const PixDeviceInfo *info = pix_device_get_info(device);
        assert_string_equal(info->id, "cpu");
        assert_int_equal(info->threads, 2);
        assert_string_equal(info->note, "it does not work");
        assert_true(info->refused);
        assert_null(fall_back("vulkan", codes[i]));
        assert_null(fall_back("cpu", codes[i]));
        g_autoptr(GError) again = g_error_new_literal(PIX_ERROR, codes[i], "nor does it");
        assert_null(pix_device_fallback(device, again));
    }
    assert_null(fall_back("auto", PIX_ERROR_NOT_FOUND));
    assert_null(fall_back("auto", PIX_ERROR_BAD_CHECKPOINT));
    g_autoptr(PixDevice) automatic = pix_device_open("auto", 1, NULL);
    assert_null(pix_device_fallback(automatic, of_another));
}

/* The same processor, in the same place where it fails again. */
static void test_reopen(void **state)
{
    g_autoptr(GError) reason = g_error_new_literal(PIX_ERROR, PIX_ERROR_DEVICE_LOST, "it is gone");
    static const char *const specs[] = {"auto", "vulkan"};
    n_gpus = 2;
    for (int i = 0; i < 2; i++) {
        n_dead = i == 0; /* auto takes the second */
        g_autoptr(PixDevice) device = pix_device_open(specs[i], 2, NULL);
        g_autoptr(PixDevice) again = pix_device_reopen(device, NULL);
        assert_ptr_not_equal(again, device);
        assert_string_equal(pix_device_get_info(again)->id, pix_device_get_info(device)->id);
        g_autoptr(PixDevice) cpu = pix_device_fallback(again, reason);
        assert_int_equal(cpu != NULL, i == 0);
        if (cpu)
            assert_int_equal(pix_device_get_info(cpu)->threads, 2);
        n_dead = 1;
        g_autoptr(GError) error = NULL;
        assert_null(pix_device_reopen(device, &error));
        assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_NO_MEMORY));
    }
    g_autoptr(PixDevice) cpu = pix_device_open("cpu", 1, NULL);
    g_autoptr(GError) error = NULL;
    assert_null(pix_device_reopen(cpu, &error));
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED));
}

/* Another has its number now. */
static void test_reopen_another(void **state)
{
    g_autoptr(GError) error = NULL;
    uuid = "00";
    g_autoptr(PixDevice) device = pix_device_open("vulkan", 2, NULL);
    uuid = "01";
    assert_null(pix_device_reopen(device, &error));
    assert_true(g_error_matches(error, PIX_ERROR, PIX_ERROR_NO_DEVICE));
    uuid = NULL;
}

int main(void)
{
    tried = g_string_new(NULL);
    g_autofree char *cache = g_dir_make_tmp("pix2pix-cache-XXXXXX", NULL);
    g_setenv("PIX2PIX_CACHE_DIR", cache, TRUE);
    g_unsetenv("PIX2PIX_DEVICE");
    fill_table();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_takes_gpu, begin),
        cmocka_unit_test_setup(test_takes_cpu, begin),
        cmocka_unit_test_setup(test_next_best, begin),
        cmocka_unit_test_setup(test_next_after_wrong, begin),
        cmocka_unit_test_setup(test_wrong, begin),
        cmocka_unit_test_setup(test_remembered, begin),
        cmocka_unit_test_setup(test_nowhere, begin),
        cmocka_unit_test_setup(test_precision, begin),
        cmocka_unit_test_setup(test_other_precisions, begin),
        cmocka_unit_test_setup(test_fallback, begin),
        cmocka_unit_test_setup(test_reopen, begin),
        cmocka_unit_test_setup(test_reopen_another, begin),
    };
    int failed = cmocka_run_group_tests_name("device-choice", tests, NULL, NULL);
    begin(NULL);
    g_rmdir(cache);
    g_string_free(tried, TRUE);
    return failed;
}
