/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpix2pixframe.h"

static gboolean is_interleaved_rgb(const GstVideoFormatInfo *format)
{
    return GST_VIDEO_FORMAT_INFO_IS_RGB(format) && GST_VIDEO_FORMAT_INFO_N_PLANES(format) == 1 &&
           GST_VIDEO_FORMAT_INFO_DEPTH(format, 0) == 8;
}

gboolean gst_pix2pix_frame_is_native(const GstVideoInfo *info, int channels)
{
    if (channels == 1)
        return GST_VIDEO_INFO_FORMAT(info) == GST_VIDEO_FORMAT_GRAY8;
    return is_interleaved_rgb(info->finfo);
}

void gst_pix2pix_frame_get_image(const GstVideoFrame *frame, int channels, PixImage *image)
{
    *image = (PixImage){
        .data = GST_VIDEO_FRAME_PLANE_DATA(frame, 0),
        .stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0),
        .width = GST_VIDEO_FRAME_WIDTH(frame),
        .height = GST_VIDEO_FRAME_HEIGHT(frame),
        .pixel_bytes = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, 0),
        .channels = channels,
    };
    for (int c = 0; c < channels; c++)
        image->offset[c] = GST_VIDEO_FRAME_COMP_POFFSET(frame, c);
}

gboolean gst_pix2pix_frame_has_spare(const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_HAS_ALPHA(info) ||
           (is_interleaved_rgb(info->finfo) && GST_VIDEO_INFO_COMP_PSTRIDE(info, 0) == 4);
}

void gst_pix2pix_frame_get_spare(const GstVideoFrame *frame, PixImage *image)
{
    const GstVideoInfo *info = &frame->info;
    int component = 0, offset;

    if (GST_VIDEO_INFO_HAS_ALPHA(info)) {
        component = GST_VIDEO_COMP_A;
        offset = GST_VIDEO_INFO_COMP_POFFSET(info, component);
    } else { /* the colours take three of the bytes 0 to 3 */
        offset = 0 + 1 + 2 + 3 - GST_VIDEO_INFO_COMP_POFFSET(info, 0) -
                 GST_VIDEO_INFO_COMP_POFFSET(info, 1) - GST_VIDEO_INFO_COMP_POFFSET(info, 2);
    }

    *image = (PixImage){
        .data = GST_VIDEO_FRAME_PLANE_DATA(frame, GST_VIDEO_INFO_COMP_PLANE(info, component)),
        .stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, GST_VIDEO_INFO_COMP_PLANE(info, component)),
        .width = GST_VIDEO_FRAME_WIDTH(frame),
        .height = GST_VIDEO_FRAME_HEIGHT(frame),
        .pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE(info, component),
        .channels = 1,
        .offset = {offset},
    };
}

/* Bytes from the start of a row to behind its last component, and the number of rows. */
static void plane_extent(const GstVideoInfo *info, guint plane, gsize *row_bytes, int *rows)
{
    *row_bytes = 0;
    *rows = 0;
    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(info); c++) {
        gsize last;

        if ((guint)GST_VIDEO_INFO_COMP_PLANE(info, c) != plane)
            continue;
        last =
            (gsize)(GST_VIDEO_INFO_COMP_WIDTH(info, c) - 1) * GST_VIDEO_INFO_COMP_PSTRIDE(info, c);
        *row_bytes = MAX(*row_bytes, GST_VIDEO_INFO_COMP_POFFSET(info, c) + last + 1);
        *rows = MAX(*rows, GST_VIDEO_INFO_COMP_HEIGHT(info, c));
    }
}

void gst_pix2pix_frame_get_plane(const GstVideoFrame *frame, guint plane, PixImage *image)
{
    gsize row_bytes;
    int rows;

    plane_extent(&frame->info, plane, &row_bytes, &rows);
    *image = (PixImage){
        .data = GST_VIDEO_FRAME_PLANE_DATA(frame, plane),
        .stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane),
        .width = (int)row_bytes,
        .height = rows,
        .pixel_bytes = 1,
        .channels = 1,
    };
}

gboolean gst_pix2pix_frame_fits(GstBuffer *buffer, const GstVideoInfo *info)
{
    const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
    gsize size = gst_buffer_get_size(buffer);

    if (!meta)
        return size >= GST_VIDEO_INFO_SIZE(info);
    if (meta->format != GST_VIDEO_INFO_FORMAT(info) ||
        meta->n_planes != GST_VIDEO_INFO_N_PLANES(info) ||
        meta->width < (guint)GST_VIDEO_INFO_WIDTH(info) ||
        meta->height < (guint)GST_VIDEO_INFO_HEIGHT(info))
        return FALSE;
    for (guint plane = 0; plane < meta->n_planes; plane++) {
        gint64 first, last;
        gsize row_bytes;
        int rows;

        plane_extent(info, plane, &row_bytes, &rows);
        first = (gint64)meta->offset[plane];
        last = first + (gint64)meta->stride[plane] * (rows - 1);
        if (MIN(first, last) < 0 || (guint64)MAX(first, last) + row_bytes > size)
            return FALSE;
    }
    return TRUE;
}
