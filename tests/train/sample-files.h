/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Good and bad files for the tests of what reads pictures, in a scratch folder. */
#ifndef SAMPLE_FILES_H
#define SAMPLE_FILES_H

#include "picture.h"

/** sample_setup, sample_teardown: For cmocka: enters a new folder; leaves it and removes it. */
int sample_setup(void **state);
int sample_teardown(void **state);

/** sample_draw: Returns: (transfer full): a smooth picture, another one for each @seed. */
Picture *sample_draw(int width, int height, int channels, int seed);
/** sample_picture: Writes sample_draw() in RGB, as the ending says: PNG or JPEG. Makes the folder. */
void sample_picture(const char *file, int width, int height, int seed);
/** sample_pictures: FOLDER/0.png and so on, @n of them. */
void sample_pictures(const char *folder, int n, int width, int height);

/** sample_bytes: Writes @data. Makes the folder. */
void sample_bytes(const char *file, const void *data, gsize bytes);
/** sample_cut: Shortens @file by @bytes, or makes it longer by zeros. */
void sample_cut(const char *file, int bytes);

/** assert_error: There is one, a single line that names @file and says @text. Clears it. */
void assert_error(GError **error, const char *file, const char *text);

#endif
