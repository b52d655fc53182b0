/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Which caps go with which. Pure functions of their arguments: what a model can do does not limit
 * sizes or formats, since frames are converted and scaled to what it wants.
 */
#ifndef GST_PIX2PIX_CAPS_H
#define GST_PIX2PIX_CAPS_H

#include <gst/video/video.h>

G_BEGIN_DECLS

/** Formats of 8 bits that GstVideoConverter converts exactly; those that need no conversion first.
 */
#define GST_PIX2PIX_FORMATS                                                                        \
    "{ RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR, GRAY8, "                          \
    "I420, YV12, NV12, NV21, YUY2, UYVY, YVYU, VYUY, Y42B, NV16, NV61, Y444, NV24, Y41B, "         \
    "v308, IYU2, AYUV, VUYA, A420, GBR, GBRA, RGBP, BGRP }"

/** Wider than any camera or decoder, and small enough for int arithmetic on sizes. */
#define GST_PIX2PIX_MAX_SIDE 16384

#define GST_PIX2PIX_CAPS                                                                           \
    "video/x-raw, format = (string) " GST_PIX2PIX_FORMATS                                          \
    ", width = (int) [ 1, 16384 ], height = (int) [ 1, 16384 ]"                                    \
    ", framerate = (fraction) [ 0, max ], interlace-mode = (string) progressive"

/**
 * gst_pix2pix_caps_transform:
 * What can come out for @caps going in, and what can go in for @caps coming out: the same first,
 * then the same size in any format, then any size. Views packed into one frame are left out.
 * @templ: the caps of the other pad.
 */
GstCaps *gst_pix2pix_caps_transform(GstCaps *caps, GstCaps *templ, GstCaps *filter);

/**
 * gst_pix2pix_caps_fixate:
 * @caps: fixed, of one pad.  @othercaps: (transfer full): the choice for the other one.
 *
 * Returns: (transfer full): the choice that is most like @caps, with a pixel aspect ratio that
 * keeps the picture's shape where the size differs.
 */
GstCaps *gst_pix2pix_caps_fixate(GstCaps *caps, GstCaps *othercaps);

/**
 * gst_pix2pix_caps_refusal:
 * Returns: (transfer none) (nullable): why fixed @caps cannot be translated, in words; %NULL where
 * they can.
 */
const char *gst_pix2pix_caps_refusal(GstCaps *caps);

G_END_DECLS

#endif
