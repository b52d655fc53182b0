/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Frames in flight: as many as there may be give what each gives alone, in order and with their own
 * dropout; nothing is allocated after the first; frames of other layouts where a device takes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <pix2pix/pix.h>

#include "levels.h"
#include "vk-device.h"

#define SIDE 32
#define BYTES (SIDE * SIDE * 3)
#define FRAMES 9

static PixSession *session_new(PixDevice *device, guint in_flight)
{
    g_autofree char *file =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "resnet_batch_dropout.pth", NULL);
    g_autoptr(PixModel) model = pix_model_load(device, file, NULL, PIX_PRECISION_AUTO, NULL);
    PixSessionOptions options;
    assert_non_null(model);
    pix_session_options_init(&options, model);
    options.width = options.height = SIDE;
    options.dropout = PIX_DROPOUT_FRESH;
    options.in_flight = in_flight;
    PixSession *session = pix_session_new(model, &options, NULL);
    assert_non_null(session);
    return session;
}

static PixVideo rgb(guint8 *data)
{
    const PixImage image = {data, SIDE * 3, SIDE, SIDE, 3, 3, {0, 1, 2}};
    PixVideo video;
    pix_video_from_image(&image, &video);
    return video;
}

static void fill(guint8 *data, guint32 seed)
{
    for (int i = 0; i < BYTES; i++) {
        seed = seed * 1664525 + 1013904223;
        data[i] = (guint8)(seed >> 24);
    }
}

static void prepare(PixSession *session)
{
    guint8 nothing[BYTES] = {0};
    PixVideo layout = rgb(nothing);
    layout.planes[0].data = NULL;
    assert_true(pix_session_prepare(session, &layout, &layout, NULL));
}

/* The source is gone as soon as it has been submitted. */
static void submit(PixSession *session, guint32 seed)
{
    guint8 source[BYTES];
    PixVideo video = rgb(source);
    fill(source, seed);
    assert_true(pix_session_submit(session, &video, NULL));
    memset(source, 0x55, sizeof source);
}

static void receive(PixSession *session, guint8 *result)
{
    PixVideo video = rgb(result);
    assert_true(pix_session_receive(session, &video, NULL));
}

/* ---- tests ---- */

static void alone(PixDevice *device, guint8 results[FRAMES][BYTES])
{
    g_autoptr(PixSession) session = session_new(device, 1);
    for (guint32 i = 0; i < FRAMES; i++) {
        PixImage image = {results[i], SIDE * 3, SIDE, SIDE, 3, 3, {0, 1, 2}};
        fill(results[i], i / 2); /* the same source twice: dropout tells them apart */
        assert_true(pix_session_translate(session, &image, &image, NULL));
    }
    assert_memory_not_equal(results[0], results[1], BYTES);
}

static void test_several(void **state)
{
    static guint8 wanted[FRAMES][BYTES], result[BYTES];
    alone(*state, wanted);
    for (guint n = 1; n <= 4; n++) {
        g_autoptr(PixSession) session = session_new(*state, n);
        guint room = pix_session_get_in_flight(session), received = 0;
        assert_int_equal(room, ((PixDevice *)*state)->backend->record ? n : 1);
        prepare(session);
        for (guint32 i = 0; i < FRAMES; i++) {
            if (i >= room) {
                receive(session, result);
                assert_memory_equal(result, wanted[received++], BYTES);
            }
            submit(session, i / 2);
        }
        for (; received < FRAMES; received++) {
            receive(session, result);
            assert_memory_equal(result, wanted[received], BYTES);
        }
        const PixTimes *times = pix_session_get_times(session);
        assert_true(times->pack_ms > 0 && times->network_ms > 0);
    }
}

/* What is discarded never comes; what follows is as at the beginning, after a restart. */
static void test_discard(void **state)
{
    static guint8 wanted[FRAMES][BYTES], result[BYTES];
    alone(*state, wanted);
    g_autoptr(PixSession) session = session_new(*state, 3);
    prepare(session);
    pix_session_discard(session);
    for (guint i = 0; i < pix_session_get_in_flight(session); i++)
        submit(session, 100 + i);
    pix_session_discard(session);
    pix_session_restart(session);
    submit(session, 0);
    receive(session, result);
    assert_memory_equal(result, wanted[0], BYTES);
    submit(session, 77); /* and one is under way when the session goes */
}

static PixVideo i420(guint8 *data)
{
    PixVideo video = {.width = SIDE,
                      .height = SIDE,
                      .n_planes = 3,
                      .n_components = 3,
                      .converts = TRUE,
                      .matrix = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
    for (int i = 0; i < 3; i++) {
        int side = i ? SIDE / 2 : SIDE, at = i == 0   ? 0
                                             : i == 1 ? SIDE * SIDE
                                                      : SIDE * SIDE / 4 * 5;
        video.planes[i] = (PixPlane){data + at, side, side, side};
        video.components[i] = (PixComponent){i, 0, 1, i > 0, i > 0};
    }
    return video;
}

static void test_layouts(void **state)
{
    g_autoptr(PixSession) session = session_new(*state, 2);
    g_autoptr(GError) error = NULL;
    guint8 bytes[BYTES] = {0};
    PixVideo plain = rgb(bytes), video = i420(bytes), half = rgb(bytes);
    bool any = ((PixDevice *)*state)->backend->record != NULL;
    half.width = half.height = SIDE / 2;
    assert_true(pix_session_takes(session, &plain));
    assert_int_equal(pix_session_takes(session, &video), any);
    assert_int_equal(pix_session_takes(session, &half), any);
    assert_int_equal(pix_session_prepare(session, &video, &plain, &error), any);
    assert_true(any || g_error_matches(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED));
}

/* Also where shaders do not use what the processor sees. */
static void test_staging(void **state)
{
    static guint8 wanted[FRAMES][BYTES], result[BYTES];
    VulkanDevice *device = *state;
    alone(*state, wanted);
    device->simple = true;
    g_autoptr(PixSession) session = session_new(*state, 2);
    prepare(session);
    device->simple = false;
    submit(session, 0);
    submit(session, 0);
    for (int i = 0; i < 2; i++) {
        receive(session, result);
        for (int j = 0; j < BYTES; j++)
            assert_in_range(result[j] + 1, wanted[i][j], wanted[i][j] + 2);
    }
}

static void test_nothing_is_made(void **state)
{
    VulkanGpu *gpu = ((VulkanDevice *)*state)->gpu;
    g_autoptr(PixSession) session = session_new(*state, 3);
    guint64 empty = pix_session_get_bytes(session);
    guint8 result[BYTES];
    prepare(session);
    assert_true(pix_session_get_bytes(session) >= empty + 3 * 2 * BYTES);
    int allocations = g_atomic_int_get(&gpu->n_allocations);
    guint pipelines = g_hash_table_size(gpu->pipelines);
    for (guint32 i = 0; i < 20; i++) {
        submit(session, i);
        if (i >= 2)
            receive(session, result);
    }
    assert_int_equal(g_atomic_int_get(&gpu->n_allocations), allocations);
    assert_int_equal(g_hash_table_size(gpu->pipelines), pipelines);
}

static int open_device(void **state)
{
    *state = level_open(*state);
    return *state ? 0 : -1;
}

static int close_device(void **state)
{
    pix_device_unref(*state);
    return 0;
}

int main(void)
{
#define TEST(name, level)                                                                          \
    {                                                                                              \
#name ", " level, name, open_device, close_device, level                                   \
    }
    const struct CMUnitTest all[] = {
        TEST(test_several, "c:2"),    TEST(test_discard, "c:2"),
        TEST(test_layouts, "c:2"),    TEST(test_several, "vulkan"),
        TEST(test_discard, "vulkan"), TEST(test_layouts, "vulkan"),
        TEST(test_staging, "vulkan"), TEST(test_nothing_is_made, "vulkan"),
    };
    struct CMUnitTest tests[G_N_ELEMENTS(all)];
    size_t n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        if (has_level(all[i].initial_state))
            tests[n++] = all[i];
    return _cmocka_run_group_tests("flights", tests, n, NULL, NULL);
}
