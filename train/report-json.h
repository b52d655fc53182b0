/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The JSON that the commands print: what json-glib leaves to repeat. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <json-glib/json-glib.h>
#include <pix2pix/pix.h>

/** report_json_string: @value: (nullable): any bytes; what is not UTF-8 is replaced. */
void report_json_string(JsonBuilder *builder, const char *name, const char *value);
void report_json_int(JsonBuilder *builder, const char *name, gint64 value);
void report_json_bool(JsonBuilder *builder, const char *name, gboolean value);
/** report_json_number: Six significant digits; null where @value is not finite, as JSON has no such
 * numbers. */
void report_json_number(JsonBuilder *builder, const char *name, double value);
/** report_json_device: The members of one device. */
void report_json_device(JsonBuilder *builder, const PixDeviceInfo *info);
/** report_json_model: What kind of network it is. */
void report_json_model(JsonBuilder *builder, const PixModelInfo *info);
/** report_json_print: Writes the whole document to standard output. */
void report_json_print(JsonBuilder *builder);

#endif
