/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dataset.h"

#include "dataset-check.h"
#include "image-file.h"
#include "pair-list.h"

#include <pix2pix/pix.h>

struct Dataset {
    DatasetOptions options; /* owns its strings */
    char *folder;
    GPtrArray *pairs;            /* of Pair */
    GPtrArray *problems, *notes; /* of text */
};

static Dataset *new_dataset(const DatasetOptions *options)
{
    Dataset *dataset = g_new0(Dataset, 1);

    dataset->options = *options;
    dataset->options.root = g_strdup(options->root);
    dataset->options.phase = g_strdup(options->phase);
    dataset->options.a_folder = g_strdup(options->a_folder);
    dataset->options.b_folder = g_strdup(options->b_folder);
    dataset->problems = g_ptr_array_new_with_free_func(g_free);
    dataset->notes = g_ptr_array_new_with_free_func(g_free);
    return dataset;
}

void dataset_free(Dataset *dataset)
{
    if (!dataset)
        return;
    g_free((char *)dataset->options.root);
    g_free((char *)dataset->options.phase);
    g_free((char *)dataset->options.a_folder);
    g_free((char *)dataset->options.b_folder);
    g_free(dataset->folder);
    g_clear_pointer(&dataset->pairs, g_ptr_array_unref);
    g_ptr_array_unref(dataset->problems);
    g_ptr_array_unref(dataset->notes);
    g_free(dataset);
}

/* Takes the broken pairs out, unless they are too many, or are to keep their numbers. */
static gboolean check_pairs(Dataset *dataset, GError **error)
{
    const guint n = dataset->pairs->len;

    dataset_check(dataset->pairs, &dataset->options, dataset->problems);
    if ((guint64)dataset->problems->len * 100 > n) {
        g_autofree char *named = pair_list_join_some(dataset->problems, "; ", DATASET_NAMED);
        g_set_error(error, PIX_ERROR, PIX_ERROR_IO,
                    "%s: %u of %u pairs are broken, more than 1 %%: %s", dataset->folder,
                    dataset->problems->len, n, named);
        return FALSE;
    }
    for (guint i = n; i-- > 0 && !dataset->options.keep_broken;) {
        if (((Pair *)dataset->pairs->pdata[i])->bytes == 0)
            g_ptr_array_remove_index(dataset->pairs, i);
    }
    return TRUE;
}

static GPtrArray *find_pairs(Dataset *dataset, GError **error)
{
    const DatasetOptions *options = &dataset->options;

    if (options->root)
        return pair_list_side_by_side(options->root, options->phase, options->exact,
                                      &dataset->folder, dataset->notes, error);
    dataset->folder = g_strdup_printf("%s and %s", options->a_folder, options->b_folder);
    return pair_list_two_folders(options->a_folder, options->b_folder, error);
}

Dataset *dataset_open(const DatasetOptions *options, GError **error)
{
    g_return_val_if_fail(
        (options->root && options->phase) != (options->a_folder && options->b_folder), NULL);
    g_autoptr(Dataset) dataset = new_dataset(options);

    dataset->pairs = find_pairs(dataset, error);
    if (!dataset->pairs)
        return NULL;
    if (options->max_size > 0 && dataset->pairs->len > (guint)options->max_size)
        g_ptr_array_set_size(dataset->pairs, options->max_size);
    if (!check_pairs(dataset, error))
        return NULL;
    if (dataset->pairs->len == 1)
        g_ptr_array_add(dataset->notes, g_strdup_printf("%s: holds a single pair, and a network "
                                                        "learns nothing but that from it",
                                                        dataset->folder));
    return g_steal_pointer(&dataset);
}

const DatasetOptions *dataset_get_options(const Dataset *dataset)
{
    return &dataset->options;
}

const char *dataset_get_folder(const Dataset *dataset)
{
    return dataset->folder;
}

guint dataset_get_n(const Dataset *dataset)
{
    return dataset->pairs->len;
}

static const Pair *get_pair(const Dataset *dataset, guint index)
{
    g_assert(index < dataset->pairs->len);
    return dataset->pairs->pdata[index];
}

const char *dataset_get_name(const Dataset *dataset, guint index)
{
    return get_pair(dataset, index)->name;
}

gboolean dataset_is_broken(const Dataset *dataset, guint index)
{
    return get_pair(dataset, index)->width == 0;
}

guint64 dataset_get_bytes(const Dataset *dataset, guint index)
{
    return get_pair(dataset, index)->bytes;
}

void dataset_get_size(const Dataset *dataset, guint index, int *width, int *height)
{
    *width = get_pair(dataset, index)->width;
    *height = get_pair(dataset, index)->height;
}

const GPtrArray *dataset_get_problems(const Dataset *dataset)
{
    return dataset->problems;
}

const GPtrArray *dataset_get_notes(const Dataset *dataset)
{
    return dataset->notes;
}

/* Reads @file, which had @width x @height pixels when it was looked at first. */
static Picture *read_again(const char *file, int width, int height, int channels, GError **error)
{
    g_autoptr(Picture) picture = picture_read_as(file, channels, error);

    if (!picture || (picture->width == width && picture->height == height))
        return g_steal_pointer(&picture);
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_SHAPE,
                "%s: is %d x %d pixels now and was %d x %d at the start, put it back", file,
                picture->width, picture->height, width, height);
    return NULL;
}

static Picture *get_half(const Picture *whole, gboolean right, int channels)
{
    int half = whole->width / 2;
    g_autoptr(Picture) part = picture_crop(whole, right ? half : 0, 0, half, whole->height);

    if (part->channels == channels)
        return g_steal_pointer(&part);
    return picture_convert(part, channels);
}

static gboolean read_side_by_side(const Dataset *dataset, const Pair *pair, Picture **in,
                                  Picture **out, GError **error)
{
    const DatasetOptions *options = &dataset->options;
    int channels = MAX(options->in_channels, options->out_channels);
    g_autoptr(Picture) whole = read_again(pair->a, 2 * pair->width, pair->height, channels, error);

    if (!whole)
        return FALSE;
    *in = get_half(whole, options->b_to_a, options->in_channels);
    *out = get_half(whole, !options->b_to_a, options->out_channels);
    return TRUE;
}

static gboolean read_two_files(const Dataset *dataset, const Pair *pair, Picture **in,
                               Picture **out, GError **error)
{
    const DatasetOptions *options = &dataset->options;
    const char *in_file = options->b_to_a ? pair->b : pair->a;
    const char *out_file = options->b_to_a ? pair->a : pair->b;
    g_autoptr(Picture) picture =
        read_again(in_file, pair->width, pair->height, options->in_channels, error);

    if (!picture)
        return FALSE;
    *out = read_again(out_file, pair->width, pair->height, options->out_channels, error);
    if (!*out)
        return FALSE;
    *in = g_steal_pointer(&picture);
    return TRUE;
}

gboolean dataset_read(const Dataset *dataset, guint index, Picture **in, Picture **out,
                      GError **error)
{
    const Pair *pair = get_pair(dataset, index);

    if (dataset_is_broken(dataset, index)) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_IO, "%s: was broken at the start", pair->a);
        return FALSE;
    }
    if (pair->b)
        return read_two_files(dataset, pair, in, out, error);
    return read_side_by_side(dataset, pair, in, out, error);
}
