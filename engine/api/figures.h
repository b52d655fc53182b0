/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Inside view of PixFigures. */
#ifndef PIX_FIGURES_H
#define PIX_FIGURES_H

#include <pix2pix/pix-train.h>

#include "backend.h"

struct PixFigures {
    PixDevice *device;
    PixBuffer *buffer;
    guint count;
};

/** pix_figures_range: @count of them from @first on. */
PixRange pix_figures_range(const PixFigures *figures, guint first, guint count);

#endif
