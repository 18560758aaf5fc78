/* 1 / (1 + e^-x), with what the sum lost. needs: prelude numbers exp */
GT_EMIT GT_REAL GT_P(sigmoid)(GT_REAL x)
{
    GT_REAL e = GT_P(exp)(-GT_M(fabs)(x)), sum = 1 + e, low = e - (sum - 1);
    GT_REAL y = (x < 0 ? e : 1) / sum;
    return -y * low * (x < 0 ? 1 - y : y) + y;
}
