/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-list.h"

#include <dirent.h>
#include <errno.h>
#include <pix2pix/pix.h>
#include <string.h>

gboolean picture_is_name(const char *file)
{
    static const char *const endings[] = {".png", ".jpg",  ".jpeg", ".bmp", ".gif",
                                          ".tif", ".tiff", ".webp", ".ppm", ".pgm"};
    const char *dot = strrchr(file, '.');

    for (gsize i = 0; dot && i < G_N_ELEMENTS(endings); i++) {
        if (!g_ascii_strcasecmp(dot, endings[i]))
            return TRUE;
    }
    return FALSE;
}

/* Runs of digits compare as numbers, everything else byte by byte; the same in every locale. */
static int compare_counting(gconstpointer left, gconstpointer right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;

    while (*a && *b) {
        if (g_ascii_isdigit(*a) && g_ascii_isdigit(*b)) {
            gsize a_zeros = strspn(a, "0"), b_zeros = strspn(b, "0");
            gsize a_digits = strspn(a + a_zeros, "0123456789");
            gsize b_digits = strspn(b + b_zeros, "0123456789");
            int order = a_digits != b_digits ? (a_digits < b_digits ? -1 : 1)
                                             : memcmp(a + a_zeros, b + b_zeros, a_digits);
            if (order)
                return order;
            a += a_zeros + a_digits;
            b += b_zeros + b_digits;
        } else if (*a != *b) {
            break;
        } else {
            a++, b++;
        }
    }
    if (*a || *b)
        return (guchar)*a - (guchar)*b;
    return strcmp(*(const char *const *)left, *(const char *const *)right); /* 1.png, 01.png */
}

GPtrArray *picture_list(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir) {
        g_set_error(error, PIX_ERROR, errno == ENOENT ? PIX_ERROR_NOT_FOUND : PIX_ERROR_IO,
                    "%s: cannot be listed (%s), name another folder", folder, g_strerror(errno));
        return NULL;
    }
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.' && picture_is_name(entry->d_name))
            g_ptr_array_add(files, g_build_filename(folder, entry->d_name, NULL));
    }
    closedir(dir);
    if (files->len == 0) {
        g_set_error(error, PIX_ERROR, PIX_ERROR_NOT_FOUND, "%s: holds no pictures, choose another",
                    folder);
        return NULL;
    }
    g_ptr_array_sort(files, compare_counting);
    return g_steal_pointer(&files);
}
