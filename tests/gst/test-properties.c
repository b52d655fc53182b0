/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the properties promise: defaults, ranges, when they may change, and what they do. */
#include <gst/controller/controller.h>
#include <string.h>

#include "common.h"

#define ANY_STATE GST_PARAM_MUTABLE_PLAYING
#define EARLY GST_PARAM_MUTABLE_READY

typedef struct {
    const char *name;
    const char *type;
    const char *value; /* by default, as gst_value_serialize() has it */
    GParamFlags flags;
} Property;

/* The names and defaults that users are promised. */
static const Property properties[] = {
    {"model", "gchararray", "facades", G_PARAM_READWRITE | ANY_STATE},
    {"domain", "gchararray", NULL, G_PARAM_READWRITE | ANY_STATE},
    {"device", "gchararray", "auto", G_PARAM_READWRITE | EARLY},
    {"precision", "GstPix2pixPrecision", "auto", G_PARAM_READWRITE | ANY_STATE},
    {"norm-statistics", "GstPix2pixStatistics", "auto", G_PARAM_READWRITE | ANY_STATE},
    {"dropout", "GstPix2pixDropout", "frozen", G_PARAM_READWRITE | ANY_STATE},
    {"seed", "guint64", "0", G_PARAM_READWRITE | ANY_STATE},
    {"fit", "GstPix2pixFit", "stretch", G_PARAM_READWRITE | ANY_STATE},
    {"strength", "gdouble", "1", G_PARAM_READWRITE | ANY_STATE | GST_PARAM_CONTROLLABLE},
    {"enabled", "gboolean", "true", G_PARAM_READWRITE | ANY_STATE},
    {"threads", "guint", "0", G_PARAM_READWRITE | EARLY},
    {"in-flight", "guint", "0", G_PARAM_READWRITE | ANY_STATE},
    {"stats", "GstStructure", NULL, G_PARAM_READABLE},
};

static char *serialized(const GValue *value)
{
    if (G_VALUE_HOLDS_STRING(value))
        return g_value_dup_string(value);
    if (G_VALUE_HOLDS_ENUM(value)) {
        GEnumClass *klass = g_type_class_ref(G_VALUE_TYPE(value));
        char *nick = g_strdup(g_enum_get_value(klass, g_value_get_enum(value))->value_nick);

        g_type_class_unref(klass);
        return nick;
    }
    return gst_value_serialize(value);
}

GST_START_TEST(promises)
{
    const Property *property = &properties[__i__];
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    GParamSpec *pspec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), property->name);
    GValue value = G_VALUE_INIT;
    char *text;

    fail_unless(pspec != NULL);
    fail_unless_equals_string(g_type_name(pspec->value_type), property->type);
    fail_unless_equals_int(pspec->flags & ~G_PARAM_STATIC_STRINGS, property->flags);
    fail_unless_equals_int(pspec->flags & G_PARAM_STATIC_STRINGS, G_PARAM_STATIC_STRINGS);
    fail_unless(*g_param_spec_get_nick(pspec) && *g_param_spec_get_blurb(pspec));
    if (property->flags & G_PARAM_WRITABLE) {
        g_value_init(&value, pspec->value_type);
        g_object_get_property(G_OBJECT(element), property->name, &value);
        fail_unless(g_param_values_cmp(pspec, &value, g_param_spec_get_default_value(pspec)) == 0,
                    "an instance has another default than its class");
        text = serialized(&value);
        fail_unless_equals_string(text, property->value);
        g_free(text);
        g_object_set_property(G_OBJECT(element), property->name,
                              g_param_spec_get_default_value(pspec));
        g_object_get_property(G_OBJECT(element), property->name, &value);
        fail_unless(g_param_values_cmp(pspec, &value, g_param_spec_get_default_value(pspec)) == 0);
        g_value_unset(&value);
    }
    gst_object_unref(element);
}
GST_END_TEST;

/* No property but those, and each enum is documented with the plugin. */
GST_START_TEST(complete)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    guint n, ours = 0;
    GParamSpec **pspecs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &n);

    for (guint i = 0; i < n; i++) {
        if (pspecs[i]->owner_type != G_OBJECT_TYPE(element))
            continue;
        ours++;
        fail_unless(strchr(pspecs[i]->name, '_') == NULL);
        if (G_IS_PARAM_SPEC_ENUM(pspecs[i])) {
            GstPluginAPIFlags flags;

            fail_unless(gst_type_is_plugin_api(pspecs[i]->value_type, &flags));
        }
    }
    fail_unless_equals_int(ours, G_N_ELEMENTS(properties));
    g_free(pspecs);
    gst_object_unref(element);
}
GST_END_TEST;

static gint warnings;

static void count_warning(GstDebugCategory *category, GstDebugLevel level, const gchar *file,
                          const gchar *function, gint line, GObject *object,
                          GstDebugMessage *message, gpointer data)
{
    if (level == GST_LEVEL_WARNING && g_str_equal(gst_debug_category_get_name(category), "pix2pix"))
        g_atomic_int_inc(&warnings);
}

/* What must not change above READY does not, and says so. */
GST_START_TEST(too_late)
{
    GstHarness *harness = test_harness_new("unet32", NULL);
    char *device;
    guint threads;

    test_listen(count_warning);
    g_object_set(harness->element, "device", "abacus", "threads", 7, NULL);
    fail_unless_equals_int(warnings, 2);
    g_object_get(harness->element, "device", &device, "threads", &threads, NULL);
    fail_unless_equals_string(device, "auto");
    fail_unless_equals_int(threads, 1);
    g_free(device);
    gst_element_set_state(harness->element, GST_STATE_READY);
    g_object_set(harness->element, "device", "cpu", "threads", 2, NULL);
    fail_unless_equals_int(warnings, 2);
    g_object_get(harness->element, "device", &device, "threads", &threads, NULL);
    fail_unless_equals_string(device, "cpu");
    fail_unless_equals_int(threads, 2);
    g_free(device);
    test_listen_no_more(count_warning);
    gst_harness_teardown(harness);
}
GST_END_TEST;

GST_START_TEST(default_model)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    char *name;

    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_SUCCESS);
    gst_element_set_state(element, GST_STATE_NULL);
    g_object_set(element, "model", NULL, NULL);
    g_object_get(element, "model", &name, NULL);
    fail_unless_equals_string(name, "facades");
    g_free(name);
    gst_object_unref(element);
}
GST_END_TEST;

/* A controller's ramp: each frame has the strength of its stream time. */
GST_START_TEST(controlled_strength)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstVideoInfo info = test_info("RGB", 16, 16);
    GstControlSource *source = gst_interpolation_control_source_new();
    GstBuffer *buffer;
    GstMapInfo map;

    fake_engine_reset();
    fake_engine_set_mode(FAKE_INVERT);
    g_object_set(source, "mode", GST_INTERPOLATION_MODE_LINEAR, NULL);
    gst_timed_value_control_source_set(GST_TIMED_VALUE_CONTROL_SOURCE(source), 0, 0.0);
    gst_timed_value_control_source_set(GST_TIMED_VALUE_CONTROL_SOURCE(source), GST_SECOND, 1.0);
    gst_object_add_control_binding(
        GST_OBJECT(harness->element),
        gst_direct_control_binding_new(GST_OBJECT(harness->element), "strength", source));
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i <= 10; i++) {
        buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&info), NULL);
        gst_buffer_memset(buffer, 0, 55, GST_VIDEO_INFO_SIZE(&info));
        GST_BUFFER_PTS(buffer) = i * GST_SECOND / 10;
        buffer = test_run(harness, buffer);
        gst_buffer_map(buffer, &map, GST_MAP_READ);
        fail_unless(ABS(map.data[100] - (55 + 145 * i / 10.0)) <= 0.6, "%d at %d/10", map.data[100],
                    i);
        gst_buffer_unmap(buffer, &map);
        gst_buffer_unref(buffer);
    }
    fail_unless_equals_int(fake_engine_get_calls(), 10);
    gst_object_unref(source);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* One mask for all frames, none, or a new one each; equal seeds give equal pictures. */
GST_START_TEST(dropout_and_seed)
{
    static const struct {
        const char *a, *b;
        gboolean same_stream; /* frames of a are alike */
        gboolean same_first;  /* the first frames of a and b are */
    } cases[] = {
        {"dropout=frozen", "dropout=frozen", TRUE, TRUE},
        {"dropout=off", "dropout=off seed=3", TRUE, TRUE},
        {"dropout=frozen seed=3", "dropout=frozen seed=3", TRUE, TRUE},
        {"dropout=frozen seed=3", "dropout=frozen seed=4", TRUE, FALSE},
        {"dropout=frozen", "dropout=off", TRUE, FALSE},
        {"dropout=fresh seed=9", "dropout=fresh seed=9", FALSE, TRUE},
    };
    GstVideoInfo info = test_info("RGB", 32, 32);
    GstBuffer *frames[2][3];

    fake_engine_reset();
    for (int i = 0; i < 2; i++) {
        g_autofree char *settings =
            g_strdup_printf("fit=native %s", i ? cases[__i__].b : cases[__i__].a);
        GstHarness *harness = test_harness_new("resnet_batch_dropout.pth", settings);

        test_set_caps(harness, &info, NULL);
        for (int n = 0; n < 3; n++)
            frames[i][n] = test_run(harness, test_picture(&info, 0));
        gst_harness_teardown(harness);
    }
    fail_unless_equals_int(test_same(frames[0][0], frames[0][1], &info), cases[__i__].same_stream);
    fail_unless_equals_int(test_same(frames[0][1], frames[0][2], &info), cases[__i__].same_stream);
    fail_unless_equals_int(test_same(frames[0][0], frames[1][0], &info), cases[__i__].same_first);
    for (int n = 1; n < 3; n++)
        fail_unless_equals_int(test_same(frames[0][n], frames[1][n], &info),
                               cases[__i__].same_first);
    for (int i = 0; i < 6; i++)
        gst_buffer_unref(frames[i / 3][i % 3]);
}
GST_END_TEST;

/* The statistics: what was done, on what, and where the time went. */
GST_START_TEST(stats)
{
    GstHarness *harness = test_harness_new("unet32", NULL);
    GstVideoInfo info = test_info("I420", 64, 48);
    g_autofree char *path = test_model("unet32");
    guint64 frames, dropped, memory, latency;
    double fps, in_ms, network_ms, out_ms;
    GstStructure *structure;
    gint64 before_us = g_get_monotonic_time();

    fake_engine_reset();
    fake_engine_set_delay_ms(10);
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 20; i++)
        gst_buffer_unref(test_run(harness, test_picture(&info, i)));
    g_object_get(harness->element, "stats", &structure, NULL);
    fail_unless(gst_structure_get(
        structure, "frames", G_TYPE_UINT64, &frames, "dropped", G_TYPE_UINT64, &dropped, "fps",
        G_TYPE_DOUBLE, &fps, "convert-in-ms", G_TYPE_DOUBLE, &in_ms, "network-ms", G_TYPE_DOUBLE,
        &network_ms, "convert-out-ms", G_TYPE_DOUBLE, &out_ms, "memory", G_TYPE_UINT64, &memory,
        "latency", G_TYPE_UINT64, &latency, NULL));
    fail_unless_equals_uint64(frames, 20);
    fail_unless_equals_uint64(dropped, 0);
    fail_unless(fps > (test_on_gpu() ? 0 : 10) && fps <= 100, "%f frames a second", fps);
    fail_unless(in_ms > 0 && network_ms > 0 && out_ms > 0);
    fail_unless((in_ms + network_ms + out_ms) * 1000 * 20 <
                g_get_monotonic_time() - before_us + 20000);
    fail_unless(memory > 100000 && memory < 100000000);
    fail_unless_equals_string(gst_structure_get_string(structure, "model"), path);
    fail_unless(g_str_has_prefix(gst_structure_get_string(structure, "device"),
                                 test_on_gpu() ? "vulkan:" : "cpu"));
    fail_unless_equals_string(gst_structure_get_string(structure, "precision"), "fp32");
    fail_unless_equals_string(gst_structure_get_string(structure, "architecture"), "unet_32");
    fail_unless(gst_structure_has_field_typed(structure, "version", G_TYPE_STRING));
    gst_structure_free(structure);
    gst_harness_teardown(harness);
}
GST_END_TEST;

static Suite *properties_suite(void)
{
    Suite *suite = suite_create("properties");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, promises, 0, G_N_ELEMENTS(properties));
    tcase_add_test(tcase, complete);
    tcase_add_test(tcase, too_late);
    tcase_add_test(tcase, default_model);
    tcase_add_test(tcase, controlled_strength);
    tcase_add_loop_test(tcase, dropout_and_seed, 0, 6);
    tcase_add_test(tcase, stats);
    return suite;
}

int main(int argc, char **argv)
{
    test_prepare_listening();
    gst_check_init(&argc, &argv);
    return test_main(properties_suite());
}
