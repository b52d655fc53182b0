/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common.h"

#include <string.h>

char *test_model(const char *name)
{
    const char *folder = g_getenv("PIX2PIX_TEST_MODELS");

    fail_unless(folder != NULL, "PIX2PIX_TEST_MODELS is not set");
    return g_strdup_printf("%s/%s%s", folder, name, strchr(name, '.') ? "" : ".safetensors");
}

gboolean test_on_gpu(void)
{
    return g_strcmp0(g_getenv("PIX2PIX_DEVICE"), "vulkan") == 0;
}

gboolean test_has_vulkan(void)
{
    g_auto(GStrv) devices = pix_device_list();

    return g_getenv("REQUIRE_VULKAN") || g_strv_length(devices) > 1;
}

GstHarness *test_harness_new(const char *model, const char *settings)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    g_auto(GStrv) pairs = g_strsplit(settings ? settings : "", " ", -1);
    g_autofree char *path = test_model(model);
    GstHarness *harness;

    fail_unless(element != NULL);
    g_object_set(element, "model", path, "threads", 1, "in-flight", 1, NULL);
    for (guint i = 0; pairs[i] && *pairs[i]; i++) {
        g_auto(GStrv) pair = g_strsplit(pairs[i], "=", 2);

        gst_util_set_object_arg(G_OBJECT(element), pair[0], pair[1]);
    }
    harness = gst_harness_new_with_element(element, "sink", "src");
    gst_object_unref(element);
    return harness;
}

GstVideoInfo test_info(const char *format, int width, int height)
{
    GstVideoInfo info;

    gst_video_info_set_format(&info, gst_video_format_from_string(format), width, height);
    info.fps_n = 30;
    info.fps_d = 1;
    return info;
}

void test_set_caps(GstHarness *harness, const GstVideoInfo *in, const GstVideoInfo *out)
{
    if (out)
        gst_harness_set_sink_caps(harness, gst_video_info_to_caps(out));
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(in));
}

GstVideoInfo test_out_info(GstHarness *harness)
{
    GstCaps *caps = gst_pad_get_current_caps(harness->sinkpad);
    GstVideoInfo info;

    fail_unless(caps != NULL);
    fail_unless(gst_video_info_from_caps(&info, caps));
    gst_caps_unref(caps);
    return info;
}

GstBuffer *test_convert(GstBuffer *buffer, const GstVideoInfo *from, const GstVideoInfo *to)
{
    GstVideoConverter *converter = gst_video_converter_new(
        from, to,
        gst_structure_new("options", GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD,
                          GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_LINEAR,
                          GST_VIDEO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_VIDEO_DITHER_METHOD,
                          GST_VIDEO_DITHER_NONE, NULL));
    GstBuffer *result = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(to), NULL);
    GstVideoFrame in, out;

    fail_unless(converter != NULL);
    gst_buffer_memset(result, 0, 0, GST_VIDEO_INFO_SIZE(to)); /* padding too */
    fail_unless(gst_video_frame_map(&in, from, buffer, GST_MAP_READ));
    fail_unless(gst_video_frame_map(&out, to, result, GST_MAP_WRITE));
    gst_video_converter_frame(converter, &in, &out);
    gst_video_frame_unmap(&out);
    gst_video_frame_unmap(&in);
    gst_video_converter_free(converter);
    return result;
}

GstBuffer *test_picture(const GstVideoInfo *info, int phase)
{
    GstVideoInfo argb = test_info("RGBA", GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info));
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&argb), NULL), *result;
    int width = GST_VIDEO_INFO_WIDTH(info), height = GST_VIDEO_INFO_HEIGHT(info);
    GstVideoFrame frame;

    fail_unless(gst_video_frame_map(&frame, &argb, buffer, GST_MAP_WRITE));
    for (int y = 0; y < height; y++) {
        guint8 *row = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                      y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);

        for (int x = 0; x < width; x++) {
            row[4 * x] = 60 + 120 * x / width;
            row[4 * x + 1] = 70 + 110 * y / height;
            row[4 * x + 2] = 150 - 40 * (x + y) / (width + height) + phase % 50;
            row[4 * x + 3] = 255 * (width - x) / width;
        }
    }
    gst_video_frame_unmap(&frame);
    argb.fps_n = info->fps_n;
    argb.fps_d = info->fps_d;
    result = test_convert(buffer, &argb, info);
    gst_buffer_unref(buffer);
    GST_BUFFER_PTS(result) = gst_util_uint64_scale(phase, GST_SECOND, 30);
    GST_BUFFER_DURATION(result) = GST_SECOND / 30;
    return result;
}

GstBuffer *test_inverted(GstBuffer *buffer, const GstVideoInfo *info)
{
    GstBuffer *result = gst_buffer_copy_deep(buffer);
    GstMapInfo map;

    fail_unless(GST_VIDEO_INFO_FORMAT(info) == GST_VIDEO_FORMAT_RGB);
    fail_unless(gst_buffer_map(result, &map, GST_MAP_READWRITE));
    for (gsize i = 0; i < map.size; i++)
        map.data[i] = 255 - map.data[i];
    gst_buffer_unmap(result, &map);
    return result;
}

double test_difference(GstBuffer *a, GstBuffer *b, const GstVideoInfo *info, int *largest)
{
    GstVideoFrame frames[2];
    double sum = 0;
    gsize count = 0;
    int worst = 0;

    fail_unless(gst_video_frame_map(&frames[0], info, a, GST_MAP_READ));
    fail_unless(gst_video_frame_map(&frames[1], info, b, GST_MAP_READ));
    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(info); c++) {
        for (int y = 0; y < GST_VIDEO_INFO_COMP_HEIGHT(info, c); y++) {
            const guint8 *rows[2];

            for (int i = 0; i < 2; i++)
                rows[i] = (const guint8 *)GST_VIDEO_FRAME_COMP_DATA(&frames[i], c) +
                          (gssize)y * GST_VIDEO_FRAME_COMP_STRIDE(&frames[i], c);
            for (int x = 0; x < GST_VIDEO_INFO_COMP_WIDTH(info, c); x++) {
                gsize at = (gsize)x * GST_VIDEO_INFO_COMP_PSTRIDE(info, c);
                int difference = ABS(rows[0][at] - rows[1][at]);

                sum += difference;
                worst = MAX(worst, difference);
                count++;
            }
        }
    }
    gst_video_frame_unmap(&frames[1]);
    gst_video_frame_unmap(&frames[0]);
    if (largest)
        *largest = worst;
    return sum / count;
}

gboolean test_same(GstBuffer *a, GstBuffer *b, const GstVideoInfo *info)
{
    int largest;

    test_difference(a, b, info, &largest);
    return largest == 0;
}

char **test_formats(void)
{
    GstElementFactory *factory = gst_element_factory_find("pix2pixfilter");
    GstPluginFeature *loaded;
    GstStaticPadTemplate *templ;
    const GValue *list;
    GstCaps *caps;
    char **names;

    g_assert(factory != NULL); /* fail_unless() works within tests only */
    loaded = gst_plugin_feature_load(GST_PLUGIN_FEATURE(factory));
    templ = gst_element_factory_get_static_pad_templates(GST_ELEMENT_FACTORY(loaded))->data;
    caps = gst_static_pad_template_get_caps(templ);
    list = gst_structure_get_value(gst_caps_get_structure(caps, 0), "format");
    names = g_new0(char *, gst_value_list_get_size(list) + 1);
    for (guint i = 0; i < gst_value_list_get_size(list); i++)
        names[i] = g_value_dup_string(gst_value_list_get_value(list, i));
    gst_caps_unref(caps);
    gst_object_unref(loaded);
    gst_object_unref(factory);
    return names;
}

GstBuffer *test_run(GstHarness *harness, GstBuffer *buffer)
{
    GstBuffer *result;

    fail_unless_equals_int(gst_harness_push(harness, buffer), GST_FLOW_OK);
    result = gst_harness_try_pull(harness);
    fail_unless(result != NULL, "nothing came out");
    return result;
}

char *test_stats_string(GstElement *element, const char *field)
{
    GstStructure *stats;
    char *text;

    g_object_get(element, "stats", &stats, NULL);
    text = g_strdup(gst_structure_get_string(stats, field));
    gst_structure_free(stats);
    return text;
}

GstBus *test_add_bus(GstHarness *harness)
{
    GstBus *bus = gst_bus_new();

    gst_element_set_bus(harness->element, bus);
    return bus;
}

void test_drop_bus(GstHarness *harness, GstBus *bus)
{
    gst_element_set_bus(harness->element, NULL);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(bus);
}

/* Without a first log function there is no first list to be kept; but tracers need the function. */
void test_prepare_listening(void)
{
    if (!g_getenv("GST_TRACERS"))
        gst_debug_remove_log_function(gst_debug_log_default);
}

/* GStreamer keeps its old lists of log functions on purpose: a thread may be reading one. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

void test_listen(GstLogFunction function)
{
    if (__lsan_disable)
        __lsan_disable();
    gst_debug_set_active(TRUE);
    gst_debug_set_threshold_for_name("pix2pix", GST_LEVEL_WARNING);
    gst_debug_add_log_function(function, NULL, NULL);
    if (__lsan_enable)
        __lsan_enable();
}

void test_listen_no_more(GstLogFunction function)
{
    if (__lsan_disable)
        __lsan_disable();
    gst_debug_remove_log_function(function);
    if (__lsan_enable)
        __lsan_enable();
}

guint test_count(GstBus *bus, GstMessageType type, GstMessage **last)
{
    GstMessage *message;
    guint count = 0;

    if (last)
        *last = NULL;
    while ((message = gst_bus_pop_filtered(bus, type))) {
        count++;
        if (last) {
            g_clear_pointer(last, gst_message_unref);
            *last = gst_message_ref(message);
        }
        gst_message_unref(message);
    }
    return count;
}

/* ---- an allocator whose memory is never clean ---- */

typedef struct {
    GstAllocator parent;
    guint8 byte;
} TestAllocator;
typedef GstAllocatorClass TestAllocatorClass;

typedef struct {
    GstMemory parent;
    guint8 *data;
} TestMemory;

GType test_allocator_get_type(void);
G_DEFINE_TYPE(TestAllocator, test_allocator, GST_TYPE_ALLOCATOR)

static GstMemory *test_alloc(GstAllocator *allocator, gsize size, GstAllocationParams *params)
{
    gsize maxsize = size + params->prefix + params->padding;
    TestMemory *memory = g_new0(TestMemory, 1);

    memory->data = g_malloc(maxsize);
    memset(memory->data, ((TestAllocator *)allocator)->byte, maxsize);
    gst_memory_init(GST_MEMORY_CAST(memory), 0, allocator, NULL, maxsize, 0, params->prefix, size);
    return GST_MEMORY_CAST(memory);
}

static void test_free(GstAllocator *allocator, GstMemory *memory)
{
    g_free(((TestMemory *)memory)->data);
    g_free(memory);
}

static gpointer test_map(GstMemory *memory, gsize maxsize, GstMapFlags flags)
{
    return ((TestMemory *)memory)->data;
}

static void test_unmap(GstMemory *memory)
{
}

static void test_allocator_class_init(TestAllocatorClass *klass)
{
    klass->alloc = test_alloc;
    klass->free = test_free;
}

static void test_allocator_init(TestAllocator *self)
{
    GstAllocator *allocator = GST_ALLOCATOR(self);

    allocator->mem_type = "TestMemory";
    allocator->mem_map = test_map;
    allocator->mem_unmap = test_unmap;
}

GstAllocator *test_allocator_new(guint8 byte)
{
    TestAllocator *allocator = g_object_new(test_allocator_get_type(), NULL);

    allocator->byte = byte;
    return gst_object_ref_sink(allocator);
}

int test_main(Suite *suite)
{
    PixDevice *kept = NULL;
    int failed;

    /* A GPU that stays open keeps its compiled shaders from one case to the next of a process. */
    if (test_on_gpu() && g_strcmp0(g_getenv("CK_FORK"), "no") == 0)
        kept = pix_device_open(NULL, 1, NULL);
    failed = gst_check_run_suite(suite, g_get_prgname(), __FILE__);
    pix_device_unref(kept);
    return failed;
}
