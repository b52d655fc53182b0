/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The model that is there without any file: the assembler puts it into the library as it is. */
#include "default-model-path.h"
#include "model.h"

__asm__(".section .rodata\n"
        ".balign 64\n"
        ".type pix_default_model_start, @object\n"
        "pix_default_model_start:\n"
        ".incbin \"" PIX_DEFAULT_MODEL "\"\n"
        "pix_default_model_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const guint8 pix_default_model_start[] __attribute__((visibility("hidden")));
extern const guint8 pix_default_model_end[] __attribute__((visibility("hidden")));

GBytes *pix_default_model(void)
{
    return g_bytes_new_static(pix_default_model_start,
                              (gsize)(pix_default_model_end - pix_default_model_start));
}
