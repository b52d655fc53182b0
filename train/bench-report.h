/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the benchmarks of frames and of training have in common: medians, layers, the peak. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <json-glib/json-glib.h>
#include <pix2pix/pix.h>

/** BenchLayer: one measured layer. Strings belong to the engine unless @own_name is set. */
typedef struct {
    const char *name, *algorithm;
    char *own_name;
    double ms, flops, bytes;
} BenchLayer;

/** BenchPeak: what the processor could do, measured. */
typedef struct {
    unsigned threads;
    const char *level;
    double gflops; /* of float32 multiply-adds */
} BenchPeak;

/** bench_median: Sorts @values. */
double bench_median(double *values, int n);

/** bench_add_layer: Appends one to an array of BenchLayer. */
void bench_add_layer(GArray *layers, const PixLayerTime *time, double ms, char *own_name);
/** bench_layers_new: Returns: (transfer full): an empty array that frees what it holds. */
GArray *bench_layers_new(void);
/** bench_sum_layers: Milliseconds of all of them. */
double bench_sum_layers(const GArray *layers);

void bench_measure_peak(const PixDeviceInfo *device, BenchPeak *peak);

/** bench_print_layers: A table with a sum. */
void bench_print_layers(const GArray *layers, const BenchPeak *peak);
void bench_print_peak(const BenchPeak *peak);
/** bench_json_layers: The members "peak_threads" to "layers". */
void bench_json_layers(JsonBuilder *builder, const GArray *layers, const BenchPeak *peak);

#endif
