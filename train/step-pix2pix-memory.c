/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "step-pix2pix.h"

void pix2pix_release(Pix2pix *step)
{
    g_clear_pointer(&step->g_pass, pix_pass_free);
    g_clear_pointer(&step->d_pass, pix_pass_free);
    g_clear_pointer(&step->penalty, pix_penalty_free);
    g_clear_pointer(&step->target, pix_map_free);
    g_clear_pointer(&step->real_pair, pix_map_free);
    g_clear_pointer(&step->fake_pair, pix_map_free);
}

/* The generator's output may have another size than its input only where it is no multiple. */
static gboolean reserve_generator(Pix2pix *step, int n, int width, int height, GError **error)
{
    PixPassFlags dropout = step->settings->dropout ? PIX_PASS_DROPOUT : 0;
    int out[4];

    if (!pix_model_check_size(pix_network_get_model(step->g), width, height, error))
        return FALSE;
    step->g_pass = pix_pass_new(step->g, n, height, width, dropout, error);
    if (!step->g_pass)
        return FALSE;
    pix_map_get_dims(pix_pass_get_output(step->g_pass), out);
    if (out[2] != height || out[3] != width) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                    "%s: turns %d x %d into %d x %d pixels, choose sides that are multiples of %d",
                    step->settings->net_g, width, height, out[3], out[2],
                    pix_network_get_info(step->g)->multiple);
        return FALSE;
    }
    step->target = pix_map_new(step->device, out, error);
    return step->target != NULL;
}

static gboolean reserve_discriminator(Pix2pix *step, int n, int width, int height, GError **error)
{
    int dims[4];

    step->d_pass = pix_pass_new(step->d, n, height, width, PIX_PASS_INPUT_GRADIENT, error);
    if (!step->d_pass)
        g_prefix_error(error, "the discriminator: ");
    if (!step->d_pass || step->settings->gan_mode != PIX_GAN_WGANGP)
        return step->d_pass != NULL;
    pix_map_get_dims(pix_pass_get_input(step->d_pass), dims);
    return (step->penalty = pix_penalty_new(step->d, n, height, width, error)) &&
           (step->real_pair = pix_map_new(step->device, dims, error)) &&
           (step->fake_pair = pix_map_new(step->device, dims, error));
}

gboolean pix2pix_reserve(Step *base, int n, int width, int height, GError **error)
{
    Pix2pix *step = (Pix2pix *)base;

    if (step->g_pass && step->n == n && step->width == width && step->height == height)
        return TRUE;
    pix2pix_release(step);
    if (!reserve_generator(step, n, width, height, error) ||
        (step->d && !reserve_discriminator(step, n, width, height, error))) {
        pix2pix_release(step);
        return FALSE;
    }
    step->n = n;
    step->width = width;
    step->height = height;
    return TRUE;
}

static guint64 map_bytes(const PixMap *map)
{
    int dims[4];

    if (!map)
        return 0;
    pix_map_get_dims(map, dims);
    return sizeof(float) * dims[0] * dims[1] * dims[2] * dims[3];
}

guint64 pix2pix_get_bytes(const Step *base)
{
    const Pix2pix *step = (const Pix2pix *)base;

    return pix_pass_get_bytes(step->g_pass) + (step->d ? pix_pass_get_bytes(step->d_pass) : 0) +
           (step->penalty ? pix_penalty_get_bytes(step->penalty) : 0) + map_bytes(step->target) +
           map_bytes(step->real_pair) + map_bytes(step->fake_pair);
}
