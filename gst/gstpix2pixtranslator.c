/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpix2pixtranslator.h"

#include <string.h>

#include "gstpix2pixframe.h"

/* Rows of a converter's frame are handed out to threads; more than these no longer help. */
#define MAX_CONVERTER_THREADS 4

/* While a GPU works on one frame, the next one is read and the last one handed on. */
#define USUALLY_IN_FLIGHT 2

/** A frame of our own, mapped as long as it lives. */
typedef struct {
    GstBuffer *buffer;
    GstVideoFrame frame;
} Scratch;

/** Where the output's alpha, or its unused byte, comes from. */
typedef enum {
    SPARE_NONE,      /* there is none, or a converter wrote it */
    SPARE_INPUT,     /* the input's alpha */
    SPARE_REFERENCE, /* the same, brought to the output's size */
    SPARE_OPAQUE,
} SpareSource;

struct GstPix2pixTranslator {
    PixModel *model;
    PixSession *session;
    int width, height; /* of the network's input */
    int in_channels, out_channels;
    guint in_flight;
    PixVideo in_layout, out_layout; /* of what the session gets and gives */

    GstVideoConverter *to_content;   /* NULL: the session gets the input frames */
    GstVideoConverter *from_content; /* NULL: the session gives the output frames */
    GstVideoConverter *direct;       /* past the network; NULL: input and output are alike */
    Scratch content_in, content_out; /* content_out has no buffer where it shares content_in's */
    Scratch reference;               /* the source as the output would show it */

    SpareSource spare;
    Scratch opaque; /* GRAY8, all 255 */
};

static gboolean scratch_init(Scratch *scratch, const GstVideoInfo *info, GError **error)
{
    scratch->buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(info), NULL);
    if (scratch->buffer &&
        gst_video_frame_map(&scratch->frame, info, scratch->buffer,
                            GST_MAP_READWRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) {
        gst_buffer_memset(scratch->buffer, 0, 0, GST_VIDEO_INFO_SIZE(info)); /* with its padding */
        return TRUE;
    }
    g_set_error(error, PIX_ERROR, PIX_ERROR_NO_MEMORY, "no memory for a frame of %u MiB",
                (guint)(GST_VIDEO_INFO_SIZE(info) >> 20));
    gst_clear_buffer(&scratch->buffer);
    return FALSE;
}

static void scratch_clear(Scratch *scratch)
{
    if (!scratch->buffer)
        return;
    gst_video_frame_unmap(&scratch->frame);
    gst_clear_buffer(&scratch->buffer);
}

static gboolean same_layout(const GstVideoInfo *a, const GstVideoInfo *b)
{
    return GST_VIDEO_INFO_FORMAT(a) == GST_VIDEO_INFO_FORMAT(b) &&
           GST_VIDEO_INFO_WIDTH(a) == GST_VIDEO_INFO_WIDTH(b) &&
           GST_VIDEO_INFO_HEIGHT(a) == GST_VIDEO_INFO_HEIGHT(b) &&
           a->chroma_site == b->chroma_site &&
           gst_video_colorimetry_is_equal(&GST_VIDEO_INFO_COLORIMETRY(a),
                                          &GST_VIDEO_INFO_COLORIMETRY(b));
}

/* Whether a line of one value keeps it when it is scaled. */
static gboolean stays_flat(int from, int to, int max_taps)
{
    const guint8 value = 200;
    GstStructure *options = gst_structure_new("GstVideoResampler", GST_VIDEO_RESAMPLER_OPT_MAX_TAPS,
                                              G_TYPE_INT, max_taps, NULL);
    GstVideoScaler *scaler = gst_video_scaler_new(GST_VIDEO_RESAMPLER_METHOD_LINEAR,
                                                  GST_VIDEO_SCALER_FLAG_NONE, 0, from, to, options);
    g_autofree guint8 *source = g_malloc(from), *result = g_malloc(to);
    gboolean flat = TRUE;

    memset(source, value, from);
    gst_video_scaler_horizontal(scaler, GST_VIDEO_FORMAT_GRAY8, source, result, 0, to);
    for (int i = 0; i < to && flat; i++)
        flat = result[i] == value;
    gst_video_scaler_free(scaler);
    gst_structure_free(options);
    return flat;
}

/* GstVideoScaler rounds its weights to 1/64 and does not always get them to add up to 1: from 1280
 * to 256 pixels everything becomes 1.5 % brighter. One tap less or two mend it. */
static int choose_taps(const GstVideoInfo *from, const GstVideoInfo *to)
{
    int max_taps = 128; /* the default */
    int steps = MAX(GST_VIDEO_INFO_WIDTH(from) / GST_VIDEO_INFO_WIDTH(to),
                    GST_VIDEO_INFO_HEIGHT(from) / GST_VIDEO_INFO_HEIGHT(to)) +
                1;

    while (max_taps > 2 &&
           (!stays_flat(GST_VIDEO_INFO_WIDTH(from), GST_VIDEO_INFO_WIDTH(to), max_taps) ||
            !stays_flat(GST_VIDEO_INFO_HEIGHT(from), GST_VIDEO_INFO_HEIGHT(to), max_taps)))
        max_taps = MIN(max_taps, 2 * steps + 1) - 1;
    return max_taps;
}

static GstVideoConverter *converter_new(const GstVideoInfo *from, const GstVideoInfo *to,
                                        guint threads, GError **error)
{
    GstVideoInfo in_info = *from, out_info = *to;
    guint bound = threads ? threads : g_get_num_processors();
    GstVideoConverter *converter;
    GstStructure *options;

    /* A converter insists on equal frame rates, of which it makes no use. */
    out_info.fps_n = in_info.fps_n;
    out_info.fps_d = in_info.fps_d;
    options = gst_structure_new("GstVideoConverter", GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD,
                                GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_LINEAR,
                                GST_VIDEO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_VIDEO_DITHER_METHOD,
                                GST_VIDEO_DITHER_NONE, GST_VIDEO_CONVERTER_OPT_THREADS, G_TYPE_UINT,
                                MIN(bound, MAX_CONVERTER_THREADS), GST_VIDEO_RESAMPLER_OPT_MAX_TAPS,
                                G_TYPE_INT, choose_taps(from, to), NULL);
    converter = gst_video_converter_new(&in_info, &out_info, options);
    if (!converter)
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "cannot convert %dx%d %s to %dx%d %s; put a videoconvert before or behind",
                    GST_VIDEO_INFO_WIDTH(from), GST_VIDEO_INFO_HEIGHT(from),
                    GST_VIDEO_INFO_NAME(from), GST_VIDEO_INFO_WIDTH(to), GST_VIDEO_INFO_HEIGHT(to),
                    GST_VIDEO_INFO_NAME(to));
    return converter;
}

gboolean gst_pix2pix_model_check(PixModel *model, GError **error)
{
    const PixModelInfo *info = pix_model_get_info(model);

    if (!info->is_generator) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "%s is a discriminator; give the file of a generator", info->architecture);
        return FALSE;
    }
    if ((info->in_channels != 1 && info->in_channels != 3) ||
        (info->out_channels != 1 && info->out_channels != 3)) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "%s turns %d channels into %d; frames have 3, or 1 in grey", info->architecture,
                    info->in_channels, info->out_channels);
        return FALSE;
    }
    return TRUE;
}

gboolean gst_pix2pix_settings_check(PixModel *model, const GstPix2pixSettings *settings,
                                    GError **error)
{
    const PixModelInfo *info = pix_model_get_info(model);

    if (settings->statistics == PIX_STATISTICS_RUNNING && g_str_equal(info->norm, "batch") &&
        !info->has_running_statistics) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "the file of %s has no running statistics; set norm-statistics to frame",
                    info->architecture);
        return FALSE;
    }
    return TRUE;
}

/* The largest rectangle of the frame's shape, its pixels made square, in the middle of the net. */
static void letterbox(const GstVideoInfo *info, int width, int height, PixRect *content)
{
    guint64 shape_n = (guint64)GST_VIDEO_INFO_WIDTH(info) * MAX(GST_VIDEO_INFO_PAR_N(info), 1);
    guint64 shape_d = (guint64)GST_VIDEO_INFO_HEIGHT(info) * MAX(GST_VIDEO_INFO_PAR_D(info), 1);
    guint64 wanted_width = gst_util_uint64_scale_round(height, shape_n, shape_d);
    guint64 wanted_height = gst_util_uint64_scale_round(width, shape_d, shape_n);

    content->width = wanted_width <= (guint64)width ? MAX((int)wanted_width, 1) : width;
    content->height = wanted_width <= (guint64)width ? height : MAX((int)wanted_height, 1);
    content->x = (width - content->width) / 2;
    content->y = (height - content->height) / 2;
}

static int round_up(int side, const PixModelInfo *model)
{
    int least = MAX(side, model->minimum);
    int multiple = MAX(model->multiple, 1);

    return (least + multiple - 1) / multiple * multiple;
}

gboolean gst_pix2pix_network_size(PixModel *model, GstPix2pixFit fit, const GstVideoInfo *info,
                                  int *width, int *height, PixRect *content, GError **error)
{
    const PixModelInfo *model_info = pix_model_get_info(model);

    *width = model_info->width;
    *height = model_info->height;
    *content = (PixRect){0, 0, *width, *height};
    if (fit == GST_PIX2PIX_FIT_LETTERBOX) {
        letterbox(info, *width, *height, content);
    } else if (fit == GST_PIX2PIX_FIT_NATIVE) {
        *content = (PixRect){0, 0, GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info)};
        *width = round_up(content->width, model_info);
        *height = round_up(content->height, model_info);
    }
    return pix_model_check_size(model, *width, *height, error);
}

static PixSession *session_new(GstPix2pixTranslator *self, const GstPix2pixSettings *settings,
                               const PixRect *content, guint in_flight, GError **error)
{
    PixSessionOptions options;
    PixSession *session;
    int dims[4];

    pix_session_options_init(&options, self->model);
    options.width = self->width;
    options.height = self->height;
    options.content = *content;
    options.statistics = settings->statistics;
    options.dropout = settings->dropout;
    options.seed = settings->seed;
    options.in_flight = in_flight;
    session = pix_session_new(self->model, &options, error);
    if (!session)
        return NULL;
    pix_session_get_output(session, dims);
    if (dims[2] != self->height || dims[3] != self->width) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                    "%s turns %dx%d into %dx%d; frames must keep their size",
                    pix_model_get_info(self->model)->architecture, self->width, self->height,
                    dims[3], dims[2]);
        g_clear_pointer(&session, pix_session_free);
    }
    return session;
}

static GstVideoInfo content_info(const PixRect *content, int channels)
{
    GstVideoInfo info;

    gst_video_info_set_format(&info, channels == 1 ? GST_VIDEO_FORMAT_GRAY8 : GST_VIDEO_FORMAT_RGB,
                              content->width, content->height);
    return info;
}

/* Whether the session takes frames of @info; if so, @layout says how they lie. */
static gboolean goes_directly(const GstPix2pixTranslator *self, const GstVideoInfo *info,
                              int channels, gboolean out, PixVideo *layout)
{
    return gst_pix2pix_frame_get_layout(info, channels, out, layout) &&
           pix_session_takes(self->session, layout);
}

static gboolean converters_init(GstPix2pixTranslator *self, const PixRect *content, guint threads,
                                const GstVideoInfo *in_info, const GstVideoInfo *out_info,
                                GError **error)
{
    if (!goes_directly(self, in_info, self->in_channels, FALSE, &self->in_layout)) {
        GstVideoInfo info = content_info(content, self->in_channels);

        self->to_content = converter_new(in_info, &info, threads, error);
        if (!self->to_content || !scratch_init(&self->content_in, &info, error))
            return FALSE;
        gst_pix2pix_frame_get_layout(&info, self->in_channels, FALSE, &self->in_layout);
    }
    if (!goes_directly(self, out_info, self->out_channels, TRUE, &self->out_layout)) {
        GstVideoInfo info = content_info(content, self->out_channels);
        gboolean shared = self->content_in.buffer && self->in_channels == self->out_channels;

        self->from_content = converter_new(&info, out_info, threads, error);
        if (!self->from_content || (!shared && !scratch_init(&self->content_out, &info, error)))
            return FALSE;
        gst_pix2pix_frame_get_layout(&info, self->out_channels, TRUE, &self->out_layout);
    }
    if (!same_layout(in_info, out_info)) {
        self->direct = converter_new(in_info, out_info, threads, error);
        if (!self->direct || !scratch_init(&self->reference, out_info, error))
            return FALSE;
    }
    return pix_session_prepare(self->session, &self->in_layout, &self->out_layout, error);
}

static guint choose_in_flight(const GstPix2pixSettings *settings, const GstVideoInfo *info)
{
    if (GST_VIDEO_INFO_FPS_N(info) <= 0)
        return 1;
    return settings->in_flight ? settings->in_flight : USUALLY_IN_FLIGHT;
}

static gboolean spare_init(GstPix2pixTranslator *self, const GstVideoInfo *in_info,
                           const GstVideoInfo *out_info, GError **error)
{
    gboolean same_size = GST_VIDEO_INFO_WIDTH(in_info) == GST_VIDEO_INFO_WIDTH(out_info) &&
                         GST_VIDEO_INFO_HEIGHT(in_info) == GST_VIDEO_INFO_HEIGHT(out_info);
    GstVideoInfo info;

    if (!gst_pix2pix_frame_has_spare(out_info))
        self->spare = SPARE_NONE;
    else if (GST_VIDEO_INFO_HAS_ALPHA(out_info) && GST_VIDEO_INFO_HAS_ALPHA(in_info))
        self->spare = same_size ? SPARE_INPUT : SPARE_REFERENCE;
    else
        self->spare = self->from_content ? SPARE_NONE : SPARE_OPAQUE;
    if (self->spare != SPARE_OPAQUE)
        return TRUE;

    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_INFO_WIDTH(out_info),
                              GST_VIDEO_INFO_HEIGHT(out_info));
    if (!scratch_init(&self->opaque, &info, error))
        return FALSE;
    gst_buffer_memset(self->opaque.buffer, 0, 0xff, GST_VIDEO_INFO_SIZE(&info));
    return TRUE;
}

static GstPix2pixTranslator *translator_new(PixModel *model, const GstPix2pixSettings *settings,
                                            guint in_flight, guint threads,
                                            const GstVideoInfo *in_info,
                                            const GstVideoInfo *out_info, GError **error)
{
    const PixModelInfo *info = pix_model_get_info(model);
    GstPix2pixTranslator *self;
    PixRect content;

    self = g_new0(GstPix2pixTranslator, 1);
    self->model = pix_model_ref(model);
    self->in_channels = info->in_channels;
    self->out_channels = info->out_channels;
    if (!gst_pix2pix_network_size(model, settings->fit, in_info, &self->width, &self->height,
                                  &content, error))
        goto fail;
    self->session = session_new(self, settings, &content, in_flight, error);
    if (!self->session)
        goto fail;
    self->in_flight = pix_session_get_in_flight(self->session);
    if (!converters_init(self, &content, threads, in_info, out_info, error))
        goto fail;
    if (!spare_init(self, in_info, out_info, error))
        goto fail;
    return self;

fail:
    gst_pix2pix_translator_free(self);
    return NULL;
}

GstPix2pixTranslator *gst_pix2pix_translator_new(PixModel *model,
                                                 const GstPix2pixSettings *settings, guint threads,
                                                 const GstVideoInfo *in_info,
                                                 const GstVideoInfo *out_info, GError **error)
{
    guint in_flight = choose_in_flight(settings, in_info);
    g_autoptr(GError) reason = NULL;
    GstPix2pixTranslator *self =
        translator_new(model, settings, in_flight, threads, in_info, out_info, &reason);

    if (!self && in_flight > 1 && g_error_matches(reason, PIX_ERROR, PIX_ERROR_NO_MEMORY)) {
        g_clear_error(&reason);
        self = translator_new(model, settings, 1, threads, in_info, out_info, &reason);
    }
    if (!self)
        g_propagate_error(error, g_steal_pointer(&reason));
    return self;
}

void gst_pix2pix_translator_free(GstPix2pixTranslator *self)
{
    if (!self)
        return;
    scratch_clear(&self->opaque);
    scratch_clear(&self->reference);
    scratch_clear(&self->content_out);
    scratch_clear(&self->content_in);
    g_clear_pointer(&self->direct, gst_video_converter_free);
    g_clear_pointer(&self->from_content, gst_video_converter_free);
    g_clear_pointer(&self->to_content, gst_video_converter_free);
    pix_session_free(self->session);
    pix_model_unref(self->model);
    g_free(self);
}

/* The source in the output's size and format. */
static GstVideoFrame *reference_frame(GstPix2pixTranslator *self, GstVideoFrame *in)
{
    if (!self->direct)
        return in;
    gst_video_converter_frame(self->direct, in, &self->reference.frame);
    return &self->reference.frame;
}

static void copy_spare(GstPix2pixTranslator *self, GstVideoFrame *in, GstVideoFrame *reference,
                       GstVideoFrame *out)
{
    PixImage source, destination;

    if (self->spare == SPARE_NONE)
        return;
    gst_pix2pix_frame_get_spare(out, &destination);
    if (self->spare == SPARE_OPAQUE)
        gst_pix2pix_frame_get_plane(&self->opaque.frame, 0, &source);
    else
        gst_pix2pix_frame_get_spare(self->spare == SPARE_INPUT ? in : reference, &source);
    pix_image_copy(&source, &destination);
}

static void blend(const GstVideoFrame *source, GstVideoFrame *result, double strength)
{
    for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(result); plane++) {
        PixImage from, to;

        gst_pix2pix_frame_get_plane(source, plane, &from);
        gst_pix2pix_frame_get_plane(result, plane, &to);
        pix_image_blend(&from, &to, strength);
    }
}

guint gst_pix2pix_translator_get_in_flight(const GstPix2pixTranslator *self)
{
    return self->in_flight;
}

gboolean gst_pix2pix_translator_submit(GstPix2pixTranslator *self, GstVideoFrame *in,
                                       GstPix2pixTimes *times, GError **error)
{
    gint64 started_us = g_get_monotonic_time();
    PixVideo video;

    if (self->to_content) {
        gst_video_converter_frame(self->to_content, in, &self->content_in.frame);
        in = &self->content_in.frame;
    }
    gst_pix2pix_frame_get_video(in, &self->in_layout, &video);
    times->convert_in_ms = (g_get_monotonic_time() - started_us) / 1e3;
    return pix_session_submit(self->session, &video, error);
}

gboolean gst_pix2pix_translator_wants_source(const GstPix2pixTranslator *self, double strength)
{
    return strength < 1 || self->spare == SPARE_INPUT || self->spare == SPARE_REFERENCE;
}

gboolean gst_pix2pix_translator_receive(GstPix2pixTranslator *self, GstVideoFrame *in,
                                        GstVideoFrame *out, double strength, GstPix2pixTimes *times,
                                        GError **error)
{
    GstVideoFrame *result = out, *reference = NULL;
    const PixTimes *engine;
    gint64 received_us;
    PixVideo video;

    if (self->from_content)
        result = self->content_out.buffer ? &self->content_out.frame : &self->content_in.frame;
    gst_pix2pix_frame_get_video(result, &self->out_layout, &video);
    if (!pix_session_receive(self->session, &video, error))
        return FALSE;
    engine = pix_session_get_times(self->session);
    received_us = g_get_monotonic_time();

    if (self->from_content)
        gst_video_converter_frame(self->from_content, result, out);
    if (strength < 1 || self->spare == SPARE_REFERENCE)
        reference = reference_frame(self, in);
    copy_spare(self, in, reference, out);
    if (strength < 1)
        blend(reference, out, strength);

    times->convert_in_ms += engine->pack_ms;
    times->network_ms = engine->network_ms;
    times->convert_out_ms = (g_get_monotonic_time() - received_us) / 1e3 + engine->unpack_ms;
    return TRUE;
}

void gst_pix2pix_translator_discard(GstPix2pixTranslator *self)
{
    pix_session_discard(self->session);
}

void gst_pix2pix_translator_convert(GstPix2pixTranslator *self, GstVideoFrame *in,
                                    GstVideoFrame *out)
{
    if (self->direct)
        gst_video_converter_frame(self->direct, in, out);
    else
        gst_video_frame_copy(out, in);
}

void gst_pix2pix_translator_restart(GstPix2pixTranslator *self)
{
    pix_session_restart(self->session);
}

guint64 gst_pix2pix_translator_get_bytes(const GstPix2pixTranslator *self)
{
    const Scratch *frames[] = {&self->content_in, &self->content_out, &self->reference,
                               &self->opaque};
    guint64 bytes = pix_session_get_bytes(self->session);

    for (gsize i = 0; i < G_N_ELEMENTS(frames); i++)
        bytes += frames[i]->buffer ? GST_VIDEO_INFO_SIZE(&frames[i]->frame.info) : 0;
    return bytes;
}

PixModel *gst_pix2pix_translator_get_model(GstPix2pixTranslator *self)
{
    return self->model;
}

void gst_pix2pix_translator_get_size(const GstPix2pixTranslator *self, int *width, int *height)
{
    *width = self->width;
    *height = self->height;
}
