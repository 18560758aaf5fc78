/* x / 2 (1 + tanh(x (x^2 cubic + linear))), from the inside out. needs: prelude numbers exp tanh */
GT_EMIT GT_REAL GT_P(gelu)(GT_REAL x)
{
    const GT_REAL linear = (GT_REAL)0.79788456080286535588;
    const GT_REAL cubic = (GT_REAL)(0.044715 * 0.79788456080286535588);
    return x * (GT_REAL)0.5 * (GT_P(tanh)(x * (x * x * cubic + linear)) + 1);
}
