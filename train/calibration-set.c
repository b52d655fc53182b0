/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "calibration-set.h"

#include "augment.h"
#include "dataset.h"
#include "image-file.h"
#include "image-list.h"

#include <string.h>

struct CalibrationSet {
    GPtrArray *files; /* inputs; NULL where there are pairs */
    Dataset *pairs;
    int channels;
    AugmentOptions augment; /* resizes */
};

static gboolean check_channels(const PixModelInfo *info, GError **error)
{
    const int channels[] = {info->in_channels, info->out_channels};

    for (int i = 0; i < 2; i++) {
        if (channels[i] == 2 || channels[i] > 4) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                        "%s: has %d channels in and %d out, and pictures have 1, 3 or 4",
                        info->architecture, info->in_channels, info->out_channels);
            return FALSE;
        }
    }
    return TRUE;
}

/* Whether @split stands there, as it must where it was asked for. */
static gboolean check_split(const char *folder, const char *split, GError **error)
{
    g_autofree char *path = g_build_filename(folder, split ? split : "", NULL);

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND, "%s: there is no such folder, name another",
                path);
    return FALSE;
}

static Dataset *open_pairs(const char *folder, const char *split, const char *direction,
                           const PixModelInfo *info, GError **error)
{
    const DatasetOptions options = {
        .root = folder,
        .phase = split ? split : "val",
        .b_to_a = direction && direction[0] == 'B',
        .in_channels = info->in_channels,
        .out_channels = info->out_channels,
    };

    return check_split(folder, split, error) ? dataset_open(&options, error) : NULL;
}

CalibrationSet *calibration_set_open(const char *folder, const char *split, const char *direction,
                                     const PixModelInfo *info, GError **error)
{
    g_autoptr(CalibrationSet) set = g_new0(CalibrationSet, 1);

    if (!check_channels(info, error))
        return NULL;
    set->channels = info->in_channels;
    set->augment = (AugmentOptions){
        .preprocess = AUGMENT_RESIZE_AND_CROP,
        .load_width = info->width,
        .load_height = info->height,
        .crop_width = info->width,
        .crop_height = info->height,
    };
    if (!split && !direction)
        set->files = picture_list(folder, NULL);
    if (!set->files)
        set->pairs = open_pairs(folder, split, direction, info, error);
    return set->files || set->pairs ? g_steal_pointer(&set) : NULL;
}

void calibration_set_free(CalibrationSet *set)
{
    if (!set)
        return;
    g_clear_pointer(&set->files, g_ptr_array_unref);
    dataset_free(set->pairs);
    g_free(set);
}

guint calibration_set_get_n(const CalibrationSet *set)
{
    return set->files ? set->files->len : dataset_get_n(set->pairs);
}

gboolean calibration_set_read(const CalibrationSet *set, guint index, float *x, GError **error)
{
    g_autoptr(Picture) in = NULL, out = NULL;

    if (set->files)
        in = picture_read_as(set->files->pdata[index], set->channels, error);
    else if (!dataset_read(set->pairs, index, &in, &out, error))
        return FALSE;
    if (!in)
        return FALSE;
    augment_plain(&set->augment, in, x);
    return TRUE;
}
