/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sample-files.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *scratch;

int sample_setup(void **state)
{
    scratch = g_dir_make_tmp("pix2pix-XXXXXX", NULL);
    return !scratch || chdir(scratch);
}

static void remove_all(const char *path)
{
    GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_all(inner);
    }
    if (dir)
        g_dir_close(dir);
    g_remove(path);
}

int sample_teardown(void **state)
{
    int status = chdir("/");

    remove_all(scratch);
    g_clear_pointer(&scratch, g_free);
    return status;
}

Picture *sample_draw(int width, int height, int channels, int seed)
{
    Picture *picture = picture_new(width, height, channels);
    guint8 *p = picture->data;

    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            for (int c = 0; c < channels; c++)
                *p++ = 37 * seed + 3 * x + 5 * y + 60 * c;
        }
    }
    return picture;
}

static void make_folder_of(const char *file)
{
    g_autofree char *folder = g_path_get_dirname(file);

    assert_return_code(g_mkdir_with_parents(folder, 0777), 0);
}

void sample_picture(const char *file, int width, int height, int seed)
{
    g_autoptr(Picture) picture = sample_draw(width, height, 3, seed);
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new_from_data(picture->data, GDK_COLORSPACE_RGB, FALSE,
                                                           8, width, height, width * 3, NULL, NULL);
    const char *type = g_str_has_suffix(file, ".jpg") ? "jpeg" : "png";

    make_folder_of(file);
    assert_true(gdk_pixbuf_save(pixbuf, file, type, NULL, NULL));
}

void sample_pictures(const char *folder, int n, int width, int height)
{
    for (int i = 0; i < n; i++) {
        g_autofree char *file = g_strdup_printf("%s/%d.png", folder, i);
        sample_picture(file, width, height, i);
    }
}

void sample_bytes(const char *file, const void *data, gsize bytes)
{
    make_folder_of(file);
    assert_true(g_file_set_contents(file, data, bytes, NULL));
}

void sample_cut(const char *file, int bytes)
{
    GStatBuf status;

    assert_return_code(g_stat(file, &status), 0);
    assert_return_code(truncate(file, status.st_size - bytes), 0);
}

void assert_error(GError **error, const char *file, const char *text)
{
    assert_non_null(*error);
    if (!strstr((*error)->message, file) || !strstr((*error)->message, text) ||
        strchr((*error)->message, '\n')) {
        print_message("# it says: %s\n", (*error)->message);
        fail_msg("the error does not say '%s' of %s in one line", text, file);
    }
    g_clear_error(error);
}
