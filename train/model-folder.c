/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model-folder.h"

#include <string.h>

gboolean model_folder_is_run(const char *path)
{
    g_autofree char *config = g_build_filename(path, "config.json", NULL);

    return g_file_test(config, G_FILE_TEST_EXISTS);
}

/* "best.safetensors", or what @epoch says. */
static char *find_in_run(const char *path, const char *epoch)
{
    guint64 number;
    g_autofree char *best = g_build_filename(path, "best.safetensors", NULL);

    if (!epoch && g_file_test(best, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&best);
    if (epoch && g_ascii_string_to_unsigned(epoch, 10, 0, G_MAXINT, &number, NULL))
        return g_strdup_printf("%s/generators/epoch-%04" G_GUINT64_FORMAT ".safetensors", path,
                               number);
    return g_strdup_printf("%s/%s.safetensors", path, epoch ? epoch : "latest");
}

char *model_folder_find(const char *path, const char *epoch)
{
    const char *word = epoch ? epoch : "latest";
    g_autofree char *junyanz = g_strdup_printf("%s/%s_net_G.pth", path, word);
    g_autofree char *cryer = g_strdup_printf("%s/generator_%s.pth", path, word);

    if (model_folder_is_run(path))
        return find_in_run(path, epoch);
    if (g_file_test(junyanz, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer(&junyanz);
    return g_file_test(cryer, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer(&cryer) : NULL;
}

gboolean model_folder_name(const char *checkpoints_dir, const char *name, const char *suffix,
                           char **path, GError **error)
{
    g_autofree char *base =
        name ? g_strconcat(name, suffix && *suffix ? "_" : "", suffix, NULL) : NULL;

    *path = NULL;
    if (suffix && *suffix && (!name || strchr(suffix, '{'))) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--suffix %s: comes behind --name, as it is; --output RUN names the folder",
                    suffix);
        return FALSE;
    }
    if (base)
        *path = g_build_filename(checkpoints_dir ? checkpoints_dir : "checkpoints", base, NULL);
    return TRUE;
}
