/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpix2pixframe.h"

#include <string.h>

static gboolean is_interleaved_rgb(const GstVideoFormatInfo *format)
{
    return GST_VIDEO_FORMAT_INFO_IS_RGB(format) && GST_VIDEO_FORMAT_INFO_N_PLANES(format) == 1 &&
           GST_VIDEO_FORMAT_INFO_DEPTH(format, 0) == 8;
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

/* ---- layouts ---- */

/* Components to shares of 1: (v - offset) / scale. YUV's U and V become -0.5 to 0.5. */
static void component_ranges(const GstVideoInfo *info, double offsets[3], double scales[3])
{
    int offset[GST_VIDEO_MAX_COMPONENTS] = {0}, scale[GST_VIDEO_MAX_COMPONENTS] = {0};

    gst_video_color_range_offsets(info->colorimetry.range, info->finfo, offset, scale);
    for (int i = 0; i < 3; i++) {
        offsets[i] = offset[i];
        scales[i] = scale[i];
    }
}

/* Shares of components to shares of RGB, or the other way round. */
static gboolean share_matrix(const GstVideoInfo *info, gboolean from_rgb, double matrix[3][3])
{
    double kr = 0.299, kb = 0.114, kg;

    if (GST_VIDEO_INFO_IS_RGB(info)) {
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++)
                matrix[i][j] = i == j;
        return TRUE;
    }
    if (!gst_video_color_matrix_get_Kr_Kb(info->colorimetry.matrix, &kr, &kb))
        return FALSE;
    kg = 1 - kr - kb;
    if (from_rgb) {
        const double rows[3][3] = {
            {kr, kg, kb},
            {-kr / (2 * (1 - kb)), -kg / (2 * (1 - kb)), 0.5},
            {0.5, -kg / (2 * (1 - kr)), -kb / (2 * (1 - kr))},
        };
        memcpy(matrix, rows, sizeof rows);
    } else {
        const double rows[3][3] = {
            {1, 0, 2 * (1 - kr)},
            {1, -2 * (1 - kb) * kb / kg, -2 * (1 - kr) * kr / kg},
            {1, 2 * (1 - kb), 0},
        };
        memcpy(matrix, rows, sizeof rows);
    }
    return TRUE;
}

static gboolean set_matrix(const GstVideoInfo *info, gboolean from_network, PixVideo *layout)
{
    double offsets[3], scales[3], shares[3][3];

    if (!share_matrix(info, from_network, shares))
        return FALSE;
    component_ranges(info, offsets, scales);
    layout->converts = TRUE;
    for (int i = 0; i < 3; i++) {
        double constant = from_network ? offsets[i] : 0;

        for (int j = 0; j < layout->n_components || (from_network && j < 3); j++) {
            double factor = shares[i][j] * (from_network ? scales[i] / 255 : 255 / scales[j]);

            layout->matrix[i][j] = (float)factor;
            constant -= from_network ? 0 : factor * offsets[j];
        }
        layout->matrix[i][3] = (float)constant;
    }
    return TRUE;
}

/* GStreamer's description of VYUY has U and V the other way round than its converter. */
static gboolean has_words(const GstVideoInfo *info)
{
    const GstVideoFormatInfo *format = info->finfo;

    if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX(format) || GST_VIDEO_INFO_N_PLANES(info) > 3 ||
        GST_VIDEO_FORMAT_INFO_DEPTH(format, 0) != 8 ||
        (info->chroma_site & GST_VIDEO_CHROMA_SITE_ALT_LINE) ||
        GST_VIDEO_INFO_FORMAT(info) == GST_VIDEO_FORMAT_VYUY)
        return FALSE;
    return is_interleaved_rgb(format) || !GST_VIDEO_INFO_HAS_ALPHA(info);
}

static gboolean is_full_range(const GstVideoInfo *info)
{
    return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_UNKNOWN ||
           info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
}

static void set_planes(const GstVideoInfo *info, PixVideo *layout)
{
    for (int i = 0; i < layout->n_planes; i++) {
        gsize row_bytes;

        plane_extent(info, i, &row_bytes, &layout->planes[i].rows);
        layout->planes[i].row_bytes = (int)row_bytes;
    }
    for (int i = 0; i < layout->n_components; i++)
        layout->components[i] = (PixComponent){
            .plane = GST_VIDEO_INFO_COMP_PLANE(info, i),
            .offset = GST_VIDEO_INFO_COMP_POFFSET(info, i),
            .step = GST_VIDEO_INFO_COMP_PSTRIDE(info, i),
            .x_shift = GST_VIDEO_FORMAT_INFO_W_SUB(info->finfo, i),
            .y_shift = GST_VIDEO_FORMAT_INFO_H_SUB(info->finfo, i),
        };
}

gboolean gst_pix2pix_frame_get_layout(const GstVideoInfo *info, int channels, gboolean from_network,
                                      PixVideo *layout)
{
    gboolean grey = GST_VIDEO_INFO_IS_GRAY(info), same = channels == 1 ? grey : !grey;

    *layout = (PixVideo){
        .width = GST_VIDEO_INFO_WIDTH(info),
        .height = GST_VIDEO_INFO_HEIGHT(info),
        .n_planes = GST_VIDEO_INFO_N_PLANES(info),
        .n_components = grey ? 1 : 3,
        .x_cosited = (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0,
        .y_cosited = (info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0,
    };
    if (!has_words(info))
        return FALSE;
    set_planes(info, layout);
    if (same && is_full_range(info) && !GST_VIDEO_INFO_IS_YUV(info))
        return TRUE;
    return channels == 3 && set_matrix(info, from_network, layout);
}

void gst_pix2pix_frame_get_video(const GstVideoFrame *frame, const PixVideo *layout,
                                 PixVideo *video)
{
    *video = *layout;
    for (int i = 0; i < video->n_planes; i++) {
        video->planes[i].data = GST_VIDEO_FRAME_PLANE_DATA(frame, i);
        video->planes[i].stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, i);
    }
}

/* ---- images of parts ---- */

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
