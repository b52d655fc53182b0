/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peak.h"
#include "report-json.h"

static int compare_doubles(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return difference < 0 ? -1 : difference > 0;
}

double bench_median(double *values, int n)
{
    qsort(values, n, sizeof(*values), compare_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

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
    BenchLayer layer = {
        own_name ? own_name : time->name, time->algorithm, own_name, ms, time->flops, time->bytes};

    g_array_append_val(layers, layer);
}

static const BenchLayer *layer_at(const GArray *layers, guint i)
{
    return &g_array_index(layers, BenchLayer, i);
}

double bench_sum_layers(const GArray *layers)
{
    double ms = 0;

    for (guint i = 0; i < layers->len; i++)
        ms += layer_at(layers, i)->ms;
    return ms;
}

void bench_measure_peak(const PixDeviceInfo *device, BenchPeak *peak)
{
    peak->threads = MAX(device->threads, 1);
    peak->level = peak_choose_level(device->level);
    peak->gflops = peak_measure_gflops(peak->threads, peak->level);
}

/* 10^9 a second of something that happens @count times in @ms. */
static double rate(double count, double ms)
{
    return ms > 0 ? count / ms / 1e6 : 0;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void print_row(const BenchLayer *layer, int name_width, int algorithm_width, double all_ms,
                      const BenchPeak *peak)
{
    double gflops = rate(layer->flops, layer->ms);

    printf("%-*s  %-*s %9.3f %7.1f%% %9.1f %7.1f%% %8.1f\n", name_width, layer->name,
           algorithm_width, layer->algorithm, layer->ms, 100 * share(layer->ms, all_ms), gflops,
           100 * share(gflops, peak->gflops), rate(layer->bytes, layer->ms));
}

void bench_print_layers(const GArray *layers, const BenchPeak *peak)
{
    int name_width = 5, algorithm_width = 9;
    BenchLayer all = {.name = "all layers", .algorithm = "", .ms = bench_sum_layers(layers)};

    for (guint i = 0; i < layers->len; i++) {
        name_width = MAX(name_width, (int)strlen(layer_at(layers, i)->name));
        algorithm_width = MAX(algorithm_width, (int)strlen(layer_at(layers, i)->algorithm));
        all.flops += layer_at(layers, i)->flops;
        all.bytes += layer_at(layers, i)->bytes;
    }
    printf("%-*s  %-*s %9s %8s %9s %8s %8s\n", name_width, "layer", algorithm_width, "algorithm",
           "ms", "of time", "GFLOP/s", "of peak", "GB/s");
    for (guint i = 0; i < layers->len; i++)
        print_row(layer_at(layers, i), name_width, algorithm_width, all.ms, peak);
    print_row(&all, name_width, algorithm_width, all.ms, peak);
    printf("\n");
}

void bench_print_peak(const BenchPeak *peak)
{
    printf("peak    %.0f GFLOP/s of float32 multiply-adds on %u %s with %s, measured just now\n",
           peak->gflops, peak->threads, peak->threads == 1 ? "thread" : "threads", peak->level);
}

void bench_json_layers(JsonBuilder *builder, const GArray *layers, const BenchPeak *peak)
{
    double all_ms = bench_sum_layers(layers);

    report_json_int(builder, "peak_threads", peak->threads);
    report_json_string(builder, "peak_level", peak->level);
    report_json_number(builder, "peak_gflops", peak->gflops);
    json_builder_set_member_name(builder, "layers");
    json_builder_begin_array(builder);
    for (guint i = 0; i < layers->len; i++) {
        const BenchLayer *layer = layer_at(layers, i);
        double gflops = rate(layer->flops, layer->ms);
        json_builder_begin_object(builder);
        report_json_string(builder, "name", layer->name);
        report_json_string(builder, "algorithm", layer->algorithm);
        report_json_number(builder, "ms", layer->ms);
        report_json_number(builder, "flops", layer->flops);
        report_json_number(builder, "bytes", layer->bytes);
        report_json_number(builder, "gflops", gflops);
        report_json_number(builder, "share_of_peak", share(gflops, peak->gflops));
        report_json_number(builder, "share_of_time", share(layer->ms, all_ms));
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}
