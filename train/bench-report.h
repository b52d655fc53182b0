/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the benchmarks of frames and of training have in common: layers, the peak. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <json-glib/json-glib.h>
#include <pix2pix/pix.h>

/** BenchLayer: one measured layer. Strings belong to the engine unless @own_name is set. */
typedef struct {
    const char *name, *algorithm, *reason;
    char *own_name;
    PixPrecision precision;  /* as of PixLayerTime */
    double ms, flops, bytes; /* bytes: the least that there are to move */
    guint dispatches;        /* of a GPU, as what follows */
    double read_bytes, written_bytes;
} BenchLayer;

/** BenchPeak: what the processor could do, measured. */
typedef struct {
    unsigned threads; /* of a CPU; 0: a GPU */
    PixPeak of;
} BenchPeak;

/** bench_add_layer: Appends one to an array of BenchLayer. */
void bench_add_layer(GArray *layers, const PixLayerTime *time, double ms, char *own_name);
/** bench_layers_new: Returns: (transfer full): an empty array that frees what it holds. */
GArray *bench_layers_new(void);
/** bench_sum_layers: All of them in one, without strings. */
BenchLayer bench_sum_layers(const GArray *layers);
/** bench_traffic: The bytes that a GPU is asked to move, as multiple of the least. */
double bench_traffic(const BenchLayer *layer);

gboolean bench_measure_peak(PixDevice *device, BenchPeak *peak, GError **error);
/** bench_floor_ms: The least that @layer can take on a GPU: of its arithmetic and its memory. */
double bench_floor_ms(const BenchLayer *layer, const BenchPeak *peak);

/** bench_print_layers: A table with a sum, and for a GPU one of what it is asked for. */
void bench_print_layers(const GArray *layers, const BenchPeak *peak);
void bench_print_peak(const BenchPeak *peak);
/** bench_json_layers: The members "peak_threads" to "layers". */
void bench_json_layers(JsonBuilder *builder, const GArray *layers, const BenchPeak *peak);

#endif
