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
 * gst_pix2pix_frame_get_layout:
 * How frames of @info lie, with the matrix to 3 @channels of RGB (or, @from_network, from them), or 1
 * of grey; without data and strides. Chroma is sited and ranges are as the colorimetry says.
 * Returns: FALSE where the engine has no words for it: alpha beside YUV, grey from colours.
 */
gboolean gst_pix2pix_frame_get_layout(const GstVideoInfo *info, int channels, gboolean from_network,
                                      PixVideo *layout);

/** gst_pix2pix_frame_get_video: The pixels of @frame, which lies as @layout. */
void gst_pix2pix_frame_get_video(const GstVideoFrame *frame, const PixVideo *layout,
                                 PixVideo *video);

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
