/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What the convolutions share: work for one of the shaders conv_*.comp, whose sums may be split over
 * groups. It is done in two steps, so that works which do not need each other run side by side: the
 * sums, then the addition of their parts.
 */
#ifndef PIX_VK_CONV_H
#define PIX_VK_CONV_H

#include "vk-ops.h"
#include "vk-tiles.h"

/** VulkanConvPush: that of shaders/conv.glsl. */
typedef struct {
    uint32_t in_h, in_w, in_pixel, in_first, in_c;
    uint32_t out_h, out_w, out_pixel, out_first, out_c;
    uint32_t n;
    uint32_t kh, kw, sh, sw;
    int32_t pad_top, pad_left;
    uint32_t weight_in, weight_out;
    uint32_t tiles, splits;
    uint32_t bias, gamma, beta, mean, variance;
    float eps, slope;
    uint32_t activation;
    uint32_t adds;
    uint32_t bare;
    uint32_t gathers; /* of VK_CONV_SPREAD and VK_CONV_RECTIFIES */
} VulkanConvPush;
G_STATIC_ASSERT(sizeof(VulkanConvPush) <= 128); /* what every device takes */

enum { VK_CONV_SPREAD = 1, VK_CONV_RECTIFIES = 2 };

/** The ids of their constants; FOURS are of bindings 0 and 1. */
enum {
    VK_CONV_TILE = 3, /* the sides of tiles */
    VK_CONV_PAD_MODE = 11,
    VK_CONV_FOURS,
    VK_CONV_ALONG_OUT = VK_CONV_FOURS + 2,
    VK_CONV_CONSTANTS
};

/** VulkanConv: binding 2 is what it writes. */
typedef struct {
    VulkanConvPush push;
    VulkanDispatch dispatch; /* but for push, and with splits for binding 2 */
    size_t count;            /* sums */
    bool is_row;             /* they lie one after the other, not in the map of out_* */
    VulkanBinding parts;     /* (splits, count) floats; nothing for one split */
} VulkanConv;

/* vk-conv-cut.c */

/** vk_conv_new: Nothing yet but the settings of @op, without its norm and activation. */
VulkanConv vk_conv_new(VulkanShader shader, const PixConvOp *op);

/** vk_conv_set_in, vk_conv_set_out: Maps; @binding: which; of the output also the samples. */
void vk_conv_set_in(VulkanConv *conv, const PixTensor *in);
void vk_conv_set_out(VulkanConv *conv, const PixTensor *out, int binding);

/** vk_conv_fours: Whether @tensor can be read in fours of channels. */
bool vk_conv_fours(const PixTensor *tensor);

/** vk_conv_cut: Into tiles, groups and splits, for the shaders with conv_tiles.glsl. */
void vk_conv_cut(VulkanConv *conv, const PixDevice *device, const VulkanMatrices *matrices);
/** vk_conv_cut_as: Into these tiles, and as many splits as it has. */
void vk_conv_cut_as(VulkanConv *conv, const VulkanMatrices *matrices, const VulkanTile *tile);
/** vk_conv_suits_matrix: Whether tiles of conv_matrix.comp would be full. */
bool vk_conv_suits_matrix(const VulkanMatrices *matrices);
/** vk_conv_cut_matrix: For conv_matrix.comp. */
void vk_conv_cut_matrix(VulkanConv *conv, const PixDevice *device, const VulkanMatrices *matrices);
/** vk_conv_cut_narrow: For conv_narrow.comp. */
void vk_conv_cut_narrow(VulkanConv *conv, const PixDevice *device, const VulkanMatrices *matrices);
/** vk_conv_split: Into at most @most splits. */
void vk_conv_split(VulkanConv *conv, const PixDevice *device, size_t most);
/** vk_conv_variant: "tiled 64x64", "tensor cores", "narrow", "simple": for people. */
const char *vk_conv_variant(const VulkanConv *conv);

/** vk_conv_align: @bytes up to where the next tensor may begin. */
static inline size_t vk_conv_align(size_t bytes)
{
    return (bytes + VK_ALIGNMENT - 1) / VK_ALIGNMENT * VK_ALIGNMENT;
}

/** vk_conv_place: Puts the parts at @offset of @scratch. Returns: where there is room again. */
size_t vk_conv_place(VulkanConv *conv, PixBuffer *scratch, size_t offset);
/** vk_conv_run, vk_conv_finish: The sums, and the addition of their parts. */
void vk_conv_run(PixDevice *device, const VulkanConv *conv);
void vk_conv_finish(PixDevice *device, const VulkanConv *conv);

/* vk-conv.c */

/** vk_conv_plain: Forward in tiles, neither cut nor with vectors. */
VulkanConv vk_conv_plain(const PixConvOp *op, const PixTensor *in, const PixTensor *weight,
                         const PixTensor *out);

/** vk_conv_input_gradient: @din: of the input, or of the padded map; @pad: which zeros it lacks. */
VulkanConv vk_conv_input_gradient(const PixDevice *device, const PixCall *call,
                                  const PixTensor *din, PixPadding pad, bool adds);

/* vk-conv-gradient.c */
VulkanConv vk_conv_weight_gradient(const PixDevice *device, const PixCall *call);

#endif
