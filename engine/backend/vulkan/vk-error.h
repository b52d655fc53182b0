/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** From VkResult to GError: the only place that knows both. */
#ifndef PIX_VK_ERROR_H
#define PIX_VK_ERROR_H

#include <stdbool.h>

#include <glib.h>
#include <volk.h>

/**
 * vk_check:
 * Whether @result is VK_SUCCESS. @what: the call that returned it.  Errors: DEVICE_LOST, NO_MEMORY,
 * NO_DEVICE for a driver that is not there or does not fit, UNSUPPORTED for all the rest.
 */
bool vk_check(VkResult result, const char *what, GError **error);

#endif
