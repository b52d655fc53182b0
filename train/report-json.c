/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "report-json.h"

#include "command.h"

#include <math.h>
#include <stdio.h>

void report_json_string(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    if (!value) {
        json_builder_add_null_value(builder);
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    json_builder_add_string_value(builder, valid);
}

void report_json_int(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

void report_json_bool(JsonBuilder *builder, const char *name, gboolean value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_boolean_value(builder, value);
}

void report_json_number(JsonBuilder *builder, const char *name, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    json_builder_set_member_name(builder, name);
    if (!isfinite(value)) {
        json_builder_add_null_value(builder);
        return;
    }
    g_ascii_formatd(text, sizeof(text), "%.6g", value);
    json_builder_add_double_value(builder, g_ascii_strtod(text, NULL));
}

void report_json_device(JsonBuilder *builder, const PixDeviceInfo *info)
{
    report_json_string(builder, "id", info->id);
    report_json_string(builder, "name", info->name);
    report_json_string(builder, "driver", info->driver);
    report_json_string(builder, "features", info->features);
    report_json_string(builder, "uuid", info->uuid);
    report_json_int(builder, "memory_bytes", info->memory_bytes);
}

void report_json_model(JsonBuilder *builder, const PixModelInfo *info)
{
    report_json_string(builder, "architecture", info->architecture);
    report_json_string(builder, "layout", info->layout);
    report_json_string(builder, "container", info->container);
    report_json_string(builder, "norm", info->norm);
    report_json_bool(builder, "is_generator", info->is_generator);
    report_json_int(builder, "in_channels", info->in_channels);
    report_json_int(builder, "out_channels", info->out_channels);
    report_json_int(builder, "width", info->width);
    report_json_int(builder, "height", info->height);
    report_json_int(builder, "multiple", info->multiple);
    report_json_int(builder, "minimum", info->minimum);
    report_json_bool(builder, "has_dropout", info->has_dropout);
    report_json_bool(builder, "has_running_statistics", info->has_running_statistics);
    report_json_string(builder, "norm_statistics", command_statistics[info->statistics]);
    report_json_int(builder, "parameters", info->parameters);
    report_json_int(builder, "weight_bytes", info->weight_bytes);
    report_json_string(builder, "mix", info->mix);
    if (info->mix) {
        report_json_number(builder, "mix_psnr", info->mix_psnr);
        report_json_int(builder, "mix_pictures", info->mix_pictures);
    }
}

void report_json_print(JsonBuilder *builder)
{
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);

    puts(text);
}
