/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What all shaders share: bindings, the ids of constants, indices.
 *
 * Maps lie channels-last: element (n,c,y,x) of a tensor is at ((n*h + y)*w + x)*pixel + first + c,
 * where pixel is the number of channels of the whole tensor in which it lies and first its place in
 * there. Weights lie as (kh, kw, c, oc).
 *
 * Maps and weights are Stored: float32 or, with HALF, float16. They are read as float(x[i]) or vec4()
 * of four, and written as Stored(value); all that is computed, and all else that is kept, is float32.
 *
 * Constants: 0-2 the workgroup's sides, 3-9 tiles, 10 and up what the op needs.
 */
#ifdef HALF
#extension GL_EXT_shader_16bit_storage : require
#define Stored float16_t
#define Stored4 f16vec4
#else
#define Stored float
#define Stored4 vec4
#endif

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

const uint NOTHING = 0xffffffffu; /* a vector that an op does not have */

/* Where a map's channels lie in each pixel: VulkanPlace. */
struct Place {
    uint pixel, first;
};

uint index_of(Place place, uint pixel, uint c)
{
    return pixel * place.pixel + place.first + c;
}

/* By their bits: drivers may take it that there are no NaNs, and make maxima of comparisons. */
bool is_nan(float x)
{
    return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u;
}

/* 0 for what is below; a NaN stays one, whatever its sign. */
vec4 positive(vec4 x)
{
    bvec4 negative = lessThanEqual(floatBitsToUint(x) - 0x80000000u, uvec4(0x7f800000u));
    return mix(x, vec4(0.0), negative);
}

float positive(float x)
{
    return positive(vec4(x)).x;
}

/*
 * tanh_of() of cpu/cpu-simple.c again, for small values too as precise as they are: drivers' own are
 * exact to 2^-11 near zero and some are no numbers far from it.
 */
float tanh_of(float x)
{
    float a = 2.0 * min(abs(x), 10.0);
    int n = int(a * 1.44269504 + 0.5);
    float r = a - float(n) * 0.693359375 + float(n) * 2.12194440e-4;
    float q = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    q = r * (1.0 + r * (1.0 / 2.0 + r * (1.0 / 6.0 + r * q)));
    float scale = uintBitsToFloat(uint(n + 127) << 23), t = scale * q + (scale - 1.0);
    float y = t / (t + 2.0);
    return is_nan(x) ? x : x < 0.0 ? -y : y;
}

/* y = f(x); the kinds are those of PixActivationKind. */
float activate(uint kind, float slope, float x)
{
    if (kind == 1u)
        return positive(x);
    if (kind == 2u)
        return x > 0.0 ? x : slope * x;
    if (kind == 3u)
        return tanh_of(x);
    return x;
}

/* f'(x) from y = f(x). */
float activate_slope(uint kind, float slope, float y)
{
    if (kind == 1u)
        return y > 0.0 ? 1.0 : 0.0;
    if (kind == 2u)
        return y > 0.0 ? 1.0 : slope;
    if (kind == 3u)
        return 1.0 - y * y;
    return 1.0;
}

/* One number for each invocation of a dispatch whose groups were spread over x and y. */
uint linear_index()
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    return group * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
}
