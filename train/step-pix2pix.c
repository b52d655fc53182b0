/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The step of pix2pix: the discriminator learns to tell the generator's image from the target, then
 * the generator learns to pass for it and to be near it. A step of several batches is one of all
 * their pairs: the discriminator has seen all of them and has moved before the generator's turn.
 * Source: Isola et al. 2017, sections 3.1 and 3.3; optimize_parameters() in models/pix2pix_model.py
 * of junyanz/pytorch-CycleGAN-and-pix2pix.
 */
#include "step-pix2pix.h"
#include "step-network.h"

#include <string.h>

/* Losses in the order of their names, and the squares of gradients. */
enum {
    FIGURE_D_FAKE,
    FIGURE_D_REAL,
    FIGURE_G_GAN,
    FIGURE_G_PIXEL,
    FIGURE_D_PENALTY,
    FIGURE_D_SQUARES,
    FIGURE_G_SQUARES,
    N_FIGURES
};

/* ---- making ---- */

static gboolean make_generator(Pix2pix *step, Settings *settings, const char *file, GError **error)
{
    const PixNetworkOptions options = {
        .architecture = settings->net_g,
        .norm = step_norms[settings->norm],
        .in_channels = settings->input_nc,
        .out_channels = settings->output_nc,
        .filters = settings->ngf,
        .dropout = settings->dropout,
    };

    step->g = step_network_make(step->device, file, &options, settings, 2 * settings->seed, error);
    return step->g && (!file || step_take_generator(settings, step->g, error));
}

static gboolean make_discriminator(Pix2pix *step, Settings *settings, const char *file,
                                   GError **error)
{
    g_autofree char *name = settings->net_d == SETTINGS_D_PIXEL
                                ? g_strdup("pixelgan")
                                : g_strdup_printf("patchgan_%d", step_get_layers(settings));
    const PixNetworkOptions options = {
        .architecture = name,
        .norm = step_norms[settings->norm_d ? settings->norm_d - 1 : settings->norm],
        .in_channels = settings->output_nc + (settings->conditional ? settings->input_nc : 0),
        .out_channels = 1,
        .filters = settings->ndf,
    };

    step->d =
        step_network_make(step->device, file, &options, settings, 2 * settings->seed + 1, error);
    return step->d && (!file || step_take_discriminator(settings, step->d, error));
}

static void name_parts(Pix2pix *step)
{
    static const char *const with_d[] = {"D_fake", "D_real", "G_GAN"};
    const Settings *settings = step->settings;
    Step *base = &step->base;

    base->networks[base->n_networks++] = (StepNetwork){"G", "", step->g};
    if (step->d) {
        base->networks[base->n_networks++] = (StepNetwork){"D", "-discriminator", step->d};
        for (gsize i = 0; i < G_N_ELEMENTS(with_d); i++)
            base->losses[base->n_losses++] = with_d[i];
    }
    base->losses[base->n_losses++] = settings->pixel_loss == SETTINGS_PIXEL_L2 ? "G_L2" : "G_L1";
    if (step->d && settings->gan_mode == PIX_GAN_WGANGP)
        base->losses[base->n_losses++] = "D_penalty";
}

static void clear_batch(gpointer batch)
{
    g_free((float *)((Batch *)batch)->in);
    g_free((float *)((Batch *)batch)->out);
}

static Step *make(PixDevice *device, Settings *settings, const char *const *files, GError **error)
{
    Pix2pix *step = g_new0(Pix2pix, 1);

    step->base.kind = &step_pix2pix;
    step->settings = settings;
    step->device = pix_device_ref(device);
    step->held = g_array_new(FALSE, FALSE, sizeof(Batch));
    g_array_set_clear_func(step->held, clear_batch);
    step->figures = pix_figures_new(device, N_FIGURES, error);
    if (!step->figures || !make_generator(step, settings, files[0], error) ||
        (settings->lambda_gan > 0 && !make_discriminator(step, settings, files[1], error))) {
        step_pix2pix.free(&step->base);
        return NULL;
    }
    name_parts(step);
    return &step->base;
}

/* ---- the rest of the table ---- */

static int get_passes(Step *base, StepPass passes[STEP_MAX_PASSES])
{
    Pix2pix *step = (Pix2pix *)base;

    passes[0] = (StepPass){"G", step->g_pass};
    passes[1] = (StepPass){"D", step->d_pass};
    return step->d ? 2 : 1;
}

static void free_step(Step *base)
{
    Pix2pix *step = (Pix2pix *)base;

    pix2pix_release(step);
    pix_network_free(step->g);
    pix_network_free(step->d);
    pix_figures_free(step->figures);
    pix_device_unref(step->device);
    g_array_unref(step->held);
    g_free(step);
}

/* ---- the step ---- */

/* Of the random numbers of a part. */
static guint64 draw_number(const StepTurn *turn, guint part)
{
    return turn->number * turn->parts + part;
}

/* Puts @image, and the input before it where d is conditional, into @pair. */
static void make_pair(Pix2pix *step, const PixMap *image, PixMap *pair)
{
    int condition = step->settings->conditional ? step->settings->input_nc : 0;

    if (condition)
        pix_map_copy(pix_pass_get_input(step->g_pass), 0, pair, 0, condition);
    pix_map_copy(image, 0, pair, condition, step->settings->output_nc);
}

/* d's judgement of @image, and its gradient times @weight as far back as @what says. */
static gboolean judge(Pix2pix *step, const PixMap *image, PixGanSide side, double weight,
                      PixBackwardFlags what, guint figure, GError **error)
{
    make_pair(step, image, pix_pass_get_input(step->d_pass));
    if (!pix_pass_forward(step->d_pass, 0, 0, error))
        return FALSE;
    pix_loss_gan(step->settings->gan_mode, side, pix_pass_get_output(step->d_pass), weight,
                 pix_pass_get_output_gradient(step->d_pass), FALSE, step->figures, figure);
    return pix_pass_backward(step->d_pass, what, error);
}

static gboolean punish(Pix2pix *step, const StepTurn *turn, GError **error)
{
    make_pair(step, step->target, step->real_pair);
    make_pair(step, pix_pass_get_output(step->g_pass), step->fake_pair);
    return pix_penalty_backward(step->penalty, step->real_pair, step->fake_pair,
                                step->settings->lambda_gp, step->settings->seed,
                                draw_number(turn, turn->part), step->figures, FIGURE_D_PENALTY,
                                error);
}

static void move(Pix2pix *step, PixNetwork *network, const StepTurn *turn)
{
    gboolean is_d = network == step->d;
    const StepMove move = {
        .parts = turn->parts,
        .learning_rate = is_d ? turn->learning_rate_d : turn->learning_rate,
        .figures = step->figures,
        .squares = is_d ? FIGURE_D_SQUARES : FIGURE_G_SQUARES,
    };

    step_move(network, step->settings, &move);
}

static gboolean learn_to_judge(Pix2pix *step, const StepTurn *turn, GError **error)
{
    const PixMap *fake = pix_pass_get_output(step->g_pass);
    const PixBackwardFlags what = PIX_BACKWARD_PARAMETERS;
    gboolean last = turn->part + 1 == turn->parts;

    if (turn->part == 0)
        pix_network_clear_gradients(step->d);
    if (!judge(step, fake, PIX_GAN_FAKE, 0.5, what, FIGURE_D_FAKE, error) ||
        !judge(step, step->target, PIX_GAN_REAL, 0.5, what, FIGURE_D_REAL, error) ||
        (step->penalty && !punish(step, turn, error)))
        return FALSE;
    if (last)
        move(step, step->d, turn);
    return TRUE;
}

/* The distance to the target: its gradient is added to d's, where there is one. */
static void compare(Pix2pix *step)
{
    gboolean squared = step->settings->pixel_loss == SETTINGS_PIXEL_L2;
    PixMap *gradient = pix_pass_get_output_gradient(step->g_pass);
    const PixMap *fake = pix_pass_get_output(step->g_pass);

    (squared ? pix_loss_l2 : pix_loss_l1)(fake, step->target, step->settings->lambda_l1, gradient,
                                          step->d != NULL, step->figures, FIGURE_G_PIXEL);
}

/* Adds the gradients of what is in the generator's pass. */
static gboolean learn_to_draw(Pix2pix *step, GError **error)
{
    const Settings *settings = step->settings;
    int condition = settings->conditional ? settings->input_nc : 0;

    if (step->d) {
        if (!judge(step, pix_pass_get_output(step->g_pass), PIX_GAN_GENERATOR, settings->lambda_gan,
                   PIX_BACKWARD_INPUT, FIGURE_G_GAN, error))
            return FALSE;
        pix_map_copy(pix_pass_get_input_gradient(step->d_pass), condition,
                     pix_pass_get_output_gradient(step->g_pass), 0, settings->output_nc);
    }
    compare(step);
    return pix_pass_backward(step->g_pass, PIX_BACKWARD_PARAMETERS, error);
}

/* Puts @batch, part @part of the step, through the generator: each time with the same dropout. */
static gboolean draw(Pix2pix *step, const Batch *batch, const StepTurn *turn, guint part,
                     GError **error)
{
    return pix2pix_reserve(&step->base, batch->n, batch->width, batch->height, error) &&
           pix_map_write(pix_pass_get_input(step->g_pass), batch->in, error) &&
           pix_map_write(step->target, batch->out, error) &&
           pix_pass_forward(step->g_pass, step->settings->seed, draw_number(turn, part), error);
}

/* Keeps a copy of @batch until the discriminator has seen those that follow. */
static void hold(Pix2pix *step, const Batch *batch)
{
    gsize floats = sizeof(float) * batch->n * batch->width * batch->height;
    Batch copy = *batch;

    copy.in = g_memdup2(batch->in, floats * step->settings->input_nc);
    copy.out = g_memdup2(batch->out, floats * step->settings->output_nc);
    g_array_append_val(step->held, copy);
}

/* Waits for what was asked for, and adds the losses to @losses. */
static gboolean collect(Pix2pix *step, double *losses, GError **error)
{
    const Step *base = &step->base;
    double found[N_FIGURES], *own = step->d ? found : &found[FIGURE_G_PIXEL];

    if (!pix_figures_read(step->figures, found, error))
        return FALSE;
    for (int i = 0; i < base->n_losses; i++) {
        if (!step_check_loss(base->losses[i], own[i], error))
            return FALSE;
        losses[i] += own[i];
    }
    pix_figures_clear(step->figures);
    return (!step->d || step_check_move(step->d, found[FIGURE_D_SQUARES], error)) &&
           step_check_move(step->g, found[FIGURE_G_SQUARES], error);
}

/* With all parts of the step: the last one is in the generator's pass still. */
static gboolean draw_again(Pix2pix *step, const StepTurn *turn, double *losses, GError **error)
{
    for (guint part = 0; part < step->held->len; part++) {
        if (!collect(step, losses, error) ||
            !draw(step, &g_array_index(step->held, Batch, part), turn, part, error) ||
            !learn_to_draw(step, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean run(Step *base, const Batch *batch, const StepTurn *turn, double *losses,
                    GError **error)
{
    Pix2pix *step = (Pix2pix *)base;
    const Settings *settings = step->settings;
    gboolean last = turn->part + 1 == turn->parts;

    memset(losses, 0, base->n_losses * sizeof(*losses));
    if (turn->part == 0) {
        pix_network_clear_gradients(step->g);
        g_array_set_size(step->held, 0);
    }
    if (!draw(step, batch, turn, turn->part, error) ||
        (step->d && !learn_to_judge(step, turn, error)))
        return FALSE;
    if (step->d && !last)
        hold(step, batch);
    else if (!learn_to_draw(step, error) || !draw_again(step, turn, losses, error))
        return FALSE;
    if (last)
        move(step, step->g, turn);
    if (last && settings->ema > 0 && !pix_network_average(step->g, settings->ema, error))
        return FALSE;
    return collect(step, losses, error);
}

const StepKind step_pix2pix = {
    .name = "pix2pix",
    .make = make,
    .reserve = pix2pix_reserve,
    .get_bytes = pix2pix_get_bytes,
    .get_passes = get_passes,
    .run = run,
    .free = free_step,
};
