/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The smallest program with libpix2pix: opens the device that would be used and says what it is.
 *
 *   cc list-devices.c $(pkg-config --cflags --libs pix2pix-1.0)
 */
#include <pix2pix/pix.h>
#include <stdio.h>

int main(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PixDevice) device = pix_device_open(NULL, 0, &error);
    if (!device) {
        fprintf(stderr, "list-devices: %s\n", error->message);
        return 1;
    }
    const PixDeviceInfo *info = pix_device_get_info(device);
    printf("%s: %s (%s), libpix2pix %s\n", info->id, info->name, info->features, pix_version());
    return 0;
}
