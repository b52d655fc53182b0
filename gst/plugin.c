/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpix2pixfilter.h"

static gboolean plugin_init(GstPlugin *plugin)
{
    return GST_ELEMENT_REGISTER(pix2pixfilter, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, pix2pix,
                  "Image-to-image translation with pix2pix and CycleGAN generators", plugin_init,
                  PACKAGE_VERSION, "LGPL", "libpix2pix", "libpix2pix")
