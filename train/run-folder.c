/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pix2pix/pix.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STATE_PREFIX "state-"
#define STATE_SUFFIX ".safetensors"
#define BROKEN_SUFFIX ".broken"

struct RunFolder {
    char *path;
    int lock; /* descriptor; the kernel gives the lock back when the process ends in any way */
};

G_GNUC_PRINTF(2, 3) static gboolean fail(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, PIX_ERROR, PIX_ERROR_IO, message);
    return FALSE;
}

/* ---- the lock ---- */

/* Returns: (transfer full): " by process 1234" as the lock file says; or nothing. */
static char *read_owner(int lock)
{
    char text[32] = "";
    gssize length = pread(lock, text, sizeof(text) - 1, 0);
    guint64 process;

    if (length > 0)
        text[length] = 0;
    g_strchomp(text);
    if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT, &process, NULL))
        return g_strdup("");
    return g_strdup_printf(" by process %s", text);
}

static void write_owner(int lock)
{
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());

    /* It only helps to say who holds the lock: nothing depends on it. */
    if (ftruncate(lock, 0) || pwrite(lock, text, strlen(text), 0) < 0)
        return;
}

static gboolean take_lock(RunFolder *folder, GError **error)
{
    g_autofree char *file = run_folder_file(folder, "lock");

    folder->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (folder->lock < 0)
        return fail(error, "%s: cannot be written (%s), choose another folder", file,
                    g_strerror(errno));
    if (!flock(folder->lock, LOCK_EX | LOCK_NB)) {
        write_owner(folder->lock);
        return TRUE;
    }
    g_autofree char *owner = read_owner(folder->lock);
    return fail(error, "%s: is in use%s, wait for it or stop it", folder->path, owner);
}

/* ---- what a killed process was writing ---- */

/* Not what is below: that may be of another run, which is being written. */
static void clean(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (g_str_has_prefix(name, ".pix2pix-") && g_str_has_suffix(name, ".tmp"))
            g_unlink(file);
    }
}

void run_folder_clean_samples(const RunFolder *folder, const char *name)
{
    g_autofree char *path = run_folder_file(folder, name);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *inside;

    while (dir && (inside = g_dir_read_name(dir))) {
        g_autofree char *samples = g_build_filename(path, inside, NULL);
        if (!strcmp(inside, "fixed") || !inside[strspn(inside, "0123456789")])
            clean(samples);
    }
}

static void clean_run(const RunFolder *folder)
{
    static const char *const inside[] = {"states", "generators"};

    clean(folder->path);
    for (gsize i = 0; i < G_N_ELEMENTS(inside); i++) {
        g_autofree char *path = run_folder_file(folder, inside[i]);
        clean(path);
    }
    run_folder_clean_samples(folder, "samples");
}

/* ---- opening and closing ---- */

/* States without a config.json are of a run as well: the newest are kept, and these would be. */
static gboolean holds_run(const RunFolder *folder)
{
    g_autofree char *config = run_folder_file(folder, "config.json");
    g_autoptr(GPtrArray) states = run_folder_list_states(folder);

    return states->len > 0 || g_file_test(config, G_FILE_TEST_EXISTS);
}

static RunFolder *open_folder(const char *path, gboolean is_new, GError **error)
{
    RunFolder *folder = g_new0(RunFolder, 1);

    folder->path = g_strdup(path);
    folder->lock = -1;
    if (!is_new && !holds_run(folder)) {
        fail(error, "%s: is no folder of a run: it has no config.json and no states", path);
        goto failed;
    }
    if (is_new && g_mkdir_with_parents(path, 0777)) {
        fail(error, "%s: cannot be made a folder (%s), choose another --output", path,
             g_strerror(errno));
        goto failed;
    }
    if (!take_lock(folder, error))
        goto failed;
    if (is_new && holds_run(folder)) {
        fail(error, "%s: holds a run already, go on with --resume or choose another --output",
             path);
        goto failed;
    }
    clean_run(folder);
    return folder;

failed:
    run_folder_close(folder);
    return NULL;
}

RunFolder *run_folder_make(const char *path, GError **error)
{
    return open_folder(path, TRUE, error);
}

RunFolder *run_folder_open(const char *path, GError **error)
{
    return open_folder(path, FALSE, error);
}

void run_folder_close(RunFolder *folder)
{
    if (!folder)
        return;
    if (folder->lock >= 0)
        close(folder->lock);
    g_free(folder->path);
    g_free(folder);
}

const char *run_folder_get_path(const RunFolder *folder)
{
    return folder->path;
}

char *run_folder_file(const RunFolder *folder, const char *name)
{
    return g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(folder->path, name, NULL);
}

gboolean run_folder_make_folder(const RunFolder *folder, const char *name, GError **error)
{
    g_autofree char *path = run_folder_file(folder, name);

    return !g_mkdir_with_parents(path, 0777) ||
           fail(error, "%s: cannot be made a folder (%s)", path, g_strerror(errno));
}

/* ---- states ---- */

char *run_folder_state(const RunFolder *folder, guint64 step)
{
    return g_strdup_printf("%s/states/" STATE_PREFIX "%08" G_GUINT64_FORMAT STATE_SUFFIX,
                           folder->path, step);
}

/* Whether @path is called as states are. @step: (out): of it. */
static gboolean parse_state(const char *path, guint64 *step)
{
    g_autofree char *name = g_path_get_basename(path);

    if (!g_str_has_prefix(name, STATE_PREFIX) || !g_str_has_suffix(name, STATE_SUFFIX))
        return FALSE;
    name[strlen(name) - strlen(STATE_SUFFIX)] = 0;
    return g_ascii_string_to_unsigned(name + strlen(STATE_PREFIX), 10, 0, G_MAXUINT64, step, NULL);
}

static int compare_states(gconstpointer a, gconstpointer b)
{
    guint64 left = 0, right = 0;

    parse_state(*(char *const *)a, &left);
    parse_state(*(char *const *)b, &right);
    return left < right ? 1 : -(left > right);
}

GPtrArray *run_folder_list_states(const RunFolder *folder)
{
    GPtrArray *states = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = run_folder_file(folder, "states");
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint64 step;

    while (dir && (name = g_dir_read_name(dir))) {
        if (parse_state(name, &step))
            g_ptr_array_add(states, g_build_filename(path, name, NULL));
    }
    if (dir)
        g_dir_close(dir);
    g_ptr_array_sort(states, compare_states);
    return states;
}

void run_folder_prune_states(const RunFolder *folder, guint64 step, guint keep)
{
    g_autoptr(GPtrArray) states = run_folder_list_states(folder);
    guint64 of = 0;

    for (guint i = 0; i < states->len; i++) {
        const char *state = states->pdata[i];
        gboolean counts = parse_state(state, &of) && of <= step &&
                          g_file_test(state, G_FILE_TEST_IS_REGULAR) && !g_access(state, R_OK);
        if (counts && keep > 0)
            keep--;
        else if (counts)
            g_unlink(state);
    }
}

gboolean run_folder_has_broken_states(const RunFolder *folder)
{
    g_autofree char *path = run_folder_file(folder, "states");
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, BROKEN_SUFFIX))
            return TRUE;
    }
    return FALSE;
}

void run_folder_set_aside(const char *state)
{
    g_autofree char *name = g_strconcat(state, BROKEN_SUFFIX, NULL);

    g_rename(state, name);
}

guint64 run_folder_get_free_bytes(const char *path)
{
    g_autofree char *at = g_strdup(path);
    struct statvfs status;

    while (statvfs(at, &status)) {
        char *parent = g_path_get_dirname(at);
        if (errno != ENOENT || !strcmp(parent, at)) {
            g_free(parent);
            return G_MAXUINT64;
        }
        g_free(at);
        at = parent;
    }
    return (guint64)status.f_bavail * status.f_frsize;
}
