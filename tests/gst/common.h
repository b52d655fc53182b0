/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the tests of the element share. */
#ifndef COMMON_H
#define COMMON_H

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "fake-engine.h"

/** test_on_gpu: Whether the tests are run on one. */
gboolean test_on_gpu(void);

/** test_has_vulkan: Whether there is a device for tests that need one, or should be. */
gboolean test_has_vulkan(void);

/** test_model: Returns: (transfer full): the path of one of tests/golden/models; without an ending
 * it is a .safetensors. */
char *test_model(const char *name);

/**
 * test_harness_new:
 * The element with a small model in a harness; frames come out as soon as they have gone in.
 * @model: of tests/golden/models.  @settings: (nullable): more, as "fit=native strength=0.5".
 */
GstHarness *test_harness_new(const char *model, const char *settings);

/** test_info: @format: "I420". Progressive, 30 frames a second, square pixels. */
GstVideoInfo test_info(const char *format, int width, int height);
/** test_set_caps: What goes in; what may come out where @out is given. */
void test_set_caps(GstHarness *harness, const GstVideoInfo *in, const GstVideoInfo *out);
GstVideoInfo test_out_info(GstHarness *harness);

/** test_picture: Smooth colours over the whole frame; @phase shifts them. Alpha is a ramp. */
GstBuffer *test_picture(const GstVideoInfo *info, int phase);
/** test_convert: (transfer full): the same picture in another format and size. */
GstBuffer *test_convert(GstBuffer *buffer, const GstVideoInfo *from, const GstVideoInfo *to);
/** test_inverted: What FAKE_INVERT makes of an RGB picture. */
GstBuffer *test_inverted(GstBuffer *buffer, const GstVideoInfo *info);

/** test_difference: Mean and largest difference of the bytes that the caps describe. */
double test_difference(GstBuffer *a, GstBuffer *b, const GstVideoInfo *info, int *largest);
/** test_same: Whether the described bytes are equal. */
gboolean test_same(GstBuffer *a, GstBuffer *b, const GstVideoInfo *info);

/** test_formats: Returns: (transfer full): the names in the pad template. */
char **test_formats(void);

/** test_run: Pushes one picture and pulls its translation; takes @buffer. */
GstBuffer *test_run(GstHarness *harness, GstBuffer *buffer);

/** test_stats_string: (transfer full): what the element's statistics say. @field: "device". */
char *test_stats_string(GstElement *element, const char *field);

/** test_count: Messages of @type on the harness's bus by now, taken from it. @last: (out)
 * (optional) (transfer full): the last of them. */
guint test_count(GstBus *bus, GstMessageType type, GstMessage **last);
/** test_add_bus: A bus for the harness's element, until test_drop_bus(). */
GstBus *test_add_bus(GstHarness *harness);
/** test_drop_bus: Messages hold the element that holds the bus that holds the messages. */
void test_drop_bus(GstHarness *harness, GstBus *bus);

/** test_prepare_listening: Before gst_check_init(), for programs that use the next. */
void test_prepare_listening(void);
/** test_listen: Has @function see the warnings of the element's debug category. */
void test_listen(GstLogFunction function);
void test_listen_no_more(GstLogFunction function);

/** TEST_SANITIZED: Memory is not given back when it is freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SANITIZED 1
#else
#define TEST_SANITIZED 0
#endif

/** test_allocator_new: Memory that is filled with @byte when it is allocated. */
GstAllocator *test_allocator_new(guint8 byte);

/** test_main: Runs the suite; with CK_FORK=no everything is freed in the end. */
int test_main(Suite *suite);

#endif
