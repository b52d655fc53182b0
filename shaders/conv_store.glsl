/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of a convolution's sum: bias, norm with running statistics, activation. */
layout(binding = 2) buffer Out { Stored y[]; };
layout(binding = 2) buffer Sums { float bare_sums[]; };
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

/* @split: 0 where the sum is whole. */
void store(uint split, uint pixel, uint oc, float sum)
{
    if (p.bare != 0) {
        bare_sums[(split * p.n * p.out_h * p.out_w + pixel) * p.out_c + oc] = sum;
        return;
    }
    uint at = pixel * p.out_pixel + p.out_first + oc;
    float value = finished(sum, oc);
    y[at] = Stored(p.adds != 0 ? float(y[at]) + value : value);
}
