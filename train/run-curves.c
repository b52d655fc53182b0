/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-curves.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static void curve_free(RunCurve *curve)
{
    g_array_unref(curve->values);
    g_free(curve->name);
    g_free(curve);
}

void run_curves_free(RunCurves *curves)
{
    if (!curves)
        return;
    g_array_unref(curves->steps);
    g_array_unref(curves->epochs);
    g_ptr_array_unref(curves->curves);
    g_free(curves);
}

/* ---- reading ---- */

static RunCurve *find_curve(RunCurves *curves, const char *name)
{
    for (guint i = 0; i < curves->curves->len; i++) {
        RunCurve *curve = curves->curves->pdata[i];
        if (!strcmp(curve->name, name))
            return curve;
    }
    RunCurve *curve = g_new(RunCurve, 1);
    curve->name = g_strdup(name);
    curve->values = g_array_new(FALSE, FALSE, sizeof(double));
    g_ptr_array_add(curves->curves, curve);
    return curve;
}

static double get_number(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    GType type = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : 0;

    return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double(node) : NAN;
}

/* Makes every curve as long as the steps are. */
static void fill_gaps(RunCurves *curves)
{
    const double none = NAN;

    for (guint i = 0; i < curves->curves->len; i++) {
        RunCurve *curve = curves->curves->pdata[i];
        while (curve->values->len < curves->steps->len)
            g_array_append_val(curve->values, none);
    }
}

static void add_point(RunCurves *curves, JsonObject *record, JsonObject *numbers,
                      const char *const *names)
{
    gint64 step = json_object_get_int_member(record, "step");
    gint64 epoch = json_object_get_int_member(record, "epoch");
    g_autoptr(GList) all = names ? NULL : json_object_get_members(numbers);

    for (const GList *name = all; name; name = name->next)
        find_curve(curves, name->data);
    fill_gaps(curves);
    g_array_append_val(curves->steps, step);
    g_array_append_val(curves->epochs, epoch);
    for (guint i = 0; i < curves->curves->len; i++) {
        RunCurve *curve = curves->curves->pdata[i];
        double value = get_number(numbers, curve->name);
        g_array_append_val(curve->values, value);
    }
}

RunCurves *run_curves_new(const GPtrArray *records, const char *type, const char *member,
                          const char *const *names)
{
    RunCurves *curves = g_new(RunCurves, 1);

    curves->steps = g_array_new(FALSE, FALSE, sizeof(gint64));
    curves->epochs = g_array_new(FALSE, FALSE, sizeof(gint64));
    curves->curves = g_ptr_array_new_with_free_func((GDestroyNotify)curve_free);
    for (; names && *names; names++)
        find_curve(curves, *names);
    for (guint i = 0; i < records->len; i++) {
        JsonObject *record = records->pdata[i];
        if (strcmp(json_object_get_string_member(record, "type"), type))
            continue;
        JsonNode *node = member ? json_object_get_member(record, member) : NULL;
        if (!member)
            add_point(curves, record, record, names);
        else if (node && JSON_NODE_HOLDS_OBJECT(node))
            add_point(curves, record, json_node_get_object(node), names);
    }
    return curves;
}

/* ---- looking at them ---- */

/* The mean of what is there of @values from @first to before @end. */
static double mean_of(const GArray *values, guint first, guint end)
{
    double sum = 0;
    guint n = 0;

    for (guint i = first; i < end; i++) {
        double value = g_array_index(values, double, i);
        if (isfinite(value)) {
            sum += value;
            n++;
        }
    }
    return n ? sum / n : NAN;
}

void run_curves_thin(RunCurves *curves, guint most)
{
    guint n = curves->steps->len;

    if (n <= most)
        return;
    for (guint to = 0; to < most; to++) {
        guint first = (guint64)to * n / most, end = (guint64)(to + 1) * n / most;
        for (guint i = 0; i < curves->curves->len; i++) {
            GArray *values = ((RunCurve *)curves->curves->pdata[i])->values;
            g_array_index(values, double, to) = mean_of(values, first, end);
        }
        g_array_index(curves->steps, gint64, to) = g_array_index(curves->steps, gint64, end - 1);
        g_array_index(curves->epochs, gint64, to) = g_array_index(curves->epochs, gint64, end - 1);
    }
    g_array_set_size(curves->steps, most);
    g_array_set_size(curves->epochs, most);
    for (guint i = 0; i < curves->curves->len; i++)
        g_array_set_size(((RunCurve *)curves->curves->pdata[i])->values, most);
}

int run_curve_find_best(const RunCurve *curve, gboolean lowest)
{
    int best = -1;
    double best_value = 0;

    for (guint i = 0; i < curve->values->len; i++) {
        double value = g_array_index(curve->values, double, i);
        if (isfinite(value) && (best < 0 || (lowest ? value < best_value : value > best_value))) {
            best = i;
            best_value = value;
        }
    }
    return best;
}

double run_curve_get_last(const RunCurve *curve)
{
    for (guint i = curve->values->len; i > 0; i--) {
        double value = g_array_index(curve->values, double, i - 1);
        if (isfinite(value))
            return value;
    }
    return NAN;
}

/* ---- writing ---- */

static void write_integers(const char *name, const GArray *values, FILE *stream)
{
    fprintf(stream, "\"%s\":[", name);
    for (guint i = 0; i < values->len; i++)
        fprintf(stream, "%s%" G_GINT64_FORMAT, i ? "," : "", g_array_index(values, gint64, i));
    fputs("],", stream);
}

static void write_curve(const RunCurve *curve, FILE *stream)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), curve->name);
    g_autofree char *name = json_to_string(node, FALSE);

    fputs("{\"name\":", stream);
    for (const char *c = name; *c; c++) {
        if (*c == '<')
            fputs("\\u003c", stream);
        else
            fputc(*c, stream);
    }
    fputs(",\"values\":[", stream);
    for (guint i = 0; i < curve->values->len; i++) {
        double value = g_array_index(curve->values, double, i);
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(text, sizeof(text), "%.6g", value);
        fprintf(stream, "%s%s", i ? "," : "", isfinite(value) ? text : "null");
    }
    fputc(']', stream);
}

void run_curves_write(const RunCurves *curves, const gboolean *lowest, FILE *stream)
{
    fputc('{', stream);
    write_integers("step", curves->steps, stream);
    write_integers("epoch", curves->epochs, stream);
    fputs("\"curves\":[", stream);
    for (guint i = 0; i < curves->curves->len; i++) {
        const RunCurve *curve = curves->curves->pdata[i];
        int best = lowest ? run_curve_find_best(curve, lowest[i]) : -1;
        fputs(i ? "," : "", stream);
        write_curve(curve, stream);
        if (best >= 0)
            fprintf(stream, ",\"best\":%d", best);
        fputc('}', stream);
    }
    fputs("]}", stream);
}
