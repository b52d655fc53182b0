/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "error.h"

G_DEFINE_QUARK(pix - error - quark, pix_error)

bool pix_fail(GError **error, PixError code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error)
        g_propagate_error(error, g_error_new_valist(PIX_ERROR, code, format, args));
    va_end(args);
    return false;
}
