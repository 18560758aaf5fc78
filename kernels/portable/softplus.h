/* max(x, 0) + log(1 + e^-|x|). needs: prelude numbers exp log */
GT_EMIT GT_REAL GT_P(softplus)(GT_REAL x)
{
    return (x > 0 ? x : 0) + GT_P(log1p)(GT_P(exp)(-GT_M(fabs)(x)));
}
