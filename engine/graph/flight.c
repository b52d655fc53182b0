/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flight.h"

#include "clock.h"

struct PixFlight {
    PixRun *run;
    PixDevice *device;
    PixRect content;
    PixCommands *commands; /* NULL where all is done at once */
    PixVideo in, out;      /* of the present picture; the recording points to them */
    double submitted_ms;
    PixFlightTimes times;
};

static void mark(const PixFlight *flight)
{
    if (flight->device->backend->mark)
        flight->device->backend->mark(flight->device);
}

static bool record_stages(PixFlight *flight, GError **error)
{
    const PixBackend *backend = flight->device->backend;
    const PixTensor *x = pix_run_input(flight->run), *y = pix_run_output(flight->run);
    mark(flight);
    if (!backend->write_image(flight->device, x, &flight->in, flight->content, error))
        return false;
    mark(flight);
    pix_run_ask(flight->run);
    mark(flight);
    if (!backend->read_image(flight->device, y, &flight->out, flight->content, error))
        return false;
    mark(flight);
    return true;
}

static bool record(PixFlight *flight, GError **error)
{
    const PixBackend *backend = flight->device->backend;
    if (!backend->record(flight->device, error))
        return false;
    bool good = record_stages(flight, error);
    flight->commands = backend->finish(flight->device, good ? error : NULL);
    return good && flight->commands;
}

PixFlight *pix_flight_new(PixRun *run, const PixVideo *in, const PixVideo *out, PixRect content,
                          GError **error)
{
    PixFlight *flight = g_new0(PixFlight, 1);
    flight->run = run;
    flight->device = pix_run_device(run);
    flight->content = content;
    flight->in = *in;
    flight->out = *out;
    if (flight->device->backend->record && !record(flight, error)) {
        pix_flight_free(flight);
        return NULL;
    }
    return flight;
}

void pix_flight_free(PixFlight *flight)
{
    if (!flight)
        return;
    if (flight->commands)
        flight->device->backend->commands_free(flight->device, flight->commands);
    g_free(flight);
}

/* ---- flying ---- */

static bool start(PixFlight *flight, PixFrame frame, GError **error)
{
    const PixBackend *backend = flight->device->backend;
    if (flight->commands) {
        pix_run_set_frame(flight->run, frame);
        return backend->submit(flight->device, flight->commands, error);
    }
    return backend->write_image(flight->device, pix_run_input(flight->run), &flight->in,
                                flight->content, error);
}

bool pix_flight_submit(PixFlight *flight, const PixVideo *in, PixFrame frame, GError **error)
{
    double before = pix_clock_ms();
    flight->in = *in;
    if (!start(flight, frame, error))
        return false;
    flight->submitted_ms = pix_clock_ms();
    flight->times.in_ms = flight->submitted_ms - before;
    bool done = flight->commands || pix_run_forward(flight->run, frame, error);
    flight->times.network_ms = pix_clock_ms() - flight->submitted_ms;
    return done;
}

/* The device's own clock, where it has one; else all behind the submission counts as the network. */
static bool land(PixFlight *flight, GError **error)
{
    const PixBackend *backend = flight->device->backend;
    double ms[3] = {0};
    if (!backend->wait(flight->device, flight->commands, error))
        return false;
    if (!backend->read_marks || !backend->read_marks(flight->device, flight->commands, ms, 3))
        ms[1] = pix_clock_ms() - flight->submitted_ms;
    flight->times.in_ms += ms[0];
    flight->times.network_ms = ms[1];
    flight->times.out_ms = ms[2];
    return true;
}

bool pix_flight_receive(PixFlight *flight, const PixVideo *out, GError **error)
{
    const PixVideo nothing = {0};
    double before = pix_clock_ms();
    flight->out = out ? *out : nothing;
    if (flight->commands)
        return land(flight, error);
    if (out && !flight->device->backend->read_image(flight->device, pix_run_output(flight->run),
                                                    out, flight->content, error))
        return false;
    flight->times.out_ms = pix_clock_ms() - before;
    return true;
}

PixFlightTimes pix_flight_times(const PixFlight *flight)
{
    return flight->times;
}

size_t pix_flight_bytes(const PixFlight *flight)
{
    return flight->commands ? flight->device->backend->commands_bytes(flight->commands) : 0;
}
