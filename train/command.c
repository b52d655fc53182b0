/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "command.h"

#include "output-file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

char *command_show(const char *text)
{
    char *shown = g_utf8_make_valid(text, -1);

    for (char *c = shown; *c; c++) {
        if (g_ascii_iscntrl(*c))
            *c = '?';
    }
    return shown;
}

/* stdio rather than g_printerr(), which would replace what the locale's charset lacks. */
static void print_line(const char *message)
{
    g_autofree char *shown = command_show(message);

    fprintf(stderr, "pix2pix: %s\n", shown);
}

void command_print_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    print_line(message);
}

int command_fail(GError *error)
{
    print_line(error->message);
    g_error_free(error);
    return COMMAND_FAILED;
}

int command_misused(const Command *command, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    command_print_error("%s: %s, see pix2pix %s --help", command->name, message, command->name);
    return COMMAND_USAGE;
}

gboolean command_check_output(const char *file, const char *const *inputs, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(file);
    struct stat there, input, parent;

    if (stat(folder, &parent) || !S_ISDIR(parent.st_mode)) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND, "%s: there is no folder %s, create it",
                    file, folder);
        return FALSE;
    }
    if (access(folder, W_OK | X_OK)) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                    "%s: the folder %s cannot be written to (%s), choose another", file, folder,
                    g_strerror(errno));
        return FALSE;
    }
    if (stat(file, &there))
        return TRUE;
    if (!S_ISREG(there.st_mode)) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "%s: is %s, give the name of a file", file,
                    S_ISDIR(there.st_mode) ? "a folder" : "no regular file");
        return FALSE;
    }
    for (; *inputs; inputs++) {
        if (!stat(*inputs, &input) && input.st_dev == there.st_dev &&
            input.st_ino == there.st_ino) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                        "%s: is an input too and will not be overwritten, choose another name",
                        file);
            return FALSE;
        }
    }
    return TRUE;
}

PixDevice *command_open_device(const char *spec, unsigned threads, GError **error)
{
    PixDevice *device = pix_device_open(spec, threads, error);

    if (device && pix_device_get_info(device)->refused)
        command_print_error("warning: %s; %s is used", pix_device_get_info(device)->note,
                            pix_device_get_info(device)->id);
    return device;
}

static PixModel *load_on(PixDevice *device, const char *name, const CommandOptions *options,
                         PixPrecision precision, gboolean discriminators, GError **error)
{
    g_autofree char *path = pix_model_find(name, error);
    if (!path)
        return NULL;
    if (!discriminators || !*path) /* an empty path is a model inside the library */
        return pix_model_load(device, name, options->domain, precision, error);
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(path, options->domain, error);
    return checkpoint ? pix_model_new(device, checkpoint, precision, error) : NULL;
}

/* On the CPU, where that may take over for the reason of @error, which is told then. */
static PixModel *fall_back(PixDevice *failed, const char *name, const CommandOptions *options,
                           PixPrecision precision, gboolean discriminators, GError **error)
{
    g_autoptr(PixDevice) cpu = pix_device_fallback(failed, *error);
    PixModel *model = cpu ? load_on(cpu, name, options, precision, discriminators, NULL) : NULL;

    if (model) {
        command_print_error("warning: %s; the CPU takes over", (*error)->message);
        g_clear_error(error);
    }
    return model;
}

PixModel *command_load_model(const char *name, const CommandOptions *options,
                             gboolean discriminators, GError **error)
{
    g_autoptr(PixDevice) device = command_open_device(options->device, options->threads, error);

    if (!device)
        return NULL;
    PixPrecision precision = options->precision;
    PixModel *model = load_on(device, name, options, precision, discriminators, error);
    return model ? model : fall_back(device, name, options, precision, discriminators, error);
}

gboolean command_fall_back(PixModel **model, const char *name, const CommandOptions *options,
                           gboolean discriminators, GError **error)
{
    PixPrecision precision = options->precision;

    if (precision == PIX_PRECISION_FP16) /* which the CPU has not, and work has begun */
        precision = PIX_PRECISION_AUTO;
    PixModel *other =
        fall_back(pix_model_get_device(*model), name, options, precision, discriminators, error);
    if (!other)
        return FALSE;
    pix_model_unref(*model);
    *model = other;
    return TRUE;
}

static volatile sig_atomic_t caught_signal;

/* Only calls that are allowed in a signal handler. */
static void catch_signal(int number)
{
    if (!caught_signal) {
        caught_signal = number;
        return;
    }
    output_file_abandon_all();
    signal(number, SIG_DFL);
    raise(number); /* arrives when this returns */
}

void command_watch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction ask = {.sa_handler = catch_signal, .sa_flags = SA_RESTART};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct sigaction before;

        /* nohup and shells' background jobs ignore some of them on purpose */
        if (!sigaction(numbers[i], NULL, &before) && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &ask, NULL);
    }
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

int command_interrupted(void)
{
    return caught_signal ? 128 + caught_signal : 0;
}
