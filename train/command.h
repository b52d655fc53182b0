/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What the subcommands of `pix2pix` share: how one is described, the options that several take, and
 * the ways to end. Only main.c exits; a subcommand returns its exit status.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <pix2pix/pix.h>

/** Exit statuses. A command that a signal stopped returns 128 + the signal's number. */
enum {
    COMMAND_DONE = 0,
    COMMAND_FAILED = 1,
    COMMAND_USAGE = 2,
    COMMAND_CONTINUE = -1, /* of command_parse() only */
};

typedef struct Command Command;
struct Command {
    const char *name;
    const char *arguments;   /* "IN OUT.safetensors", for the usage line */
    const char *summary;     /* one line for the list of commands */
    const char *description; /* what --help says under the options */
    int min_arguments, max_arguments;
    int (*run)(const Command *command, int argc, char **argv);
};

extern const Command command_bench, command_convert, command_devices, command_eval, command_forward,
    command_info, command_test, command_train;

/** Which of the shared options a command takes. */
typedef enum {
    COMMAND_OPTION_DEVICE = 1 << 0, /* --device and --threads */
    COMMAND_OPTION_DOMAIN = 1 << 1,
    COMMAND_OPTION_STATISTICS = 1 << 2,
    COMMAND_OPTION_DROPOUT = 1 << 3,   /* --dropout and --seed */
    COMMAND_OPTION_SIZE = 1 << 4,      /* --size */
    COMMAND_OPTION_PRECISION = 1 << 5, /* --precision of the model on the device */
} CommandOptionFlags;

typedef struct {
    char *device, *domain; /* NULL where not given */
    unsigned threads;
    PixPrecision precision;
    PixStatistics statistics;
    PixDropout dropout;
    guint64 seed;
    int width, height; /* 0 where not given */
} CommandOptions;

/** command_options_clear: Frees what command_parse() put there. */
void command_options_clear(CommandOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CommandOptions, command_options_clear)

/**
 * command_parse:
 * Parses @argv (its first element is the command's name) with the command's own @entries and the
 * shared options that @flags name. @arguments: (out) (transfer full): what is left.
 *
 * Returns: %COMMAND_CONTINUE, or the status to return: after --help or bad usage, which has been
 * printed.
 */
int command_parse(const Command *command, const GOptionEntry *entries, CommandOptionFlags flags,
                  CommandOptions *options, int argc, char **argv, char ***arguments);

/** command_parse_groups: The same with more groups of options. @groups: (transfer full) (nullable):
 * %NULL-terminated, shown before the others by --help. */
int command_parse_groups(const Command *command, GOptionGroup **groups, const GOptionEntry *entries,
                         CommandOptionFlags flags, CommandOptions *options, int argc, char **argv,
                         char ***arguments);

/** command_print_error: Prints one line, "pix2pix: MESSAGE", on standard error. */
void command_print_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
/** command_fail: Prints and frees @error. Returns: %COMMAND_FAILED. */
int command_fail(GError *error);
/** command_misused: Prints what was wrong with the command line. Returns: %COMMAND_USAGE. */
int command_misused(const Command *command, const char *format, ...) G_GNUC_PRINTF(2, 3);

/**
 * command_choose:
 * @choices: %NULL-terminated words.  Returns: the index of @word, or -1 and an error that lists
 * them.
 */
int command_choose(const char *option, const char *word, const char *const *choices,
                   GError **error);
/** The words for #PixStatistics, #PixDropout and #PixPrecision, in the order of their values. */
extern const char *const command_statistics[], *const command_dropout[], *const command_precision[];

/** command_show: Returns: (transfer full): @text as valid UTF-8 without control characters. */
char *command_show(const char *text);

/**
 * command_check_output:
 * Whether @file can be made: its folder is there and takes new files, it is no folder or device
 * itself and it is not one of the @inputs. Asked before the work rather than after it.
 */
gboolean command_check_output(const char *file, const char *const *inputs, GError **error);

/** command_open_device: As pix_device_open(); tells of a GPU that `auto` refused. */
PixDevice *command_open_device(const char *spec, unsigned threads, GError **error);

/**
 * command_load_model:
 * @discriminators: whether those are welcome. Where `auto` took a GPU that cannot hold the model, the
 * CPU does. @error: not %NULL. Errors: those of pix_model_load().
 */
PixModel *command_load_model(const char *name, const CommandOptions *options,
                             gboolean discriminators, GError **error);
/**
 * command_fall_back:
 * After @error, something that failed with @model: loads the same on the CPU, if that may take over,
 * and tells: in the precision of @options, or where that is FP16, which the CPU lacks, in AUTO.
 * Returns: whether it did; @error is cleared then.
 */
gboolean command_fall_back(PixModel **model, const char *name, const CommandOptions *options,
                           gboolean discriminators, GError **error);

/**
 * command_watch_signals:
 * From here on the first SIGINT, SIGTERM or SIGHUP asks to stop; the second kills, and no
 * unfinished file stays behind. A write that nobody reads or that a limit stops just fails.
 */
void command_watch_signals(void);
/** command_interrupted: Returns: 0, or 128 + the number of the signal that asked to stop. */
int command_interrupted(void);

#endif
