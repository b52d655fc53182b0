/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model-cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "safetensors.h"

#define GENERATOR TRUE
#define DISCRIMINATOR FALSE
#define ZIP "pytorch-zip"
#define LEGACY "pytorch-legacy"
#define REFLECT "reflection is assumed"
#define TRACKED "running statistics of instance norms"
#define TURNED "trained on BGR"

/* File, domain, io; architecture, layout, container, norm; in, out, side, multiple; generator,
 * dropout, running statistics, number of trained values, note. */
const ModelCase model_cases[] = {
    {"unet32.safetensors", NULL, "unet32", "unet_32", "native", "safetensors", "batch", 3, 3, 32,
     32, GENERATOR, FALSE, TRUE, 65835, NULL},
    {"unet32_1to3.safetensors", NULL, "unet32_1to3", "unet_32", "native", "safetensors", "batch", 1,
     3, 32, 32, GENERATOR, FALSE, TRUE, 4237, NULL},
    {"resnet2.safetensors", NULL, "resnet2", "resnet_2blocks", "native", "safetensors", "instance",
     3, 3, 256, 4, GENERATOR, FALSE, FALSE, 13379, NULL},
    {"patchgan.safetensors", NULL, "patchgan", "patchgan_3", "native", "safetensors", "batch", 6, 1,
     256, 1, DISCRIMINATOR, FALSE, TRUE, 3195, NULL},
    {"resnet_replicate.safetensors", NULL, "resnet_replicate", "resnet_1blocks", "native",
     "safetensors", "batch", 3, 3, 256, 4, GENERATOR, FALSE, TRUE, 2535, NULL},

    {"unet_dropout.pth", NULL, "unet_dropout", "unet_64", "junyanz", LEGACY, "batch", 1, 1, 64, 64,
     GENERATOR, TRUE, TRUE, 7275, "trained with dropout cannot be seen"},
    {"unet_batch_legacy.pth", NULL, "unet_batch_legacy", "unet_8", "junyanz", LEGACY, "batch", 3, 3,
     256, 8, GENERATOR, FALSE, TRUE, 1719, NULL},
    {"unet_instance.pth", NULL, "unet_instance", "unet_8", "junyanz", ZIP, "instance", 3, 3, 256, 8,
     GENERATOR, FALSE, FALSE, 1719, NULL},
    {"unet_old_instance.pth", NULL, "unet_old_instance", "unet_8", "junyanz", LEGACY, "instance", 3,
     3, 256, 8, GENERATOR, FALSE, FALSE, 1719, TRACKED},
    {"unet_none.pth", NULL, "unet_none", "unet_8", "junyanz", ZIP, "none", 4, 2, 256, 8, GENERATOR,
     FALSE, FALSE, 1666, NULL},
    {"unet_module.pth", NULL, "unet_module", "unet_8", "junyanz", ZIP, "batch", 3, 3, 256, 8,
     GENERATOR, FALSE, TRUE, 1719, NULL},
    {"unet_compiled.pth", NULL, "unet_compiled", "unet_8", "junyanz", ZIP, "batch", 3, 3, 256, 8,
     GENERATOR, FALSE, TRUE, 1719, NULL},
    {"encoder_decoder.pth", NULL, "encoder_decoder", "encoder_decoder_8", "junyanz", ZIP, "batch",
     3, 3, 256, 8, GENERATOR, TRUE, TRUE, 1495, NULL},
    {"resnet_batch_dropout.pth", NULL, "resnet_batch_dropout", "resnet_1blocks", "junyanz", ZIP,
     "batch", 3, 3, 256, 4, GENERATOR, TRUE, TRUE, 2535, REFLECT},
    {"resnet_instance.pth", NULL, "resnet_instance", "resnet_3blocks", "junyanz", ZIP, "instance",
     3, 3, 256, 4, GENERATOR, FALSE, FALSE, 4835, REFLECT},
    {"resnet_old_instance.pth", NULL, "resnet_old_instance", "resnet_1blocks", "junyanz", LEGACY,
     "instance", 3, 3, 256, 4, GENERATOR, FALSE, FALSE, 2499, TRACKED},
    {"resnet_none.pth", NULL, "resnet_none", "resnet_1blocks", "junyanz", ZIP, "none", 3, 3, 256, 4,
     GENERATOR, FALSE, FALSE, 2463, REFLECT},
    {"resnet_noblocks.pth", NULL, "resnet_noblocks", "resnet_0blocks", "junyanz", ZIP, "instance",
     1, 1, 256, 4, GENERATOR, FALSE, FALSE, 937, NULL},
    {"resnet_zero.pth", NULL, "resnet_zero", "resnet_1blocks", "junyanz", ZIP, "batch", 3, 3, 256,
     4, GENERATOR, FALSE, TRUE, 2535, NULL},
    {"resnet_zero_dropout.pth", NULL, "resnet_zero_dropout", "resnet_1blocks", "junyanz", ZIP,
     "instance", 3, 3, 256, 4, GENERATOR, TRUE, FALSE, 2499, NULL},
    {"unet_affine_instance.pth", NULL, "unet_affine_instance", "unet_8", "junyanz", ZIP, "instance",
     3, 3, 256, 8, GENERATOR, FALSE, FALSE, 1739, "taken for instance norm"},
    {"resnet_affine_instance.pth", NULL, "resnet_affine_instance", "resnet_1blocks", "junyanz", ZIP,
     "instance", 3, 3, 256, 4, GENERATOR, FALSE, FALSE, 2571, "taken for instance norm"},
    {"patchgan_instance.pth", NULL, "patchgan_instance", "patchgan_4", "junyanz", ZIP, "instance",
     3, 1, 256, 1, DISCRIMINATOR, FALSE, FALSE, 1896, NULL},
    {"patchgan_none.pth", NULL, "patchgan_none", "patchgan_2", "junyanz", ZIP, "none", 3, 1, 256, 1,
     DISCRIMINATOR, FALSE, FALSE, 867, NULL},
    {"patchgan_one.pth", NULL, "patchgan_one", "patchgan_1", "junyanz", ZIP, "batch", 6, 1, 256, 1,
     DISCRIMINATOR, FALSE, TRUE, 395, NULL},
    {"pixelgan_batch.pth", NULL, "pixelgan_batch", "pixelgan", "junyanz", ZIP, "batch", 6, 1, 256,
     1, DISCRIMINATOR, FALSE, TRUE, 84, NULL},
    {"pixelgan_instance.pth", NULL, "pixelgan_instance", "pixelgan", "junyanz", ZIP, "instance", 3,
     1, 256, 1, DISCRIMINATOR, FALSE, FALSE, 65, NULL},

    {"mm_pix2pix.pth", NULL, "mm_pix2pix", "unet_8", "mmgeneration", ZIP, "batch", 3, 3, 256, 8,
     GENERATOR, FALSE, TRUE, 1719, TURNED},
    {"mm_pix2pix.pth", "photo", "mm_pix2pix", "unet_8", "mmgeneration", ZIP, "batch", 3, 3, 256, 8,
     GENERATOR, FALSE, TRUE, 1719, TURNED},
    {"mm_pix2pix.pth", "discriminators.photo", "mm_pix2pix.discriminator", "patchgan_3",
     "mmgeneration", ZIP, "batch", 6, 1, 256, 1, DISCRIMINATOR, FALSE, TRUE, 926, TURNED},
    {"mm_cyclegan.pth", "horse", "mm_cyclegan.horse", "resnet_2blocks", "mmgeneration", ZIP,
     "instance", 3, 3, 256, 4, GENERATOR, FALSE, FALSE, 3667, TURNED},
    {"mm_cyclegan.pth", "generators.zebra", "mm_cyclegan.zebra", "resnet_2blocks", "mmgeneration",
     ZIP, "instance", 3, 3, 256, 4, GENERATOR, FALSE, FALSE, 3667, TURNED},
    {"mm_cyclegan.pth", "discriminators.horse", "mm_cyclegan.discriminator", "patchgan_1",
     "mmgeneration", ZIP, "instance", 3, 1, 256, 1, DISCRIMINATOR, FALSE, FALSE, 295, TURNED},
    {"mm_resnet_dropout.pth", NULL, "mm_resnet_dropout", "resnet_1blocks", "mmgeneration", ZIP,
     "batch", 3, 3, 256, 4, GENERATOR, TRUE, TRUE, 2535, TURNED},
    {"mm_affine_instance.pth", NULL, "mm_affine_instance", "unet_8", "mmgeneration", ZIP,
     "instance", 3, 3, 256, 8, GENERATOR, FALSE, FALSE, 1739, TURNED},
    {"mm_unet_instance.pth", NULL, "mm_unet_instance", "unet_8", "mmgeneration", ZIP, "instance", 1,
     3, 256, 8, GENERATOR, FALSE, FALSE, 1655, TURNED},

    {"cryer.pth", NULL, "cryer", "cryer_unet_256", "cryer", ZIP, "instance", 1, 1, 256, 256,
     GENERATOR, TRUE, FALSE, 13329, NULL},
    {"cryer_discriminator.pth", NULL, "cryer_discriminator", "cryer_patchgan", "cryer", ZIP,
     "instance", 6, 1, 256, 1, DISCRIMINATOR, FALSE, FALSE, 3166, NULL},
    {"affinelayer.pict", NULL, "affinelayer", "unet_16", "affinelayer", "pict", "batch", 3, 3, 256,
     16, GENERATOR, FALSE, FALSE, 6435, "statistics of the frame"},

#define WRAPPED(name, domain, container, note)                                                     \
    {                                                                                              \
        name, domain, "wrapped", "unet_4", "junyanz", container, "batch", 3, 3, 256, 4, GENERATOR, \
            FALSE, TRUE, 551, note                                                                 \
    }
    WRAPPED("wrapped.safetensors", NULL, "safetensors", NULL),
    WRAPPED("wrapped_state_dict.pth", NULL, ZIP, NULL),
    WRAPPED("wrapped_model_state_dict.pth", NULL, ZIP, NULL),
    WRAPPED("wrapped_generator.pth", "generator", ZIP, NULL),
    WRAPPED("wrapped_mine.pth", NULL, ZIP, NULL),
    WRAPPED("wrapped_pair.pth", NULL, ZIP, "another network in the file: D"),
    WRAPPED("wrapped_two.pth", "netG_A", ZIP, "another network in the file: netG_B"),
    WRAPPED("wrapped_average.pth", "netG", ZIP, "another network in the file: average/netG"),
    WRAPPED("wrapped_lightning.pth", NULL, ZIP, "another network in the file: state_dict/netD"),
    WRAPPED("wrapped_lightning.pth", "netG", ZIP, NULL),
    WRAPPED("wrapped_parameters.pth", NULL, ZIP, NULL),
    WRAPPED("wrapped_channels_last.pth", NULL, ZIP, NULL),
    WRAPPED("prefixed_net.pth", NULL, ZIP, NULL),
    WRAPPED("prefixed_gen_net.pth", NULL, ZIP, NULL),
    WRAPPED("prefixed_model.pth", NULL, ZIP, NULL),
    WRAPPED("prefixed_model_netg.pth", NULL, ZIP, NULL),
    WRAPPED("prefixed_list.pth", NULL, ZIP, NULL),
    WRAPPED("prefixed_pair.pth", NULL, ZIP, "another network in the file: model.D"),
    WRAPPED("prefixed_pair.pth", "model.G", ZIP, NULL),
    WRAPPED("prefixed_pair.pth", "G", ZIP, NULL),
};

const guint n_model_cases = G_N_ELEMENTS(model_cases);

char *model_path(const char *name)
{
    return g_build_filename(MODELS_FOLDER, name, NULL);
}

static char *temporary_folder;

static void remove_temporary(void)
{
    g_autoptr(GDir) dir = g_dir_open(temporary_folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = temporary_path(name);
        g_remove(path);
    }
    g_rmdir(temporary_folder);
    g_free(temporary_folder);
}

char *temporary_path(const char *name)
{
    if (!temporary_folder) {
        temporary_folder = g_dir_make_tmp("pix2pix-models-XXXXXX", NULL);
        assert_non_null(temporary_folder);
        atexit(remove_temporary);
    }
    return g_build_filename(temporary_folder, name, NULL);
}

PixCheckpoint *open_model(const char *name, const char *domain)
{
    g_autofree char *path = model_path(name);
    GError *error = NULL;
    PixCheckpoint *checkpoint = pix_checkpoint_open(path, domain, &error);
    if (!checkpoint)
        fail_msg("%s", error->message);
    return checkpoint;
}

GError *fail_to_open(const char *path, const char *domain)
{
    GError *error = NULL;
    PixCheckpoint *checkpoint = pix_checkpoint_open(path, domain, &error);
    if (checkpoint)
        fail_msg("%s was opened as %s", path, pix_checkpoint_get_info(checkpoint)->architecture);
    assert_non_null(error);
    assert_true(error->domain == PIX_ERROR);
    assert_true(g_str_has_prefix(error->message, path));
    return error;
}

void assert_mentions(const char *text, const char *part)
{
    assert_null(strchr(text, '\n'));
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

/* ---- files with something changed ---- */

static void free_tensor(gpointer data)
{
    EditTensor *tensor = data;
    g_free(tensor->name);
    g_free(tensor->values);
    g_free(tensor);
}

static guint64 count_of(const EditTensor *tensor)
{
    guint64 count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->dims[i];
    return count;
}

Edit *edit_new(const char *model_name)
{
    g_autofree char *path = model_path(model_name);
    PixContainer *container = pix_container_open(path, NULL);
    assert_non_null(container);
    Edit *edit = g_new0(Edit, 1);
    edit->tensors = g_ptr_array_new_with_free_func(free_tensor);
    edit->metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, pix_container_get_metadata(container));
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(edit->metadata, g_strdup(key), g_strdup(value));
    for (guint i = 0; i < pix_container_get_n_entries(container); i++) {
        const PixEntry *entry = pix_container_get_entry(container, i);
        EditTensor *tensor = edit_add(edit, entry->name, entry->dtype, entry->count);
        tensor->rank = entry->rank;
        memcpy(tensor->dims, entry->dims, sizeof entry->dims);
        assert_true(pix_container_read(container, entry, tensor->values, NULL));
    }
    pix_container_free(container);
    return edit;
}

void edit_free(Edit *edit)
{
    g_ptr_array_unref(edit->tensors);
    g_hash_table_unref(edit->metadata);
    g_free(edit);
}

EditTensor *edit_find(Edit *edit, const char *name)
{
    for (guint i = 0; i < edit->tensors->len; i++) {
        EditTensor *tensor = g_ptr_array_index(edit->tensors, i);
        if (!strcmp(tensor->name, name))
            return tensor;
    }
    fail_msg("no tensor %s", name);
    return NULL;
}

void edit_remove(Edit *edit, const char *name)
{
    g_ptr_array_remove(edit->tensors, edit_find(edit, name));
}

EditTensor *edit_add(Edit *edit, const char *name, PixDtype dtype, guint64 count)
{
    EditTensor *tensor = g_new0(EditTensor, 1);
    tensor->name = g_strdup(name);
    tensor->dtype = dtype;
    tensor->rank = 1;
    tensor->dims[0] = count;
    tensor->values = g_new0(float, count);
    g_ptr_array_add(edit->tensors, tensor);
    return tensor;
}

void edit_set(Edit *edit, const char *key, const char *value)
{
    g_hash_table_insert(edit->metadata, g_strdup(key), g_strdup(value));
}

static bool fill(gpointer user_data, guint index, void *bytes, GError **error)
{
    const Edit *edit = user_data;
    const EditTensor *tensor = g_ptr_array_index(edit->tensors, index);
    if (tensor->dtype <= PIX_DTYPE_BF16)
        pix_dtype_from_floats(tensor->dtype, tensor->values, bytes, count_of(tensor));
    else
        memset(bytes, 0, count_of(tensor) * pix_dtype_bytes(tensor->dtype));
    return true;
}

char *edit_write(Edit *edit, const char *name)
{
    g_autofree PixTensorSource *sources = g_new0(PixTensorSource, edit->tensors->len);
    for (guint i = 0; i < edit->tensors->len; i++) {
        const EditTensor *tensor = g_ptr_array_index(edit->tensors, i);
        sources[i] = (PixTensorSource){tensor->name, tensor->dtype, tensor->rank, {0}};
        memcpy(sources[i].dims, tensor->dims, sizeof tensor->dims);
    }
    char *path = temporary_path(name);
    GError *error = NULL;
    if (!pix_safetensors_write(path, sources, edit->tensors->len, edit->metadata, fill, edit,
                               &error))
        fail_msg("%s", error->message);
    return path;
}
