/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import-recognise.h"

#include <string.h>

#include "error.h"

/* Beyond what pix_arch_check() accepts, so that it has the last word. */
#define MAX_INDEX 1000

const char *pix_layout_name(PixLayout layout)
{
    static const char *const names[] = {
        [PIX_LAYOUT_NATIVE] = "native",           [PIX_LAYOUT_JUNYANZ] = "junyanz",
        [PIX_LAYOUT_MM] = "mmgeneration",         [PIX_LAYOUT_CRYER] = "cryer",
        [PIX_LAYOUT_AFFINELAYER] = "affinelayer",
    };
    return names[layout];
}

static const char *name_at(const PixKeySet *set, guint i)
{
    return ((const PixKey *)g_ptr_array_index(set->keys, i))->name;
}

static bool any_starts(const PixKeySet *set, const char *start)
{
    for (guint i = 0; i < set->keys->len; i++)
        if (g_str_has_prefix(name_at(set, i), start))
            return true;
    return false;
}

static bool any_contains(const PixKeySet *set, const char *part)
{
    for (guint i = 0; i < set->keys->len; i++)
        if (strstr(name_at(set, i), part))
            return true;
    return false;
}

static bool any_ends(const PixKeySet *set, const char *end, int rank)
{
    for (guint i = 0; i < set->keys->len; i++) {
        const PixKey *key = g_ptr_array_index(set->keys, i);
        if (key->entry->rank == rank && g_str_has_suffix(key->name, end))
            return true;
    }
    return false;
}

/** The number in "model.N.REST", or -1. */
static int flat_index(const char *name, const char **rest)
{
    if (!g_str_has_prefix(name, "model."))
        return -1;
    char *end;
    guint64 value = g_ascii_strtoull(name + 6, &end, 10);
    if (end == name + 6 || *end != '.' || value > MAX_INDEX)
        return -1;
    *rest = end + 1;
    return (int)value;
}

/** The highest N of "model.N.REST" where REST starts with @start, of tensors of rank 4; or -1. */
static int last_index(const PixKeySet *set, const char *start)
{
    int last = -1;
    for (guint i = 0; i < set->keys->len; i++) {
        const PixKey *key = g_ptr_array_index(set->keys, i);
        const char *rest;
        int index = flat_index(key->name, &rest);
        if (index > last && key->entry->rank == 4 && g_str_has_prefix(rest, start))
            last = index;
    }
    return last;
}

/** The lowest such N, of tensors of any rank; or -1. */
static int first_index(const PixKeySet *set, const char *start)
{
    int first = -1;
    for (guint i = 0; i < set->keys->len; i++) {
        const char *rest;
        int index = flat_index(name_at(set, i), &rest);
        if (index >= 0 && (first < 0 || index < first) && g_str_has_prefix(rest, start))
            first = index;
    }
    return first;
}

static bool has_kernel(const PixKeySet *set, const char *name, guint64 side)
{
    const PixEntry *entry = pix_key_set_find_rank(set, name, 4);
    return entry && entry->dims[2] == side && entry->dims[3] == side;
}

static bool found(PixLayout *layout, PixArchKind *kind, PixLayout l, PixArchKind k)
{
    *layout = l;
    *kind = k;
    return true;
}

bool pix_recognise(const PixKeySet *set, PixLayout *layout, PixArchKind *kind)
{
    const PixLayout jz = PIX_LAYOUT_JUNYANZ, mm = PIX_LAYOUT_MM;
    if (any_starts(set, "generator/encoder_1/"))
        return found(layout, kind, PIX_LAYOUT_AFFINELAYER, PIX_ARCH_UNET);
    if (any_starts(set, "downsample1."))
        return found(layout, kind, PIX_LAYOUT_CRYER, PIX_ARCH_CRYER_UNET);
    if (any_starts(set, "model.model."))
        return found(layout, kind, any_contains(set, ".conv.") ? mm : jz, PIX_ARCH_UNET);
    if (has_kernel(set, "net.0.weight", 1))
        return found(layout, kind, jz, PIX_ARCH_PIXELGAN);
    /* Other networks have such blocks too, behind more or fewer layers. */
    int block = first_index(set, "conv_block."), mm_block = first_index(set, "block.");
    if (block == 10 || (block < 0 && has_kernel(set, "model.1.weight", 7)))
        return found(layout, kind, jz, PIX_ARCH_RESNET);
    if (mm_block == 3 || (mm_block < 0 && has_kernel(set, "model.0.conv.weight", 7)))
        return found(layout, kind, mm, PIX_ARCH_RESNET);
    /* Where junyanz has its last norm or nothing, cryer has its last convolution. */
    if (has_kernel(set, "model.0.weight", 4) && has_kernel(set, "model.12.weight", 4))
        return found(layout, kind, PIX_LAYOUT_CRYER, PIX_ARCH_CRYER_PATCHGAN);
    if (has_kernel(set, "model.0.weight", 4))
        return found(layout, kind, jz, PIX_ARCH_PATCHGAN);
    if (has_kernel(set, "model.0.conv.weight", 4))
        return found(layout, kind, mm, PIX_ARCH_PATCHGAN);
    return false;
}

/** Reads dimension @axis of a kernel. Errors: where there is no such kernel. */
static bool read_side(const PixKeySet *set, const char *name, int axis, int *side, GError **error)
{
    const PixEntry *entry = pix_key_set_find_rank(set, name, 4);
    const PixOther *other = g_hash_table_lookup(set->others, name);
    if (!entry && other)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "%s is %s, expected a tensor, without which the network's size is unknown",
                        other->name, other->what);
    if (!entry)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "the kernel %s is missing, without which the network's size is unknown",
                        name);
    if (entry->dims[axis] < 1 || entry->dims[axis] > PIX_MAX_SIDE) {
        g_autofree char *text = pix_entry_text(entry);
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "%s is %s, which no network has", name,
                        text);
    }
    *side = (int)entry->dims[axis];
    return true;
}

/** Convolutions in front of instance norm have a bias, those in front of batch norm do not. Batch norm
 * has gamma and beta and running statistics; instance norm may have gamma and beta. */
static void recognise_norm(const PixKeySet *set, const char *bias, PixArch *arch, GPtrArray *notes)
{
    bool tracked = false;
    arch->affine = any_ends(set, ".weight", 1);
    arch->bias = pix_key_set_find(set, bias) != NULL;
    for (guint i = 0; i < set->keys->len; i++) {
        const char *name = name_at(set, i), *dot = strrchr(name, '.');
        if (!g_str_has_suffix(name, ".running_mean") && !g_str_has_suffix(name, ".running_var"))
            continue;
        /* One of the four may be missing: it must not turn batch norm into something else. */
        g_autofree char *beta = g_strdup_printf("%.*s.bias", (int)(dot - name), name);
        arch->affine |= pix_key_set_find(set, beta) != NULL;
        tracked = true;
    }
    arch->running = arch->affine && tracked;
    arch->norm = arch->running || (arch->affine && !arch->bias) ? PIX_NORM_BATCH
                 : tracked || arch->bias                        ? PIX_NORM_INSTANCE
                                                                : PIX_NORM_NONE;
    if (arch->affine && !tracked && arch->bias)
        g_ptr_array_add(notes,
                        g_strdup("the norms have weights but no running statistics, and the "
                                 "convolutions before them a bias: taken for instance norm"));
    else if (arch->affine && !tracked)
        g_ptr_array_add(notes, g_strdup("the norms have weights but no running statistics: taken "
                                        "for batch norm with the statistics of the frame"));
}

static bool recognise_unet(const PixKeySet *set, bool mm, PixArch *arch, GPtrArray *notes,
                           GError **error)
{
    const char *step = mm ? ".1.model" : ".3.model";
    int steps = 0;
    for (guint i = 0; i < set->keys->len; i++) {
        int n = 0;
        for (const char *at = name_at(set, i); (at = strstr(at, step)); at += strlen(step))
            n++;
        steps = MAX(steps, n);
    }
    arch->depth = steps + (mm ? 1 : 2);
    const char *first = mm ? "model.model.0.conv.weight" : "model.model.0.weight";
    const char *last = mm ? "model.model.2.conv.weight" : "model.model.3.weight";
    int wide = 0;
    if (!read_side(set, first, 0, &arch->filters, error) ||
        !read_side(set, first, 1, &arch->in_channels, error) ||
        !read_side(set, last, 0, &wide, error) ||
        !read_side(set, last, 1, &arch->out_channels, error))
        return false;
    arch->skips = wide != arch->filters;
    recognise_norm(set, mm ? "model.model.0.conv.bias" : "model.model.0.bias", arch, notes);
    arch->dropout = arch->norm == PIX_NORM_BATCH;
    if (arch->dropout && arch->depth > 5)
        g_ptr_array_add(notes, g_strdup("whether it was trained with dropout cannot be seen in the "
                                        "file: assumed, as for every U-Net with batch norm"));
    return true;
}

static bool recognise_affinelayer(const PixKeySet *set, PixArch *arch, GPtrArray *notes,
                                  GError **error)
{
    int wide = 0;
    arch->depth = 1;
    while (arch->depth < MAX_INDEX) {
        g_autofree char *next = g_strdup_printf("generator/encoder_%d/", arch->depth + 1);
        if (!any_starts(set, next))
            break;
        arch->depth++;
    }
    if (!read_side(set, "generator/encoder_1/conv2d/kernel", 3, &arch->filters, error) ||
        !read_side(set, "generator/encoder_1/conv2d/kernel", 2, &arch->in_channels, error) ||
        !read_side(set, "generator/decoder_1/conv2d_transpose/kernel", 3, &wide, error) ||
        !read_side(set, "generator/decoder_1/conv2d_transpose/kernel", 2, &arch->out_channels,
                   error))
        return false;
    arch->norm = PIX_NORM_BATCH;
    arch->affine = arch->bias = arch->skips = arch->inner_norm = arch->dropout = true;
    arch->running = false;
    g_ptr_array_add(notes, g_strdup("it always normalises with the statistics of the frame: "
                                    "running statistics were never kept"));
    return true;
}

static bool recognise_resnet(const PixKeySet *set, bool mm, PixArch *arch, GPtrArray *notes,
                             GError **error)
{
    int block = last_index(set, mm ? "block." : "conv_block.");
    arch->depth = block < 0 ? 0 : block + 1 - (mm ? 3 : 10);
    if (!pix_arch_check(arch, error))
        return false;
    g_autofree char *last = mm ? g_strdup_printf("model.%d.conv.weight", 5 + arch->depth)
                               : g_strdup_printf("model.%d.weight", 17 + arch->depth);
    const char *first = mm ? "model.0.conv.weight" : "model.1.weight";
    if (!read_side(set, first, 0, &arch->filters, error) ||
        !read_side(set, first, 1, &arch->in_channels, error) ||
        !read_side(set, last, 0, &arch->out_channels, error))
        return false;
    recognise_norm(set, mm ? "model.0.conv.bias" : "model.1.bias", arch, notes);
    bool zero = any_ends(set, ".conv_block.0.weight", 4);
    arch->pad = zero ? PIX_PAD_ZERO : PIX_PAD_REFLECT;
    /* A dropout layer has no keys, but moves the second convolution of a block by one. */
    arch->dropout = mm     ? any_contains(set, ".block.2.")
                    : zero ? any_ends(set, ".conv_block.4.weight", 4)
                           : any_ends(set, ".conv_block.6.weight", 4);
    if (arch->depth && arch->pad == PIX_PAD_REFLECT)
        g_ptr_array_add(notes, g_strdup("reflection and replication padding look the same in a "
                                        "file: reflection is assumed, as published"));
    return true;
}

static bool recognise_patchgan(const PixKeySet *set, bool mm, PixArch *arch, GPtrArray *notes,
                               GError **error)
{
    int last_at = last_index(set, "weight");
    arch->depth = mm ? last_at - 1 : (last_at - 2) / 3;
    if (arch->depth < 1 || (!mm && last_at % 3 != 2))
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "its last kernel is model.%d.weight, which no PatchGAN discriminator of "
                        "the published form has (%s)",
                        last_at, mm ? "model.2 or later" : "model.5, 8, 11, ...");
    g_autofree char *last = g_strdup_printf("model.%d.weight", last_at);
    const char *first = mm ? "model.0.conv.weight" : "model.0.weight";
    if (!read_side(set, first, 0, &arch->filters, error) ||
        !read_side(set, first, 1, &arch->in_channels, error) ||
        !read_side(set, last, 0, &arch->out_channels, error))
        return false;
    recognise_norm(set, mm ? "model.1.conv.bias" : "model.2.bias", arch, notes);
    return true;
}

static bool recognise_pixelgan(const PixKeySet *set, PixArch *arch, GPtrArray *notes,
                               GError **error)
{
    recognise_norm(set, "net.2.bias", arch, notes);
    return read_side(set, "net.0.weight", 0, &arch->filters, error) &&
           read_side(set, "net.0.weight", 1, &arch->in_channels, error) &&
           read_side(set, "net.5.weight", 0, &arch->out_channels, error);
}

static bool recognise_cryer(const PixKeySet *set, bool generator, PixArch *arch, GError **error)
{
    arch->norm = PIX_NORM_INSTANCE;
    arch->affine = arch->running = false;
    arch->dropout = generator;
    const char *first = generator ? "downsample1.model.0.weight" : "model.0.weight";
    const char *last = generator ? "final.2.weight" : "model.12.weight";
    return read_side(set, first, 0, &arch->filters, error) &&
           read_side(set, first, 1, &arch->in_channels, error) &&
           read_side(set, last, 0, &arch->out_channels, error);
}

bool pix_recognise_arch(const PixKeySet *set, PixLayout layout, PixArchKind kind, PixArch *arch,
                        GPtrArray *notes, GError **error)
{
    bool mm = layout == PIX_LAYOUT_MM;
    pix_arch_init(arch, kind);
    switch (kind) {
    case PIX_ARCH_UNET:
        return layout == PIX_LAYOUT_AFFINELAYER ? recognise_affinelayer(set, arch, notes, error)
                                                : recognise_unet(set, mm, arch, notes, error);
    case PIX_ARCH_RESNET:
        return recognise_resnet(set, mm, arch, notes, error);
    case PIX_ARCH_PATCHGAN:
        return recognise_patchgan(set, mm, arch, notes, error);
    case PIX_ARCH_PIXELGAN:
        return recognise_pixelgan(set, arch, notes, error);
    case PIX_ARCH_CRYER_UNET:
    case PIX_ARCH_CRYER_PATCHGAN:
        return recognise_cryer(set, kind == PIX_ARCH_CRYER_UNET, arch, error);
    case PIX_ARCH_COUNT:
        break;
    }
    g_assert_not_reached();
}
