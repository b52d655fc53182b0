/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every imported network computes what PyTorch computes: with running statistics (evaluation mode)
 * and with those of the batch (training mode), dropout off; in fp16, too, where the device can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "forward-check.h"
#include "model-cases.h"

static PixDevice *device;

static void test_case(void **state)
{
    const ModelCase *c = *state;
    g_autoptr(PixCheckpoint) checkpoint = open_model(c->file, c->domain);
    g_autofree char *name = g_strconcat(c->io, ".io.safetensors", NULL);
    g_autofree char *io = model_path(name);
    GError *error = NULL;
    g_autoptr(PixModel) model = pix_model_new(device, checkpoint, PIX_PRECISION_AUTO, &error);
    if (!model)
        fail_msg("%s", error->message);
    forward_check(model, io);

    /* And once more from the native file that it converts to. */
    g_autofree char *path = temporary_path("forward.safetensors");
    assert_true(pix_checkpoint_save(checkpoint, path, PIX_PRECISION_FP32, NULL));
    g_autoptr(PixCheckpoint) converted = pix_checkpoint_open(path, NULL, NULL);
    assert_non_null(converted);
    g_autoptr(PixModel) again = pix_model_new(device, converted, PIX_PRECISION_AUTO, NULL);
    assert_non_null(again);
    forward_check(again, io);
}

static void test_half(void **state)
{
    const ModelCase *c = *state;
    g_autoptr(PixCheckpoint) checkpoint = open_model(c->file, c->domain);
    g_autofree char *name = g_strconcat(c->io, ".io.safetensors", NULL);
    g_autofree char *io = model_path(name);
    g_autoptr(PixModel) model = pix_model_new(device, checkpoint, PIX_PRECISION_FP16, NULL);
    assert_non_null(model);
    forward_check(model, io);
}

static bool has_half(void)
{
    g_auto(GStrv) features = g_strsplit(pix_device_get_info(device)->features, ", ", -1);
    return g_strv_contains((const char *const *)features, "fp16");
}

static void add_tests(GArray *tests, CMUnitTestFunction function)
{
    for (guint i = 0; i < n_model_cases; i++) {
        const struct CMUnitTest test = {.name = model_cases[i].io,
                                        .test_func = function,
                                        .initial_state = (void *)&model_cases[i]};
        g_array_append_val(tests, test);
    }
}

int main(void)
{
    g_autoptr(GArray) tests = g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));
    device = pix_device_open(NULL, 2, NULL);
    add_tests(tests, test_case);
    if (has_half())
        add_tests(tests, test_half);
    int failures = _cmocka_run_group_tests("forward", (const struct CMUnitTest *)tests->data,
                                           tests->len, NULL, NULL);
    pix_device_unref(device);
    return failures;
}
