/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-status.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_LEAST 5 /* columns */
#define BAR_MOST 24

/* Where the pieces of the line stand: the losses lie between these. */
enum { AT_EPOCH, AT_STEP, AT_LOSSES };
enum { AFTER_SPEED, AFTER_WAIT, AFTER_LEFT, AFTER_END };

/* Of the environment: the program itself stays in the C locale. */
static gboolean environment_is_utf8(void)
{
    locale_t environment = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

    if (!environment)
        return FALSE;
    gboolean utf8 = g_str_equal(nl_langinfo_l(CODESET, environment), "UTF-8");
    freelocale(environment);
    return utf8;
}

void run_status_init(RunStatus *status)
{
    *status = (RunStatus){
        .terminal = isatty(STDERR_FILENO),
        .utf8 = environment_is_utf8(),
    };
}

/* ---- the line ---- */

/* "1h02", "12m05", "9s" */
static char *format_time(double seconds)
{
    guint64 s = seconds;

    if (s >= 3600)
        return g_strdup_printf("%" G_GUINT64_FORMAT "h%02d left", s / 3600, (int)(s / 60 % 60));
    if (s >= 60)
        return g_strdup_printf("%dm%02d left", (int)(s / 60), (int)(s % 60));
    return g_strdup_printf("%ds left", (int)s);
}

/* Returns: the pieces in the order in which they stand; %NULL for what is not known. */
static GPtrArray *new_pieces(const RunStatusFigures *figures)
{
    GPtrArray *pieces = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(pieces, g_strdup_printf("epoch %d/%d", figures->epoch, figures->epochs));
    g_ptr_array_add(pieces, g_strdup_printf("step %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                                            figures->step, figures->steps));
    for (int i = 0; i < figures->n; i++)
        g_ptr_array_add(pieces,
                        g_strdup_printf(fabs(figures->values[i]) < 1000 ? "%s %.3f" : "%s %.3g",
                                        figures->names[i], figures->values[i]));
    g_ptr_array_add(pieces, g_strdup_printf("%.1f images/s", figures->images_per_s));
    g_ptr_array_add(pieces, g_strdup_printf("data wait %.0f%%", 100 * figures->wait_share));
    g_ptr_array_add(pieces, figures->seconds_left < 0 ? NULL : format_time(figures->seconds_left));
    return pieces;
}

/* The same pieces, the most wanted first. */
static GPtrArray *by_importance(const GPtrArray *pieces)
{
    GPtrArray *wanted = g_ptr_array_new();
    guint after = pieces->len - AFTER_END;

    g_ptr_array_add(wanted, pieces->pdata[AT_EPOCH]);
    g_ptr_array_add(wanted, pieces->pdata[after + AFTER_LEFT]);
    for (guint i = AT_LOSSES; i < after; i++)
        g_ptr_array_add(wanted, pieces->pdata[i]);
    g_ptr_array_add(wanted, pieces->pdata[after + AFTER_SPEED]);
    g_ptr_array_add(wanted, pieces->pdata[after + AFTER_WAIT]);
    g_ptr_array_add(wanted, pieces->pdata[AT_STEP]);
    return wanted;
}

static void append_bar(GString *line, double share, int columns, gboolean utf8)
{
    static const char *const eighths[] = {"",       "\u258f", "\u258e", "\u258d",
                                          "\u258c", "\u258b", "\u258a", "\u2589"};
    int filled = CLAMP(share, 0, 1) * columns * 8;
    int rest = utf8 ? filled % 8 : 0;

    for (int i = 0; i < filled / 8; i++)
        g_string_append(line, utf8 ? "\u2588" : "#");
    g_string_append(line, eighths[rest]);
    for (int i = filled / 8 + (rest > 0); i < columns; i++)
        g_string_append(line, utf8 ? "\u2591" : ".");
}

char *run_status_format(const RunStatusFigures *figures, int width, gboolean utf8)
{
    g_autoptr(GPtrArray) pieces = new_pieces(figures);
    g_autoptr(GPtrArray) wanted = by_importance(pieces);
    g_autoptr(GHashTable) shown = g_hash_table_new(NULL, NULL);
    int left = width ? width + 1 : G_MAXINT; /* each piece takes a space, the first does not */
    GString *line = g_string_new(NULL);

    for (guint i = 0; i < wanted->len; i++) {
        const char *piece = wanted->pdata[i];
        int columns = piece ? g_utf8_strlen(piece, -1) + 1 : 0;
        if (!piece || columns > left)
            continue;
        left -= columns;
        g_hash_table_add(shown, (char *)piece);
    }
    if (width && left > BAR_LEAST && figures->steps)
        append_bar(line, (double)figures->step / figures->steps, MIN(left - 1, BAR_MOST), utf8);
    for (guint i = 0; i < pieces->len; i++) {
        if (g_hash_table_contains(shown, pieces->pdata[i]))
            g_string_append_printf(line, "%s%s", line->len ? " " : "", (char *)pieces->pdata[i]);
    }
    return g_string_free(line, FALSE);
}

/* ---- where it goes ---- */

/* The last column stays free: some terminals go on to the next line when it is written. */
static int terminal_width(void)
{
    struct winsize size;

    return (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col) - 1;
}

void run_status_update(RunStatus *status, const RunStatusFigures *figures)
{
    gint64 now = g_get_monotonic_time();
    gint64 interval = status->terminal ? G_USEC_PER_SEC / 5 : 10 * G_USEC_PER_SEC;

    if (status->shown && now - status->shown < interval)
        return;
    status->shown = now;
    g_autofree char *line =
        run_status_format(figures, status->terminal ? terminal_width() : 0, status->utf8);
    if (status->terminal)
        fprintf(stderr, "\r%s\033[K", line);
    else
        fprintf(stderr, "pix2pix: %s\n", line);
    status->dirty = status->terminal;
}

void run_status_clear(RunStatus *status)
{
    if (status->dirty)
        fputs("\r\033[K", stderr);
    status->dirty = FALSE;
}
