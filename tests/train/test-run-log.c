/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The log of a run: what is written is read back, a run that goes on drops what lies behind it, and
 * what was cut short or cannot be written harms nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "run-log.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static char *folder, *file;

static int make_folder(void **state)
{
    folder = g_dir_make_tmp("run-log-XXXXXX", NULL);
    file = g_build_filename(folder, "log.jsonl", NULL);
    return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
    g_unlink(file);
    int failed = g_rmdir(folder); /* also if a temporary file was left */
    g_free(folder);
    g_free(file);
    return failed;
}

static RunLog *open_log(guint64 step)
{
    GError *error = NULL;
    RunLog *log = run_log_open(file, step, &error);

    assert_null(error);
    assert_non_null(log);
    return log;
}

static char *read_all(void)
{
    char *text;

    assert_true(g_file_get_contents(file, &text, NULL, NULL));
    return text;
}

static void write_all(const char *text)
{
    assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void assert_content(const char *wanted)
{
    g_autofree char *text = read_all();

    assert_string_equal(text, wanted);
}

static gboolean add_step(RunLog *log, guint64 step, GError **error)
{
    static const char *const names[] = {"D_fake", "cycle \"A\""};
    const double losses[] = {0.6123456789, NAN};
    const RunLogTrain train = {
        .step = step,
        .epoch = 1,
        .images = step * 4,
        .names = names,
        .losses = losses,
        .n = 2,
        .learning_rate = 2e-4,
        .images_per_s = 8.25,
        .step_ms = 120,
        .data_wait_ms = 1e-9,
    };
    return run_log_train(log, &train, error);
}

static void test_records(void **state)
{
    static const MetricsResult result = {
        .n = 100,
        .l1 = 0.28,
        .psnr = 15.5,
        .ssim = 0.223,
        .swd = 21.5,
        .swd_levels = {20, 23},
        .n_levels = 2,
    };
    g_autoptr(RunLog) log = open_log(0);

    assert_true(add_step(log, G_GUINT64_CONSTANT(5000000000), NULL));
    assert_true(run_log_validation(log, 400, 2, &result, 4.125, NULL));
    assert_true(run_log_samples(log, 400, 2, "samples/00000400", NULL));
    assert_true(run_log_note(log, 401, 3, "two\nlines, \xff", NULL));
    assert_content("{\"type\":\"train\",\"step\":5000000000,\"epoch\":1,\"images\":20000000000,"
                   "\"losses\":{\"D_fake\":0.612345679,\"cycle \\\"A\\\"\":null},"
                   "\"learning_rate\":0.0002,\"images_per_s\":8.25,\"step_ms\":120,"
                   "\"data_wait_ms\":1e-09}\n"
                   "{\"type\":\"validation\",\"step\":400,\"epoch\":2,\"L1\":0.28,\"PSNR\":15.5,"
                   "\"SSIM\":0.223,\"SWD\":21.5,\"SWD_levels\":[20,23],\"n\":100,"
                   "\"seconds\":4.125}\n"
                   "{\"type\":\"samples\",\"step\":400,\"epoch\":2,"
                   "\"folder\":\"samples/00000400\"}\n"
                   "{\"type\":\"note\",\"step\":401,\"epoch\":3,"
                   "\"text\":\"two\\nlines, \xef\xbf\xbd\"}\n");
}

static void test_reading(void **state)
{
    g_autoptr(RunLog) log = open_log(0);

    add_step(log, 100, NULL);
    run_log_note(log, 101, 1, "note", NULL);
    g_autoptr(GPtrArray) records = run_log_read(file, NULL);
    assert_int_equal(records->len, 2);
    JsonObject *losses = json_object_get_object_member(records->pdata[0], "losses");
    assert_true(json_object_get_double_member(losses, "D_fake") == 0.612345679);
    assert_true(json_object_get_null_member(losses, "cycle \"A\""));
    assert_string_equal(json_object_get_string_member(records->pdata[1], "text"), "note");
}

static void test_going_on(void **state)
{
    RunLog *log = open_log(0);

    for (guint64 step = 100; step <= 400; step += 100)
        add_step(log, step, NULL);
    run_log_note(log, 250, 1, "late", NULL);
    run_log_close(log);
    log = open_log(250);
    run_log_note(log, 260, 1, "again", NULL);
    run_log_close(log);
    g_autoptr(GPtrArray) records = run_log_read(file, NULL);
    const int wanted[] = {100, 200, 250, 260};
    assert_int_equal(records->len, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < records->len; i++)
        assert_int_equal(json_object_get_int_member(records->pdata[i], "step"), wanted[i]);
    run_log_close(open_log(0));
    assert_content("");
}

/* Opened at the step that it has reached, a log stays the file that it is. */
static void test_untouched(void **state)
{
    GStatBuf before, after;
    RunLog *log = open_log(0);

    add_step(log, 100, NULL);
    run_log_close(log);
    assert_int_equal(g_stat(file, &before), 0);
    run_log_close(open_log(100));
    assert_int_equal(g_stat(file, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
}

#define GOOD "{\"type\":\"note\",\"step\":1,\"epoch\":1,\"text\":\"good\"}\n"

/* What is no record is dropped: cut short, empty, other JSON, none. */
static void test_broken_lines(void **state)
{
    static const char *const broken[] = {"{\"type\":\"note\",\"step\":1,\"epo", "\n", "[1]\n",
                                         "{\"step\":1}\n", "1 2 3\n",
                                         "{\"type\":\"note\",\"step\":\"1\",\"epoch\":1}\n",
                                         "{\"type\":\"note\",\"step\":1,\"epoch\":[]}\n",
                                         "{\"type\":{},\"step\":1,\"epoch\":1}\n", "\x01\xff\n",
                                         /* negative: no step that a run can have reached */
                                         "{\"type\":\"note\",\"step\":-1,\"epoch\":1}\n"};

    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autofree char *text = g_strconcat(GOOD, broken[i], NULL);
        write_all(text);
        run_log_close(open_log(10));
        assert_content(GOOD);
    }
    write_all("{\"type\":\"note\",\"step\":1,\"epoch\":1,\"text\":\"good\"}");
    run_log_close(open_log(10));
    assert_content(GOOD);
    assert_true(g_file_set_contents(file, GOOD "\0\0\0\0\n" GOOD, 2 * strlen(GOOD) + 5, NULL));
    run_log_close(open_log(10));
    assert_content(GOOD GOOD);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* The disk is full in the middle of the second record, and has room again for the fourth. */
static void test_full_disk(void **state)
{
    g_autoptr(RunLog) log = open_log(0);
    g_autoptr(GError) error = NULL;

    signal(SIGXFSZ, SIG_IGN);
    assert_true(run_log_note(log, 1, 1, "good", NULL));
    limit_files(strlen(GOOD) + 20);
    gboolean second = run_log_note(log, 2, 1, "lost", &error);
    gboolean third = run_log_note(log, 3, 1, "lost", NULL);
    limit_files(RLIM_INFINITY);
    assert_false(second);
    assert_non_null(strstr(error->message, "log.jsonl: cannot be written"));
    assert_true(third); /* told already */
    assert_true(run_log_note(log, 4, 1, "good again", NULL));
    g_autoptr(GPtrArray) records = run_log_read(file, NULL);
    assert_int_equal(records->len, 2);
    assert_int_equal(json_object_get_int_member(records->pdata[1], "step"), 4);
}

static void test_no_log(void **state)
{
    g_autofree char *none = g_build_filename(folder, "none", "log.jsonl", NULL);
    g_autoptr(GError) error = NULL;

    assert_null(run_log_open(none, 0, &error));
    assert_non_null(strstr(error->message, "none/log.jsonl: cannot be written"));
    g_clear_error(&error);
    assert_null(run_log_open(folder, 0, &error));
    assert_non_null(strstr(error->message, "cannot be written"));
    g_clear_error(&error);
    assert_null(run_log_read(none, &error));
    assert_non_null(strstr(error->message, "cannot be read"));
}

#define run_log_test(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        run_log_test(test_records),   run_log_test(test_reading),      run_log_test(test_going_on),
        run_log_test(test_untouched), run_log_test(test_broken_lines), run_log_test(test_full_disk),
        run_log_test(test_no_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
