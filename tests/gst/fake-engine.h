/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Stands between the element and pix_session_translate(): the test program's function of that name
 * comes before the library's. It counts calls, and can be slow, fail, or compute something that a
 * test can predict.
 */
#ifndef FAKE_ENGINE_H
#define FAKE_ENGINE_H

#include <pix2pix/pix.h>

typedef enum {
    FAKE_OFF,    /* the network */
    FAKE_INVERT, /* 255 minus the source; grey becomes three times itself, colours their green */
    FAKE_LOST,   /* PIX_ERROR_DEVICE_LOST */
} FakeMode;

/** All of these may be used while frames flow. */
void fake_engine_reset(void); /* FAKE_OFF, no delay, no calls */
void fake_engine_set_mode(FakeMode mode);
void fake_engine_set_delay_ms(int ms); /* before every call */
int fake_engine_get_calls(void);
PixImage fake_engine_get_in(void); /* of the last call */
PixImage fake_engine_get_out(void);

#endif
