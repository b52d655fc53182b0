/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Settings as options of the command line, under our names and those of other implementations:
 * junyanz/pytorch-CycleGAN-and-pix2pix, old and new; phillipi/pix2pix; affinelayer/
 * pix2pix-tensorflow; cryer/pix2pix. Names have dashes here, see settings_spell().
 */
#include "command.h"
#include "settings-table.h"
#include "strangers.h"

#include <string.h>

/* Another name for a setting, or for one value of it. */
typedef struct {
    const char *option;
    const char *setting;
    const char *value; /* NULL: the option takes one; "W", "H": it is one side of a size */
} Alias;

static const Alias aliases[] = {
    {"dataroot", "data", NULL},
    {"input-dir", "data", NULL},
    {"dataset-name", "data", NULL},
    {"which-direction", "direction", NULL},
    {"channels", "input_nc", NULL},
    {"channels", "output_nc", NULL},
    {"loadSize", "load_size", NULL},
    {"scale-size", "load_size", NULL},
    {"fineSize", "crop_size", NULL},
    {"width", "crop_size", "W"},
    {"height", "crop_size", "H"},
    {"resize-or-crop", "preprocess", NULL},
    {"batchSize", "batch_size", NULL},
    {"ntrain", "max_dataset_size", NULL},
    {"netG", "net_g", NULL},
    {"which-model-netG", "net_g", NULL},
    {"netD", "net_d", NULL},
    {"which-model-netD", "net_d", NULL},
    {"n-layers-D", "n_layers_d", NULL},
    {"no-lsgan", "gan_mode", "vanilla"},
    {"gan-weight", "lambda_gan", NULL},
    {"no-gan", "lambda_gan", "0"},
    {"lambda-L1", "lambda_l1", NULL},
    {"l1-weight", "lambda_l1", NULL},
    {"lambda", "lambda_l1", NULL},
    {"lambda-A", "lambda_l1", NULL},
    {"Lambda", "lambda_l1", NULL},
    {"no-l1", "lambda_l1", "0"},
    {"condition-GAN", "conditional", NULL},
    {"use-dropout", "dropout", "true"},
    {"n-epochs", "epochs", NULL},
    {"niter", "epochs", NULL},
    {"max-epochs", "epochs", NULL}, /* at one rate: its program knows no decay */
    {"max-epochs", "epochs_decay", "0"},
    {"n-epochs-decay", "epochs_decay", NULL},
    {"niter-decay", "epochs_decay", NULL},
    {"epoch-count", "start_epoch", NULL},
    {"lr", "learning_rate", NULL},
    {"output-dir", "output", NULL},
    {"saved-path", "output", NULL},
    {"print-freq", "log_steps", NULL},
    {"summary-freq", "log_steps", NULL},
    {"save-latest-freq", "save_steps", NULL},
    {"save-freq", "save_steps", NULL},
    {"save-epoch-freq", "save_epochs", NULL},
    {"n-checkpoint", "save_epochs", NULL},
    {"display-freq", "sample_steps", NULL},
    {"save-display-freq", "sample_steps", NULL},
    {"n-sample", "sample_steps", NULL},
    {"sample-path", "samples_dir", NULL},
    {"num-threads", "loader_threads", NULL},
    {"nThreads", "loader_threads", NULL},
};

static const char *const group_names[SETTING_N_GROUPS] = {
    "Data:", "Networks:", "Losses:", "Optimiser and schedule:", "What is written:", "Machine:",
};

/* ---- taking an option ---- */

static gboolean is_side(const char *value)
{
    return !strcmp(value, "W") || !strcmp(value, "H");
}

/* Sets one side of a size, and the other one as well where it was not said. */
static gboolean set_side(Settings *settings, const Alias *alias, const char *option,
                         const char *value, GError **error)
{
    const SettingRow *row = settings_find_row(alias->setting);
    SettingsSize *size = settings_field(settings, row), before = *size;
    gboolean given = settings_is_given(settings, alias->setting);

    if (!settings_set(settings, alias->setting, option, value, error))
        return FALSE;
    if (given && *alias->value == 'W')
        size->height = before.height;
    if (given && *alias->value == 'H')
        size->width = before.width;
    return TRUE;
}

/* What the same value is called elsewhere. */
static const char *translate_value(const char *setting, const char *value)
{
    static const char *const words[][3] = {
        {"net_g", "unet", "unet_256"},
        {"net_g", "encoder_decoder", "encoder_decoder_256"},
        {"preprocess", "regular", "resize_and_crop"},
        {"lr_policy", "lambda", "linear"},
        {"max_dataset_size", "inf", "0"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!strcmp(setting, words[i][0]) && !strcmp(value, words[i][1]))
            return words[i][2];
    }
    return value;
}

/* "--learning-rate" -> learning_rate, "--no-flip" -> flip and FALSE; or NULL */
static const SettingRow *find_option(const char *option, gboolean *positive)
{
    g_autofree char *name = g_strdelimit(g_strdup(option + 2), "-", '_');
    const SettingRow *row = settings_find_row(name);

    *positive = row != NULL;
    return row ? row : g_str_has_prefix(name, "no_") ? settings_find_row(name + 3) : NULL;
}

/* A GOptionArgFunc. */
static gboolean take_setting(const char *option, const char *value, gpointer data, GError **error)
{
    gboolean positive;
    const SettingRow *row = find_option(option, &positive);

    if (row->type == SETTING_BOOL)
        value = positive ? "true" : "false";
    return settings_set(data, row->name, option, translate_value(row->name, value), error);
}

/* A GOptionArgFunc. */
static gboolean take_alias(const char *option, const char *value, gpointer data, GError **error)
{
    gboolean ok = TRUE;

    for (gsize i = 0; i < G_N_ELEMENTS(aliases) && ok; i++) {
        const Alias *alias = &aliases[i];
        if (strcmp(alias->option, option + 2))
            continue;
        if (alias->value && is_side(alias->value))
            ok = set_side(data, alias, option, value, error);
        else if (alias->value)
            ok = settings_set(data, alias->setting, option, alias->value, error);
        else
            ok = settings_set(data, alias->setting, option, translate_value(alias->setting, value),
                              error);
    }
    return ok;
}

/* ---- declaring them ---- */

/* GOptionEntry keeps pointers to its strings, so that they are interned. */
static void add_entry(GOptionGroup *group, const char *name, GOptionArgFunc function, int flags,
                      const char *help, const char *value)
{
    /* FILENAME keeps GLib from converting the value out of the locale's charset. */
    int how = flags & G_OPTION_FLAG_NO_ARG ? 0 : G_OPTION_FLAG_FILENAME;
    GOptionEntry entry[] = {
        {g_intern_string(name), 0, flags | how, G_OPTION_ARG_CALLBACK, function,
         g_intern_string(help), value},
        {0},
    };

    g_option_group_add_entries(group, entry);
}

/* "What it is: one, another (default; also --alias, ...)" */
static char *describe(const Settings *defaults, const SettingRow *row)
{
    g_auto(GStrv) words = g_strsplit(row->type == SETTING_CHOICE ? row->words : "", "|", -1);
    g_autofree char *list = g_strjoinv(", ", words);
    GString *text = g_string_new(row->help);
    g_autofree char *value = settings_print_row(defaults, row);
    g_autoptr(GString) notes = g_string_new(row->type == SETTING_BOOL ? "" : value);
    const char *also = "also ";

    for (gsize i = 0; i < G_N_ELEMENTS(aliases); i++) {
        if (strcmp(aliases[i].setting, row->name) || row->type == SETTING_BOOL)
            continue;
        g_string_append_printf(notes, "%s%s--%s",
                               !notes->len ? ""
                               : *also     ? "; "
                                           : ", ",
                               also, aliases[i].option);
        also = "";
    }
    if (*list)
        g_string_append_printf(text, ": %s", list);
    if (notes->len)
        g_string_append_printf(text, " (%s)", notes->str);
    return g_string_free(text, FALSE);
}

static void add_setting(GOptionGroup *group, const Settings *defaults, const SettingRow *row)
{
    g_autofree char *name = g_strdelimit(g_strdup(row->name), "_", '-');
    g_autofree char *negative = g_strconcat("no-", name, NULL);
    g_autofree char *help = describe(defaults, row);
    const int flag = G_OPTION_FLAG_NO_ARG, hidden = G_OPTION_FLAG_HIDDEN;

    if (row->type != SETTING_BOOL) {
        add_entry(group, name, take_setting, 0, help,
                  row->type == SETTING_CHOICE ? "WORD" : row->words);
        return;
    }
    gboolean on = *(gboolean *)settings_field(defaults, row);
    add_entry(group, on ? negative : name, take_setting, flag, help, NULL);
    add_entry(group, on ? name : negative, take_setting, flag | hidden, NULL, NULL);
}

static void add_aliases(GOptionGroup *group)
{
    for (gsize i = 0; i < G_N_ELEMENTS(aliases); i++) {
        const char *value = aliases[i].value;
        int flags = value && !is_side(value) ? G_OPTION_FLAG_NO_ARG : 0;
        /* some have two rows */
        if (i == 0 || strcmp(aliases[i].option, aliases[i - 1].option))
            add_entry(group, aliases[i].option, take_alias, G_OPTION_FLAG_HIDDEN | flags, NULL, "");
    }
}

GOptionGroup **settings_option_groups(Settings *settings)
{
    GOptionGroup **groups = g_new0(GOptionGroup *, SETTING_N_GROUPS + 2);
    g_auto(Settings) defaults = {0};

    settings_init(&defaults);
    for (int i = 0; i < SETTING_N_GROUPS; i++) {
        groups[i] = g_option_group_new(group_names[i], group_names[i], "", settings, NULL);
        for (guint j = 0; j < settings_n_rows; j++) {
            if ((int)settings_table[j].group == i)
                add_setting(groups[i], &defaults, &settings_table[j]);
        }
    }
    add_aliases(groups[0]);
    groups[SETTING_N_GROUPS] = strangers_group(strangers_train);
    return groups;
}

/* "--flip" of "--flip=1"; NULL for what is no option */
static char *option_name(const char *argument)
{
    return g_str_has_prefix(argument, "--") ? g_strndup(argument, strcspn(argument, "=")) : NULL;
}

gboolean settings_check_flags(int argc, char **argv, GError **error)
{
    static const char *const values[] = {"0", "1", "true", "false", "True", "False", NULL};

    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        g_autofree char *option = option_name(argv[i]);
        const char *value = option && argv[i][strlen(option)] ? argv[i] + strlen(option) + 1
                            : i + 1 < argc                    ? argv[i + 1]
                                                              : "";
        gboolean positive;
        const SettingRow *row = option ? find_option(option, &positive) : NULL;
        if (!row || row->type != SETTING_BOOL || !g_strv_contains(values, value))
            continue;
        g_autofree char *name = g_strdelimit(g_strdup(row->name), "_", '-');
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s %s: takes no value, there are --%s and --no-%s", option, value, name, name);
        return FALSE;
    }
    return TRUE;
}

void settings_note_words(int argc, char **argv)
{
    static const char *const words[] = {
        "--dataset-name", "--saved-path", "--n-sample", "--n-checkpoint",
        "--sample-path",  "--Lambda",     NULL};
    gboolean threads = FALSE, cryer = FALSE;

    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        g_autofree char *option = option_name(argv[i]);
        threads = threads || !g_strcmp0(option, "--threads");
        cryer = cryer || (option && g_strv_contains(words, option));
    }
    if (threads && cryer)
        command_print_error("note: --threads are those of the CPU that compute; --loader-threads "
                            "read pictures");
}

void settings_spell(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (!g_str_has_prefix(argv[i], "--"))
            continue;
        for (char *c = argv[i]; *c && *c != '='; c++)
            *c = *c == '_' ? '-' : *c;
    }
}
