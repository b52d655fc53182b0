/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the pairs of a run are, and where it is itself. */
#include "settings.h"

#include <string.h>

/* A folder may hold one folder for each phase, or the pictures themselves. */
static char *phase_folder(const char *folder, const char *phase)
{
    char *inside = g_build_filename(folder, phase, NULL);

    if (g_file_test(inside, G_FILE_TEST_IS_DIR))
        return inside;
    g_free(inside);
    return g_strdup(folder);
}

gboolean settings_find_folders(const Settings *settings, const char *phase, gboolean validation,
                               char **a, char **b)
{
    gboolean apart = validation && settings->val_a, learnt = !strcmp(phase, settings->phase);

    *a = *b = NULL;
    if (!settings->a)
        return TRUE;
    g_autofree char *inside = g_build_filename(settings->a, phase, NULL);
    if (!apart && !learnt && !g_file_test(inside, G_FILE_TEST_IS_DIR))
        return FALSE;
    *a = phase_folder(apart ? settings->val_a : settings->a, phase);
    *b = phase_folder(apart ? settings->val_b : settings->b, phase);
    return TRUE;
}

void settings_move(Settings *settings, const char *output)
{
    const char *before = settings->output ? settings->output : "", *samples = settings->samples_dir;
    gsize length = strlen(before);

    if (samples && *before && g_str_has_prefix(samples, before) &&
        (!samples[length] || samples[length] == G_DIR_SEPARATOR)) {
        g_autofree char *moved = g_strconcat(output, samples + length, NULL);
        settings_set(settings, "samples_dir", NULL, moved, NULL);
    }
    settings_set(settings, "output", NULL, output, NULL);
}
