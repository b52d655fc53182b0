/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpix2pixfilter.h"

#define GST_CAT_DEFAULT gst_pix2pix_debug

static GstBaseTransformClass *parent_class;

/* Overlays and the like may be asked for upstream; a crop is lost when the network has scaled. */
static gboolean filter_meta(GstBaseTransform *trans, GstQuery *query, GType api,
                            const GstStructure *params)
{
    return api != GST_VIDEO_CROP_META_API_TYPE;
}

static gboolean transform_meta(GstBaseTransform *trans, GstBuffer *outbuf, GstMeta *meta,
                               GstBuffer *inbuf)
{
    static const char *const known[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_ORIENTATION_STR,
                                        GST_META_TAG_VIDEO_SIZE_STR, NULL};
    GstVideoFilter *filter = GST_VIDEO_FILTER(trans);
    const char *const *tags = gst_meta_api_type_get_tags(meta->info->api);

    if (!tags)
        return TRUE;
    for (guint i = 0; tags[i]; i++) {
        if (!g_strv_contains(known, tags[i]))
            return FALSE;
    }
    if (gst_meta_api_type_has_tag(meta->info->api,
                                  g_quark_from_static_string(GST_META_TAG_VIDEO_SIZE_STR))) {
        GstVideoMetaTransform scale = {&filter->in_info, &filter->out_info};

        /* This one adds the meta to outbuf; TRUE would have the base class add it once more. */
        if (meta->info->transform_func)
            meta->info->transform_func(outbuf, meta, inbuf,
                                       gst_video_meta_transform_scale_get_quark(), &scale);
        return FALSE;
    }
    return TRUE;
}

static gboolean pool_can(GstBufferPool *pool, GstCaps *caps, guint size, guint min, guint max,
                         GstAllocator *allocator, const GstAllocationParams *params)
{
    GstStructure *config = gst_buffer_pool_get_config(pool);

    gst_buffer_pool_config_set_params(config, caps, size, min, max);
    gst_buffer_pool_config_set_allocator(config, allocator, params);
    if (gst_buffer_pool_set_config(pool, config))
        return TRUE;
    /* It may have bent the wishes; are they still good enough? */
    config = gst_buffer_pool_get_config(pool);
    if (gst_buffer_pool_config_validate_params(config, caps, size, min, max))
        return gst_buffer_pool_set_config(pool, config);
    gst_structure_free(config);
    return FALSE;
}

/* Takes a pool of downstream's that refuses its configuration out of the query, so that the parent
 * class makes one; the fallback of the base class in 1.22 uses freed memory. */
static gboolean decide_allocation(GstBaseTransform *trans, GstQuery *query)
{
    GstAllocationParams params;
    GstAllocator *allocator = NULL;
    GstBufferPool *pool = NULL;
    guint size, min, max;
    GstVideoInfo info;
    GstCaps *caps;

    gst_query_parse_allocation(query, &caps, NULL);
    if (!caps || !gst_video_info_from_caps(&info, caps))
        return FALSE;
    gst_allocation_params_init(&params);
    if (gst_query_get_n_allocation_params(query) > 0)
        gst_query_parse_nth_allocation_param(query, 0, &allocator, &params);
    if (gst_query_get_n_allocation_pools(query) > 0) {
        gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &min, &max);
        size = MAX(size, GST_VIDEO_INFO_SIZE(&info));
        if (pool && !pool_can(pool, caps, size, min, max, allocator, &params)) {
            GST_DEBUG_OBJECT(trans, "%" GST_PTR_FORMAT " refuses its configuration", pool);
            gst_clear_object(&pool);
        }
        gst_query_set_nth_allocation_pool(query, 0, pool, size, min, max);
    }
    gst_clear_object(&pool);
    gst_clear_object(&allocator);
    return parent_class->decide_allocation(trans, query);
}

/* Upstream needs as many more buffers as wait here for those behind them. */
static gboolean propose_allocation(GstBaseTransform *trans, GstQuery *decide_query, GstQuery *query)
{
    GstPix2pixFilter *self = GST_PIX2PIX_FILTER(trans);
    const GstPix2pixTranslator *translator = self->translator;
    GstBufferPool *pool;
    guint size, min, max;

    self->promised = 0;
    if (!parent_class->propose_allocation(trans, decide_query, query))
        return FALSE;
    if (!decide_query || !translator || gst_query_get_n_allocation_pools(query) == 0)
        return TRUE;
    gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &min, &max);
    self->promised = gst_pix2pix_translator_get_in_flight(translator);
    min = MAX(min, self->promised);
    gst_query_set_nth_allocation_pool(query, 0, pool, size, min, max);
    gst_clear_object(&pool);
    return TRUE;
}

void gst_pix2pix_buffers_ask(GstPix2pixFilter *self)
{
    guint in_flight = self->translator ? gst_pix2pix_translator_get_in_flight(self->translator) : 1;

    if (in_flight > 1 && self->promised < in_flight)
        gst_base_transform_reconfigure_sink(GST_BASE_TRANSFORM(self));
}

void gst_pix2pix_buffers_class_init(GstBaseTransformClass *klass)
{
    parent_class = g_type_class_peek_parent(klass);
    klass->filter_meta = GST_DEBUG_FUNCPTR(filter_meta);
    klass->transform_meta = GST_DEBUG_FUNCPTR(transform_meta);
    klass->propose_allocation = GST_DEBUG_FUNCPTR(propose_allocation);
    klass->decide_allocation = GST_DEBUG_FUNCPTR(decide_allocation);
}
