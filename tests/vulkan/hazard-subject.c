/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Work with one dependency, for a test that takes its barrier away: the second of two dispatches reads
 * what the first has written. In one recording, or, with the argument "across", in two that are
 * submitted one after the other. Its barriers, in order: within: one at the beginning, the one in
 * question, one at the end; across: two of the first recording, then the one in question.
 */
#include <string.h>

#include "backend.h"

#define BYTES 4096
#define BUFFERS 3

static PixDevice *device;
static PixRange ranges[BUFFERS];

static PixCommands *record(int first, int last)
{
    const PixBackend *backend = device->backend;
    if (!backend->record(device, NULL))
        g_error("no recording");
    for (int i = first; i < last; i++)
        backend->approach(device, ranges[i + 1], ranges[i], 0.5f);
    return backend->finish(device, NULL);
}

static void run(PixCommands *const *recordings, int n)
{
    const PixBackend *backend = device->backend;
    for (int i = 0; i < n; i++)
        if (!backend->submit(device, recordings[i], NULL))
            g_error("no submission");
    for (int i = 0; i < n; i++) {
        backend->wait(device, recordings[i], NULL);
        backend->commands_free(device, recordings[i]);
    }
}

int main(int argc, char **argv)
{
    bool across = argc > 1 && strcmp(argv[1], "across") == 0;
    const PixBackend *backend = &pix_backend_vulkan;
    device = backend->open(NULL, false, 1, NULL);
    if (!device)
        return 77;
    for (int i = 0; i < BUFFERS; i++)
        ranges[i] = (PixRange){backend->buffer_new(device, BYTES, NULL), 0, BYTES};
    if (across)
        run((PixCommands *[]){record(0, 1), record(1, 2)}, 2);
    else
        run((PixCommands *[]){record(0, 2)}, 1);
    for (int i = 0; i < BUFFERS; i++)
        backend->buffer_free(device, ranges[i].buffer);
    backend->close(device);
    return 0;
}
