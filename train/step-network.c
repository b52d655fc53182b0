/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "step-network.h"

#include "free-memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GIB (1024.0 * 1024 * 1024)

const char *const step_norms[] = {"batch", "instance", "none"};

G_DEFINE_QUARK(pix2pix - step - error - quark, step_error)

gboolean step_check_loss(const char *name, double value, GError **error)
{
    if (isfinite(value))
        return TRUE;
    g_set_error(error, STEP_ERROR, STEP_ERROR_NOT_FINITE, "the loss %s is %s", name,
                isnan(value) ? "not a number" : "infinite");
    return FALSE;
}

int step_get_layers(const Settings *settings)
{
    return settings->net_d == SETTINGS_D_N_LAYERS ? settings->n_layers_d : 3;
}

/* ---- making ---- */

static PixNetwork *open_network(PixDevice *device, const char *file, GError **error)
{
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(file, NULL, error);

    return checkpoint ? pix_network_open(device, checkpoint, error) : NULL;
}

/* Before weights are drawn: memory that is reserved and not there ends the process when touched. A
 * GPU's is there, or there was an error. */
static gboolean check_memory(PixDevice *device, PixNetwork *network, GError **error)
{
    guint64 needed = pix_network_get_bytes(network), available = free_memory();

    if (pix_device_get_info(device)->driver || needed <= available)
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_NO_MEMORY,
                "%s of %d filters needs %.2f GiB of memory to be trained, and %.2f GiB are free; "
                "choose a smaller --ngf or --ndf",
                pix_network_get_info(network)->architecture,
                pix_network_get_options(network)->filters, needed / GIB, available / GIB);
    return FALSE;
}

PixNetwork *step_network_make(PixDevice *device, const char *file, const PixNetworkOptions *options,
                              const Settings *settings, guint64 seed, GError **error)
{
    PixNetwork *network =
        file ? open_network(device, file, error) : pix_network_new(device, options, error);

    if (network && (!check_memory(device, network, error) ||
                    (!file && !pix_network_init(network, settings->init_type, settings->init_gain,
                                                seed, error))))
        g_clear_pointer(&network, pix_network_free);
    return network;
}

/* ---- what a network from a file means for the settings ---- */

/* Sets @name to @value; an option that says otherwise is an error. */
static gboolean take(Settings *settings, const char *file, const char *name, const char *value,
                     GError **error)
{
    g_autofree char *old = settings_print(settings, name);
    gboolean given = settings_is_given(settings, name);

    if (given && strcmp(old, value)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s: its %s is %s, and the command line says %s; leave the option out", file,
                    name, value, old);
        return FALSE;
    }
    if (strcmp(old, value))
        settings_set(settings, name, NULL, value, NULL);
    return TRUE;
}

static gboolean take_number(Settings *settings, const char *file, const char *name, int value,
                            GError **error)
{
    g_autofree char *text = g_strdup_printf("%d", value);

    return take(settings, file, name, text, error);
}

static gboolean check_kind(PixNetwork *network, const char *file, gboolean generator,
                           GError **error)
{
    if (pix_network_get_info(network)->is_generator == generator)
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED, "%s: is %s, give it to %s", file,
                generator ? "a discriminator" : "a generator", generator ? "--init-d" : "--init-g");
    return FALSE;
}

/*
 * Dropout is no part of the weights, and many a file does not say whether there was any: an option
 * that was given decides, or what it was in a run that goes on; else the file, or the guess of who
 * has read it.
 */
static void take_dropout(Settings *settings, PixNetwork *network)
{
    gboolean begins = settings_is_given(settings, "init_g");

    if (begins && !settings_is_given(settings, "dropout"))
        settings->dropout = pix_network_get_options(network)->dropout;
    if (settings->dropout != pix_network_get_options(network)->dropout)
        pix_network_set_dropout(network, settings->dropout);
}

gboolean step_take_generator(Settings *settings, PixNetwork *network, GError **error)
{
    const PixNetworkOptions *options = pix_network_get_options(network);
    const char *file = settings->init_g;

    if (!check_kind(network, file, TRUE, error) ||
        !take(settings, file, "net_g", options->architecture, error) ||
        !take(settings, file, "norm", options->norm, error) ||
        !take_number(settings, file, "ngf", options->filters, error) ||
        !take_number(settings, file, "input_nc", options->in_channels, error) ||
        !take_number(settings, file, "output_nc", options->out_channels, error))
        return FALSE;
    take_dropout(settings, network);
    return TRUE;
}

/* Whether it sees the input as well, as its channels tell. */
static gboolean take_conditional(Settings *settings, const char *file, int channels, GError **error)
{
    int image = settings->output_nc, pair = image + settings->input_nc;

    if (channels == image || channels == pair)
        return take(settings, file, "conditional", channels == pair ? "true" : "false", error);
    g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                "%s: takes %d channels, and the images have %d, input and output together %d", file,
                channels, image, pair);
    return FALSE;
}

/* Of three layers it is the basic one, unless n_layers was asked for. */
static gboolean take_layers(Settings *settings, const char *file, int layers, GError **error)
{
    if (layers == 3 && settings->net_d != SETTINGS_D_N_LAYERS)
        return take(settings, file, "net_d", "basic", error);
    return take(settings, file, "net_d", "n_layers", error) &&
           take_number(settings, file, "n_layers_d", layers, error);
}

gboolean step_take_discriminator(Settings *settings, PixNetwork *network, GError **error)
{
    const PixNetworkOptions *options = pix_network_get_options(network);
    const char *file = settings->init_d, *norm = options->norm;
    const char *other = strcmp(options->architecture, "pixelgan") ? "basic" : "pixel";
    int layers = 0, is_patchgan = sscanf(options->architecture, "patchgan_%d", &layers) == 1;

    if (!check_kind(network, file, FALSE, error))
        return FALSE;
    if (!strcmp(norm, step_norms[settings->norm]) && settings->norm_d == 0)
        norm = "same";
    return (is_patchgan ? take_layers(settings, file, layers, error)
                        : take(settings, file, "net_d", other, error)) &&
           take(settings, file, "norm_d", norm, error) &&
           take_number(settings, file, "ndf", options->filters, error) &&
           take_conditional(settings, file, options->in_channels, error);
}

/* ---- moving ---- */

void step_move(PixNetwork *network, const Settings *settings, const StepMove *move)
{
    const PixAdam adam = {
        .learning_rate = move->learning_rate,
        .beta1 = settings->beta1,
        .beta2 = settings->beta2,
        .epsilon = 1e-8,
        .gradient_scale = 1.0 / move->parts,
        .figures = move->figures,
        .longest = settings->clip_norm,
        .squares = move->squares,
    };

    /* Without clipping nobody looks at all gradients: that takes 3 % of a step. Where one is not
     * finite, the losses of the next step are not either, and such weights are never saved. */
    if (settings->clip_norm > 0)
        pix_network_sum_squares(network, move->figures, move->squares);
    pix_network_adam(network, &adam);
}

gboolean step_check_move(PixNetwork *network, double squares, GError **error)
{
    g_autoptr(GError) reason = NULL;
    double norm;

    if (isfinite(squares))
        return TRUE;
    if (pix_network_get_gradient_norm(network, &norm, &reason))
        g_set_error(&reason, STEP_ERROR, STEP_ERROR_NOT_FINITE, "the gradients overflow");
    g_set_error_literal(error, STEP_ERROR, STEP_ERROR_NOT_FINITE, reason->message);
    return FALSE;
}

/* ---- what went wrong ---- */

/* Returns: the value that is furthest from 0; the first that is not finite. */
static double find_worst(PixNetwork *network, guint index, float *values)
{
    int rank, dims[4];
    gsize count = 1;
    double worst = 0;

    pix_network_get_tensor(network, index, &rank, dims);
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    if (!pix_network_read(network, PIX_VALUES_WEIGHTS, index, values, NULL))
        return 0;
    for (gsize i = 0; i < count && isfinite(worst); i++)
        worst = fabs(values[i]) <= fabs(worst) ? worst : values[i];
    return worst;
}

char *step_describe_weights(const Step *step)
{
    const char *name = "";
    const char *tensor = "";
    double worst = 0;

    for (int i = 0; i < step->n_networks && isfinite(worst); i++) {
        PixNetwork *network = step->networks[i].network;
        g_autofree float *values =
            g_new(float, pix_network_get_info(network)->weight_bytes / sizeof(float));
        for (guint j = 0; j < pix_network_get_n_tensors(network) && isfinite(worst); j++) {
            double here = find_worst(network, j, values);
            int rank, dims[4];
            if (fabs(here) <= fabs(worst))
                continue;
            worst = here;
            name = step->networks[i].name;
            tensor = pix_network_get_tensor(network, j, &rank, dims);
        }
    }
    if (!isfinite(worst))
        return g_strdup_printf("%s of %s holds %s", tensor, name,
                               isnan(worst) ? "NaN" : "infinity");
    return g_strdup_printf("the largest weight is %g, in %s of %s", worst, tensor, name);
}
