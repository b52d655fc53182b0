/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of a convolution's sum: bias, norm with running statistics, activation. */
layout(binding = 2) buffer Out { float y[]; };
layout(binding = 3) readonly buffer Vectors { float vectors[]; };

float finished(float sum, uint oc)
{
    if (p.bias != NOTHING)
        sum += vectors[p.bias + oc];
    if (p.mean != NOTHING) {
        sum = (sum - vectors[p.mean + oc]) / sqrt(vectors[p.variance + oc] + p.eps);
        if (p.gamma != NOTHING)
            sum *= vectors[p.gamma + oc];
        if (p.beta != NOTHING)
            sum += vectors[p.beta + oc];
    }
    return activate(p.activation, p.slope, sum);
}

void store(uint pixel, uint oc, float sum)
{
    uint at = pixel * p.out_pixel + p.out_first + oc;
    float value = finished(sum, oc);
    y[at] = p.adds != 0 ? y[at] + value : value;
}
