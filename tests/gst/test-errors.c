/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What fails says so once, with the right code and in words, and no frame slips through. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common.h"

typedef struct {
    const char *model;    /* a name of a model; or "@", followed by a case of make_file() */
    const char *settings; /* as for test_harness_new() */
    const char *domain;   /* of the error: "resource", "stream", "library", "core" */
    int code;
    const char *words;    /* in the error's text; %s is the model */
    const char *pix_code; /* in the details */
} Failure;

static const Failure failures[] = {
    {"/nonexistent/x.pth", NULL, "resource", GST_RESOURCE_ERROR_NOT_FOUND, "/nonexistent/x.pth",
     "NOT_FOUND"},
    {"no-such-name", NULL, "resource", GST_RESOURCE_ERROR_NOT_FOUND, "no-such-name", "NOT_FOUND"},
    {"", NULL, "resource", GST_RESOURCE_ERROR_NOT_FOUND, "", "NOT_FOUND"},
    {"@folder", NULL, "resource", GST_RESOURCE_ERROR_OPEN_READ, "folder", "IO"},
    {"@empty", NULL, "stream", GST_STREAM_ERROR_WRONG_TYPE, "empty.safetensors", "BAD_CHECKPOINT"},
    {"@noise", NULL, "stream", GST_STREAM_ERROR_WRONG_TYPE, "noise.safetensors", "BAD_CHECKPOINT"},
    {"@cut", NULL, "stream", GST_STREAM_ERROR_WRONG_TYPE, "cut.safetensors", "BAD_CHECKPOINT"},
    {"@nan", NULL, "stream", GST_STREAM_ERROR_WRONG_TYPE, "nan.safetensors", "BAD_CHECKPOINT"},
    {"patchgan.safetensors", NULL, "stream", GST_STREAM_ERROR_WRONG_TYPE, "patchgan",
     "UNSUPPORTED"},
    {"unet_none.pth", NULL, "stream", GST_STREAM_ERROR_WRONG_TYPE, "4 channels", "UNSUPPORTED"},
    {"mm_cyclegan.pth", NULL, NULL, 0, "horse, zebra", NULL},
    {"mm_cyclegan.pth", "domain=dog", NULL, 0, "horse, zebra", NULL},
    {"resnet2.safetensors", "device=abacus", "library", GST_LIBRARY_ERROR_INIT, "abacus",
     "NO_DEVICE"},
};

static char *make_file(const char *what, const char *folder)
{
    g_autofree char *good = test_model("unet32"), *content = NULL;
    char *path = g_strdup_printf("%s/%s.safetensors", folder, what);
    gsize length = 0;

    if (g_str_equal(what, "folder")) {
        g_mkdir(path, 0755);
        return path;
    }
    if (g_str_equal(what, "noise")) {
        length = 4096;
        content = g_malloc(length);
        for (gsize i = 0; i < length; i++)
            content[i] = (char)(i * 2654435761u >> 13);
    } else if (!g_str_equal(what, "empty")) {
        fail_unless(g_file_get_contents(good, &content, &length, NULL));
        if (g_str_equal(what, "cut"))
            length /= 2;
        else
            memset(content + length - 4, 0xff, 4); /* a NaN */
    }
    fail_unless(g_file_set_contents(path, content ? content : "", length, NULL));
    return path;
}

static GQuark domain_quark(const char *name)
{
    g_autofree char *domain = g_strdup_printf("gst-%s-error-quark", name);

    return g_quark_from_string(domain);
}

static void remove_file(const char *folder, const char *path)
{
    if (path && g_str_has_prefix(path, folder))
        g_remove(path);
    g_rmdir(folder);
}

GST_START_TEST(start_fails)
{
    const Failure *failure = &failures[__i__];
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    g_autofree char *folder = g_dir_make_tmp("pix2pix-XXXXXX", NULL), *path = NULL;
    const GstStructure *details;
    GstBus *bus = gst_bus_new();
    GstMessage *message;
    GError *error;

    if (*failure->model == '@')
        path = make_file(failure->model + 1, folder);
    else
        path = strchr(failure->model, '.') && *failure->model != '/' ? test_model(failure->model)
                                                                     : g_strdup(failure->model);
    g_object_set(element, "model", path, NULL);
    if (failure->settings) {
        g_auto(GStrv) pair = g_strsplit(failure->settings, "=", 2);

        gst_util_set_object_arg(G_OBJECT(element), pair[0], pair[1]);
    }
    gst_element_set_bus(element, bus);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_FAILURE);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, &message), 1);
    gst_message_parse_error(message, &error, NULL);
    fail_unless(!failure->domain ||
                    g_error_matches(error, domain_quark(failure->domain), failure->code),
                "%s %d: %s", g_quark_to_string(error->domain), error->code, error->message);
    fail_unless(strstr(error->message, failure->words) != NULL, "%s", error->message);
    fail_unless(strchr(error->message, '\n') == NULL);
    gst_message_parse_error_details(message, &details);
    if (failure->pix_code)
        fail_unless_equals_string(gst_structure_get_string(details, "code"), failure->pix_code);
    g_error_free(error);
    gst_message_unref(message);

    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    gst_object_unref(bus);
    gst_object_unref(element);
    remove_file(folder, path);
}
GST_END_TEST;

/* After a failure, a good model makes the same element work. */
GST_START_TEST(recovery)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    g_autofree char *bad = test_model("patchgan"), *good = test_model("unet32");

    g_object_set(element, "model", bad, NULL);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_FAILURE);
    g_object_set(element, "model", good, NULL);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_SUCCESS);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_object_unref(element);
}
GST_END_TEST;

/* The environment chooses a device only where the property does not. */
GST_START_TEST(device_environment)
{
    GstElement *element = gst_element_factory_make("pix2pixfilter", NULL);
    g_autofree char *path = test_model("unet32"), *asked = g_strdup(g_getenv("PIX2PIX_DEVICE"));
    GstBus *bus = gst_bus_new();
    char *device;

    g_setenv("PIX2PIX_DEVICE", "abacus", TRUE);
    gst_element_set_bus(element, bus);
    g_object_set(element, "model", path, NULL);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY),
                           GST_STATE_CHANGE_FAILURE);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, NULL), 1);
    g_object_set(element, "device", "cpu", NULL);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_SUCCESS);
    gst_element_set_state(element, GST_STATE_NULL);
    g_object_set(element, "device", "auto", NULL);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_SUCCESS);
    g_object_get(element, "device", &device, NULL);
    fail_unless_equals_string(device, "auto");
    g_free(device);
    g_setenv("PIX2PIX_DEVICE", asked ? asked : "", TRUE);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    gst_object_unref(bus);
    gst_object_unref(element);
}
GST_END_TEST;

/* A device that stops working in the middle is an error; what went in does not come out. */
GST_START_TEST(device_lost)
{
    GstHarness *harness = test_harness_new("unet32", NULL);
    GstBus *bus = test_add_bus(harness);
    GstVideoInfo info = test_info(__i__ ? "I420" : "RGB", 32, 32);
    GstMessage *message;
    GError *error;

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    fake_engine_set_mode(FAKE_LOST);
    fail_unless_equals_int(gst_harness_push(harness, test_picture(&info, 1)), GST_FLOW_ERROR);
    fail_unless(gst_harness_try_pull(harness) == NULL);
    fail_unless_equals_int(test_count(bus, GST_MESSAGE_ERROR, &message), 1);
    gst_message_parse_error(message, &error, NULL);
    fail_unless(g_error_matches(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED));
    fail_unless(strstr(error->message, "the processor has left") != NULL);
    g_error_free(error);
    gst_message_unref(message);
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* A domain chosen is a generator found. */
GST_START_TEST(domain)
{
    GstHarness *harness = test_harness_new("mm_cyclegan.pth", __i__ ? "domain=zebra fit=native"
                                                                    : "domain=horse fit=native");
    GstVideoInfo info = test_info("RGB", 32, 32);

    fake_engine_reset();
    test_set_caps(harness, &info, NULL);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    gst_harness_teardown(harness);
}
GST_END_TEST;

/* A network that does not fit into memory: an error, and not negotiated. */
GST_START_TEST(no_memory)
{
    GstHarness *harness = test_harness_new("resnet2", "fit=native");
    GstBus *bus = test_add_bus(harness);
    GstVideoInfo info = test_info("RGB", 8192, 8192);
    struct rlimit before, limit;
    GstMessage *message;
    GstFlowReturn flow;
    GError *error;

    fake_engine_reset();
    fail_unless_equals_int(getrlimit(RLIMIT_AS, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)2 << 30;
    fail_unless_equals_int(setrlimit(RLIMIT_AS, &limit), 0);
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(&info));
    flow = gst_harness_push(harness, gst_buffer_new_allocate(NULL, 1000, NULL)); /* caps again */
    fail_unless_equals_int(setrlimit(RLIMIT_AS, &before), 0);
    fail_unless_equals_int(flow, GST_FLOW_NOT_NEGOTIATED);
    fail_unless(test_count(bus, GST_MESSAGE_ERROR, &message) > 0);
    gst_message_parse_error(message, &error, NULL);
    fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT), "%s",
                error->message);
    g_error_free(error);
    gst_message_unref(message);

    /* and at a size that fits it works again */
    info = test_info("RGB", 64, 64);
    test_set_caps(harness, &info, NULL);
    gst_buffer_unref(test_run(harness, test_picture(&info, 0)));
    test_drop_bus(harness, bus);
    gst_harness_teardown(harness);
}
GST_END_TEST;

static Suite *errors_suite(void)
{
    Suite *suite = suite_create("errors");
    TCase *tcase = tcase_create("general");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, start_fails, 0, G_N_ELEMENTS(failures));
    tcase_add_test(tcase, recovery);
    tcase_add_test(tcase, device_environment);
    tcase_add_loop_test(tcase, device_lost, 0, 2);
    tcase_add_loop_test(tcase, domain, 0, 2);
    if (!TEST_SANITIZED) /* they take all addresses there are */
        tcase_add_test(tcase, no_memory);
    return suite;
}

int main(int argc, char **argv)
{
    gst_check_init(&argc, &argv);
    return test_main(errors_suite());
}
