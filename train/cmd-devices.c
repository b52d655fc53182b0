/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * pix2pix devices: what models can run on.
 */
#include "command.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "report-json.h"

#define COLUMNS 80
#define INDENT 12 /* of what is told of a device */

/** What `auto` and no choice at all come to. */
typedef struct {
    PixDevice *automatic, *standard; /* standard: NULL where PIX2PIX_DEVICE names none */
} Choice;

static const char *id_of(PixDevice *device)
{
    return device ? pix_device_get_info(device)->id : NULL;
}

/* ---- for people ---- */

/* Words, broken at the last column; @column is where the line is now. */
static void print_words(const char *text, int column)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (char **word = words; *word; word++) {
        int length = (int)g_utf8_strlen(*word, -1);
        if (column > INDENT && column + 1 + length > COLUMNS) {
            printf("\n%*s", INDENT, "");
            column = INDENT;
        }
        column += printf("%s%s", column > INDENT ? " " : "", *word) ? length + 1 : 0;
    }
    putchar('\n');
}

static void print_line(const char *text)
{
    printf("%*s", INDENT, "");
    print_words(text, INDENT);
}

static void print_device(const char *id, const PixDeviceInfo *info, const char *reason,
                         gboolean is_automatic)
{
    printf("%s %-*s", is_automatic ? "*" : " ", INDENT - 2, id);
    if (!info) {
        print_words(reason, INDENT);
        return;
    }
    g_autofree char *uses =
        info->memory_bytes ? g_strdup_printf("%.1f GiB, %s", (double)info->memory_bytes / (1 << 30),
                                             info->features)
                           : g_strdup(info->features);
    print_words(info->name, INDENT);
    print_line(uses);
    if (info->driver)
        print_line(info->driver);
    if (info->uuid)
        print_line(info->uuid);
}

static void print_choice(const Choice *choice)
{
    const char *named = g_getenv("PIX2PIX_DEVICE");

    if (choice->automatic) {
        const char *note = pix_device_get_info(choice->automatic)->note;
        g_autofree char *text =
            g_strdup_printf("is what auto takes%s%s", note ? ": " : "", note ? note : "");
        printf("\n%-*s", INDENT, "*");
        print_words(text, INDENT);
    }
    if (choice->standard && named && *named)
        printf("PIX2PIX_DEVICE=%s: %s where no device is named\n", named, id_of(choice->standard));
}

/* ---- the command ---- */

static void add_device(JsonBuilder *builder, const char *id, const PixDeviceInfo *info,
                       const char *reason)
{
    json_builder_begin_object(builder);
    if (info) {
        report_json_device(builder, info);
    } else {
        report_json_string(builder, "id", id);
        report_json_string(builder, "error", reason);
    }
    json_builder_end_object(builder);
}

static void show_all(JsonBuilder *builder, const Choice *choice)
{
    g_auto(GStrv) list = pix_device_list();

    for (char **id = list; *id; id++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(PixDevice) device = pix_device_open(*id, 0, &error);
        const PixDeviceInfo *info = device ? pix_device_get_info(device) : NULL;
        if (builder)
            add_device(builder, *id, info, error ? error->message : NULL);
        else
            print_device(*id, info, error ? error->message : NULL,
                         g_strcmp0(*id, id_of(choice->automatic)) == 0);
    }
}

static void show_json(const Choice *choice)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    PixDevice *automatic = choice->automatic;

    json_builder_begin_object(builder);
    report_json_string(builder, "default", id_of(choice->standard));
    report_json_string(builder, "auto", id_of(automatic));
    report_json_string(builder, "auto_note",
                       automatic ? pix_device_get_info(automatic)->note : NULL);
    json_builder_set_member_name(builder, "devices");
    json_builder_begin_array(builder);
    show_all(builder, choice);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    report_json_print(builder);
}

static int run(const Command *command, int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Write JSON", NULL},
        {0},
    };
    g_auto(CommandOptions) options = {0};
    g_auto(GStrv) files = NULL;
    g_autoptr(GError) error = NULL, of_auto = NULL;
    int status = command_parse(command, entries, 0, &options, argc, argv, &files);

    if (status != COMMAND_CONTINUE)
        return status;

    g_autoptr(PixDevice) automatic = pix_device_open("auto", 0, &of_auto);
    g_autoptr(PixDevice) standard = pix_device_open(NULL, 0, &error);
    const Choice choice = {automatic, standard};
    if (!standard)
        command_print_error("none is the default: %s", error->message);
    if (json) {
        show_json(&choice);
    } else {
        show_all(NULL, &choice);
        print_choice(&choice);
    }
    return automatic || standard ? COMMAND_DONE : COMMAND_FAILED;
}

const Command command_devices = {
    .name = "devices",
    .arguments = "",
    .summary = "Lists the processors that models can run on",
    .description =
        "Of each: what --device, the element's property and PIX2PIX_DEVICE take; name, memory\n"
        "and what is used of it, driver and UUID; or why it cannot be used. The star marks the\n"
        "one that auto takes. 'vulkan:' takes part of a name, vendor:device or a UUID as well;\n"
        "numbers are those of the driver's own list, so that some may be missing here.",
    .max_arguments = 0,
    .run = run,
};
