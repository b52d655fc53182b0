/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-file.h"

#include "output-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <pix2pix/pix.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 8192 x 8192. In 4 bytes a pixel that is 256 MiB, and more than any network here can take. */
#define MAX_PIXELS (64 * 1024 * 1024)
#define MAX_BYTES (512 * 1024 * 1024)
#define CHUNK 65536

/* What a loader has told us so far. */
typedef struct {
    int width, height; /* of the header; 0 before it was read */
    gboolean too_large;
} Decoding;

Picture *picture_new(int width, int height)
{
    Picture *picture = g_new(Picture, 1);

    picture->width = width;
    picture->height = height;
    picture->data = g_malloc((gsize)width * height * 3);
    return picture;
}

void picture_free(Picture *picture)
{
    if (!picture)
        return;
    g_free(picture->data);
    g_free(picture);
}

static void copy_rows(guint8 *to, gsize to_stride, const guint8 *from, gsize from_stride,
                      gsize row_bytes, int rows)
{
    for (int y = 0; y < rows; y++)
        memcpy(to + y * to_stride, from + y * from_stride, row_bytes);
}

/* Copies the colours out of @pixbuf, which has 8 bits a channel, as all of gdk-pixbuf's do. */
static Picture *picture_from_pixbuf(const GdkPixbuf *pixbuf)
{
    Picture *picture = picture_new(gdk_pixbuf_get_width(pixbuf), gdk_pixbuf_get_height(pixbuf));
    const guint8 *from = gdk_pixbuf_read_pixels(pixbuf);
    int stride = gdk_pixbuf_get_rowstride(pixbuf), bytes = gdk_pixbuf_get_n_channels(pixbuf);
    guint8 *to = picture->data;

    for (int y = 0; y < picture->height; y++) {
        for (int x = 0; x < picture->width; x++, to += 3)
            memcpy(to, from + (gsize)y * stride + (gsize)x * bytes, 3);
    }
    return picture;
}

/* A view of @picture. */
static GdkPixbuf *picture_as_pixbuf(const Picture *picture)
{
    return gdk_pixbuf_new_from_data(picture->data, GDK_COLORSPACE_RGB, FALSE, 8, picture->width,
                                    picture->height, picture->width * 3, NULL, NULL);
}

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

/* Whether a JPEG's markers lead to its end: FF and a code, most of them with a length and a body;
 * after SOS, compressed data in which FF is followed by 0 or a restart code. */
static gboolean is_whole_jpeg(const guint8 *data, gsize bytes)
{
    gsize at = 2;

    while (at + 4 <= bytes) {
        guint8 code = data[at + 1];
        if (data[at] != 0xff)
            at++; /* compressed data */
        else if (code == 0xff)
            at++; /* padding */
        else if (code == 0 || code == 0x01 || (code >= 0xd0 && code <= 0xd8))
            at += 2; /* no length */
        else if (code == 0xd9)
            return TRUE;
        else
            at += 2 + (data[at + 2] << 8 | data[at + 3]);
    }
    return at + 2 <= bytes && data[bytes - 2] == 0xff && data[bytes - 1] == 0xd9;
}

/* Whether a PNG's chunks lead to IEND: 4 bytes of length, 4 of type, the data, 4 of checksum. */
static gboolean is_whole_png(const guint8 *data, gsize bytes)
{
    guint64 at = 8;

    while (at + 12 <= bytes) {
        if (!memcmp(data + at + 4, "IEND", 4))
            return TRUE;
        at +=
            12 + ((guint64)data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]);
    }
    return FALSE;
}

/* gdk-pixbuf takes a PNG or JPEG that ends early for a whole one. */
static gboolean ends_early(const GByteArray *data)
{
    if (data->len >= 8 && !memcmp(data->data, "\x89PNG\r\n\x1a\n", 8))
        return !is_whole_png(data->data, data->len);
    if (data->len >= 2 && !memcmp(data->data, "\xff\xd8", 2))
        return !is_whole_jpeg(data->data, data->len);
    return FALSE;
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

Picture *picture_read(const char *file, GError **error)
{
    g_autoptr(GByteArray) data = read_all(file, error);

    if (!data)
        return NULL;
    g_autoptr(GdkPixbufLoader) loader = gdk_pixbuf_loader_new();
    g_autoptr(GError) broken = NULL;
    Decoding decoding = {0};
    g_signal_connect(loader, "size-prepared", G_CALLBACK(on_size), &decoding);
    gboolean decoded = decode(loader, data, &decoding, &broken);
    GdkPixbuf *pixbuf = decoded ? gdk_pixbuf_loader_get_pixbuf(loader) : NULL;

    if (decoding.too_large) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                    "%s: has %d x %d pixels, more than the %d Mi that are allowed, scale it down",
                    file, decoding.width, decoding.height, MAX_PIXELS >> 20);
        return NULL;
    }
    if (!pixbuf || ends_early(data)) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "%s: cannot be decoded (%s), replace it", file,
                    broken   ? broken->message
                    : pixbuf ? "it ends early"
                             : "it holds no picture");
        return NULL;
    }
    g_autoptr(GdkPixbuf) upright = gdk_pixbuf_apply_embedded_orientation(pixbuf);
    return picture_from_pixbuf(upright);
}

Picture *picture_crop(const Picture *picture, int x, int y, int width, int height)
{
    Picture *part = picture_new(width, height);
    gsize stride = (gsize)picture->width * 3;

    copy_rows(part->data, (gsize)width * 3, picture->data + y * stride + (gsize)x * 3, stride,
              (gsize)width * 3, height);
    return part;
}

Picture *picture_scale(const Picture *picture, int width, int height)
{
    if (picture->width == width && picture->height == height)
        return picture_crop(picture, 0, 0, width, height);
    g_autoptr(GdkPixbuf) from = picture_as_pixbuf(picture);
    g_autoptr(GdkPixbuf) to = gdk_pixbuf_scale_simple(from, width, height, GDK_INTERP_BILINEAR);
    return picture_from_pixbuf(to);
}

static GBytes *encode(GdkPixbuf *pixbuf, const char *type, GError **error)
{
    char *key[] = {!strcmp(type, "jpeg") ? "quality" : NULL, NULL}, *value[] = {"92", NULL};
    char *data;
    gsize bytes;

    if (!gdk_pixbuf_save_to_bufferv(pixbuf, &data, &bytes, type, key, value, error))
        return NULL;
    return g_bytes_new_take(data, bytes);
}

/* Whether it has at most 256 colours, as drawings have and photos do not. */
static gboolean is_drawing(const Picture *picture)
{
    g_autoptr(GHashTable) colours = g_hash_table_new(NULL, NULL);
    const guint8 *p = picture->data, *end = p + (gsize)picture->width * picture->height * 3;

    for (; p < end && g_hash_table_size(colours) <= 256; p += 3)
        g_hash_table_add(colours, GUINT_TO_POINTER(p[0] << 16 | p[1] << 8 | p[2]));
    return p == end && g_hash_table_size(colours) <= 256;
}

GBytes *picture_encode_small(const Picture *picture, const char **mime, GError **error)
{
    g_autoptr(GdkPixbuf) pixbuf = picture_as_pixbuf(picture);
    gboolean drawing = is_drawing(picture);

    *mime = drawing ? "image/png" : "image/jpeg";
    return encode(pixbuf, drawing ? "png" : "jpeg", error);
}

gboolean picture_write_png(const Picture *picture, const char *file, GError **error)
{
    g_autoptr(GdkPixbuf) pixbuf = picture_as_pixbuf(picture);
    g_autoptr(GBytes) png = encode(pixbuf, "png", error);
    OutputFile *output = png ? output_file_open(file, error) : NULL;
    gsize bytes;

    if (!output)
        return FALSE;
    const void *data = g_bytes_get_data(png, &bytes);
    fwrite(data, 1, bytes, output->stream);
    return output_file_commit(output, error); /* sees a failed write, too */
}

gboolean picture_is_name(const char *file)
{
    static const char *const endings[] = {".png", ".jpg",  ".jpeg", ".bmp", ".gif",
                                          ".tif", ".tiff", ".webp", ".ppm", ".pgm"};
    const char *dot = strrchr(file, '.');

    for (gsize i = 0; dot && i < G_N_ELEMENTS(endings); i++) {
        if (!g_ascii_strcasecmp(dot, endings[i]))
            return TRUE;
    }
    return FALSE;
}

/* Runs of digits compare as numbers, everything else byte by byte; the same in every locale. */
static int compare_counting(gconstpointer left, gconstpointer right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;

    while (*a && *b) {
        if (g_ascii_isdigit(*a) && g_ascii_isdigit(*b)) {
            gsize a_zeros = strspn(a, "0"), b_zeros = strspn(b, "0");
            gsize a_digits = strspn(a + a_zeros, "0123456789");
            gsize b_digits = strspn(b + b_zeros, "0123456789");
            int order = a_digits != b_digits ? (a_digits < b_digits ? -1 : 1)
                                             : memcmp(a + a_zeros, b + b_zeros, a_digits);
            if (order)
                return order;
            a += a_zeros + a_digits;
            b += b_zeros + b_digits;
        } else if (*a != *b) {
            break;
        } else {
            a++, b++;
        }
    }
    if (*a || *b)
        return (guchar)*a - (guchar)*b;
    return strcmp(*(const char *const *)left, *(const char *const *)right); /* 1.png, 01.png */
}

GPtrArray *picture_list(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir) {
        g_set_error(error, PIX_ERROR, errno == ENOENT ? PIX_ERROR_NOT_FOUND : PIX_ERROR_IO,
                    "%s: cannot be listed (%s), name another folder", folder, g_strerror(errno));
        return NULL;
    }
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.' && picture_is_name(entry->d_name))
            g_ptr_array_add(files, g_build_filename(folder, entry->d_name, NULL));
    }
    closedir(dir);
    if (files->len == 0) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND, "%s: holds no pictures, choose another",
                    folder);
        return NULL;
    }
    g_ptr_array_sort(files, compare_counting);
    return g_steal_pointer(&files);
}
