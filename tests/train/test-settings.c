/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Settings: from text and back, config.json, what may change when a run is resumed; and the counters
 * that a state file holds. */
#include "settings.h"
#include "train-state.h"

#include <glib/gstdio.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "settings-table.h"

static char *config; /* the path of a file that tests may write */

static void refuses(const char *name, const char *value, const char *text)
{
    g_auto(Settings) settings = {0};
    g_autoptr(GError) error = NULL;

    settings_init(&settings);
    assert_false(settings_set(&settings, name, "--option", value, &error));
    assert_true(g_str_has_prefix(error->message, "--option takes "));
    assert_non_null(strstr(error->message, text));
    assert_false(settings_is_given(&settings, name));
}

static void test_ranges(void **state)
{
    refuses("batch_size", "0", "from 1 to 4096, not '0'");
    refuses("batch_size", "4097", "from 1 to 4096, not '4097'");
    refuses("batch_size", "two", "not 'two'");
    refuses("batch_size", "1.5", "not '1.5'");
    refuses("batch_size", "", "not ''");
    refuses("learning_rate", "-1", "from 0 to");
    refuses("learning_rate", "nan", "not 'nan'");
    refuses("learning_rate", "inf", "not 'inf'");
    refuses("learning_rate", "1e-3x", "not '1e-3x'");
    refuses("beta1", "1", "from 0 to 0.999999");
    refuses("gan_mode", "best", "vanilla, lsgan, hinge, wgangp, not 'best'");
    refuses("gan_mode", "", "not ''");
    refuses("crop_size", "0", "from 1 to 16384");
    refuses("crop_size", "256x", "not '256x'");
    refuses("crop_size", "1x2x3", "not '1x2x3'");
    refuses("flip", "maybe", "true or false");
}

/* Every setting is what it was after config.json, whatever its type. */
static void test_round_trip(void **state)
{
    static const char *const values[][2] = {
        {"data", "/some where/\u00e4\"\\\n"},
        {"direction", "BtoA"},
        {"load_size", "300x200"},
        {"crop_size", "64"},
        {"learning_rate", "1e-05"},
        {"beta2", "0.3333333333333333"},
        {"flip", "false"},
        {"seed", "8999999999999999"},
        {"net_d", "pixel"},
        {"save_epochs", "-1"},
        {"device", "cpu"},
        {"lambda_gp", "1e30"},
        {"clip_norm", "2.5e-7"},
        {"dropout", "true"},
    };
    g_auto(Settings) written = {0}, read = {0};

    settings_init(&written);
    settings_init(&read);
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        assert_true(settings_set(&written, values[i][0], NULL, values[i][1], NULL));
    assert_true(settings_write(&written, config, NULL));
    assert_true(settings_read(&read, config, NULL));
    for (guint i = 0; i < settings_n_rows; i++) {
        g_autofree char *before = settings_print(&written, settings_table[i].name);
        g_autofree char *after = settings_print(&read, settings_table[i].name);
        assert_string_equal(before, after);
        assert_false(settings_is_given(&read, settings_table[i].name));
    }
    assert_int_equal(read.direction, 1);
    assert_int_equal(read.load_size.height, 200);
    assert_true(read.learning_rate == 1e-5);
}

/* config.json in the same order with the same bytes. */
static void test_stable(void **state)
{
    g_auto(Settings) settings = {0};
    g_autofree char *first = NULL, *second = NULL;

    settings_init(&settings);
    assert_true(settings_write(&settings, config, NULL));
    assert_true(g_file_get_contents(config, &first, NULL, NULL));
    assert_true(settings_read(&settings, config, NULL));
    assert_true(settings_write(&settings, config, NULL));
    assert_true(g_file_get_contents(config, &second, NULL, NULL));
    assert_string_equal(first, second);
}

static void unreadable(const char *from, const char *to, const char *said)
{
    g_auto(Settings) settings = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    settings_init(&settings);
    assert_true(settings_write(&settings, config, NULL));
    assert_true(g_file_get_contents(config, &text, NULL, NULL));
    assert_non_null(strstr(text, from));
    g_auto(GStrv) pieces = g_strsplit(text, from, 2);
    g_autofree char *edited = g_strconcat(pieces[0], to, pieces[1], NULL);
    assert_true(g_file_set_contents(config, edited, -1, NULL));
    assert_false(settings_read(&settings, config, &error));
    assert_true(g_str_has_prefix(error->message, config));
    assert_non_null(strstr(error->message, said));
    assert_null(strchr(error->message, '\n'));
}

static void test_broken_config(void **state)
{
    g_auto(Settings) settings = {0};
    g_autoptr(GError) error = NULL;

    unreadable("\"ngf\"", "\"ngg\"", "'ngg'");
    unreadable("\"batch_size\" : 1", "\"batch_size\" : 0", "batch_size takes");
    unreadable("\"batch_size\" : 1", "\"batch_size\" : [1]", "'batch_size'");
    unreadable("\"vanilla\"", "\"chocolate\"", "gan_mode takes");
    unreadable("}", "", config);
    settings_init(&settings);
    assert_true(g_file_set_contents(config, "[1, 2]", -1, NULL));
    assert_false(settings_read(&settings, config, &error));
}

static void test_compare(void **state)
{
    g_auto(Settings) run = {0}, asked = {0};

    settings_init(&run);
    settings_init(&asked);
    settings_set(&run, "ngf", NULL, "32", NULL);
    assert_null(settings_compare(&run, &asked)); /* a default asks for nothing */
    settings_set(&asked, "threads", NULL, "7", NULL);
    settings_set(&asked, "ngf", NULL, "32", NULL);
    assert_null(settings_compare(&run, &asked));
    settings_set(&asked, "ngf", NULL, "64", NULL);
    settings_set(&asked, "learning_rate", NULL, "0.001", NULL);
    g_autofree char *difference = settings_compare(&run, &asked);
    assert_string_equal(difference, "ngf: the run has 32, the command line says 64; learning_rate: "
                                    "the run has 0.0002, the command line says 0.001");
    settings_take(&run, &asked);
    assert_null(settings_compare(&run, &asked));
    assert_int_equal(run.threads, 7);
    assert_int_equal(run.ngf, 64);
    assert_int_equal(run.ndf, 64);
}

/* The hash sees what changes a run's numbers and nothing else. */
static void test_hash(void **state)
{
    g_auto(Settings) settings = {0};

    settings_init(&settings);
    g_autofree char *before = settings_hash(&settings);
    settings_set(&settings, "threads", NULL, "3", NULL);
    g_autofree char *free_one = settings_hash(&settings);
    settings_set(&settings, "lambda_l1", NULL, "99", NULL);
    g_autofree char *other = settings_hash(&settings);
    assert_string_equal(before, free_one);
    assert_string_not_equal(before, other);
}

static void finishes(const char *values, const char *text)
{
    g_auto(Settings) settings = {0};
    g_auto(GStrv) words = g_strsplit(values, " ", -1);
    g_autoptr(GError) error = NULL;

    settings_init(&settings);
    for (char **word = words; *word && **word; word += 2)
        assert_true(settings_set(&settings, word[0], NULL, word[1], NULL));
    assert_int_equal(settings_finish(&settings, &error), text == NULL);
    if (text)
        assert_non_null(strstr(error->message, text));
}

static void test_finish(void **state)
{
    finishes("data /d", NULL);
    finishes("a /a b /b val_a /c val_b /d", NULL);
    finishes("", "DATASET");
    finishes("a /a", "--a DIR and --b DIR");
    finishes("data /d a /a b /b", "either DATASET or");
    finishes("a /a b /b val_a /c", "--val-a and --val-b");
    finishes("data /d input_nc 2", "1, 3 or 4 channels");
    finishes("data /d load_size 200", "--load-size 200x200 is smaller than --crop-size 256x256");
    finishes("data /d load_size 200 preprocess none", NULL);
    finishes("data /d epochs 0 epochs_decay 0", "nothing to do");
    finishes("data /d epochs 3 epochs_decay 3 start_epoch 7", "behind the last one, 6");
    finishes("data /d lambda_gan 0 lambda_l1 0", "nothing to learn");
    finishes("data /d net_d none lambda_l1 0", "nothing to learn");
    finishes("data /d n_layers_d 4", NULL);
    finishes("data /d n_layers_d 4 net_d pixel", "--net-d n_layers");
    finishes("data /d init_d /x net_d none", "--init-d without");
    finishes("data /d lambda_gp 1", "--gan-mode wgangp");
    finishes("data /d lambda_gp 1 gan_mode wgangp", NULL);
}

static void test_load_size(void **state)
{
    g_auto(Settings) settings = {0};

    settings_init(&settings);
    settings_set(&settings, "data", NULL, "/d", NULL);
    settings_set(&settings, "crop_size", NULL, "512x256", NULL);
    assert_true(settings_finish(&settings, NULL));
    assert_int_equal(settings.load_size.width, 572);
    assert_int_equal(settings.load_size.height, 286);
}

/* Samples in the folder of a run move with it, those elsewhere stay. */
static void moves(const char *samples, const char *moved)
{
    g_auto(Settings) settings = {0};

    settings_init(&settings);
    settings_set(&settings, "output", NULL, "/old/run", NULL);
    settings_set(&settings, "samples_dir", NULL, samples, NULL);
    settings_move(&settings, "/new/place");
    assert_string_equal(settings.output, "/new/place");
    if (moved)
        assert_string_equal(settings.samples_dir, moved);
    else
        assert_null(settings.samples_dir);
}

static void test_move(void **state)
{
    moves("", NULL);
    moves("/old/run", "/new/place");
    moves("/old/run/a/b", "/new/place/a/b");
    moves("/old/runs/a", "/old/runs/a");
    moves("/elsewhere", "/elsewhere");
}

/* ---- the state of a run ---- */

static void fill_state(TrainState *state)
{
    train_state_init(state);
    state->kind = g_strdup("pix2pix");
    state->settings = g_strdup("abc");
    state->dataset = g_strdup("def");
    state->pairs = 400;
    state->seed = G_MAXUINT64;
    state->step = 1234567890123;
    state->epoch = 12;
    state->batch = 34;
    state->batches = 400;
    state->plateau = (SchedulePlateau){TRUE, 1.0 / 3, 4, 2};
    state->best_metric = g_strdup("swd");
    state->losses = g_strdup("D_fake G_L1");
    state->summed = 7;
    state->sums[0] = 0.1;
    state->sums[1] = -1e300 / 3;
}

static void test_state_round_trip(void **state)
{
    g_auto(TrainState) before = {0}, after = {0};

    fill_state(&before);
    g_autoptr(GHashTable) metadata = train_state_write(&before);
    assert_true(train_state_read(&after, metadata, "file", NULL));
    assert_string_equal(after.kind, "pix2pix");
    assert_string_equal(after.losses, "D_fake G_L1");
    assert_true(after.seed == before.seed && after.step == before.step);
    assert_true(after.plateau.begun && after.plateau.best == 1.0 / 3);
    assert_int_equal(after.plateau.bad, 4);
    assert_int_equal(after.plateau.reductions, 2);
    assert_true(isnan(after.best));
    assert_memory_equal(after.sums, before.sums, sizeof(before.sums));
    g_autoptr(GHashTable) again = train_state_write(&after);
    assert_int_equal(g_hash_table_size(again), g_hash_table_size(metadata));
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, metadata);
    while (g_hash_table_iter_next(&iter, &key, &value))
        assert_string_equal(value, g_hash_table_lookup(again, key));
}

/* Without any one of its fields a state is an error that names it, never a default. */
static void test_state_missing_fields(void **state)
{
    g_auto(TrainState) before = {0}, after = {0};

    fill_state(&before);
    g_autoptr(GHashTable) metadata = train_state_write(&before);
    g_autoptr(GList) keys = g_hash_table_get_keys(metadata);
    for (GList *at = keys; at; at = at->next) {
        g_autoptr(GHashTable) less = train_state_write(&before);
        g_autoptr(GError) error = NULL;
        g_autofree char *quoted = g_strdup_printf("'%s'", (char *)at->data);
        g_hash_table_remove(less, at->data);
        assert_false(train_state_read(&after, less, "the-file", &error));
        assert_non_null(strstr(error->message, quoted));
        assert_true(g_str_has_prefix(error->message, "the-file: "));
    }
    g_hash_table_insert(metadata, g_strdup("step"), g_strdup("many"));
    assert_false(train_state_read(&after, metadata, "the-file", NULL));
}

/* Whole files may hold what would end the program behind them. */
static void test_state_nonsense(void **state)
{
    static const char *const cases[][2] = {
        {"epoch", "0"},
        {"epoch", "4294967296"},
        {"batch", "400"},
        {"batches", "0"},
        {"batches", "401"},
        {"pairs", "0"},
        {"pairs", "4294967297"},
        {"step", "0"},
        {"step", "18446744073709551615"},
        {"plateau.reductions", "18446744073709551615"},
        {"plateau.bad", "1234567890124"},
        {"best_step", "1234567890124"},
        {"validated", "1234567890124"},
        {"sampled", "1234567890124"},
        {"summed", "1234567890124"},
    };
    g_auto(TrainState) before = {0}, after = {0};

    fill_state(&before);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GHashTable) metadata = train_state_write(&before);
        g_autoptr(GError) error = NULL;
        g_autofree char *wanted = g_strdup_printf("the-file: its field '%s' makes no sense: '%s'",
                                                  cases[i][0], cases[i][1]);
        g_hash_table_insert(metadata, g_strdup(cases[i][0]), g_strdup(cases[i][1]));
        assert_false(train_state_read(&after, metadata, "the-file", &error));
        assert_string_equal(error->message, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_stable),
        cmocka_unit_test(test_broken_config),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_finish),
        cmocka_unit_test(test_load_size),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_state_round_trip),
        cmocka_unit_test(test_state_missing_fields),
        cmocka_unit_test(test_state_nonsense),
    };
    g_autofree char *folder = g_dir_make_tmp("pix2pix-settings-XXXXXX", NULL);

    config = g_build_filename(folder, "config.json", NULL);
    int failed = cmocka_run_group_tests_name("settings", tests, NULL, NULL);
    g_unlink(config);
    g_rmdir(folder);
    g_free(config);
    return failed;
}
