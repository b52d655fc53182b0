/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pix2pix/pix.h>

const char *pix_version(void)
{
    return PIX_VERSION;
}
