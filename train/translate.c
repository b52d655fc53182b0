/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "translate.h"

/* Makes sure that there is a session for @width x @height pixels in a network of the size that they
 * need. */
static gboolean prepare(Translator *translator, int width, int height, GError **error)
{
    PixSessionOptions *options = &translator->options;

    if (translator->session && options->content.width == width && options->content.height == height)
        return TRUE;
    if (translator->native) {
        const PixModelInfo *info = pix_model_get_info(translator->model);
        int multiple = MAX(info->multiple, 1);
        options->width = (MAX(width, info->minimum) + multiple - 1) / multiple * multiple;
        options->height = (MAX(height, info->minimum) + multiple - 1) / multiple * multiple;
    }
    options->content = (PixRect){0, 0, width, height};
    g_clear_pointer(&translator->session, pix_session_free); /* before, for two may not fit */
    translator->session = pix_session_new(translator->model, options, error);
    if (!translator->session)
        return FALSE;
    int out[4];
    pix_session_get_output(translator->session, out);
    if (out[2] == options->height && out[3] == options->width)
        return TRUE;
    g_set_error(
        error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
        "%s: turns %d x %d into %d x %d pixels, give a --size with sides that are multiples "
        "of %d",
        pix_model_get_info(translator->model)->architecture, options->width, options->height,
        out[3], out[2], MAX(pix_model_get_info(translator->model)->multiple, 1));
    g_clear_pointer(&translator->session, pix_session_free);
    return FALSE;
}

gboolean translator_init(Translator *translator, PixModel *model, const PixSessionOptions *options,
                         gboolean native, GError **error)
{
    const PixModelInfo *info = pix_model_get_info(model);

    *translator =
        (Translator){.model = pix_model_ref(model), .options = *options, .native = native};
    if (info->in_channels == 2 || info->in_channels > 4 || info->out_channels == 2 ||
        info->out_channels > 4) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "%s: has %d channels in and %d out, and pictures have 1, 3 or 4, use forward",
                    info->architecture, info->in_channels, info->out_channels);
        return FALSE;
    }
    return native || prepare(translator, options->width, options->height, error);
}

void translator_clear(Translator *translator)
{
    g_clear_pointer(&translator->session, pix_session_free);
    g_clear_pointer(&translator->model, pix_model_unref);
}

void translator_use(Translator *translator, PixModel *model)
{
    g_clear_pointer(&translator->session, pix_session_free);
    pix_model_unref(translator->model);
    translator->model = pix_model_ref(model);
}

static PixImage view(Picture *picture)
{
    return (PixImage){
        .data = picture->data,
        .stride = (gssize)picture->width * picture->channels,
        .width = picture->width,
        .height = picture->height,
        .pixel_bytes = picture->channels,
        .channels = picture->channels,
        .offset = {0, 1, 2, 3},
    };
}

Picture *translator_run(Translator *translator, const Picture *in, GError **error)
{
    const PixModelInfo *info = pix_model_get_info(translator->model);
    int width = translator->native ? in->width : translator->options.width;
    int height = translator->native ? in->height : translator->options.height;

    if (!prepare(translator, width, height, error))
        return NULL;
    g_autoptr(Picture) converted = picture_convert(in, info->in_channels);
    g_autoptr(Picture) work = picture_scale(converted, width, height);
    g_autoptr(Picture) result = picture_new(width, height, info->out_channels);
    PixImage from = view(work), to = view(result);
    if (!pix_session_translate(translator->session, &from, &to, error))
        return NULL;
    translator->network_ms += pix_session_get_times(translator->session)->network_ms;
    return picture_scale(result, in->width, in->height);
}
