/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "settings.h"

#include "settings-table.h"

#include <math.h>
#include <pix2pix/pix-train.h>
#include <string.h>

G_GNUC_PRINTF(2, 3) static gboolean refuse(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, message);
    return FALSE;
}

void settings_init(Settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    for (guint i = 0; i < settings_n_rows; i++) {
        const SettingRow *row = &settings_table[i];
        if (!settings_set(settings, row->name, NULL, row->initial, NULL))
            g_assert_not_reached();
    }
    memset(settings->given, 0, sizeof(settings->given));
}

void settings_clear(Settings *settings)
{
    for (guint i = 0; i < settings_n_rows; i++) {
        if (settings_table[i].type == SETTING_TEXT || settings_table[i].type == SETTING_PATH)
            g_clear_pointer((char **)settings_field(settings, &settings_table[i]), g_free);
    }
}

/* ---- one value from text ---- */

static gboolean set_bool(gboolean *field, const char *option, const char *value, GError **error)
{
    *field = !strcmp(value, "true") || !strcmp(value, "1");
    if (*field || !strcmp(value, "false") || !strcmp(value, "0"))
        return TRUE;
    return refuse(error, "%s takes true or false, not '%s'", option, value);
}

static gboolean set_int(gint64 *field, const SettingRow *row, const char *option, const char *value,
                        GError **error)
{
    gint64 least = row->least, most = row->most;

    if (g_ascii_string_to_signed(value, 10, least, most, field, NULL))
        return TRUE;
    return refuse(error,
                  "%s takes a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                  ", not '%s'",
                  option, least, most, value);
}

static gboolean set_number(double *field, const SettingRow *row, const char *option,
                           const char *value, GError **error)
{
    char *end;

    *field = g_ascii_strtod(value, &end);
    if (*value && !*end && *field >= row->least && *field <= row->most) /* NaN fails both */
        return TRUE;
    return refuse(error, "%s takes a number from %g to %g, not '%s'", option, row->least, row->most,
                  value);
}

static gboolean set_choice(int *field, const SettingRow *row, const char *option, const char *value,
                           GError **error)
{
    g_auto(GStrv) words = g_strsplit(row->words, "|", -1);

    for (*field = 0; words[*field]; (*field)++) {
        if (!strcmp(value, words[*field]))
            return TRUE;
    }
    g_autofree char *list = g_strjoinv(", ", words);
    return refuse(error, "%s takes one of %s, not '%s'", option, list, value);
}

static void set_text(char **field, SettingType type, const char *value)
{
    g_free(*field);
    *field = !*value                ? NULL
             : type == SETTING_PATH ? g_canonicalize_filename(value, NULL)
                                    : g_strdup(value);
}

static gboolean set_size(SettingsSize *field, const SettingRow *row, const char *option,
                         const char *value, GError **error)
{
    g_auto(GStrv) sides = g_strsplit(value, "x", 2);
    guint64 side[2] = {0};
    gboolean ok = TRUE;

    for (int i = 0; sides[0] && sides[i]; i++)
        ok = ok && g_ascii_string_to_unsigned(sides[i], 10, row->least, row->most, &side[i], NULL);
    if (!ok)
        return refuse(error, "%s takes N or WIDTHxHEIGHT, each from %g to %g, not '%s'", option,
                      row->least, row->most, value);
    *field = (SettingsSize){side[0], sides[0] && sides[1] ? side[1] : side[0]};
    return TRUE;
}

gboolean settings_set(Settings *settings, const char *name, const char *option, const char *value,
                      GError **error)
{
    const SettingRow *row = settings_find_row(name);
    void *field = settings_field(settings, row);
    gboolean ok = TRUE;

    option = option ? option : name;
    switch (row->type) {
    case SETTING_BOOL:
        ok = set_bool(field, option, value, error);
        break;
    case SETTING_INT:
        ok = set_int(field, row, option, value, error);
        break;
    case SETTING_NUMBER:
        ok = set_number(field, row, option, value, error);
        break;
    case SETTING_CHOICE:
        ok = set_choice(field, row, option, value, error);
        break;
    case SETTING_TEXT:
    case SETTING_PATH:
        set_text(field, row->type, value);
        break;
    case SETTING_SIZE:
        ok = set_size(field, row, option, value, error);
        break;
    }
    settings->given[row - settings_table] = ok;
    return ok;
}

gboolean settings_is_given(const Settings *settings, const char *name)
{
    return settings->given[settings_find_row(name) - settings_table];
}

/* ---- and back ---- */

/* The fewest digits that are the same number again. */
static char *print_number(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd(text, sizeof(text), "%.15g", value);
    if (g_ascii_strtod(text, NULL) != value)
        g_ascii_formatd(text, sizeof(text), "%.17g", value);
    return g_strdup(text);
}

static char *print_choice(const SettingRow *row, int value)
{
    g_auto(GStrv) words = g_strsplit(row->words, "|", -1);

    return g_strdup(words[value]);
}

char *settings_print_row(const Settings *settings, const SettingRow *row)
{
    const void *field = settings_field(settings, row);
    const char *text;
    const SettingsSize *size = field;

    switch (row->type) {
    case SETTING_BOOL:
        return g_strdup(*(const gboolean *)field ? "true" : "false");
    case SETTING_INT:
        return g_strdup_printf("%" G_GINT64_FORMAT, *(const gint64 *)field);
    case SETTING_NUMBER:
        return print_number(*(const double *)field);
    case SETTING_CHOICE:
        return print_choice(row, *(const int *)field);
    case SETTING_TEXT:
    case SETTING_PATH:
        text = *(char *const *)field;
        return g_strdup(text ? text : "");
    case SETTING_SIZE:
        return size->width ? g_strdup_printf("%dx%d", size->width, size->height) : g_strdup("");
    }
    g_assert_not_reached();
}

char *settings_print(const Settings *settings, const char *name)
{
    return settings_print_row(settings, settings_find_row(name));
}

/* ---- what must fit together ---- */

static gboolean check_data(const Settings *settings, GError **error)
{
    const char *paths[] = {settings->data,   settings->a,      settings->b,
                           settings->val_a,  settings->val_b,  settings->init_g,
                           settings->init_d, settings->output, settings->samples_dir};

    if (settings->data && (settings->a || settings->b))
        return refuse(error, "takes either DATASET or --a and --b");
    if (!settings->data && (!settings->a || !settings->b))
        return refuse(error, "takes DATASET, or --a DIR and --b DIR");
    if (!settings->val_a != !settings->val_b || (settings->val_a && !settings->a))
        return refuse(error, "--val-a and --val-b belong together, and to --a and --b");
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (paths[i] && !g_utf8_validate(paths[i], -1, NULL))
            return refuse(error, "%s: is no UTF-8, which config.json needs, rename it", paths[i]);
    }
    if (settings->input_nc == 2 || settings->output_nc == 2)
        return refuse(error, "pictures have 1, 3 or 4 channels, not 2");
    return TRUE;
}

static gboolean check_sizes(Settings *settings, GError **error)
{
    const SettingsSize *crop = &settings->crop_size;
    SettingsSize *load = &settings->load_size;

    if (!load->width)
        *load = (SettingsSize){(crop->width * 286 + 128) / 256, (crop->height * 286 + 128) / 256};
    if (settings->preprocess == 0 && (load->width < crop->width || load->height < crop->height))
        return refuse(error, "--load-size %dx%d is smaller than --crop-size %dx%d", load->width,
                      load->height, crop->width, crop->height);
    return TRUE;
}

/* Options that would do nothing. */
static gboolean check_discriminator(Settings *settings, GError **error)
{
    gboolean layers = settings_is_given(settings, "n_layers_d");

    if (settings->net_d == SETTINGS_D_NONE)
        settings->lambda_gan = 0;
    if (layers && !settings_is_given(settings, "net_d"))
        settings->net_d = SETTINGS_D_N_LAYERS;
    if (layers && settings->net_d != SETTINGS_D_N_LAYERS)
        return refuse(error, "--n-layers-d belongs to --net-d n_layers");
    if (settings->net_d == SETTINGS_D_N_LAYERS && settings->n_layers_d == 0) {
        settings->net_d = SETTINGS_D_PIXEL;
        settings->n_layers_d = 3; /* the default of what is not used */
    }
    if (settings->lambda_gan == 0 && settings->init_d)
        return refuse(error, "--init-d without a discriminator: leave out one or the other");
    if (settings->gan_mode != PIX_GAN_WGANGP && settings_is_given(settings, "lambda_gp"))
        return refuse(error, "--lambda-gp belongs to --gan-mode wgangp");
    return TRUE;
}

gboolean settings_finish(Settings *settings, GError **error)
{
    gint64 epochs = settings->epochs + settings->epochs_decay;

    if (!check_data(settings, error) || !check_sizes(settings, error))
        return FALSE;
    settings->start_epoch = MAX(settings->start_epoch, 1);
    if (epochs == 0)
        return refuse(error, "--epochs and --epochs-decay are both 0: there is nothing to do");
    if (settings->start_epoch > epochs)
        return refuse(
            error, "--start-epoch %" G_GINT64_FORMAT " is behind the last one, %" G_GINT64_FORMAT,
            settings->start_epoch, epochs);
    if (!check_discriminator(settings, error))
        return FALSE;
    if (settings->lambda_gan == 0 && settings->lambda_l1 == 0)
        return refuse(error, "the weights of both losses are 0: there is nothing to learn");
    return TRUE;
}
