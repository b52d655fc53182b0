/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * From GstVideoFrame to the engine's view of the same pixels: addresses, strides, channel order.
 * Nothing here reads or writes a pixel.
 */
#ifndef GST_PIX2PIX_FRAME_H
#define GST_PIX2PIX_FRAME_H

#include <gst/video/video.h>
#include <pix2pix/pix.h>

G_BEGIN_DECLS

/**
 * gst_pix2pix_frame_is_native:
 * Whether the engine can work on frames of @info as they are: interleaved RGB in any order with or
 * without a fourth byte for 3 @channels, grey for 1.
 */
gboolean gst_pix2pix_frame_is_native(const GstVideoInfo *info, int channels);

/** gst_pix2pix_frame_get_image: The colours of a frame that is native to 1 or 3 @channels. */
void gst_pix2pix_frame_get_image(const GstVideoFrame *frame, int channels, PixImage *image);

/**
 * gst_pix2pix_frame_get_spare:
 * The channel beside the colours: alpha, or the unused byte of formats as RGBx.
 * @frame: of a format that has one.
 */
void gst_pix2pix_frame_get_spare(const GstVideoFrame *frame, PixImage *image);
gboolean gst_pix2pix_frame_has_spare(const GstVideoInfo *info);

/** gst_pix2pix_frame_get_plane: All bytes of one plane of any format, as if they were grey. */
void gst_pix2pix_frame_get_plane(const GstVideoFrame *frame, guint plane, PixImage *image);

/**
 * gst_pix2pix_frame_fits:
 * Whether @buffer holds all bytes of a frame of @info, laid out by its GstVideoMeta where it has
 * one. gst_video_frame_map() looks at the first byte of each plane only.
 */
gboolean gst_pix2pix_frame_fits(GstBuffer *buffer, const GstVideoInfo *info);

G_END_DECLS

#endif
