/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The command line of pix2pix train: what the options of other implementations mean. */
#include "settings.h"
#include "strangers.h"
#include "train-asked.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* @line: options and their values with spaces between. */
static gboolean parse(TrainAsked *asked, const char *line, GError **error)
{
    g_autofree char *all = g_strconcat("train ", line, NULL);
    g_auto(GStrv) words = g_strsplit(all, " ", -1);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    train_asked_init(asked);
    g_autofree GOptionEntry *entries = train_asked_entries(asked);
    g_autofree GOptionGroup **groups = settings_option_groups(&asked->settings);
    for (int i = 0; groups[i]; i++)
        g_option_context_add_group(context, groups[i]);
    g_option_context_add_main_entries(context, entries, NULL);
    settings_spell(g_strv_length(words), words);
    return g_option_context_parse_strv(context, &words, error) && train_asked_finish(asked, error);
}

/* Fails where @name is not @value after @line. */
static void means(const char *line, const char *name, const char *value)
{
    g_auto(TrainAsked) asked;
    g_autoptr(GError) error = NULL;

    if (!parse(&asked, line, &error))
        fail_msg("%s: %s", line, error->message);
    g_autofree char *found = settings_print(&asked.settings, name);
    assert_string_equal(found, value);
    assert_true(settings_is_given(&asked.settings, name));
}

static void refuses(const char *line, const char *text)
{
    g_auto(TrainAsked) asked;
    g_autoptr(GError) error = NULL;

    assert_false(parse(&asked, line, &error));
    if (!strstr(error->message, text))
        fail_msg("%s: %s", line, error->message);
    assert_null(strchr(error->message, '\n'));
}

/* Values that are not the default, so that an option that is passed over is seen. */
static void test_names(void **state)
{
    static const char *const names[][3] = {
        {"--dataroot /d", "data", "/d"},
        {"--input_dir /d", "data", "/d"},
        {"--dataset_name /d", "data", "/d"},
        {"--which_direction BtoA", "direction", "BtoA"},
        {"--channels 1", "input_nc", "1"},
        {"--channels 1", "output_nc", "1"},
        {"--max_dataset_size 7", "max_dataset_size", "7"},
        {"--ntrain 7", "max_dataset_size", "7"},
        {"--ntrain inf", "max_dataset_size", "0"},
        {"--loadSize 300", "load_size", "300x300"},
        {"--scale_size 300", "load_size", "300x300"},
        {"--fineSize 128", "crop_size", "128x128"},
        {"--width 128 --height 64", "crop_size", "128x64"},
        {"--height 64 --width 128", "crop_size", "128x64"},
        {"--resize_or_crop crop", "preprocess", "crop"},
        {"--preprocess regular", "preprocess", "resize_and_crop"},
        {"--batchSize 4", "batch_size", "4"},
        {"--no_flip", "flip", "false"},
        {"--serial_batches", "serial_batches", "true"},
        {"--netG unet_128", "net_g", "unet_128"},
        {"--which_model_netG unet", "net_g", "unet_256"},
        {"--which_model_netG encoder_decoder", "net_g", "encoder_decoder_256"},
        {"--netD pixel", "net_d", "pixel"},
        {"--which_model_netD n_layers", "net_d", "n_layers"},
        {"--n_layers_D 5", "n_layers_d", "5"},
        {"--no_dropout", "dropout", "false"},
        {"--use_dropout", "dropout", "true"},
        {"--condition_GAN 0", "conditional", "false"},
        {"--init_gain 0.1", "init_gain", "0.1"},
        {"--no_lsgan", "gan_mode", "vanilla"},
        {"--gan_weight 2", "lambda_gan", "2"},
        {"--lambda_L1 10", "lambda_l1", "10"},
        {"--l1_weight 10", "lambda_l1", "10"},
        {"--lambda_A 10", "lambda_l1", "10"},
        {"--lambda 10", "lambda_l1", "10"},
        {"--Lambda 10", "lambda_l1", "10"},
        {"--n_epochs 9", "epochs", "9"},
        {"--niter 9", "epochs", "9"},
        {"--max_epochs 9", "epochs", "9"},
        {"--max_epochs 9", "epochs_decay", "0"},
        {"--n_epochs_decay 9", "epochs_decay", "9"},
        {"--niter_decay 9", "epochs_decay", "9"},
        {"--epochs 9 --decay_epoch 4", "epochs", "4"},
        {"--epochs 9 --decay_epoch 4", "epochs_decay", "5"},
        {"--epoch_count 3", "start_epoch", "3"},
        {"--start_epoch 0", "start_epoch", "0"},
        {"--lr 0.1", "learning_rate", "0.1"},
        {"--lr_policy lambda", "lr_policy", "linear"},
        {"--lr_decay_iters 3", "lr_decay_iters", "3"},
        {"--output_dir /o", "output", "/o"},
        {"--saved_path /o", "output", "/o"},
        {"--checkpoints_dir /c --name n", "output", "/c/n"},
        {"--checkpoints_dir /c --name n --suffix s", "output", "/c/n_s"},
        {"--checkpoints_dir /c --name n --suffix=", "output", "/c/n"},
        {"--output /o --name n", "output", "/o"},
        {"--sample_path /s", "samples_dir", "/s"},
        {"--print_freq 9", "log_steps", "9"},
        {"--summary_freq 9", "log_steps", "9"},
        {"--save_latest_freq 9", "save_steps", "9"},
        {"--save_freq 9", "save_steps", "9"},
        {"--save_epoch_freq 9", "save_epochs", "9"},
        {"--n_checkpoint -1", "save_epochs", "-1"},
        {"--display_freq 9", "sample_steps", "9"},
        {"--save_display_freq 9", "sample_steps", "9"},
        {"--n_sample 9", "sample_steps", "9"},
        {"--num_threads 9", "loader_threads", "9"},
        {"--nThreads 9", "loader_threads", "9"},
        {"--no_html", "html", "false"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        means(names[i][0], names[i][1], names[i][2]);
}

/* The defaults of other implementations, where they mean nothing here. */
static void test_defaults(void **state)
{
    static const char *const lines[] = {
        "--gpu_ids 0,1",
        "--gpu 1",
        "--use_gpu True",
        "--cudnn 1",
        "--display 1",
        "--display_id 1",
        "--display_winsize 256",
        "--display_ncols 4",
        "--display_single_pane_ncols 0",
        "--display_plot errL1",
        "--display_server http://localhost",
        "--display_env main",
        "--display_port 8097",
        "--update_html_freq 1000",
        "--progress_freq 50",
        "--trace_freq 0",
        "--use_wandb",
        "--wandb_project_name CycleGAN-and-pix2pix",
        "--save_by_iter",
        "--pool_size 0",
        "--model pix2pix",
        "--mode train",
        "--dataset_mode aligned",
        "--aspect_ratio 1.0",
        "--output_filetype png",
        "--load_iter 0",
        "--epoch latest",
        "--which_epoch latest",
        "--serial_batch_iter 1",
        "--use_GAN 1",
        "--use_L1 1",
        "--verbose",
        "--suffix=",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_auto(TrainAsked) asked;
        g_autoptr(GError) error = NULL;
        if (!parse(&asked, lines[i], &error))
            fail_msg("%s: %s", lines[i], error->message);
    }
}

static void refuses_flag(const char *line, const char *text)
{
    g_autofree char *all = g_strconcat("train ", line, NULL);
    g_auto(GStrv) words = g_strsplit(all, " ", -1);
    g_autoptr(GError) error = NULL;

    settings_spell(g_strv_length(words), words);
    gboolean ok = settings_check_flags(g_strv_length(words), words, &error);
    assert_int_equal(ok, !text);
    assert_string_equal(error ? error->message : "", text ? text : "");
}

/* Programs whose flags have a value. */
static void test_flags(void **state)
{
    refuses_flag("data --flip 1", "--flip 1: takes no value, there are --flip and --no-flip");
    refuses_flag("--flip=0 data", "--flip 0: takes no value, there are --flip and --no-flip");
    refuses_flag("--no_flip False", "--no-flip False: takes no value, there are --flip and "
                                    "--no-flip");
    refuses_flag("--serial_batches true",
                 "--serial-batches true: takes no value, there are --serial-batches and "
                 "--no-serial-batches");
    refuses_flag("--flip data --seed 1 --condition_GAN 1", NULL);
    refuses_flag("-- --flip 1", NULL);
    refuses_flag("data --flip", NULL);
}

/* What would be another training than the one that was asked for. */
static void test_refused(void **state)
{
    refuses("--continue_train", "--resume RUN");
    refuses("--load_iter 5000", "--init-g FILE");
    refuses("--epoch 20", "--init-g FILE");
    refuses("--model cycle_gan", "this trains pix2pix");
    refuses("--mode export", "pix2pix convert");
    refuses("--dataset_mode unaligned", "pairs are needed");
    refuses("--pool_size 50", "no image pool");
    refuses("--aspect_ratio 2", "WIDTHxHEIGHT");
    refuses("--output_filetype jpeg", "PNG");
    refuses("--lab_colorization", "RGB or grey");
    refuses("--separable_conv", "no separable convolutions");
    refuses("--use_GAN 0", "--no-gan");
    refuses("--use_L1 0", "--no-l1");
    refuses("--serial_batch_iter 5", "--serial-batches");
    refuses("--suffix s", "--output RUN");
    refuses("--name n --suffix {netG}", "--output RUN");
    refuses("--epochs 3 --decay_epoch 4", "--decay-epoch");
    refuses("--lambda_L2 3", "lambda-L2");
}

/* Rows that could never be found. */
static void check_rows(const Stranger *rows)
{
    for (const Stranger *row = rows; row->option; row++) {
        assert_null(strchr(row->option, '_'));
        for (const Stranger *other = rows; other != row; other++)
            assert_string_not_equal(other->option, row->option);
    }
}

static void test_strangers(void **state)
{
    check_rows(strangers_train);
    check_rows(strangers_test);
}

/* ---- --checkpoint ---- */

static void make(const char *folder, const char *name)
{
    g_autofree char *file = g_build_filename(folder, name, NULL);

    assert_true(g_file_set_contents(file, "", 0, NULL));
}

static void checks_out(const char *line, const char *resume, const char *init_g, const char *init_d)
{
    g_auto(TrainAsked) asked;

    assert_true(parse(&asked, line, NULL));
    assert_int_equal(g_strcmp0(asked.resume, resume), 0);
    assert_int_equal(g_strcmp0(asked.settings.init_g, init_g), 0);
    assert_int_equal(g_strcmp0(asked.settings.init_d, init_d), 0);
}

static void test_checkpoint(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("pix2pix-options-XXXXXX", NULL);
    g_autofree char *alone = g_strdup_printf("--checkpoint %s", folder);
    g_autofree char *with_output = g_strdup_printf("--output /o %s", alone);
    g_autofree char *pth = g_build_filename(folder, "latest_net_G.pth", NULL);
    g_autofree char *g = g_build_filename(folder, "latest.safetensors", NULL);
    g_autofree char *d = g_build_filename(folder, "latest-discriminator.safetensors", NULL);

    checks_out("--checkpoint /f.pth", NULL, "/f.pth", NULL);
    checks_out("--checkpoint /f.pth --init-g /g --init-d /d", NULL, "/g", "/d");
    make(folder, "latest_net_G.pth");
    checks_out(alone, NULL, pth, NULL);
    make(folder, "config.json");
    checks_out(alone, folder, NULL, NULL);
    checks_out(with_output, NULL, g, NULL);
    make(folder, "latest-discriminator.safetensors");
    checks_out(with_output, NULL, g, d);
    for (int i = 0; i < 3; i++) {
        const char *const names[] = {"latest_net_G.pth", "config.json", d};
        g_autofree char *file = g_canonicalize_filename(names[i], folder);
        g_unlink(file);
    }
    g_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),     cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_flags),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_strangers), cmocka_unit_test(test_checkpoint),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
