/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An image's rows of bytes beside a map, of which only sample 0 counts. Rows follow each other
 * without gaps; those in the buffer begin with row first_row.
 */
layout(push_constant) uniform Push
{
    uint w; /* of the map */
    Place map;
    int left, top;      /* where in the map the image begins */
    uint width, height; /* of the image */
    uint pixel_bytes;   /* of the image */
    uint first_row;     /* of those in the buffer */
    uint first_y;       /* packing: the first row of the map */
    uint count;         /* pixels to be packed, or bytes to be unpacked */
    uint channels;
    uint offset[4];     /* packing: the byte of each channel */
    uint channel_of[8]; /* unpacking: the channel of each byte, or NOTHING */
}
p;
