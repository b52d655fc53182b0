/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Stands between the element and pix_session_submit() and pix_session_receive(): the test program's
 * functions of those names come before the library's. It counts frames, and can be slow, fail, or
 * compute something that a test can predict. So do some other functions, which can fail.
 */
#ifndef FAKE_ENGINE_H
#define FAKE_ENGINE_H

#include <pix2pix/pix.h>

typedef enum {
    FAKE_OFF,    /* the network */
    FAKE_INVERT, /* 255 minus the source; grey becomes three times itself, colours their green; the
                    element converts to and from interleaved images */
    FAKE_LOST,   /* PIX_ERROR_DEVICE_LOST */
} FakeMode;

/** FakeStep: what the element asks of the engine. */
typedef enum {
    FAKE_LOAD,    /* pix_model_load() */
    FAKE_SESSION, /* pix_session_new() */
    FAKE_FRAME,   /* pix_session_submit() */
    FAKE_RESULT,  /* pix_session_receive() */
} FakeStep;

/** All of these may be used while frames flow. */
void fake_engine_reset(void); /* FAKE_OFF, no delay, no calls */
void fake_engine_set_mode(FakeMode mode);
void fake_engine_set_delay_ms(int ms);       /* of every frame */
void fake_engine_fail_next(FakeStep step);   /* with PIX_ERROR_DEVICE_LOST, once */
void fake_engine_lack_memory(FakeStep step); /* with PIX_ERROR_NO_MEMORY, once */
/** fake_engine_hold: Threads that come to @step stay there until the release. */
void fake_engine_hold(FakeStep step);
void fake_engine_wait_held(void); /* until one does */
void fake_engine_release(void);
/** fake_engine_set_reopens: Whether pix_device_reopen() opens; after a reset it does not. */
void fake_engine_set_reopens(gboolean reopens);
/** fake_engine_set_automatic: Whether pix_device_fallback() gives a CPU device whatever it is asked
 * for, as if `auto` had chosen what fails. */
void fake_engine_set_automatic(gboolean automatic);
/** fake_engine_set_refused: What devices say of a GPU that `auto` refused; NULL: there is none. */
void fake_engine_set_refused(const char *note);
int fake_engine_get_calls(void);   /* frames submitted */
PixVideo fake_engine_get_in(void); /* the last one */
PixVideo fake_engine_get_out(void);

#endif
