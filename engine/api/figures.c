/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "figures.h"

PixFigures *pix_figures_new(PixDevice *device, guint count, GError **error)
{
    g_return_val_if_fail(device && count > 0, NULL);
    PixBuffer *buffer =
        device->backend->buffer_new(device, (size_t)count * PIX_FIGURE_BYTES, error);
    if (!buffer)
        return NULL;
    PixFigures *figures = g_new(PixFigures, 1);
    *figures = (PixFigures){pix_device_ref(device), buffer, count};
    pix_figures_clear(figures);
    return figures;
}

void pix_figures_free(PixFigures *figures)
{
    if (!figures)
        return;
    figures->device->backend->buffer_free(figures->device, figures->buffer);
    pix_device_unref(figures->device);
    g_free(figures);
}

PixRange pix_figures_range(const PixFigures *figures, guint first, guint count)
{
    return (PixRange){figures->buffer, (size_t)first * PIX_FIGURE_BYTES,
                      (size_t)count * PIX_FIGURE_BYTES};
}

void pix_figures_clear(PixFigures *figures)
{
    g_return_if_fail(figures);
    figures->device->backend->fill(figures->device, pix_figures_range(figures, 0, figures->count),
                                   0);
}

gboolean pix_figures_read(PixFigures *figures, double *values, GError **error)
{
    g_return_val_if_fail(figures && values, FALSE);
    PixDevice *device = figures->device;
    return device->backend->read_figures(device, pix_figures_range(figures, 0, figures->count),
                                         values, error);
}

void pix_device_get_work(PixDevice *device, guint64 *submissions, guint64 *waits)
{
    g_return_if_fail(device && submissions && waits);
    PixWork work = device->backend->work ? device->backend->work(device) : (PixWork){0};
    *submissions = work.submissions;
    *waits = work.waits;
}
