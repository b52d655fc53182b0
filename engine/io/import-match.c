/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import-match.h"

#include <string.h>

#include "error.h"
#include "import-names.h"

/* An error is one line: long enough for every tensor of a wrong guess, short enough for a log. */
#define MAX_TEXT 4000

/** What does not fit, as it is found. */
typedef struct {
    GString *text;
    guint n, n_hidden;
} Report;

static void complain(Report *report, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void complain(Report *report, const char *format, ...)
{
    report->n++;
    if (report->text->len > MAX_TEXT) {
        report->n_hidden++;
        return;
    }
    if (report->text->len)
        g_string_append(report->text, "; ");
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(report->text, format, args);
    va_end(args);
}

/** Returns: (transfer full): "[64, 3, 4, 4]", as the file should have it. */
static char *expected_text(const PixParam *param, bool kernel_first)
{
    static const int kernel_last_order[] = {0, 1, 2, 3}, kernel_first_order[] = {2, 3, 1, 0};
    const int *order = kernel_first ? kernel_first_order : kernel_last_order;
    GString *text = g_string_new("[");
    for (int i = 0; i < param->rank; i++)
        g_string_append_printf(text, "%s%d", i ? ", " : "", param->dims[order[i]]);
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static bool shape_fits(const PixEntry *entry, const PixParam *param, bool kernel_first)
{
    g_autofree char *expected = expected_text(param, kernel_first);
    g_autofree char *found = pix_entry_text(entry);
    return g_str_has_suffix(found, expected);
}

static bool is_float(PixDtype dtype)
{
    return dtype == PIX_DTYPE_F32 || dtype == PIX_DTYPE_F16 || dtype == PIX_DTYPE_BF16 ||
           dtype == PIX_DTYPE_F64;
}

/** Whether a native file of @precision may store a parameter as @dtype. */
static bool is_native_dtype(PixPrecision precision, PixSlot slot, PixDtype dtype)
{
    if (slot != PIX_SLOT_WEIGHT || precision == PIX_PRECISION_FP32)
        return dtype == PIX_DTYPE_F32;
    if (precision == PIX_PRECISION_BF16)
        return dtype == PIX_DTYPE_BF16;
    return dtype == PIX_DTYPE_F16 || (precision == PIX_PRECISION_INT8 && dtype == PIX_DTYPE_I8);
}

/** The scales of an I8 kernel: one for each output channel. */
static const PixEntry *match_scale(const PixKeySet *set, const PixParam *param, GHashTable *used,
                                   Report *report)
{
    g_autofree char *name = g_strconcat(param->name, ".scale", NULL);
    const PixEntry *scale = pix_key_set_find(set, name);
    int oc = param->op.conv.oc;
    if (!scale) {
        complain(report, "%s is missing, expected F32 [%d]", name, oc);
        return NULL;
    }
    g_hash_table_add(used, (gpointer)scale);
    if (scale->dtype != PIX_DTYPE_F32 || scale->rank != 1 || scale->dims[0] != (guint64)oc) {
        g_autofree char *found = pix_entry_text(scale);
        complain(report, "%s is %s, expected F32 [%d]", name, found, oc);
    }
    return scale;
}

/** The file may have something else than a tensor under that name. */
static void complain_missing(const PixKeySet *set, const char *name, const char *expected,
                             Report *report)
{
    const PixOther *other = g_hash_table_lookup(set->others, name);
    if (other)
        complain(report, "%s is %s, expected a tensor %s", other->name, other->what, expected);
    else
        complain(report, "%s%s%s is missing, expected %s", set->prefix, *set->prefix ? "." : "",
                 name, expected);
}

static PixSource match_param(const PixImport *import, const PixKeySet *set, const PixParam *param,
                             GHashTable *used, Report *report)
{
    PixSource source = {0};
    g_autofree char *name = pix_import_name(import->layout, &import->arch, param->name);
    bool kernel_first = import->layout == PIX_LAYOUT_AFFINELAYER && param->rank == 4;
    g_autofree char *expected = expected_text(param, kernel_first);
    source.entry = pix_key_set_find(set, name);
    if (!source.entry) {
        complain_missing(set, name, expected, report);
        return source;
    }
    g_hash_table_add(used, (gpointer)source.entry);
    bool native = import->layout == PIX_LAYOUT_NATIVE;
    g_autofree char *found = pix_entry_text(source.entry);
    g_autofree char *shown = g_strescape(source.entry->name, NULL);
    if (!shape_fits(source.entry, param, kernel_first))
        complain(report, "%s is %s, expected %s", shown, found, expected);
    else if (native &&
             !is_native_dtype(import->settings.precision, param->slot, source.entry->dtype))
        complain(report, "%s is %s, which contradicts the precision in the metadata", shown, found);
    else if (!native && !is_float(source.entry->dtype))
        complain(report, "%s is %s, expected floating-point numbers", shown, found);
    else if (source.entry->dtype == PIX_DTYPE_I8)
        source.scale = match_scale(set, param, used, report);
    return source;
}

/** Whether a tensor that no parameter asks for belongs to such files nevertheless. */
static bool is_ignored(const PixImport *import, const PixKey *key, guint *n_tracked)
{
    if (import->layout == PIX_LAYOUT_NATIVE)
        return false;
    if (g_str_has_suffix(key->name, ".num_batches_tracked"))
        return true;
    /* Instance norm before PyTorch 0.4 kept running statistics that it never used. */
    bool tracked =
        g_str_has_suffix(key->name, ".running_mean") || g_str_has_suffix(key->name, ".running_var");
    *n_tracked += tracked && import->arch.norm == PIX_NORM_INSTANCE;
    return tracked && import->arch.norm == PIX_NORM_INSTANCE;
}

/** Tensors whose names are the same without wrappers. The cause is one, however many they are. */
static void complain_twice(GPtrArray *twice, const PixKeySet *set, Report *report)
{
    if (!twice->len)
        return;
    const PixKey *key = g_ptr_array_index(twice, 0);
    const PixEntry *other = pix_key_set_find(set, key->name);
    g_autofree char *shown = g_strescape(key->entry->name, NULL);
    g_autofree char *shown_other = g_strescape(other->name, NULL);
    complain(report, "%s is there twice, also as %s", shown, shown_other);
    if (twice->len > 1)
        g_string_append_printf(report->text, ", and so are %u more", twice->len - 1);
    report->n += twice->len - 1;
}

bool pix_import_match(PixImport *import, const PixKeySet *set, GError **error)
{
    Report report = {g_string_new(NULL), 0, 0};
    g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < import->graph->params->len; i++) {
        const PixParam *param = pix_graph_param(import->graph, (int)i);
        PixSource source = match_param(import, set, param, used, &report);
        g_array_append_val(import->sources, source);
    }
    guint n_tracked = 0;
    g_autoptr(GPtrArray) twice = g_ptr_array_new();
    for (guint i = 0; i < set->keys->len; i++) {
        const PixKey *key = g_ptr_array_index(set->keys, i);
        if (g_hash_table_contains(used, key->entry) || is_ignored(import, key, &n_tracked))
            continue;
        if (g_hash_table_lookup(set->by_name, key->name) != key) {
            g_ptr_array_add(twice, (gpointer)key);
            continue;
        }
        g_autofree char *found = pix_entry_text(key->entry);
        g_autofree char *shown = g_strescape(key->entry->name, NULL);
        complain(&report, "%s %s is unexpected", shown, found);
    }
    complain_twice(twice, set, &report);
    if (n_tracked)
        g_ptr_array_add(import->notes,
                        g_strdup_printf("left out %u running statistics of instance norms, which "
                                        "old versions of PyTorch stored but never used",
                                        n_tracked));
    if (report.n_hidden)
        g_string_append_printf(report.text, "; and %u more", report.n_hidden);
    if (report.n) {
        g_autofree char *arch = pix_arch_name(&import->arch);
        pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "%u %s not fit a %s of layout %s: %s", report.n,
                 report.n == 1 ? "tensor does" : "tensors do", arch,
                 pix_layout_name(import->layout), report.text->str);
    }
    g_string_free(report.text, TRUE);
    return report.n == 0;
}
