/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "calibration-set.h"

#include "augment.h"
#include "image-file.h"
#include "image-list.h"

struct CalibrationSet {
    char *folder;
    GPtrArray *files; /* inputs; NULL where there are pairs */
    Dataset *pairs;
    int channels;
    int width, height;      /* of each picture; 0 where there are several sizes */
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

static void add_size(CalibrationSet *set, guint index, int width, int height)
{
    gboolean same = index == 0 || (width == set->width && height == set->height);

    set->width = same ? width : 0;
    set->height = same ? height : 0;
}

/* ---- inputs ---- */

/* A picture beside the folders of a data set is hardly all that is meant. */
static gboolean check_folder(const char *folder, GError **error)
{
    static const char *const phases[] = {"val", "test", "train"};

    for (gsize i = 0; i < G_N_ELEMENTS(phases); i++) {
        g_autofree char *inside = g_build_filename(folder, phases[i], NULL);
        if (g_file_test(inside, G_FILE_TEST_IS_DIR)) {
            g_set_error(error, PIX_ERROR, PIX_ERROR_UNSUPPORTED,
                        "%s: holds pictures and a folder %s, name its pairs with --split %s, or a "
                        "folder with inputs alone",
                        folder, phases[i], phases[i]);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean check_files(CalibrationSet *set, GError **error)
{
    int width, height;

    if (!check_folder(set->folder, error))
        return FALSE;
    for (guint i = 0; i < set->files->len; i++) {
        if (!picture_check(set->files->pdata[i], &width, &height, error))
            return FALSE;
        add_size(set, i, width, height);
    }
    return TRUE;
}

/* ---- pairs ---- */

/* What a data set lacks, a generator may not need. */
static void advise(const CalibrationSetOptions *options, GError **error)
{
    if (options->split || !g_error_matches(*error, PIX_ERROR, PIX_ERROR_NOT_FOUND) ||
        !g_file_test(options->folder, G_FILE_TEST_IS_DIR))
        return;
    g_clear_error(error);
    g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND,
                "%s: has no pairs in a folder val, name the folder that holds the inputs",
                options->folder);
}

static gboolean open_pairs(CalibrationSet *set, const CalibrationSetOptions *options,
                           const PixModelInfo *info, GError **error)
{
    const DatasetOptions dataset = {
        .root = options->folder,
        .phase = options->split ? options->split : "val",
        .exact = options->split != NULL,
        .b_to_a = options->b_to_a,
        .in_channels = info->in_channels,
        .out_channels = info->out_channels,
    };
    GError *failed = NULL;
    int width, height;

    set->pairs = dataset_open(&dataset, &failed);
    if (!set->pairs) {
        advise(options, &failed);
        g_propagate_error(error, failed);
        return FALSE;
    }
    for (guint i = 0; i < dataset_get_n(set->pairs); i++) {
        dataset_get_size(set->pairs, i, &width, &height);
        add_size(set, i, width, height);
    }
    return TRUE;
}

/* ---- both ---- */

CalibrationSet *calibration_set_open(const CalibrationSetOptions *options, const PixModelInfo *info,
                                     GError **error)
{
    g_autoptr(CalibrationSet) set = g_new0(CalibrationSet, 1);

    if (!check_channels(info, error))
        return NULL;
    set->folder = g_strdup(options->folder);
    set->channels = info->in_channels;
    set->augment = (AugmentOptions){
        .preprocess = AUGMENT_RESIZE_AND_CROP,
        .load_width = info->width,
        .load_height = info->height,
        .crop_width = info->width,
        .crop_height = info->height,
    };
    if (!options->split && !options->pairs)
        set->files = picture_list(options->folder, NULL);
    gboolean ok = set->files ? check_files(set, error) : open_pairs(set, options, info, error);
    return ok ? g_steal_pointer(&set) : NULL;
}

void calibration_set_free(CalibrationSet *set)
{
    if (!set)
        return;
    g_clear_pointer(&set->files, g_ptr_array_unref);
    dataset_free(set->pairs);
    g_free(set->folder);
    g_free(set);
}

guint calibration_set_get_n(const CalibrationSet *set)
{
    return set->files ? set->files->len : dataset_get_n(set->pairs);
}

const Dataset *calibration_set_get_pairs(const CalibrationSet *set)
{
    return set->pairs;
}

char *calibration_set_get_name(const CalibrationSet *set, guint index)
{
    if (set->files)
        return g_strdup(set->files->pdata[index]);
    return g_build_filename(dataset_get_folder(set->pairs), dataset_get_name(set->pairs, index),
                            NULL);
}

/* "512 x 256, resized to 256 x 256" */
static char *describe_size(const CalibrationSet *set)
{
    int width = set->augment.crop_width, height = set->augment.crop_height;

    if (set->width == 0)
        return g_strdup_printf("several sizes, resized to %d x %d", width, height);
    if (set->width == width && set->height == height)
        return g_strdup_printf("%d x %d", width, height);
    return g_strdup_printf("%d x %d, resized to %d x %d", set->width, set->height, width, height);
}

char *calibration_set_describe(const CalibrationSet *set)
{
    guint n = calibration_set_get_n(set);
    g_autofree char *size = describe_size(set);

    if (set->files)
        return g_strdup_printf("%s: %u pictures are the inputs, of %s", set->folder, n, size);
    return g_strdup_printf("%s: the %s halves of %u pairs are the inputs, of %s",
                           dataset_get_folder(set->pairs),
                           dataset_get_options(set->pairs)->b_to_a ? "right" : "left", n, size);
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
