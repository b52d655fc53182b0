/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two who share a device: one translates frame after frame, and beside it, in a thread of its own,
 * another one loads a network and translates. Exit status 0: all frames are right. 3: the second failed,
 * with a line on stderr; when it tried again, its frames were right. 1: something was wrong, or the first
 * was told something, or one of its frames was not the same to the bit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pix2pix/pix-train.h>

#define SIDE 16
#define COUNT ((size_t)3 * SIDE * SIDE)

typedef struct {
    PixNetwork *network;
    PixSession *session;
} Sharer;

static void sharer_clear(Sharer *sharer)
{
    g_clear_pointer(&sharer->session, pix_session_free);
    g_clear_pointer(&sharer->network, pix_network_free);
}

static gboolean sharer_init(Sharer *sharer, PixDevice *device, int filters, GError **error)
{
    const PixNetworkOptions network = {.architecture = "unet_16",
                                       .norm = "instance",
                                       .in_channels = 3,
                                       .out_channels = 3,
                                       .filters = filters};
    PixSessionOptions options;
    *sharer = (Sharer){NULL, NULL};
    sharer->network = pix_network_new(device, &network, error);
    if (!sharer->network || !pix_network_init(sharer->network, PIX_INIT_NORMAL, 0.2, 1, error))
        return FALSE;
    pix_session_options_init(&options, pix_network_get_model(sharer->network));
    options.width = options.height = SIDE;
    sharer->session = pix_session_new(pix_network_get_model(sharer->network), &options, error);
    return sharer->session != NULL;
}

static gboolean translate(Sharer *sharer, guint8 *frame, GError **error)
{
    guint8 pixels[COUNT];
    PixImage in = {pixels, 3 * SIDE, SIDE, SIDE, 3, 3, {0, 1, 2}}, out = in;
    for (size_t i = 0; i < COUNT; i++)
        pixels[i] = (guint8)(i * 37);
    out.data = frame;
    return pix_session_translate(sharer->session, &in, &out, error);
}

/* ---- the one that loads ---- */

#define LOADER_FILTERS 2

typedef struct {
    PixDevice *device;
    guint8 expected[COUNT];
    gint status, done; /* atomic */
    gint frames;       /* atomic: that the other one has translated; -1: it has ended */
} Loader;

static gboolean is_right(const guint8 *frame, const guint8 *expected)
{
    for (size_t i = 0; i < COUNT; i++)
        if (abs(frame[i] - expected[i]) > 1)
            return FALSE;
    return TRUE;
}

/* What is wrong with work that has been asked for is told when it is read, whatever the other one does. */
static gboolean use_figures(Loader *loader, GError **error)
{
    double value = 1;
    g_autoptr(PixFigures) figures = pix_figures_new(loader->device, 1, error);
    int seen = g_atomic_int_get(&loader->frames), now = seen;
    while (figures && now >= 0 && now < seen + 2) {
        g_usleep(100);
        now = g_atomic_int_get(&loader->frames);
    }
    return figures && pix_figures_read(figures, &value, error) && value == 0;
}

/* Returns: whether it came to an end. @right: (out): what came of it is right. */
static gboolean load(Loader *loader, gboolean *right, GError **error)
{
    Sharer sharer = {NULL, NULL};
    guint8 frame[COUNT];
    float x[COUNT] = {0}, y[COUNT];
    gboolean done =
        use_figures(loader, error) && sharer_init(&sharer, loader->device, LOADER_FILTERS, error) &&
        pix_session_forward(sharer.session, x, y, error) && translate(&sharer, frame, error);
    *right = done && is_right(frame, loader->expected);
    sharer_clear(&sharer);
    return done;
}

static gpointer run_loader(gpointer data)
{
    Loader *loader = data;
    GError *error = NULL;
    gboolean right;
    int status = 0;
    if (!load(loader, &right, &error)) {
        fprintf(stderr, "%s\n", error->message);
        g_clear_error(&error);
        status = 3;
        load(loader, &right, NULL);
    }
    g_atomic_int_set(&loader->status, right ? status : 1);
    g_atomic_int_set(&loader->done, 1);
    return NULL;
}

/* ---- the one that translates ---- */

/* Until the other is done, and some more. Returns: whether nothing was the matter. */
static gboolean stream(Sharer *sharer, Loader *loader, const guint8 *expected)
{
    guint8 frame[COUNT];
    GError *error = NULL;
    for (int more = 3; more > 0; more -= g_atomic_int_get(&loader->done)) {
        if (!translate(sharer, frame, &error)) {
            fprintf(stderr, "the one that translates: %s\n", error->message);
            return FALSE;
        }
        if (memcmp(frame, expected, COUNT) != 0) {
            fprintf(stderr, "a frame has changed\n");
            return FALSE;
        }
        g_atomic_int_inc(&loader->frames);
    }
    return TRUE;
}

int main(void)
{
    Loader loader = {NULL};
    Sharer sharer;
    guint8 expected[COUNT];
    g_autoptr(PixDevice) cpu = pix_device_open("cpu", 1, NULL);
    if (!sharer_init(&sharer, cpu, LOADER_FILTERS, NULL) ||
        !translate(&sharer, loader.expected, NULL))
        g_error("the CPU fails");
    sharer_clear(&sharer);
    g_autoptr(PixDevice) device = loader.device = pix_device_open(NULL, 1, NULL);
    if (!device || !sharer_init(&sharer, device, 1, NULL) || !translate(&sharer, expected, NULL))
        return 77;
    GThread *thread = g_thread_new("loader", run_loader, &loader);
    gboolean good = stream(&sharer, &loader, expected);
    g_atomic_int_set(&loader.frames, -1);
    g_thread_join(thread);
    sharer_clear(&sharer);
    return good ? g_atomic_int_get(&loader.status) : 1;
}
