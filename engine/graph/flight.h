/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A picture's flight through a network: in, forward, out. Where the device records, all of it is one
 * recording that is submitted again for every picture, and several may be under way: they share the
 * run's memory, since a device does them one after the other.
 *
 * What overlaps is the processor's part: it copies a picture's bytes to where the device sees them
 * while that works on the one before, and those of a result while it works on the next. The device's
 * own parts do not overlap: one queue takes one recording after the other, from bytes to bytes. Where
 * the device reads and writes the processor's copy in place, which it does where that lies in its own
 * memory, there is no copying on its side.
 */
#ifndef PIX_FLIGHT_H
#define PIX_FLIGHT_H

#include "run.h"

/** PixFlight: Thread-safety: one thread at a time, for all flights of a run. */
typedef struct PixFlight PixFlight;

/** PixFlightTimes: milliseconds of the last picture that was received. */
typedef struct {
    double in_ms, network_ms, out_ms;
} PixFlightTimes;

/**
 * pix_flight_new:
 * @run: that outlives it.  @in, @out: how pictures lie, which the device takes; data and strides do
 * not matter.  @content: where in the network's input and output they lie.
 * Errors: NO_MEMORY, UNSUPPORTED, BAD_SHAPE, DEVICE_LOST.
 */
PixFlight *pix_flight_new(PixRun *run, const PixVideo *in, const PixVideo *out, PixRect content,
                          GError **error);
void pix_flight_free(PixFlight *flight); /* waits for what is under way; accepts NULL */

/**
 * pix_flight_submit:
 * Returns when @in has been read. Errors: DEVICE_LOST, NO_MEMORY, and why something that it needs is
 * not there; then it never started.
 */
bool pix_flight_submit(PixFlight *flight, const PixVideo *in, PixFrame frame, GError **error);
/**
 * pix_flight_receive:
 * Waits for what was submitted. @out: (nullable): NULL throws it away.
 * Errors: DEVICE_LOST, BAD_CHECKPOINT where it is not a number; then it has ended too.
 */
bool pix_flight_receive(PixFlight *flight, const PixVideo *out, GError **error);

PixFlightTimes pix_flight_times(const PixFlight *flight);
/** pix_flight_bytes: Of its own memory. */
size_t pix_flight_bytes(const PixFlight *flight);

#endif
