/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * 8-bit pixels to and from float: v / 127.5 - 1, and back rounded to nearest. Frames are images here:
 * others are converted by whoever has them.
 */
#include <stdatomic.h>

#include "cpu-private.h"
#include "error.h"

typedef struct {
    CpuView tensor;
    PixImage image;
    PixRect content;
    atomic_bool *nan; /* unpacking: set where a value is none */
} Pixels;

/* One plane of whole pixels, in the size and the channels of the network. */
bool cpu_takes(const PixDevice *device, const PixVideo *video, PixRect content)
{
    bool simple = video->n_planes == 1 && !video->converts && video->width == content.width &&
                  video->height == content.height;
    for (int i = 0; i < video->n_components; i++) {
        const PixComponent *c = &video->components[i];
        simple = simple && c->step == video->components[0].step && !c->x_shift && !c->y_shift;
    }
    return simple;
}

static PixImage image_of(const PixVideo *video)
{
    PixImage image = {.data = video->planes[0].data,
                      .stride = video->planes[0].stride,
                      .width = video->width,
                      .height = video->height,
                      .pixel_bytes = video->components[0].step,
                      .channels = video->n_components};
    for (int i = 0; i < video->n_components; i++)
        image.offset[i] = video->components[i].offset;
    return image;
}

/* Whether bytes and values of a row correspond one to one. */
static bool is_dense(const Pixels *p)
{
    const PixImage *image = &p->image;
    bool dense = image->pixel_bytes == image->channels && p->tensor.pixel == image->channels;
    for (int c = 0; c < image->channels; c++)
        dense = dense && image->offset[c] == c;
    return dense;
}

static float from_byte(guint8 byte)
{
    return (float)byte * (2 / 255.f) - 1;
}

static void pack_row(void *data, int y, int worker)
{
    const Pixels *p = data;
    const PixImage *image = &p->image;
    int row = CLAMP(y - p->content.y, 0, image->height - 1);
    const guint8 *from = image->data + row * image->stride;
    float *to = p->tensor.data + (ptrdiff_t)y * p->tensor.w * p->tensor.pixel;
    if (is_dense(p) && image->width == p->tensor.w) {
        for (ptrdiff_t i = 0; i < (ptrdiff_t)image->width * image->channels; i++)
            to[i] = from_byte(from[i]);
        return;
    }
    for (int x = 0; x < p->tensor.w; x++) {
        ptrdiff_t column = CLAMP(x - p->content.x, 0, image->width - 1);
        const guint8 *pixel = from + column * image->pixel_bytes;
        for (int c = 0; c < image->channels; c++)
            to[x * p->tensor.pixel + c] = from_byte(pixel[image->offset[c]]);
    }
}

bool cpu_write_image(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                     PixRect content, GError **error)
{
    Pixels p = {cpu_view(tensor), image_of(video), content, NULL};
    g_assert(cpu_takes(device, video, content));
    cpu_parallel(cpu_device(device)->pool, p.tensor.h, pack_row, &p);
    return true;
}

/* What is no number becomes 0. */
static guint8 to_byte(float v)
{
    float scaled = v * 127.5f + 128.f;
    scaled = scaled > 0 ? scaled : 0;
    return (guint8)(int)(scaled < 255 ? scaled : 255);
}

/* Returns: whether any of the values is no number. */
static bool to_bytes(const float *from, ptrdiff_t count, guint8 *to)
{
    int nan = 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        nan |= from[i] != from[i];
        to[i] = to_byte(from[i]);
    }
    return nan;
}

static void unpack_row(void *data, int y, int worker)
{
    const Pixels *p = data;
    const PixImage *image = &p->image;
    guint8 *to = image->data + y * image->stride;
    const float *from =
        p->tensor.data +
        ((ptrdiff_t)(y + p->content.y) * p->tensor.w + p->content.x) * p->tensor.pixel;
    bool nan = false;
    if (is_dense(p))
        nan = to_bytes(from, (ptrdiff_t)image->width * image->channels, to);
    else
        for (ptrdiff_t x = 0; x < image->width; x++)
            for (int c = 0; c < image->channels; c++)
                nan |= to_bytes(from + x * p->tensor.pixel + c, 1,
                                to + x * image->pixel_bytes + image->offset[c]);
    if (nan)
        atomic_store(p->nan, true);
}

bool cpu_read_image(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                    PixRect content, GError **error)
{
    atomic_bool nan = false;
    Pixels p = {cpu_view(tensor), image_of(video), content, &nan};
    g_assert(cpu_takes(device, video, content));
    cpu_parallel(cpu_device(device)->pool, video->height, unpack_row, &p);
    return !nan || pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                            "the network's output is not a number: its weights are out of range, "
                            "use an earlier checkpoint");
}
