/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "progress.h"

#include <stdio.h>
#include <unistd.h>

void progress_init(Progress *progress, const char *what, int total)
{
    *progress = (Progress){
        .what = what,
        .total = total,
        .start = g_get_monotonic_time(),
        .terminal = isatty(STDERR_FILENO),
    };
}

void progress_update(Progress *progress, int done)
{
    gint64 now = g_get_monotonic_time(), running = now - progress->start;
    gint64 interval = progress->terminal ? G_USEC_PER_SEC / 5 : 10 * G_USEC_PER_SEC;

    if (done == 0 || done == progress->total || running < 2 * G_USEC_PER_SEC ||
        now - progress->shown < interval)
        return;
    progress->shown = now;
    gint64 left = running * (progress->total - done) / done / G_USEC_PER_SEC;
    fprintf(stderr, "%s%d of %d %s, %.1f a second, %d:%02d left%s",
            progress->terminal ? "\r" : "pix2pix: ", done, progress->total, progress->what,
            done * (double)G_USEC_PER_SEC / running, (int)(left / 60), (int)(left % 60),
            progress->terminal ? "\033[K" : "\n");
    progress->dirty = progress->terminal;
}

void progress_clear(Progress *progress)
{
    if (progress->dirty)
        fputs("\r\033[K", stderr);
    progress->dirty = FALSE;
}
