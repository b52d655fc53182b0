/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** Curves out of the log of a run: what its records say, step by step. */
#ifndef RUN_CURVES_H
#define RUN_CURVES_H

#include <glib.h>
#include <stdio.h>

/** RunCurve: @values: (element-type double): NaN where a record says nothing. */
typedef struct {
    char *name;
    GArray *values;
} RunCurve;

/** RunCurves: @steps, @epochs: (element-type gint64): of each point. */
typedef struct {
    GArray *steps, *epochs;
    GPtrArray *curves; /* of RunCurve, all as long as @steps */
} RunCurves;

/**
 * run_curves_new:
 * @records: (element-type JsonObject): see run_log_read(); those whose type is @type are taken.
 * @member: (nullable): the object in them that holds the numbers; %NULL: the record itself.
 * @names: (nullable): which numbers; %NULL: all, in the order in which they first come up.
 */
RunCurves *run_curves_new(const GPtrArray *records, const char *type, const char *member,
                          const char *const *names);
void run_curves_free(RunCurves *curves); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunCurves, run_curves_free)

/** run_curves_thin: Puts means of neighbours in the place of points until at most @most are left. */
void run_curves_thin(RunCurves *curves, guint most);

/** run_curve_find_best: Returns: the index of the lowest or highest value; -1 if there is none. */
int run_curve_find_best(const RunCurve *curve, gboolean lowest);
/** run_curve_get_last: Returns: the last value that is there; NaN if there is none. */
double run_curve_get_last(const RunCurve *curve);

/**
 * run_curves_write:
 * Writes {"step":[...],"epoch":[...],"curves":[{"name":"...","values":[...],"best":3}]} with six
 * significant digits, free of what would end a script in HTML.
 * @lowest: (nullable): for each curve, whether its best is the lowest; %NULL: no best.
 */
void run_curves_write(const RunCurves *curves, const gboolean *lowest, FILE *stream);

#endif
