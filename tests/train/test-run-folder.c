/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which states of a run are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "run-folder.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *path;
    RunFolder *folder;
} Scene;

static int setup(void **state)
{
    Scene *scene = g_new0(Scene, 1);

    *state = scene;
    scene->path = g_dir_make_tmp("pix2pix-XXXXXX", NULL);
    scene->folder = scene->path ? run_folder_make(scene->path, NULL) : NULL;
    return scene->folder && run_folder_make_folder(scene->folder, "states", NULL) ? 0 : -1;
}

static int teardown(void **state)
{
    Scene *scene = *state;
    g_autofree char *command = g_strdup_printf("rm -r '%s'", scene->path);

    run_folder_close(scene->folder);
    int status = g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL) ? 0 : -1;
    g_free(scene->path);
    g_free(scene);
    return status;
}

static void make_state(const Scene *scene, guint64 step, gboolean is_folder)
{
    g_autofree char *path = run_folder_state(scene->folder, step);

    assert_true(is_folder ? !g_mkdir(path, 0777) : g_file_set_contents(path, "x", 1, NULL));
}

/* @steps: "28 20 " */
static void assert_states(const Scene *scene, const char *steps)
{
    g_autoptr(GPtrArray) states = run_folder_list_states(scene->folder);
    g_autoptr(GString) found = g_string_new(NULL);

    for (guint i = 0; i < states->len; i++) {
        const char *number = strrchr(states->pdata[i], '-') + 1;
        g_string_append_printf(found, "%d ", (int)g_ascii_strtoull(number, NULL, 10));
    }
    assert_string_equal(found->str, steps);
}

static void test_prune(void **state)
{
    const Scene *scene = *state;

    for (guint64 step = 4; step <= 24; step += 4)
        make_state(scene, step, FALSE);
    run_folder_prune_states(scene->folder, 24, 4);
    assert_states(scene, "24 20 16 12 ");
    run_folder_prune_states(scene->folder, 16, 1); /* 24 and 20 were passed over */
    assert_states(scene, "24 20 16 ");
}

static void test_folders_are_not_counted(void **state)
{
    const Scene *scene = *state;

    make_state(scene, 8, FALSE);
    make_state(scene, 12, FALSE);
    make_state(scene, 16, TRUE);
    make_state(scene, 20, FALSE);
    run_folder_prune_states(scene->folder, 20, 2);
    assert_states(scene, "20 16 12 ");
}

static void test_set_aside(void **state)
{
    const Scene *scene = *state;
    g_autofree char *path = run_folder_state(scene->folder, 8);

    make_state(scene, 8, FALSE);
    assert_false(run_folder_has_broken_states(scene->folder));
    run_folder_set_aside(path);
    assert_true(run_folder_has_broken_states(scene->folder));
    assert_states(scene, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_prune, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folders_are_not_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set_aside, setup, teardown),
    };
    return cmocka_run_group_tests_name("run-folder", tests, NULL, NULL);
}
