/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpix2pixcaps.h"

/* One picture to a frame. */
static const char *const views[] = {"mono", "left", "right", "frame-by-frame",
                                    "multiview-frame-by-frame"};

/* Keeps of @structure's multiview modes those with one picture to a frame. FALSE: none is left. */
static gboolean keep_single_views(GstStructure *structure)
{
    const GValue *modes = gst_structure_get_value(structure, "multiview-mode");
    GValue known = G_VALUE_INIT, kept = G_VALUE_INIT;
    gboolean any;

    if (!modes)
        return TRUE;
    g_value_init(&known, GST_TYPE_LIST);
    for (gsize i = 0; i < G_N_ELEMENTS(views); i++) {
        GValue view = G_VALUE_INIT;

        g_value_init(&view, G_TYPE_STRING);
        g_value_set_static_string(&view, views[i]);
        gst_value_list_append_and_take_value(&known, &view);
    }
    any = gst_value_intersect(&kept, modes, &known);
    if (any)
        gst_structure_take_value(structure, "multiview-mode", &kept);
    g_value_unset(&known);
    return any;
}

GstCaps *gst_pix2pix_caps_transform(GstCaps *caps, GstCaps *templ, GstCaps *filter)
{
    const GstStructure *any = gst_caps_get_structure(templ, 0);
    GstCaps *result = gst_caps_new_empty(), *sizes = gst_caps_new_empty(), *filtered;

    if (gst_caps_is_any(caps))
        gst_caps_append(result, gst_caps_ref(templ));
    for (guint i = 0; !gst_caps_is_any(caps) && i < gst_caps_get_size(caps); i++) {
        GstCapsFeatures *features = gst_caps_get_features(caps, i);
        GstStructure *same, *format, *size;

        if (!gst_caps_features_is_equal(features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
            continue;
        same = gst_structure_copy(gst_caps_get_structure(caps, i));
        if (!keep_single_views(same)) {
            gst_structure_free(same);
            continue;
        }

        format = gst_structure_copy(same);
        gst_structure_remove_fields(format, "colorimetry", "chroma-site", NULL);
        gst_structure_set_value(format, "format", gst_structure_get_value(any, "format"));

        size = gst_structure_copy(format);
        gst_structure_set_value(size, "width", gst_structure_get_value(any, "width"));
        gst_structure_set_value(size, "height", gst_structure_get_value(any, "height"));
        if (gst_structure_has_field(size, "pixel-aspect-ratio"))
            gst_structure_set(size, "pixel-aspect-ratio", GST_TYPE_FRACTION_RANGE, 1, G_MAXINT,
                              G_MAXINT, 1, NULL);

        result = gst_caps_merge_structure(result, same);
        result = gst_caps_merge_structure(result, format);
        sizes = gst_caps_merge_structure(sizes, size);
    }
    result = gst_caps_merge(result, sizes);
    if (!filter)
        return result;
    filtered = gst_caps_intersect_full(filter, result, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref(result);
    return filtered;
}

static const GstVideoFormatInfo *format_of(const GstStructure *structure)
{
    const char *name = gst_structure_get_string(structure, "format");
    GstVideoFormat format = name ? gst_video_format_from_string(name) : GST_VIDEO_FORMAT_UNKNOWN;

    return format != GST_VIDEO_FORMAT_UNKNOWN ? gst_video_format_get_info(format) : NULL;
}

/* How much of a picture is lost or changed from one format to another; 0 for none. */
static int format_distance(const GstVideoFormatInfo *from, const GstVideoFormatInfo *to)
{
    const GstVideoFormatFlags kinds =
        GST_VIDEO_FORMAT_FLAG_YUV | GST_VIDEO_FORMAT_FLAG_RGB | GST_VIDEO_FORMAT_FLAG_GRAY;
    gboolean from_alpha = GST_VIDEO_FORMAT_INFO_HAS_ALPHA(from);
    gboolean to_alpha = GST_VIDEO_FORMAT_INFO_HAS_ALPHA(to);
    int distance = 0;

    if (from == to)
        return 0;
    if (GST_VIDEO_FORMAT_INFO_IS_GRAY(to) && !GST_VIDEO_FORMAT_INFO_IS_GRAY(from))
        distance += 1000; /* colour */
    if (from_alpha != to_alpha)
        distance += from_alpha ? 300 : 2;
    if (!GST_VIDEO_FORMAT_INFO_IS_GRAY(to)) {
        int from_sub = from->w_sub[1] + from->h_sub[1], to_sub = to->w_sub[1] + to->h_sub[1];

        distance += to_sub > from_sub ? 100 * (to_sub - from_sub) : from_sub - to_sub;
    }
    if ((from->flags & kinds) != (to->flags & kinds))
        distance += 20;
    return distance + 1;
}

static void fixate_format(const GstStructure *from, GstStructure *to)
{
    const GValue *list = gst_structure_get_value(to, "format");
    const GstVideoFormatInfo *source = format_of(from), *best = NULL;

    if (!source || !list || !GST_VALUE_HOLDS_LIST(list))
        return;
    for (guint i = 0; i < gst_value_list_get_size(list); i++) {
        const GValue *name = gst_value_list_get_value(list, i);
        GstVideoFormat format = gst_video_format_from_string(g_value_get_string(name));
        const GstVideoFormatInfo *info = gst_video_format_get_info(format);

        if (!best || format_distance(source, info) < format_distance(source, best))
            best = info;
    }
    if (best)
        gst_structure_set(to, "format", G_TYPE_STRING, GST_VIDEO_FORMAT_INFO_NAME(best), NULL);
}

/* Colorimetry and chroma siting belong to a format; they survive within its kind only. */
static void fixate_colours(const GstStructure *from, GstStructure *to)
{
    static const char *const fields[] = {"colorimetry", "chroma-site"};
    const GstVideoFormatInfo *source = format_of(from), *target = format_of(to);
    const GstVideoFormatFlags kinds =
        GST_VIDEO_FORMAT_FLAG_YUV | GST_VIDEO_FORMAT_FLAG_RGB | GST_VIDEO_FORMAT_FLAG_GRAY;

    if (!source || !target || (source->flags & kinds) != (target->flags & kinds))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        const GValue *value = gst_structure_get_value(from, fields[i]);
        const GValue *allowed = gst_structure_get_value(to, fields[i]);

        if (i == 1 &&
            (source->w_sub[1] != target->w_sub[1] || source->h_sub[1] != target->h_sub[1]))
            continue;
        if (value && (!allowed || gst_value_can_intersect(value, allowed)))
            gst_structure_set_value(to, fields[i], value);
    }
}

static void set_pixel_shape(GstStructure *to, gboolean wanted, int n, int d)
{
    if (gst_structure_has_field(to, "pixel-aspect-ratio"))
        gst_structure_fixate_field_nearest_fraction(to, "pixel-aspect-ratio", n, d);
    else if (wanted || n != d)
        gst_structure_set(to, "pixel-aspect-ratio", GST_TYPE_FRACTION, n, d, NULL);
}

/* Nearest to the source's size, and with pixels shaped so that the picture keeps its shape. */
static void fixate_size(const GstStructure *from, GstStructure *to)
{
    int from_width, from_height, from_n = 1, from_d = 1, width, height, n, d, shape_n, shape_d;
    gboolean has_shape = gst_structure_get_fraction(from, "pixel-aspect-ratio", &from_n, &from_d);
    gboolean has_width = gst_structure_get_int(to, "width", &width);
    gboolean has_height = gst_structure_get_int(to, "height", &height);
    gboolean fixed_pixels = gst_structure_get_fraction(to, "pixel-aspect-ratio", &n, &d);

    if (!gst_structure_get_int(from, "width", &from_width) ||
        !gst_structure_get_int(from, "height", &from_height) || from_n <= 0 || from_d <= 0)
        return;
    if (!fixed_pixels || n <= 0 || d <= 0) {
        n = from_n;
        d = from_d;
    }
    if (!has_width && !has_height) {
        gst_structure_fixate_field_nearest_int(to, "height", from_height);
        has_height = gst_structure_get_int(to, "height", &height);
    }
    if (!gst_util_fraction_multiply(from_width, from_height, from_n, from_d, &shape_n, &shape_d))
        return;
    if (!has_width && has_height) {
        guint64 wanted = gst_util_uint64_scale_round(
            gst_util_uint64_scale_round(height, shape_n, shape_d), d, n);

        if (height == from_height && n == from_n && d == from_d)
            wanted = from_width;
        gst_structure_fixate_field_nearest_int(to, "width", (int)CLAMP(wanted, 1, G_MAXINT));
    } else if (has_width && !has_height) {
        guint64 wanted =
            gst_util_uint64_scale_round(gst_util_uint64_scale_round(width, shape_d, shape_n), n, d);

        gst_structure_fixate_field_nearest_int(to, "height", (int)CLAMP(wanted, 1, G_MAXINT));
    }
    if (!fixed_pixels && gst_structure_get_int(to, "width", &width) &&
        gst_structure_get_int(to, "height", &height) &&
        gst_util_fraction_multiply(shape_n, shape_d, height, width, &n, &d))
        set_pixel_shape(to, has_shape, n, d);
}

GstCaps *gst_pix2pix_caps_fixate(GstCaps *caps, GstCaps *othercaps)
{
    const GstStructure *from = gst_caps_get_structure(caps, 0);
    GstCaps *same = gst_caps_intersect_full(othercaps, caps, GST_CAPS_INTERSECT_FIRST);
    GstStructure *to;

    if (gst_caps_is_empty(same)) {
        gst_caps_unref(same);
    } else {
        gst_caps_unref(othercaps);
        othercaps = same;
    }
    othercaps = gst_caps_make_writable(gst_caps_truncate(othercaps));
    to = gst_caps_get_structure(othercaps, 0);
    fixate_format(from, to);
    fixate_colours(from, to);
    fixate_size(from, to);
    return gst_caps_fixate(othercaps);
}

const char *gst_pix2pix_caps_refusal(GstCaps *caps)
{
    const GstStructure *structure = gst_caps_get_structure(caps, 0);
    const char *interlacing = gst_structure_get_string(structure, "interlace-mode");
    GstStructure *copy = gst_structure_copy(structure);
    gboolean single = keep_single_views(copy);

    gst_structure_free(copy);
    if (interlacing && !g_str_equal(interlacing, "progressive"))
        return "interlaced video; put a deinterlace before";
    if (!single)
        return "several views packed into one frame; put a glviewconvert before";
    return NULL;
}
