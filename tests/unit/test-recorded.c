/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A backend that records: what runs above the table works with it as with one that is immediate,
 * calls each row once for a session, and reaches tensors through the table alone. The recording
 * plays back on the CPU's rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backend.h"
#include "compare.h"

struct PixCommands {
    GArray *calls;
};

static PixCommands *open_commands;
static int recorded, submitted, waited;

static bool record(PixDevice *device, GError **error)
{
    open_commands = g_new0(PixCommands, 1);
    open_commands->calls = g_array_new(FALSE, FALSE, sizeof(PixCall));
    return true;
}

static PixCommands *finish(PixDevice *device, GError **error)
{
    return g_steal_pointer(&open_commands);
}

static void forward(PixDevice *device, const PixCall *call)
{
    g_array_append_val(open_commands->calls, *call);
    recorded++;
}

static bool submit(PixDevice *device, PixCommands *commands, GError **error)
{
    for (guint i = 0; i < commands->calls->len; i++) {
        const PixCall *call = &g_array_index(commands->calls, PixCall, i);
        pix_backend_cpu.rows[call->op->kind].forward(device, call);
    }
    submitted++;
    return true;
}

static bool wait(PixDevice *device, PixCommands *commands, GError **error)
{
    waited++;
    return true;
}

static void commands_free(PixDevice *device, PixCommands *commands)
{
    g_array_unref(commands->calls);
    g_free(commands);
}

static PixBackend recorder(void)
{
    PixBackend backend = pix_backend_cpu;
    backend.name = "recorder";
    backend.record = record;
    backend.finish = finish;
    backend.submit = submit;
    backend.wait = wait;
    backend.commands_free = commands_free;
    for (int i = 0; i < PIX_OP_COUNT; i++)
        if (backend.rows[i].forward)
            backend.rows[i].forward = forward;
    return backend;
}

#define FRAMES 3

/* Three frames of fresh dropout. */
static void run(PixDevice *device, float *outputs, size_t *count)
{
    g_autofree char *file =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "unet_dropout.pth", NULL);
    g_autoptr(PixModel) model = pix_model_load(device, file, NULL, PIX_PRECISION_AUTO, NULL);
    assert_non_null(model);
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    options.dropout = PIX_DROPOUT_FRESH;
    g_autoptr(PixSession) session = pix_session_new(model, &options, NULL);
    float x[64 * 64];
    compare_fill(x, G_N_ELEMENTS(x), 1, 3);
    for (int i = 0; i < FRAMES; i++)
        assert_true(pix_session_forward(session, x, outputs + i * 64 * 64, NULL));
    *count = pix_session_get_times(session)->n_layers;
}

static void test_recorded(void **state)
{
    static float immediate[FRAMES * 64 * 64], played[FRAMES * 64 * 64];
    const PixBackend backend = recorder();
    size_t n_layers;
    g_autoptr(PixDevice) device = pix_device_open("cpu", 2, NULL);
    run(device, immediate, &n_layers);
    assert_memory_not_equal(immediate, immediate + 64 * 64, sizeof immediate / FRAMES);
    device->backend = &backend;
    run(device, played, &n_layers);
    device->backend = &pix_backend_cpu;
    assert_memory_equal(immediate, played, sizeof immediate);
    assert_int_equal(recorded, n_layers);
    assert_int_equal(submitted, FRAMES);
    assert_int_equal(waited, FRAMES);
}

/* An op that a device does not have is found when a session is made, and named. */
static void test_unsupported(void **state)
{
    PixBackend backend = pix_backend_cpu;
    memset(&backend.rows[PIX_OP_CONCAT], 0, sizeof backend.rows[0]);
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    g_autofree char *file =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "unet32.safetensors", NULL);
    device->backend = &backend;
    g_autoptr(PixModel) model = pix_model_load(device, file, NULL, PIX_PRECISION_AUTO, NULL);
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    GError *error = NULL;
    assert_null(pix_session_new(model, &options, &error));
    assert_int_equal(error->code, PIX_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error->message, "cannot do \"concat\""));
    g_error_free(error);
    pix_model_unref(g_steal_pointer(&model));
    device->backend = &pix_backend_cpu;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_unsupported),
    };
    return cmocka_run_group_tests_name("recorded", tests, NULL, NULL);
}
