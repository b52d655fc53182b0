/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include "container-private.h"
#include "error.h"

#include <string.h>

/* The safetensors schema limits integers to 48 bits; no .pict comes near that. */
#define MAX_INTEGER ((guint64)1 << 48)

bool pix_json_init(PixJson *json, const char *what, const char *text, size_t size, GError **error)
{
    *json =
        (PixJson){.what = what, .start = text, .next = text, .end = text + size, .error = error};
    if (!g_utf8_validate_len(text, size, NULL)) /* which refuses NUL as well */
        return pix_broken(error, "its %s is not UTF-8 text", what);
    json->string = g_string_new(NULL);
    return true;
}

void pix_json_clear(PixJson *json)
{
    if (json->string)
        g_string_free(json->string, TRUE);
    json->string = NULL;
}

bool pix_json_fail(PixJson *json, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return pix_broken(json->error, "byte %zu of its %s: %s", (size_t)(json->next - json->start),
                      json->what, text);
}

char pix_json_peek(PixJson *json)
{
    while (json->next < json->end && strchr(" \t\n\r", *json->next))
        json->next++;
    return json->next < json->end ? *json->next : 0;
}

bool pix_json_take(PixJson *json, char wanted)
{
    if (pix_json_peek(json) != wanted)
        return pix_json_fail(json, "no '%c' where there must be one", wanted);
    json->next++;
    return true;
}

bool pix_json_separator(PixJson *json, char close, bool *more)
{
    *more = pix_json_peek(json) == ',';
    return pix_json_take(json, *more ? ',' : close);
}

static bool take_hex(PixJson *json, gunichar *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, json->next++) {
        int digit = json->next < json->end ? g_ascii_xdigit_value(*json->next) : -1;
        if (digit < 0)
            return pix_json_fail(json, "\\u without four hexadecimal digits");
        *code = *code << 4 | (gunichar)digit;
    }
    return true;
}

/* After "\u". */
static bool take_unicode(PixJson *json)
{
    gunichar code, low;
    if (!take_hex(json, &code))
        return false;
    if (code >= 0xdc00 && code < 0xe000)
        return pix_json_fail(json, "half of a surrogate pair");
    if (code >= 0xd800 && code < 0xdc00) {
        if (json->end - json->next < 2 || memcmp(json->next, "\\u", 2) != 0)
            return pix_json_fail(json, "half of a surrogate pair");
        json->next += 2;
        if (!take_hex(json, &low))
            return false;
        if (low < 0xdc00 || low >= 0xe000)
            return pix_json_fail(json, "half of a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code == 0)
        return pix_json_fail(json, "a NUL character");
    g_string_append_unichar(json->string, code);
    return true;
}

static bool take_escape(PixJson *json)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char letter = json->next < json->end ? *json->next : 0;
    if (letter == 'u') {
        json->next++;
        return take_unicode(json);
    }
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (!found)
        return pix_json_fail(json, "an unknown escape sequence");
    json->next++;
    g_string_append_c(json->string, meanings[found - letters]);
    return true;
}

bool pix_json_string(PixJson *json)
{
    g_string_truncate(json->string, 0);
    if (!pix_json_take(json, '"'))
        return false;
    for (;;) {
        const char *plain = json->next;
        while (json->next < json->end && *json->next != '"' && *json->next != '\\' &&
               (guchar)*json->next >= 0x20)
            json->next++;
        g_string_append_len(json->string, plain, json->next - plain);
        if (json->next == json->end || (guchar)*json->next < 0x20)
            return pix_json_fail(json, "a string without end");
        if (*json->next++ == '"')
            return true;
        if (!take_escape(json))
            return false;
    }
}

static bool take_integer(PixJson *json, guint64 *value)
{
    char first = pix_json_peek(json);
    if (!g_ascii_isdigit(first))
        return pix_json_fail(json, "no integer where there must be one");
    *value = 0;
    const char *digits = json->next;
    while (json->next < json->end && g_ascii_isdigit(*json->next)) {
        *value = *value * 10 + (guint64)(*json->next++ - '0');
        if (*value >= MAX_INTEGER)
            return pix_json_fail(json, "an integer of more than 48 bits");
    }
    if (first == '0' && json->next - digits > 1)
        return pix_json_fail(json, "an integer with a leading zero");
    return true;
}

bool pix_json_integers(PixJson *json, guint64 *values, int limit, int *n)
{
    bool more = true;
    *n = 0;
    if (!pix_json_take(json, '['))
        return false;
    if (pix_json_peek(json) == ']')
        return pix_json_take(json, ']');
    while (more) {
        if (*n == limit)
            return pix_json_fail(json, "more than %d integers in a list", limit);
        if (!take_integer(json, &values[(*n)++]) || !pix_json_separator(json, ']', &more))
            return false;
    }
    return true;
}

bool pix_json_end(PixJson *json)
{
    return pix_json_peek(json) == 0 || pix_json_fail(json, "more text after the end");
}
