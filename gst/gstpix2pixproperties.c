/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpix2pixfilter.h"

#define GST_CAT_DEFAULT gst_pix2pix_debug

#define DEFAULT_MODEL "facades"
#define DEFAULT_DEVICE "auto"
#define DEFAULT_PRECISION PIX_PRECISION_AUTO
#define DEFAULT_STATISTICS PIX_STATISTICS_AUTO
#define DEFAULT_DROPOUT PIX_DROPOUT_FROZEN
#define DEFAULT_FIT GST_PIX2PIX_FIT_STRETCH
#define DEFAULT_SEED 0
#define DEFAULT_STRENGTH 1.0
#define DEFAULT_ENABLED TRUE
#define DEFAULT_THREADS 0
#define DEFAULT_IN_FLIGHT 0

enum {
    PROP_0,
    PROP_MODEL,
    PROP_DOMAIN,
    PROP_DEVICE,
    PROP_PRECISION,
    PROP_STATISTICS,
    PROP_DROPOUT,
    PROP_SEED,
    PROP_FIT,
    PROP_STRENGTH,
    PROP_ENABLED,
    PROP_THREADS,
    PROP_IN_FLIGHT,
    PROP_STATS,
};

#define GST_TYPE_PIX2PIX_PRECISION (precision_get_type())
static GType precision_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {PIX_PRECISION_AUTO,
         "On the CPU each layer's in the model's file, where that is faster; else fp32", "auto"},
        {PIX_PRECISION_FP32, "32-bit floats", "fp32"},
        {PIX_PRECISION_FP16, "16-bit floats, half the memory, on GPUs", "fp16"},
        {PIX_PRECISION_BF16, "16-bit floats with the range of 32-bit ones, on the CPU", "bf16"},
        {PIX_PRECISION_INT8, "8-bit integers but for the first and last layers, on the CPU",
         "int8"},
        {0, NULL, NULL},
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstPix2pixPrecision", values));
    return type;
}

#define GST_TYPE_PIX2PIX_STATISTICS (statistics_get_type())
static GType statistics_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {PIX_STATISTICS_AUTO, "What the model's file asks for, else of the frame", "auto"},
        {PIX_STATISTICS_FRAME, "Of the frame that is being translated", "frame"},
        {PIX_STATISTICS_RUNNING, "Those in the model's file", "running"},
        {0, NULL, NULL},
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstPix2pixStatistics", values));
    return type;
}

#define GST_TYPE_PIX2PIX_DROPOUT (dropout_get_type())
static GType dropout_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {PIX_DROPOUT_OFF, "No dropout", "off"},
        {PIX_DROPOUT_FROZEN, "One mask for all frames, so that nothing flickers", "frozen"},
        {PIX_DROPOUT_FRESH, "A new mask for every frame", "fresh"},
        {0, NULL, NULL},
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstPix2pixDropout", values));
    return type;
}

#define GST_TYPE_PIX2PIX_FIT (fit_get_type())
static GType fit_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {GST_PIX2PIX_FIT_STRETCH, "Scaled to the model's size and back", "stretch"},
        {GST_PIX2PIX_FIT_LETTERBOX, "The same with the aspect ratio kept", "letterbox"},
        {GST_PIX2PIX_FIT_NATIVE, "Not scaled: the network has the frame's size", "native"},
        {0, NULL, NULL},
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstPix2pixFit", values));
    return type;
}

static GObjectClass *parent_class;

static GstStructure *get_stats(GstPix2pixFilter *self)
{
    const GstPix2pixTiming *timing = &self->timing;
    const PixModelInfo *model = self->model ? pix_model_get_info(self->model) : NULL;
    guint64 memory = model ? model->weight_bytes : 0;
    int width = 0, height = 0;

    if (self->translator) {
        memory += gst_pix2pix_translator_get_bytes(self->translator);
        gst_pix2pix_translator_get_size(self->translator, &width, &height);
    }
    return gst_structure_new(
        "pix2pix-stats", "frames", G_TYPE_UINT64, timing->frames, "dropped", G_TYPE_UINT64,
        timing->dropped, "fps", G_TYPE_DOUBLE, timing->fps, "convert-in-ms", G_TYPE_DOUBLE,
        timing->average.convert_in_ms, "network-ms", G_TYPE_DOUBLE, timing->average.network_ms,
        "convert-out-ms", G_TYPE_DOUBLE, timing->average.convert_out_ms, "latency", G_TYPE_UINT64,
        timing->latency + gst_pix2pix_flights_wait(self), "model", G_TYPE_STRING,
        self->model_in_use ? self->model_in_use : "", "architecture", G_TYPE_STRING,
        model ? model->architecture : "", "network-width", G_TYPE_INT, width, "network-height",
        G_TYPE_INT, height, "device", G_TYPE_STRING,
        self->device ? pix_device_get_info(self->device)->id : "", "device-name", G_TYPE_STRING,
        self->device ? pix_device_get_info(self->device)->name : "", "precision", G_TYPE_STRING,
        self->model ? pix_precision_name(pix_model_get_precision(self->model)) : "", "memory",
        G_TYPE_UINT64, memory, "version", G_TYPE_STRING, pix_version(), NULL);
}

/* What the device was opened with cannot change under a running stream. */
static gboolean may_change(GstPix2pixFilter *self, GParamSpec *pspec)
{
    if (!self->started)
        return TRUE;
    GST_WARNING_OBJECT(self, "%s cannot be set above READY; it stays as it was", pspec->name);
    return FALSE;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(object);
    GstPix2pixSettings old;

    GST_OBJECT_LOCK(self);
    old = self->settings;
    switch (id) {
    case PROP_MODEL:
        g_free(self->model_name);
        self->model_name =
            g_strdup(g_value_get_string(value) ? g_value_get_string(value) : DEFAULT_MODEL);
        self->model_touched = TRUE; /* even to the same name: the file may be another one */
        break;
    case PROP_DOMAIN:
        if (g_strcmp0(self->domain, g_value_get_string(value)) != 0) {
            g_free(self->domain);
            self->domain = g_value_dup_string(value);
            self->model_touched = TRUE;
        }
        break;
    case PROP_DEVICE:
        if (may_change(self, pspec)) {
            g_free(self->device_spec);
            self->device_spec = g_value_dup_string(value);
        }
        break;
    case PROP_PRECISION:
        self->model_touched |= self->precision != (PixPrecision)g_value_get_enum(value);
        self->precision = g_value_get_enum(value);
        break;
    case PROP_STATISTICS:
        self->settings.statistics = g_value_get_enum(value);
        self->settings_touched |= self->settings.statistics != old.statistics;
        break;
    case PROP_DROPOUT:
        self->settings.dropout = g_value_get_enum(value);
        self->settings_touched |= self->settings.dropout != old.dropout;
        break;
    case PROP_SEED:
        self->settings.seed = g_value_get_uint64(value);
        self->settings_touched |= self->settings.seed != old.seed;
        break;
    case PROP_FIT:
        self->settings.fit = g_value_get_enum(value);
        self->settings_touched |= self->settings.fit != old.fit;
        break;
    case PROP_STRENGTH:
        self->strength = g_value_get_double(value);
        break;
    case PROP_ENABLED:
        self->enabled = g_value_get_boolean(value);
        break;
    case PROP_THREADS:
        if (may_change(self, pspec))
            self->threads = g_value_get_uint(value);
        break;
    case PROP_IN_FLIGHT:
        self->settings.in_flight = g_value_get_uint(value);
        self->settings_touched |= self->settings.in_flight != old.in_flight;
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL:
        g_value_set_string(value, self->model_name);
        break;
    case PROP_DOMAIN:
        g_value_set_string(value, self->domain);
        break;
    case PROP_DEVICE:
        g_value_set_string(value, self->device_spec ? self->device_spec : DEFAULT_DEVICE);
        break;
    case PROP_PRECISION:
        g_value_set_enum(value, self->precision);
        break;
    case PROP_STATISTICS:
        g_value_set_enum(value, self->settings.statistics);
        break;
    case PROP_DROPOUT:
        g_value_set_enum(value, self->settings.dropout);
        break;
    case PROP_SEED:
        g_value_set_uint64(value, self->settings.seed);
        break;
    case PROP_FIT:
        g_value_set_enum(value, self->settings.fit);
        break;
    case PROP_STRENGTH:
        g_value_set_double(value, self->strength);
        break;
    case PROP_ENABLED:
        g_value_set_boolean(value, self->enabled);
        break;
    case PROP_THREADS:
        g_value_set_uint(value, self->threads);
        break;
    case PROP_IN_FLIGHT:
        g_value_set_uint(value, self->settings.in_flight);
        break;
    case PROP_STATS:
        g_value_take_boxed(value, get_stats(self));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

/* Comes once for all properties of one g_object_set(), so that a model and its domain are one
 * request. */
static void dispatch_properties_changed(GObject *object, guint n_pspecs, GParamSpec **pspecs)
{
    gst_pix2pix_swap_request(GST_PIX2PIX_FILTER(object));
    parent_class->dispatch_properties_changed(object, n_pspecs, pspecs);
}

void gst_pix2pix_properties_init(GstPix2pixFilter *self)
{
    self->model_name = g_strdup(DEFAULT_MODEL);
    self->precision = DEFAULT_PRECISION;
    self->settings.statistics = DEFAULT_STATISTICS;
    self->settings.dropout = DEFAULT_DROPOUT;
    self->settings.seed = DEFAULT_SEED;
    self->settings.fit = DEFAULT_FIT;
    self->settings.in_flight = DEFAULT_IN_FLIGHT;
    self->strength = DEFAULT_STRENGTH;
    self->enabled = DEFAULT_ENABLED;
    self->threads = DEFAULT_THREADS;
}

static void install_properties(GObjectClass *klass)
{
    const GParamFlags always =
        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
    const GParamFlags early = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    /**
     * GstPix2pixFilter:model:
     *
     * Path of a checkpoint, or the name of a model in the folders of `PIX2PIX_MODEL_PATH` and in
     * `pix2pix/models` of the XDG data folders. Setting it while PLAYING, even to the same name,
     * reads the file again.
     */
    g_object_class_install_property(klass, PROP_MODEL,
                                    g_param_spec_string("model", "Model",
                                                        "Path of a checkpoint, or name of a model",
                                                        DEFAULT_MODEL, always));
    /**
     * GstPix2pixFilter:domain:
     *
     * Which generator, where a file holds several. Set it together with #GstPix2pixFilter:model.
     */
    g_object_class_install_property(
        klass, PROP_DOMAIN,
        g_param_spec_string("domain", "Domain",
                            "Which generator, where a file holds several (an error lists them)",
                            NULL, always));
    /**
     * GstPix2pixFilter:device:
     *
     * What the network runs on: `auto`, the best GPU that computes what the CPU does, else the
     * CPU; `cpu`; `vulkan`, the best that Vulkan knows; or `vulkan:` and a number, part of a name,
     * numbers of vendor and device, or a UUID, of those that `pix2pix devices` lists. Where it is not
     * set, the environment's `PIX2PIX_DEVICE` says.
     */
    g_object_class_install_property(
        klass, PROP_DEVICE,
        g_param_spec_string("device", "Device",
                            "What the network runs on: auto (best GPU, else CPU), cpu, vulkan, "
                            "vulkan:N, vulkan:NAME, vulkan:VENDOR:DEVICE, vulkan:UUID; see "
                            "pix2pix devices (not set: PIX2PIX_DEVICE)",
                            DEFAULT_DEVICE, early));
    /**
     * GstPix2pixFilter:precision:
     *
     * What a GPU keeps weights and maps in, and what the CPU makes the products of convolutions in,
     * whatever the model's file stores. Less than fp32 takes less time, and on a GPU less memory,
     * where the device can do it at all (an error tells what it can).
     *
     * `auto`: on the CPU what the model's file says of each layer (pix2pix convert --precision auto
     * measures it) where that is estimated to be faster on the CPU at hand, and fp32 elsewhere and on
     * GPUs.
     */
    g_object_class_install_property(
        klass, PROP_PRECISION,
        g_param_spec_enum("precision", "Precision",
                          "What a GPU keeps weights and maps in, and the CPU multiplies in (an "
                          "error tells what the device can)",
                          GST_TYPE_PIX2PIX_PRECISION, DEFAULT_PRECISION, always));
    /**
     * GstPix2pixFilter:norm-statistics:
     *
     * Where batch norm takes mean and variance from. Models with instance norm do not care.
     */
    g_object_class_install_property(
        klass, PROP_STATISTICS,
        g_param_spec_enum("norm-statistics", "Norm statistics",
                          "Where batch norm takes mean and variance from",
                          GST_TYPE_PIX2PIX_STATISTICS, DEFAULT_STATISTICS, always));
    /**
     * GstPix2pixFilter:dropout:
     *
     * What the dropout layers of a model do, if it has any.
     */
    g_object_class_install_property(
        klass, PROP_DROPOUT,
        g_param_spec_enum("dropout", "Dropout", "What the dropout layers do",
                          GST_TYPE_PIX2PIX_DROPOUT, DEFAULT_DROPOUT, always));
    /**
     * GstPix2pixFilter:seed:
     *
     * A number that chooses the dropout masks; equal seeds give equal pictures.
     */
    g_object_class_install_property(klass, PROP_SEED,
                                    g_param_spec_uint64("seed", "Seed",
                                                        "Chooses the dropout masks (any number)", 0,
                                                        G_MAXUINT64, DEFAULT_SEED, always));
    /**
     * GstPix2pixFilter:fit:
     *
     * How a frame meets the network's size. With `native` a frame is replicated at its right and
     * bottom up to a size that the network can do, and cut back afterwards; norms see that border.
     */
    g_object_class_install_property(
        klass, PROP_FIT,
        g_param_spec_enum("fit", "Fit", "How a frame meets the network's size in pixels",
                          GST_TYPE_PIX2PIX_FIT, DEFAULT_FIT, always));
    /**
     * GstPix2pixFilter:strength:
     *
     * Blend of source and result, a share from 0.0 (source alone) to 1.0 (result alone).
     */
    g_object_class_install_property(
        klass, PROP_STRENGTH,
        g_param_spec_double("strength", "Strength",
                            "Share of the result in the blend with the source, 0.0 to 1.0", 0.0,
                            1.0, DEFAULT_STRENGTH, always | GST_PARAM_CONTROLLABLE));
    /**
     * GstPix2pixFilter:enabled:
     *
     * Whether frames are translated. If not, they pass as they are, in the same buffers.
     */
    g_object_class_install_property(
        klass, PROP_ENABLED,
        g_param_spec_boolean("enabled", "Enabled",
                             "Whether frames are translated; if not, they pass untouched",
                             DEFAULT_ENABLED, always));
    /**
     * GstPix2pixFilter:threads:
     *
     * How many threads the CPU may use for the network and for conversions, the streaming thread
     * included; 0 for all that the process may run on.
     */
    g_object_class_install_property(
        klass, PROP_THREADS,
        g_param_spec_uint("threads", "Threads", "Number of threads on the CPU (0 = all it may use)",
                          0, 1024, DEFAULT_THREADS, early));
    /**
     * GstPix2pixFilter:in-flight:
     *
     * How many frames a GPU may have at a time. More than one keep it busy while frames are on their
     * way to it and from it, and each of them adds one frame's duration to the latency. 0 is two.
     * The CPU has one at a time, and so have streams without a frame rate.
     */
    g_object_class_install_property(
        klass, PROP_IN_FLIGHT,
        g_param_spec_uint("in-flight", "In flight",
                          "Number of frames that a GPU has at a time (0 = automatic)", 0,
                          GST_PIX2PIX_MAX_IN_FLIGHT, DEFAULT_IN_FLIGHT, always));
    /**
     * GstPix2pixFilter:stats:
     *
     * What the present stream has cost: `frames` translated and `dropped` (guint64, frames), `fps`
     * (gdouble, frames a second), `convert-in-ms`, `network-ms`, `convert-out-ms` (gdouble,
     * milliseconds a frame, averaged over the last ones), `latency` as reported (guint64,
     * nanoseconds), `model`, `architecture`, `device`, `device-name`, `precision` (`auto`: each
     * layer's, as the model's file says), `version` (strings), `network-width`, `network-height`
     * (gint, pixels), `memory` (guint64, bytes).
     */
    g_object_class_install_property(
        klass, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "Frames, frames a second, milliseconds of each stage, model, device, "
                           "memory in bytes",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

void gst_pix2pix_properties_class_init(GObjectClass *klass)
{
    parent_class = g_type_class_peek_parent(klass);
    klass->set_property = set_property;
    klass->get_property = get_property;
    klass->dispatch_properties_changed = dispatch_properties_changed;
    install_properties(klass);
    gst_type_mark_as_plugin_api(GST_TYPE_PIX2PIX_PRECISION, 0);
    gst_type_mark_as_plugin_api(GST_TYPE_PIX2PIX_STATISTICS, 0);
    gst_type_mark_as_plugin_api(GST_TYPE_PIX2PIX_DROPOUT, 0);
    gst_type_mark_as_plugin_api(GST_TYPE_PIX2PIX_FIT, 0);
}
