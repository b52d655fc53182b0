/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix devices: the processors that models can run on.
 */
#include "command.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

#include "report-json.h"

/* Every kind of device that pix_device_open() knows by name. */
static const char *const specs[] = {"cpu"};

static int run(const Command *command, int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Write JSON", NULL},
        {0},
    };
    g_auto(CommandOptions) options = {0};
    g_auto(GStrv) files = NULL;
    g_autoptr(GError) error = NULL;
    int status = command_parse(command, entries, 0, &options, argc, argv, &files);

    if (status != COMMAND_CONTINUE)
        return status;

    g_autoptr(PixDevice) chosen = pix_device_open(NULL, 0, &error);
    if (!chosen)
        command_print_error("none is the default: %s", error->message);
    const char *chosen_id = chosen ? pix_device_get_info(chosen)->id : NULL;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    report_json_string(builder, "default", chosen_id);
    json_builder_set_member_name(builder, "devices");
    json_builder_begin_array(builder);
    gboolean any = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(specs); i++) {
        g_autoptr(PixDevice) device = pix_device_open(specs[i], 0, NULL);
        if (!device) /* not in this machine */
            continue;
        any = TRUE;
        const PixDeviceInfo *info = pix_device_get_info(device);
        if (json) {
            json_builder_begin_object(builder);
            report_json_device(builder, info);
            json_builder_end_object(builder);
            continue;
        }
        printf("%s %-10s %s (%s)", g_strcmp0(info->id, chosen_id) ? " " : "*", info->id, info->name,
               info->features);
        if (info->memory_bytes)
            printf(", %.1f GiB", info->memory_bytes / (double)(1 << 30));
        putchar('\n');
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    if (json)
        report_json_print(builder);
    return any ? COMMAND_DONE : COMMAND_FAILED;
}

const Command command_devices = {
    .name = "devices",
    .arguments = "",
    .summary = "Lists the processors that models can run on",
    .description = "The star marks the one that is used where none is named.",
    .max_arguments = 0,
    .run = run,
};
