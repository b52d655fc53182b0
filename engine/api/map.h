/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Inside view of a PixMap. */
#ifndef PIX_MAP_H
#define PIX_MAP_H

#include <pix2pix/pix-train.h>

#include "backend.h"

struct PixMap {
    PixDevice *device; /* not counted where the map belongs to a pass */
    PixTensor tensor;
    PixBuffer *own; /* NULL where the map belongs to a pass */
};

#endif
