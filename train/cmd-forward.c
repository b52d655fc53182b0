/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix forward: a tensor in, the network's output tensor out; how the engine is compared with
 * other software.
 */
#include "command.h"

#include <stdio.h>

/* Returns: (transfer full): y, of the shape @out. */
static float *compute(PixModel *model, const CommandOptions *options, const float *x,
                      const int in[4], int out[4], double *ms, GError **error)
{
    PixSessionOptions session_options;

    pix_session_options_init(&session_options, model);
    session_options.n = in[0];
    session_options.height = in[2];
    session_options.width = in[3];
    session_options.statistics = options->statistics;
    session_options.dropout = options->dropout;
    session_options.seed = options->seed;
    g_autoptr(PixSession) session = pix_session_new(model, &session_options, error);
    if (!session)
        return NULL;

    pix_session_get_output(session, out);
    gsize values = (gsize)out[0] * out[1] * out[2] * out[3];
    g_autofree float *y = g_try_new(float, values);
    if (!y) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_NO_MEMORY,
                    "no memory for y, which takes %.0f MiB, give fewer samples",
                    values * sizeof(float) / 1048576.0);
        return NULL;
    }
    if (!pix_session_forward(session, x, y, error))
        return NULL;
    *ms = pix_session_get_times(session)->network_ms;
    return g_steal_pointer(&y);
}

static int run(const Command *command, int argc, char **argv)
{
    CommandOptionFlags flags = COMMAND_OPTION_DOMAIN | COMMAND_OPTION_STATISTICS |
                               COMMAND_OPTION_DROPOUT | COMMAND_OPTION_PRECISION |
                               COMMAND_OPTION_DEVICE;
    g_auto(CommandOptions) options = {.dropout = PIX_DROPOUT_FROZEN};
    g_auto(GStrv) files = NULL;
    GError *error = NULL;
    int in[4], out[4];
    double ms;
    int status = command_parse(command, NULL, flags, &options, argc, argv, &files);

    if (status != COMMAND_CONTINUE)
        return status;

    const char *const inputs[] = {files[0], files[1], NULL};
    if (!command_check_output(files[2], inputs, &error))
        return command_fail(error);
    g_autofree float *x = pix_tensor_read(files[1], "x", in, &error);
    if (!x)
        return command_fail(error);
    g_autoptr(PixModel) model = command_load_model(files[0], &options, TRUE, &error);
    if (!model)
        return command_fail(error);
    if (in[1] != pix_model_get_info(model)->in_channels) {
        command_print_error("%s: x is (%d, %d, %d, %d), and %s takes %d channels, not %d", files[1],
                            in[0], in[1], in[2], in[3], files[0],
                            pix_model_get_info(model)->in_channels, in[1]);
        return COMMAND_FAILED;
    }

    g_autofree float *y = compute(model, &options, x, in, out, &ms, &error);
    if (!y && command_fall_back(&model, files[0], &options, TRUE, &error))
        y = compute(model, &options, x, in, out, &ms, &error);
    if (!y)
        return command_fail(error);
    if (command_interrupted())
        return command_interrupted();
    if (!pix_tensor_write(files[2], "y", y, out, &error))
        return command_fail(error);
    g_autofree char *shown = command_show(files[2]);
    printf("%s: y (%d, %d, %d, %d), %.1f ms\n", shown, out[0], out[1], out[2], out[3], ms);
    return command_interrupted();
}

const Command command_forward = {
    .name = "forward",
    .arguments = "MODEL IN.safetensors OUT.safetensors",
    .summary = "Runs a network on a tensor: x (N, C, H, W) in, y out",
    .description = "Tensors are float32, RGB in [-1, 1]. The samples are one batch: with\n"
                   "--norm-statistics frame, batch norm takes the statistics of all of them.\n"
                   "Discriminators are welcome too.",
    .min_arguments = 3,
    .max_arguments = 3,
    .run = run,
};
