/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Everything that can be set about a training run. One table says of each setting its name, type,
 * default, range and meaning; the options of the command line, config.json and the comparison of
 * the two when a run is resumed are made of it.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <glib.h>

/** The words of each choice stand in the table in the order of these values; those of GAN mode, of
 * initialisation and of preprocessing are PixGanMode, PixInit and AugmentPreprocess. */
typedef enum { SETTINGS_D_BASIC, SETTINGS_D_N_LAYERS, SETTINGS_D_PIXEL, SETTINGS_D_NONE } SettingsD;
typedef enum { SETTINGS_PIXEL_L1, SETTINGS_PIXEL_L2 } SettingsPixelLoss;
typedef enum {
    SETTINGS_METRIC_SWD,
    SETTINGS_METRIC_L1,
    SETTINGS_METRIC_PSNR,
    SETTINGS_METRIC_SSIM,
} SettingsMetric;

#define SETTINGS_MAX 80

typedef struct {
    int width, height;
} SettingsSize;

typedef struct {
    /* data */
    char *data, *a, *b, *phase, *val_phase, *val_a, *val_b; /* paths are absolute */
    int direction;                                          /* 1: BtoA */
    gint64 input_nc, output_nc, max_dataset_size, batch_size;
    int preprocess;
    SettingsSize load_size, crop_size;
    gboolean flip, serial_batches;
    /* networks */
    char *net_g; /* "unet_256" */
    int net_d;
    gint64 n_layers_d, ngf, ndf;
    int norm, norm_d; /* the latter 0: as norm; else as norm, counted from 1 */
    gboolean dropout, conditional;
    int init_type;
    double init_gain;
    char *init_g, *init_d;
    /* losses */
    int gan_mode, pixel_loss;
    double lambda_l1, lambda_gan, lambda_gp;
    /* optimiser */
    gint64 epochs, epochs_decay, start_epoch, max_steps;
    int lr_policy; /* SchedulePolicy */
    gint64 lr_decay_iters;
    double learning_rate, learning_rate_d, beta1, beta2, clip_norm, ema;
    gint64 accumulate, seed;
    /* what is written when */
    char *output;
    gint64 log_steps, save_steps, save_epochs, keep, validate_epochs, sample_steps, samples;
    char *samples_dir; /* NULL: samples in output */
    int metric;
    gboolean html;
    /* machine */
    char *device;
    gint64 threads, loader_threads;

    guint8 given[SETTINGS_MAX]; /* by row of the table: said on the command line */
} Settings;

/** settings_init: The defaults. */
void settings_init(Settings *settings);
void settings_clear(Settings *settings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, settings_clear)

/**
 * settings_set:
 * @name: as in config.json: "learning_rate".  @option: (nullable): what the message calls it,
 * "--lr"; else @name.  Errors: one line that names option, value and range.
 */
gboolean settings_set(Settings *settings, const char *name, const char *option, const char *value,
                      GError **error);
/** settings_is_given: Whether @name was said on the command line. */
gboolean settings_is_given(const Settings *settings, const char *name);
/** settings_print: Returns: (transfer full): the value of @name as settings_set() takes it. */
char *settings_print(const Settings *settings, const char *name);

/**
 * settings_finish:
 * Works out what was left open, such as the load size, and checks what must fit together.
 */
gboolean settings_finish(Settings *settings, GError **error);

/* ---- settings-data.c ---- */

/** settings_move: To another --output; the folder of samples goes along where it is inside. */
void settings_move(Settings *settings, const char *output);

/**
 * settings_find_folders:
 * The folders of A and B for @phase. @validation: --val-a and --val-b come first, where they were
 * given.  @a, @b: (out) (transfer full): %NULL for a DATASET, which holds both.
 * Returns: %FALSE where --a holds no folder of that name.
 */
gboolean settings_find_folders(const Settings *settings, const char *phase, gboolean validation,
                               char **a, char **b);

/* ---- the command line ---- */

/**
 * settings_option_groups:
 * The options of all settings with the names that other implementations have for them, for
 * @settings, which must live as long. The data set itself is no option.
 *
 * Returns: (transfer full): %NULL-terminated groups.
 */
GOptionGroup **settings_option_groups(Settings *settings);
/** settings_spell: Writes the options among @argv with dashes: "--lambda_L1" is "--lambda-L1". */
void settings_spell(int argc, char **argv);
/** settings_check_flags: @argv: spelt so. Errors: an option that is on or off, and a value for it. */
gboolean settings_check_flags(int argc, char **argv, GError **error);
/** settings_note_words: Tells of an option that means another thing in the program that the others
 * are of. */
void settings_note_words(int argc, char **argv);

/* ---- config.json ---- */

/** settings_write: One flat object in the order of the table; @file is replaced as a whole. */
gboolean settings_write(const Settings *settings, const char *file, GError **error);
/** settings_read: Errors: one line that names @file, and the setting that is missing or wrong. */
gboolean settings_read(Settings *settings, const char *file, GError **error);

/** settings_store: Returns: (transfer full): JSON of all that a run needs to compute the same: its
 * data and what settings_hash() is of. */
char *settings_store(const Settings *settings);
/** settings_restore: The reverse, over the defaults. Errors: as settings_read(). */
gboolean settings_restore(Settings *settings, const char *text, const char *file, GError **error);

/**
 * settings_list_changes:
 * Returns: (transfer full): "ngf was 4, is 64; ..." of what changes what a run computes; %NULL if
 * there is none.
 */
char *settings_list_changes(const Settings *was, const Settings *is);

/**
 * settings_compare:
 * @run: what a run was started with.  @asked: what the command line says now.
 * Returns: (transfer full): "learning_rate: the run has 0.0002, the command line says 0.001; ..."
 * over what was given, differs, and changes what a run computes; %NULL if there is none.
 */
char *settings_compare(const Settings *run, const Settings *asked);
/** settings_take: Puts what was given in @asked into @settings. */
void settings_take(Settings *settings, const Settings *asked);
/** settings_hash: Returns: (transfer full): hexadecimal, of what changes what a run computes. */
char *settings_hash(const Settings *settings);

#endif
