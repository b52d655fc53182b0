/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Usage: stream-rates MODEL FRAMES THREADS
 *
 * What streams of one process take from each other: how many frames a second one does alone, and two at
 * once do together, on the CPU, each with a thread and a session of its own. Prints both as JSON, each the
 * mean of two turns of FRAMES.
 */
#include <pix2pix/pix.h>
#include <stdio.h>
#include <stdlib.h>

#define WARM_UP 3 /* frames */
#define MAX_FRAMES 100000

typedef struct {
    PixSession *session;
    PixImage in, out;
    int frames;
    GError *error;
} Stream;

/* Seeded noise: flat pictures would be kinder to caches and denormals than real ones. */
static PixImage image_new(const PixModelInfo *info)
{
    PixImage image = {.stride = 3 * (gssize)info->width,
                      .width = info->width,
                      .height = info->height,
                      .pixel_bytes = 3,
                      .channels = 3,
                      .offset = {0, 1, 2}};
    gsize bytes = (gsize)image.stride * (gsize)image.height;
    GRand *rand = g_rand_new_with_seed(1);

    image.data = g_new(guint8, bytes);
    for (gsize i = 0; i < bytes; i++)
        image.data[i] = (guint8)g_rand_int(rand);
    g_rand_free(rand);
    return image;
}

static gpointer run(gpointer data)
{
    Stream *stream = data;

    for (int i = 0; i < stream->frames && !stream->error; i++)
        pix_session_translate(stream->session, &stream->in, &stream->out, &stream->error);
    return NULL;
}

static gboolean stream_init(Stream *stream, PixModel *model)
{
    PixSessionOptions options;

    stream->in = image_new(pix_model_get_info(model));
    stream->out = image_new(pix_model_get_info(model));
    pix_session_options_init(&options, model);
    stream->session = pix_session_new(model, &options, &stream->error);
    stream->frames = WARM_UP;
    if (stream->session)
        run(stream);
    return !stream->error;
}

static void stream_clear(Stream *stream)
{
    pix_session_free(stream->session);
    g_free(stream->in.data);
    g_free(stream->out.data);
    g_clear_error(&stream->error);
}

/* Returns: frames a second of all @n together. */
static double rate(Stream *streams, int n, int frames)
{
    GThread *threads[2];
    gint64 before = g_get_monotonic_time();

    for (int i = 0; i < n; i++) {
        streams[i].frames = frames;
        threads[i] = g_thread_new(NULL, run, &streams[i]);
    }
    for (int i = 0; i < n; i++)
        g_thread_join(threads[i]);
    return n * frames / ((double)(g_get_monotonic_time() - before) / G_USEC_PER_SEC);
}

/* One, two, two, one: a machine that grows faster or slower meanwhile does so for both. */
static void print_rates(Stream *streams, int frames)
{
    static const int order[] = {1, 2, 2, 1};
    double sums[3] = {0}; /* by the number of streams */
    char one[G_ASCII_DTOSTR_BUF_SIZE], two[G_ASCII_DTOSTR_BUF_SIZE];

    for (gsize i = 0; i < G_N_ELEMENTS(order); i++)
        sums[order[i]] += rate(streams, order[i], frames);
    g_ascii_formatd(one, sizeof one, "%.3f", sums[1] / 2);
    g_ascii_formatd(two, sizeof two, "%.3f", sums[2] / 2);
    printf("{\"one\": %s, \"two\": %s}\n", one, two);
}

int main(int argc, char **argv)
{
    int frames = argc == 4 ? atoi(argv[2]) : 0, threads = argc == 4 ? atoi(argv[3]) : 0;
    g_autoptr(GError) error = NULL;
    Stream streams[2] = {0};

    if (frames < 1 || frames > MAX_FRAMES || threads < 1) {
        fprintf(stderr, "usage: stream-rates MODEL FRAMES THREADS\n");
        return 2;
    }
    g_autoptr(PixDevice) device = pix_device_open("cpu", (unsigned)threads, &error);
    g_autoptr(PixModel) model =
        device ? pix_model_load(device, argv[1], NULL, PIX_PRECISION_AUTO, &error) : NULL;
    gboolean done = model && stream_init(&streams[0], model) && stream_init(&streams[1], model);
    if (done)
        print_rates(streams, frames);
    for (int i = 0; i < 2; i++) {
        if (streams[i].error && !error)
            error = g_steal_pointer(&streams[i].error);
        stream_clear(&streams[i]);
    }
    if (error)
        fprintf(stderr, "stream-rates: %s\n", error->message);
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
