/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-file.h"

#include "image-pixbuf.h"
#include "image-whole.h"

#include <errno.h>
#include <fcntl.h>
#include <pix2pix/pix.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 8192 x 8192. In 4 bytes a pixel that is 256 MiB, and more than any network here can take. */
#define MAX_PIXELS (64 * 1024 * 1024)
#define MAX_BYTES (512 * 1024 * 1024)
#define CHUNK 65536
#define HEADER_CHUNK 4096 /* holds most headers */

/* What a loader has told us so far. */
typedef struct {
    int width, height; /* of the header; 0 before it was read */
    gboolean too_large;
} Decoding;

static void on_size(GdkPixbufLoader *loader, int width, int height, Decoding *decoding)
{
    decoding->width = width;
    decoding->height = height;
    if ((gint64)width * height > MAX_PIXELS) {
        decoding->too_large = TRUE;
        gdk_pixbuf_loader_set_size(loader, 0, 0); /* decodes nothing */
    }
}

/* Opens @file for reading; pipes and devices are refused, because opening one can wait for ever. */
static int open_regular(const char *file, GError **error)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (fd < 0) {
        g_set_error(error, PIX_ERROR, errno == ENOENT ? PIX_ERROR_NOT_FOUND : PIX_ERROR_IO,
                    "%s: cannot be opened (%s), check the name", file, g_strerror(errno));
        return -1;
    }
    if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "%s: is %s, give the name of a picture", file,
                    S_ISDIR(status.st_mode) ? "a folder" : "no regular file");
        close(fd);
        return -1;
    }
    return fd;
}

/* Returns: (transfer full): all of @file. */
static GByteArray *read_all(const char *file, GError **error)
{
    int fd = open_regular(file, error);
    g_autoptr(GByteArray) data = g_byte_array_new();
    guint8 chunk[CHUNK];
    gssize got = 0;

    if (fd < 0)
        return NULL;
    while (data->len <= MAX_BYTES && (got = read(fd, chunk, sizeof(chunk))) > 0)
        g_byte_array_append(data, chunk, got);
    int code = errno;
    close(fd);
    if (got >= 0 && data->len <= MAX_BYTES)
        return g_steal_pointer(&data);
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "%s: cannot be read (%s), replace it", file,
                got < 0 ? g_strerror(code) : "it is too long for a picture");
    return NULL;
}

static GdkPixbufLoader *new_loader(Decoding *decoding)
{
    GdkPixbufLoader *loader = gdk_pixbuf_loader_new();

    *decoding = (Decoding){0};
    g_signal_connect(loader, "size-prepared", G_CALLBACK(on_size), decoding);
    return loader;
}

/* In pieces, so that a header that asks for too much stops the rest. */
static gboolean decode(GdkPixbufLoader *loader, const GByteArray *data, const Decoding *decoding,
                       GError **error)
{
    for (gsize at = 0; at < data->len; at += CHUNK) {
        if (!gdk_pixbuf_loader_write(loader, data->data + at, MIN(CHUNK, data->len - at), error) ||
            decoding->too_large) {
            gdk_pixbuf_loader_close(loader, NULL);
            return FALSE;
        }
    }
    return gdk_pixbuf_loader_close(loader, error);
}

static gboolean is_webp(const guint8 *head, gsize bytes)
{
    return bytes >= 12 && !memcmp(head, "RIFF", 4) && !memcmp(head + 8, "WEBP", 4);
}

/* Says why @file, which begins with @head, is no picture to us. @broken: (nullable). */
static void set_decode_error(const char *file, const guint8 *head, gsize bytes,
                             const Decoding *decoding, const GError *broken, GError **error)
{
    if (decoding->too_large)
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "%s: has %d x %d pixels, more than the %d Mi that are allowed, scale it down",
                    file, decoding->width, decoding->height, MAX_PIXELS >> 20);
    else if (bytes == 0 ||
             !g_error_matches(broken, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_UNKNOWN_TYPE))
        g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "%s: cannot be decoded (%s), replace it", file,
                    bytes == 0 ? "it is empty"
                    : broken   ? broken->message
                               : "it holds no picture");
    else if (is_webp(head, bytes))
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "%s: is WebP, which cannot be read here, install webp-pixbuf-loader", file);
    else
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "%s: is of no type that can be read here (JPEG and PNG can), convert it", file);
}

static gboolean set_short_error(const char *file, GError **error)
{
    g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "%s: cannot be decoded (it ends early), replace it",
                file);
    return FALSE;
}

Picture *picture_read_as(const char *file, int channels, GError **error)
{
    g_autoptr(GByteArray) data = read_all(file, error);

    if (!data)
        return NULL;
    g_autoptr(GError) broken = NULL;
    Decoding decoding;
    g_autoptr(GdkPixbufLoader) loader = new_loader(&decoding);
    gboolean decoded = decode(loader, data, &decoding, &broken);
    GdkPixbuf *pixbuf = decoded ? gdk_pixbuf_loader_get_pixbuf(loader) : NULL;

    if (!pixbuf) {
        set_decode_error(file, data->data, data->len, &decoding, broken, error);
        return NULL;
    }
    if (!image_is_whole(data->data, data->len)) {
        set_short_error(file, error);
        return NULL;
    }
    g_autoptr(GdkPixbuf) upright = gdk_pixbuf_apply_embedded_orientation(pixbuf);
    return picture_from_pixbuf(upright, channels);
}

Picture *picture_read(const char *file, GError **error)
{
    return picture_read_as(file, 3, error);
}

/* Feeds @loader from @fd until it knows what pixels there will be, or to the end.
 * Returns: (transfer none): a picture whose pixels are not there yet. */
static GdkPixbuf *decode_header(GdkPixbufLoader *loader, int fd, const Decoding *decoding,
                                GError **error)
{
    guint8 chunk[HEADER_CHUNK];
    gssize got = 0;
    gboolean written = TRUE;

    while (written && !gdk_pixbuf_loader_get_pixbuf(loader) && !decoding->too_large &&
           (got = read(fd, chunk, sizeof(chunk))) > 0)
        written = gdk_pixbuf_loader_write(loader, chunk, got, error);
    /* Only at the end of the file is it interesting what closing says. */
    gdk_pixbuf_loader_close(loader, written && got <= 0 ? error : NULL);
    return decoding->too_large ? NULL : gdk_pixbuf_loader_get_pixbuf(loader);
}

/* Whether the file ends as its beginning promises; reads all of it only where that is unclear. */
static gboolean check_end(const char *file, int fd, GError **error)
{
    guint8 head[IMAGE_TAIL_BYTES], tail[IMAGE_TAIL_BYTES];
    struct stat status;

    if (!fstat(fd, &status) && status.st_size >= IMAGE_TAIL_BYTES &&
        pread(fd, head, sizeof(head), 0) == sizeof(head) &&
        pread(fd, tail, sizeof(tail), status.st_size - sizeof(tail)) == sizeof(tail) &&
        image_has_end(head, tail))
        return TRUE;
    g_autoptr(GByteArray) data = read_all(file, error);
    if (!data)
        return FALSE;
    return image_is_whole(data->data, data->len) || set_short_error(file, error);
}

/* Whether a picture with this EXIF orientation is turned by a quarter. */
static gboolean lies_on_its_side(GdkPixbuf *pixbuf)
{
    const char *orientation = gdk_pixbuf_get_option(pixbuf, "orientation");

    return orientation && orientation[0] >= '5' && orientation[0] <= '8';
}

gboolean picture_check(const char *file, int *width, int *height, GError **error)
{
    int fd = open_regular(file, error);

    if (fd < 0)
        return FALSE;
    g_autoptr(GError) broken = NULL;
    Decoding decoding;
    g_autoptr(GdkPixbufLoader) loader = new_loader(&decoding);
    GdkPixbuf *pixbuf = decode_header(loader, fd, &decoding, &broken);
    guint8 head[IMAGE_TAIL_BYTES];
    gssize got = pixbuf ? 0 : pread(fd, head, sizeof(head), 0);
    gboolean whole = pixbuf && check_end(file, fd, error);
    close(fd);
    if (!pixbuf)
        set_decode_error(file, head, MAX(got, 0), &decoding, broken, error);
    if (!whole)
        return FALSE;
    *width = lies_on_its_side(pixbuf) ? decoding.height : decoding.width;
    *height = lies_on_its_side(pixbuf) ? decoding.width : decoding.height;
    return TRUE;
}
