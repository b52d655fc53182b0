/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the scripts here cannot do themselves: look into JSON, pictures and tensors.
 *
 *   test-tool json FILE PATH              prints a JSONPath's values; fails where there are none
 *   test-tool picture FILE WIDTH HEIGHT SEED
 *   test-tool header FILE WIDTH HEIGHT    a PNG that claims a size and has no pixels
 *   test-tool size FILE                   prints WIDTHxHEIGHT
 *   test-tool same FILE FILE [X]          the same pixels; from column X of the first on
 *   test-tool close FILE NAME FILE NAME TOLERANCE
 *   test-tool tensor FILE NAME N C H W
 *   test-tool mix MODEL OUT WORD...       writes MODEL with these precisions of its convolutions
 *   test-tool peak COMMAND...             runs it; prints the most memory that it had, in bytes
 */
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <pix2pix/pix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

static G_NORETURN void die(const char *what, GError *error)
{
    fprintf(stderr, "test-tool: %s: %s\n", what, error ? error->message : "differs");
    exit(1);
}

static GdkPixbuf *load(const char *file)
{
    GError *error = NULL;
    GdkPixbuf *pixbuf = gdk_pixbuf_new_from_file(file, &error);

    if (!pixbuf)
        die(file, error);
    return pixbuf;
}

static void query_json(char **arguments)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    GError *error = NULL;

    if (!json_parser_load_from_file(parser, arguments[0], &error))
        die(arguments[0], error);
    g_autoptr(JsonNode) found = json_path_query(arguments[1], json_parser_get_root(parser), &error);
    if (!found)
        die(arguments[1], error);
    JsonArray *values = json_node_get_array(found);
    if (json_array_get_length(values) == 0)
        die(arguments[1], NULL);
    for (guint i = 0; i < json_array_get_length(values); i++) {
        g_autofree char *text = json_to_string(json_array_get_element(values, i), FALSE);
        puts(text);
    }
}

static void make_picture(char **arguments)
{
    int width = atoi(arguments[1]), height = atoi(arguments[2]);
    guint seed = atoi(arguments[3]);
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, width, height);
    GError *error = NULL;
    const char *type = g_str_has_suffix(arguments[0], ".jpg") ? "jpeg" : "png";

    for (int y = 0; y < height; y++) {
        guint8 *row = gdk_pixbuf_get_pixels(pixbuf) + y * gdk_pixbuf_get_rowstride(pixbuf);
        for (int i = 0; i < 3 * width; i++)
            row[i] = 40 * seed + 3 * y + 5 * i;
    }
    if (!gdk_pixbuf_save(pixbuf, arguments[0], type, &error, NULL))
        die(arguments[0], error);
}

static void put_chunk(FILE *file, const char *type, const guint8 *data, guint32 bytes)
{
    guint8 head[8] = {bytes >> 24, bytes >> 16, bytes >> 8, bytes};
    memcpy(head + 4, type, 4);
    guint32 sum = crc32(crc32(0, head + 4, 4), data, bytes);
    guint8 tail[4] = {sum >> 24, sum >> 16, sum >> 8, sum};

    fwrite(head, 1, 8, file);
    fwrite(data, 1, bytes, file);
    fwrite(tail, 1, 4, file);
}

static void make_header(char **arguments)
{
    guint32 width = atoi(arguments[1]), height = atoi(arguments[2]);
    guint8 header[13] = {width >> 24,  width >> 16, width >> 8, width, height >> 24,
                         height >> 16, height >> 8, height,     8,     2};
    guint8 data[] = {0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01}; /* nothing, compressed */
    FILE *file = fopen(arguments[0], "wb");

    fwrite("\x89PNG\r\n\x1a\n", 1, 8, file);
    put_chunk(file, "IHDR", header, sizeof(header));
    put_chunk(file, "IDAT", data, sizeof(data));
    put_chunk(file, "IEND", data, 0);
    fclose(file);
}

static void compare_pictures(char **arguments, int n)
{
    g_autoptr(GdkPixbuf) a = load(arguments[0]), b = load(arguments[1]);
    int offset = n > 2 ? atoi(arguments[2]) : 0, width = gdk_pixbuf_get_width(b);
    int a_bytes = gdk_pixbuf_get_n_channels(a), b_bytes = gdk_pixbuf_get_n_channels(b);

    if (gdk_pixbuf_get_height(a) != gdk_pixbuf_get_height(b) ||
        (n > 2 ? gdk_pixbuf_get_width(a) < offset + width : gdk_pixbuf_get_width(a) != width))
        die("size", NULL);
    for (int y = 0; y < gdk_pixbuf_get_height(a); y++) {
        const guint8 *p = gdk_pixbuf_read_pixels(a) + y * gdk_pixbuf_get_rowstride(a);
        const guint8 *q = gdk_pixbuf_read_pixels(b) + y * gdk_pixbuf_get_rowstride(b);
        for (int x = 0; x < width; x++) {
            if (memcmp(p + (x + offset) * a_bytes, q + x * b_bytes, 3))
                die("pixel", NULL);
        }
    }
}

static void compare_tensors(char **arguments)
{
    int a_dims[4], b_dims[4];
    GError *error = NULL;
    g_autofree float *a = pix_tensor_read(arguments[0], arguments[1], a_dims, &error);
    g_autofree float *b = a ? pix_tensor_read(arguments[2], arguments[3], b_dims, &error) : NULL;
    double largest = 0;

    if (!b)
        die(arguments[0], error);
    if (memcmp(a_dims, b_dims, sizeof(a_dims)))
        die("shape", NULL);
    for (int i = 0; i < a_dims[0] * a_dims[1] * a_dims[2] * a_dims[3]; i++)
        largest = MAX(largest, fabs(a[i] - b[i]));
    printf("largest difference %g\n", largest);
    if (!(largest <= g_ascii_strtod(arguments[4], NULL)))
        die("value", NULL);
}

static void make_tensor(char **arguments)
{
    int dims[4];
    gsize count = 1;
    GError *error = NULL;

    for (int i = 0; i < 4; i++)
        count *= dims[i] = atoi(arguments[2 + i]);
    g_autofree float *values = g_new(float, count);
    for (gsize i = 0; i < count; i++)
        values[i] = sinf(i);
    if (!pix_tensor_write(arguments[0], arguments[1], values, dims, &error))
        die(arguments[0], error);
}

static PixPrecision find_precision(const char *word)
{
    PixPrecision precision = PIX_PRECISION_FP32;

    while (strcmp(pix_precision_name(precision), word))
        precision++;
    return precision;
}

static void write_mix(char **arguments, int n)
{
    GError *error = NULL;
    g_autoptr(PixCheckpoint) checkpoint = pix_checkpoint_open(arguments[0], NULL, &error);
    g_autofree PixPrecision *mix = g_new(PixPrecision, n - 2);

    if (!checkpoint)
        die(arguments[0], error);
    for (int i = 2; i < n; i++)
        mix[i - 2] = find_precision(arguments[i]);
    pix_checkpoint_set_mix(checkpoint, mix, 41.5, 5);
    if (!pix_checkpoint_save(checkpoint, arguments[1],
                             pix_checkpoint_get_info(checkpoint)->precision, &error))
        die(arguments[1], error);
}

static void run_for_peak(char **arguments)
{
    GError *error = NULL;
    GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL;
    struct rusage usage;
    int status;

    if (!g_spawn_sync(NULL, arguments, NULL, flags, NULL, NULL, NULL, NULL, &status, &error) ||
        status)
        die(arguments[0], error);
    getrusage(RUSAGE_CHILDREN, &usage);
    printf("%lld\n", usage.ru_maxrss * 1024LL); /* in KiB, as VmHWM */
}

int main(int argc, char **argv)
{
    const char *command = argc > 2 ? argv[1] : "";

    if (!strcmp(command, "json") && argc == 4)
        query_json(argv + 2);
    else if (!strcmp(command, "picture") && argc == 6)
        make_picture(argv + 2);
    else if (!strcmp(command, "header") && argc == 5)
        make_header(argv + 2);
    else if (!strcmp(command, "size") && argc == 3)
        printf("%dx%d\n", gdk_pixbuf_get_width(load(argv[2])),
               gdk_pixbuf_get_height(load(argv[2])));
    else if (!strcmp(command, "same") && argc >= 4)
        compare_pictures(argv + 2, argc - 2);
    else if (!strcmp(command, "close") && argc == 7)
        compare_tensors(argv + 2);
    else if (!strcmp(command, "tensor") && argc == 8)
        make_tensor(argv + 2);
    else if (!strcmp(command, "mix") && argc >= 5)
        write_mix(argv + 2, argc - 2);
    else if (!strcmp(command, "peak") && argc >= 3)
        run_for_peak(argv + 2);
    else
        die("usage", NULL);
    return 0;
}
