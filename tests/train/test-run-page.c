/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The page of a run holds what the folder holds, whatever is missing or broken in there.
 *
 *   test-run-page --make FOLDER            makes a run and its page there, for test-browser.sh to open
 *   test-run-page --make-short FOLDER N    the same with N records of wild losses and no samples
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "image-file.h"
#include "run-log.h"
#include "run-page.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SNAPSHOTS 50
#define SIDE 24

static char *folder;

/* ---- a run ---- */

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void write_text(const char *name, const char *text)
{
    g_autofree char *file = path_of(name);

    assert_true(g_file_set_contents(file, text, -1, NULL));
}

/* A ramp that begins at @first: 256 colours at most, so that the page holds it as it is. */
static void write_picture(const char *name, int first)
{
    g_autofree char *file = path_of(name);
    g_autofree char *parent = g_path_get_dirname(file);
    g_autoptr(Picture) picture = picture_new(SIDE, SIDE, 3);

    for (int i = 0; i < SIDE * SIDE * 3; i++)
        picture->data[i] = first + i / 72;
    g_mkdir_with_parents(parent, 0777);
    assert_true(picture_write_png(picture, file, NULL));
}

static void write_samples(void)
{
    for (int name = 1; name <= 10; name += 9) {
        g_autofree char *input = g_strdup_printf("samples/fixed/%d-input.png", name);
        g_autofree char *target = g_strdup_printf("samples/fixed/%d-target.png", name);
        write_picture(input, 10 + name);
        write_picture(target, 20 + name);
        for (int i = 1; i <= SNAPSHOTS; i++) {
            g_autofree char *output = g_strdup_printf("samples/%08d/%d.png", i * 100, name);
            write_picture(output, 30 + name + i);
        }
    }
}

static void write_log(void)
{
    static const char *const names[] = {"D", "G </script>", "late"};
    g_autofree char *file = path_of("log.jsonl");
    g_autoptr(RunLog) log = run_log_open(file, 0, NULL);

    run_log_note(log, 0, 1, "<b>started</b>", NULL);
    for (int i = 1; i <= 5000; i++) {
        const double losses[] = {i, i % 7 ? 1 + cos(i) : NAN, 3};
        const RunLogTrain train = {
            .step = i,
            .epoch = 1 + (i - 1) / 1000,
            .names = names,
            .losses = losses,
            .n = i > 10 ? 3 : 2,
            .learning_rate = 2e-4,
            .images_per_s = 8.125,
        };
        run_log_train(log, &train, NULL);
        if (i % 1000 == 0) {
            int epoch = i / 1000;
            const MetricsResult result = {
                .n = 2,
                .l1 = .5 - .01 * epoch,
                .psnr = 10 + epoch % 3,
                .ssim = epoch == 1 ? NAN : .25,
                .swd = 30 + fabs(epoch - 3.),
            };
            run_log_validation(log, i, epoch, &result, 1, NULL);
        }
        if (i % 100 == 0)
            run_log_samples(log, i, 1 + (i - 1) / 1000, "samples/...", NULL);
    }
}

/* Losses from 1e19 on; every second record says nothing of one of them. */
static void write_short_log(int n)
{
    static const char *const names[] = {"wild", "tame"};
    g_autofree char *file = path_of("log.jsonl");
    g_autoptr(RunLog) log = run_log_open(file, 0, NULL);

    for (int i = 1; i <= n; i++) {
        const double losses[] = {i * 1.0625e19, i % 2 ? .5 : NAN};
        const RunLogTrain train = {
            .step = 40 * i, .epoch = 1, .names = names, .losses = losses, .n = 2};
        run_log_train(log, &train, NULL);
    }
}

static void write_run(void)
{
    write_text("config.json", "{\"data\":\"/some/where/fa<cades\",\"direction\":\"BtoA\","
                              "\"net_g\":\"unet_256\",\"epochs\":3,\"epochs_decay\":2,"
                              "\"learning_rate\":0.0002,\"nothing\":null,\"a list\":[1,2],"
                              "\"flip\":true,\"init_g\":\"\",\"&\":\"\\\"<i>\"}");
    write_log();
}

/* ---- the page ---- */

static char *make_page(RunPageState state)
{
    g_autofree char *file = path_of("index.html");
    GError *error = NULL;
    char *page;

    if (!run_page_write(folder, state, &error))
        fail_msg("%s", error->message);
    assert_true(g_file_get_contents(file, &page, NULL, NULL));
    assert_true(g_utf8_validate(page, -1, NULL));
    assert_true(g_str_has_suffix(page, "</html>\n"));
    return page;
}

static int count(const char *page, const char *text)
{
    int n = 0;

    while ((page = strstr(page, text))) {
        n++;
        page += strlen(text);
    }
    return n;
}

static void assert_has(const char *page, const char *text)
{
    if (!strstr(page, text))
        fail_msg("the page does not hold: %s", text);
}

/* Returns: (transfer full): what the script is given. */
static JsonNode *parse_data(const char *page)
{
    static const char start[] = "<script type=\"application/json\" id=\"data\">";
    const char *data = strstr(page, start);
    GError *error = NULL;

    assert_non_null(data);
    data += strlen(start);
    g_autofree char *text = g_strndup(data, strstr(data, "</script>") - data);
    JsonNode *node = json_from_string(text, &error);
    if (!node)
        fail_msg("%s", error->message);
    return node;
}

static JsonArray *get_array(JsonNode *data, const char *object, const char *member)
{
    JsonObject *found = json_object_get_object_member(json_node_get_object(data), object);

    return json_object_get_array_member(found, member);
}

static JsonObject *get_curve(JsonNode *data, const char *object, guint index)
{
    return json_array_get_object_element(get_array(data, object, "curves"), index);
}

/* The first value of the picture in a data URI, which is whole and of the right size. */
static int first_value(const char *uri)
{
    static const char start[] = "data:image/png;base64,";
    gsize bytes;

    assert_true(g_str_has_prefix(uri, start));
    g_autofree char *base64 = g_strndup(uri + strlen(start), strcspn(uri + strlen(start), "\""));
    g_autofree guchar *png = g_base64_decode(base64, &bytes);
    g_autoptr(GdkPixbufLoader) loader = gdk_pixbuf_loader_new();
    assert_true(gdk_pixbuf_loader_write(loader, png, bytes, NULL));
    assert_true(gdk_pixbuf_loader_close(loader, NULL));
    const GdkPixbuf *pixbuf = gdk_pixbuf_loader_get_pixbuf(loader);
    assert_int_equal(gdk_pixbuf_get_width(pixbuf), SIDE);
    assert_int_equal(gdk_pixbuf_get_height(pixbuf), SIDE);
    return gdk_pixbuf_read_pixels(pixbuf)[0];
}

/* ---- tests ---- */

static int make_folder(void **state)
{
    folder = g_dir_make_tmp("run-page-XXXXXX", NULL);
    return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
    const char *command[] = {"rm", "-r", folder, NULL};
    gboolean removed = g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                    NULL, NULL, NULL, NULL);

    g_clear_pointer(&folder, g_free);
    return removed ? 0 : -1;
}

static void test_words(void **state)
{
    write_run();
    g_autofree char *page = make_page(RUN_PAGE_FINISHED);
    assert_has(page, ">finished</span>");
    assert_has(page, "<dt>dataset</dt><dd>fa&lt;cades</dd>");
    assert_has(page, "<dt>direction</dt><dd>BtoA</dd>");
    assert_has(page, "<dt>network</dt><dd>unet_256</dd>");
    assert_has(page, "<dt>epoch</dt><dd>5 of 5</dd>");
    assert_has(page, "<dt>step</dt><dd>5000</dd>");
    assert_has(page, "<dt>learning rate</dt><dd>0.0002</dd>");
    assert_has(page, "<dt>images/s</dt><dd>8.12</dd>");
    assert_has(page, "<dt>learning_rate</dt><dd>0.0002</dd>");
    assert_has(page, "<dt>&amp;</dt><dd>&quot;&lt;i&gt;</dd>");
    assert_has(page, "<dt>flip</dt><dd>true</dd>");
    assert_null(strstr(page, "<dt>a list</dt>"));
    assert_has(page, "<li>step 0: &lt;b&gt;started&lt;/b&gt;</li>");
    assert_has(page, "SWD <b>32</b> <small>best 30 at epoch 3; lower is better</small>");
    assert_has(page, "PSNR <b>12 dB</b> <small>best 12 at epoch 2; higher is better</small>");
}

static void test_fetches_nothing(void **state)
{
    write_run();
    write_samples();
    g_autofree char *page = make_page(RUN_PAGE_RUNNING);
    assert_int_equal(count(page, "src=\""), count(page, "src=\"data:"));
    assert_int_equal(count(page, "href="), 0);
    assert_int_equal(count(page, "http:") + count(page, "https:"), 0);
    assert_int_equal(count(page, "url("), count(page, "url(#"));
    assert_int_equal(count(page, "@import"), 0);
    /* what is in the data ends no script: one of data, one of code */
    assert_int_equal(count(page, "</script>"), 2);
}

static void test_running(void **state)
{
    write_run();
    g_autofree char *running = make_page(RUN_PAGE_RUNNING);
    assert_has(running, ">running</span>");
    assert_has(running, "<noscript><meta http-equiv=\"refresh\"");
    assert_has(running, "{\"running\":true,");
    g_autofree char *finished = make_page(RUN_PAGE_FINISHED);
    assert_null(strstr(finished, "http-equiv"));
    assert_has(finished, "{\"running\":false,");
    write_text("config.json", "{\"epochs\":6}");
    g_autofree char *stopped = make_page(RUN_PAGE_STOPPED);
    assert_has(stopped, ">stopped</span>");
}

/* At most 2000 points, each the mean of two or three. */
static void test_losses(void **state)
{
    write_run();
    g_autofree char *page = make_page(RUN_PAGE_RUNNING);
    g_autoptr(JsonNode) data = parse_data(page);
    JsonArray *steps = get_array(data, "losses", "step");
    static const char *const names[] = {"D", "G </script>", "late"};

    assert_int_equal(json_array_get_length(steps), 2000);
    assert_int_equal(json_array_get_int_element(steps, 0), 2);
    assert_int_equal(json_array_get_int_element(steps, 1999), 5000);
    for (guint i = 0; i < 3; i++) {
        JsonObject *curve = get_curve(data, "losses", i);
        assert_string_equal(json_object_get_string_member(curve, "name"), names[i]);
        assert_int_equal(json_array_get_length(json_object_get_array_member(curve, "values")),
                         2000);
    }
    JsonArray *first = json_object_get_array_member(get_curve(data, "losses", 0), "values");
    assert_true(json_array_get_double_element(first, 0) == 1.5);
    assert_true(json_array_get_double_element(first, 1) == 4);
    JsonArray *second = json_object_get_array_member(get_curve(data, "losses", 1), "values");
    /* steps 6, and 7, which has no value */
    assert_true(fabs(json_array_get_double_element(second, 2) - 1 - cos(6)) < 1e-5);
    JsonArray *late = json_object_get_array_member(get_curve(data, "losses", 2), "values");
    assert_true(json_array_get_null_element(late, 3));
    assert_true(json_array_get_double_element(late, 5) == 3);
}

static void test_validation(void **state)
{
    write_run();
    g_autofree char *page = make_page(RUN_PAGE_RUNNING);
    g_autoptr(JsonNode) data = parse_data(page);
    static const int best[] = {2, 1, 4, 1}; /* SWD, SSIM: the first of equals, L1, PSNR */

    assert_int_equal(json_array_get_length(get_array(data, "validation", "step")), 5);
    for (guint i = 0; i < 4; i++) {
        JsonObject *curve = get_curve(data, "validation", i);
        g_autofree char *box =
            g_strdup_printf("id=\"validation-%s\"", json_object_get_string_member(curve, "name"));
        assert_int_equal(json_object_get_int_member(curve, "best"), best[i]);
        assert_has(page, box);
    }
}

/* 40 of the 50 steps; the newest is in the sheet, with inputs and targets. */
static void test_samples(void **state)
{
    write_run();
    write_samples();
    g_autofree char *page = make_page(RUN_PAGE_RUNNING);
    g_autoptr(JsonNode) data = parse_data(page);
    JsonArray *steps = get_array(data, "samples", "steps");
    JsonArray *epochs = get_array(data, "samples", "epochs");
    JsonArray *pictures = get_array(data, "samples", "pictures");
    const char *image = page;
    static const int sheet[] = {11, 31 + SNAPSHOTS, 21, 20, 40 + SNAPSHOTS, 30};

    assert_int_equal(json_array_get_length(steps), 40);
    assert_int_equal(json_array_get_length(pictures), 39);
    assert_int_equal(json_array_get_int_element(steps, 0), 100);
    assert_int_equal(json_array_get_int_element(steps, 39), 5000);
    assert_int_equal(json_array_get_int_element(epochs, 39), 5);
    for (guint i = 0; i < 39; i++) {
        int step = json_array_get_int_element(steps, i);
        int gap = json_array_get_int_element(steps, i + 1) - step;
        JsonArray *row = json_array_get_array_element(pictures, i);
        assert_true(gap == 100 || gap == 200);
        assert_int_equal(json_array_get_length(row), 2);
        assert_int_equal(first_value(json_array_get_string_element(row, 0)), 31 + step / 100);
        assert_int_equal(first_value(json_array_get_string_element(row, 1)), 40 + step / 100);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(sheet); i++) {
        image = strstr(image, " src=\"") + strlen(" src=\"");
        assert_int_equal(first_value(image), sheet[i]);
    }
    assert_null(strstr(image, " src=\""));
}

static void test_nothing_there(void **state)
{
    g_autofree char *page = make_page(RUN_PAGE_FINISHED);
    g_autoptr(JsonNode) data = parse_data(page);

    assert_has(page, ">finished</span>");
    assert_int_equal(json_array_get_length(get_array(data, "samples", "steps")), 0);
    assert_int_equal(json_array_get_length(get_array(data, "losses", "step")), 0);
    assert_null(strstr(page, "<img"));
    assert_null(strstr(page, "<h2>"));
}

static void test_no_figures_yet(void **state)
{
    write_text("config.json", "{\"log_steps\":20}");
    g_autofree char *running = make_page(RUN_PAGE_RUNNING);
    assert_has(running, "nothing to show yet: the first figures come after 20 steps");
    g_autofree char *stopped = make_page(RUN_PAGE_STOPPED);
    assert_null(strstr(stopped, "nothing to show yet"));
    write_short_log(1);
    g_autofree char *logged = make_page(RUN_PAGE_RUNNING);
    assert_null(strstr(logged, "nothing to show yet"));
}

/* A state may be newer than the last record; what is no state is none. */
static void test_saved_step(void **state)
{
    g_autofree char *states = path_of("states");

    write_short_log(1);
    g_mkdir(states, 0777);
    write_text("states/state-00000043.safetensors", "");
    write_text("states/state-00000020.safetensors", "");
    write_text("states/state-00000099.safetensors.broken", "");
    g_autofree char *page = make_page(RUN_PAGE_STOPPED);
    assert_has(page, "<dt>step</dt><dd>43</dd>");
}

/* The script is told of no snapshots that have no place on the page. */
static void test_outputs_alone(void **state)
{
    write_picture("samples/00000100/a.png", 4);
    g_autofree char *page = make_page(RUN_PAGE_FINISHED);
    g_autoptr(JsonNode) data = parse_data(page);

    assert_int_equal(json_array_get_length(get_array(data, "samples", "steps")), 0);
    assert_null(strstr(page, "<img"));
}

static void test_broken(void **state)
{
    g_autofree char *log = path_of("log.jsonl"), *short_png = path_of("samples/00000100/b.png");

    write_text("config.json", "[1, 2");
    g_mkdir(log, 0777);
    write_picture("samples/fixed/a-input.png", 1); /* no target */
    write_picture("samples/fixed/b-input.png", 2);
    write_picture("samples/fixed/b-target.png", 3);
    write_picture("samples/00000100/a.png", 4);
    write_picture("samples/00000100/b.png", 5);
    assert_int_equal(truncate(short_png, 60), 0);
    write_picture("samples/00000200/b.png", 6); /* no a.png */
    write_text("samples/00000300", "no folder");
    write_picture("samples/123/a.png", 7); /* no step: too short */
    g_autofree char *page = make_page(RUN_PAGE_FINISHED);
    g_autoptr(JsonNode) data = parse_data(page);
    JsonArray *row = json_array_get_array_element(get_array(data, "samples", "pictures"), 0);
    assert_int_equal(json_array_get_length(get_array(data, "samples", "steps")), 3);
    assert_int_equal(first_value(json_array_get_string_element(row, 0)), 4);
    assert_true(json_array_get_null_element(row, 1));
    assert_int_equal(count(page, "<figure"), 5);
    assert_int_equal(count(page, "class=\"none\""), 2);

    g_rmdir(log);
    write_text("log.jsonl", "{\"type\":\"train\",\"step\":1,\"epoch\":1,\"losses\":3}\n"
                            "{\"type\":\"train\",\"step\":2,\"epoch\":1,\"losses\":{\"a\":[],"
                            "\"b\":\"x\",\"c\":1}}\n"
                            "{\"type\":\"note\",\"step\":3,\"epoch\":1,\"text\":[]}\n"
                            "{\"type\":\"validation\",\"step\":4,\"epoch\":1,\"SWD\":null}\n"
                            "{\"type\":\"else\",\"step\":5,\"epoch\":1}\n{\"type\":");
    write_text("config.json", "{\"data\":{\"deep\":1},\"epochs\":\"many\",\"net_g\":[]}");
    g_autofree char *other = make_page(RUN_PAGE_FINISHED);
    g_autoptr(JsonNode) other_data = parse_data(other);
    assert_has(other, "<dt>step</dt><dd>5</dd>");
    assert_int_equal(json_array_get_length(get_array(other_data, "losses", "step")), 1);
}

/* Pictures that hardly compress: the page leaves snapshots out until it fits. */
static void test_size(void **state)
{
    g_autoptr(Picture) noise = picture_new(512, 512, 3);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    g_autofree char *input = path_of("samples/fixed/a-input.png");
    g_autofree char *output = path_of("samples/00000001/a.png");

    write_picture("samples/fixed/a-input.png", 0);
    write_picture("samples/00000001/a.png", 0);
    for (int i = 0; i < 512 * 512 * 3; i++)
        noise->data[i] = g_rand_int(random);
    assert_true(picture_write_png(noise, input, NULL) && picture_write_png(noise, output, NULL));
    for (int i = 1; i < 6; i++) {
        g_autofree char *name = g_strdup_printf("samples/fixed/a%d-input.png", i);
        g_autofree char *file = path_of(name);
        g_autofree char *other =
            g_strdup_printf("%.*s/a%d.png", (int)strlen(output) - 6, output, i);
        assert_int_equal(symlink("a-input.png", file), 0);
        assert_int_equal(symlink("a.png", other), 0);
    }
    for (int i = 2; i < 40; i++) {
        g_autofree char *name = g_strdup_printf("samples/%08d", i);
        g_autofree char *file = path_of(name);
        assert_int_equal(symlink("00000001", file), 0);
    }
    g_autofree char *page = make_page(RUN_PAGE_FINISHED);
    g_autoptr(JsonNode) data = parse_data(page);
    guint steps = json_array_get_length(get_array(data, "samples", "steps"));
    if (strlen(page) > 21 << 20 || strlen(page) < 17 << 20)
        fail_msg("%d bytes for %d snapshots", (int)strlen(page), (int)steps);
    assert_int_equal(json_array_get_int_element(get_array(data, "samples", "steps"), steps - 1),
                     39);
}

static void test_cannot_be_written(void **state)
{
    g_autofree char *file = path_of("index.html"), *nowhere = path_of("none");
    g_autoptr(GError) error = NULL;

    g_mkdir(file, 0777);
    assert_false(run_page_write(folder, RUN_PAGE_FINISHED, &error));
    assert_non_null(strstr(error->message, "index.html: cannot be written"));
    g_clear_error(&error);
    assert_false(run_page_write(nowhere, RUN_PAGE_FINISHED, &error));
    assert_non_null(strstr(error->message, "none/index.html: cannot be written"));
}

#define page_test(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        page_test(test_words),
        page_test(test_fetches_nothing),
        page_test(test_running),
        page_test(test_losses),
        page_test(test_validation),
        page_test(test_samples),
        page_test(test_nothing_there),
        page_test(test_outputs_alone),
        page_test(test_broken),
        page_test(test_size),
        page_test(test_no_figures_yet),
        page_test(test_saved_step),
        page_test(test_cannot_be_written),
    };

    if (argc == 3 && !strcmp(argv[1], "--make")) {
        folder = argv[2];
        write_run();
        write_samples();
        g_free(make_page(RUN_PAGE_FINISHED));
        return 0;
    }
    if (argc == 4 && !strcmp(argv[1], "--make-short")) {
        folder = argv[2];
        write_short_log(atoi(argv[3]));
        g_free(make_page(RUN_PAGE_RUNNING));
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
