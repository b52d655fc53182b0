/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import-names.h"

#include <string.h>

/** Takes "N." off the front of @at, which a parameter of the graph is known to have. */
static int take_number(const char **at)
{
    char *end;
    guint64 value = g_ascii_strtoull(*at, &end, 10);
    g_assert(*end == '.');
    *at = end + 1;
    return (int)value;
}

/** Where a parameter of a U-Net belongs: the block, counted from outside, and the layer in it. */
typedef struct {
    int level;
    bool innermost;
    bool up; /* a transposed convolution or the norm behind it */
    bool norm;
    const char *value; /* "weight", "running_mean", ... */
} UnetPlace;

static UnetPlace unet_place(const PixArch *arch, const char *name)
{
    UnetPlace place = {0};
    const char *at = name + strlen("model.model.");
    while (g_str_has_prefix(at, place.level ? "3.model." : "1.model.")) {
        at += strlen("N.model.");
        place.level++;
    }
    place.innermost = place.level == arch->depth - 1;
    int index = take_number(&at);
    int up = place.level == 0 ? 3 : !place.innermost ? 5 : arch->inner_norm ? 4 : 3;
    place.up = index >= up;
    place.norm = index == up + 1 || (index == 2 && place.level > 0);
    place.value = at;
    return place;
}

/** What MMGeneration calls a norm that has weights. */
static const char *norm_word(const PixArch *arch)
{
    return arch->norm == PIX_NORM_INSTANCE ? "in" : "bn";
}

static char *mm_unet(const PixArch *arch, const char *name)
{
    UnetPlace place = unet_place(arch, name);
    GString *key = g_string_new("model.model.");
    for (int i = 0; i < place.level; i++)
        g_string_append(key, "1.model.");
    int index = !place.up ? 0 : place.innermost ? 1 : 2;
    g_string_append_printf(key, "%d.%s.%s", index, place.norm ? norm_word(arch) : "conv",
                           place.value);
    return g_string_free(key, FALSE);
}

static char *affinelayer_unet(const PixArch *arch, const char *name)
{
    UnetPlace place = unet_place(arch, name);
    bool weight = !strcmp(place.value, "weight");
    return g_strdup_printf("generator/%s_%d/%s/%s", place.up ? "decoder" : "encoder",
                           place.level + 1,
                           place.norm ? "batch_normalization"
                           : place.up ? "conv2d_transpose"
                                      : "conv2d",
                           place.norm ? (weight ? "gamma" : "beta") : (weight ? "kernel" : "bias"));
}

static char *mm_resnet(const PixArch *arch, const char *name)
{
    const char *at = name + strlen("model.");
    int index = take_number(&at), blocks = arch->depth;
    if (g_str_has_prefix(at, "conv_block.")) {
        at += strlen("conv_block.");
        /* Reflection padding: 1 conv, 2 norm, [4 dropout,] 5 or 6 conv, 6 or 7 norm. */
        int layer = take_number(&at), second = arch->dropout ? 6 : 5;
        bool norm = layer == 2 || layer == second + 1;
        int half = layer < second ? 0 : arch->dropout ? 2 : 1;
        return g_strdup_printf("model.%d.block.%d.%s.%s", index - 7, half,
                               norm ? norm_word(arch) : "conv", at);
    }
    /* Convolutions stand at 1, 4, 7, then 10, 13 and 17 behind the blocks; norms one further. */
    int behind = index < 10 ? index : index - blocks;
    bool norm = behind % 3 == 2 && behind != 17;
    int module = behind == 17 ? 5 : (behind - (norm ? 2 : 1)) / 3;
    return g_strdup_printf("model.%d.%s.%s", index < 10 ? module : module + blocks,
                           norm ? norm_word(arch) : "conv", at);
}

static char *mm_patchgan(const PixArch *arch, const char *name)
{
    const char *at = name + strlen("model.");
    int index = take_number(&at);
    if (index == 3 * arch->depth + 2)
        return g_strdup_printf("model.%d.%s", arch->depth + 1, at);
    return g_strdup_printf("model.%d.%s.%s", (index + 1) / 3,
                           index && index % 3 == 0 ? norm_word(arch) : "conv", at);
}

char *pix_import_name(PixLayout layout, const PixArch *arch, const char *name)
{
    if (layout == PIX_LAYOUT_AFFINELAYER)
        return affinelayer_unet(arch, name);
    if (layout == PIX_LAYOUT_MM && arch->kind == PIX_ARCH_UNET)
        return mm_unet(arch, name);
    if (layout == PIX_LAYOUT_MM && arch->kind == PIX_ARCH_RESNET)
        return mm_resnet(arch, name);
    if (layout == PIX_LAYOUT_MM && arch->kind == PIX_ARCH_PATCHGAN)
        return mm_patchgan(arch, name);
    return g_strdup(name);
}
