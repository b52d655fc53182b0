/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-page.h"

#include "html-parts.h"
#include "output-file.h"
#include "run-curves.h"
#include "run-facts.h"
#include "run-samples.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define MAX_POINTS 2000
#define MAX_SNAPSHOTS 40
#define MAX_BYTES (20 << 20) /* of all pictures, about */
#define MAX_NOTES 20

static const char style[] =
#include "run-page-style.inc"
    ;
static const char script[] =
#include "run-page-script.inc"
    ;

static const struct {
    const char *name, *unit, *better;
} metrics[] = {
    {"SWD", "", "lower is better"},
    {"SSIM", "", "higher is better"},
    {"L1", "", "lower is better"},
    {"PSNR", " dB", "higher is better"},
};
static const char *const metric_names[] = {"SWD", "SSIM", "L1", "PSNR", NULL};
static const gboolean metric_lowest[] = {TRUE, FALSE, TRUE, FALSE};

typedef struct {
    FILE *stream;
    RunPageState state;
    RunFacts facts;
    RunCurves *losses, *validation;
    RunSamples *samples;
} RunPage;

static void page_init(RunPage *page, const char *run_folder, RunPageState state)
{
    page->state = state;
    run_facts_init(&page->facts, run_folder);
    g_autofree char *elsewhere = run_facts_get_setting(&page->facts, "samples_dir");
    g_autofree char *samples = g_build_filename(run_folder, "samples", NULL);
    page->losses = run_curves_new(page->facts.records, "train", "losses", NULL);
    page->validation = run_curves_new(page->facts.records, "validation", NULL, metric_names);
    page->samples = run_samples_new(elsewhere ? elsewhere : samples, page->facts.records);
    run_curves_thin(page->losses, MAX_POINTS);
    run_curves_thin(page->validation, MAX_POINTS);
}

static void page_clear(RunPage *page)
{
    run_facts_clear(&page->facts);
    run_curves_free(page->losses);
    run_curves_free(page->validation);
    run_samples_free(page->samples);
}

/* ---- the head ---- */

static void write_fact(const RunPage *page, const char *name, const char *value)
{
    g_autofree char *safe = value ? g_markup_escape_text(value, -1) : NULL;

    if (safe)
        fprintf(page->stream, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, safe);
}

static void write_setting(const RunPage *page, const char *name, const char *setting)
{
    g_autofree char *value = run_facts_get_setting(&page->facts, setting);

    write_fact(page, name, value);
}

/* A number of the last training record. */
static void write_newest(const RunPage *page, const char *name, const char *member)
{
    g_autoptr(RunCurves) curves =
        run_curves_new(page->facts.records, "train", NULL, (const char *const[]){member, NULL});
    double value = run_curve_get_last(curves->curves->pdata[0]);
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (isfinite(value))
        write_fact(page, name, g_ascii_formatd(text, sizeof(text), "%.3g", value));
}

static void write_facts(const RunPage *page)
{
    gint64 epoch_now = page->facts.epoch, epochs = page->facts.epochs;
    g_autofree char *data = run_facts_get_setting(&page->facts, "data"),
                    *a = data ? NULL : run_facts_get_setting(&page->facts, "a");
    g_autofree char *dataset = data || a ? g_path_get_basename(data ? data : a) : NULL;
    g_autofree char *step = g_strdup_printf("%" G_GINT64_FORMAT, page->facts.step);
    g_autofree char *epoch = g_strdup_printf("%" G_GINT64_FORMAT, epoch_now);
    g_autofree char *of = g_strdup_printf("%s of %" G_GINT64_FORMAT, epoch, epochs);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H:%M");

    fputs("<dl>\n", page->stream);
    write_fact(page, "dataset", dataset);
    write_setting(page, "direction", "direction");
    write_setting(page, "network", "net_g");
    write_fact(page, "epoch", epochs ? of : epoch);
    write_fact(page, "step", step);
    write_newest(page, "learning rate", "learning_rate");
    write_newest(page, "images/s", "images_per_s");
    write_fact(page, "updated", time);
    fputs("</dl>\n", page->stream);
}

static void write_head(const RunPage *page)
{
    g_autofree char *safe = g_markup_escape_text(page->facts.name, -1);
    gint64 epoch_now = page->facts.epoch, epochs = page->facts.epochs;
    const char *const states[] = {"running", "stopped", "finished"};
    const char *state = states[page->state];

    html_write_head(page->stream, page->facts.name);
    if (page->state == RUN_PAGE_RUNNING) /* the script knows better when to */
        fputs("<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>\n", page->stream);
    fprintf(page->stream,
            "<style>\n%s</style>\n<header><h1>%s</h1><span class=\"state %s\">%s</span></header>\n",
            style, safe, state, state);
    if (epochs && page->state == RUN_PAGE_RUNNING)
        fprintf(page->stream, "<progress value=\"%.4f\"></progress>\n",
                CLAMP((double)epoch_now / epochs, 0, 1));
    write_facts(page);
}

/* ---- the body ---- */

static void write_patience(const RunPage *page)
{
    g_autofree char *every = run_facts_get_setting(&page->facts, "log_steps");

    if (page->state != RUN_PAGE_RUNNING || page->losses->steps->len > 0 ||
        page->validation->steps->len > 0 || page->samples->snapshots->len > 0)
        return;
    fputs("<p class=\"hint\">nothing to show yet: the first figures come ", page->stream);
    if (every)
        fprintf(page->stream, "after %s steps</p>\n", every);
    else
        fputs("soon</p>\n", page->stream);
}

/* Afterwards there are only as many snapshots as the page has room for. */
static void write_sheet(const RunPage *page)
{
    RunSamples *samples = page->samples;
    gsize newest_bytes;

    if (samples->names->len == 0 || samples->snapshots->len == 0) {
        g_ptr_array_set_size(samples->snapshots, 0);
        return;
    }
    const RunSnapshot *newest = samples->snapshots->pdata[samples->snapshots->len - 1];
    fputs("<section><div class=\"bar\"><h2>Samples</h2><span id=\"label\">", page->stream);
    if (newest->epoch)
        fprintf(page->stream, "epoch %" G_GINT64_FORMAT " \u00b7 ", newest->epoch);
    fprintf(page->stream,
            "step %" G_GINT64_FORMAT "</span><span class=\"time\" id=\"time\" hidden>"
            "<input type=\"range\" id=\"when\" min=\"0\" aria-label=\"step\">"
            "<button id=\"play\">play</button><span class=\"keys\"><kbd>\u2190</kbd> "
            "<kbd>\u2192</kbd></span></span></div>\n",
            newest->step);
    gsize bytes = run_samples_write_sheet(samples, page->stream, &newest_bytes);
    fputs("</section>\n", page->stream);
    gsize room = bytes < MAX_BYTES ? MAX_BYTES - bytes : 0;
    run_samples_thin(samples,
                     newest_bytes ? MIN(MAX_SNAPSHOTS, 1 + room / newest_bytes) : MAX_SNAPSHOTS);
}

static void write_losses(const RunPage *page)
{
    if (page->losses->steps->len == 0)
        return;
    fputs("<section><div class=\"bar\"><h2>Losses</h2>"
          "<span class=\"scripted\" hidden><label><input type=\"checkbox\" id=\"smooth\"> smooth"
          "</label> <label><input type=\"checkbox\" id=\"log\"> log scale</label></span></div>\n"
          "<noscript><p class=\"hint\">A script draws the curves.</p></noscript>\n"
          "<div class=\"card scripted\" hidden><div class=\"chart tall\" id=\"losses\"></div>"
          "<div class=\"legend\" id=\"legend\"></div></div></section>\n",
          page->stream);
}

static void write_metric(const RunPage *page, int metric)
{
    const RunCurve *curve = page->validation->curves->pdata[metric];
    int best = run_curve_find_best(curve, metric_lowest[metric]);
    char last_text[G_ASCII_DTOSTR_BUF_SIZE], best_text[G_ASCII_DTOSTR_BUF_SIZE];

    if (best < 0)
        return;
    g_ascii_formatd(last_text, sizeof(last_text), "%.4g", run_curve_get_last(curve));
    g_ascii_formatd(best_text, sizeof(best_text), "%.4g",
                    g_array_index(curve->values, double, best));
    fprintf(page->stream,
            "<div class=\"card\"><p>%s <b>%s%s</b> <small>best %s at epoch %" G_GINT64_FORMAT
            "; %s</small></p><div class=\"chart\" id=\"validation-%s\"></div></div>\n",
            metrics[metric].name, last_text, metrics[metric].unit, best_text,
            g_array_index(page->validation->epochs, gint64, best), metrics[metric].better,
            metrics[metric].name);
}

static void write_validation(const RunPage *page)
{
    if (page->validation->steps->len == 0)
        return;
    fputs("<section><h2>Validation</h2><div class=\"cards\">\n", page->stream);
    for (gsize i = 0; i < G_N_ELEMENTS(metrics); i++)
        write_metric(page, i);
    fputs("</div></section>\n", page->stream);
}

static void write_notes(const RunPage *page)
{
    g_autoptr(GString) items = g_string_new(NULL);
    guint n = 0;

    for (guint i = page->facts.records->len; i > 0 && n < MAX_NOTES; i--) {
        JsonObject *record = page->facts.records->pdata[i - 1];
        JsonNode *text = json_object_get_member(record, "text");
        if (strcmp(json_object_get_string_member(record, "type"), "note") || !text ||
            !JSON_NODE_HOLDS_VALUE(text) || json_node_get_value_type(text) != G_TYPE_STRING)
            continue;
        g_autofree char *safe = g_markup_escape_text(json_node_get_string(text), -1);
        g_autofree char *item = g_strdup_printf("<li>step %" G_GINT64_FORMAT ": %s</li>\n",
                                                json_object_get_int_member(record, "step"), safe);
        g_string_prepend(items, item);
        n++;
    }
    if (n)
        fprintf(page->stream, "<section><h2>Notes</h2><ul class=\"notes\">\n%s</ul></section>\n",
                items->str);
}

static void write_settings(const RunPage *page)
{
    g_autoptr(GList) names = json_object_get_members(page->facts.config);

    if (!names)
        return;
    fputs("<details><summary>Settings</summary><dl class=\"settings\">\n", page->stream);
    for (const GList *name = names; name; name = name->next) {
        g_autofree char *safe = g_markup_escape_text(name->data, -1);
        write_setting(page, safe, name->data);
    }
    fputs("</dl></details>\n", page->stream);
}

static void write_data(const RunPage *page)
{
    fprintf(page->stream,
            "<script type=\"application/json\" id=\"data\">\n{\"running\":%s,\n\"losses\":",
            page->state == RUN_PAGE_RUNNING ? "true" : "false");
    run_curves_write(page->losses, NULL, page->stream);
    fputs(",\n\"validation\":", page->stream);
    run_curves_write(page->validation, metric_lowest, page->stream);
    fputs(",\n\"samples\":", page->stream);
    run_samples_write(page->samples, page->stream);
    fputs("}\n</script>\n", page->stream);
}

gboolean run_page_write(const char *run_folder, RunPageState state, GError **error)
{
    g_autofree char *file = g_build_filename(run_folder, "index.html", NULL);
    OutputFile *output = output_file_open(file, error);
    RunPage page = {0};

    if (!output)
        return FALSE;
    page_init(&page, run_folder, state);
    page.stream = output->stream;
    write_head(&page);
    write_patience(&page);
    write_sheet(&page);
    write_losses(&page);
    write_validation(&page);
    write_notes(&page);
    write_settings(&page);
    write_data(&page);
    fprintf(page.stream, "<script>\n%s</script>\n</html>\n", script);
    page_clear(&page);
    return output_file_commit(output, error); /* sees a failed write, too */
}
