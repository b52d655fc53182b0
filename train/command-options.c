/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the command line of a subcommand says. */
#include "command.h"

#include <stdio.h>
#include <string.h>

const char *const command_statistics[] = {
    [PIX_STATISTICS_AUTO] = "auto",
    [PIX_STATISTICS_FRAME] = "frame",
    [PIX_STATISTICS_RUNNING] = "running",
    NULL,
};

const char *const command_dropout[] = {
    [PIX_DROPOUT_OFF] = "off",
    [PIX_DROPOUT_FROZEN] = "frozen",
    [PIX_DROPOUT_FRESH] = "fresh",
    NULL,
};

const char *const command_precision[] = {
    [PIX_PRECISION_AUTO] = "auto", [PIX_PRECISION_FP32] = "fp32", [PIX_PRECISION_FP16] = "fp16",
    [PIX_PRECISION_BF16] = "bf16", [PIX_PRECISION_INT8] = "int8", NULL,
};

/* ---- the options that several commands take ---- */

int command_choose(const char *option, const char *word, const char *const *choices, GError **error)
{
    for (int i = 0; choices[i]; i++) {
        if (!strcmp(word, choices[i]))
            return i;
    }
    g_autofree char *list = g_strjoinv(", ", (char **)choices);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s takes one of %s, not '%s'",
                option, list, word);
    return -1;
}

void command_options_clear(CommandOptions *options)
{
    g_clear_pointer(&options->device, g_free);
    g_clear_pointer(&options->domain, g_free);
}

static gboolean parse_size(const char *value, CommandOptions *options, GError **error)
{
    g_auto(GStrv) sides = g_strsplit(value, "x", 3);
    guint64 width, height;

    if (g_strv_length(sides) != 2 ||
        !g_ascii_string_to_unsigned(sides[0], 10, 1, 65536, &width, NULL) ||
        !g_ascii_string_to_unsigned(sides[1], 10, 1, 65536, &height, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--size takes WIDTHxHEIGHT in pixels, such as 256x256, not '%s'", value);
        return FALSE;
    }
    options->width = width;
    options->height = height;
    return TRUE;
}

static gboolean parse_number(const char *option, const char *value, guint64 max, guint64 *number,
                             GError **error)
{
    if (g_ascii_string_to_unsigned(value, 10, 0, max, number, NULL))
        return TRUE;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "%s takes a number from 0 to %" G_GUINT64_FORMAT ", not '%s'", option, max, value);
    return FALSE;
}

/* A GOptionArgFunc for all the shared options. */
static gboolean parse_shared(const char *option, const char *value, gpointer data, GError **error)
{
    CommandOptions *options = data;
    guint64 number = 0;
    int choice = 0;
    gboolean ok = TRUE;

    if (!strcmp(option, "--device")) {
        g_free(options->device);
        options->device = g_strdup(value);
    } else if (!strcmp(option, "--domain")) {
        g_free(options->domain);
        options->domain = g_strdup(value);
    } else if (!strcmp(option, "--threads")) {
        ok = parse_number(option, value, 1024, &number, error);
        options->threads = number;
    } else if (!strcmp(option, "--seed")) {
        ok = parse_number(option, value, G_MAXUINT64, &options->seed, error);
    } else if (!strcmp(option, "--size")) {
        ok = parse_size(value, options, error);
    } else if (!strcmp(option, "--norm-statistics")) {
        choice = command_choose(option, value, command_statistics, error);
        options->statistics = choice;
    } else if (!strcmp(option, "--dropout")) {
        choice = command_choose(option, value, command_dropout, error);
        options->dropout = choice;
    } else {
        choice = command_choose(option, value, command_precision, error);
        options->precision = choice;
    }
    return ok && choice >= 0;
}

static void add_shared_entries(GOptionGroup *group, CommandOptionFlags flags)
{
    static const struct {
        CommandOptionFlags flag;
        const char *name, *value, *help;
    } shared[] = {
        {COMMAND_OPTION_DOMAIN, "domain", "NAME", "Which generator, where a file holds several"},
        {COMMAND_OPTION_SIZE, "size", "WxH", "Size of the network's input in pixels"},
        {COMMAND_OPTION_STATISTICS, "norm-statistics", "auto|frame|running",
         "Where batch norm takes mean and variance from"},
        {COMMAND_OPTION_DROPOUT, "dropout", "off|frozen|fresh", "What the dropout layers do"},
        {COMMAND_OPTION_DROPOUT, "seed", "N", "Of the dropout masks"},
        {COMMAND_OPTION_PRECISION, "precision", "auto|fp32|fp16|bf16|int8",
         "Of weights and maps on a GPU, of products on the CPU; not every one can each (auto: what "
         "the model's file says of each layer, on the CPU, where that is faster, else fp32)"},
        {COMMAND_OPTION_DEVICE, "device", "NAME", "Processor to use, see pix2pix devices"},
        {COMMAND_OPTION_DEVICE, "threads", "N", "CPU threads to use (0: all)"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(shared); i++) {
        /* FILENAME keeps GLib from converting the value out of the locale's charset. */
        GOptionEntry entry[] = {
            {shared[i].name, 0, G_OPTION_FLAG_FILENAME, G_OPTION_ARG_CALLBACK, parse_shared,
             shared[i].help, shared[i].value},
            {0},
        };
        if (flags & shared[i].flag)
            g_option_group_add_entries(group, entry);
    }
}

/* ---- taking a command line apart ---- */

static void print_help(const Command *command, GOptionContext *context)
{
    g_autofree char *program = g_strconcat("pix2pix ", command->name, NULL);
    const char *ellipsis = "\u2026"; /* GLib's, which not every terminal shows */

    g_set_prgname(program);
    g_autofree char *help = g_option_context_get_help(context, FALSE, NULL);
    g_auto(GStrv) pieces = g_strsplit(help, ellipsis, -1);
    g_autofree char *plain = g_strjoinv("...", pieces);
    fputs(plain, stdout);
}

int command_parse(const Command *command, const GOptionEntry *entries, CommandOptionFlags flags,
                  CommandOptions *options, int argc, char **argv, char ***arguments)
{
    return command_parse_groups(command, NULL, entries, flags, options, argc, argv, arguments);
}

int command_parse_groups(const Command *command, GOptionGroup **groups, const GOptionEntry *entries,
                         CommandOptionFlags flags, CommandOptions *options, int argc, char **argv,
                         char ***arguments)
{
    gboolean help = FALSE;
    g_auto(GStrv) rest = NULL;
    const GOptionEntry common[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, command->arguments},
        {0},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    GOptionGroup *group = g_option_group_new("main", "", "", options, NULL);
    g_auto(GStrv) copy = g_new0(char *, argc + 1);

    for (int i = 0; i < argc; i++)
        copy[i] = g_strdup(argv[i]);
    g_option_group_add_entries(group, common);
    if (entries)
        g_option_group_add_entries(group, entries);
    add_shared_entries(group, flags);
    g_option_context_set_main_group(context, group);
    for (int i = 0; groups && groups[i]; i++)
        g_option_context_add_group(context, groups[i]);
    g_free(groups);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_summary(context, command->summary);
    g_option_context_set_description(context, command->description);

    if (!g_option_context_parse_strv(context, &copy, &error))
        return command_misused(command, "%s", error->message);
    if (help) {
        print_help(command, context);
        return COMMAND_DONE;
    }
    int n = rest ? (int)g_strv_length(rest) : 0;
    if (n < command->min_arguments)
        return command_misused(command, n ? "takes %s, and some of it is missing" : "takes %s",
                               command->arguments);
    if (n > command->max_arguments)
        return command_misused(command, "one argument too many: '%s'",
                               rest[command->max_arguments]);
    for (int i = 0; i < n; i++) {
        if (!*rest[i])
            return command_misused(command, "an argument is empty: takes %s", command->arguments);
    }
    *arguments = rest ? g_steal_pointer(&rest) : g_new0(char *, 1);
    return COMMAND_CONTINUE;
}
