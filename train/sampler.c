/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sampler.h"

#include <math.h>

struct Sampler {
    PixModel *model;
    AugmentOptions augment;
    PixSessionOptions options;
    PixSession *session; /* for options.width x options.height; sizes hardly ever change */
};

Sampler *sampler_new(PixModel *model, const AugmentOptions *augment,
                     const PixSessionOptions *options)
{
    Sampler *sampler = g_new0(Sampler, 1);

    sampler->model = pix_model_ref(model);
    sampler->augment = *augment;
    sampler->options = *options;
    sampler->options.n = 1;
    return sampler;
}

void sampler_free(Sampler *sampler)
{
    if (!sampler)
        return;
    pix_session_free(sampler->session);
    pix_model_unref(sampler->model);
    g_free(sampler);
}

void sampler_use(Sampler *sampler, PixModel *model)
{
    g_clear_pointer(&sampler->session, pix_session_free);
    pix_model_unref(sampler->model);
    sampler->model = pix_model_ref(model);
}

void sample_clear(Sample *sample)
{
    g_clear_pointer(&sample->input, picture_free);
    g_clear_pointer(&sample->output, picture_free);
    g_clear_pointer(&sample->target, picture_free);
}

static gboolean prepare(Sampler *sampler, int width, int height, GError **error)
{
    PixSessionOptions *options = &sampler->options;
    int out[4];

    if (sampler->session && options->width == width && options->height == height)
        return TRUE;
    g_clear_pointer(&sampler->session, pix_session_free); /* before, for two may not fit */
    options->width = width;
    options->height = height;
    options->content = (PixRect){0, 0, width, height};
    sampler->session = pix_session_new(sampler->model, options, error);
    if (!sampler->session)
        return FALSE;
    pix_session_get_output(sampler->session, out);
    if (out[2] == height && out[3] == width)
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                "the network turns %d x %d into %d x %d pixels, choose sides that are multiples of "
                "%d",
                width, height, out[3], out[2], pix_model_get_info(sampler->model)->multiple);
    g_clear_pointer(&sampler->session, pix_session_free);
    return FALSE;
}

/* Rounds @x, (channels, height, width), back to 8 bits. */
static Picture *to_picture(const float *x, int width, int height, int channels)
{
    Picture *picture = picture_new(width, height, channels);
    gsize pixels = (gsize)width * height;

    for (int c = 0; c < channels; c++) {
        for (gsize i = 0; i < pixels; i++) {
            float value = rintf((x[c * pixels + i] + 1) * 127.5f);
            picture->data[i * channels + c] = CLAMP(value, 0, 255);
        }
    }
    return picture;
}

static gboolean check_finite(const float *x, gsize count, GError **error)
{
    for (gsize i = 0; i < count; i++) {
        if (!isfinite(x[i])) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT,
                        "the network's numbers overflow: its output is %g", x[i]);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean sampler_run(Sampler *sampler, const Dataset *dataset, guint index, Sample *sample,
                     GError **error)
{
    const PixModelInfo *info = pix_model_get_info(sampler->model);
    g_autoptr(Picture) in = NULL, out = NULL;
    int width, height;

    if (!dataset_read(dataset, index, &in, &out, error))
        return FALSE;
    if (!augment_get_size(&sampler->augment, in->width, in->height, &width, &height, error) ||
        !prepare(sampler, width, height, error)) {
        g_prefix_error(error, "%s: ", dataset_get_name(dataset, index));
        return FALSE;
    }
    gsize pixels = (gsize)width * height;
    g_autofree float *x = g_new(float, pixels * info->in_channels);
    g_autofree float *y = g_new(float, pixels * info->out_channels);
    augment_plain(&sampler->augment, in, x);
    if (!pix_session_forward(sampler->session, x, y, error) ||
        !check_finite(y, pixels * info->out_channels, error))
        return FALSE;
    sample->input = to_picture(x, width, height, info->in_channels);
    sample->output = to_picture(y, width, height, info->out_channels);
    augment_plain(&sampler->augment, out, y);
    sample->target = to_picture(y, width, height, info->out_channels);
    return TRUE;
}

double sampler_get_ms(Sampler *sampler)
{
    return sampler->session ? pix_session_get_times(sampler->session)->network_ms : 0;
}
