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

static void pack_row(void *data, int y, int worker)
{
    const Pixels *p = data;
    const PixImage *image = &p->image;
    int row = CLAMP(y - p->content.y, 0, image->height - 1);
    const guint8 *from = image->data + row * image->stride;
    float *to = p->tensor.data + (ptrdiff_t)y * p->tensor.w * p->tensor.pixel;
    for (int x = 0; x < p->tensor.w; x++) {
        ptrdiff_t column = CLAMP(x - p->content.x, 0, image->width - 1);
        const guint8 *pixel = from + column * image->pixel_bytes;
        for (int c = 0; c < image->channels; c++)
            to[x * p->tensor.pixel + c] = (float)pixel[image->offset[c]] * (2 / 255.f) - 1;
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

static guint8 to_byte(float v)
{
    float scaled = v * 127.5f + 128.f;
    return !(scaled > 0) ? 0 : scaled > 255 ? 255 : (guint8)scaled;
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
    for (ptrdiff_t x = 0; x < image->width; x++)
        for (int c = 0; c < image->channels; c++) {
            float v = from[x * p->tensor.pixel + c];
            nan |= v != v;
            to[x * image->pixel_bytes + image->offset[c]] = to_byte(v);
        }
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
