/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix COMMAND ...: finds the subcommand and runs it.
 */
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const Command *const commands[] = {
    &command_train, &command_test,    &command_eval,  &command_convert,
    &command_info,  &command_forward, &command_bench, &command_devices,
};

static void print_help(void)
{
    puts("Usage: pix2pix COMMAND [OPTION...] [ARGUMENT...]\n"
         "\n"
         "Image-to-image translation with pix2pix and CycleGAN generators.\n"
         "\n"
         "Commands:");
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n"
         "Options:\n"
         "  --help     Show this help; pix2pix COMMAND --help shows a command's options\n"
         "  --version  Show the version\n"
         "\n"
         "Environment:\n"
         "  PIX2PIX_DEVICE      device, where --device does not name one: see pix2pix devices\n"
         "  PIX2PIX_CPU         highest CPU level to use: c, openblas, avx2, avx2vnni, avx512,\n"
         "                      avx512vnni, avx512dot, amx, neon\n"
         "  PIX2PIX_MODEL_PATH  folders where models are looked up by name\n"
         "  PIX2PIX_CACHE_DIR   folder for compiled shaders; all in it can be deleted\n"
         "\n"
         "Exit status: 0 done, 1 failed, 2 bad usage, 128 + N interrupted by signal N.");
}

static int run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    if (!name) {
        command_print_error("names no command, see pix2pix --help");
        return COMMAND_USAGE;
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        print_help();
        return COMMAND_DONE;
    }
    if (!strcmp(name, "--version")) {
        if (argc > 2) {
            command_print_error("--version: takes no arguments, see pix2pix --help");
            return COMMAND_USAGE;
        }
        printf("pix2pix %s\n", pix_version());
        return COMMAND_DONE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (!strcmp(name, commands[i]->name))
            return commands[i]->run(commands[i], argc - 1, argv + 1);
    }
    command_print_error("%s: no such %s, see pix2pix --help", name,
                        name[0] == '-' ? "option" : "command");
    return COMMAND_USAGE;
}

int main(int argc, char **argv)
{
    int status;

    /* No setlocale(): numbers are read and written in one way everywhere. */
    command_watch_signals();
    status = run(argc, argv);
    if (fflush(stdout) || ferror(stdout)) {
        if (errno == EPIPE) /* the reader has seen enough: no news, and no success */
            return status == COMMAND_DONE ? 128 + SIGPIPE : status;
        command_print_error("standard output: cannot be written (%s), free some space or redirect",
                            g_strerror(errno));
        if (status == COMMAND_DONE)
            status = COMMAND_FAILED;
    }
    return status;
}
