/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where pixels lie: strides, planes, memories, pools. */
#include <string.h>

#include "common.h"

/* ---- layouts ---- */

typedef enum {
    LAYOUT_PADDED,   /* rows further apart than they are long */
    LAYOUT_SHIFTED,  /* planes far behind the start of the memory, in another order */
    LAYOUT_SEPARATE, /* a memory for each plane */
    LAYOUT_NEGATIVE, /* bottom-up */
    N_LAYOUTS,
} Layout;

/* The same picture in another layout. */
static GstBuffer *lay_out(GstBuffer *tight, const GstVideoInfo *info, Layout layout)
{
    gsize offset[GST_VIDEO_MAX_PLANES] = {0}, at[GST_VIDEO_MAX_PLANES], total = 0;
    gint stride[GST_VIDEO_MAX_PLANES] = {0};
    guint n_planes = GST_VIDEO_INFO_N_PLANES(info);
    GstBuffer *buffer = gst_buffer_new();
    GstVideoFrame source, result;

    for (guint i = 0; i < n_planes; i++) {
        guint plane = layout == LAYOUT_SHIFTED ? n_planes - 1 - i : i;
        gsize rows = GST_VIDEO_INFO_HEIGHT(info); /* at least as many as any plane has */

        stride[plane] = GST_VIDEO_INFO_PLANE_STRIDE(info, plane) +
                        (layout == LAYOUT_SEPARATE ? 0 : 4 * (13 + (int)plane));
        at[plane] = total + (layout == LAYOUT_SHIFTED ? 1000 : 0);
        if (layout == LAYOUT_SEPARATE)
            gst_buffer_append_memory(buffer,
                                     gst_allocator_alloc(NULL, rows * stride[plane] + 64, NULL));
        total = at[plane] + rows * stride[plane] + (layout == LAYOUT_SEPARATE ? 64 : 0);
        offset[plane] = at[plane];
        if (layout == LAYOUT_NEGATIVE) {
            int height =
                GST_VIDEO_INFO_COMP_HEIGHT(info, plane); /* for all here it is the component */

            offset[plane] = at[plane] + (height - 1) * stride[plane];
            stride[plane] = -stride[plane];
        }
    }
    if (layout != LAYOUT_SEPARATE)
        gst_buffer_append_memory(buffer, gst_allocator_alloc(NULL, total, NULL));
    gst_buffer_memset(buffer, 0, 0x11, gst_buffer_get_size(buffer));
    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
                                   GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info),
                                   n_planes, offset, stride);

    fail_unless(gst_video_frame_map(&source, info, tight, GST_MAP_READ));
    fail_unless(gst_video_frame_map(&result, info, buffer, GST_MAP_WRITE));
    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(info); c++) {
        for (int y = 0; y < GST_VIDEO_INFO_COMP_HEIGHT(info, c); y++) {
            const guint8 *from = (guint8 *)GST_VIDEO_FRAME_COMP_DATA(&source, c) +
                                 (gssize)y * GST_VIDEO_FRAME_COMP_STRIDE(&source, c);
            guint8 *to = (guint8 *)GST_VIDEO_FRAME_COMP_DATA(&result, c) +
                         (gssize)y * GST_VIDEO_FRAME_COMP_STRIDE(&result, c);

            for (int x = 0; x < GST_VIDEO_INFO_COMP_WIDTH(info, c); x++)
                to[x * GST_VIDEO_INFO_COMP_PSTRIDE(info, c)] =
                    from[x * GST_VIDEO_INFO_COMP_PSTRIDE(info, c)];
        }
    }
    gst_video_frame_unmap(&result);
    gst_video_frame_unmap(&source);
    return buffer;
}

/* However the input lies in memory, the output is the same, for every format. */
GST_START_TEST(layouts)
{
    g_auto(GStrv) formats = test_formats();
    GstVideoInfo info = test_info(formats[__i__ / N_LAYOUTS], 34, 18);
    GstBuffer *input = test_picture(&info, 0), *outputs[2];

    fake_engine_reset();
    for (int i = 0; i < 2; i++) {
        GstHarness *harness = test_harness_new("resnet2", "fit=native strength=0.75 dropout=off");

        test_set_caps(harness, &info, NULL);
        outputs[i] =
            test_run(harness, i ? lay_out(input, &info, __i__ % N_LAYOUTS) : gst_buffer_ref(input));
        gst_harness_teardown(harness);
    }
    fail_unless(test_same(outputs[0], outputs[1], &info), "%s, layout %d",
                formats[__i__ / N_LAYOUTS], __i__ % N_LAYOUTS);
    gst_buffer_unref(outputs[0]);
    gst_buffer_unref(outputs[1]);
    gst_buffer_unref(input);
}
GST_END_TEST;

/* ---- buffers that are not frames ---- */

static void check_refused(const GstVideoInfo *info, GstBuffer *buffer)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstBus *bus = test_add_bus(harness);
    GstMessage *message;
    GError *error;

    test_set_caps(harness, info, NULL);
    fail_unless_equals_int(gst_harness_push(harness, buffer), GST_FLOW_ERROR);
    fail_unless(gst_harness_try_pull(harness) == NULL);
    fail_unless_equals_int(fake_engine_get_calls(), 0);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, &message), 1);
    gst_message_parse_error(message, &error, NULL);
    fail_unless(g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT));
    g_error_free(error);
    gst_message_unref(message);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}

GST_START_TEST(too_small)
{
    GstVideoInfo info = test_info("I420", 64, 48);

    fake_engine_reset();
    check_refused(&info, gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&info) - 1, NULL));
    check_refused(&info, gst_buffer_new_allocate(NULL, 1, NULL));
    check_refused(&info, gst_buffer_new());
}
GST_END_TEST;

/* A video meta that contradicts the caps, or points outside of the memory. */
GST_START_TEST(lying_meta)
{
    GstVideoInfo info = test_info("RGB", 64, 48);
    gsize offset[GST_VIDEO_MAX_PLANES] = {0};
    gint stride[GST_VIDEO_MAX_PLANES] = {192};
    GstVideoFormat format = GST_VIDEO_FORMAT_RGB;
    guint width = 64;
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&info), NULL);

    fake_engine_reset();
    switch (__i__) {
    case 0:
        stride[0] = 1920;
        break;
    case 1:
        offset[0] = GST_VIDEO_INFO_SIZE(&info) - 10;
        break;
    case 2:
        stride[0] = -192;
        break;
    case 3:
        width = 32;
        break;
    case 4:
        format = GST_VIDEO_FORMAT_BGR;
        break;
    }
    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, format, width, 48, 1, offset,
                                   stride);
    check_refused(&info, buffer);
}
GST_END_TEST;

/* ---- downstream's pools ---- */

typedef struct {
    GstVideoBufferPool parent;
    gboolean refuses;
    gint acquired;
} TestPool;
typedef GstVideoBufferPoolClass TestPoolClass;

GType test_pool_get_type(void);
G_DEFINE_TYPE(TestPool, test_pool, GST_TYPE_VIDEO_BUFFER_POOL)

static gboolean test_pool_set_config(GstBufferPool *pool, GstStructure *config)
{
    if (((TestPool *)pool)->refuses)
        return FALSE;
    return GST_BUFFER_POOL_CLASS(test_pool_parent_class)->set_config(pool, config);
}

static GstFlowReturn test_pool_acquire(GstBufferPool *pool, GstBuffer **buffer,
                                       GstBufferPoolAcquireParams *params)
{
    g_atomic_int_inc(&((TestPool *)pool)->acquired);
    return GST_BUFFER_POOL_CLASS(test_pool_parent_class)->acquire_buffer(pool, buffer, params);
}

static void test_pool_class_init(TestPoolClass *klass)
{
    GST_BUFFER_POOL_CLASS(klass)->set_config = test_pool_set_config;
    GST_BUFFER_POOL_CLASS(klass)->acquire_buffer = test_pool_acquire;
}

static void test_pool_init(TestPool *pool)
{
}

static GstBufferPool *offered;
static guint offered_max;
static gboolean offered_meta;
static GstPadQueryFunction next_query;

static gboolean answer_allocation(GstPad *pad, GstObject *parent, GstQuery *query)
{
    GstVideoInfo info;
    GstCaps *caps;

    if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
        return next_query(pad, parent, query);
    gst_query_parse_allocation(query, &caps, NULL);
    fail_unless(gst_video_info_from_caps(&info, caps));
    gst_query_add_allocation_pool(query, offered, GST_VIDEO_INFO_SIZE(&info), 0, offered_max);
    if (offered_meta)
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    return TRUE;
}

static GstHarness *harness_with_pool(gboolean refuses, guint max)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");

    offered = gst_object_ref_sink(g_object_new(test_pool_get_type(), NULL));
    ((TestPool *)offered)->refuses = refuses;
    offered_max = max;
    next_query = GST_PAD_QUERYFUNC(harness->sinkpad);
    gst_pad_set_query_function(harness->sinkpad, answer_allocation);
    return harness;
}

GST_START_TEST(pool_is_used)
{
    GstHarness *harness = harness_with_pool(FALSE, 0);
    GstVideoInfo info = test_info("I420", 64, 48);

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 5; i++)
        gst_buffer_unref(test_run(harness, test_picture(&info, i)));
    fail_unless_equals_int(((TestPool *)offered)->acquired, 5);
    gst_harness_teardown(harness);
    gst_object_unref(offered);
}
GST_END_TEST;

/* A pool that refuses its configuration does not break the stream; ours takes its place. */
GST_START_TEST(pool_refuses)
{
    GstHarness *harness = harness_with_pool(TRUE, 0);
    GstBus *bus = test_add_bus(harness);
    GstVideoInfo info = test_info("NV12", 64, 48);

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    for (int i = 0; i < 5; i++) {
        GstBuffer *output = test_run(harness, test_picture(&info, i));

        fail_unless(output->pool != NULL && output->pool != offered);
        gst_buffer_unref(output);
    }
    fail_unless_equals_int(((TestPool *)offered)->acquired, 0);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING, NULL), 0);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    gst_object_unref(offered);
}
GST_END_TEST;

/* Rows of an output pool with alignment are where its meta says. */
GST_START_TEST(aligned_output)
{
    g_auto(GStrv) formats = test_formats();
    GstVideoInfo info = test_info(formats[__i__], 34, 18);
    GstBuffer *input = test_picture(&info, 0), *outputs[2];

    fake_engine_reset();
    for (int i = 0; i < 2; i++) {
        GstHarness *harness = harness_with_pool(FALSE, 0);

        offered_meta = i;
        if (i) {
            GstStructure *config = gst_buffer_pool_get_config(offered);
            GstCaps *caps = gst_video_info_to_caps(&info);
            GstVideoAlignment align;

            gst_video_alignment_reset(&align);
            align.padding_left = align.padding_right = 16;
            align.padding_top = align.padding_bottom = 8;
            gst_buffer_pool_config_set_params(config, caps, GST_VIDEO_INFO_SIZE(&info), 0, 0);
            gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
            gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
            gst_buffer_pool_config_set_video_alignment(config, &align);
            fail_unless(gst_buffer_pool_set_config(offered, config));
            gst_caps_unref(caps);
        }
        test_set_caps(harness, &info, NULL);
        outputs[i] = test_run(harness, gst_buffer_ref(input));
        gst_harness_teardown(harness);
        gst_object_unref(offered);
    }
    fail_unless(gst_buffer_get_size(outputs[1]) > gst_buffer_get_size(outputs[0]));
    fail_unless(test_same(outputs[0], outputs[1], &info), "%s", formats[__i__]);
    gst_buffer_unref(outputs[0]);
    gst_buffer_unref(outputs[1]);
    gst_buffer_unref(input);
}
GST_END_TEST;

static gpointer push_main(gpointer data)
{
    GstHarness *harness = data;
    GstVideoInfo info = test_info("RGB", 64, 48);
    GstFlowReturn flow = GST_FLOW_OK;

    for (int i = 0; i < 3 && flow == GST_FLOW_OK; i++)
        flow = gst_harness_push(harness, test_picture(&info, i));
    return GINT_TO_POINTER(flow);
}

/* Waiting for a buffer of an exhausted pool ends with the state change, and is no error. */
GST_START_TEST(stop_in_acquire)
{
    GstHarness *harness = harness_with_pool(FALSE, 1);
    GstBus *bus = test_add_bus(harness);
    GstVideoInfo info = test_info("RGB", 64, 48);
    GThread *thread;
    GstFlowReturn flow;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    thread = g_thread_new("push", push_main, harness); /* the harness keeps the one buffer */
    while (g_atomic_int_get(&((TestPool *)offered)->acquired) < 2)
        g_usleep(1000);
    g_usleep(20000);
    gst_buffer_pool_set_flushing(offered, TRUE);
    flow = GPOINTER_TO_INT(g_thread_join(thread));
    fail_unless_equals_int(flow, GST_FLOW_FLUSHING);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 0);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
    gst_object_unref(offered);
}
GST_END_TEST;

/* ---- what upstream is offered ---- */

static GstQuery *ask_allocation(GstHarness *harness, const GstVideoInfo *info)
{
    GstCaps *caps = gst_video_info_to_caps(info);
    GstQuery *query = gst_query_new_allocation(caps, TRUE);

    fail_unless(gst_pad_peer_query(harness->srcpad, query));
    gst_caps_unref(caps);
    return query;
}

GST_START_TEST(proposal)
{
    GstHarness *harness = test_harness_new("resnet2", NULL);
    GstVideoInfo info = test_info("I420", 64, 48);
    GstBufferPool *pool;
    GstQuery *query;
    guint size;

    fake_engine_reset();
    gst_harness_add_propose_allocation_meta(harness, GST_VIDEO_META_API_TYPE, NULL);
    gst_harness_add_propose_allocation_meta(harness, GST_VIDEO_CROP_META_API_TYPE, NULL);
    gst_harness_add_propose_allocation_meta(harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE,
                                            NULL);
    test_set_caps(harness, &info, NULL);
    query = ask_allocation(harness, &info);
    fail_unless(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL));
    fail_if(gst_query_find_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, NULL));
    fail_unless(
        gst_query_find_allocation_meta(query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL));
    fail_unless(gst_query_get_n_allocation_pools(query) > 0);
    gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, NULL, NULL);
    fail_unless(pool != NULL && size >= GST_VIDEO_INFO_SIZE(&info));
    gst_object_unref(pool);
    gst_query_unref(query);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* Passing through, upstream writes into downstream's pool. */
GST_START_TEST(proposal_passthrough)
{
    GstHarness *harness = harness_with_pool(FALSE, 0);
    GstVideoInfo info = test_info("I420", 64, 48);
    GstBufferPool *pool;
    GstQuery *query;

    fake_engine_reset();
    g_object_set(harness->element, "enabled", FALSE, NULL);
    test_set_caps(harness, &info, NULL);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    query = ask_allocation(harness, &info);
    gst_query_parse_nth_allocation_pool(query, 0, &pool, NULL, NULL, NULL);
    fail_unless(pool == offered);
    gst_object_unref(pool);
    gst_query_unref(query);
    gst_harness_teardown(harness);
    gst_object_unref(offered);
}
GST_END_TEST;

static Suite *buffers_suite(void)
{
    Suite *suite = suite_create("buffers");
    TCase *tcase = tcase_create("general");
    char **formats = test_formats();
    int n = g_strv_length(formats);

    g_strfreev(formats);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, layouts, 0, n * N_LAYOUTS);
    tcase_add_test(tcase, too_small);
    tcase_add_loop_test(tcase, lying_meta, 0, 5);
    tcase_add_test(tcase, pool_is_used);
    tcase_add_test(tcase, pool_refuses);
    tcase_add_loop_test(tcase, aligned_output, 0, n);
    tcase_add_test(tcase, stop_in_acquire);
    tcase_add_test(tcase, proposal);
    tcase_add_test(tcase, proposal_passthrough);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(buffers_suite());
}
