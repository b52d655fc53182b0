/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** pix2pix test: what its two ways share, single images and the pairs of a data set. */
#ifndef CMD_TEST_H
#define CMD_TEST_H

#include "command.h"
#include "html-page.h"
#include "settings.h"

typedef struct {
    /* the command line */
    char *output, *data, *split, *direction, *fit, *epoch, *count;
    char *input_dir, *checkpoint, *name, *suffix, *checkpoints_dir; /* of other programs */
    gboolean eval, no_dropout;
    CommandOptions options;
    /* what it means */
    guint64 num_test; /* 0: all */
    char *model_name; /* as the page calls it */
    PixModel *model;
    PixSessionOptions session;
    gboolean native;       /* --fit native */
    gboolean has_settings; /* MODEL is the folder of a run, and these are its settings */
    Settings settings;
    /* the work */
    HtmlPage *page;
    double network_ms; /* of all images so far */
    int done, broken;
} Test;

/** test_make_folder: DIR/@name, or DIR itself for "". */
gboolean test_make_folder(const Test *test, const char *name, GError **error);
/** test_open_page: @data: (nullable): of which it shows the results, and @direction. */
gboolean test_open_page(Test *test, const char *direction, GError **error);
/** test_add_broken: Tells and counts an image that could not be translated. */
void test_add_broken(Test *test, const char *message);
/**
 * test_add_output:
 * Writes DIR/NAME.png, and DIR/targets/NAME.png where there is a @target, and a row of the page.
 */
gboolean test_add_output(Test *test, const char *name, const Picture *input, const Picture *output,
                         const Picture *target, GError **error);
/** test_finish: @seen: how many of the @total images it came to. Returns: an exit status. */
int test_finish(Test *test, int seen, int total);

/** test_images, test_pairs: Returns: an exit status. */
int test_images(Test *test, char **images);
int test_pairs(Test *test);

#endif
