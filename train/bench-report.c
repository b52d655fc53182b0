/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-report.h"

#include <stdio.h>
#include <string.h>

#include "report-json.h"

static void clear_layer(gpointer layer)
{
    g_free(((BenchLayer *)layer)->own_name);
}

GArray *bench_layers_new(void)
{
    GArray *layers = g_array_new(FALSE, TRUE, sizeof(BenchLayer));

    g_array_set_clear_func(layers, clear_layer);
    return layers;
}

void bench_add_layer(GArray *layers, const PixLayerTime *time, double ms, char *own_name)
{
    BenchLayer layer = {.name = own_name ? own_name : time->name,
                        .algorithm = time->algorithm,
                        .reason = time->reason,
                        .own_name = own_name,
                        .precision = time->precision,
                        .ms = ms,
                        .flops = time->flops,
                        .bytes = time->bytes,
                        .dispatches = time->dispatches,
                        .read_bytes = time->read_bytes,
                        .written_bytes = time->written_bytes};

    g_array_append_val(layers, layer);
}

static const BenchLayer *layer_at(const GArray *layers, guint i)
{
    return &g_array_index(layers, BenchLayer, i);
}

BenchLayer bench_sum_layers(const GArray *layers)
{
    BenchLayer all = {.name = "all layers", .algorithm = ""};

    for (guint i = 0; i < layers->len; i++) {
        const BenchLayer *layer = layer_at(layers, i);
        all.ms += layer->ms;
        all.flops += layer->flops;
        all.bytes += layer->bytes;
        all.dispatches += layer->dispatches;
        all.read_bytes += layer->read_bytes;
        all.written_bytes += layer->written_bytes;
    }
    return all;
}

gboolean bench_measure_peak(PixDevice *device, BenchPeak *peak, GError **error)
{
    peak->threads = pix_device_get_info(device)->threads;
    return pix_device_measure(device, &peak->of, error);
}

/* 0 where @whole is not known. */
static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

double bench_floor_ms(const BenchLayer *layer, const BenchPeak *peak)
{
    return MAX(share(layer->flops, peak->of.gflops), share(layer->bytes, peak->of.gbytes)) / 1e6;
}

/* 10^9 a second of something that happens @count times in @ms. */
static double rate(double count, double ms)
{
    return ms > 0 ? count / ms / 1e6 : 0;
}

double bench_traffic(const BenchLayer *layer)
{
    return share(layer->read_bytes + layer->written_bytes, layer->bytes);
}

/* NULL where there are no products to make. */
static const char *precision_of(const BenchLayer *layer)
{
    return layer->precision == PIX_PRECISION_AUTO ? NULL : pix_precision_name(layer->precision);
}

static void print_row(const BenchLayer *layer, int name_width, int algorithm_width, double all_ms,
                      const BenchPeak *peak)
{
    double gflops = rate(layer->flops, layer->ms), gbytes = rate(layer->bytes, layer->ms);
    const char *precision = precision_of(layer);

    printf("%-*s  %-*s  %-9s %9.3f %7.1f%% %9.1f %7.1f%% %8.1f %7.1f%%", name_width, layer->name,
           algorithm_width, layer->algorithm, precision ? precision : "", layer->ms,
           100 * share(layer->ms, all_ms), gflops, 100 * share(gflops, peak->of.gflops), gbytes,
           100 * share(gbytes, peak->of.gbytes));
    printf("%s%s\n", layer->reason ? "  " : "", layer->reason ? layer->reason : "");
}

/* Milliseconds that all layers take at least. */
static double sum_floors(const GArray *layers, const BenchPeak *peak)
{
    double ms = 0;

    for (guint i = 0; i < layers->len; i++)
        ms += bench_floor_ms(layer_at(layers, i), peak);
    return ms;
}

static void print_work_row(const BenchLayer *layer, int name_width, double floor_ms)
{
    printf("%-*s %10u %9.2f %9.2f %9.2f %9.2f %9.4f %9.1f\n", name_width, layer->name,
           layer->dispatches, layer->read_bytes / 1e6, layer->written_bytes / 1e6,
           layer->bytes / 1e6, bench_traffic(layer), floor_ms, share(layer->ms, floor_ms));
}

static void print_work(const GArray *layers, const BenchLayer *all, int name_width,
                       const BenchPeak *peak)
{
    printf("%-*s %10s %9s %9s %9s %9s %9s %9s\n", name_width, "layer", "dispatches", "MB read",
           "written", "floor", "times it", "floor ms", "times it");
    for (guint i = 0; i < layers->len; i++)
        print_work_row(layer_at(layers, i), name_width, bench_floor_ms(layer_at(layers, i), peak));
    print_work_row(all, name_width, sum_floors(layers, peak));
    printf("\n");
}

void bench_print_layers(const GArray *layers, const BenchPeak *peak)
{
    int name_width = 10, algorithm_width = 9;
    BenchLayer all = bench_sum_layers(layers);

    for (guint i = 0; i < layers->len; i++) {
        name_width = MAX(name_width, (int)strlen(layer_at(layers, i)->name));
        algorithm_width = MAX(algorithm_width, (int)strlen(layer_at(layers, i)->algorithm));
    }
    printf("%-*s  %-*s  %-9s %9s %8s %9s %8s %8s %8s  %s\n", name_width, "layer", algorithm_width,
           "algorithm", "precision", "ms", "of time", "GFLOP/s", "of peak", "GB/s", "of peak",
           "why the algorithm");
    for (guint i = 0; i < layers->len; i++)
        print_row(layer_at(layers, i), name_width, algorithm_width, all.ms, peak);
    print_row(&all, name_width, algorithm_width, all.ms, peak);
    printf("\n");
    if (all.dispatches > 0)
        print_work(layers, &all, name_width, peak);
}

void bench_print_peak(const BenchPeak *peak)
{
    printf("peak    %.0f GFLOP/s of float32 multiply-adds", peak->of.gflops);
    if (peak->of.gbytes > 0)
        printf(" and %.0f GB/s of memory%s", peak->of.gbytes, peak->threads > 0 ? ", read" : "");
    if (peak->threads > 0)
        printf(", on %u %s with %s", peak->threads, peak->threads == 1 ? "thread" : "threads",
               peak->of.level);
    printf(", measured just now\n");
}

static void json_work(JsonBuilder *builder, const BenchLayer *layer, double floor_ms)
{
    report_json_int(builder, "dispatches", layer->dispatches);
    report_json_number(builder, "read_bytes", layer->read_bytes);
    report_json_number(builder, "written_bytes", layer->written_bytes);
    report_json_number(builder, "floor_bytes", layer->bytes);
    report_json_number(builder, "floor_ms", floor_ms);
}

static void json_rates(JsonBuilder *builder, const BenchLayer *layer, const BenchPeak *peak)
{
    double gflops = rate(layer->flops, layer->ms), gbytes = rate(layer->bytes, layer->ms);

    report_json_number(builder, "gflops", gflops);
    report_json_number(builder, "share_of_peak", share(gflops, peak->of.gflops));
    report_json_number(builder, "gbytes", gbytes);
    report_json_number(builder, "share_of_memory", share(gbytes, peak->of.gbytes));
}

static void json_layer(JsonBuilder *builder, const BenchLayer *layer, double all_ms,
                       const BenchPeak *peak)
{
    report_json_string(builder, "name", layer->name);
    report_json_string(builder, "algorithm", layer->algorithm);
    if (layer->reason)
        report_json_string(builder, "reason", layer->reason);
    report_json_string(builder, "precision", precision_of(layer));
    report_json_number(builder, "ms", layer->ms);
    report_json_number(builder, "flops", layer->flops);
    report_json_number(builder, "bytes", layer->bytes);
    json_rates(builder, layer, peak);
    report_json_number(builder, "share_of_time", share(layer->ms, all_ms));
}

void bench_json_layers(JsonBuilder *builder, const GArray *layers, const BenchPeak *peak)
{
    const BenchLayer all = bench_sum_layers(layers);

    report_json_int(builder, "peak_threads", peak->threads);
    report_json_string(builder, "peak_level", peak->of.level);
    report_json_number(builder, "peak_gflops", peak->of.gflops);
    report_json_number(builder, "peak_gbytes", peak->of.gbytes);
    json_rates(builder, &all, peak);
    if (all.dispatches > 0) {
        json_work(builder, &all, sum_floors(layers, peak));
        report_json_number(builder, "traffic", bench_traffic(&all));
    }
    json_builder_set_member_name(builder, "layers");
    json_builder_begin_array(builder);
    for (guint i = 0; i < layers->len; i++) {
        const BenchLayer *layer = layer_at(layers, i);
        json_builder_begin_object(builder);
        json_layer(builder, layer, all.ms, peak);
        if (all.dispatches > 0)
            json_work(builder, layer, bench_floor_ms(layer, peak));
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}
