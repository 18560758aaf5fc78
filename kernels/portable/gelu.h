/* x / (1 + e^(x (x^2 cubic + linear))), from the inside out. needs: prelude numbers exp */
GT_EMIT GT_REAL GT_P(gelu)(GT_REAL x)
{
    const GT_REAL linear = (GT_REAL)(-2 * 0.79788456080286535588);
    const GT_REAL cubic = (GT_REAL)(-2 * (0.044715 * 0.79788456080286535588));
    return x / (1 + GT_P(exp)(x * (x * x * cubic + linear)));
}
