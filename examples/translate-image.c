/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * translate-image MODEL IN.ppm OUT.ppm: libpix2pix in a program that knows nothing else.
 */
#include <pix2pix/pix.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Reads a binary PPM with 8 bits a channel and no comments. Returns: NULL where it is none. */
static guint8 *read_ppm(const char *file, int *width, int *height)
{
    FILE *stream = fopen(file, "rb");
    guint8 *pixels = NULL;
    int max = 0;

    if (stream && fscanf(stream, "P6 %5d %5d %d", width, height, &max) == 3 && max == 255 &&
        *width > 0 && *height > 0 && fgetc(stream) != EOF) {
        gsize bytes = (gsize)*width * *height * 3;
        pixels = g_malloc(bytes);
        if (fread(pixels, 1, bytes, stream) != bytes)
            g_clear_pointer(&pixels, g_free);
    }
    if (stream)
        fclose(stream);
    return pixels;
}

static gboolean write_ppm(const char *file, const PixImage *image)
{
    FILE *stream = fopen(file, "wb");

    if (!stream)
        return FALSE;
    fprintf(stream, "P6\n%d %d\n255\n", image->width, image->height);
    fwrite(image->data, 3, (gsize)image->width * image->height, stream);
    gboolean written = !ferror(stream);
    return !fclose(stream) && written;
}

/* Translates @image in place, at its own size. */
static gboolean translate(const char *name, PixImage *image, GError **error)
{
    g_autoptr(PixDevice) device = pix_device_open(NULL, 0, error);
    g_autoptr(PixModel) model =
        device ? pix_model_load(device, name, NULL, PIX_PRECISION_AUTO, error) : NULL;
    PixSessionOptions options;

    if (!model)
        return FALSE;
    pix_session_options_init(&options, model);
    options.width = image->width;
    options.height = image->height;
    g_autoptr(PixSession) session = pix_session_new(model, &options, error);
    return session && pix_session_translate(session, image, image, error);
}

int main(int argc, char **argv)
{
    PixImage image = {.pixel_bytes = 3, .channels = 3, .offset = {0, 1, 2}};
    g_autoptr(GError) error = NULL;
    int status = 1;

    if (argc != 4) {
        fputs("Usage: translate-image MODEL IN.ppm OUT.ppm\n", stderr);
        return 2;
    }
    image.data = read_ppm(argv[2], &image.width, &image.height);
    image.stride = (gssize)image.width * 3;
    if (!image.data)
        fprintf(stderr, "translate-image: %s: is no binary PPM file\n", argv[2]);
    else if (!translate(argv[1], &image, &error))
        fprintf(stderr, "translate-image: %s\n", error->message);
    else if (!write_ppm(argv[3], &image))
        fprintf(stderr, "translate-image: %s: %s\n", argv[3], g_strerror(errno));
    else
        status = 0;
    g_free(image.data);
    return status;
}
