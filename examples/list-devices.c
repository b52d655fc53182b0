/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The smallest program with libpix2pix: every device, and the one that would be used.
 *
 *   cc list-devices.c $(pkg-config --cflags --libs pix2pix-1.0)
 */
#include <pix2pix/pix.h>
#include <stdio.h>

static void show(const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PixDevice) device = pix_device_open(id, 0, &error);
    if (!device) { /* it is there, but does not work */
        printf("%s: %s\n", id, error->message);
        return;
    }
    const PixDeviceInfo *info = pix_device_get_info(device);
    printf("%s: %s (%s%s%s)\n", info->id, info->name, info->features, info->driver ? ", " : "",
           info->driver ? info->driver : "");
}

int main(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) devices = pix_device_list();
    for (char **id = devices; *id; id++)
        show(*id);

    g_autoptr(PixDevice) used = pix_device_open(NULL, 0, &error);
    if (!used) { /* PIX2PIX_DEVICE asks for what is not there */
        fprintf(stderr, "list-devices: %s\n", error->message);
        return 1;
    }
    const PixDeviceInfo *info = pix_device_get_info(used);
    printf("libpix2pix %s uses %s%s%s\n", pix_version(), info->id, info->note ? ": " : "",
           info->note ? info->note : "");
    return 0;
}
